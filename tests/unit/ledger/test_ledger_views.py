"""What the queries answer, and that they find it by index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_node import DEPLOYMENT, VERIFIER, FakeNode
from sqlalchemy import event as sqlalchemy_event
from story import (
    AGREEMENTS,
    AT_ONCE,
    DISPUTABLE,
    QUORUM,
    UNATTESTED,
    announced,
    approve,
    fund,
    id_of,
    mine,
    must,
    new_node,
    submit,
)

from keeper.ledger import views
from keeper.ledger.follow import Follower
from keeper.protocol.due import NOTHING_DUE
from keeper.store.engine import Store, open_store


@pytest.fixture
def node() -> FakeNode:
    node = new_node()
    mine(node, extra=(announced(),))
    must(node, fund(DISPUTABLE, 0b011), fund(AT_ONCE, 0b001), fund(UNATTESTED, 0b111))
    must(node, submit(DISPUTABLE, 0), approve(UNATTESTED, 1))
    return node


@pytest.fixture
def store(node: FakeNode, tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "m.db")
    Follower(node.rpc(), store, DEPLOYMENT, finality=2).follow()
    yield store
    store.close()


def test_an_empty_ledger_answers_with_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "empty.db").read() as conn:
        assert views.place(conn) is None
        assert views.head(conn) is None
        assert views.agreement_view(conn, bytes(32)) is None
        assert views.milestone_view(conn, bytes(32), 0) is None
        assert views.due_before(conn, 2**40) == []
        assert views.quorum_of(conn, VERIFIER, bytes(32)) is None
        assert views.events_of(conn, bytes(32)) == []


def test_agreements_come_in_the_order_of_their_funding(store: Store) -> None:
    with store.read() as conn:
        assert [view.id for view in views.list_agreements(conn)] == [id_of(a) for a in AGREEMENTS]
        assert [view.id for view in views.list_agreements(conn, limit=1, after=1)] == [id_of(AT_ONCE)]


def test_an_agreement_shows_unfunded_milestones_too(store: Store) -> None:
    with store.read() as conn:
        view = views.agreement_view(conn, id_of(DISPUTABLE))
    assert view
    assert [(m.index, m.funded, m.open) for m in view.milestones] == [
        (0, True, True),
        (1, True, True),
        (2, False, False),
    ]
    assert view.milestones[2].due == NOTHING_DUE
    assert view.milestones[1].part == DISPUTABLE.part(1)
    assert view.milestones[0].changed_number == 5


def test_a_milestone_outside_of_the_schedule_is_unknown(store: Store) -> None:
    with store.read() as conn:
        assert views.milestone_view(conn, id_of(DISPUTABLE), 3) is None
        assert views.milestone_view(conn, id_of(DISPUTABLE), -1) is None


def test_what_is_due_comes_by_its_time_and_without_what_settled(store: Store) -> None:
    with store.read() as conn:
        everything = views.due_before(conn, 2**40)
        times = [view.due.ready_at for view in everything]
        assert times == sorted(times)
        assert len(everything) == 5
        assert views.due_before(conn, times[0] - 1) == []
        assert [view.due.ready_at for view in views.due_before(conn, times[0])] == [times[0]]
        assert len(views.due_before(conn, 2**40, limit=2)) == 2


def test_what_is_due_can_be_walked_to_its_end(store: Store) -> None:
    with store.read() as conn:
        everything = views.due_before(conn, 2**40)
        for place, view in enumerate(everything):
            assert views.due_before(conn, 2**40, after=view) == everything[place + 1 :]


def test_open_milestones_with_a_quorum_can_be_asked_for_by_quorum(store: Store) -> None:
    with store.read() as conn:
        found = views.open_with_verifier(conn)
        assert [(view.agreement, view.index) for view in found] == [
            (id_of(DISPUTABLE), 0),
            (id_of(DISPUTABLE), 1),
            (id_of(AT_ONCE), 0),
        ]
        assert views.open_with_verifier(conn, [QUORUM.hash]) == found
        assert views.open_with_verifier(conn, [bytes(32)]) == []


def test_quorums_are_found_under_their_verifier_only(store: Store) -> None:
    with store.read() as conn:
        assert views.quorums(conn) == [(VERIFIER, QUORUM)]
        assert views.quorum_of(conn, VERIFIER, QUORUM.hash) == QUORUM
        assert views.quorum_of(conn, DISPUTABLE.terms.payer, QUORUM.hash) is None


def test_hot_queries_scan_no_table(store: Store) -> None:
    statements: list[tuple[str, Any]] = []
    with store.read() as conn:
        sqlalchemy_event.listen(conn, "before_cursor_execute", lambda *a: statements.append((a[2], a[3])))
        (first, *_) = views.due_before(conn, 2**40)
        views.due_before(conn, 2**40, after=first)
        views.agreement_view(conn, id_of(DISPUTABLE))
        views.events_of(conn, id_of(DISPUTABLE))
        views.quorum_of(conn, VERIFIER, QUORUM.hash)
        views.settlement_of(conn, id_of(DISPUTABLE), 0)
        plans = [
            row[-1]
            for sql, parameters in list(statements)
            for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
        ]
    assert any("milestone_due" in plan for plan in plans)
    assert not [plan for plan in plans if plan.startswith("SCAN") and "cursor" not in plan]
