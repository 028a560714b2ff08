"""Contract and specification side by side: every call goes to both, every difference is an error with its history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from fuzz_books import Books
from fuzz_cast import PAUPER, STRANGER, Stage, set_stage
from fuzz_evm import GENESIS, Log, Reply, Revert
from fuzz_orders import Order, Teller, calldata, plain
from fuzz_proofs import judge
from fuzz_views import Act, Sight, Views, expected_row

from keeper.protocol.encoding import agreement_id_of_part, attestation_digest, leaf, part_to_abi
from keeper.protocol.model import step
from keeper.protocol.refusals import Name, Refusal
from keeper.protocol.types import UNTOUCHED, Address, AgreementId, MilestoneState, Part
from keeper.protocol.world import Attest, Ctx, Dispute, Fund, Outcome, Rule, Withdraw, World

HOOK_MODES = ("Accept", "WrongAnswer", "Refuse")


class Mismatch(AssertionError):  # noqa: N818 - what was found, not what went wrong with the test
    """Contract and specification differ, or an invariant is broken."""


class Pair:
    """The escrow on its chain, and the model of it, with all that the model does not know: balances and allowances."""

    def __init__(self, artifacts: Path, escrow_artifacts: Path) -> None:
        self.stage: Stage = set_stage(artifacts, escrow_artifacts)
        self.chain = self.stage.chain
        self.world = World(self.stage.domain, self.stage.contracts, native=False)
        self.codec = self.stage.codes["Escrow"].codec
        self.teller = Teller(self.stage)
        self.trace: list[str] = []
        self.views = Views(self.chain, self.stage.escrow, self.codec)
        self.books = Books(self.stage)
        self.hook_mode = 0
        self.seen: dict[AgreementId, Sight] = {}
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
            self.trace.append(f"time +{now - self.chain.now} -> {now}")
        self.chain.warp(now)

    def block(self, who: Address, blocked: bool) -> None:
        """Let the moody token refuse a receiver, or take him back."""
        self.trace.append(f"MOODY {'blocks' if blocked else 'unblocks'} {self.teller.tell(who)}")
        self.books.block(who, blocked)

    def set_hook(self, mode: int) -> None:
        """Tell the arbiter contract how to answer disputes."""
        self.trace.append(f"Hook will {HOOK_MODES[mode]}")
        self.hook_mode = mode
        self.chain.send(PAUPER, self.stage.hook, self.stage.codes["HookArbiter"].codec.encode("setMode", mode))

    def donate(self, token: Address, who: Address, amount: int) -> None:
        """Send tokens to the escrow past all its doors."""
        self.trace.append(f"{self.teller.tell(who)} donates {amount} {self.teller.tell(token)}")
        self.books.donate(token, who, amount)

    def act(self, order: Order) -> Act:
        """Put a call to both and hold their answers against each other."""
        refusal = self._outside_refusal(order)
        if isinstance(order.call, Attest):
            order = replace(order, call=replace(order.call, proven=refusal is None))
        before, seen_before = self.world, dict(self.seen)
        answer = step(before, self._context(order), order.call)
        reply = self._send(order)
        events = tuple(log for log in reply.logs if log.address == self.stage.escrow)
        if isinstance(answer, Outcome):
            self.world = answer.world
            for id_ in self.world.agreements.keys() - before.agreements.keys():
                self._learn(id_)
        self._tell(order, reply, events)
        self._compare(order, answer, refusal, reply, events)
        if isinstance(answer, Outcome):
            self._keep_books(order, before, answer)
        self._look_at(self._touched(order))
        return Act(order, self.chain.now, before, self.world, answer, reply, events, seen_before, dict(self.seen))

    def look_at_all(self) -> None:
        """Every view of every agreement and every balance against the model."""
        self._look_at({id_: range(len(h.agreement.milestones)) for id_, h in self.world.agreements.items()})
        self._check_money()

    def fail(self, what: str) -> NoReturn:
        """Stop with the whole history."""
        history = "\n".join(f"  {i + 1:3}. {line}" for i, line in enumerate(self.trace))
        raise Mismatch(f"{what}\nwhat happened, from second {GENESIS}:\n{history}\n{what}")

    def same(self, what: str, contract: Any, model: Any) -> None:
        """Fail unless both sides say the same."""
        if contract != model:
            self.fail(f"{what}: the contract says {self.teller.tell(contract)}, expected {self.teller.tell(model)}")

    # how the two are asked, and compared

    def _send(self, order: Order) -> Reply:
        data = calldata(self.codec, order)
        if order.caller != self.stage.hook:
            return self.chain.send(order.caller, self.stage.escrow, data, order.value)
        hook = self.stage.codes["HookArbiter"].codec  # a contract sends no transactions: it is made to call
        assert isinstance(order.call, Rule)
        call = order.call
        data = hook.encode("rule", self.stage.escrow, call.agreement, part_to_abi(call.part), call.payee_bps)
        return self.chain.send(STRANGER, self.stage.hook, data, order.value)

    def _context(self, order: Order) -> Ctx:
        pays = isinstance(order.call, Fund) and self.books.pays(order.caller, order.call)
        hook_accepts = HOOK_MODES[self.hook_mode] == "Accept"
        return Ctx(order.caller, self.chain.now, order.value, pays, self.books.refuses(), hook_accepts)

    def _outside_refusal(self, order: Order) -> Revert | None:
        """What verifier or hook will say, when it comes to asking them."""
        call = order.call
        if isinstance(call, Dispute):
            refuses = Revert("Refused") if HOOK_MODES[self.hook_mode] == "Refuse" else None
            wrong = Revert("ArbiterRefused", (call.part.terms.arbiter, b"\xde\xad\xbe\xef"))
            return refuses or (wrong if self.hook_mode else None)
        id_ = self.owner(call.part) if isinstance(call, Attest) else None
        if not isinstance(call, Attest) or id_ is None:
            return None
        terms = call.part.terms
        if terms.verifier == self.stage.mute:
            return Revert("VerifierRefused", (terms.verifier, b"\xde\xad\xbe\xef"))
        digest = attestation_digest(
            self.stage.verifier_domain, self.stage.escrow, id_, terms.quorum, call.part.index, call.attestation
        )
        return judge(terms.quorum, digest, order.proof)

    def _compare(
        self, order: Order, answer: Outcome | Refusal, outside: Revert | None, reply: Reply, events: Sequence[Log]
    ) -> None:
        if isinstance(answer, Refusal):
            expected = Revert(answer.name.value, plain(answer.args))
            if answer.name in (Name.VERIFIER_REFUSED, Name.ARBITER_REFUSED):
                assert outside is not None
                expected = outside
            elif answer.name == Name.NOT_PAYABLE:
                expected = Revert("")
            self.same("the call's refusal", reply.revert, expected)
            return
        self.same("the call's refusal", reply.revert, None)
        emitted = [(log.name, plain(log.args)) for log in events]
        self.same("the events", emitted, [(e.name, plain(e.args)) for e in answer.events])
        if answer.returned is not None:
            function = order.name[0].lower() + order.name[1:]
            returned = self.codec.decode_result(function, reply.returned)[0]
            self.same("the returned value", plain(returned), plain(answer.returned))

    def _keep_books(self, order: Order, before: World, answer: Outcome) -> None:
        self.books.enter(answer.movements)
        for id_, held in self.world.agreements.items():
            old = before.agreements.get(id_)
            if old is not None and old is not held:
                closing = held.closed & ~old.closed
                for index in (i for i in range(closing.bit_length()) if closing >> i & 1):
                    state = old.open_state(index)
                    assert state is not None
                    self.stood[id_, index] = state
        self._check_money()
        if isinstance(order.call, Withdraw):
            self.same("the credit left", self.views.credit(order.call.token, order.caller), 0)

    def _check_money(self) -> None:
        for (token, who), expected in self.books.balances.items():
            real = self.books.real(token, who)
            if real != expected:
                self.same(f"{self.teller.tell(who)}'s {self.teller.tell(token)}", real, expected)
        for token in self.stage.tokens:
            for who in self.stage.everyone:
                credit, expected = self.views.credit(token, who), self.world.credits.get((token, who), 0)
                if credit != expected:
                    self.same(f"the credit of {self.teller.tell(who)}", credit, expected)
        self.same("the escrow's wei", self.chain.native(self.stage.escrow), 0)

    def _touched(self, order: Order) -> dict[AgreementId, Iterable[int]]:
        found: dict[AgreementId, set[int]] = {}
        for part in order.parts():
            id_ = self.owner(part)
            if id_ in self.world.agreements:
                found.setdefault(id_, set()).add(part.index)
        if isinstance(order.call, Fund):
            for id_, held in self.world.agreements.items():
                if held.agreement.terms == order.call.terms and held.agreement.milestones == order.call.milestones:
                    found[id_] = set(range(len(held.agreement.milestones)))
        for id_, indexes in found.items():
            count = len(self.world.agreements[id_].agreement.milestones)
            if count <= 4:
                indexes |= set(range(count))
        return dict(found)

    def _look_at(self, which: dict[AgreementId, Iterable[int]]) -> None:
        for id_, indexes in which.items():
            held = self.world.agreements[id_]
            funded, closed = self.views.state(id_)
            self.same(f"state of {self.teller.tell(id_)}", (funded, closed), (held.funded, held.closed))
            rows = dict(self.seen[id_].rows) if id_ in self.seen else {}
            for index in indexes:
                part, state = self.part(id_, index), self.state(id_, index)
                rows[index] = self.views.row(id_, part)
                expected = expected_row(part, state, state or self.stood.get((id_, index), UNTOUCHED))
                self.same(f"views of {self.teller.tell(id_)}#{index}", rows[index], expected)
            self.seen[id_] = Sight(funded, closed, rows)

    def _learn(self, id_: AgreementId) -> None:
        self.teller.learn(id_)
        agreement = self.world.agreements[id_].agreement
        leaves = tuple(leaf(m) for m in agreement.milestones)
        self._parts[id_] = tuple(Part(agreement.terms, leaves, i, m) for i, m in enumerate(agreement.milestones))
        for part in self._parts[id_]:
            self.teller.learn_part(id_, part)

    def _tell(self, order: Order, reply: Reply, events: Sequence[Log]) -> None:
        tell = self.teller.tell
        value = f" with {order.value} wei" if order.value else ""
        twist = f" [{order.twist}]" if order.twist else ""
        result = "; ".join(f"{e.name}{tell(e.args[1:])}" for e in events if e.name != "Funded") or "done"
        if reply.revert is not None:
            result = f"{reply.revert.name or 'empty revert'}{tell(reply.revert.args)}"
        self.trace.append(f"{tell(order.caller)}{value}: {tell(order.call)}{twist} -> {result}")
