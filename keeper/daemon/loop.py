"""What every daemon does around its step: pace, backing off, stopping on a signal, ending in time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from keeper.errors import Exit, MilepostError, Retry

log = structlog.get_logger("daemon")

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0
"""How long a failing step waits before it is tried again: doubled up to the longest."""

DRAIN_S = 8.0
"""Seconds of wall clock in which the step under way may end; then the process ends as after a kill, which loses
nothing."""

HALTING = frozenset({"DEEP_REORG", "LEDGER_DIFFERS", "WRONG_CHAIN", "WRONG_CONTRACT"})
"""The chain is not what was believed: nothing is sent, and the step is tried again in case it mends."""

Trouble = Callable[[MilepostError | None], None]


class Stop:
    """Set by SIGTERM or SIGINT, once; a second signal changes nothing."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.exit = Exit.DONE

    def set(self, code: Exit = Exit.DONE) -> None:
        """Ask the loop to end with exit code `code`."""
        if not self._event.is_set():
            self.exit = code
            self._event.set()

    def is_set(self) -> bool:
        """Whether the loop is to end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep, or return at once when the loop is to end."""
        self._event.wait(seconds)


def run_loop(step: Callable[[], bool], poll_s: float, trouble: Trouble, stop: Stop) -> Exit:
    """Step until told to stop; the exit code.

    `step` returns whether there is more to do at once. A fault that passes (its retry class says so), or that halts, is
    told to `trouble` (None: it is over), logged once, and the step is tried again ever less often; any other
    MilepostError is raised.
    """
    last: MilepostError | None = None
    wait = FIRST_WAIT_S
    while not stop.is_set():
        try:
            again = step()
        except MilepostError as error:
            if error.retry != Retry.RETRY and error.code not in HALTING:
                raise
            _tell(error, last)
            trouble(error)
            last = error
            stop.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)
            continue
        if last is not None:
            log.info("going on again", after=last.code)
            trouble(None)
        last, wait = None, FIRST_WAIT_S
        if not again:
            stop.wait(poll_s)
    return stop.exit


@contextmanager
def signals() -> Iterator[Stop]:
    """A Stop that SIGTERM (exit 0) and SIGINT (exit 130) set. The process then ends within `DRAIN_S`, come what may.

    Signals reach Python's main thread only; elsewhere the caller sets the Stop itself.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    timers: list[threading.Timer] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            return
        code = Exit.INTERRUPTED if number == signal.SIGINT else Exit.DONE
        timer = threading.Timer(DRAIN_S, os._exit, [int(code)])
        timer.daemon = True
        # First: a handler runs between any two steps of `Stop.wait`, and may find the event's own lock taken.
        timer.start()
        timers.append(timer)
        stop.set(code)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for timer in timers:
            timer.cancel()


def _tell(error: MilepostError, last: MilepostError | None) -> None:
    if last is not None and (last.code, last.title, last.cause) == (error.code, error.title, error.cause):
        return
    if error.code in HALTING:
        log.error("halted: nothing is sent", code=error.code, title=error.title, cause=error.cause, hint=error.hint)
    else:
        log.warning("trying again", code=error.code, title=error.title, cause=error.cause)
