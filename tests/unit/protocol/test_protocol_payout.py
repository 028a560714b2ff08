"""Payout and clocks as properties over all terms that funding accepts (docs/protocol.md section 4)."""

from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import NOW, accepted_agreements

from keeper.protocol.due import due, lapse, latest, settle_bps
from keeper.protocol.machine import TRANSITIONS, Action, standing_after_dispute, transition
from keeper.protocol.payout import payout, share_of
from keeper.protocol.types import MAX_UINT40, ZERO_ADDRESS, Cause, MilestoneState, Status

states = st.builds(
    MilestoneState,
    st.sampled_from(Status),
    st.integers(0, 255),
    st.integers(NOW, NOW + 10**8),
    st.just(bytes(24)),
    st.integers(0, 10_000),
)


@given(accepted_agreements(), st.integers(0, 10_000), st.booleans())
def test_payout_sums_to_the_amount_and_nothing_is_negative(agreement, bps, with_tip):
    terms = agreement.terms
    for milestone in agreement.milestones:
        paid = payout(milestone.amount, bps, terms.fee_bps, terms.tip, with_tip)

        assert min(paid.to_payee, paid.to_payer, paid.fee, paid.tip) >= 0
        assert paid.to_payee + paid.to_payer + paid.fee + paid.tip == milestone.amount
        assert paid.to_payer == milestone.amount - share_of(milestone.amount, bps)
        assert paid.tip <= (terms.tip if with_tip else 0)


@given(accepted_agreements())
def test_a_refund_pays_neither_fee_nor_tip(agreement):
    terms, milestone = agreement.terms, agreement.milestones[0]

    paid = payout(milestone.amount, 0, terms.fee_bps, terms.tip, with_tip=True)

    assert (paid.to_payee, paid.fee, paid.tip) == (0, 0, 0)


@given(accepted_agreements(), states)
def test_due_is_the_one_clock_of_the_state(agreement, state):
    cause = {
        Status.FUNDED: Cause.LAPSED,
        Status.SUBMITTED: Cause.UNREVIEWED,
        Status.ATTESTED: Cause.ATTESTED,
        Status.DISPUTED: Cause.UNRULED,
    }
    terms, milestone = agreement.terms, agreement.milestones[0]

    answer = due(terms, milestone, state)

    assert answer.cause == cause[state.status]
    assert answer.share == share_of(milestone.amount, settle_bps(terms, state))
    assert transition(state, Action.SETTLE).target == answer.cause


@given(accepted_agreements())
def test_nothing_is_due_without_an_open_milestone(agreement):
    answer = due(agreement.terms, agreement.milestones[0], None)
    assert (answer.cause, answer.share, answer.ready_at) == (Cause.NONE, 0, MAX_UINT40)


def test_each_status_has_exactly_one_permissionless_outcome():
    for status in Status:
        rows = [r for r in TRANSITIONS if r.source == status and r.action == Action.SETTLE]
        assert len(rows) == 1


@given(accepted_agreements(), st.integers(NOW, NOW + 10**8))
def test_lapse_leaves_the_payee_its_challenge_window_after_a_rejection(agreement, since):
    terms, milestone = agreement.terms, agreement.milestones[0]

    assert lapse(terms, milestone, MilestoneState(Status.FUNDED, 0, 0)) == milestone.submit_by
    rejected = lapse(terms, milestone, MilestoneState(Status.FUNDED, 1, since))
    assert rejected == max(milestone.submit_by, since + terms.challenge_window)


@given(accepted_agreements().filter(lambda a: a.terms.verifier != ZERO_ADDRESS), states)
def test_with_a_verifier_disputed_and_never_ruled_pays_what_not_disputed_pays(agreement, state):
    if state.status == Status.DISPUTED:
        return

    assert standing_after_dispute(agreement.terms, state) == settle_bps(agreement.terms, state)


@given(accepted_agreements())
def test_latest_is_the_sum_of_all_windows(agreement):
    terms, milestone = agreement.terms, agreement.milestones[0]
    windows = terms.review_window + terms.challenge_window + terms.ruling_window

    assert latest(terms, milestone) == milestone.submit_by + windows + 1
