"""Starts the demo's processes, waits for conditions with a bound, and leaves nothing behind, whatever ends the demo."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


class DemoFailedError(Exception):
    """The demo did not go as written; the words say what was expected and what was found."""


def die_with_parent() -> None:
    """Asks Linux to end this child when the demo ends, even when the demo is killed without a chance to clean up."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_for(what: str, condition: Callable[[], T | None], *, seconds: float = 40, every: float = 0.1) -> T:
    """Returns the condition's first true value; raises DemoFailedError naming `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(every)
    raise DemoFailedError(f"waited {seconds:.0f} s for {what}, in vain")


def free_port() -> int:
    """A TCP port of this machine that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether something accepts connections on this port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass(slots=True)
class Process:
    """One running program of the demo; its output goes to `log`."""

    name: str
    argv: Sequence[str]
    env: dict[str, str]
    cwd: Path
    log: Path
    popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self.popen is None:
            raise DemoFailedError(f"{self.name} was never started")
        return self.popen.pid

    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def start(self) -> Process:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.argv,
                env={**os.environ, **self.env},
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        return self

    def stop(self, *, seconds: float = 10) -> int | None:
        """Asks the process to end and ends it after `seconds`; returns its exit code, None if it never ran."""
        if self.popen is None:
            return None
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        return self.popen.wait()

    def said(self, text: str) -> bool:
        """Whether the log holds `text`."""
        return text in self.log.read_text(errors="replace")

    def last_words(self, lines: int = 12) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Crew:
    """Every process of one demo; a context manager that ends them all."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.processes: dict[str, Process] = {}

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(self, name: str, argv: Sequence[str], *, cwd: Path, env: dict[str, str] | None = None) -> Process:
        process = Process(name, list(argv), env or {}, cwd, self.home / f"{name}.log")
        self.processes[name] = process
        return process.start()

    def check_alive(self) -> None:
        """Raises DemoFailedError with the last words of a process that ended by itself."""
        for process in self.processes.values():
            if process.popen is not None and process.popen.poll() not in (None, 0, -signal.SIGTERM, -signal.SIGKILL):
                code = process.popen.returncode
                raise DemoFailedError(f"{process.name} ended with exit code {code}:\n{process.last_words()}")

    def stop_all(self) -> None:
        """Ends everything, the last started first."""
        running = [process for process in reversed(self.processes.values()) if process.alive()]
        for process in running:
            if process.popen is not None:
                process.popen.terminate()
        for process in running:
            process.stop(seconds=5)
