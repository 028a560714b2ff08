"""The cache can always be made again: projections from events, events from the chain (docs/keeper.md section 2, law 2).

Records (attestations, documents, transactions, the sign-once guard) are never touched here.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from keeper.ledger.project import refold
from keeper.ledger.rows import address_of
from keeper.store import schema
from keeper.store.engine import Store

PROJECTIONS = (
    schema.agreement,
    schema.milestone,
    schema.settlement,
    schema.amendment,
    schema.acceptance,
    schema.quorum,
)


def rebuild(store: Store) -> int:
    """Drop what was folded and fold it again from the stored events, in one transaction; returns how many events.

    Ends byte-equal to what following the chain had written. LEDGER_DIFFERS when the events do not fit together:
    then nothing was changed.
    """
    with store.begin() as conn:
        for table in PROJECTIONS:
            conn.execute(delete(table))
        return sum(_refold_all(conn, row.chain, row.escrow) for row in conn.execute(select(schema.cursor)).all())


def forget(store: Store) -> None:
    """Drop everything that came from the chain; the next steps of the follower read it again from the deployment on."""
    with store.begin() as conn:
        for table in schema.CACHE:
            conn.execute(delete(table))


def _refold_all(conn: Connection, chain: int, escrow: str) -> int:
    e = schema.event
    pairs = conn.execute(select(e.c.name, e.c.subject).where(e.c.chain == chain)).all()
    refold(conn, chain, address_of(escrow), {(row.name, row.subject) for row in pairs})
    return len(pairs)
