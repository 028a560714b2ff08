"""Which milestones are judged when, and the small machines around the loop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import relay_world as world
from hypothesis import given
from hypothesis import strategies as st

from keeper.attester.backoff import Backoff
from keeper.attester.case import Case, cases, membership, still, to_judge
from keeper.attester.workers import Workers
from keeper.ledger.model import MilestoneView
from keeper.protocol.types import MilestoneState, Status
from keeper.store.engine import Store, open_store

ME = world.MEMBERS[0].address


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "attester.db")
    world.fill(opened)
    yield opened
    opened.close()


def found(store: Store, address: str = ME) -> list[Case]:
    with store.read() as conn:
        return cases(conn, world.CHAIN, address, "safe")  # type: ignore[arg-type]


def view(store: Store) -> MilestoneView:
    with store.read() as conn:
        return world.view(conn)


def test_a_member_sees_each_milestone_of_its_quorum_and_what_it_would_sign_about(store: Store) -> None:
    submitted, funded = found(store)
    assert submitted.submitted
    assert submitted.deliverable == world.DELIVERABLE[:24] + bytes(8)
    assert not funded.submitted
    assert funded.deliverable == bytes(32)


def test_a_stranger_sees_nothing_and_is_in_no_quorum(store: Store) -> None:
    assert found(store, world.STRANGER.address) == []
    with store.read() as conn:
        assert membership(conn, world.STRANGER.address) == []
        assert membership(conn, ME) == [(world.VERIFIER, world.QUORUM)]


def test_a_submission_is_judged_until_the_last_second_of_its_review(store: Store) -> None:
    seen = view(store)
    end = seen.state.since + seen.terms.review_window
    assert to_judge(seen, seen.changed_number, end)
    assert not to_judge(seen, seen.changed_number, end + 1)


def test_a_submission_above_the_block_that_counts_waits(store: Store) -> None:
    seen = view(store)
    assert not to_judge(seen, seen.changed_number - 1, seen.state.since)


@pytest.mark.parametrize("status", [Status.ATTESTED, Status.DISPUTED])
def test_what_has_its_verdict_or_is_disputed_is_not_judged(store: Store, status: Status) -> None:
    with store.begin() as conn:
        world.stand(conn, MilestoneState(status, 0, world.START + 60, standing_bps=10_000))
    assert [case.subject.milestone for case in found(store)] == [1]


def test_a_closed_milestone_is_not_judged(store: Store) -> None:
    with store.begin() as conn:
        world.stand(conn, MilestoneState(Status.SUBMITTED, 0, world.START + 60, world.DELIVERABLE[:24]), is_open=False)
    assert [case.subject.milestone for case in found(store)] == [1]


def test_an_inquiry_about_a_state_that_has_passed_leads_to_nothing(store: Store) -> None:
    before = found(store)[0]
    with store.begin() as conn:
        world.submit(conn, world.OTHER, attempt=1)
    assert still(before, [before])
    assert not still(before, found(store))


@given(st.lists(st.sampled_from(["fail", "pass time"]), max_size=40))
def test_waiting_grows_and_stays_below_its_bound(steps: list[str]) -> None:
    now = [0.0]
    backoff = Backoff(1.0, 8.0, clock=lambda: now[0])
    last = 0.0
    for step in steps:
        if step == "pass time":
            now[0] += 8.0
            assert backoff.ready("x")
        else:
            wait = backoff.failed("x")
            assert last <= wait <= 8.0
            assert not backoff.ready("x")
            last = wait
    backoff.clear("x")
    assert backoff.ready("x")


def test_forgotten_keys_are_ready() -> None:
    backoff = Backoff(1.0, 8.0, clock=lambda: 0.0)
    backoff.failed("kept")
    backoff.failed("gone")
    backoff.keep_only({"kept"})
    assert backoff.ready("gone")
    assert not backoff.ready("kept")


def test_work_that_hangs_holds_up_nobody_and_is_not_started_twice() -> None:
    workers: Workers[str] = Workers(2)
    let_go = threading.Event()

    def hang() -> str:
        let_go.wait(30)
        return "slow"

    assert workers.start("slow", hang)
    assert not workers.start("slow", hang)
    assert workers.start("quick", lambda: "done")
    assert not workers.start("third", lambda: "no thread is free")
    (quick,) = workers.collect(wait_s=10)
    assert (quick.key, quick.result) == ("quick", "done")
    assert workers.start("quick", lambda: "again")
    let_go.set()
    ended = workers.collect(wait_s=10)
    while len(ended) < 2:
        ended += workers.collect(wait_s=10)
    assert {done.result for done in ended} == {"slow", "again"}


def test_work_that_fails_comes_back_with_its_error() -> None:
    workers: Workers[str] = Workers(1)
    workers.start("x", lambda: str(1 // 0))
    (done,) = workers.collect(wait_s=10)
    assert done.result is None
    assert isinstance(done.error, ZeroDivisionError)
    assert workers.free == 1
