"""Bring a database to the schema of this version; imported only when something is to be done.

All steps run inside one transaction: a database is never left between two schemas.
"""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from keeper.errors import MilepostError
from keeper.store.engine import Store

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> None:
    """Create or upgrade the tables. DATABASE_FAILED when the file is another program's, or of a newer Milepost."""
    with store.begin() as conn:
        _check_ours(store.path, conn)
        command.upgrade(config_for(conn), "head")


def downgrade(store: Store, revision: str) -> None:
    """Go back to an older revision ("base": drop every table)."""
    with store.begin() as conn:
        command.downgrade(config_for(conn), revision)


def config_for(conn: Connection) -> Config:
    """Alembic's settings for a run inside the caller's transaction; needs no file."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    return config


def _check_ours(path: Path, conn: Connection) -> None:
    found = MigrationContext.configure(conn).get_current_revision()
    if found is None:
        strangers = set(inspect(conn).get_table_names()) - {"alembic_version"}
        if strangers:
            raise MilepostError(
                "DATABASE_FAILED",
                f"{path} belongs to another program",
                cause=f"expected no tables or Milepost's, found {', '.join(sorted(strangers)[:5])}",
                hint="name another path as `database`",
            )
        return
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if found not in known:
        raise MilepostError(
            "DATABASE_FAILED",
            f"{path} was written by a newer Milepost",
            cause=f"expected a schema up to revision {max(known)}, found {found}",
            hint="update Milepost, or name another path as `database`",
        )
