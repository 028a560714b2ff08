"""Amendments tie two agreements, acceptances may come first: what the database says of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dumps import assert_shows, dump
from fake_node import DEPLOYMENT, FakeNode, Log, log_of
from story import (
    DISPUTABLE,
    KEEPER,
    PAYEE,
    PAYER,
    accept,
    amend,
    approve,
    fund,
    id_of,
    must,
    new_node,
    submit,
    successor,
)

from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.ledger.follow import Follower
from keeper.ledger.rebuild import rebuild
from keeper.protocol.model import step
from keeper.protocol.types import Agreement, Cause
from keeper.protocol.world import Ctx, Event, Outcome
from keeper.store import schema
from keeper.store.engine import Store, open_store


@pytest.fixture
def node() -> FakeNode:
    node = new_node()
    must(node, fund(DISPUTABLE, 0b011))
    return node


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "m.db")
    yield store
    store.close()


@pytest.fixture
def target(node: FakeNode) -> Agreement:
    return successor(DISPUTABLE, node.tip.time, 7)


def follow(node: FakeNode, store: Store) -> None:
    Follower(node.rpc(), store, DEPLOYMENT, finality=3).follow()


def seen(store: Store, agreement: Agreement) -> views.AgreementView:
    with store.read() as conn:
        found = views.agreement_view(conn, id_of(agreement))
    assert found
    return found


def test_an_amendment_is_seen_from_both_agreements(node: FakeNode, store: Store, target: Agreement) -> None:
    must(node, amend(DISPUTABLE, target, 0b011, 0b001, node.tip.time + 1, by=PAYER))
    follow(node, store)

    source, opened = seen(store, DISPUTABLE), seen(store, target)

    assert source.amendments == (opened.opened_by,)
    assert opened.opened_by
    assert (opened.opened_by.closes, opened.opened_by.opens, opened.opened_by.moved) == (0b011, 0b001, 1007)
    assert (source.went_to(0), source.went_to(2)) == (opened.id, None)
    settlement = source.settlements[1]
    assert (settlement.cause, settlement.to_payee, settlement.to_payer) == (Cause.AMENDED, 0, 0)
    assert settlement.executor == PAYER
    assert (opened.funded, opened.amendments) == (0b001, ())
    assert_shows(store, node)


def test_what_an_amendment_opened_lives_and_moves_on(node: FakeNode, store: Store, target: Agreement) -> None:
    must(node, amend(DISPUTABLE, target, 0b001, 0b011, node.tip.time + 1))
    must(node, submit(target, 0), approve(target, 1))
    must(node, amend(target, successor(target, node.tip.time), 0b001, 0b100, node.tip.time + 1))
    must(node, amend(DISPUTABLE, successor(DISPUTABLE, node.tip.time, 9), 0b010, 0b111, node.tip.time + 1))
    follow(node, store)

    assert_shows(store, node)
    before = dump(store, schema.CACHE)
    rebuild(store)
    assert dump(store, schema.CACHE) == before


def test_a_reorganisation_takes_an_amendment_back_on_both_sides(
    node: FakeNode, store: Store, target: Agreement
) -> None:
    must(node, amend(DISPUTABLE, target, 0b001, 0b001, node.tip.time + 1))
    follow(node, store)

    node.drop(1)
    must(node, submit(DISPUTABLE, 0), amend(DISPUTABLE, target, 0b010, 0b010, node.tip.time + 13))
    follow(node, store)

    assert seen(store, target).funded == 0b010
    assert_shows(store, node)


def _lied(node: FakeNode, target: Agreement, change: str) -> list[Log]:
    """The two logs of an amendment, one of them changed, or the first left out."""
    caller, call = amend(DISPUTABLE, target, 0b001, 0b001, node.tip.time)
    outcome = step(node.tip.world, Ctx(caller, node.tip.time + 12), call)
    assert isinstance(outcome, Outcome)
    funded, amended = outcome.events
    source, opened, closes, opens, moved = amended.args
    logs = {
        "none opened": [amended],
        "others opened": [funded, Event("Amended", (source, opened, closes, 0b010, moved))],
        "less moved": [funded, Event("Amended", (source, opened, closes, opens, 999))],
        "another agreement named": [funded, Event("Amended", (source, b"\x05" * 32, closes, opens, moved))],
    }
    return [log_of(event) for event in logs[change]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("none opened", "to begin in its transaction"),
        ("others opened", "to begin in its transaction, with 0x2"),
        ("less moved", "1000 token units moved"),
        ("another agreement named", "to begin in its transaction"),
    ],
)
def test_an_amendment_that_its_other_agreement_contradicts_is_refused(
    node: FakeNode, store: Store, target: Agreement, change: str, expected: str
) -> None:
    node.mine(_lied(node, target, change))

    with pytest.raises(MilepostError) as caught:
        follow(node, store)
    assert caught.value.code == "LEDGER_DIFFERS"
    assert expected in caught.value.cause


def test_an_amendment_to_what_was_there_before_is_refused(node: FakeNode, store: Store, target: Agreement) -> None:
    lie = _lied(node, target, "less moved")
    must(node, fund(target, 0b010))
    node.mine(lie)

    with pytest.raises(MilepostError, match="to begin in its transaction"):
        follow(node, store)


def test_an_amendment_to_other_parties_is_refused(node: FakeNode, store: Store, target: Agreement) -> None:
    others = Agreement(replace(target.terms, payee=KEEPER), target.milestones)
    funded = Event("Funded", (id_of(others), PAYER, KEEPER, PAYER, 0b001, others.terms, others.milestones))
    amended = Event("Amended", (id_of(DISPUTABLE), id_of(others), 0b001, 0b001, 1000))
    node.mine([log_of(funded), log_of(amended)])

    with pytest.raises(MilepostError, match="the same parties"):
        follow(node, store)


def test_the_first_acceptance_is_kept_from_before_the_funding_and_after_any_number(
    node: FakeNode, store: Store, target: Agreement
) -> None:
    must(node, accept(target))
    first = node.tip
    follow(node, store)
    with store.read() as conn:
        early = views.acceptance_of(conn, id_of(target))
        assert views.agreement_view(conn, id_of(target)) is None
    assert early
    assert (early.by, early.time, early.number) == (PAYEE, first.time, first.number)

    must(node, accept(target), fund(target), accept(target))
    follow(node, store)

    assert seen(store, target).accepted == early
    assert_shows(store, node)


def test_an_acceptance_that_a_reorganisation_removed_is_gone(node: FakeNode, store: Store) -> None:
    must(node, accept(DISPUTABLE))
    follow(node, store)
    assert seen(store, DISPUTABLE).accepted

    node.drop(1)
    node.mine()
    node.mine()
    follow(node, store)

    assert seen(store, DISPUTABLE).accepted is None


@pytest.mark.parametrize("funded_first", [True, False])
def test_an_acceptance_by_somebody_else_is_refused(
    node: FakeNode, store: Store, target: Agreement, funded_first: bool
) -> None:
    if funded_first:
        must(node, fund(target))
    node.mine([log_of(Event("Accepted", (id_of(target), KEEPER)))])
    if not funded_first:
        follow(node, store)
        must(node, fund(target))

    with pytest.raises(MilepostError, match="the payee"):
        follow(node, store)
