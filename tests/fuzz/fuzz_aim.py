"""Finding the milestone and the second that a move is best tried at."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from fuzz_pair import Pair

from keeper.protocol.due import challenge_end, due, latest, review_end, ruling_end, silence_end
from keeper.protocol.machine import Action, Transition, available, possible, transition
from keeper.protocol.types import MAX_UINT40, UNTOUCHED, AgreementId, MilestoneState, Part


def one_in(rng: Random, n: int) -> bool:
    """Luck, of integers: hypothesis draws floats from their extremes."""
    return rng.randint(1, n) == n


class Aim:
    """Looks over all milestones of a pair."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.focus: tuple[AgreementId, int] | None = None
        """What `find` must find, while it is set."""

    def milestones(self) -> list[tuple[AgreementId, int]]:
        """What moves are about; of a long schedule, both its ends."""
        held = self.pair.world.agreements.items()
        return [(id_, i) for id_, h in held for i in _ends(len(h.agreement.milestones))]

    def find(self, rng: Random, *actions: Action) -> tuple[AgreementId, Part, MilestoneState] | None:
        """A milestone that one of the actions may move now; at times another. None: try something else."""
        if self.focus:
            return self.focus[0], self.pair.part(*self.focus), self.pair.state(*self.focus) or UNTOUCHED
        everywhere = self.milestones()
        alive = [(id_, i) for id_, i in everywhere if self.pair.state(id_, i)]
        fitting = [(id_, i) for id_, i in alive if self._nearly(id_, i, actions)]
        sharp = [(id_, i) for id_, i in fitting if self._nearly(id_, i, actions, sharp=True)]
        if sharp and one_in(rng, 2):
            fitting = sharp
        if fitting and actions[0] in (Action.AGREE, Action.AMEND):  # possible everywhere: rare states no less often
            kind = rng.choice(sorted({self._kind(*one) for one in fitting}))
            fitting = [one for one in fitting if self._kind(*one) == kind]
        if not everywhere or (not fitting and not one_in(rng, 4)):
            return None
        chosen = rng.choice(everywhere if one_in(rng, 12) else fitting or alive or everywhere)
        part = self.pair.part(*chosen)
        return chosen[0], part, self.pair.state(*chosen) or UNTOUCHED

    def _kind(self, id_: AgreementId, index: int) -> tuple[int, bool]:
        state = self.pair.state(id_, index) or UNTOUCHED
        return state.status.value, state.since > 0

    def rows(self, id_: AgreementId, index: int) -> list[Transition]:
        """What the table allows now."""
        state, part = self.pair.state(id_, index), self.pair.part(id_, index)
        return possible(part.terms, part.milestone, state, self.pair.chain.now) if state else []

    def _nearly(self, id_: AgreementId, index: int, actions: tuple[Action, ...], *, sharp: bool = False) -> bool:
        """Whether the table allows one of the actions now, or did a second ago, or will in a second.

        `sharp`: it does so at this second and not at the next, or the last, or the other way round.
        """
        state, part = self.pair.state(id_, index), self.pair.part(id_, index)
        if state is None:
            return False
        rows = [row for action in actions if (row := self._row(part, state, action))]
        spans = [[edge(part.terms, part.milestone, state) for edge in (row.opens, row.closes)] for row in rows]
        now = self.pair.chain.now
        if sharp:
            return any(now in (opens - 1, opens, closes, closes + 1) for opens, closes in spans)
        return any(opens - 1 <= now <= closes + 1 for opens, closes in spans)

    def _row(self, part: Part, state: MilestoneState, action: Action) -> Transition | None:
        return transition(state, action) if available(part.terms, action) else None

    def moment(self, rng: Random) -> int:
        """A second at which something begins or ends, one before, or one after; mostly the next such."""
        now, about = self.pair.chain.now, self.milestones()
        moving = [(id_, i) for id_, i in about if (self.pair.state(id_, i) or UNTOUCHED) != UNTOUCHED]
        if moving and one_in(rng, 2):
            about = [rng.choice(moving)]
        edges = sorted({at + d for at in self.boundaries(about) for d in (-1, 0, 1) if at + d >= now})
        if not edges or one_in(rng, 5):
            return now + rng.choice((0, 1, 1, 60))
        near = edges[: 3 * rng.choice((1, 1, 2, 4))]
        return rng.choice(edges if one_in(rng, 12) else near)

    def boundaries(self, about: list[tuple[AgreementId, int]]) -> set[int]:
        """Seconds at which something of these milestones begins or ends."""
        found: set[int] = set()
        for id_, index in about:
            state = self.pair.state(id_, index)
            if state is None:
                continue
            part = self.pair.part(id_, index)
            terms, milestone = part.terms, part.milestone
            found |= {milestone.submit_by, due(terms, milestone, state).ready_at, latest(terms, milestone)}
            found |= {f(terms, state) for f in (review_end, silence_end, challenge_end, ruling_end)}
        return found

    def edges(self, actions: tuple[Action, ...]) -> list[tuple[Transition, AgreementId, int, list[int]]]:
        """Rows of the table with their first and last seconds and those just outside, as far as they are to come."""
        now, found = self.pair.chain.now, []
        for id_, index in self.milestones():
            state, part = self.pair.state(id_, index), self.pair.part(id_, index)
            for row in (row for action in actions if state and (row := self._row(part, state, action))):
                opens, closes = (edge(part.terms, part.milestone, state) for edge in (row.opens, row.closes))
                edges = [at for at in (opens - 1, opens, closes, closes + 1) if now <= at < MAX_UINT40]
                found += [(row, id_, index, edges)] if edges else []
        return found


def _ends(count: int) -> Iterable[int]:
    return range(count) if count <= 6 else (0, 1, 2, count - 3, count - 2, count - 1)
