"""The drawn table of docs/protocol.md section 4: who may move a milestone, from where, when and whereto.

`model.py` walks this table; whoever explains a milestone to a person reads it. A window includes its last second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from keeper.protocol.due import challenge_end, due, review_end, ruling_end, silence_end
from keeper.protocol.types import (
    MAX_UINT40,
    ZERO_ADDRESS,
    Address,
    Bps,
    Cause,
    Milestone,
    MilestoneState,
    Status,
    Terms,
)

Clock: TypeAlias = Callable[[Terms, Milestone, MilestoneState], int]
"""A unix second, from terms, milestone and state."""


class Action(StrEnum):
    """What moves a milestone. AWARD and REJECT are both the call `attest`: a payout above zero, or zero."""

    SUBMIT = "submit"
    AWARD = "award"
    REJECT = "reject"
    DISPUTE = "dispute"
    RULE = "rule"
    APPROVE = "approve"
    WAIVE = "waive"
    AGREE = "agree"
    AMEND = "amend"
    SETTLE = "settle"


class Who(StrEnum):
    """Who may act; QUORUM and BOTH are anyone who carries what others signed."""

    PAYER = "payer"
    PAYEE = "payee"
    PARTY = "payer or payee"
    ARBITER = "arbiter"
    QUORUM = "anyone with a quorum proof"
    BOTH = "anyone with both parties' signatures"
    ANYONE = "anyone"


def _at_once(_terms: Terms, _milestone: Milestone, _state: MilestoneState) -> int:
    return 0


def _never(_terms: Terms, _milestone: Milestone, _state: MilestoneState) -> int:
    return MAX_UINT40


def _submit_by(_terms: Terms, milestone: Milestone, _state: MilestoneState) -> int:
    return milestone.submit_by


def _ready_at(terms: Terms, milestone: Milestone, state: MilestoneState) -> int:
    return due(terms, milestone, state).ready_at


def _review_end(terms: Terms, _milestone: Milestone, state: MilestoneState) -> int:
    return review_end(terms, state)


def _after_review(terms: Terms, _milestone: Milestone, state: MilestoneState) -> int:
    """A dispute never takes a milestone from its quorum; without one it may come at once."""
    return 0 if terms.verifier == ZERO_ADDRESS else review_end(terms, state) + 1


def _challenge_end(terms: Terms, _milestone: Milestone, state: MilestoneState) -> int:
    return challenge_end(terms, state)


def _silence_end(terms: Terms, _milestone: Milestone, state: MilestoneState) -> int:
    return silence_end(terms, state)


def _ruling_end(terms: Terms, _milestone: Milestone, state: MilestoneState) -> int:
    return ruling_end(terms, state)


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from `source`, `who` may do `action` from `opens` to `closes`, both included."""

    source: Status
    action: Action
    who: Who
    opens: Clock
    closes: Clock
    target: Status | Cause
    """The next status, or the cause with which the milestone is closed.

    An award settles at once, cause Attested, where the terms have no challenge window.
    """
    after_rejection: bool = False
    """Only for a milestone that was rejected before."""


_F, _S, _A, _D = Status.FUNDED, Status.SUBMITTED, Status.ATTESTED, Status.DISPUTED

TRANSITIONS: tuple[Transition, ...] = (
    Transition(_F, Action.SUBMIT, Who.PAYEE, _at_once, _submit_by, _S),
    Transition(_F, Action.AWARD, Who.QUORUM, _at_once, _submit_by, _A),
    Transition(_S, Action.AWARD, Who.QUORUM, _at_once, _review_end, _A),
    Transition(_S, Action.REJECT, Who.QUORUM, _at_once, _review_end, _F),
    Transition(_A, Action.DISPUTE, Who.PARTY, _at_once, _challenge_end, _D),
    Transition(_F, Action.DISPUTE, Who.PAYEE, _at_once, _challenge_end, _D, after_rejection=True),
    Transition(_S, Action.DISPUTE, Who.PARTY, _after_review, _silence_end, _D),
    Transition(_D, Action.RULE, Who.ARBITER, _at_once, _ruling_end, Cause.RULED),
    *(Transition(s, Action.APPROVE, Who.PAYER, _at_once, _never, Cause.APPROVED) for s in Status),
    *(Transition(s, Action.WAIVE, Who.PAYEE, _at_once, _never, Cause.WAIVED) for s in Status),
    *(Transition(s, Action.AGREE, Who.BOTH, _at_once, _never, Cause.AGREED) for s in Status),
    *(Transition(s, Action.AMEND, Who.BOTH, _at_once, _never, Cause.AMENDED) for s in Status),
    Transition(_A, Action.SETTLE, Who.ANYONE, _ready_at, _never, Cause.ATTESTED),
    Transition(_F, Action.SETTLE, Who.ANYONE, _ready_at, _never, Cause.LAPSED),
    Transition(_S, Action.SETTLE, Who.ANYONE, _ready_at, _never, Cause.UNREVIEWED),
    Transition(_D, Action.SETTLE, Who.ANYONE, _ready_at, _never, Cause.UNRULED),
)
"""docs/protocol.md section 4 row by row, without `fund` (which starts). Every cause but AMENDED pays out.

What both sign carries times of its own: it must have been read in a later second than the milestone's last step, and
not be past its deadline.
"""

_ROWS = {(row.source, row.action): row for row in TRANSITIONS}


def transition(state: MilestoneState, action: Action) -> Transition | None:
    """The row for `action` from `state`, or None where the table has none (docs/protocol.md section 4)."""
    row = _ROWS.get((state.status, action))
    if row is None or (row.after_rejection and state.attempt == 0):
        return None
    return row


def available(terms: Terms, action: Action) -> bool:
    """Whether the terms have the judge that `action` needs (docs/protocol.md section 4)."""
    if action in (Action.AWARD, Action.REJECT):
        return terms.verifier != ZERO_ADDRESS
    return action not in (Action.DISPUTE, Action.RULE) or terms.arbiter != ZERO_ADDRESS


def may(who: Who, terms: Terms, caller: Address) -> bool:
    """Whether `caller` is one of `who`; what others signed is checked apart (docs/protocol.md section 4)."""
    match who:
        case Who.PAYER:
            return caller == terms.payer
        case Who.PAYEE:
            return caller == terms.payee
        case Who.PARTY:
            return caller in (terms.payer, terms.payee)
        case Who.ARBITER:
            return caller == terms.arbiter
        case Who.QUORUM | Who.BOTH | Who.ANYONE:
            return True


def standing_after_dispute(terms: Terms, state: MilestoneState) -> Bps:
    """The share that stands if a dispute from `state` is never ruled (docs/protocol.md section 4)."""
    match state.status:
        case Status.SUBMITTED:
            return terms.unruled_bps if terms.verifier == ZERO_ADDRESS else terms.unreviewed_bps
        case Status.ATTESTED:
            return state.standing_bps
        case _:
            return 0


def rows_of(terms: Terms, state: MilestoneState) -> list[Transition]:
    """Every row from `state` that the terms have a judge for, whenever it is open (docs/protocol.md section 4)."""
    return [row for action in Action if available(terms, action) and (row := transition(state, action))]


def possible(terms: Terms, milestone: Milestone, state: MilestoneState, now: int) -> list[Transition]:
    """The rows that are open at unix second `now`, whoever may use them (docs/protocol.md section 4)."""
    rows = rows_of(terms, state)
    return [row for row in rows if row.opens(terms, milestone, state) <= now <= row.closes(terms, milestone, state)]
