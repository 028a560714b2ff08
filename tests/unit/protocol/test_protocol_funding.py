"""What funding refuses and accepts (docs/protocol.md section 3)."""

from dataclasses import replace

import pytest
from hypothesis import given
from protocol_stage import (
    AGREEMENT,
    EMPTY,
    MILESTONES,
    PART,
    TERMS,
    fund,
    id_of,
    refusal,
    run,
)
from protocol_strategies import (
    ESCROW,
    FEE_TO,
    NOW,
    PAYEE,
    PAYER,
    STRANGER,
    TOKEN,
    accepted_agreements,
)

from keeper.protocol.model import step
from keeper.protocol.refusals import Name
from keeper.protocol.types import (
    MAX_AHEAD,
    ZERO32,
    ZERO_ADDRESS,
    Agreement,
)
from keeper.protocol.world import (
    Approve,
    Ctx,
    Flow,
    Fund,
    FundWithAuthorization,
    FundWithPermit,
    Outcome,
    Settle,
)


def changed(**terms):
    return Agreement(replace(TERMS, **terms), MILESTONES)


STRUCTURAL = {
    Name.BAD_MILESTONE_COUNT: [Agreement(TERMS, ()), Agreement(TERMS, MILESTONES[:1] * 65)],
    Name.ZERO_AMOUNT: [Agreement(replace(TERMS, tip=0), (replace(MILESTONES[0], amount=0), MILESTONES[1]))],
    Name.BPS_TOO_LARGE: [changed(fee_bps=10_001), changed(unreviewed_bps=10_001)],
    Name.BAD_PARTIES: [changed(payer=ZERO_ADDRESS), changed(payee=ZERO_ADDRESS), changed(payee=PAYER)],
    Name.FORBIDDEN_ADDRESS: [
        changed(payer=ESCROW),
        changed(payee=TOKEN),
        changed(fee_to=ESCROW),
        changed(arbiter=TOKEN),
    ],
    Name.ARBITER_NOT_INDEPENDENT: [changed(arbiter=PAYER), changed(arbiter=PAYEE), changed(arbiter=FEE_TO)],
    Name.FEE_MISMATCH: [changed(fee_bps=0), changed(fee_to=ZERO_ADDRESS)],
    Name.VERIFIER_MISMATCH: [changed(quorum=ZERO32), changed(verifier=ZERO_ADDRESS, challenge_window=0)],
    Name.NO_CODE: [
        changed(verifier=STRANGER),
        changed(arbiter=STRANGER, arbiter_hook=True),
        changed(token=STRANGER),
    ],
    Name.ZERO_REVIEW_WINDOW: [changed(review_window=0)],
    Name.CHALLENGE_WINDOW_MISMATCH: [
        changed(challenge_window=0),
        changed(verifier=ZERO_ADDRESS, quorum=ZERO32),
        changed(arbiter=ZERO_ADDRESS, ruling_window=0),
    ],
    Name.RULING_WINDOW_MISMATCH: [
        changed(ruling_window=0),
        changed(arbiter=ZERO_ADDRESS, challenge_window=0),
    ],
    Name.WINDOW_TOO_LONG: [
        changed(review_window=365 * 86_400 + 1),
        changed(challenge_window=365 * 86_400 + 1),
        changed(ruling_window=365 * 86_400 + 1),
    ],
    Name.UNREVIEWED_SHARE_WITHOUT_ARBITER: [
        changed(arbiter=ZERO_ADDRESS, challenge_window=0, ruling_window=0, unreviewed_bps=1)
    ],
    Name.UNRULED_SHARE_NOT_APPLICABLE: [
        changed(unruled_bps=1),
        changed(
            arbiter=ZERO_ADDRESS,
            verifier=ZERO_ADDRESS,
            quorum=ZERO32,
            challenge_window=0,
            ruling_window=0,
            unruled_bps=1,
        ),
    ],
    Name.TIP_TOO_LARGE: [changed(tip=101)],
}


@pytest.mark.parametrize(("name", "agreement"), [(n, a) for n, cases in STRUCTURAL.items() for a in cases])
def test_funding_refuses_terms_that_break_a_structural_rule(name, agreement):
    assert fund(agreement, mask=1).name == name


def test_funding_accepts_the_bounds_themselves():
    bounds = changed(
        tip=100,
        review_window=365 * 86_400,
        challenge_window=365 * 86_400,
        ruling_window=365 * 86_400,
        fee_bps=10_000,
    )

    assert isinstance(fund(bounds), Outcome)


@given(accepted_agreements())
def test_funding_accepts_what_the_rules_accept(agreement):
    answer = fund(agreement)

    assert isinstance(answer, Outcome)
    assert answer.events[0].name == "Funded"
    assert answer.movements[0].amount == sum(m.amount for m in agreement.milestones)


@pytest.mark.parametrize(
    ("mask", "name"), [(0, Name.EMPTY_MASK), (4, Name.MASK_OUTSIDE_SCHEDULE), (7, Name.MASK_OUTSIDE_SCHEDULE)]
)
def test_funding_refuses_a_mask_outside_the_schedule(mask, name):
    assert refusal(EMPTY, PAYER, 0, Fund(TERMS, MILESTONES, mask)) == name


def test_the_same_milestone_is_never_funded_twice_and_the_others_still_can_be():
    world = fund(AGREEMENT, mask=1).world

    assert fund(AGREEMENT, world, mask=3).name == Name.ALREADY_FUNDED
    assert fund(AGREEMENT, world, mask=2).world.agreements[id_of(AGREEMENT)].funded == 3
    assert refusal(world, STRANGER, 9999, Settle(AGREEMENT.part(1))) == Name.NOT_FUNDED


@pytest.mark.parametrize(
    ("now", "accepted"),
    [(NOW + 1000, False), (NOW + 999, True), (NOW + 1000 - MAX_AHEAD, True), (NOW + 999 - MAX_AHEAD, False)],
)
def test_funding_wants_a_deadline_ahead_but_not_ten_years(now, accepted):
    answer = fund(AGREEMENT, mask=1, now=now)

    assert isinstance(answer, Outcome) if accepted else answer.name == Name.SUBMIT_BY_OUT_OF_RANGE


def test_funding_takes_exactly_the_sum():
    native = changed(token=ZERO_ADDRESS)

    assert refusal(EMPTY, PAYER, 0, Fund(native.terms, MILESTONES, 3), value=2999) == Name.WRONG_VALUE
    assert refusal(EMPTY, PAYER, 0, Fund(TERMS, MILESTONES, 3), value=1) == Name.WRONG_VALUE
    assert refusal(EMPTY, PAYER, 0, Fund(TERMS, MILESTONES, 3), pays=False) == Name.TRANSFER_FROM_FAILED


def test_the_native_currency_needs_no_code_and_no_allowance():
    native = changed(token=ZERO_ADDRESS)
    call = Fund(native.terms, MILESTONES, 3)

    answer = step(EMPTY, Ctx(STRANGER, NOW, value=3000, pays=False), call)

    assert isinstance(answer, Outcome)
    assert answer.world.held == {ZERO_ADDRESS: 3000}
    assert [(m.flow, m.who, m.amount) for m in answer.movements] == [(Flow.PULL, STRANGER, 3000)]


def test_a_permit_changes_who_may_take_money_and_nothing_else():
    call = FundWithPermit(TERMS, MILESTONES, 3)

    answer = step(EMPTY, Ctx(STRANGER, NOW), call)

    assert answer == step(EMPTY, Ctx(STRANGER, NOW), Fund(TERMS, MILESTONES, 3))
    assert refusal(EMPTY, PAYER, 0, call, pays=False) == Name.TRANSFER_FROM_FAILED
    assert refusal(EMPTY, PAYER, 0, call, value=1) == Name.NOT_PAYABLE
    native = FundWithPermit(replace(TERMS, token=ZERO_ADDRESS), MILESTONES, 3)
    assert refusal(EMPTY, PAYER, 0, native) == Name.WRONG_VALUE


def test_an_authorization_takes_the_payers_money_whoever_brings_it():
    answer = step(EMPTY, Ctx(STRANGER, NOW, pays=False), FundWithAuthorization(TERMS, MILESTONES, 3, authorized=True))

    assert isinstance(answer, Outcome)
    assert answer.events[0].args[:5] == (id_of(AGREEMENT), PAYER, PAYEE, PAYER, 3)
    assert [(m.who, m.amount) for m in answer.movements] == [(PAYER, 3000)]
    assert answer.returned == id_of(AGREEMENT)


def test_an_authorization_is_refused_by_its_token_and_for_the_native_currency_altogether():
    native = replace(TERMS, token=ZERO_ADDRESS)

    for terms, milestones, authorized, name in (
        (TERMS, MILESTONES, False, Name.AUTHORIZATION_REFUSED),
        (native, MILESTONES, True, Name.NO_CODE),
        (TERMS, (), True, Name.BAD_MILESTONE_COUNT),
    ):
        assert refusal(EMPTY, STRANGER, 0, FundWithAuthorization(terms, milestones, 3, authorized)) == name
    world = fund(AGREEMENT, mask=1).world
    again = FundWithAuthorization(TERMS, MILESTONES, 3, authorized=True)
    assert refusal(world, STRANGER, 0, again) == Name.ALREADY_FUNDED


def test_step_leaves_the_world_it_was_given():
    world = run(AGREEMENT)
    before = (dict(world.agreements), dict(world.credits), dict(world.held))

    step(world, Ctx(PAYER, NOW), Approve(PART))

    assert (world.agreements, world.credits, world.held) == before
