"""The one door through which a milestone's money is paid out (docs/protocol.md sections 1 and 4, Payout)."""

from __future__ import annotations

from dataclasses import replace

from keeper.protocol.gate import Open
from keeper.protocol.payout import payout
from keeper.protocol.turn import Turn
from keeper.protocol.types import Bps, Cause
from keeper.protocol.world import AgreementState

_TIPPED = (Cause.ATTESTED, Cause.LAPSED, Cause.UNREVIEWED, Cause.UNRULED)
"""Causes of `attest`, `settle` and `settleMany`."""


def settle(turn: Turn, found: Open, cause: Cause, payee_bps: Bps) -> None:
    """Close the milestone and pay out; the caller has checked that it is open and that the cause is due."""
    terms, index = found.part.terms, found.part.index
    paid = payout(found.part.milestone.amount, payee_bps, terms.fee_bps, terms.tip, with_tip=cause in _TIPPED)
    executor = turn.ctx.caller

    turn.put(found.id, closed(found.held, 1 << index))
    facts = (cause, payee_bps, paid.to_payee, paid.to_payer, paid.fee, paid.tip, executor)
    turn.emit("Settled", found.id, index, *facts)
    turn.push(terms.token, terms.payee, paid.to_payee)
    turn.push(terms.token, terms.payer, paid.to_payer)
    turn.push(terms.token, terms.fee_to, paid.fee)
    turn.push(terms.token, executor, paid.tip)


def closed(held: AgreementState, bits: int) -> AgreementState:
    """The agreement with these milestones ended."""
    states = {i: state for i, state in held.states.items() if not bits >> i & 1}
    return replace(held, closed=held.closed | bits, states=states)
