"""Make the cache again from what is stored: for a ledger that is doubted, without asking any node."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from keeper.commands.context import Session
from keeper.errors import MilepostError
from keeper.ledger import rebuild as ledger
from keeper.store import schema


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was folded again."""

    events: int
    agreements: int
    quorums: int


def rebuild(session: Session) -> Rebuilt:
    """Drop agreements, milestones, settlements and quorums, and fold them again from the stored events.

    One transaction: LEDGER_DIFFERS when the events do not fit together, and then nothing was changed. Records
    (transactions, attestations, documents, what was signed) are not touched. NOT_FOUND when there is no database,
    ALREADY_RUNNING while another process works on it.
    """
    database = session.settings.database
    if not database.is_file():
        raise MilepostError(
            "NOT_FOUND",
            f"There is no database at {database}",
            cause="expected the database of a keeper, an attester or a party",
            hint="name it as `database` in the settings, or name its settings with --config",
        )
    with session.exclusive():
        events = ledger.rebuild(session.store)
        with session.store.read() as conn:
            agreements, quorums = (
                conn.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (schema.agreement, schema.quorum)
            )
    return Rebuilt(events, agreements, quorums)
