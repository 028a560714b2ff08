"""Runs a Python program under a wrong clock, from outside: `python -m scripts.skewed SECONDS -- milepost attester run`.

The word after `--` is a console command installed beside this Python (its entry point is run in this process) or a
Python module; the rest are its arguments. What the program reads from `time` and `datetime` is shifted by SECONDS
(may be negative or have a fraction); waiting (`time.monotonic`, sleeps, time-outs) is not. The program itself needs
no hook for this.
"""

from __future__ import annotations

import datetime
import runpy
import sys
import time
from importlib.metadata import entry_points
from typing import Any


def skew(seconds: float) -> None:
    """Shift `time.time`, `time.time_ns` and `now`, `utcnow` and `today` of datetime by `seconds` in this process."""
    real_time, real_time_ns, real_datetime = time.time, time.time_ns, datetime.datetime
    shift = datetime.timedelta(seconds=seconds)

    class AnyDatetime(type):
        """Every datetime is an instance, whichever class made it."""

        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real_datetime)

    class SkewedDatetime(real_datetime, metaclass=AnyDatetime):  # type: ignore[misc, valid-type]
        """A datetime whose present is elsewhere."""

        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return real_datetime.now(tz) + shift

        @classmethod
        def utcnow(cls) -> Any:
            return real_datetime.now(datetime.UTC).replace(tzinfo=None) + shift

        @classmethod
        def today(cls) -> Any:
            return real_datetime.now() + shift

    time.time = lambda: real_time() + seconds
    time.time_ns = lambda: real_time_ns() + int(seconds * 1_000_000_000)
    datetime.datetime = SkewedDatetime  # type: ignore[misc]


def main(arguments: list[str]) -> None:
    """Parse `SECONDS -- command...`, shift the clock, become the command."""
    try:
        split = arguments.index("--")
        (seconds,) = arguments[:split]
        command, *rest = arguments[split + 1 :]
        shift = float(seconds)
    except ValueError:
        sys.exit("usage: python -m scripts.skewed SECONDS -- COMMAND-OR-MODULE [ARGUMENT...]")
    skew(shift)
    sys.argv = [command, *rest]
    found = [point for point in entry_points(group="console_scripts") if point.name == command]
    if found:
        sys.exit(found[0].load()())
    runpy.run_module(command, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
