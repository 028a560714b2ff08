"""The escrow as a pure function: `step(world, ctx, call)` is the outcome, or the refusal (docs/protocol.md section 4).

Here is what one caller does to one milestone: find it, ask the table of `machine.py`, and either move its state or go
through the one door (`door.py`). Money in is `intake.py`, what both parties sign is `consents.py`.
"""

from __future__ import annotations

from keeper.protocol.consents import accept, agree, amend
from keeper.protocol.door import settle
from keeper.protocol.due import due, settle_bps
from keeper.protocol.gate import Open, check_judge, check_row, find, id_of, move, permitted
from keeper.protocol.intake import fund, fund_with_authorization
from keeper.protocol.machine import Action, standing_after_dispute
from keeper.protocol.refusals import Name, Refusal, Refused
from keeper.protocol.turn import Turn
from keeper.protocol.types import (
    ALL_BPS,
    MAX_ATTEMPT,
    ZERO24,
    ZERO32,
    ZERO_ADDRESS,
    Cause,
    Part,
    Status,
)
from keeper.protocol.world import (
    Accept,
    Agree,
    Amend,
    Approve,
    Attest,
    Call,
    Ctx,
    Deliver,
    Dispute,
    Fund,
    FundWithAuthorization,
    FundWithPermit,
    Multicall,
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
        if ctx.value and not isinstance(call, Fund | Amend | Dispute):
            raise Refused(Name.NOT_PAYABLE)
        return turn.finish(_apply(turn, call))
    except Refused as refused:
        return refused.refusal


def _apply(turn: Turn, call: Call) -> object:
    """Do it; what the contract returns, or None."""
    match call:
        case Fund() | FundWithPermit():
            return fund(turn, call)
        case FundWithAuthorization():
            return fund_with_authorization(turn, call)
        case Amend():
            return amend(turn, call)
        case Accept():
            return accept(turn, call)
        case SettleMany():
            return tuple(_settle_or_skip(turn, part) for part in call.parts)
        case Withdraw():
            return _withdraw(turn, call)
        case Deliver():
            return turn.pay_credit(call.token, call.owner, call.owner)
        case Multicall():
            return tuple(_apply(turn, inner) for inner in call.calls)
        case _:
            _act(turn, call)
            return None


def _act(turn: Turn, call: Submit | Attest | Approve | Waive | Agree | Dispute | Rule | Settle) -> None:
    """What is about one milestone."""
    match call:
        case Submit():
            _submit(turn, call)
        case Attest():
            _attest(turn, call)
        case Approve():
            settle(turn, permitted(turn, call.part, Action.APPROVE), Cause.APPROVED, ALL_BPS)
        case Waive():
            settle(turn, permitted(turn, call.part, Action.WAIVE), Cause.WAIVED, 0)
        case Agree():
            agree(turn, call)
        case Dispute():
            _dispute(turn, call)
        case Rule():
            _rule(turn, call)
        case Settle():
            _settle_when_due(turn, call.part)


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
        settle(turn, found, Cause.ATTESTED, verdict.payout_bps)
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
    settle(turn, found, Cause.RULED, call.payee_bps)


def _settle_when_due(turn: Turn, part: Part) -> None:
    """What time alone does: the clock's cause and share (docs/protocol.md section 4)."""
    found = permitted(turn, part, Action.SETTLE)
    cause = due(part.terms, part.milestone, found.state).cause
    settle(turn, found, cause, settle_bps(part.terms, found.state))


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


def _withdraw(turn: Turn, call: Withdraw) -> int:
    """docs/protocol.md section 4, Payout: the owner takes the whole credit."""
    if call.to in (ZERO_ADDRESS, turn.escrow):
        raise Refused(Name.BAD_RECIPIENT, call.to)
    return turn.pay_credit(call.token, turn.ctx.caller, call.to)
