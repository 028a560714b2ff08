"""Committing a step: blocks, events, projections and cursor move in the caller's one transaction, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, exists, insert, select

from keeper.chain.abi import contract
from keeper.chain.blocks import Header
from keeper.chain.logs import RawLog
from keeper.errors import MilepostError
from keeper.ledger.events import SOURCE
from keeper.ledger.project import refold
from keeper.ledger.route import Route, Standing
from keeper.protocol.types import Address
from keeper.store.schema import block, cursor, event


@dataclass(frozen=True, slots=True)
class Tips:
    """What the chain calls safe and final, as asked before the route was read."""

    safe: Header
    finalized: Header


@dataclass(frozen=True, slots=True)
class Done:
    """What was committed. `moved` is False when another process had moved the cursor, and nothing was done."""

    head: Header
    finalized: int
    removed: int
    events: int
    moved: bool


def standing(conn: Connection, chain: int, escrow: Address) -> Standing | None:
    """Where the ledger stands; None before its first step."""
    row = _cursor(conn, chain, escrow)
    if row is None:
        return None
    found = conn.execute(
        select(block.c.number, block.c.hash, block.c.parent)
        .where(block.c.chain == chain, block.c.number >= row["finalized_number"])
        .order_by(block.c.number)
    ).all()
    parent = next(b.parent for b in found if b.hash == row["hash"])
    head = Header(row["number"], row["hash"], parent, row["time"])
    return Standing(head, row["finalized_number"], {b.number: b.hash for b in found})


def advance(
    conn: Connection,
    chain: int,
    escrow: Address,
    sources: Mapping[str, str],
    at: Standing,
    route: Route,
    tips: Tips,
) -> Done:
    """Carry out a route that was found from `at`. `sources` tells which contract stands at which followed address.

    LEDGER_DIFFERS when an event is unknown or does not fit; the caller's transaction must then roll back.
    """
    before = _cursor(conn, chain, escrow)
    if before is not None and before["hash"] != at.head.hash:
        now = standing(conn, chain, escrow) or at
        return Done(now.head, now.finalized, 0, 0, moved=False)
    if before is None:
        _insert_block(conn, chain, at.head)
    touched, removed = _take_back(conn, chain, route.ancestor, at)
    for header in route.blocks:
        _insert_block(conn, chain, header)
    touched |= _insert_events(conn, chain, sources, route)
    refold(conn, chain, escrow, touched)
    head = route.blocks[-1] if route.blocks else at.head
    finalized = _finalized(conn, chain, at, head, route, tips)
    _prune(conn, chain, at.finalized, finalized[0])
    safe = _held_number(conn, chain, tips.safe, head)
    _move_cursor(conn, chain, escrow, head, max(safe or 0, finalized[0]), finalized)
    return Done(head, finalized[0], removed, len(route.logs), moved=True)


def _cursor(conn: Connection, chain: int, escrow: Address) -> RowMapping | None:
    where = (cursor.c.chain == chain, cursor.c.escrow == escrow.lower())
    return conn.execute(select(cursor).where(*where)).mappings().first()


def _take_back(conn: Connection, chain: int, ancestor: int, at: Standing) -> tuple[set[tuple[str, str]], int]:
    """Remove what hangs above the ancestor; returns what it touched, and how many blocks went."""
    if ancestor >= at.head.number:
        return set(), 0
    lost = (event.c.chain == chain, event.c.number > ancestor)
    touched = {(row.name, row.subject) for row in conn.execute(select(event.c.name, event.c.subject).where(*lost))}
    conn.execute(delete(event).where(*lost))
    gone = conn.execute(delete(block).where(block.c.chain == chain, block.c.number > ancestor))
    return touched, gone.rowcount


def _insert_block(conn: Connection, chain: int, header: Header) -> None:
    row = {"hash": header.hash, "chain": chain, "number": header.number, "parent": header.parent, "time": header.time}
    conn.execute(insert(block), row)


def _insert_events(conn: Connection, chain: int, sources: Mapping[str, str], route: Route) -> set[tuple[str, str]]:
    times = {header.hash: header.time for header in route.blocks}
    rows = [_event_row(chain, sources[log.address], log, times[log.block_hash]) for log in route.logs]
    if rows:
        conn.execute(insert(event), rows)
    return {(row["name"], row["subject"]) for row in rows}


def _event_row(chain: int, source: str, log: RawLog, time: int) -> dict[str, Any]:
    topic = log.topics[0] if log.topics else "0x"
    name = next((e.name for e in contract(source).events.values() if e.topic.hex() == topic[2:]), "")
    if SOURCE.get(name) != source or len(log.topics) < 2:
        raise MilepostError(
            "LEDGER_DIFFERS",
            f"{source} {log.address} emitted an event that this version does not know",
            cause=f"expected an event of its ABI, found topic {topic} in block {log.number} (log {log.log_index})",
            hint="update Milepost, or check the addresses in the deployment file",
        )
    return {
        "chain": chain,
        "block_hash": log.block_hash,
        "log_index": log.log_index,
        "number": log.number,
        "time": time,
        "tx_hash": log.tx_hash,
        "address": log.address,
        "name": name,
        "subject": log.topics[1],
        "topics": list(log.topics),
        "data": log.data,
    }


def _finalized(conn: Connection, chain: int, at: Standing, head: Header, route: Route, tips: Tips) -> tuple[int, str]:
    """The newest block that is both ours and final; it never moves back."""
    if route.all_final:
        return head.number, head.hash
    number = _held_number(conn, chain, tips.finalized, head)
    if number is None or number <= at.finalized:
        return at.finalized, at.held[at.finalized]
    return number, tips.finalized.hash


def _held_number(conn: Connection, chain: int, tip: Header, head: Header) -> int | None:
    """The tip's number if it is one of our blocks: a tip above our head, or of another branch, says nothing here."""
    where = (block.c.chain == chain, block.c.hash == tip.hash, block.c.number <= head.number)
    return conn.execute(select(block.c.number).where(*where)).scalar()


def _prune(conn: Connection, chain: int, old: int, new: int) -> None:
    """Below the finalized block only blocks with events stay: nothing walks back beyond it."""
    with_events = exists().where(event.c.chain == chain, event.c.block_hash == block.c.hash)
    below = (block.c.chain == chain, block.c.number >= old, block.c.number < new)
    conn.execute(delete(block).where(*below, ~with_events))


def _move_cursor(
    conn: Connection, chain: int, escrow: Address, head: Header, safe: int, finalized: tuple[int, str]
) -> None:
    conn.execute(delete(cursor).where(cursor.c.chain == chain, cursor.c.escrow == escrow.lower()))
    row = {
        "chain": chain,
        "escrow": escrow.lower(),
        "number": head.number,
        "hash": head.hash,
        "time": head.time,
        "safe_number": safe,
        "finalized_number": finalized[0],
        "finalized_hash": finalized[1],
    }
    conn.execute(insert(cursor), row)
