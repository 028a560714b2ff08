"""Finding a call's milestone, and asking the table whether the call may move it (docs/protocol.md section 4).

A call that breaks several rules is refused for the first of: which milestone, which judge, who, what status, when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from keeper.protocol.encoding import agreement_id_of_part, leaf
from keeper.protocol.machine import Action, Who, available, may, transition
from keeper.protocol.refusals import Name, Refused
from keeper.protocol.turn import Turn
from keeper.protocol.types import ZERO24, AgreementId, Bps, MilestoneState, Part, Status
from keeper.protocol.world import AgreementState, Ctx


@dataclass(frozen=True, slots=True)
class Open:
    """An open milestone, found."""

    id: AgreementId
    held: AgreementState
    part: Part
    state: MilestoneState


def id_of(turn: Turn, part: Part) -> AgreementId:
    """The id a part hashes to, or refuse a milestone that is not its leaf (docs/protocol.md section 3, Id)."""
    if part.index >= len(part.leaves):
        raise Refused(Name.INDEX_OUTSIDE_SCHEDULE, part.index, len(part.leaves))
    have, want = leaf(part.milestone), part.leaves[part.index]
    if have != want:
        raise Refused(Name.WRONG_MILESTONE, part.index, have, want)
    return agreement_id_of_part(turn.domain, part)


def find(turn: Turn, part: Part) -> Open:
    """The milestone of `part`, which must be funded and not settled (docs/protocol.md section 4)."""
    id_ = id_of(turn, part)
    held = turn.agreement(id_)
    if held is None or not held.funded >> part.index & 1:
        raise Refused(Name.NOT_FUNDED, id_, part.index)
    state = held.open_state(part.index)
    if state is None:
        raise Refused(Name.ALREADY_SETTLED, id_, part.index)
    return Open(id_, held, part, state)


def permitted(turn: Turn, part: Part, action: Action) -> Open:
    """The open milestone of `part`, if the table lets the caller do `action` now (docs/protocol.md section 4)."""
    found = find(turn, part)
    check_judge(found, action)
    check_row(turn.ctx, found, action)
    return found


def check_judge(found: Open, action: Action) -> None:
    """Refuse what needs a verifier or an arbiter where the terms name none (docs/protocol.md section 4).

    `rule` is refused there too, for its caller: nobody is the arbiter.
    """
    if action == Action.RULE or available(found.part.terms, action):
        return
    raise Refused(Name.NO_ARBITER if action == Action.DISPUTE else Name.NO_VERIFIER, found.id)


def check_row(ctx: Ctx, found: Open, action: Action) -> None:
    """Refuse what the table's row for `action` does not let this caller do now (docs/protocol.md section 4)."""
    part, state = found.part, found.state
    _check_caller(ctx, part, _ROLES.get(action, Who.ANYONE))
    row = transition(state, action)
    if row is None:
        raise Refused(Name.WRONG_STATUS, found.id, part.index, state.status)
    _check_caller(ctx, part, row.who)
    opens = row.opens(part.terms, part.milestone, state)
    if ctx.now < opens:
        raise Refused(Name.TOO_EARLY, opens, ctx.now)
    closes = row.closes(part.terms, part.milestone, state)
    if ctx.now > closes:
        raise Refused(Name.TOO_LATE, closes, ctx.now)


_ROLES = {
    Action.SUBMIT: Who.PAYEE,
    Action.DISPUTE: Who.PARTY,
    Action.RULE: Who.ARBITER,
    Action.APPROVE: Who.PAYER,
    Action.WAIVE: Who.PAYEE,
}
"""Who may do something from one status or another; the row says who may from the milestone's own."""


def _check_caller(ctx: Ctx, part: Part, who: Who) -> None:
    if may(who, part.terms, ctx.caller):
        return
    match who:
        case Who.PAYER:
            raise Refused(Name.NOT_PAYER, ctx.caller, part.terms.payer)
        case Who.PAYEE:
            raise Refused(Name.NOT_PAYEE, ctx.caller, part.terms.payee)
        case Who.ARBITER:
            raise Refused(Name.NOT_ARBITER, ctx.caller, part.terms.arbiter)
        case _:
            raise Refused(Name.NOT_PARTY, ctx.caller)


def move(
    turn: Turn,
    found: Open,
    status: Status,
    *,
    attempt: int | None = None,
    deliverable24: bytes = ZERO24,
    standing_bps: Bps = 0,
) -> None:
    """Write the milestone's word; every move starts its clock anew (docs/protocol.md section 3, State)."""
    number = found.state.attempt if attempt is None else attempt
    state = MilestoneState(status, number, turn.ctx.now, deliverable24, standing_bps)
    states = {**found.held.states, found.part.index: state}
    turn.put(found.id, replace(found.held, states=states))
