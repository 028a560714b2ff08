"""Each row of the table and each refusal, one by one (docs/protocol.md section 4)."""

from dataclasses import replace

import pytest
from protocol_stage import (
    AGREEMENT,
    ALONE,
    MILESTONES,
    NO_ARBITER,
    PART,
    TERMS,
    WORK,
    id_of,
    refusal,
    run,
    state_of,
)
from protocol_strategies import (
    ARBITER,
    ESCROW,
    FEE_TO,
    NOW,
    PAYEE,
    PAYER,
    STRANGER,
    TOKEN,
)

from keeper.protocol.model import step
from keeper.protocol.refusals import Name
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Agreement,
    Attestation,
    Cause,
    Part,
    Status,
)
from keeper.protocol.world import (
    Approve,
    Attest,
    Ctx,
    Deliver,
    Dispute,
    Flow,
    Fund,
    Outcome,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
)

SUBMIT = (PAYEE, 10, Submit(PART, WORK))
AWARD = (STRANGER, 20, Attest(PART, Attestation(0, WORK, 10_000), proven=True))
REJECT = (STRANGER, 20, Attest(PART, Attestation(0, WORK, 0), proven=True))
DISPUTE = (PAYER, 30, Dispute(PART))


def test_an_award_into_a_challenge_window_pays_a_day_later_with_fee_and_tip():
    world = run(AGREEMENT, SUBMIT, AWARD)

    answer = step(world, Ctx(STRANGER, NOW + 20 + 200 + 1), Settle(PART))

    event = answer.events[0]
    assert event.args[2:] == (Cause.ATTESTED, 10_000, 993, 0, 5, 2, STRANGER)
    assert [(m.who, m.amount) for m in answer.movements] == [(PAYEE, 993), (FEE_TO, 5), (STRANGER, 2)]


def test_an_award_without_a_challenge_window_settles_at_once_with_both_events():
    part = NO_ARBITER.part(0)
    world = run(NO_ARBITER)

    answer = step(world, Ctx(STRANGER, NOW), Attest(part, Attestation(0, ZERO32, 5_000), proven=True))

    assert [e.name for e in answer.events] == ["Attested", "Settled"]
    assert state_of(answer.world, NO_ARBITER) is None


def test_a_rejection_opens_the_next_attempt_and_the_payee_may_submit_again():
    world = run(AGREEMENT, SUBMIT, REJECT)
    state = state_of(world, AGREEMENT)
    assert (state.status, state.attempt, state.since, state.deliverable24) == (
        Status.FUNDED,
        1,
        NOW + 20,
        bytes(24),
    )

    again = step(world, Ctx(PAYEE, NOW + 30), Submit(PART, WORK))

    assert again.events[0].args[2] == 1


def test_the_escrow_emits_only_the_stored_bytes_of_a_submitted_deliverable():
    world = run(AGREEMENT, SUBMIT)
    other_tail = WORK[:24] + b"\xee" * 8

    answer = step(world, Ctx(STRANGER, NOW + 20), Attest(PART, Attestation(0, other_tail, 1), proven=True))

    assert answer.events[0].args[3] == WORK[:24] + bytes(8)


def test_approve_pays_everything_without_tip_and_waive_refunds():
    world = run(AGREEMENT)

    approved = step(world, Ctx(PAYER, NOW), Approve(PART))
    waived = step(world, Ctx(PAYEE, NOW), Waive(PART))

    assert approved.events[0].args[2:8] == (Cause.APPROVED, 10_000, 995, 0, 5, 0)
    assert waived.events[0].args[2:8] == (Cause.WAIVED, 0, 0, 1000, 0, 0)


def test_a_refused_push_becomes_a_credit_that_its_owner_withdraws_whole():
    world = run(AGREEMENT)
    answer = step(world, Ctx(PAYER, NOW, refuses=frozenset({(TOKEN, PAYEE)})), Approve(PART))
    assert [e.name for e in answer.events] == ["Settled", "Credited"]
    assert answer.world.credits == {(TOKEN, PAYEE): 995}

    taken = step(answer.world, Ctx(PAYEE, NOW), Withdraw(TOKEN, STRANGER))

    assert taken.returned == 995
    assert taken.world.credits == {}
    assert taken.movements[0].who == STRANGER
    assert refusal(taken.world, PAYEE, 0, Withdraw(TOKEN, PAYEE)) == Name.NOTHING_TO_WITHDRAW
    for to in (ZERO_ADDRESS, ESCROW):
        assert refusal(answer.world, PAYEE, 0, Withdraw(TOKEN, to)) == Name.BAD_RECIPIENT
    refuses = frozenset({(TOKEN, STRANGER)})
    assert refusal(answer.world, PAYEE, 0, Withdraw(TOKEN, STRANGER), refuses=refuses) == Name.TRANSFER_FAILED


def test_anybody_sends_a_credit_to_its_owner_and_nowhere_else():
    refuses = frozenset({(TOKEN, PAYEE)})
    world = step(run(AGREEMENT), Ctx(PAYER, NOW, refuses=refuses), Approve(PART)).world

    assert refusal(world, STRANGER, 0, Deliver(TOKEN, PAYEE), refuses=refuses) == Name.TRANSFER_FAILED
    assert refusal(world, STRANGER, 0, Deliver(TOKEN, PAYER)) == Name.NOTHING_TO_WITHDRAW
    sent = step(world, Ctx(STRANGER, NOW), Deliver(TOKEN, PAYEE))

    assert [(e.name, e.args) for e in sent.events] == [("Withdrawn", (TOKEN, PAYEE, PAYEE, 995))]
    assert (sent.returned, sent.movements[0].who, sent.world.credits) == (995, PAYEE, {})
    assert refusal(sent.world, PAYEE, 0, Withdraw(TOKEN, PAYEE)) == Name.NOTHING_TO_WITHDRAW


def test_settle_many_settles_what_is_due_and_skips_the_rest():
    world = run(AGREEMENT)
    parts = (PART, AGREEMENT.part(1), PART)

    answer = step(world, Ctx(STRANGER, NOW + 1001), SettleMany(parts))

    assert answer.returned == (True, False, False)


def test_settle_many_with_a_part_of_no_agreement_reverts():
    other = Agreement(replace(TERMS, salt=b"\x01" * 32), MILESTONES)

    assert refusal(run(AGREEMENT), STRANGER, 1001, SettleMany((PART, other.part(0)))) == Name.NOT_FUNDED


def test_a_dispute_passes_its_value_to_the_hook_and_without_a_hook_takes_none():
    hooked = Agreement(replace(TERMS, arbiter_hook=True), MILESTONES)
    part = hooked.part(0)
    world = run(hooked, (STRANGER, 0, Attest(part, Attestation(0, ZERO32, 1), proven=True)))

    answer = step(world, Ctx(PAYEE, NOW + 1, value=7), Dispute(part))

    assert [(m.flow, m.who, m.amount) for m in answer.movements] == [(Flow.HOOK, ARBITER, 7)]
    assert refusal(world, PAYEE, 1, Dispute(part), hook_accepts=False) == Name.ARBITER_REFUSED
    assert refusal(run(AGREEMENT, SUBMIT, AWARD), PAYER, 30, Dispute(PART), value=1) == Name.WRONG_VALUE


def test_without_a_verifier_a_submission_may_be_disputed_at_once_and_stands_at_the_unruled_share():
    part = ALONE.part(0)
    world = run(ALONE, (PAYEE, 10, Submit(part, WORK)), (PAYER, 10, Dispute(part)))

    assert state_of(world, ALONE).standing_bps == 0
    answer = step(world, Ctx(STRANGER, NOW + 10 + 701), Settle(part))
    assert answer.events[0].args[2:4] == (Cause.UNRULED, 0)


def other_part():
    return Part(TERMS, PART.leaves, 0, MILESTONES[1])


REFUSALS = {
    "submit by a stranger": ((), (STRANGER, 0, Submit(PART, WORK)), Name.NOT_PAYEE),
    "submit too late": ((), (PAYEE, 1001, Submit(PART, WORK)), Name.TOO_LATE),
    "submit nothing": ((), (PAYEE, 0, Submit(PART, bytes(24) + b"\x01" * 8)), Name.ZERO_DELIVERABLE),
    "submit while submitted": ((SUBMIT,), (PAYEE, 11, Submit(PART, WORK)), Name.WRONG_STATUS),
    "attest without proof": ((), (STRANGER, 0, Attest(PART, Attestation(0, ZERO32, 1), False)), Name.VERIFIER_REFUSED),
    "attest another attempt": (
        (),
        (STRANGER, 0, Attest(PART, Attestation(1, ZERO32, 1), True)),
        Name.WRONG_ATTEMPT,
    ),
    "attest a deliverable that is not there": (
        (),
        (STRANGER, 0, Attest(PART, Attestation(0, WORK, 1), True)),
        Name.WRONG_DELIVERABLE,
    ),
    "attest nothing over a submission": (
        (SUBMIT,),
        (STRANGER, 20, Attest(PART, Attestation(0, ZERO32, 1), True)),
        Name.WRONG_DELIVERABLE,
    ),
    "attest the tail alone": (
        (),
        (STRANGER, 0, Attest(PART, Attestation(0, bytes(24) + b"\x01" * 8, 1), True)),
        Name.WRONG_DELIVERABLE,
    ),
    "award above everything": (
        (),
        (STRANGER, 0, Attest(PART, Attestation(0, ZERO32, 10_001), True)),
        Name.BPS_TOO_LARGE,
    ),
    "reject what was not submitted": (
        (),
        (STRANGER, 0, Attest(PART, Attestation(0, ZERO32, 0), True)),
        Name.WRONG_STATUS,
    ),
    "attest after the deadline": (
        (),
        (STRANGER, 1001, Attest(PART, Attestation(0, ZERO32, 1), True)),
        Name.TOO_LATE,
    ),
    "attest after the review": (
        (SUBMIT,),
        (STRANGER, 311, Attest(PART, Attestation(0, WORK, 1), True)),
        Name.TOO_LATE,
    ),
    "attest twice": ((SUBMIT, AWARD), AWARD, Name.WRONG_STATUS),
    "dispute before anything": ((), DISPUTE, Name.WRONG_STATUS),
    "dispute by a stranger": ((SUBMIT, AWARD), (STRANGER, 30, Dispute(PART)), Name.NOT_PARTY),
    "dispute a verdict too late": ((SUBMIT, AWARD), (PAYER, 221, Dispute(PART)), Name.TOO_LATE),
    "dispute a rejection by the payer": ((SUBMIT, REJECT), (PAYER, 30, Dispute(PART)), Name.NOT_PAYEE),
    "dispute a rejection too late": ((SUBMIT, REJECT), (PAYEE, 221, Dispute(PART)), Name.TOO_LATE),
    "dispute inside the review": ((SUBMIT,), (PAYER, 310, Dispute(PART)), Name.TOO_EARLY),
    "dispute after the silence": ((SUBMIT,), (PAYER, 511, Dispute(PART)), Name.TOO_LATE),
    "dispute twice": ((SUBMIT, AWARD, DISPUTE), (PAYEE, 31, Dispute(PART)), Name.WRONG_STATUS),
    "rule undisputed": ((SUBMIT, AWARD), (ARBITER, 30, Rule(id_of(AGREEMENT), PART, 1)), Name.WRONG_STATUS),
    "rule by a stranger": (
        (SUBMIT, AWARD, DISPUTE),
        (STRANGER, 40, Rule(id_of(AGREEMENT), PART, 1)),
        Name.NOT_ARBITER,
    ),
    "rule too late": (
        (SUBMIT, AWARD, DISPUTE),
        (ARBITER, 731, Rule(id_of(AGREEMENT), PART, 1)),
        Name.TOO_LATE,
    ),
    "rule under another id": ((SUBMIT, AWARD, DISPUTE), (ARBITER, 40, Rule(ZERO32, PART, 1)), Name.WRONG_AGREEMENT),
    "rule above everything": (
        (SUBMIT, AWARD, DISPUTE),
        (ARBITER, 40, Rule(id_of(AGREEMENT), PART, 10_001)),
        Name.BPS_TOO_LARGE,
    ),
    "approve by the payee": ((), (PAYEE, 0, Approve(PART)), Name.NOT_PAYER),
    "waive by the payer": ((), (PAYER, 0, Waive(PART)), Name.NOT_PAYEE),
    "settle early": ((), (STRANGER, 1000, Settle(PART)), Name.TOO_EARLY),
    "settle twice": (((PAYER, 0, Approve(PART)),), (STRANGER, 9999, Settle(PART)), Name.ALREADY_SETTLED),
    "a part that is not its leaf": ((), (STRANGER, 9999, Settle(other_part())), Name.WRONG_MILESTONE),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses(case):
    before, (caller, after, call), name = REFUSALS[case]

    assert refusal(run(AGREEMENT, *before), caller, after, call) == name


def test_each_window_includes_its_last_second():
    edges = [
        ((), (PAYEE, 1000, Submit(PART, WORK))),
        ((SUBMIT,), (STRANGER, 310, Attest(PART, Attestation(0, WORK, 0), True))),
        ((SUBMIT, AWARD), (PAYER, 220, Dispute(PART))),
        ((SUBMIT, REJECT), (PAYEE, 220, Dispute(PART))),
        ((SUBMIT,), (PAYEE, 311, Dispute(PART))),
        ((SUBMIT,), (PAYER, 510, Dispute(PART))),
        ((SUBMIT, AWARD, DISPUTE), (ARBITER, 730, Rule(id_of(AGREEMENT), PART, 1))),
        ((), (STRANGER, 1001, Settle(PART))),
    ]
    for before, last in edges:
        run(AGREEMENT, *before, last)


def test_submit_stops_at_attempt_255_so_that_a_rejection_always_fits():
    world = run(AGREEMENT)
    for attempt in range(255):
        world = step(world, Ctx(PAYEE, NOW), Submit(PART, WORK)).world
        rejection = Attest(PART, Attestation(attempt, WORK, 0), proven=True)
        world = step(world, Ctx(STRANGER, NOW), rejection).world

    assert state_of(world, AGREEMENT).attempt == 255
    assert refusal(world, PAYEE, 0, Submit(PART, WORK)) == Name.TOO_MANY_ATTEMPTS


def test_without_an_arbiter_nothing_is_disputed_and_without_a_verifier_nothing_attested():
    assert refusal(run(NO_ARBITER), PAYER, 0, Dispute(NO_ARBITER.part(0))) == Name.NO_ARBITER
    verdict = Attest(ALONE.part(0), Attestation(0, ZERO32, 1), proven=True)
    assert refusal(run(ALONE), STRANGER, 0, verdict) == Name.NO_VERIFIER


def test_on_a_renumbered_chain_clocks_go_on_but_funding_and_verdicts_stop():
    world = run(AGREEMENT)
    verdict = Attest(PART, Attestation(0, ZERO32, 1), proven=True)

    assert refusal(world, STRANGER, 0, verdict, chain_id=1) == Name.WRONG_CHAIN
    assert refusal(world, PAYER, 0, Fund(TERMS, MILESTONES, 1), chain_id=1) == Name.WRONG_CHAIN
    assert isinstance(step(world, Ctx(STRANGER, NOW + 1001, chain_id=1), Settle(PART)), Outcome)
