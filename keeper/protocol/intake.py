"""Money in: the three ways to fund, and the rules that all of them and `amend` share (docs/protocol.md section 3)."""

from __future__ import annotations

from dataclasses import replace

from keeper.protocol.encoding import agreement_id
from keeper.protocol.funding import deadline_faults, structural_faults
from keeper.protocol.refusals import Name, Refused
from keeper.protocol.turn import Turn
from keeper.protocol.types import ZERO_ADDRESS, Address, Agreement, AgreementId, Milestone, Terms, sum_of
from keeper.protocol.world import AgreementState, Fund, FundWithAuthorization, FundWithPermit


def fund(turn: Turn, call: Fund | FundWithPermit) -> AgreementId:
    """Take the caller's money. A permit only changes the allowance, which decides alone."""
    id_, total = _check(turn, call)
    turn.check_value(call.terms.token, total)

    enter(turn, id_, call.terms, call.milestones, call.mask, turn.ctx.caller)
    turn.pull(call.terms.token, total)
    return id_


def fund_with_authorization(turn: Turn, call: FundWithAuthorization) -> AgreementId:
    """Take the payer's money on his ERC-3009 signature, whose nonce names just these milestones."""
    id_, total = _check(turn, call)
    if call.terms.token == ZERO_ADDRESS:
        raise Refused(Name.NO_CODE, ZERO_ADDRESS)
    if not call.authorized:
        raise Refused(Name.AUTHORIZATION_REFUSED)

    enter(turn, id_, call.terms, call.milestones, call.mask, call.terms.payer)
    turn.receive(call.terms.token, call.terms.payer, total)
    return id_


def check_structure(turn: Turn, terms: Terms, milestones: tuple[Milestone, ...]) -> None:
    """The first structural rule that is broken, whichever milestones are paid for."""
    for fault in structural_faults(terms, milestones, turn.escrow, turn.contracts):
        raise Refused(fault.refusal.name, *fault.refusal.args)


def check_mask(turn: Turn, id_: AgreementId, milestones: tuple[Milestone, ...], mask: int) -> None:
    """The first rule that the milestones to be paid for break."""
    if mask == 0:
        raise Refused(Name.EMPTY_MASK)
    if mask >> len(milestones):
        raise Refused(Name.MASK_OUTSIDE_SCHEDULE, mask, len(milestones))
    held = turn.agreement(id_)
    if held and held.funded & mask:
        raise Refused(Name.ALREADY_FUNDED, id_, held.funded & mask)
    for fault in deadline_faults(milestones, mask, turn.ctx.now):
        raise Refused(fault.refusal.name, *fault.refusal.args)


def enter(
    turn: Turn, id_: AgreementId, terms: Terms, milestones: tuple[Milestone, ...], mask: int, funder: Address
) -> None:
    """Write the milestones down as funded, and say so."""
    held = turn.agreement(id_) or AgreementState(Agreement(terms, milestones))
    turn.put(id_, replace(held, funded=held.funded | mask))
    turn.emit("Funded", id_, terms.payer, terms.payee, funder, mask, terms, milestones)


def _check(turn: Turn, call: Fund | FundWithAuthorization | FundWithPermit) -> tuple[AgreementId, int]:
    """The id, and what its milestones in the mask cost; or a refusal."""
    turn.check_chain()
    check_structure(turn, call.terms, call.milestones)
    id_ = agreement_id(turn.domain, call.terms, call.milestones)
    check_mask(turn, id_, call.milestones, call.mask)
    return id_, sum_of(call.milestones, call.mask)
