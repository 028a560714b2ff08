"""One agreement's life through ape, on py-evm and on anvil: what Python says of it is what the contract does."""

from __future__ import annotations

import ape
import pytest
from ape_stage import AMOUNT, DAY, Stage

from keeper.protocol.abi import milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.due import due
from keeper.protocol.types import Attestation, Cause, MilestoneState, Status

DELIVERABLE = bytes(range(1, 33))


def fund(stage: Stage, agreement, mask: int = 3):
    total = sum(m.amount for i, m in enumerate(agreement.milestones) if mask >> i & 1)
    stage.token.approve(stage.escrow, total, sender=stage.payer)
    milestones = [milestone_to_abi(m) for m in agreement.milestones]
    return stage.escrow.fund(terms_to_abi(agreement.terms), milestones, mask, sender=stage.payer)


def part(agreement, index: int):
    return part_to_abi(agreement.part(index))


def attest(stage: Stage, agreement, index: int, attestation: Attestation, sender=None):
    proof = stage.proof(agreement, index, attestation)
    values = (attestation.attempt, attestation.deliverable, attestation.payout_bps)
    return stage.escrow.attest(part(agreement, index), values, proof, sender=sender or stage.stranger)


def test_funding_emits_the_id_that_python_computes(stage):
    agreement = stage.agreement(1)

    receipt = fund(stage, agreement)

    (event,) = receipt.decode_logs(stage.escrow.Funded)
    assert bytes(event.id) == stage.id(agreement)
    assert stage.escrow.state(stage.id(agreement)) == (3, 0)


def test_two_of_three_signatures_pay_at_once_without_a_challenge_window(stage):
    agreement = stage.agreement(2, challenge=0)
    fund(stage, agreement)
    before = stage.token.balanceOf(stage.payee)
    stage.escrow.submit(part(agreement, 0), DELIVERABLE, sender=stage.payee)

    attest(stage, agreement, 0, Attestation(0, DELIVERABLE, 10_000))

    assert stage.token.balanceOf(stage.payee) - before == AMOUNT - agreement.terms.tip
    assert stage.escrow.state(stage.id(agreement)) == (3, 1)


def test_a_verdict_waits_out_its_challenge_window_and_any_stranger_settles_it(stage):
    agreement = stage.agreement(3)
    fund(stage, agreement)
    stage.escrow.submit(part(agreement, 0), DELIVERABLE, sender=stage.payee)
    attest(stage, agreement, 0, Attestation(0, DELIVERABLE, 10_000))
    with ape.reverts(stage.escrow.TooEarly):
        stage.escrow.settle(part(agreement, 0), sender=stage.stranger)

    stage.pass_time(2 * DAY + 1)
    receipt = stage.escrow.settle(part(agreement, 0), sender=stage.stranger)

    (event,) = receipt.decode_logs(stage.escrow.Settled)
    assert (event.cause, event.toPayee, event.tip) == (
        Cause.ATTESTED,
        AMOUNT - agreement.terms.tip,
        agreement.terms.tip,
    )
    with ape.reverts(stage.escrow.AlreadySettled):
        stage.escrow.settle(part(agreement, 0), sender=stage.stranger)


def test_a_disputed_verdict_is_ruled_to_the_unit(stage):
    agreement = stage.agreement(4)
    fund(stage, agreement)
    stage.escrow.submit(part(agreement, 0), DELIVERABLE, sender=stage.payee)
    attest(stage, agreement, 0, Attestation(0, DELIVERABLE, 10_000))
    stage.escrow.dispute(part(agreement, 0), b"late", sender=stage.payer)

    receipt = stage.escrow.rule(stage.id(agreement), part(agreement, 0), 4_000, sender=stage.arbiter)

    (event,) = receipt.decode_logs(stage.escrow.Settled)
    assert (event.toPayee, event.toPayer, event.tip) == (AMOUNT * 4 // 10, AMOUNT * 6 // 10, 0)


@pytest.mark.parametrize("submitted", [False, True])
def test_due_on_chain_equals_due_in_python(stage, submitted):
    agreement = stage.agreement(5 + submitted)
    fund(stage, agreement)
    state = MilestoneState(Status.FUNDED, 0, 0)
    if submitted:
        stage.escrow.submit(part(agreement, 1), DELIVERABLE, sender=stage.payee)
        now = stage.provider.get_block("latest").timestamp
        state = MilestoneState(Status.SUBMITTED, 0, now, DELIVERABLE[:24])

    on_chain = stage.escrow.due(part(agreement, 1))

    expected = due(agreement.terms, agreement.milestones[1], state)
    assert tuple(on_chain) == (expected.cause, expected.share, expected.ready_at)


def test_one_stranger_cannot_forge_the_second_signature(stage):
    agreement = stage.agreement(7)
    fund(stage, agreement)
    attestation = Attestation(0, bytes(32), 10_000)
    proof = bytearray(stage.proof(agreement, 0, attestation))
    proof[-64:] = proof[-128:-64]  # the first member's signature in the second member's place

    with ape.reverts(stage.verifier.BadSignature):
        stage.escrow.attest(part(agreement, 0), (0, bytes(32), 10_000), bytes(proof), sender=stage.stranger)
