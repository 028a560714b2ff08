"""The escrow as a pure function: `step(world, ctx, call)` is the outcome, or the refusal (docs/protocol.md section 4).

Every call but `fund` and `withdraw` finds its milestone, asks the table of `machine.py`, and either moves the state or
goes through the one door, `_settle`. Tokens are plain ERC-20 or native; `agree` and `amend` are not modelled yet.
"""

from __future__ import annotations

from dataclasses import replace

from keeper.protocol.due import due, settle_bps
from keeper.protocol.encoding import agreement_id
from keeper.protocol.funding import deadline_faults, structural_faults
from keeper.protocol.gate import Open, check_judge, check_row, find, id_of, move, permitted
from keeper.protocol.machine import Action, standing_after_dispute
from keeper.protocol.payout import payout
from keeper.protocol.refusals import Name, Refusal, Refused
from keeper.protocol.turn import Turn
from keeper.protocol.types import (
    ALL_BPS,
    MAX_ATTEMPT,
    ZERO24,
    ZERO32,
    ZERO_ADDRESS,
    Agreement,
    AgreementId,
    Bps,
    Cause,
    Part,
    Status,
)
from keeper.protocol.world import (
    AgreementState,
    Approve,
    Attest,
    Call,
    Ctx,
    Dispute,
    Fund,
    Outcome,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
    World,
)


def step(world: World, ctx: Ctx, call: Call) -> Outcome | Refusal:
    """What the escrow does with one call: outcome or refusal, `world` itself unchanged (docs/protocol.md section 4)."""
    turn = Turn(world, ctx)
    try:
        if ctx.value and not isinstance(call, Fund | Dispute):
            raise Refused(Name.NOT_PAYABLE)
        return turn.finish(_apply(turn, call))
    except Refused as refused:
        return refused.refusal


def _apply(turn: Turn, call: Call) -> object:
    match call:
        case Fund():
            return _fund(turn, call)
        case SettleMany():
            return tuple(_settle_or_skip(turn, part) for part in call.parts)
        case Withdraw():
            return _withdraw(turn, call)
        case Submit():
            _submit(turn, call)
        case Attest():
            _attest(turn, call)
        case Approve():
            _settle(turn, permitted(turn, call.part, Action.APPROVE), Cause.APPROVED, ALL_BPS)
        case Waive():
            _settle(turn, permitted(turn, call.part, Action.WAIVE), Cause.WAIVED, 0)
        case Dispute():
            _dispute(turn, call)
        case Rule():
            _rule(turn, call)
        case Settle():
            _settle_when_due(turn, call.part)
    return None


def _fund(turn: Turn, call: Fund) -> AgreementId:
    """docs/protocol.md section 3, Refused at funding, and section 4."""
    turn.check_chain()
    terms, milestones, mask = call.terms, call.milestones, call.mask
    for fault in structural_faults(terms, milestones, turn.escrow, turn.contracts, native=turn.native):
        raise Refused(fault.refusal.name, *fault.refusal.args)
    if mask == 0:
        raise Refused(Name.EMPTY_MASK)
    if mask >> len(milestones):
        raise Refused(Name.MASK_OUTSIDE_SCHEDULE, mask, len(milestones))
    id_ = agreement_id(turn.domain, terms, milestones)
    held = turn.agreement(id_) or AgreementState(Agreement(terms, milestones))
    if held.funded & mask:
        raise Refused(Name.ALREADY_FUNDED, id_, held.funded & mask)
    for fault in deadline_faults(milestones, mask, turn.ctx.now):
        raise Refused(fault.refusal.name, *fault.refusal.args)

    turn.put(id_, replace(held, funded=held.funded | mask))
    turn.emit("Funded", id_, terms.payer, terms.payee, turn.ctx.caller, mask, terms, milestones)
    turn.pull(terms.token, sum(m.amount for i, m in enumerate(milestones) if mask >> i & 1))
    return id_


def _submit(turn: Turn, call: Submit) -> None:
    found = permitted(turn, call.part, Action.SUBMIT)
    if call.deliverable[:24] == ZERO24:
        raise Refused(Name.ZERO_DELIVERABLE)
    if found.state.attempt >= MAX_ATTEMPT:
        raise Refused(Name.TOO_MANY_ATTEMPTS, found.state.attempt)

    kept = call.deliverable[:24]
    move(turn, found, Status.SUBMITTED, deliverable24=kept)
    turn.emit("Submitted", found.id, call.part.index, found.state.attempt, kept + bytes(8))


def _attest(turn: Turn, call: Attest) -> None:
    """A verdict: an award, or the rejection of a submission (docs/protocol.md sections 4 and 5)."""
    verdict, index, terms = call.attestation, call.part.index, call.part.terms
    found = find(turn, call.part)
    turn.check_chain()
    judged = _check_verdict(turn, found, call)

    facts = (found.id, index, found.state.attempt, judged)
    if verdict.payout_bps == 0:
        move(turn, found, Status.FUNDED, attempt=found.state.attempt + 1)
        turn.emit("Rejected", *facts)
        return
    turn.emit("Attested", *facts, verdict.payout_bps)
    if terms.challenge_window == 0:
        _settle(turn, found, Cause.ATTESTED, verdict.payout_bps)
        return
    move(turn, found, Status.ATTESTED, standing_bps=verdict.payout_bps)


def _check_verdict(turn: Turn, found: Open, call: Attest) -> bytes:
    """The deliverable that is judged, or a refusal: of the fields, then of the proof (docs/protocol.md section 4)."""
    verdict, state = call.attestation, found.state
    action = Action.AWARD if verdict.payout_bps else Action.REJECT
    check_judge(found, action)
    if verdict.payout_bps > ALL_BPS:
        raise Refused(Name.BPS_TOO_LARGE, verdict.payout_bps)
    if verdict.attempt != state.attempt:
        raise Refused(Name.WRONG_ATTEMPT, verdict.attempt, state.attempt)
    check_row(turn.ctx, found, action)
    if state.status == Status.SUBMITTED:
        judged = state.deliverable24 + bytes(8)
        matches = verdict.deliverable[:24] == state.deliverable24
    else:
        judged = ZERO32
        matches = verdict.deliverable == ZERO32
    if not matches:
        raise Refused(Name.WRONG_DELIVERABLE, verdict.deliverable, judged)
    if not call.proven:
        raise Refused(Name.VERIFIER_REFUSED)
    return judged


def _dispute(turn: Turn, call: Dispute) -> None:
    """docs/protocol.md sections 4 and 6: what would have stood without the dispute stands if nobody rules."""
    terms = call.part.terms
    found = permitted(turn, call.part, Action.DISPUTE)
    if turn.ctx.value and not terms.arbiter_hook:
        raise Refused(Name.WRONG_VALUE, turn.ctx.value, 0)
    if terms.arbiter_hook and not turn.ctx.hook_accepts:
        raise Refused(Name.ARBITER_REFUSED)
    standing = standing_after_dispute(terms, found.state)

    move(turn, found, Status.DISPUTED, standing_bps=standing)
    turn.emit("Disputed", found.id, call.part.index, turn.ctx.caller, standing, call.data)
    if terms.arbiter_hook:
        turn.pass_to_hook(terms.arbiter)


def _rule(turn: Turn, call: Rule) -> None:
    found = find(turn, call.part)
    if found.id != call.agreement:
        raise Refused(Name.WRONG_AGREEMENT, found.id, call.agreement)
    check_row(turn.ctx, found, Action.RULE)
    if call.payee_bps > ALL_BPS:
        raise Refused(Name.BPS_TOO_LARGE, call.payee_bps)
    _settle(turn, found, Cause.RULED, call.payee_bps)


def _settle_when_due(turn: Turn, part: Part) -> None:
    """What time alone does: the clock's cause and share (docs/protocol.md section 4)."""
    found = permitted(turn, part, Action.SETTLE)
    cause = due(part.terms, part.milestone, found.state).cause
    _settle(turn, found, cause, settle_bps(part.terms, found.state))


def _settle_or_skip(turn: Turn, part: Part) -> bool:
    """`settleMany` skips what is not due; a part of no agreement at all reverts (docs/protocol.md section 4)."""
    id_ = id_of(turn, part)
    if turn.agreement(id_) is None:
        raise Refused(Name.NOT_FUNDED, id_, part.index)
    try:
        _settle_when_due(turn, part)
    except Refused:
        return False
    return True


def _settle(turn: Turn, found: Open, cause: Cause, payee_bps: Bps) -> None:
    """The one door: pay out and close (docs/protocol.md section 4, Payout)."""
    terms, index = found.part.terms, found.part.index
    with_tip = cause in (Cause.ATTESTED, Cause.LAPSED, Cause.UNREVIEWED, Cause.UNRULED)
    paid = payout(found.part.milestone.amount, payee_bps, terms.fee_bps, terms.tip, with_tip)
    executor = turn.ctx.caller

    states = {i: s for i, s in found.held.states.items() if i != index}
    turn.put(found.id, replace(found.held, closed=found.held.closed | 1 << index, states=states))
    facts = (cause, payee_bps, paid.to_payee, paid.to_payer, paid.fee, paid.tip, executor)
    turn.emit("Settled", found.id, index, *facts)
    turn.push(terms.token, terms.payee, paid.to_payee)
    turn.push(terms.token, terms.payer, paid.to_payer)
    turn.push(terms.token, terms.fee_to, paid.fee)
    turn.push(terms.token, executor, paid.tip)


def _withdraw(turn: Turn, call: Withdraw) -> int:
    """docs/protocol.md section 4, Payout: the owner takes the whole credit."""
    if call.to in (ZERO_ADDRESS, turn.escrow):
        raise Refused(Name.BAD_RECIPIENT, call.to)
    amount = turn.withdraw(call.token, call.to)
    turn.emit("Withdrawn", call.token, turn.ctx.caller, call.to, amount)
    return amount
