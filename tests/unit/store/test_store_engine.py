"""Transactions are real, durable and one writer's; every failure of the disk is said in words."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from keeper.errors import MilepostError
from keeper.store.engine import Store, open_store
from keeper.store.schema import document, pulled


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "m.db")


def _count(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(pulled)).scalar_one())


def _pulled(relay: str) -> dict[str, object]:
    row: dict[str, object] = {column.name: 0 for column in pulled.columns}
    return {**row, "relay": relay}


def _document(number: int) -> dict[str, object]:
    return {"hash": str(number), "salt": "", "media_type": "", "content": b""}


def test_begin_commits_at_the_end(store: Store) -> None:
    with store.begin() as conn:
        conn.execute(insert(pulled), _pulled("a"))
    assert _count(store) == 1


def test_begin_rolls_back_whole_on_any_error(store: Store) -> None:
    def fails() -> None:
        with store.begin() as conn:
            conn.execute(insert(pulled), _pulled("a"))
            raise KeyError("b")

    with pytest.raises(KeyError):
        fails()
    assert _count(store) == 0


def test_tables_made_in_a_transaction_that_fails_are_not_there(store: Store) -> None:
    def fails() -> None:
        with store.begin() as conn:
            conn.exec_driver_sql("CREATE TABLE left_over (x)")
            raise KeyError("b")

    with pytest.raises(KeyError):
        fails()
    with store.read() as conn:
        assert conn.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'left_over'").first() is None


def test_begin_takes_the_write_lock_at_once(store: Store) -> None:
    order: list[str] = []
    inside, done = threading.Event(), threading.Event()

    def second() -> None:
        inside.wait(5)
        with store.begin() as conn:
            order.append("second")
            conn.execute(insert(pulled), _pulled("b"))
        done.set()

    thread = threading.Thread(target=second)
    thread.start()
    with store.begin():
        inside.set()
        assert not done.wait(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_writers_that_wait_leave_connections_for_everybody_else(store: Store) -> None:
    """A relay serves dozens of threads; the pool's own limit of 15 would make the keeper's loop fail beside them."""
    with ExitStack() as open_:
        for _ in range(40):
            open_.enter_context(store.read())
        assert _count(store) == 0


def test_a_reader_keeps_one_picture_while_a_writer_commits(store: Store) -> None:
    with store.read() as reader:
        count = select(func.count()).select_from(pulled)
        assert reader.execute(count).scalar_one() == 0
        with store.begin() as conn:
            conn.execute(insert(pulled), _pulled("a"))
        assert reader.execute(count).scalar_one() == 0
    assert _count(store) == 1


def test_what_was_committed_is_synchronised_to_the_disk(store: Store) -> None:
    with store.begin() as conn:
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_broken_constraint_reaches_the_caller_as_itself(store: Store) -> None:
    with pytest.raises(IntegrityError), store.begin() as conn:
        conn.execute(insert(pulled), [_pulled("a"), _pulled("a")])


def test_a_full_database_is_reported_and_nothing_is_half_written(store: Store) -> None:
    with store.begin() as conn:
        conn.execute(insert(pulled), _pulled("before"))

    def fills() -> None:
        with store.begin() as conn:
            pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
            conn.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
            conn.execute(insert(pulled), _pulled("during"))
            for i in range(5):
                conn.execute(insert(document), {**_document(i), "content": bytes(60_000)})

    with pytest.raises(MilepostError) as caught:
        fills()

    assert caught.value.code == "DATABASE_FAILED"
    assert str(store.path) in caught.value.title
    assert "full" in caught.value.cause
    assert "space" in caught.value.hint
    assert _count(store) == 1


def test_a_disk_that_takes_no_more_bytes_is_reported_and_the_database_survives(tmp_path: Path) -> None:
    program = f"""
import resource, signal
from contextlib import ExitStack
from pathlib import Path
from sqlalchemy import insert
from keeper.errors import MilepostError
from keeper.store.engine import open_store
from keeper.store.schema import document
store = open_store({str(tmp_path / "m.db")!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
kept = 0
try:
    while kept < 1000:
        with store.begin() as conn:
            row = {{"hash": str(kept), "salt": "", "media_type": "", "content": b"." * 30_000}}
            conn.execute(insert(document), row)
        kept += 1
except MilepostError as error:
    print(error.code, kept)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("DATABASE_FAILED"), done.stderr

    with open_store(tmp_path / "m.db").read() as conn:
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        kept = conn.execute(select(func.count()).select_from(document)).scalar_one()
    assert kept == int(done.stdout.split()[1])
    assert kept > 0


def test_a_missing_directory_is_reported(tmp_path: Path) -> None:
    with pytest.raises(MilepostError) as caught:
        open_store(tmp_path / "nowhere" / "m.db")
    assert caught.value.code == "DATABASE_FAILED"
    assert "directory" in caught.value.hint


def test_a_file_that_is_no_database_is_reported_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.write_text("dear diary\n" * 200)
    with pytest.raises(MilepostError) as caught:
        open_store(path)
    assert caught.value.code == "DATABASE_FAILED"
    assert path.read_text().startswith("dear diary")


def test_a_damaged_database_is_reported(store: Store) -> None:
    with store.begin() as conn:
        conn.execute(insert(pulled), [_pulled(f"relay {i}") for i in range(2000)])
    store.close()
    with sqlite3.connect(store.path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = store.path.stat().st_size
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))

    with pytest.raises(MilepostError) as caught, Store(store.path).read() as conn:
        conn.execute(select(pulled)).all()
    assert caught.value.code == "DATABASE_FAILED"


def test_a_database_that_may_not_be_written_is_reported(store: Store) -> None:
    def writes() -> None:
        with store.begin() as conn:
            conn.exec_driver_sql("PRAGMA query_only = ON")
            conn.execute(insert(pulled), _pulled("a"))

    with pytest.raises(MilepostError) as caught:
        writes()
    assert caught.value.code == "DATABASE_FAILED"
    assert "may not be written" in caught.value.title


def test_a_url_of_another_database_system_is_refused() -> None:
    with pytest.raises(MilepostError) as caught:
        open_store("postgresql://localhost/milepost")
    assert caught.value.code == "SETTINGS_INVALID"
