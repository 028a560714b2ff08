"""The worst that can happen to each party, before anything is signed or funded, found by playing it through.

Each promise holds under its stated assumption, for a milestone that was funded in time, for a party that does its
`duty`, keeps its key and gives nothing away (no approval, no waiver, no signature under a split or an amendment), on a
chain that includes its transactions, and for a token that pays what it returns. A push that fails still counts: it
waits as a credit of its owner (docs/protocol.md sections 2 and 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from keeper.protocol.explore import REJECTIONS, Map
from keeper.protocol.game import Conduct, Game, Line, Player, Role, longest
from keeper.protocol.machine import Action
from keeper.protocol.types import ALL_BPS, MAX_UINT40, ZERO_ADDRESS, Agreement, Bps, Milestone, Terms

__all__ = ["Assumption", "Role", "WorstCase", "assumptions", "worst_case"]


class Assumption(StrEnum):
    """What is assumed of everybody but the party itself. The other party and all keepers are hostile in each.

    "Honest": judges in time what the party deserves (a payee that delivered what the criteria ask, a payer whose payee
    did not). "Silent" and "absent": never says anything; an arbiter that is called may then still refuse the party's
    disputes and take the other side's.
    """

    ALL_HOSTILE = "everyone else hostile"
    ARBITER_HOSTILE = "quorum honest, arbiter hostile"
    QUORUM_HOSTILE = "quorum hostile, arbiter honest"
    JUDGES_SILENT = "quorum and arbiter silent"
    ARBITER_ABSENT = "quorum honest, arbiter absent"


CONDUCT = {
    Assumption.ALL_HOSTILE: (Conduct.HOSTILE, Conduct.HOSTILE),
    Assumption.ARBITER_HOSTILE: (Conduct.HONEST, Conduct.HOSTILE),
    Assumption.QUORUM_HOSTILE: (Conduct.HOSTILE, Conduct.HONEST),
    Assumption.JUDGES_SILENT: (Conduct.SILENT, Conduct.SILENT),
    Assumption.ARBITER_ABSENT: (Conduct.HONEST, Conduct.SILENT),
}
"""How the quorum and the arbiter behave."""
_DUTIES = {
    Role.PAYER: ((), (Action.DISPUTE,)),
    Role.PAYEE: ((), (Action.SUBMIT,), (Action.DISPUTE,), (Action.SUBMIT, Action.DISPUTE)),
}
"""What a party can do besides settling, the least first."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """One promise about one milestone: `role` receives at least `receives` token units of `amount`."""

    milestone: int
    role: Role
    assumption: Assumption
    amount: int
    receives: int
    line: Line
    """A way to the floor that keeps the milestone open longest."""
    duty: frozenset[Action]
    """The least that the party has to do for it, in time: submit, dispute, both or nothing."""
    slowest: Line
    """The way that keeps the milestone open longest, whoever has to act for it."""

    @property
    def open_until(self) -> int:
        """Unix seconds: the last second at which the milestone can still be open, whatever anybody does.

        Anyone has to call `settle` as soon as it is ready; the party itself will do.
        """
        return self.slowest.closes


def worst_case(agreement: Agreement, deserved: Sequence[Bps] | None = None) -> tuple[WorstCase, ...]:
    """Every promise: each milestone, each party, each assumption that the terms leave (docs/protocol.md section 2).

    `deserved` is by milestone what an honest judge awards for a delivery that fulfils the criteria, by default
    everything. The terms are taken to pass the funding rules of docs/protocol.md section 3.
    """
    shares = deserved or [ALL_BPS] * len(agreement.milestones)
    return tuple(
        row
        for index, (milestone, share) in enumerate(zip(agreement.milestones, shares, strict=True))
        for row in _of_milestone(agreement.terms, index, milestone, share)
    )


def assumptions(terms: Terms) -> tuple[Assumption, ...]:
    """The assumptions that differ: a judge that the terms do not name cannot be anything."""
    attested, arbitrated = terms.verifier != ZERO_ADDRESS, terms.arbiter != ZERO_ADDRESS
    if attested and arbitrated:
        return tuple(Assumption)
    if attested:
        return (Assumption.ALL_HOSTILE, Assumption.JUDGES_SILENT, Assumption.ARBITER_ABSENT)
    if arbitrated:
        return (Assumption.ALL_HOSTILE, Assumption.QUORUM_HOSTILE, Assumption.JUDGES_SILENT)
    return (Assumption.ALL_HOSTILE,)


def walk_of(terms: Terms, milestone: Milestone, deserved: Bps = ALL_BPS, *, rejections: int = REJECTIONS) -> Map:
    """The milestone's map from so early on that everything can be over before its submit_by, and be tried again.

    A deadline so late that the chain could not count to its end, which can be in a schedule though not be funded, is
    taken for the last that it can.
    """
    span = terms.review_window + terms.challenge_window + terms.ruling_window
    milestone = replace(milestone, submit_by=min(milestone.submit_by, MAX_UINT40 - 1 - span))
    awards, rulings = tuple(sorted({1, deserved, ALL_BPS})), tuple(sorted({0, deserved, ALL_BPS}))
    return Map(terms, milestone, milestone.submit_by - 2 * span, awards=awards, rulings=rulings, rejections=rejections)


def _of_milestone(terms: Terms, index: int, milestone: Milestone, share: Bps) -> Iterator[WorstCase]:
    walk = walk_of(terms, milestone, share)
    slowest = longest(walk)
    for role in Role:
        for assumption in assumptions(terms):
            line, duty = _floor(walk, role, assumption, share if role == Role.PAYEE else 0)
            yield WorstCase(index, role, assumption, milestone.amount, line.receives, line, duty, slowest)


def _floor(walk: Map, role: Role, assumption: Assumption, deserved: Bps) -> tuple[Line, frozenset[Action]]:
    """The best floor of the party, and the least that it has to do for it."""
    quorum, arbiter = CONDUCT[assumption]
    players = [Player(role, quorum, arbiter, deserved, frozenset(duty)) for duty in _DUTIES[role]]
    lines = [(Game(walk, player).floor(), player.duty) for player in players]
    best = max(line.receives for line, _ in lines)
    line, duty = next((line, duty) for line, duty in lines if line.receives == best)
    if role == Role.PAYEE and Action.SUBMIT not in duty:
        return Game(walk, players[-1]).floor_of_a_delivery(), duty  # nothing helps: told for one that tried
    return line, duty
