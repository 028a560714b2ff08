"""What stands in the database, and what the fake chain says should stand there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

from fake_node import CHAIN, FakeNode
from sqlalchemy import select

from keeper.ledger import views
from keeper.protocol.due import NOTHING_DUE, due
from keeper.protocol.types import UNTOUCHED, Cause
from keeper.store import schema
from keeper.store.engine import Store

FOLDED = (
    schema.event,
    schema.agreement,
    schema.milestone,
    schema.settlement,
    schema.amendment,
    schema.acceptance,
    schema.quorum,
)
SETTLED = (
    "cause",
    "payee_bps",
    "to_payee",
    "to_payer",
    "fee",
    "tip",
    "executor",
    "tx_hash",
    "number",
    "block_hash",
)


def dump(store: Store, tables: tuple[Any, ...] = FOLDED) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables, ordered by primary key."""
    with store.read() as conn:
        return {
            table.name: [tuple(row) for row in conn.execute(select(table).order_by(*table.primary_key.columns))]
            for table in tables
        }


def assert_shows(store: Store, node: FakeNode) -> None:
    """The ledger holds exactly the logs of the shown branch, and says of every agreement what the model says."""
    line = node.canonical()
    with store.read() as conn:
        at = views.head(conn)
        assert at
        assert (at.number, at.hash, at.parent, at.time) == (
            line[-1].number,
            line[-1].hash,
            line[-1].parent,
            line[-1].time,
        )
        _assert_events(conn, line)
        world = line[-1].world
        shown = {view.id: view for view in views.list_agreements(conn)}
        assert set(shown) == set(world.agreements)
        for id_, want in world.agreements.items():
            view = shown[id_]
            assert (view.agreement, view.funded, view.closed) == (want.agreement, want.funded, want.closed)
            for milestone in view.milestones:
                state = want.open_state(milestone.index)
                assert milestone.open == (state is not None)
                assert milestone.due == due(want.agreement.terms, want.agreement.milestones[milestone.index], state)
                if state:
                    assert milestone.state == state
                elif not milestone.funded:
                    assert (milestone.state, milestone.due) == (UNTOUCHED, NOTHING_DUE)
        _assert_settlements(shown, line)
        _assert_amendments(shown, line)
        _assert_acceptances(conn, shown, line)
        announced = {
            log.topics[1] for block in line for log in block.logs if log.event and log.event.name == "Announced"
        }
        assert {"0x" + quorum.hash.hex() for _, quorum in views.quorums(conn)} == announced


def _assert_events(conn: Any, line: list[Any]) -> None:
    e = schema.event
    query = select(e.c.chain, e.c.block_hash, e.c.log_index, e.c.number, e.c.time, e.c.tx_hash, e.c.topics, e.c.data)
    have = {tuple(map(str, row)) for row in conn.execute(query)}
    want = {
        tuple(map(str, (CHAIN, b.hash, i, b.number, b.time, b.tx_hash(i), list(log.topics), log.data)))
        for b in line
        for i, log in enumerate(b.logs)
        if log.event
    }
    assert have == want


def _assert_settlements(shown: dict[bytes, Any], line: list[Any]) -> None:
    want = {}
    for block, i, event in _told(line):
        where = (block.tx_hash(i), block.number, block.hash)
        if event.name == "Settled":
            id_, index, *facts = event.args
            want[id_, index] = (*facts, *where)
        if event.name == "Amended":
            source, _, closes, _, _ = event.args
            sender = block.logs[i - 1].event.args[3]
            ended = (Cause.AMENDED, 0, 0, 0, 0, 0, sender, *where)
            want |= {(source, index): ended for index in range(64) if closes >> index & 1}
    have = {
        (view.id, s.index): tuple(getattr(s, name) for name in SETTLED)
        for view in shown.values()
        for s in view.settlements.values()
    }
    assert have == want


def _assert_amendments(shown: dict[bytes, Any], line: list[Any]) -> None:
    """Seen from either agreement, and from each milestone that went."""
    want = {
        (*event.args, block.logs[i - 1].event.args[3], block.tx_hash(i), block.number, block.hash)
        for block, i, event in _told(line)
        if event.name == "Amended"
    }
    assert {astuple(a) for view in shown.values() for a in view.amendments} == want
    assert {astuple(view.opened_by) for view in shown.values() if view.opened_by} == want
    for source, target, closes, *_ in want:
        went = {i for i in range(64) if shown[source].went_to(i) == target}
        assert went == {i for i in range(64) if closes >> i & 1}


def _assert_acceptances(conn: Any, shown: dict[bytes, Any], line: list[Any]) -> None:
    """The first of each agreement, funded or not."""
    want: dict[bytes, Any] = {}
    for block, i, event in _told(line):
        if event.name == "Accepted":
            want.setdefault(event.args[0], (*event.args, block.time, block.tx_hash(i), block.number, block.hash))
    have = {row.agreement for row in conn.execute(select(schema.acceptance)).all()}
    assert have == {"0x" + id_.hex() for id_ in want}
    for id_, first in want.items():
        accepted = views.acceptance_of(conn, id_)
        assert accepted
        assert astuple(accepted) == first
    assert all(
        astuple(view.accepted) == want[view.id] if view.accepted else view.id not in want for view in shown.values()
    )


def _told(line: list[Any]) -> Iterator[tuple[Any, int, Any]]:
    for block in line:
        yield from ((block, i, log.event) for i, log in enumerate(block.logs) if log.event)
