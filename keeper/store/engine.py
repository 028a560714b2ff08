"""The database connection: one writer's transaction at a time, errors in words (docs/keeper.md section 3).

SQLite in WAL mode with full synchronisation: what `begin` has committed survives a power cut, because a signed
transaction must be on disk before it is broadcast (docs/keeper.md section 2, law 4).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from keeper.errors import MilepostError, Retry

BUSY_MS = 15_000
"""How long a writer waits for another writer before it gives up; every transaction here takes milliseconds."""

_REASONS = (
    ("is full", "the disk is full", "free some space, then start again: nothing was half-written"),
    ("readonly", "the file may not be written", "make the database and its directory writable for this user"),
    ("malformed", "the file is damaged", "keep the file, and restore a backup or name a new `database`"),
    ("not a database", "the file is no SQLite database", "name another path as `database`, or restore a backup"),
    ("unable to open", "the file cannot be opened", "check that the directory exists and is writable for this user"),
    ("locked", "another process holds it", "stop the process that holds it, then start again"),
    ("disk i/o", "the disk failed to read or write", "check the disk and its free space, then start again"),
    ("no such table", "a table is missing", "the file is not Milepost's, or is damaged: restore a backup"),
)


REVISION = "0002"
"""The schema that this version works with: the last revision in keeper/store/migrations."""


class Store:
    """One database file. Safe to share between threads; each context holds a connection of its own."""

    def __init__(self, path: Path) -> None:
        """Nothing is opened or created before the first use."""
        self.path = path
        self._engine = _engine(path)

    def begin(self) -> AbstractContextManager[Connection]:
        """The writer's transaction: commits at the end, rolls back on any error.

        It takes the write lock at once, so what it reads cannot change before it commits. Rooms take the connection
        as an argument and never commit. Raises DATABASE_FAILED; an IntegrityError passes as it is.
        """
        return self._transaction("BEGIN IMMEDIATE")

    def read(self) -> AbstractContextManager[Connection]:
        """A reader's transaction: one consistent picture, never blocked by the writer. Raises DATABASE_FAILED."""
        return self._transaction("BEGIN")

    def close(self) -> None:
        """Close every idle connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        try:
            with self._engine.execution_options(milepost_begin=begin).begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise database_failed(self.path, error.orig or error) from error
        except sqlite3.Error as error:
            raise database_failed(self.path, error) from error


def open_store(path: str | Path) -> Store:
    """The database at `path`, created or upgraded where needed.

    SETTINGS_INVALID for the URL of another database system; DATABASE_FAILED when the file cannot be used.
    """
    if "://" in str(path):
        raise MilepostError(
            "SETTINGS_INVALID",
            "`database` must be a file",
            cause="expected the path of an SQLite file, found a URL",
            hint="give a path such as milepost.db",
        )
    store = Store(Path(path))
    if _revision(store) != REVISION:
        from keeper.store.migrate import upgrade  # late: alembic takes longer to import than to find nothing to do

        upgrade(store)
    return store


def _revision(store: Store) -> str | None:
    with store.read() as conn:
        kept = conn.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
        if kept.first() is None:
            return None
        row = conn.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return str(row[0]) if row else None


def database_failed(path: Path, error: BaseException) -> MilepostError:
    """DATABASE_FAILED with the path, what the database said and what to do."""
    said = str(error)
    for sign, meaning, hint in _REASONS:
        if sign in said.lower():
            failure = MilepostError("DATABASE_FAILED", f"{path}: {meaning}", cause=said, hint=hint)
            if sign == "locked":
                failure.retry = Retry.RETRY
            return failure
    return MilepostError("DATABASE_FAILED", f"{path}: the database failed", cause=said)


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
        hide_parameters=True,  # a failing statement must not print signatures or raw transactions
        max_overflow=-1,  # who waits for the write lock holds a connection: nobody else must run out of them
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    # Python's sqlite3 would open transactions on its own, late and deferred: switch that off and send BEGIN ourselves.
    connection.isolation_level = None
    for pragma in (f"busy_timeout = {BUSY_MS}", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()["milepost_begin"])
