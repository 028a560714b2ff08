"""Writing what parties did by their signatures: amendments, which tie two agreements, and acceptances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from keeper.ledger.events import Accepted, Amended, Funded, StoredEvent, agreement_in, decode, differs
from keeper.ledger.line import Folded
from keeper.ledger.rows import address_of, hex_of, stored_event
from keeper.protocol.types import Address, Terms, sum_of
from keeper.store import schema


def write_amendments(conn: Connection, folds: Sequence[Folded]) -> dict[StoredEvent, Address]:
    """Write the amendments that ended milestones of these agreements; returns who sent each.

    LEDGER_DIFFERS unless the other agreement began in the same transaction with what the amendment says. The rows of
    these agreements must be gone.
    """
    events = [(folded, event) for folded in folds for event in _amendments(folded)]
    rows = {event: _amendment_row(conn, folded, event) for folded, event in events}
    if rows:
        conn.execute(insert(schema.amendment), list(rows.values()))
    return {event: address_of(row["executor"]) for event, row in rows.items()}


def write_acceptances(conn: Connection, chain: int, agreements: Sequence[str]) -> None:
    """Write the first acceptance of each agreement, if there is one; LEDGER_DIFFERS unless it is the payee's."""
    a, e = schema.acceptance, schema.event
    conn.execute(delete(a).where(a.c.agreement.in_(agreements)))
    for agreement in agreements:
        order = (e.c.number, e.c.log_index)
        where = (e.c.chain == chain, e.c.subject == agreement, e.c.name == "Accepted")
        row = conn.execute(select(e).where(*where).order_by(*order).limit(1)).mappings().first()
        if row is not None:
            conn.execute(insert(a), _acceptance_row(conn, stored_event(row)))


def _amendments(folded: Folded) -> Iterator[StoredEvent]:
    """The Amended events of an agreement, each once."""
    found = {line.changed: None for _, line in sorted(folded.lines.items()) if isinstance(line.end, Amended)}
    yield from found


def _amendment_row(conn: Connection, folded: Folded, event: StoredEvent) -> dict[str, Any]:
    what = decode(event)
    assert isinstance(what, Amended)
    opened = _opened_by(conn, event, what)
    source, target = folded.agreement, opened.agreement
    if _who_and_what(source.terms) != _who_and_what(target.terms):
        raise differs(event, "an agreement of the same parties and token", f"that of {hex_of(what.target)}")
    moved = min(sum_of(source.milestones, what.closes), sum_of(target.milestones, what.opens))
    if what.moved != moved:
        raise differs(event, f"{moved} token units moved", str(what.moved))
    return {
        "target": hex_of(what.target),
        "source": event.subject,
        "chain": event.chain,
        "closes": hex(what.closes),
        "opens": hex(what.opens),
        "moved": str(what.moved),
        "executor": opened.funder.lower(),
        "tx_hash": event.tx_hash,
        "number": event.number,
        "block_hash": event.block_hash,
    }


def _opened_by(conn: Connection, event: StoredEvent, what: Amended) -> Funded:
    """How the other agreement began: by the same transaction, with just those milestones."""
    e = schema.event
    where = (e.c.chain == event.chain, e.c.subject == hex_of(what.target), e.c.name == "Funded")
    row = conn.execute(select(e).where(*where).order_by(e.c.number, e.c.log_index).limit(1)).mappings().first()
    began = decode(stored_event(row)) if row is not None else None
    if row is None or not isinstance(began, Funded) or row["tx_hash"] != event.tx_hash or began.mask != what.opens:
        raise differs(
            event, f"{hex_of(what.target)} to begin in its transaction, with {what.opens:#x}", "another start"
        )
    return began


def _who_and_what(terms: Terms) -> tuple[Address, Address, Address]:
    return terms.payer, terms.payee, terms.token


def _acceptance_row(conn: Connection, event: StoredEvent) -> dict[str, Any]:
    what = decode(event)
    assert isinstance(what, Accepted)
    terms = conn.execute(
        select(schema.agreement.c.terms).where(schema.agreement.c.id == event.subject)
    ).scalar_one_or_none()
    if terms is not None and agreement_in(terms).terms.payee != what.by:
        raise differs(event, f"the payee {agreement_in(terms).terms.payee}", what.by)
    return {
        "agreement": event.subject,
        "chain": event.chain,
        "by": what.by.lower(),
        "time": event.time,
        "tx_hash": event.tx_hash,
        "number": event.number,
        "block_hash": event.block_hash,
    }
