"""Finding a call's milestone, and asking the table whether the call may move it (docs/protocol.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from keeper.errors import MilepostError
from keeper.protocol.encoding import agreement_id_of_part
from keeper.protocol.machine import Action, available, may, transition
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
    try:
        return agreement_id_of_part(turn.domain, part)
    except MilepostError as error:
        raise Refused(Name.BAD_PART, part.index) from error


def permitted(turn: Turn, part: Part, action: Action) -> Open:
    """The open milestone of `part`, if the table lets the caller do `action` now (docs/protocol.md section 4)."""
    id_ = id_of(turn, part)
    held = turn.agreement(id_)
    if held is None or not held.funded >> part.index & 1:
        raise Refused(Name.NOT_FUNDED, id_, part.index)
    state = held.open_state(part.index)
    if state is None:
        raise Refused(Name.ALREADY_SETTLED, id_, part.index)
    _check_row(turn.ctx, part, state, action)
    return Open(id_, held, part, state)


def _check_row(ctx: Ctx, part: Part, state: MilestoneState, action: Action) -> None:
    if not available(part.terms, action):
        raise Refused(Name.NO_ARBITER if action in (Action.DISPUTE, Action.RULE) else Name.NO_VERIFIER)
    row = transition(state, action)
    if row is None:
        raise Refused(Name.WRONG_STATUS, state.status)
    if not may(row.who, part.terms, ctx.caller):
        raise Refused(Name.WRONG_CALLER, ctx.caller)
    opens = row.opens(part.terms, part.milestone, state)
    if ctx.now < opens:
        raise Refused(Name.NOT_DUE if action == Action.SETTLE else Name.TOO_EARLY, ctx.now, opens)
    closes = row.closes(part.terms, part.milestone, state)
    if ctx.now > closes:
        raise Refused(Name.TOO_LATE, ctx.now, closes)


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
