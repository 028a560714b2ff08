"""The daemons' loop: what is tried again, what is told, what ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keeper.daemon.loop import Stop, run_loop, signals
from keeper.errors import Exit, MilepostError
from keeper.store.engine import database_failed

DOWN = MilepostError("RPC_UNREACHABLE", "No endpoint answered", cause="node: connection refused")
GONE = MilepostError("DATABASE_FAILED", "the disk is full")
DEEP = MilepostError("DEEP_REORG", "the chain left a final block")


class PatientStop(Stop):
    """Notes how long the loop wanted to wait, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


def script(stop: Stop, outcomes: Sequence[bool | MilepostError]) -> Callable[[], bool]:
    """A step that does one of `outcomes` after the other, and ends the loop with the last."""
    left = list(outcomes)

    def step() -> bool:
        outcome = left.pop(0)
        if not left:
            stop.set()
        if isinstance(outcome, MilepostError):
            raise outcome
        return outcome

    return step


def test_a_passing_fault_is_told_once_and_tried_ever_less_often() -> None:
    stop = PatientStop()
    told: list[MilepostError | None] = []

    with capture_logs() as logs:
        code = run_loop(script(stop, [DOWN] * 7 + [False]), 0.1, told.append, stop)

    assert code == Exit.DONE
    assert stop.waits == [0.5, 1, 2, 4, 8, 10, 10, 0.1]
    assert told == [DOWN] * 7 + [None]
    assert [entry["event"] for entry in logs] == ["trying again", "going on again"]


def test_another_fault_is_told_again() -> None:
    stop = PatientStop()

    with capture_logs() as logs:
        run_loop(script(stop, [DOWN, DEEP, DEEP, DOWN]), 0.1, lambda _: None, stop)

    assert [entry["event"] for entry in logs] == ["trying again", "halted: nothing is sent", "trying again"]


def test_the_wait_starts_anew_after_a_success() -> None:
    stop = PatientStop()

    run_loop(script(stop, [DOWN, DOWN, True, DOWN]), 0.1, lambda _: None, stop)

    assert stop.waits == [0.5, 1, 0.5]


def test_a_step_with_more_to_do_is_not_waited_after() -> None:
    stop = PatientStop()

    run_loop(script(stop, [True, True, False]), 0.7, lambda _: None, stop)

    assert stop.waits == [0.7]


def test_what_neither_passes_nor_halts_ends_the_loop() -> None:
    stop = PatientStop()

    with pytest.raises(MilepostError) as ended:
        run_loop(script(stop, [GONE, False]), 0.1, lambda _: None, stop)

    assert ended.value is GONE


def test_a_database_that_another_process_holds_for_a_while_is_waited_for(tmp_path: Path) -> None:
    stop = PatientStop()
    busy = database_failed(tmp_path / "milepost.db", Exception("database is locked"))

    code = run_loop(script(stop, [busy, False]), 0.1, lambda _: None, stop)

    assert code == Exit.DONE
    assert stop.waits == [0.5, 0.1]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, Exit.DONE), (signal.SIGINT, Exit.INTERRUPTED)])
def test_a_signal_stops_the_loop_and_names_the_exit_code(number: signal.Signals, code: Exit) -> None:
    before = signal.getsignal(number)

    with signals() as stop:
        os.kill(os.getpid(), number)
        stop.wait(5)
        assert stop.is_set()
        assert stop.exit == code

    assert signal.getsignal(number) is before


def test_a_signal_that_finds_the_stop_taken_still_ends_the_process_in_time() -> None:
    """The handler may run while this very thread is inside `Stop.wait`; another signal must then not be needed."""
    program = (
        "import os, signal\n"
        "from keeper.daemon import loop\n"
        "loop.DRAIN_S = 0.2\n"
        "with loop.signals() as stop, stop._event._cond:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=30, check=False)

    assert ended.returncode == Exit.DONE


def test_the_first_signal_decides() -> None:
    stop = Stop()
    stop.set(Exit.INTERRUPTED)
    stop.set(Exit.DONE)

    assert stop.exit == Exit.INTERRUPTED
