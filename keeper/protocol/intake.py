"""Money in: the three ways to fund, and the rules that all of them and `amend` share (docs/protocol.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from keeper.protocol.encoding import agreement_id
from keeper.protocol.funding import Fault, count_faults, schedule_faults, terms_faults
from keeper.protocol.refusals import Name, Refused
from keeper.protocol.turn import Turn
from keeper.protocol.types import ZERO_ADDRESS, Address, Agreement, AgreementId, Milestone, Terms, sum_of
from keeper.protocol.world import AgreementState, Fund, FundWithAuthorization, FundWithPermit


def fund(turn: Turn, call: Fund | FundWithPermit) -> AgreementId:
    """Take the caller's money. A permit only changes the allowance, which decides alone."""
    id_, total = open_milestones(turn, call.terms, call.milestones, call.mask, turn.ctx.caller)
    turn.pull(call.terms.token, total)
    return id_


def fund_with_authorization(turn: Turn, call: FundWithAuthorization) -> AgreementId:
    """Take the payer's money on his ERC-3009 signature, whose nonce names just these milestones."""
    terms = call.terms
    id_, total = open_milestones(turn, terms, call.milestones, call.mask, terms.payer)
    if terms.token == ZERO_ADDRESS:
        raise Refused(Name.NO_CODE, ZERO_ADDRESS)
    if not call.authorized:
        raise Refused(Name.AUTHORIZATION_REFUSED)

    turn.receive(terms.token, terms.payer, total)
    return id_


def open_milestones(
    turn: Turn, terms: Terms, milestones: tuple[Milestone, ...], mask: int, funder: Address
) -> tuple[AgreementId, int]:
    """Write the milestones down as funded by somebody, and say so; the id, and what they cost.

    Refuses the first rule that is broken (docs/protocol.md section 3, Refused at funding).
    """
    turn.check_chain()
    id_ = agreement_id(turn.domain, terms, milestones)
    held = turn.agreement(id_) or AgreementState(Agreement(terms, milestones))
    _check_schedule(turn, terms, milestones, mask)
    if held.funded & mask:
        raise Refused(Name.ALREADY_FUNDED, id_, held.funded & mask)
    _raise_first(terms_faults(terms, turn.escrow, turn.contracts))

    turn.put(id_, replace(held, funded=held.funded | mask))
    turn.emit("Funded", id_, terms.payer, terms.payee, funder, mask, terms, milestones)
    return id_, sum_of(milestones, mask)


def _check_schedule(turn: Turn, terms: Terms, milestones: tuple[Milestone, ...], mask: int) -> None:
    _raise_first(count_faults(milestones))
    if mask == 0:
        raise Refused(Name.EMPTY_MASK)
    if mask >> len(milestones):
        raise Refused(Name.MASK_OUTSIDE_SCHEDULE, mask, len(milestones))
    _raise_first(schedule_faults(milestones, terms.tip, mask, turn.ctx.now))


def _raise_first(faults: Iterator[Fault]) -> None:
    for fault in faults:
        raise Refused(fault.refusal.name, *fault.refusal.args)
