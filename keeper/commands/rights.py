"""Who may do what to a milestone, and when: the drawn table of keeper.protocol.machine at one head. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.protocol.machine import TRANSITIONS, Action, Transition, Who, available
from keeper.protocol.types import (
    MAX_ATTEMPT,
    MAX_UINT40,
    ZERO_ADDRESS,
    Milestone,
    MilestoneState,
    Terms,
)

PAYER, PAYEE, ARBITER, ATTESTERS, ANYONE = "payer", "payee", "arbiter", "attesters", "anyone"

_ROLES = {
    Who.PAYER: (PAYER,),
    Who.PAYEE: (PAYEE,),
    Who.PARTY: (PAYER, PAYEE),
    Who.ARBITER: (ARBITER,),
    Who.QUORUM: (ATTESTERS,),
    Who.BOTH: (),
    Who.ANYONE: (ANYONE,),
}
"""What both parties have to sign is no one role's right."""
_CALLS = {Action.AWARD: "attest", Action.REJECT: "attest"}


@dataclass(frozen=True, slots=True)
class Right:
    """One action that a role has, now or later, if nothing else happens first."""

    role: str
    action: str
    """The command's name: `approve`, `submit`, `attest` (an award or a rejection alike), ..."""
    opens: int
    """Unix seconds: the first second at which it works; 0: it works already."""
    until: int | None
    """Unix seconds: the last second at which it works; None: until the milestone is settled."""

    def open_at(self, now: int) -> bool:
        """Whether the action works at `now`."""
        return self.opens <= now and (self.until is None or now <= self.until)


def rights(terms: Terms, milestone: Milestone, state: MilestoneState | None, now: int) -> tuple[Right, ...]:
    """Every action on a milestone that works at `now` or will open later by time alone, each once.

    `state` None is a milestone never funded: only funding is left. Settled milestones have no rights: do not ask.
    """
    if state is None:
        listed = iter([Right(ANYONE, "fund", 0, milestone.submit_by - 1)])
    else:
        listed = _open_rights(terms, milestone, state)
    return tuple(dict.fromkeys(r for r in listed if r.until is None or now <= r.until))


def roles_of(terms: Terms, address: str | None) -> tuple[str, ...]:
    """The roles that `address` has in the terms; payer, payee and arbiter are always three different addresses."""
    named = ((PAYER, terms.payer), (PAYEE, terms.payee), (ARBITER, terms.arbiter))
    return tuple(role for role, holder in named if address and holder == address != ZERO_ADDRESS)


def holders(action: str) -> tuple[str, ...]:
    """The roles that may ever do `action`, whatever the state."""
    rows = [row for row in TRANSITIONS if _CALLS.get(row.action, row.action.value) == action]
    return tuple(dict.fromkeys(role for row in rows for role in _ROLES[row.who]))


def _open_rights(terms: Terms, milestone: Milestone, state: MilestoneState) -> Iterator[Right]:
    for row in TRANSITIONS:
        if row.source == state.status and _applies(row, terms, state):
            closes = row.closes(terms, milestone, state)
            until = None if closes >= MAX_UINT40 else closes
            action = _CALLS.get(row.action, row.action.value)
            yield from (Right(role, action, row.opens(terms, milestone, state), until) for role in _ROLES[row.who])


def _applies(row: Transition, terms: Terms, state: MilestoneState) -> bool:
    if row.after_rejection and state.attempt == 0:
        return False
    if row.action == Action.SUBMIT and state.attempt >= MAX_ATTEMPT:
        return False
    return available(terms, row.action)
