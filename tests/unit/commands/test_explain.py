"""The one explanation: every state has a sentence, a first unmet condition, and an outcome if nobody acts."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.commands.explain import Facts, Settled, explain, right_sentence
from keeper.commands.rights import holders, rights, roles_of
from keeper.commands.words import Currency
from keeper.protocol.due import due
from keeper.protocol.machine import Action, Who, available, may, transition
from keeper.protocol.types import (
    UNTOUCHED,
    ZERO_ADDRESS,
    Address,
    Cause,
    Milestone,
    MilestoneState,
    Status,
    Terms,
)

PAYER, PAYEE, ARBITER = (Address(f"0x{digit * 40}") for digit in "123")
CURRENCY = Currency("PLAY", 6, "0x" + "99" * 20)
REVIEW, CHALLENGE, RULING, SUBMIT_BY = 300, 200, 700, 10_000
MILESTONE = Milestone(1_000_000_000, SUBMIT_BY, bytes(32))


def terms(*, verifier: bool = True, arbiter: bool = True) -> Terms:
    return Terms(
        payer=PAYER,
        payee=PAYEE,
        token=Address(CURRENCY.token),
        verifier=Address("0x" + "44" * 20) if verifier else ZERO_ADDRESS,
        quorum=b"\1" * 32 if verifier else bytes(32),
        arbiter=ARBITER if arbiter else ZERO_ADDRESS,
        arbiter_hook=False,
        review_window=REVIEW,
        challenge_window=CHALLENGE if verifier and arbiter else 0,
        ruling_window=RULING if arbiter else 0,
        unreviewed_bps=2_500 if arbiter else 0,
        unruled_bps=0,
        fee_bps=0,
        fee_to=ZERO_ADDRESS,
        tip=2_000_000,
        document=bytes(32),
        salt=bytes(32),
    )


def facts(state: MilestoneState | None, now: int, *, viewer: str | None = None, of: Terms | None = None) -> Facts:
    return Facts(of or terms(), MILESTONE, 0, "Design", state, None, now, viewer, "2 of 3 attesters", CURRENCY)


def submitted(since: int) -> MilestoneState:
    return MilestoneState(Status.SUBMITTED, 0, since, b"\5" * 24)


CASES = [
    (None, 100, "unfunded", "not funded", None),
    (UNTOUCHED, 100, "funded", "waits for the payee to submit", "the work is submitted"),
    (UNTOUCHED, SUBMIT_BY + 1, "funded", "nothing was submitted", "the work is submitted"),
    (MilestoneState(Status.FUNDED, 1, 500), 600, "funded", "submission 0 was rejected", "the work is submitted"),
    (
        submitted(1_000),
        1_300,
        "submitted",
        "waits for a verdict of 2 of 3 attesters",
        "2 of 3 attesters give a verdict",
    ),
    (submitted(1_000), 1_301, "submitted", "no verdict came", "2 of 3 attesters give a verdict"),
    (
        MilestoneState(Status.ATTESTED, 0, 1_000, standing_bps=8_000),
        1_100,
        "attested",
        "awarded 80%",
        "nobody disputes",
    ),
    (MilestoneState(Status.DISPUTED, 0, 1_000, standing_bps=8_000), 1_100, "disputed", "the arbiter may rule", "rules"),
    (MilestoneState(Status.DISPUTED, 0, 1_000, standing_bps=8_000), 1_701, "disputed", "no ruling came", "rules"),
]


@pytest.mark.parametrize(("state", "now", "status", "words", "unmet"), CASES)
def test_each_state_is_told_in_a_sentence(
    state: MilestoneState | None, now: int, status: str, words: str, unmet: str | None
) -> None:
    told = explain(facts(state, now))
    assert told.status == status
    assert words in told.sentence
    assert (unmet in told.unmet.text) if unmet and told.unmet else told.unmet is unmet


def test_the_words_take_the_viewers_side() -> None:
    assert "waits for you to submit" in explain(facts(UNTOUCHED, 100, viewer=PAYEE)).sentence
    assert "back to you" in explain(facts(UNTOUCHED, 100, viewer=PAYER)).idle
    assert "back to the payer" in explain(facts(UNTOUCHED, 100, viewer=PAYEE)).idle


def test_silence_is_told_with_its_money_to_the_unit() -> None:
    """A quarter of 1,000.00 to the payee, less the tip of 2.00."""
    idle = explain(facts(submitted(1_000), 1_000)).idle
    assert "248.00 PLAY to the payee" in idle
    assert "750.00 PLAY back to the payer" in idle
    assert "2.00 PLAY tip" in idle


def test_what_is_ready_says_that_anyone_can_settle_it_now() -> None:
    told = explain(facts(submitted(1_000), 1_501))
    assert told.next is not None
    assert told.next.ready
    assert told.idle.startswith("anyone can settle it now, because nobody reviewed the submission in time")


def test_a_settled_milestone_says_why_and_who_got_what() -> None:
    ended = Settled(Cause.RULED, 4_000, 400_000_000, 600_000_000, 0, 0, ARBITER, "0x" + "ab" * 32, 7)
    told = explain(dataclasses.replace(facts(None, 100), settled=ended))
    assert told.status == "settled"
    assert told.sentence == (
        "settled because the arbiter ruled: 400.00 PLAY to the payee, 600.00 PLAY back to the payer"
    )
    assert told.rights == ()


def test_what_was_moved_to_another_agreement_says_where_and_that_nobody_was_paid() -> None:
    target = "0x" + "77" * 32
    moved = Settled(Cause.AMENDED, 0, 0, 0, 0, 0, PAYER, "0x" + "ab" * 32, 7, went_to=target)

    told = explain(dataclasses.replace(facts(None, 1), settled=moved))

    assert told.status == "settled"
    assert told.sentence == f"ended because both parties moved it to another agreement, {target}: it paid nobody here"
    assert (told.next, told.rights) == (None, ())


def test_a_right_is_told_with_who_when_and_the_command() -> None:
    about = facts(submitted(1_000), 1_000, viewer=PAYER)
    lines = [right_sentence(right, about, "0xabcdef0123") for right in explain(about).rights]
    assert any(line.startswith("you may dispute from ") and "milepost dispute 0xabcdef0123 0" in line for line in lines)
    assert any(line.startswith("anyone may settle from ") for line in lines)


def test_only_funding_is_left_for_what_was_never_funded() -> None:
    assert [r.action for r in rights(terms(), MILESTONE, None, 100)] == ["fund"]
    assert rights(terms(), MILESTONE, None, SUBMIT_BY) == ()


def test_roles_and_holders_are_those_of_the_table() -> None:
    assert roles_of(terms(), PAYER) == ("payer",)
    assert roles_of(terms(arbiter=False), ZERO_ADDRESS) == ()
    assert roles_of(terms(), None) == ()
    assert holders("approve") == ("payer",)
    assert set(holders("dispute")) == {"payer", "payee"}
    assert holders("attest") == ("attesters",)


states = st.builds(
    MilestoneState,
    status=st.sampled_from(Status),
    attempt=st.integers(0, 254),
    since=st.integers(1, 12_000),
    deliverable24=st.just(b"\5" * 24),
    standing_bps=st.integers(0, 10_000),
)


@given(state=states, now=st.integers(1, 14_000), verifier=st.booleans(), arbiter=st.booleans())
def test_what_may_be_done_now_is_what_the_table_opens(
    state: MilestoneState, now: int, verifier: bool, arbiter: bool
) -> None:
    """Against the drawn table, asked another way: per action and per caller."""
    agreed = terms(verifier=verifier, arbiter=arbiter)
    told = {(r.role, r.action) for r in rights(agreed, MILESTONE, state, now) if r.open_at(now)}

    for action in Action:
        row = transition(state, action)
        if row is None or not available(agreed, action) or row.who in (Who.QUORUM, Who.BOTH):
            continue
        is_open = row.opens(agreed, MILESTONE, state) <= now <= row.closes(agreed, MILESTONE, state)
        for role, holder in (("payer", PAYER), ("payee", PAYEE), ("arbiter", ARBITER)):
            if row.who is not Who.ANYONE and (role != "arbiter" or arbiter):
                assert ((role, action.value) in told) == (is_open and may(row.who, agreed, holder))


@given(state=states, now=st.integers(1, 14_000), verifier=st.booleans(), arbiter=st.booleans())
def test_the_next_transition_is_what_the_clock_says(
    state: MilestoneState, now: int, verifier: bool, arbiter: bool
) -> None:
    agreed = terms(verifier=verifier, arbiter=arbiter)
    told = explain(facts(state, now, of=agreed))
    clock = due(agreed, MILESTONE, state)
    assert told.next is not None
    assert (told.next.cause, told.next.at, told.next.ready) == (clock.cause, clock.ready_at, clock.ready_at <= now)
    assert told.sentence
    if arbiter or state.status in (Status.FUNDED, Status.SUBMITTED):  # without one, verdicts settle at once
        assert told.unmet is not None
