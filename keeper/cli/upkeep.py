"""`milepost rebuild`: upkeep of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from keeper.cli.options import command
from keeper.cli.run import Run

if TYPE_CHECKING:
    from rich.console import Console

UPKEEP = "Upkeep"


def register(app: typer.Typer) -> None:
    """Add `rebuild` to the program."""
    command(app, "rebuild", example="milepost rebuild --config keeper.yaml", panel=UPKEEP)(rebuild)


def rebuild(run: Run) -> None:
    """Fold the ledger again from the events in the database, without asking a node.

    Agreements, milestones, settlements and quorums are dropped and made again, all or nothing. What no chain can give
    back (transactions sent, attestations, documents, what was signed) stays as it is. The process that uses the
    database has to be stopped first.
    """
    from keeper.cli.tables import facts
    from keeper.commands.context import open_session
    from keeper.commands.rebuild import rebuild

    with open_session(run.options.config, set()) as session:
        with run.progress("folding"):
            done = rebuild(session)
        path = str(session.settings.database)
    data = {"database": path, "agreements": done.agreements, "quorums": done.quorums, "events": done.events}

    def words(out: Console) -> None:
        facts(out, [(name, str(value)) for name, value in data.items()])

    run.emit("milepost/rebuild/1", data, words)
