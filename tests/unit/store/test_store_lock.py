"""One process per database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keeper.errors import MilepostError
from keeper.store.lock import process_lock

HOLD = "import sys\nfrom pathlib import Path\nfrom keeper.store.lock import process_lock\n"


def test_a_second_holder_is_told_the_process_that_holds_the_lock(tmp_path: Path) -> None:
    with (
        process_lock(tmp_path / "m.db"),
        pytest.raises(MilepostError, match=str(os.getpid())) as caught,
        process_lock(tmp_path / "m.db"),
    ):
        pass
    assert caught.value.code == "ALREADY_RUNNING"


def test_the_lock_is_free_again_after_its_context(tmp_path: Path) -> None:
    for _ in range(2):
        with process_lock(tmp_path / "m.db"):
            pass


def test_two_databases_do_not_disturb_each_other(tmp_path: Path) -> None:
    with process_lock(tmp_path / "a.db"), process_lock(tmp_path / "b.db"):
        pass


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    database = tmp_path / "m.db"
    program = HOLD + f"with process_lock(Path({str(database)!r})):\n    print('held', flush=True)\n    sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(MilepostError, match=f"process {holder.pid} "), process_lock(database):
            pass
    finally:
        holder.kill()
        holder.communicate()

    with process_lock(database):
        pass


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    with process_lock(tmp_path / "new" / "folder" / "m.db"):
        assert (tmp_path / "new" / "folder").is_dir()


def test_a_lock_that_cannot_be_written_is_reported_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for database in (tmp_path / "file" / "m.db", tmp_path / "file" / "deeper" / "m.db"):
        with pytest.raises(MilepostError) as caught, process_lock(database):
            pass
        assert caught.value.code == "DATABASE_FAILED"
        assert "Errno" not in caught.value.cause
        assert "writable" in caught.value.hint
