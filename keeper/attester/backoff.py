"""When to try something again: later after each failure, by the wall clock, which here only bounds waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Backoff:
    """Waiting times by key: `first_s` after the first failure, doubled by each further one, never above `most_s`."""

    def __init__(self, first_s: float, most_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._first_s, self._most_s, self._clock = first_s, most_s, clock
        self._waiting: dict[Hashable, tuple[float, float]] = {}

    def ready(self, key: Hashable) -> bool:
        """Whether nothing failed under this key, or it has waited long enough."""
        return key not in self._waiting or self._clock() >= self._waiting[key][1]

    def failed(self, key: Hashable) -> float:
        """Note a failure; the seconds until the next try."""
        last = self._waiting.get(key)
        wait = self._first_s if last is None else min(last[0] * 2, self._most_s)
        self._waiting[key] = (wait, self._clock() + wait)
        return wait

    def clear(self, key: Hashable) -> None:
        """Forget the failures of this key."""
        self._waiting.pop(key, None)

    def keep_only(self, keys: set[Hashable]) -> None:
        """Forget every key that is not among these, so that nothing grows with time."""
        for key in self._waiting.keys() - keys:
            del self._waiting[key]
