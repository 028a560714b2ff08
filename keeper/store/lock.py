"""One process per database: a lock file that the operating system drops when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keeper.errors import MilepostError


def lock_path(database: Path) -> Path:
    """Where the lock of a database stands: beside it."""
    return database.with_name(database.name + ".lock")


@contextmanager
def process_lock(database: Path) -> Iterator[None]:
    """Hold the database's lock, or raise ALREADY_RUNNING with the id of the process that does.

    The file stays behind on purpose: removing it would let two processes lock two files of the same name.
    The database's folder is made when it is not there. DATABASE_FAILED when that, or the lock file, cannot be written.
    """
    path = lock_path(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise MilepostError(
            "DATABASE_FAILED",
            f"{path}: the lock file cannot be opened",
            cause=error.strerror or str(error),
            hint="make the folder of `database` writable for this user, or name another path",
        ) from error
    try:
        _lock(descriptor, database)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, database: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise MilepostError(
            "ALREADY_RUNNING",
            f"Another Milepost process works on {database}",
            cause=f"process {holder} holds {lock_path(database)}",
        ) from error
