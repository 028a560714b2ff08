"""One party against the rest, on the map of one milestone (`explore.py`): what it can be sure of, and the way there.

The others move first in every second and choose when an honest judge speaks, within its time; the party answers, or
waits. Nobody makes gifts: an approval or a waiver never hurts the one it is made to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from keeper.protocol.explore import Closing, Map, Move
from keeper.protocol.machine import Action, Who
from keeper.protocol.payout import payout
from keeper.protocol.types import Bps, Cause, MilestoneState, Status


class Role(StrEnum):
    PAYER = "payer"
    PAYEE = "payee"


class Conduct(StrEnum):
    """How a judge behaves."""

    HOSTILE = "hostile"
    """Says, or withholds, whatever hurts the party most."""
    HONEST = "honest"
    """Judges every submission, or rules every dispute, in time and as it deserves."""
    SILENT = "silent"
    """Says nothing."""


@dataclass(frozen=True, slots=True)
class Player:
    """The party, what it is ready to do besides settling, and what is assumed of the judges."""

    role: Role
    quorum: Conduct
    arbiter: Conduct
    deserved: Bps
    """What an honest judge says."""
    duty: frozenset[Action] = frozenset()
    """Submit, dispute, both or nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody did something at a unix second: the latest at which it makes the same difference."""

    action: Action
    who: Who
    by_party: bool
    """Whether it was the party itself."""
    at: int
    source: Status
    bps: Bps | None
    """What a judge said, or the payee's share at the end."""


@dataclass(frozen=True, slots=True)
class Line:
    """One way in which a milestone ends."""

    receives: int
    """Token units for the party."""
    cause: Cause
    closes: int
    """The last second at which the milestone is open."""
    steps: tuple[Step, ...]

    @property
    def settled(self) -> bool:
        """Whether time alone ended it."""
        return self.steps[-1].action == Action.SETTLE

    @property
    def own_steps(self) -> int:
        """How often the party had to do something."""
        return sum(step.by_party for step in self.steps)


_GIFTS = (Action.APPROVE, Action.WAIVE)
_Onward: TypeAlias = Callable[[MilestoneState, int], Line]


class Game:
    """What is still to come from a moment is worked out once."""

    def __init__(self, walk: Map, player: Player) -> None:
        self._walk, self._player = walk, player
        self._floors: dict[tuple[MilestoneState, int], Line] = {}

    def floor(self) -> Line:
        """The least that the party receives, by the way there that keeps the milestone open longest."""
        return self._floor(*self._walk.begin)

    def floor_of_a_delivery(self) -> Line:
        """As `floor` where the party, the payee, has submitted in its last second."""
        submit_by = self._walk.milestone.submit_by
        rest = self._floor(MilestoneState(Status.SUBMITTED, 0, submit_by), submit_by)
        step = Step(Action.SUBMIT, Who.PAYEE, True, submit_by, Status.FUNDED, None)
        return replace(rest, steps=(step, *rest.steps))

    def _floor(self, state: MilestoneState, now: int) -> Line:
        known = self._floors.get((state, now))
        if known is None:
            known = self._floors[state, now] = self._others(state, now)
        return known

    def _others(self, state: MilestoneState, now: int) -> Line:
        """The others act, or wait where nothing is due and no honest judge is out of time."""
        must, options = now >= self._walk.ready(state), []
        for move in sorted(self._walk.moves(state, now), key=self._harm, reverse=True):
            if move.row.action == Action.SETTLE or self._against(move, state):
                options.append(self._take(move, state, now, by_party=False))
                must = must or self._owed(move, state, now)
        if not must:
            options.append(self._answer(state, now))
        return min(options, key=lambda line: (line.receives, -line.closes, -line.own_steps, len(line.steps)))

    def _answer(self, state: MilestoneState, now: int) -> Line:
        """The others wait: the party acts, or time goes on."""
        options = [self._floor(state, self._walk.later(state, now))]
        for move in self._walk.moves(state, now):
            if move.row.action in self._player.duty and self._own(move):
                options.append(self._take(move, state, now, by_party=True))
        return max(options, key=lambda line: (line.receives, -line.own_steps, line.closes, -len(line.steps)))

    def _take(self, move: Move, state: MilestoneState, now: int, *, by_party: bool) -> Line:
        return follow(self._walk, self._player.role, move, state, now, self._floor, by_party=by_party)

    def _against(self, move: Move, state: MilestoneState) -> bool:
        """Whether the other party, or a judge that speaks, may make this move."""
        who, player = move.row.who, self._player
        if who == Who.QUORUM and player.quorum == Conduct.HONEST:
            return state.status == Status.SUBMITTED and (move.bps or 0) == player.deserved
        if who == Who.QUORUM:
            return player.quorum == Conduct.HOSTILE
        if who == Who.ARBITER:
            return player.arbiter == Conduct.HOSTILE or (player.arbiter, move.bps) == (Conduct.HONEST, player.deserved)
        other = Who.PAYEE if player.role == Role.PAYER else Who.PAYER
        return who in (other, Who.PARTY) and move.row.action not in _GIFTS

    def _harm(self, move: Move) -> Bps:
        """How bad it looks: of two ways to the same end the worse-looking one is told."""
        return (move.bps or 0) if self._player.role == Role.PAYER else -(move.bps or 0)

    def _owed(self, move: Move, state: MilestoneState, now: int) -> bool:
        """Whether an honest judge has to make this move now: it speaks before its time is over."""
        judges = {Who.QUORUM: self._player.quorum, Who.ARBITER: self._player.arbiter}
        closes = move.row.closes(self._walk.terms, self._walk.milestone, state)
        return judges.get(move.row.who) == Conduct.HONEST and closes == now

    def _own(self, move: Move) -> bool:
        """Whether the party can make this move: an arbiter that is called may refuse it alone, unless it is honest."""
        if move.row.action == Action.DISPUTE and self._walk.terms.arbiter_hook:
            return move.row.who in (Who.PARTY, self._who()) and self._player.arbiter == Conduct.HONEST
        return move.row.who in (Who.PARTY, self._who())

    def _who(self) -> Who:
        return Who.PAYER if self._player.role == Role.PAYER else Who.PAYEE


def longest(walk: Map) -> Line:
    """The way that keeps a milestone open longest, whoever has to act for it, if somebody settles once it is ready.

    `receives` is what the payee then gets.
    """
    lines: dict[tuple[MilestoneState, int], Line] = {}

    def longest_from(state: MilestoneState, now: int) -> Line:
        if (state, now) not in lines:
            moves = [move for move in walk.moves(state, now) if move.row.action not in _GIFTS]
            options = [follow(walk, Role.PAYEE, move, state, now, longest_from, by_party=False) for move in moves]
            if now < walk.ready(state):
                options.append(longest_from(state, walk.later(state, now)))
            lines[state, now] = max(options, key=lambda line: (line.closes, -len(line.steps), line.settled))
        return lines[state, now]

    return longest_from(*walk.begin)


def follow(
    walk: Map, role: Role, move: Move, state: MilestoneState, now: int, onward: _Onward, *, by_party: bool
) -> Line:
    """The line that begins with a move; where the milestone stays open, `onward` tells the rest."""
    row, terms = move.row, walk.terms
    if isinstance(move.to, Closing):
        paid = payout(walk.milestone.amount, move.to.payee_bps, terms.fee_bps, terms.tip, move.to.with_tip)
        receives = paid.to_payer if role == Role.PAYER else paid.to_payee
        closes = now - 1 if row.action == Action.SETTLE else now
        step = Step(row.action, row.who, by_party, now, state.status, move.to.payee_bps)
        return Line(receives, move.to.cause, closes, (step,))
    rest = onward(move.to, now)
    step = Step(row.action, row.who, by_party, now, state.status, move.bps)
    return replace(rest, steps=(step, *rest.steps))
