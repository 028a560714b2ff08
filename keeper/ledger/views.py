"""What the ledger knows, asked by everything below it: the head, agreements, what is due, quorums, settlements.

Each query reads inside the caller's transaction, so several of them show one picture. A milestone's place is what its
events say at the followed head, which a reorg may still take back: compare `changed_number` with `place`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, select, text, tuple_

from keeper.chain.blocks import Header
from keeper.ledger.events import StoredEvent, agreement_in
from keeper.ledger.model import AcceptanceView, AgreementView, AmendmentView, MilestoneView, Place, SettlementView
from keeper.ledger.rows import (
    Rows,
    acceptance_view,
    address_of,
    agreement_view_of,
    hex_of,
    milestone_view_of,
    quorum_value,
    settlement_view,
    stored_event,
)
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import ZERO_ADDRESS, Address
from keeper.store import schema

__all__ = [
    "AcceptanceView",
    "AgreementView",
    "AmendmentView",
    "MilestoneView",
    "Place",
    "SettlementView",
    "acceptance_of",
    "agreement_view",
    "due_before",
    "events_of",
    "head",
    "list_agreements",
    "milestone_view",
    "open_with_verifier",
    "place",
    "quorum_of",
    "quorums",
    "settlement_of",
]


_CHAIN = select(schema.cursor.c.chain).limit(1).scalar_subquery()
"""The chain that this database follows; indexes begin with it."""


def place(conn: Connection) -> Place | None:
    """Where the ledger stands; None before the first step."""
    c, b = schema.cursor, schema.block
    row = conn.execute(select(c, b.c.parent).join_from(c, b, c.c.hash == b.c.hash)).mappings().first()
    if row is None:
        return None
    header = Header(row["number"], row["hash"], row["parent"], row["time"])
    return Place(header, row["safe_number"], row["finalized_number"], row["finalized_hash"])


def head(conn: Connection) -> Header | None:
    """The block up to which the ledger has followed; None before the first step."""
    found = place(conn)
    return found.head if found else None


def agreement_view(conn: Connection, agreement: bytes) -> AgreementView | None:
    """One agreement, or None when no funding of it was seen."""
    found = _agreements(conn, select(schema.agreement).where(schema.agreement.c.id == hex_of(agreement)))
    return found[0] if found else None


def list_agreements(conn: Connection, limit: int = 1000, after: int = 0) -> list[AgreementView]:
    """Agreements in the order of their funding, at most `limit`, skipping the first `after`."""
    a = schema.agreement
    return _agreements(conn, select(a).order_by(a.c.block_number, a.c.id).limit(limit).offset(after))


def milestone_view(conn: Connection, agreement: bytes, index: int) -> MilestoneView | None:
    """One milestone of a known agreement's schedule, funded or not; None outside of what is known."""
    found = agreement_view(conn, agreement)
    return found.milestones[index] if found and 0 <= index < len(found.milestones) else None


def due_before(
    conn: Connection, time: int, limit: int = 100, after: MilestoneView | None = None
) -> list[MilestoneView]:
    """Open milestones that `settle` moves at unix second `time`, the longest due first; only those behind `after`."""
    m = schema.milestone
    order = (m.c.due_at, m.c.agreement, m.c.index)
    query = _open_milestones().where(m.c.chain == _CHAIN, m.c.due_at <= time).order_by(*order)
    if after is not None:
        query = query.where(tuple_(*order) > (after.due.ready_at, hex_of(after.agreement), after.index))
    return [_joined(row) for row in conn.execute(query.limit(limit)).mappings()]


def open_with_verifier(conn: Connection, quorums: Collection[bytes] | None = None) -> list[MilestoneView]:
    """Open milestones whose terms name a quorum (one of `quorums`, if given), whatever their status."""
    a, m = schema.agreement, schema.milestone
    query = _open_milestones().where(a.c.verifier != ZERO_ADDRESS).order_by(a.c.block_number, m.c.agreement, m.c.index)
    if quorums is not None:
        query = query.where(a.c.quorum.in_([hex_of(q) for q in quorums]))
    return [_joined(row) for row in conn.execute(query).mappings()]


def quorum_of(conn: Connection, verifier: Address, quorum: bytes) -> Quorum | None:
    """The members behind a quorum's hash, if they were announced on chain."""
    q = schema.quorum
    row = (
        conn.execute(select(q).where(q.c.chain == _CHAIN, q.c.verifier == verifier.lower(), q.c.hash == hex_of(quorum)))
        .mappings()
        .first()
    )
    return quorum_value(row) if row else None


def quorums(conn: Connection) -> list[tuple[Address, Quorum]]:
    """Every announced quorum with its verifier."""
    q = schema.quorum
    rows = conn.execute(select(q).order_by(q.c.verifier, q.c.hash)).mappings()
    return [(address_of(row["verifier"]), quorum_value(row)) for row in rows]


def settlement_of(conn: Connection, agreement: bytes, index: int) -> SettlementView | None:
    """How a milestone settled, or None while it has not."""
    s = schema.settlement
    row = conn.execute(select(s).where(s.c.agreement == hex_of(agreement), s.c.index == index)).mappings().first()
    return settlement_view(row) if row else None


def acceptance_of(conn: Connection, agreement: bytes) -> AcceptanceView | None:
    """The payee's first acceptance on chain, of an agreement that may not be funded yet."""
    a = schema.acceptance
    row = conn.execute(select(a).where(a.c.agreement == hex_of(agreement))).mappings().first()
    return acceptance_view(row) if row else None


def events_of(conn: Connection, agreement: bytes) -> list[StoredEvent]:
    """Every event of one agreement in the order of the chain; `events.decode` tells what each says."""
    e = schema.event
    query = select(e).where(e.c.chain == _CHAIN, e.c.subject == hex_of(agreement)).order_by(e.c.number, e.c.log_index)
    return [stored_event(row) for row in conn.execute(query).mappings()]


_OPEN = text("milestone.open")
"""Written as in the partial index: SQLite uses it only for the very same words."""


def _open_milestones() -> Select[Any]:
    a, m = schema.agreement, schema.milestone
    return select(m, a.c.escrow, a.c.terms).join_from(m, a, m.c.agreement == a.c.id).where(_OPEN)


def _joined(row: RowMapping) -> MilestoneView:
    return milestone_view_of(row["agreement"], row["escrow"], agreement_in(row["terms"]), row["index"], row)


def _agreements(conn: Connection, query: Select[Any]) -> list[AgreementView]:
    rows = conn.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    columns = {
        "milestones": schema.milestone.c.agreement,
        "settlements": schema.settlement.c.agreement,
        "amendments": schema.amendment.c.source,
        "opened_by": schema.amendment.c.target,
        "accepted": schema.acceptance.c.agreement,
    }
    found = {name: _by(conn, column, ids) for name, column in columns.items()}
    return [agreement_view_of(row, Rows(**{n: f.get(row["id"], []) for n, f in found.items()})) for row in rows]


def _by(conn: Connection, column: Column[str], ids: Sequence[str]) -> dict[str, list[RowMapping]]:
    """The rows of a column's table by that column's value."""
    found: dict[str, list[RowMapping]] = {}
    for start in range(0, len(ids), 500):  # SQLite bounds the parameters of one statement
        for row in conn.execute(select(column.table).where(column.in_(ids[start : start + 500]))).mappings():
            found.setdefault(row[column.name], []).append(row)
    return found
