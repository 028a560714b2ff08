"""What both parties sign: splits, amendments; and the payee's acceptance (docs/protocol.md section 4)."""

from dataclasses import replace

import pytest
from protocol_stage import AGREEMENT, ALONE, EMPTY, MILESTONES, PART, TERMS, WORK, fund, id_of, refusal, run, state_of
from protocol_strategies import ARBITER, DOMAIN, FEE_TO, NOW, PAYEE, PAYER, STRANGER, TOKEN

from keeper.protocol.encoding import agreement_id
from keeper.protocol.model import step
from keeper.protocol.refusals import Name, Refusal
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Agreement,
    Amendment,
    Attestation,
    Cause,
    Milestone,
)
from keeper.protocol.world import (
    Accept,
    Agree,
    Amend,
    Approve,
    Attest,
    Consent,
    Ctx,
    Dispute,
    Flow,
    Fund,
    Multicall,
    Outcome,
    Settle,
    Submit,
    Waive,
    Withdraw,
)

SIGNED, EMPTY_SIG, FALSE = Consent.SIGNED, Consent.EMPTY, Consent.FALSE
SUBMIT = (PAYEE, 10, Submit(PART, WORK))
AWARD = (STRANGER, 20, Attest(PART, Attestation(0, WORK, 10_000), proven=True))
DISPUTE = (PAYER, 30, Dispute(PART))
OTHER = Agreement(replace(TERMS, salt=b"\x01" * 32), (Milestone(500, NOW + 5000, ZERO32), MILESTONES[1]))
"""Another agreement of the same parties about the same token: 500 and 2,000 units."""


def split(bps=4_000, as_of=NOW + 100, deadline=NOW + 200, payer=SIGNED, payee=SIGNED, part=PART):
    return Agree(part, bps, as_of, deadline, payer, payee)


def change(closes=0b01, opens=0b01, as_of=NOW + 100, deadline=NOW + 200, payer=SIGNED, payee=SIGNED, **more):
    source, target = more.get("source", AGREEMENT), more.get("target", OTHER)
    what = Amendment(closes, opens, as_of, deadline)
    return Amend(what, source.terms, source.milestones, target.terms, target.milestones, payer, payee)


def moved(agreement, **terms):
    return Agreement(replace(agreement.terms, **terms), agreement.milestones)


# agree


def test_a_split_pays_each_its_share_with_the_fee_and_without_a_tip():
    answer = step(run(AGREEMENT), Ctx(STRANGER, NOW + 100), split())

    assert answer.events[0].args[1:] == (0, Cause.AGREED, 4_000, 398, 600, 2, 0, STRANGER)
    assert [(m.who, m.amount) for m in answer.movements] == [(PAYEE, 398), (PAYER, 600), (FEE_TO, 2)]
    assert state_of(answer.world, AGREEMENT) is None


@pytest.mark.parametrize("before", [(), (SUBMIT,), (SUBMIT, AWARD), (SUBMIT, AWARD, DISPUTE)])
def test_a_split_ends_any_open_milestone_a_disputed_one_too(before):
    answer = step(run(AGREEMENT, *before), Ctx(STRANGER, NOW + 100), split(as_of=NOW + 31))

    assert isinstance(answer, Outcome)


def test_a_party_that_sends_the_split_itself_signs_by_sending():
    world = run(AGREEMENT)

    for caller, payer, payee in ((PAYER, EMPTY_SIG, SIGNED), (PAYEE, SIGNED, EMPTY_SIG), (PAYER, SIGNED, SIGNED)):
        assert isinstance(step(world, Ctx(caller, NOW + 100), split(payer=payer, payee=payee)), Outcome)


AGREE_REFUSALS = {
    "before it is funded": (split(part=AGREEMENT.part(1)), Name.NOT_FUNDED, ()),
    "above everything": (split(10_001), Name.BPS_TOO_LARGE, (10_001,)),
    "after its deadline": (split(deadline=NOW + 99), Name.TOO_LATE, (NOW + 99, NOW + 100)),
    "read in the future": (split(as_of=NOW + 101), Name.AS_OF_IN_FUTURE, (NOW + 101, NOW + 100)),
    "read before the submission": (split(as_of=NOW + 9), Name.STALE, (0, NOW + 10, NOW + 9)),
    "read in the second of the submission": (split(as_of=NOW + 10), Name.STALE, (0, NOW + 10, NOW + 10)),
    "read at no time": (split(as_of=0), Name.STALE, ()),
    "not signed by the payer": (split(payer=FALSE), Name.NOT_SIGNED_BY, (PAYER,)),
    "not signed by the payee": (split(payee=FALSE), Name.NOT_SIGNED_BY, (PAYEE,)),
    "empty for a payer who does not send it": (split(payer=EMPTY_SIG), Name.NOT_SIGNED_BY, (PAYER,)),
    "empty for a payee who does not send it": (split(payee=EMPTY_SIG), Name.NOT_SIGNED_BY, (PAYEE,)),
    "signed by nobody": (split(payer=FALSE, payee=FALSE), Name.NOT_SIGNED_BY, (PAYER,)),
}


@pytest.mark.parametrize("case", AGREE_REFUSALS)
def test_refuses_a_split(case):
    call, name, args = AGREE_REFUSALS[case]
    world = step(fund(AGREEMENT, mask=1).world, Ctx(PAYEE, NOW + 10), Submit(PART, WORK)).world

    answer = step(world, Ctx(STRANGER, NOW + 100), call)

    assert isinstance(answer, Refusal)
    assert answer.name == name
    assert not args or answer.args == args


def test_a_split_counts_at_its_edges_once_and_never_on_a_renumbered_chain():
    world = run(AGREEMENT, SUBMIT)
    edge = split(as_of=NOW + 11, deadline=NOW + 11)

    done = step(world, Ctx(STRANGER, NOW + 11), edge)

    assert isinstance(done, Outcome)
    assert refusal(done.world, STRANGER, 11, edge) == Name.ALREADY_SETTLED
    assert refusal(world, STRANGER, 11, edge, chain_id=1) == Name.WRONG_CHAIN
    assert refusal(world, STRANGER, 11, edge, value=1) == Name.NOT_PAYABLE


# amend


def test_an_amendment_moves_money_to_other_terms_and_pays_nobody_but_the_excess():
    answer = step(run(AGREEMENT), Ctx(STRANGER, NOW + 100), change())

    source, target = id_of(AGREEMENT), id_of(OTHER)
    funded, amended = answer.events
    assert funded.args == (target, PAYER, PAYEE, STRANGER, 0b01, OTHER.terms, OTHER.milestones)
    assert (amended.name, amended.args) == ("Amended", (source, target, 0b01, 0b01, 500))
    assert [(m.flow, m.who, m.amount) for m in answer.movements] == [(Flow.PUSH, PAYER, 500)]
    assert answer.returned == target
    world = answer.world
    assert (world.agreements[source].funded, world.agreements[source].closed) == (0b11, 0b01)
    assert (world.agreements[target].funded, world.agreements[target].closed) == (0b01, 0)
    assert world.held == {TOKEN: 2_500}


def test_a_shortfall_comes_from_whoever_sends_the_amendment():
    world = run(AGREEMENT)

    answer = step(world, Ctx(STRANGER, NOW + 100), change(opens=0b11))

    assert [(m.flow, m.who, m.amount) for m in answer.movements] == [(Flow.PULL, STRANGER, 1_500)]
    assert answer.events[1].args[4] == 1_000
    assert answer.world.held == {TOKEN: 4_500}
    broke = step(world, Ctx(STRANGER, NOW + 100, pays=False), change(opens=0b11))
    assert broke == Refusal(Name.TRANSFER_FROM_FAILED, (TOKEN, STRANGER, 1_500))


def test_an_amendment_of_equal_sums_moves_no_token_at_all():
    answer = step(run(AGREEMENT), Ctx(STRANGER, NOW + 100, pays=False), change(closes=0b10, opens=0b10))

    assert isinstance(answer, Outcome)
    assert answer.movements == ()


def test_native_currency_comes_as_exactly_the_shortfall_and_the_excess_goes_back():
    source, target = (moved(a, token=ZERO_ADDRESS) for a in (AGREEMENT, OTHER))
    world = fund(source).world
    more, less = change(opens=0b11, source=source, target=target), change(source=source, target=target)

    for call, want in ((more, 1_500), (less, 0)):
        assert isinstance(step(world, Ctx(STRANGER, NOW + 100, value=want), call), Outcome)
        wrong = step(world, Ctx(STRANGER, NOW + 100, value=want + 1), call)
        assert wrong == Refusal(Name.WRONG_VALUE, (want + 1, want))
    refuses = frozenset({(ZERO_ADDRESS, PAYER)})
    credited = step(world, Ctx(STRANGER, NOW + 100, refuses=refuses), less)
    assert credited.world.credits == {(ZERO_ADDRESS, PAYER): 500}


def test_an_excess_that_the_payer_refuses_is_credited_to_him():
    refuses = frozenset({(TOKEN, PAYER)})

    answer = step(run(AGREEMENT), Ctx(STRANGER, NOW + 100, refuses=refuses), change())

    assert [e.name for e in answer.events] == ["Funded", "Amended", "Credited"]
    assert answer.world.credits == {(TOKEN, PAYER): 500}
    taken = step(answer.world, Ctx(PAYER, NOW + 100), Withdraw(TOKEN, ARBITER))
    assert taken.world.held == {TOKEN: 2_500}


def test_disputed_milestones_can_be_moved_and_begin_anew():
    world = run(AGREEMENT, SUBMIT, AWARD, DISPUTE)

    answer = step(world, Ctx(STRANGER, NOW + 100), change(closes=0b11, opens=0b11, as_of=NOW + 31))

    assert isinstance(answer, Outcome)
    assert state_of(answer.world, OTHER).attempt == 0
    again = step(answer.world, Ctx(PAYEE, NOW + 101), Submit(OTHER.part(0), WORK))
    assert isinstance(again, Outcome)


def test_what_was_moved_is_over_where_it_was():
    world = step(run(AGREEMENT), Ctx(STRANGER, NOW + 100), change()).world

    for caller, after, call in (
        (PAYER, 100, Approve(PART)),
        (PAYEE, 100, Waive(PART)),
        (PAYEE, 100, Submit(PART, WORK)),
        (STRANGER, 9_999, Settle(PART)),
        (STRANGER, 100, split()),
    ):
        assert refusal(world, caller, after, call) == Name.ALREADY_SETTLED
    assert refusal(world, PAYER, 100, Fund(TERMS, MILESTONES, 1)) == Name.ALREADY_FUNDED
    assert refusal(world, STRANGER, 100, change(closes=0b10)) == Name.ALREADY_FUNDED
    third = moved(OTHER, salt=b"\x02" * 32)
    again = step(world, Ctx(STRANGER, NOW + 100), change(closes=0b11, target=third))
    assert again == Refusal(Name.NOT_OPEN, (id_of(AGREEMENT), 0b01))


AMEND_REFUSALS = {
    "after its deadline": (change(deadline=NOW + 99), Name.TOO_LATE),
    "read in the future": (change(as_of=NOW + 101), Name.AS_OF_IN_FUTURE),
    "to terms that funding refuses": (change(target=moved(OTHER, review_window=0)), Name.ZERO_REVIEW_WINDOW),
    "to another payer": (change(target=moved(OTHER, payer=STRANGER)), Name.NOT_AN_AMENDMENT),
    "to another payee": (change(target=moved(OTHER, payee=STRANGER)), Name.NOT_AN_AMENDMENT),
    "to another token": (change(target=moved(OTHER, token=ZERO_ADDRESS)), Name.NOT_AN_AMENDMENT),
    "of nothing": (change(closes=0), Name.EMPTY_MASK),
    "of what was never funded": (change(source=ALONE), Name.NOT_OPEN),
    "of milestones beyond the schedule": (change(closes=0b101), Name.NOT_OPEN),
    "read before a step of what it closes": (change(as_of=NOW + 9), Name.STALE),
    "read in the second of that step": (change(as_of=NOW + 10), Name.STALE),
    "to itself": (change(target=AGREEMENT), Name.ALREADY_FUNDED),
    "into nothing": (change(opens=0), Name.EMPTY_MASK),
    "into milestones beyond the schedule": (change(opens=0b100), Name.MASK_OUTSIDE_SCHEDULE),
    "not signed by the payer": (change(payer=FALSE), Name.NOT_SIGNED_BY),
    "not signed by the payee": (change(payee=FALSE), Name.NOT_SIGNED_BY),
    "signed by neither, sent by a stranger": (change(payer=EMPTY_SIG, payee=EMPTY_SIG), Name.NOT_SIGNED_BY),
}


@pytest.mark.parametrize("case", AMEND_REFUSALS)
def test_refuses_an_amendment(case):
    call, name = AMEND_REFUSALS[case]
    world = run(AGREEMENT, SUBMIT)

    assert refusal(world, STRANGER, 100, call) == name


def test_an_amendment_opens_nothing_late_and_nothing_of_what_somebody_has_funded():
    world, late = run(AGREEMENT), moved(OTHER)
    late = Agreement(late.terms, (replace(late.milestones[0], submit_by=NOW + 100), late.milestones[1]))

    assert refusal(world, STRANGER, 100, change(target=late)) == Name.SUBMIT_BY_OUT_OF_RANGE
    touched = step(world, Ctx(STRANGER, NOW), Fund(OTHER.terms, OTHER.milestones, 0b10)).world
    spoilt = step(touched, Ctx(STRANGER, NOW + 100), change())
    assert spoilt == Refusal(Name.ALREADY_FUNDED, (id_of(OTHER), 0b10))


def test_only_steps_of_what_an_amendment_closes_make_it_stale_the_lowest_first():
    world = run(AGREEMENT, SUBMIT, (PAYEE, 20, Submit(AGREEMENT.part(1), WORK)))

    stale = step(world, Ctx(STRANGER, NOW + 100), change(closes=0b11, as_of=NOW + 5))
    assert stale == Refusal(Name.STALE, (0, NOW + 10, NOW + 5))
    stale = step(world, Ctx(STRANGER, NOW + 100), change(closes=0b11, as_of=NOW + 11))
    assert stale == Refusal(Name.STALE, (1, NOW + 20, NOW + 11))
    assert isinstance(step(world, Ctx(STRANGER, NOW + 100), change(as_of=NOW + 11)), Outcome)


def test_an_amendment_stops_on_a_renumbered_chain():
    assert refusal(run(AGREEMENT), STRANGER, 100, change(), chain_id=1) == Name.WRONG_CHAIN


# accept


def test_the_payee_accepts_what_is_funded_and_what_is_not_as_often_as_it_likes():
    world = run(AGREEMENT)

    for agreement in (AGREEMENT, AGREEMENT, OTHER, Agreement(TERMS, ())):
        call = Accept(agreement.terms, agreement.milestones, SIGNED)
        answer = step(world, Ctx(STRANGER, NOW), call)
        want = agreement_id(DOMAIN, agreement.terms, agreement.milestones)
        assert [(e.name, e.args) for e in answer.events] == [("Accepted", (want, PAYEE))]
        assert (answer.returned, answer.world) == (want, world)


def test_only_the_payee_accepts_and_only_on_the_deployed_chain():
    call = Accept(TERMS, MILESTONES, EMPTY_SIG)

    assert isinstance(step(EMPTY, Ctx(PAYEE, NOW), call), Outcome)
    for caller, consent in ((STRANGER, EMPTY_SIG), (PAYER, EMPTY_SIG), (PAYEE, FALSE)):
        answer = step(EMPTY, Ctx(caller, NOW), Accept(TERMS, MILESTONES, consent))
        assert answer == Refusal(Name.NOT_SIGNED_BY, (PAYEE,))
    assert refusal(EMPTY, PAYEE, 0, call, chain_id=1) == Name.WRONG_CHAIN


# multicall


def test_several_calls_are_one_in_order_and_by_the_same_caller():
    world = run(AGREEMENT)
    call = Multicall((Approve(PART), Fund(OTHER.terms, OTHER.milestones, 0b01), Approve(OTHER.part(0))))

    answer = step(world, Ctx(PAYER, NOW), call)

    assert [e.name for e in answer.events] == ["Settled", "Funded", "Settled"]
    assert answer.returned == (None, id_of(OTHER), None)
    assert answer.world.held == {TOKEN: 2_000}


def test_one_refusal_undoes_all_of_a_multicall():
    world = run(AGREEMENT)
    call = Multicall((Approve(PART), Multicall((Approve(AGREEMENT.part(1)), Waive(PART)))))

    assert step(world, Ctx(PAYER, NOW), call) == Refusal(Name.ALREADY_SETTLED, (id_of(AGREEMENT), 0))
    assert refusal(world, PAYER, 0, Multicall(()), value=1) == Name.NOT_PAYABLE
