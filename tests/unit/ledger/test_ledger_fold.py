"""Folding one agreement's events: what the protocol allows becomes a state, everything else is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from eth_utils import keccak
from fake_node import CHAIN, DOMAIN, FakeBlock, FakeNode, log_of
from story import (
    AT_ONCE,
    DISPUTABLE,
    PAYEE,
    PAYER,
    UNATTESTED,
    WORK,
    agree,
    amend,
    approve,
    attest,
    dispute,
    fund,
    id_of,
    must,
    new_node,
    rule,
    settle,
    submit,
    successor,
)

from keeper.errors import MilepostError
from keeper.ledger.events import Amended, Funded, Settled, StoredEvent, agreement_in, decode
from keeper.ledger.fold import Folded, fold
from keeper.protocol.due import NOTHING_DUE, due
from keeper.protocol.types import Agreement, Cause, MilestoneState, Status
from keeper.protocol.world import Event

ID = id_of(DISPUTABLE)


def stored(block: FakeBlock) -> list[StoredEvent]:
    return [
        StoredEvent(
            CHAIN, block.hash, i, block.number, block.time, block.tx_hash(i), log.address,
            log.event.name, log.topics[1], log.topics, log.data,
        )
        for i, log in enumerate(block.logs)
        if log.event
    ]  # fmt: skip


def told(node: FakeNode, agreement: Agreement = DISPUTABLE) -> list[StoredEvent]:
    """Every event of one agreement on the node's branch."""
    subject = "0x" + id_of(agreement).hex()
    return [event for block in node.canonical() for event in stored(block) if event.subject == subject]


def folded(events: Sequence[StoredEvent]) -> Folded:
    found = fold(DOMAIN, events)
    assert found
    return found


def lie(node: FakeNode, name: str, *args: object, after: int = 12) -> list[StoredEvent]:
    """The told events, and then one that the escrow would never emit."""
    node.mine([log_of(Event(name, (ID, *args)))], after=after)
    return told(node)


def refused(events: Sequence[StoredEvent]) -> str:
    with pytest.raises(MilepostError) as caught:
        fold(DOMAIN, events)
    assert caught.value.code == "LEDGER_DIFFERS"
    assert events[-1].name in caught.value.title
    assert events[-1].block_hash in caught.value.title
    return caught.value.cause


@pytest.fixture
def node() -> FakeNode:
    node = new_node()
    must(node, fund(DISPUTABLE, 0b011))
    return node


def test_nothing_folds_to_nothing() -> None:
    assert fold(DOMAIN, []) is None


def test_funding_shows_the_agreement_whole(node: FakeNode) -> None:
    found = folded(told(node))
    assert found.agreement == DISPUTABLE
    assert (found.funded, found.closed) == (0b011, 0)
    assert found.due(0) == due(DISPUTABLE.terms, DISPUTABLE.milestones[0], MilestoneState(Status.FUNDED, 0, 0))
    assert found.due(2) == NOTHING_DUE


def test_a_later_funding_extends_the_mask_and_leaves_the_first_event(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0), fund(DISPUTABLE, 0b100))
    found = folded(told(node))
    assert found.funded == 0b111
    assert found.lines[0].state.status is Status.SUBMITTED
    assert found.first.number == 1


def test_the_terms_in_raw_data_are_those_of_the_decoded_event(node: FakeNode) -> None:
    event = told(node)[0]
    what = decode(event)
    assert isinstance(what, Funded)
    assert agreement_in(event.data) == what.agreement == DISPUTABLE


def test_a_rejection_and_a_second_submission_are_told_apart(node: FakeNode) -> None:
    second = keccak(b"second")[:24] + bytes(8)
    must(node, submit(DISPUTABLE, 0), attest(DISPUTABLE, 0, 0), submit(DISPUTABLE, 0, second))
    state = folded(told(node)).lines[0].state
    assert state == MilestoneState(Status.SUBMITTED, 1, node.tip.time, second[:24])


def test_a_ruling_closes_with_its_share(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0), attest(DISPUTABLE, 0, 8000), dispute(DISPUTABLE, 0), rule(DISPUTABLE, 0, 4000))
    line = folded(told(node)).lines[0]
    assert isinstance(line.end, Settled)
    assert (line.end.cause, line.end.payee_bps, line.end.tip) == (Cause.RULED, 4000, 0)
    assert line.state.standing_bps == 8000


def test_an_award_without_a_challenge_window_settles_in_one_transaction() -> None:
    node = new_node()
    must(node, fund(AT_ONCE), submit(AT_ONCE, 0), attest(AT_ONCE, 0, 9000))
    line = folded(told(node, AT_ONCE)).lines[0]
    assert isinstance(line.end, Settled)
    assert line.end.cause is Cause.ATTESTED


def test_an_award_without_a_challenge_window_that_did_not_settle_is_refused() -> None:
    node = new_node()
    must(node, fund(AT_ONCE), submit(AT_ONCE, 0), attest(AT_ONCE, 0, 9000))
    assert "no Settled event" in refused(told(node, AT_ONCE)[:-1])


def test_without_a_verifier_a_dispute_stands_at_the_unruled_share() -> None:
    node = new_node()
    must(node, fund(UNATTESTED), submit(UNATTESTED, 1), dispute(UNATTESTED, 1, PAYEE))
    assert folded(told(node, UNATTESTED)).lines[1].state.standing_bps == 5000


def test_every_event_before_funding_is_refused(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0))
    assert "Funded first" in refused(told(node)[1:])


def test_terms_that_do_not_hash_to_the_id_are_refused(node: FakeNode) -> None:
    event = told(node)[0]
    assert "the hash 0x" in refused([replace(event, subject="0x" + "99" * 32)])


def test_funding_the_same_milestone_twice_is_refused(node: FakeNode) -> None:
    terms, milestones = DISPUTABLE.terms, DISPUTABLE.milestones
    events = lie(node, "Funded", terms.payer, terms.payee, PAYER, 0b010, terms, milestones)
    assert "funded once" in refused(events)


@pytest.mark.parametrize("mask", [0, 0b1000])
def test_a_mask_outside_of_the_schedule_is_refused(mask: int) -> None:
    node, terms = new_node(), DISPUTABLE.terms
    events = lie(node, "Funded", terms.payer, terms.payee, PAYER, mask, terms, DISPUTABLE.milestones)
    assert "inside the schedule" in refused(events)


def test_an_event_of_an_unfunded_milestone_is_refused(node: FakeNode) -> None:
    assert "never funded" in refused(lie(node, "Submitted", 2, 0, WORK))


def test_an_event_after_settlement_is_refused(node: FakeNode) -> None:
    must(node, approve(DISPUTABLE, 0))
    assert "ended before" in refused(lie(node, "Submitted", 0, 0, WORK))


def test_a_submission_of_another_attempt_is_refused(node: FakeNode) -> None:
    assert "attempt 0" in refused(lie(node, "Submitted", 0, 1, WORK))


def test_a_submission_whose_last_bytes_are_not_zero_is_refused(node: FakeNode) -> None:
    assert "24 bytes" in refused(lie(node, "Submitted", 0, 0, b"\x01" * 32))


def test_a_submission_after_its_time_is_refused(node: FakeNode) -> None:
    assert "a block of" in refused(lie(node, "Submitted", 0, 0, WORK, after=1000))


def test_a_verdict_on_another_deliverable_is_refused(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0))
    assert "deliverable" in refused(lie(node, "Attested", 0, 0, bytes(32), 5000))


def test_a_rejection_of_nothing_is_refused(node: FakeNode) -> None:
    assert "FUNDED" in refused(lie(node, "Rejected", 0, 0, bytes(32)))


def test_an_award_of_nothing_is_refused(node: FakeNode) -> None:
    assert "1 to 10000" in refused(lie(node, "Attested", 0, 0, bytes(32), 0))


def test_a_dispute_with_another_standing_share_is_refused(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0), attest(DISPUTABLE, 0, 8000))
    assert "standing share 8000" in refused(lie(node, "Disputed", 0, PAYER, 7999, b""))


def test_a_clock_settlement_before_its_time_is_refused(node: FakeNode) -> None:
    events = lie(node, "Settled", 0, Cause.LAPSED, 0, 0, 1000, 0, 0, PAYER)
    assert "settle from second" in refused(events)


def test_a_settlement_of_another_cause_than_the_state_allows_is_refused(node: FakeNode) -> None:
    events = lie(node, "Settled", 0, Cause.UNREVIEWED, 2500, 0, 1000, 0, 0, PAYER, after=2000)
    assert "cause LAPSED" in refused(events)


def test_a_settlement_that_pays_another_sum_is_refused(node: FakeNode) -> None:
    events = lie(node, "Settled", 0, Cause.APPROVED, 10_000, 991, 0, 9, 0, PAYER)
    assert "payout" in refused(events)


def test_a_split_closes_a_disputed_milestone_with_its_share_and_without_a_tip(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0), attest(DISPUTABLE, 0, 8000), dispute(DISPUTABLE, 0))
    must(node, agree(DISPUTABLE, 0, 5000, node.tip.time + 1))
    line = folded(told(node)).lines[0]
    assert isinstance(line.end, Settled)
    assert (line.end.cause, line.end.payee_bps, line.end.tip) == (Cause.AGREED, 5000, 0)
    assert line.state.status is Status.DISPUTED


def test_a_split_above_everything_is_refused(node: FakeNode) -> None:
    events = lie(node, "Settled", 0, Cause.AGREED, 10_001, 990, 0, 10, 0, PAYER)
    assert "share 10000" in refused(events)


def test_a_settlement_that_says_amended_is_refused(node: FakeNode) -> None:
    events = lie(node, "Settled", 0, Cause.AMENDED, 0, 0, 1000, 0, 0, PAYER)
    assert "pays out" in refused(events)


def test_an_amendment_ends_what_it_closes_and_leaves_the_rest(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0), submit(DISPUTABLE, 1))
    target = successor(DISPUTABLE, node.tip.time)
    must(node, amend(DISPUTABLE, target, 0b001, 0b110, node.tip.time + 1))
    before, after = folded(told(node)), folded(told(node, target))
    assert (before.funded, before.closed) == (0b011, 0b001)
    assert before.lines[0].end == Amended(id_of(target), 0b001, 0b110, 1000)
    assert before.lines[0].state.status is Status.SUBMITTED
    assert before.due(0) == NOTHING_DUE
    assert (after.funded, after.closed) == (0b110, 0)


@pytest.mark.parametrize("closes", [0, 0b100, 0b011, 1 << 63])
def test_an_amendment_of_what_is_not_open_is_refused(node: FakeNode, closes: int) -> None:
    must(node, approve(DISPUTABLE, 1))
    assert "open milestones" in refused(lie(node, "Amended", b"\x09" * 32, closes, 1, 1))


def test_an_amendment_that_moves_more_than_was_there_is_refused(node: FakeNode) -> None:
    assert "at most" in refused(lie(node, "Amended", b"\x09" * 32, 0b001, 1, 1001))


def test_an_amendment_of_a_verdict_that_pays_at_once_is_refused() -> None:
    node = new_node()
    must(node, fund(AT_ONCE), submit(AT_ONCE, 0), attest(AT_ONCE, 0, 9000))
    verdict = told(node, AT_ONCE)[:-1]
    amended = log_of(Event("Amended", (id_of(AT_ONCE), b"\x09" * 32, 0b001, 1, 1)))
    node.mine([amended])
    assert "verdict" in refused([*verdict, *stored(node.tip)])


def test_an_event_after_an_amendment_is_refused(node: FakeNode) -> None:
    must(node, amend(DISPUTABLE, successor(DISPUTABLE, node.tip.time), 0b001, 1, node.tip.time + 1))
    assert "ended before" in refused(lie(node, "Submitted", 0, 0, WORK))


def test_acceptances_are_no_steps_of_an_agreement(node: FakeNode) -> None:
    assert "an event of an agreement" in refused(lie(node, "Accepted", PAYEE))


def test_an_event_with_damaged_data_is_named(node: FakeNode) -> None:
    event = told(node)[0]
    assert "arguments" in refused([replace(event, data=event.data[:-64])])


def test_an_event_of_another_name_than_its_topic_is_named(node: FakeNode) -> None:
    event = told(node)[0]
    with pytest.raises(MilepostError, match="Submitted of 0x"):
        fold(DOMAIN, [replace(event, name="Submitted")])


def test_a_long_life_settles_by_its_clock(node: FakeNode) -> None:
    must(node, submit(DISPUTABLE, 0))
    must(node, settle(DISPUTABLE, 0), after=200)
    line = folded(told(node)).lines[0]
    assert isinstance(line.end, Settled)
    assert (line.end.cause, line.end.payee_bps) == (Cause.UNREVIEWED, 2500)
