"""Everything that can happen to a milestone under given terms, in words: read off the map of its state machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.commands.explain import CAUSES
from keeper.commands.words import in_full, percent
from keeper.protocol.explore import Closing, Map, Move
from keeper.protocol.machine import TRANSITIONS, Action, Transition, Who
from keeper.protocol.types import Cause, MilestoneState, Status


@dataclass(frozen=True, slots=True)
class Case:
    """One row: where the milestone stands, who may do what and when, and what follows."""

    where: str
    who: str
    does: str
    when: str
    then: str


@dataclass(frozen=True, slots=True)
class Ending:
    """One way out of the escrow, with the least and the most that it can pay the payee, in 1/10000."""

    cause: Cause
    low: int
    high: int
    with_tip: bool


_WHERE = {
    Status.FUNDED: "locked",
    Status.SUBMITTED: "submitted",
    Status.ATTESTED: "awarded",
    Status.DISPUTED: "disputed",
}
_SINCE = {
    Status.FUNDED: "the rejection",
    Status.SUBMITTED: "the submission",
    Status.ATTESTED: "the award",
    Status.DISPUTED: "the dispute",
}
_WHO = {
    Who.PAYER: "the payer",
    Who.PAYEE: "the payee",
    Who.PARTY: "either party",
    Who.ARBITER: "the arbiter",
    Who.QUORUM: "the attesters",
    Who.ANYONE: "anyone",
}
_DOES = {
    Action.SUBMIT: "submits the work",
    Action.AWARD: "award a share",
    Action.REJECT: "reject it",
    Action.DISPUTE: "disputes",
    Action.RULE: "rules, for this milestone alone",
    Action.APPROVE: "approves",
    Action.WAIVE: "waives",
    Action.SETTLE: "settles",
}


def cases(walk: Map) -> tuple[Case, ...]:
    """Every kind of move that is reachable, in the order of a milestone's life."""
    seen: dict[tuple[Status, bool, Action], list[tuple[MilestoneState, int, Move]]] = {}
    for state, now in walk.reachable():
        for move in walk.moves(state, now):
            seen.setdefault((state.status, state.attempt > 0, move.row.action), []).append((state, now, move))
    return tuple(_ordered(walk, seen))


def endings(walk: Map) -> tuple[Ending, ...]:
    """Every cause for which money can leave, in the order of their numbers."""
    found: dict[Cause, list[Closing]] = {}
    for moment in walk.reachable():
        for move in walk.moves(*moment):
            if isinstance(move.to, Closing):
                found.setdefault(move.to.cause, []).append(move.to)
    return tuple(
        Ending(cause, min(e.payee_bps for e in ends), max(e.payee_bps for e in ends), any(e.with_tip for e in ends))
        for cause, ends in sorted(found.items())
    )


_Seen = dict[tuple[Status, bool, Action], list[tuple[MilestoneState, int, Move]]]


def _ordered(walk: Map, seen: _Seen) -> Iterator[Case]:
    for status in Status:
        for rejected in (False, True) if status == Status.FUNDED else (False,):
            for row in (row for row in TRANSITIONS if row.source == status and row.action not in _ANY_TIME):
                moves = seen.get((status, rejected, row.action))
                if moves:
                    yield _case(walk, row, rejected, moves)
    for row in TRANSITIONS:
        if row.action in _ANY_TIME and row.source == Status.FUNDED:
            yield Case("open", _WHO[row.who], _DOES[row.action], "at any time", _ANY_TIME[row.action])


_ANY_TIME = {
    Action.APPROVE: "everything to the payee, at once",
    Action.WAIVE: "everything back to the payer, at once",
}


def _case(walk: Map, row: Transition, rejected: bool, moves: list[tuple[MilestoneState, int, Move]]) -> Case:
    where = "rejected" if rejected else _WHERE[row.source]
    unasked = ", though nothing is submitted" if row.action == Action.AWARD and row.source == Status.FUNDED else ""
    does = "submits again" if rejected and row.action == Action.SUBMIT else _DOES[row.action] + unasked
    return Case(where, _WHO[row.who], does, _when(walk, row, rejected, moves), _then(row, moves))


def _when(walk: Map, row: Transition, rejected: bool, moves: list[tuple[MilestoneState, int, Move]]) -> str:
    """The window, as the map shows it: from the first to the last second after what came before."""
    settles = row.action == Action.SETTLE
    if row.source == Status.FUNDED and row.action != Action.DISPUTE:
        waits = walk.terms.challenge_window if rejected and settles else 0
        later = f", and {in_full(waits)} after the rejection" if waits else ""
        return f"after the deadline{later}" if settles else "until the deadline"
    after = [now - state.since for state, now, _ in moves]
    first, last, event = min(after), max(after), _SINCE[row.source]
    if settles:
        return f"more than {in_full(first - 1)} after {event}"
    if first > 0:
        return f"more than {in_full(first - 1)} and at most {in_full(last)} after {event}"
    return f"within {in_full(last)} of {event}"


def _then(row: Transition, moves: list[tuple[MilestoneState, int, Move]]) -> str:
    ends = {move.to for _, _, move in moves if isinstance(move.to, Closing)}
    if row.action == Action.RULE:
        return "that share to the payee, the rest to the payer, at once"
    if row.action == Action.AWARD and ends:
        return "that share to the payee, the rest to the payer, at once"
    if ends:
        shares = sorted({end.payee_bps for end in ends})
        cause = CAUSES[next(iter(ends)).cause]
        return f"{_share(row, shares)}, because {cause}"
    return _NEXT[row.action]


def _share(row: Transition, shares: list[int]) -> str:
    if row.source == Status.ATTESTED:
        return "the awarded share to the payee"
    if len(shares) > 1:
        return "what stood before the dispute"
    return f"{percent(shares[0])} to the payee" if shares[0] else "everything back to the payer"


_NEXT = {
    Action.SUBMIT: "the review begins",
    Action.AWARD: "it stands unless it is disputed",
    Action.REJECT: "the payee may submit again until the deadline",
    Action.DISPUTE: "the arbiter may rule",
}
