"""A milestone's state machine walked for given terms: every state, every move, every second at which anything changes.

Nothing here is a formula. What can happen is read from the table of `machine.py` (docs/protocol.md section 4), at each
second at which something opens, closes or falls due; `worst_case.py` plays on this map. Tests hold it against
`model.step`, and against a walk that stops at every single second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from keeper.protocol.due import due, settle_bps
from keeper.protocol.machine import Action, Transition, Who, possible, rows_of, standing_after_dispute
from keeper.protocol.types import ALL_BPS, MAX_UINT40, UNTOUCHED, Bps, Cause, Milestone, MilestoneState, Status, Terms

REJECTIONS = 1
"""How many rejections are walked. A clock knows only whether there was one (`due.lapse`), and who wants to be rejected
later submits later, so more of them change no outcome, which a test shows; the contract stops at 255."""

Shares: TypeAlias = tuple[Bps, ...]
EXTREME_AWARDS: Shares = (1, ALL_BPS)
EXTREME_RULINGS: Shares = (0, ALL_BPS)
"""What a hostile judge says: what a party receives only grows, or only falls, with the share."""


@dataclass(frozen=True, slots=True)
class Closing:
    """A milestone's end: why its money left, the payee's share, and whether the call that paid takes the tip."""

    cause: Cause
    payee_bps: Bps
    with_tip: bool


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that somebody can do at one second, and where it leads; `bps` is the share that a judge names."""

    row: Transition
    bps: Bps | None
    to: MilestoneState | Closing


Moment: TypeAlias = tuple[MilestoneState, int]
"""A state at a unix second."""


class Map:
    """What can happen to one milestone of given terms from `start` on: unix seconds, before its submit_by.

    Judges may say one of `awards` and `rulings`. With `every_second` no second is left out: for short clocks, in tests.
    """

    def __init__(
        self,
        terms: Terms,
        milestone: Milestone,
        start: int,
        *,
        awards: Shares = EXTREME_AWARDS,
        rulings: Shares = EXTREME_RULINGS,
        rejections: int = REJECTIONS,
        every_second: bool = False,
    ) -> None:
        self.terms, self.milestone = terms, milestone
        self.begin: Moment = (UNTOUCHED, start)
        self._shares = {Action.AWARD: awards, Action.RULE: rulings}
        self._rejections, self._every_second = rejections, every_second
        self._moves: dict[Moment, tuple[Move, ...]] = {}
        self._later: dict[Moment, int] = {}

    def moves(self, state: MilestoneState, now: int) -> tuple[Move, ...]:
        """Everything that anybody can do at `now`."""
        key = (state, now)
        if key not in self._moves:
            self._moves[key] = tuple(self._open(state, now))
        return self._moves[key]

    def ready(self, state: MilestoneState) -> int:
        """The first second at which anybody can settle."""
        return due(self.terms, self.milestone, state).ready_at

    def later(self, state: MilestoneState, now: int) -> int:
        """The next second at which something opens, closes or falls due; there is one until the state is ready."""
        if self._every_second:
            return now + 1
        key = (state, now)
        if key not in self._later:
            self._later[key] = min(second for second in self._edges(state) if second > now)
        return self._later[key]

    def reachable(self) -> Iterator[Moment]:
        """Every moment that any sequence of moves leads to, if somebody settles as soon as it is ready."""
        found, ahead = {self.begin}, [self.begin]
        while ahead:
            state, now = ahead.pop()
            yield state, now
            fresh = {(move.to, now) for move in self.moves(state, now) if isinstance(move.to, MilestoneState)}
            if now < self.ready(state):
                fresh.add((state, self.later(state, now)))
            ahead += fresh - found
            found |= fresh

    def _open(self, state: MilestoneState, now: int) -> Iterator[Move]:
        for row in possible(self.terms, self.milestone, state, now):
            if row.action == Action.SUBMIT and state.attempt >= self._rejections:
                continue
            if row.who == Who.BOTH:  # what a party signs is no worst case of its own
                continue
            for bps in self._shares.get(row.action, (None,)):
                yield Move(row, bps, after(self.terms, state, row, now, bps))

    def _edges(self, state: MilestoneState) -> Iterator[int]:
        yield self.milestone.submit_by
        for row in rows_of(self.terms, state):
            yield row.opens(self.terms, self.milestone, state)
            closes = row.closes(self.terms, self.milestone, state)
            if closes < MAX_UINT40:
                yield closes


def after(terms: Terms, state: MilestoneState, row: Transition, now: int, bps: Bps | None) -> MilestoneState | Closing:
    """Where a row of the table leads from `state` (docs/protocol.md section 4); `bps` is what a judge says."""
    if isinstance(row.target, Cause):
        given = {Action.APPROVE: ALL_BPS, Action.WAIVE: 0, Action.SETTLE: settle_bps(terms, state)}
        share = given.get(row.action) if bps is None else bps
        assert share is not None, "whoever rules names a share"
        return Closing(row.target, share, with_tip=row.action == Action.SETTLE)
    if row.action == Action.AWARD and terms.challenge_window == 0:
        return Closing(Cause.ATTESTED, bps or 0, with_tip=True)
    attempt = state.attempt + (row.action == Action.REJECT)
    standing = standing_after_dispute(terms, state) if row.target == Status.DISPUTED else bps or 0
    return MilestoneState(row.target, attempt, now, standing_bps=standing)
