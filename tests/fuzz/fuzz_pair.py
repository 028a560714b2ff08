"""Contract and specification side by side: every call goes to both, every difference is an error with its history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fuzz_books import Books
from fuzz_cast import STRANGER, Stage, set_stage
from fuzz_evm import Log, Reply, Revert
from fuzz_orders import PULLS, Order, calldata, function_of, plain
from fuzz_outside import HOOK_MODES, Outside
from fuzz_tell import Story
from fuzz_views import Act, Sight, Views, expected_row

from keeper.protocol.encoding import agreement_id_of_part, leaf, part_to_abi
from keeper.protocol.model import step
from keeper.protocol.refusals import Name, Refusal
from keeper.protocol.types import UNTOUCHED, Address, AgreementId, MilestoneState, Part, Terms
from keeper.protocol.world import (
    Amend,
    Ctx,
    Fund,
    FundWithAuthorization,
    FundWithPermit,
    Multicall,
    Outcome,
    Rule,
    World,
)

_OTHERS_WORDS = (Name.VERIFIER_REFUSED, Name.ARBITER_REFUSED, Name.AUTHORIZATION_REFUSED)
"""Refusals of which the model knows no arguments."""


class Pair:
    """The escrow on its chain, and the model of it, with all that the model does not know: balances and allowances."""

    def __init__(self, artifacts: Path, escrow_artifacts: Path) -> None:
        self.stage: Stage = set_stage(artifacts, escrow_artifacts)
        self.chain = self.stage.chain
        self.world = World(self.stage.domain, self.stage.contracts)
        self.codec = self.stage.codes["Escrow"].codec
        self.story = Story(self.stage)
        self.views = Views(self.chain, self.stage.escrow, self.codec)
        self.books = Books(self.stage)
        self.outside = Outside(self.stage, self.owner)
        self.seen: dict[AgreementId, Sight] = {}
        self.credits: dict[tuple[Address, Address], int] = {}
        """All credits by (token, owner), as the contract said after the last call that worked."""
        self.stood: dict[tuple[AgreementId, int], MilestoneState] = {}
        self._parts: dict[AgreementId, tuple[Part, ...]] = {}
        self._owners: dict[Part, AgreementId | None] = {}

    # what may be asked

    def ids(self) -> list[AgreementId]:
        return list(self.world.agreements)

    def part(self, id_: AgreementId, index: int) -> Part:
        return self._parts[id_][index]

    def state(self, id_: AgreementId, index: int) -> MilestoneState | None:
        return self.world.agreements[id_].open_state(index)

    def waiting_credits(self) -> list[tuple[Address, Address]]:
        """Credits by (token, owner) that their owners can take."""
        return [key for key, amount in self.world.credits.items() if amount and key[1] not in self.stage.speechless]

    def owner(self, part: Part) -> AgreementId | None:
        """The id that a part hashes to; None when it contradicts itself."""
        if part not in self._owners:
            fits = part.index < len(part.leaves) and part.leaves[part.index] == leaf(part.milestone)
            self._owners[part] = agreement_id_of_part(self.world.domain, part) if fits else None
        return self._owners[part]

    # what may happen

    def warp(self, now: int) -> None:
        """Let time pass."""
        if now > self.chain.now:
            self.story.note(f"time +{now - self.chain.now} -> {now}")
        self.chain.warp(now)

    def act(self, order: Order) -> Act:
        """Put a call to both and hold their answers against each other."""
        order = self.outside.told(order)
        payment = next((one for one in order.flat() if isinstance(one.call, PULLS)), order)
        permitted = self.outside.permitted(payment)
        context = self._context(order, payment, permitted)
        before, seen_before = self.world, dict(self.seen)
        answer = step(before, context, order.call)
        refusal = self._outside_words(order, context, answer)
        reply = self._send(order)
        events = tuple(log for log in reply.logs if log.address == self.stage.escrow)
        if isinstance(answer, Outcome):
            self.world = answer.world
            for id_ in self.world.agreements.keys() - before.agreements.keys():
                self._learn(id_)
        self.story.act(order, reply, events)
        self._compare(order, answer, refusal, reply, events)
        if isinstance(answer, Outcome):
            self.books.enter(answer.movements, payment, permitted)
            self._remember_where_they_stood(order, context, before)
            self._check_money()
        self._look_at(self._touched(order))
        return Act(order, self.chain.now, before, self.world, answer, reply, events, seen_before, dict(self.seen))

    def look_at_all(self) -> None:
        """Every view of every agreement and every balance against the model."""
        self._look_at({id_: range(len(h.agreement.milestones)) for id_, h in self.world.agreements.items()})
        self._check_money()

    # how the two are asked, and compared

    def _send(self, order: Order) -> Reply:
        data = calldata(self.codec, order)
        if order.caller != self.stage.hook:
            return self.books.by(order.caller, self.stage.escrow, data, order.value)
        hook = self.stage.codes["HookArbiter"].codec  # a contract sends no transactions: it is made to call
        assert isinstance(order.call, Rule)
        call = order.call
        data = hook.encode("rule", self.stage.escrow, call.agreement, part_to_abi(call.part), call.payee_bps)
        return self.chain.send(STRANGER, self.stage.hook, data, order.value)

    def _context(self, order: Order, payment: Order, permitted: int | None) -> Ctx:
        pays = self.books.pays(payment, permitted)
        hook_accepts = HOOK_MODES[self.outside.hook_mode] == "Accept"
        return Ctx(order.caller, self.chain.now, order.value, pays, self.books.refuses(), hook_accepts)

    def _outside_words(self, order: Order, context: Ctx, answer: Outcome | Refusal) -> Revert | None:
        """What others say to the call that they refuse; of several, to the first that does not work."""
        if not isinstance(answer, Refusal) or answer.name not in _OTHERS_WORDS:
            return None
        orders, tried = order.flat(), 1
        while isinstance(step(self.world, context, Multicall(tuple(o.call for o in orders[:tried]))), Outcome):
            tried += 1
        return self.outside.refusal(orders[tried - 1])

    def _compare(
        self, order: Order, answer: Outcome | Refusal, outside: Revert | None, reply: Reply, events: Sequence[Log]
    ) -> None:
        if isinstance(answer, Refusal):
            expected = Revert(answer.name.value, plain(answer.args))
            if answer.name in _OTHERS_WORDS:
                assert outside is not None
                expected = outside
            elif answer.name == Name.NOT_PAYABLE:
                expected = Revert("")
            self.story.same("the call's refusal", reply.revert, expected)
            return
        self.story.same("the call's refusal", reply.revert, None)
        emitted = [(log.name, plain(log.args)) for log in events]
        self.story.same("the events", emitted, [(e.name, plain(e.args)) for e in answer.events])
        self._compare_returned(order, answer.returned, reply.returned)

    def _compare_returned(self, order: Order, expected: Any, returned: bytes) -> None:
        if expected is None:
            self.story.same("what is returned", returned, b"")
            return
        (value,) = self.codec.decode_result(function_of(self.codec, order), returned)
        if isinstance(order.call, Multicall):
            for inner, one, part in zip(order.inner, expected, value, strict=True):
                self._compare_returned(inner, one, part)
            return
        self.story.same("the returned value", plain(value), plain(expected))

    def _remember_where_they_stood(self, order: Order, context: Ctx, before: World) -> None:
        """The last state of milestones that were closed: the contract keeps its word."""
        calls = [one.call for one in order.flat()]
        for number in range(len(calls)):
            answer = step(before, context, calls[number]) if len(calls) > 1 else None
            after = self.world if answer is None else answer.world  # type: ignore[union-attr]
            for id_, held in after.agreements.items():
                old = before.agreements.get(id_)
                closing = held.closed & ~old.closed if old is not None and old is not held else 0
                for index in (i for i in range(closing.bit_length()) if closing >> i & 1):
                    self.stood[id_, index] = old.open_state(index)  # type: ignore[union-attr,assignment]
            before = after

    def _check_money(self) -> None:
        for (token, who), expected in self.books.balances.items():
            real = self.books.real(token, who)
            if real != expected:
                self.story.same(f"{self.story.teller.tell(who)}'s {self.story.teller.tell(token)}", real, expected)
        for token in self.stage.tokens:
            for who in self.books.people:
                credit = self.credits[token, who] = self.views.credit(token, who)
                expected = self.world.credits.get((token, who), 0)
                if credit != expected:
                    self.story.same(f"the credit of {self.story.teller.tell(who)}", credit, expected)

    def _touched(self, order: Order) -> dict[AgreementId, Iterable[int]]:
        found: dict[AgreementId, set[int]] = {}
        for one in order.flat():
            for part in one.parts():
                id_ = self.owner(part)
                if id_ in self.world.agreements:
                    found.setdefault(id_, set()).add(part.index)
            for terms in _whole_terms(one):
                found |= {i: self._every(i) for i, h in self.world.agreements.items() if h.agreement.terms == terms}
        for id_, indexes in found.items():
            if len(self._every(id_)) <= 4:
                indexes |= self._every(id_)
        return dict(found)

    def _every(self, id_: AgreementId) -> set[int]:
        return set(range(len(self.world.agreements[id_].agreement.milestones)))

    def _look_at(self, which: dict[AgreementId, Iterable[int]]) -> None:
        for id_, indexes in which.items():
            held = self.world.agreements[id_]
            funded, closed = self.views.state(id_)
            self.story.same(f"state of {self.story.teller.tell(id_)}", (funded, closed), (held.funded, held.closed))
            rows = dict(self.seen[id_].rows) if id_ in self.seen else {}
            for index in indexes:
                part, state = self.part(id_, index), self.state(id_, index)
                rows[index] = self.views.row(id_, part)
                expected = expected_row(part, state, state or self.stood.get((id_, index), UNTOUCHED))
                self.story.same(f"views of {self.story.teller.tell(id_)}#{index}", rows[index], expected)
            self.seen[id_] = Sight(funded, closed, rows)

    def _learn(self, id_: AgreementId) -> None:
        self.story.teller.learn(id_)
        agreement = self.world.agreements[id_].agreement
        terms = agreement.terms
        self.books.meet(terms.payer, terms.payee, terms.fee_to)
        leaves = tuple(leaf(m) for m in agreement.milestones)
        self._parts[id_] = tuple(Part(agreement.terms, leaves, i, m) for i, m in enumerate(agreement.milestones))
        for part in self._parts[id_]:
            self.story.teller.learn_part(id_, part)


def _whole_terms(order: Order) -> tuple[Terms, ...]:
    """The terms of agreements that a call funds or ends milestones of."""
    match order.call:
        case Fund() | FundWithAuthorization() | FundWithPermit():
            return (order.call.terms,)
        case Amend():
            return (order.call.from_terms, order.call.to_terms)
    return ()
