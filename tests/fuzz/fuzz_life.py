"""A life: moves on a pair, watched, counted, and emptied by time alone at its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from fuzz_cast import KEEPER, WALLETS
from fuzz_invariants import Watch
from fuzz_moves import Player
from fuzz_notes import bits_of
from fuzz_orders import Order
from fuzz_pair import Pair
from fuzz_terms import BREAKS
from fuzz_views import Act

from keeper.protocol.encoding import agreement_id
from keeper.protocol.machine import Action, Transition, transition
from keeper.protocol.refusals import Name, Refusal
from keeper.protocol.types import AgreementId, MilestoneState, Part
from keeper.protocol.world import (
    Agree,
    Amend,
    Approve,
    Attest,
    Dispute,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
)

WEIGHTS = {
    "fund": 4,
    "fund_badly": 2,
    "proceed": 6,
    "sharpen": 4,
    "submit": 4,
    "attest": 6,
    "dispute": 4,
    "rule": 3,
    "settle": 3,
    "settle_many": 1,
    "approve": 1,
    "waive": 1,
    "agree": 2,
    "amend": 2,
    "accept": 1,
    "multicall": 2,
    "withdraw": 2,
    "deliver": 1,
    "wait": 8,
    "mood": 3,
}
"""How often each move is tried."""
LOOK_EVERY = 20
_ACTIONS = {
    Submit: Action.SUBMIT,
    Dispute: Action.DISPUTE,
    Rule: Action.RULE,
    Approve: Action.APPROVE,
    Waive: Action.WAIVE,
    Agree: Action.AGREE,
    Settle: Action.SETTLE,
}


@dataclass
class Coverage:
    """What was reached, over any number of lives."""

    rows: Counter[Transition] = field(default_factory=Counter)
    """Rows of the table that succeeded."""
    edges: Counter[tuple[Transition, str]] = field(default_factory=Counter)
    """Rows that were tried at their first and last second, and one second outside."""
    refusals: Counter[str] = field(default_factory=Counter)
    calls: Counter[tuple[str, bool]] = field(default_factory=Counter)
    invariants: Counter[int] = field(default_factory=Counter)

    def note(self, pair: Pair, act: Act) -> None:
        """Count one act."""
        self.calls[act.order.name, act.worked] += 1
        if act.reply.revert is not None:
            self.refusals[act.reply.revert.name] += 1
        call = act.order.call
        if isinstance(call, Amend):
            self._note_amended(pair, act, call)
        parts: tuple[Part, ...] = act.order.parts()
        if isinstance(call, SettleMany) or not parts:
            return
        self._note_row(pair, act, parts[0])
        if isinstance(call, Agree):
            self._note_offer(pair.owner(parts[0]), 1 << parts[0].index, act, call.as_of, call.deadline)

    def _note_row(self, pair: Pair, act: Act, part: Part) -> None:
        row, state = _row(act, pair.owner(part), part.index, _action(act.order))
        if state is None or row is None:
            return
        opens, closes = (edge(part.terms, part.milestone, state) for edge in (row.opens, row.closes))
        if act.worked:
            self.rows[row] += 1
            self.edges[row, "first"] += act.now == opens
            self.edges[row, "last"] += act.now == closes
        elif isinstance(act.answer, Refusal):
            self.edges[row, "early"] += act.answer.name == Name.TOO_EARLY and act.now == opens - 1
            self.edges[row, "late"] += act.answer.name == Name.TOO_LATE and act.now == closes + 1

    def _note_amended(self, pair: Pair, act: Act, call: Amend) -> None:
        id_ = agreement_id(pair.stage.domain, call.from_terms, call.from_milestones)
        what = call.amendment
        self._note_offer(id_, what.closes, act, what.as_of, what.deadline)
        for index in bits_of(what.closes if act.worked else 0):
            row, _ = _row(act, id_, index, Action.AMEND)
            self.rows.update([row] if row else [])

    def _note_offer(self, id_: AgreementId | None, closes: int, act: Act, as_of: int, deadline: int) -> None:
        """Offers have edges of their own: the last step that they may not be older than, and their deadline."""
        action = Action.AGREE if isinstance(act.order.call, Agree) else Action.AMEND
        for index in bits_of(closes):
            row, state = _row(act, id_, index, action)
            if row is None or state is None:
                continue
            refused = act.answer.name if isinstance(act.answer, Refusal) else None
            self.edges[row, "first"] += act.worked and as_of == state.since + 1
            self.edges[row, "early"] += refused == Name.STALE and as_of == state.since
            self.edges[row, "last"] += act.worked and act.now == deadline
            self.edges[row, "late"] += refused == Name.TOO_LATE and act.now == deadline + 1


def _row(
    act: Act, id_: AgreementId | None, index: int, action: Action
) -> tuple[Transition | None, MilestoneState | None]:
    """The row of the table for an action on a milestone as it stood before the act."""
    held = act.before.agreements.get(id_) if id_ is not None else None
    state = held.open_state(index) if held else None
    return (transition(state, action) if state else None), state


def _action(order: Order) -> Action:
    call = order.call
    if isinstance(call, Attest):
        return Action.AWARD if call.attestation.payout_bps else Action.REJECT
    return _ACTIONS[type(call)]


class Life:
    """One chain from its first block to the last unit paid."""

    def __init__(self, artifacts: Path, escrow_artifacts: Path, coverage: Coverage) -> None:
        self.pair = Pair(artifacts, escrow_artifacts)
        self.player = Player(self.pair)
        self.watch = Watch(self.pair)
        self.coverage = coverage
        self.acts = 0

    def move(self, name: str, rng: Random) -> None:
        """One move, and all that must hold after it."""
        act = getattr(self.player, name)(rng)
        if isinstance(act, Act):
            self._seen(act)

    def break_each_rule(self, rng: Random, times: int) -> None:
        """Every single way to break terms, in so many agreements each."""
        for name in [name for name in BREAKS for _ in range(times)]:
            self._seen(self.player.fund_broken(rng, [name]))

    def act(self, order: Order) -> Act:
        """One given call, and all that must hold after it."""
        act = self.pair.act(order)
        self._seen(act)
        return act

    def run(self, rng: Random, moves: int) -> None:
        """Random moves by weight, then the end."""
        self.move("fund", rng)
        for name in rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=moves):
            self.move(name, rng)
        self.drain()

    def drain(self) -> None:
        """Invariant 6: time and `settle` by anyone empty every agreement, by `latest` and not a second early."""
        self.pair.look_at_all()
        while waiting := self._waiting():
            ready_at, id_, index = waiting[0]
            part = self.pair.part(id_, index)
            if ready_at > self.pair.chain.now:
                self.pair.warp(ready_at - 1)
                early = self._settle(part)
                self.watch.check(14, not early.worked, "settled before it was ready")
            self.pair.warp(max(ready_at, self.pair.chain.now))
            act = self._settle(part)
            self.watch.check(6, act.worked, "ready, and not settled")
            in_time = ready_at <= self.pair.seen[id_].rows[index].latest
            self.watch.check(6, in_time, f"ready at {ready_at}, after `latest`")
        self._pay_credits()
        self.pair.look_at_all()
        for token in self.pair.stage.tokens:
            left = self.pair.books.real(token, self.pair.stage.escrow)
            mute = sum(amount for (which, _), amount in self.pair.credits.items() if which == token)
            given = self.pair.books.donated[token]
            self.watch.check(6, left == given + mute, f"{left} left when all was settled")
        self.coverage.invariants.update(self.watch.checked)

    def _waiting(self) -> list[tuple[int, AgreementId, int]]:
        """Open milestones by the second at which the contract says they are ready."""
        found = []
        for id_, sight in self.pair.seen.items():
            still_open = sight.funded & ~sight.closed
            found += [(row.due[2], id_, index) for index, row in sight.rows.items() if still_open >> index & 1]
        return sorted(found)

    def _settle(self, part: Part) -> Act:
        return self.act(Order(KEEPER, Settle(part)))

    def _pay_credits(self) -> None:
        for who in sorted(self.pair.books.blocked | set(WALLETS)):
            self.player.weather.reconcile(who)
        for token, owner in self.pair.waiting_credits():
            act = self.act(Order(owner, Withdraw(token, owner)))
            self.watch.check(18, act.worked, "an owner could not take his credit")

    def _seen(self, act: Act) -> None:
        self.acts += 1
        self.watch.after(act)
        self.coverage.note(self.pair, act)
        if self.acts % LOOK_EVERY == 0:
            self.pair.look_at_all()
