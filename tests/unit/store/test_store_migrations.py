"""The migrations end at the schema that the code uses, and can be undone."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from keeper.errors import MilepostError
from keeper.store import schema
from keeper.store.engine import REVISION, Store, open_store
from keeper.store.migrate import MIGRATIONS, downgrade


def _tables(path: Path) -> dict[str, str]:
    """Every CREATE statement of a database, whitespace and quotes aside."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'"
        )
        return {name: ",".join(sorted(re.sub(r'[\s"]+', " ", sql).split(", "))) for name, sql in rows}


def test_migrated_database_equals_the_schema_of_the_code(tmp_path: Path) -> None:
    migrated = open_store(tmp_path / "migrated.db")
    created = Store(tmp_path / "created.db")
    with created.begin() as conn:
        schema.metadata.create_all(conn)

    with migrated.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), schema.metadata) == []
    assert _tables(tmp_path / "migrated.db") == _tables(tmp_path / "created.db")


def test_code_names_the_last_revision() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [REVISION]


def test_downgrade_to_base_and_up_again(tmp_path: Path) -> None:
    store = open_store(tmp_path / "m.db")
    before = _tables(tmp_path / "m.db")

    downgrade(store, "base")
    assert _tables(tmp_path / "m.db") == {}

    open_store(tmp_path / "m.db")
    assert _tables(tmp_path / "m.db") == before


def test_a_database_of_the_first_version_is_upgraded_and_keeps_what_it_holds(tmp_path: Path) -> None:
    store = open_store(tmp_path / "m.db")
    downgrade(store, "0001")
    assert {"amendment", "acceptance"}.isdisjoint(_tables(tmp_path / "m.db"))
    with store.begin() as conn:
        conn.execute(schema.pulled.insert().values(relay="http://relay", attestations=3, documents=4))
    store.close()

    upgraded = open_store(tmp_path / "m.db")

    with upgraded.read() as conn:
        assert conn.execute(schema.pulled.select()).one().documents == 4
        assert conn.execute(schema.amendment.select()).all() == []


def test_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "m.db")
    with store.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(MilepostError, match="newer Milepost") as caught:
        open_store(tmp_path / "m.db")
    assert caught.value.code == "DATABASE_FAILED"


def test_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "m.db") as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")

    with pytest.raises(MilepostError, match="another program"):
        open_store(tmp_path / "m.db")
    assert list(_tables(tmp_path / "m.db")) == ["recipes"]


def test_opening_an_up_to_date_database_does_not_import_alembic(tmp_path: Path) -> None:
    open_store(tmp_path / "m.db")
    program = (
        "import sys\nfrom keeper.store.engine import open_store\n"
        f"open_store({str(tmp_path / 'm.db')!r})\nsys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_directory_with_a_percent_sign_works(tmp_path: Path) -> None:
    folder = tmp_path / "50%"
    folder.mkdir()
    open_store(folder / "m.db")
    assert (folder / "m.db").is_file()
