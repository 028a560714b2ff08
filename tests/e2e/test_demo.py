"""The demo's scenario as a test: the real processes, the real chain, the hand-written tables."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_process import ROOT, environment


def demo(home: Path, *options: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "scripts.demo", "--home", str(home / "stage"), "--report", str(home / "demo.json")]
    return subprocess.Popen(
        [*argv, *options],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_running(home: Path) -> list[str]:
    """Command lines of processes that still name the demo's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # the process ended while we looked
            if str(home) in words:
                found.append(words)
    return found


def played(home: Path, *options: str) -> dict[str, object]:
    process = demo(home, *options)
    words, _ = process.communicate(timeout=400)
    assert process.returncode == 0, words
    assert left_running(home) == []
    report: dict[str, object] = json.loads((home / "demo.json").read_text())
    return report


@pytest.mark.chain
def test_every_milestone_is_settled_once_and_every_unit_is_where_it_belongs(tmp_path: Path) -> None:
    report = played(tmp_path)

    assert report["balance_errors"] == []
    assert set(report["settlements_per_milestone"].values()) == {1}  # type: ignore[attr-defined]
    assert len(report["settlements_per_milestone"]) == 8  # type: ignore[arg-type]
    keepers = {milestone["keeper"] for milestone in report["milestones"]}  # type: ignore[attr-defined]
    assert keepers == {"keeper-1", "keeper-2", "arbiter"}


@pytest.mark.slow
@pytest.mark.chain
@pytest.mark.parametrize("removed", ["keeper-1", "keeper-2"])
def test_with_either_keeper_removed_it_ends_the_same(tmp_path: Path, removed: str) -> None:
    report = played(tmp_path, "--without", removed)

    assert report["balance_errors"] == []
    assert set(report["settlements_per_milestone"].values()) == {1}  # type: ignore[attr-defined]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo whose keepers and first attester run."""
    process = demo(tmp_path)
    end = time.monotonic() + 120
    while not (tmp_path / "stage/attester-1.log").exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, "the demo did not start an attester within 120 s"
        time.sleep(0.2)
    yield process
    process.kill()
    process.wait()


@pytest.mark.slow
@pytest.mark.chain
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_no_process_stays(
    running: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    assert len(left_running(tmp_path)) > 4

    running.send_signal(number)
    running.wait(timeout=30)

    assert running.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    end = time.monotonic() + 15
    while left_running(tmp_path) and time.monotonic() < end:
        time.sleep(0.1)
    assert left_running(tmp_path) == []
