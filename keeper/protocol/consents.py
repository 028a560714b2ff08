"""What parties do by their signatures: agree on a split, move milestones to other terms, accept.

A signature counts for what it names and for nothing else (docs/protocol.md section 4).
"""

from __future__ import annotations

from keeper.protocol.door import closed, settle
from keeper.protocol.encoding import agreement_id
from keeper.protocol.gate import find
from keeper.protocol.intake import open_milestones
from keeper.protocol.refusals import Name, Refused
from keeper.protocol.turn import Turn
from keeper.protocol.types import ALL_BPS, UNTOUCHED, Address, AgreementId, Cause, Terms, sum_of
from keeper.protocol.world import Accept, Agree, AgreementState, Amend, Consent


def agree(turn: Turn, call: Agree) -> None:
    """Share one milestone as both parties signed."""
    turn.check_chain()
    found = find(turn, call.part)
    if call.payee_bps > ALL_BPS:
        raise Refused(Name.BPS_TOO_LARGE, call.payee_bps)
    _check_times(turn, call.as_of, call.deadline)
    _check_fresh(call.part.index, found.state.since, call.as_of)
    _check_signed(turn, call.part.terms.payer, call.payer)
    _check_signed(turn, call.part.terms.payee, call.payee)

    settle(turn, found, Cause.AGREED, call.payee_bps)


def amend(turn: Turn, call: Amend) -> AgreementId:
    """End milestones of one agreement and fund others of another one, as both parties signed."""
    what, terms = call.amendment, call.to_terms
    turn.check_chain()
    _check_times(turn, what.as_of, what.deadline)
    source = agreement_id(turn.domain, call.from_terms, call.from_milestones)
    target = agreement_id(turn.domain, terms, call.to_milestones)
    if _who_and_what(call.from_terms) != _who_and_what(terms):
        raise Refused(Name.NOT_AN_AMENDMENT, source, target)
    held = _check_closes(turn, source, call)
    if opened := turn.agreement(target):
        raise Refused(Name.ALREADY_FUNDED, target, opened.funded)
    _check_signed(turn, terms.payer, call.payer)
    _check_signed(turn, terms.payee, call.payee)

    turn.put(source, closed(held, what.closes))
    freed = sum_of(call.from_milestones, what.closes)
    _, needed = open_milestones(turn, terms, call.to_milestones, what.opens, turn.ctx.caller)
    turn.emit("Amended", source, target, what.closes, what.opens, min(freed, needed))
    turn.pull(terms.token, max(needed - freed, 0))
    turn.push(terms.token, terms.payer, max(freed - needed, 0))
    return target


def accept(turn: Turn, call: Accept) -> AgreementId:
    """Record that the payee accepts the terms, funded or not."""
    turn.check_chain()
    id_ = agreement_id(turn.domain, call.terms, call.milestones)
    _check_signed(turn, call.terms.payee, call.payee)

    turn.emit("Accepted", id_, call.terms.payee)
    return id_


def _who_and_what(terms: Terms) -> tuple[Address, Address, Address]:
    return terms.payer, terms.payee, terms.token


def _check_closes(turn: Turn, source: AgreementId, call: Amend) -> AgreementState:
    """The agreement whose milestones end; all of them must be open and have stood still since the offer."""
    what, held = call.amendment, turn.agreement(source)
    if what.closes == 0:
        raise Refused(Name.EMPTY_MASK)
    missing = what.closes & ~(held.open_bits if held else 0)
    if missing or held is None:
        raise Refused(Name.NOT_OPEN, source, missing)
    for index in (i for i in range(what.closes.bit_length()) if what.closes >> i & 1):
        _check_fresh(index, held.states.get(index, UNTOUCHED).since, what.as_of)
    return held


def _check_times(turn: Turn, as_of: int, deadline: int) -> None:
    now = turn.ctx.now
    if now > deadline:
        raise Refused(Name.TOO_LATE, deadline, now)
    if as_of > now:
        raise Refused(Name.AS_OF_IN_FUTURE, as_of, now)


def _check_fresh(index: int, since: int, as_of: int) -> None:
    """An offer dies when what it is about has moved since its signer looked, or in that very second."""
    if since >= as_of:
        raise Refused(Name.STALE, index, since, as_of)


def _check_signed(turn: Turn, party: Address, consent: Consent) -> None:
    """Signed by the party, or sent by it without a signature."""
    if consent == Consent.SIGNED or (consent == Consent.EMPTY and turn.ctx.caller == party):
        return
    raise Refused(Name.NOT_SIGNED_BY, party)
