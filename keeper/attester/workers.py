"""Slow work beside the loop: a source or a relay that hangs must delay nobody else, nor the end of the process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The end of one piece of work: its result, or the error it ended with."""

    key: Hashable
    result: T | None
    error: Exception | None


class Workers(Generic[T]):
    """At most `most` threads, each doing one piece of work under a key that nobody else works on.

    The threads are daemons: whoever waits on a stranger's server dies with the process.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._busy: set[Hashable] = set()
        self._done: queue.SimpleQueue[Done[T]] = queue.SimpleQueue()

    @property
    def free(self) -> int:
        """How many more pieces of work can be started now."""
        return self._most - len(self._busy)

    def busy(self, key: Hashable) -> bool:
        """Whether work under this key was started and not collected."""
        return key in self._busy

    def start(self, key: Hashable, work: Callable[[], T]) -> bool:
        """Start `work` unless its key is busy or no thread is free; whether it was started."""
        if key in self._busy or not self.free:
            return False
        self._busy.add(key)
        threading.Thread(target=self._run, args=(key, work), name=f"work {key}", daemon=True).start()
        return True

    def collect(self, wait_s: float = 0) -> list[Done[T]]:
        """What has ended since the last call; waits up to `wait_s` for the first one if anything is under way."""
        found: list[Done[T]] = []
        while self._busy:
            try:
                done = self._done.get(timeout=wait_s) if wait_s and not found else self._done.get_nowait()
            except queue.Empty:
                break
            self._busy.discard(done.key)
            found.append(done)
        return found

    def _run(self, key: Hashable, work: Callable[[], T]) -> None:
        try:
            self._done.put(Done(key, work(), None))
        except Exception as error:  # whatever it is, the loop reports it under the key
            self._done.put(Done(key, None, error))
