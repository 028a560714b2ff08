"""Writing what the events fold to: each touched agreement and quorum whole, from its events.

A repair after a reorg is nothing else: lost events are deleted, what they touched is folded again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from keeper.errors import MilepostError
from keeper.ledger.consents import write_acceptances, write_amendments
from keeper.ledger.events import OF_AGREEMENT, Announced, Settled, StoredEvent, decode, differs
from keeper.ledger.fold import Folded, fold
from keeper.ledger.rows import hex_of, stored_event
from keeper.protocol.encoding import escrow_domain
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import Address, Cause
from keeper.store import schema

_CHUNK = 500
"""SQLite bounds the parameters of one statement."""


def refold(conn: Connection, chain: int, escrow: Address, touched: Iterable[tuple[str, str]]) -> None:
    """Fold again whatever these (event name, subject) pairs belong to, and replace its rows.

    LEDGER_DIFFERS when events do not fit together; the caller's transaction must then roll back.
    """
    touched = list(touched)
    agreements = {subject for name, subject in touched if name in OF_AGREEMENT}
    accepted = {subject for name, subject in touched if name in ("Accepted", "Funded")}
    quorums = {subject for name, subject in touched if name == "Announced"}
    for ids in _chunks(agreements):  # all of them first: another branch may open the same agreement from another
        conn.execute(delete(schema.amendment).where(schema.amendment.c.source.in_(ids)))
    for ids in _chunks(agreements):
        _refold_agreements(conn, chain, escrow, ids)
    for ids in _chunks(accepted):
        write_acceptances(conn, chain, ids)
    for hashes in _chunks(quorums):
        _refold_quorums(conn, chain, hashes)


def _chunks(subjects: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(subjects)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def _refold_agreements(conn: Connection, chain: int, escrow: Address, ids: list[str]) -> None:
    domain = escrow_domain(chain, escrow)
    folds = [found for _, events in _events(conn, chain, ids, OF_AGREEMENT) if (found := fold(domain, events))]
    conn.execute(delete(schema.agreement).where(schema.agreement.c.id.in_(ids)))
    for table in (schema.milestone, schema.settlement):
        conn.execute(delete(table).where(table.c.agreement.in_(ids)))
    amended_by = write_amendments(conn, folds)
    _insert(conn, schema.agreement, [_agreement_row(f) for f in folds])
    _insert(conn, schema.milestone, [row for f in folds for row in _milestone_rows(f)])
    _insert(conn, schema.settlement, [row for f in folds for row in _settlement_rows(f, amended_by)])


def _refold_quorums(conn: Connection, chain: int, hashes: list[str]) -> None:
    q = schema.quorum
    conn.execute(delete(q).where(q.c.chain == chain, q.c.hash.in_(hashes)))
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for subject, events in _events(conn, chain, hashes, {"Announced"}):
        for event in events:
            if event.name == "Announced":
                rows[event.address, subject] = _quorum_row(event)
    _insert(conn, q, list(rows.values()))


def _events(
    conn: Connection, chain: int, subjects: list[str], names: Collection[str]
) -> Iterator[tuple[str, list[StoredEvent]]]:
    """The events with these names of each subject, in the order of the chain."""
    e = schema.event
    query = select(e).where(e.c.chain == chain, e.c.subject.in_(subjects), e.c.name.in_(sorted(names)))
    found: dict[str, list[StoredEvent]] = {}
    for row in conn.execute(query.order_by(e.c.subject, e.c.number, e.c.log_index)).mappings():
        found.setdefault(row["subject"], []).append(stored_event(row))
    yield from found.items()


def _insert(conn: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        conn.execute(insert(table), rows)


def _agreement_row(folded: Folded) -> dict[str, Any]:
    first, terms = folded.first, folded.agreement.terms
    return {
        "id": first.subject,
        "chain": first.chain,
        "escrow": first.address,
        "payer": terms.payer.lower(),
        "payee": terms.payee.lower(),
        "token": terms.token.lower(),
        "verifier": terms.verifier.lower(),
        "quorum": hex_of(terms.quorum),
        "arbiter": terms.arbiter.lower(),
        "terms": first.data,
        "funded": hex(folded.funded),
        "closed": hex(folded.closed),
        "block_number": first.number,
    }


def _milestone_rows(folded: Folded) -> Iterator[dict[str, Any]]:
    for index, line in sorted(folded.lines.items()):
        yield {
            "agreement": folded.first.subject,
            "index": index,
            "chain": folded.first.chain,
            "open": line.end is None,
            "status": line.state.status.value,
            "attempt": line.state.attempt,
            "since": line.state.since,
            "deliverable": hex_of(line.state.deliverable24),
            "standing_bps": line.state.standing_bps,
            "due_at": folded.due(index).ready_at,
            "changed_number": line.changed.number,
            "changed_hash": line.changed.block_hash,
        }


def _settlement_rows(folded: Folded, amended_by: Mapping[StoredEvent, Address]) -> Iterator[dict[str, Any]]:
    for index, line in sorted(folded.lines.items()):
        if line.end is None:
            continue
        yield {
            "agreement": folded.first.subject,
            "index": index,
            "chain": folded.first.chain,
            **(_paid(line.end) if isinstance(line.end, Settled) else _moved(amended_by[line.changed])),
            "tx_hash": line.changed.tx_hash,
            "number": line.changed.number,
            "block_hash": line.changed.block_hash,
        }


def _paid(end: Settled) -> dict[str, Any]:
    return {
        "cause": end.cause.value,
        "payee_bps": end.payee_bps,
        "to_payee": str(end.to_payee),
        "to_payer": str(end.to_payer),
        "fee": str(end.fee),
        "tip": str(end.tip),
        "executor": end.executor.lower(),
    }


def _moved(sender: Address) -> dict[str, Any]:
    """What went to another agreement has paid nobody here."""
    paid = dict.fromkeys(("to_payee", "to_payer", "fee", "tip"), "0")
    return {"cause": Cause.AMENDED.value, "payee_bps": 0, **paid, "executor": sender.lower()}


def _quorum_row(event: StoredEvent) -> dict[str, Any]:
    what = decode(event)
    if not isinstance(what, Announced):
        raise differs(event, "Announced", event.name)
    try:
        found = Quorum(what.m, what.members).hash
    except MilepostError as error:
        raise differs(event, "a quorum that keeps the verifier's rules", error.cause) from error
    if found != what.quorum:
        raise differs(event, "members that hash to the quorum", hex_of(found))
    return {
        "hash": event.subject,
        "verifier": event.address,
        "chain": event.chain,
        "threshold": what.m,
        "members": [member.lower() for member in what.members],
    }
