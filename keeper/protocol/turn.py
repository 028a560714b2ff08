"""One call in the making: the draft that the model writes on, and the escrow's ways with money."""

from __future__ import annotations

from keeper.protocol.refusals import Name, Refused
from keeper.protocol.types import ZERO_ADDRESS, Address, AgreementId
from keeper.protocol.world import AgreementState, Ctx, Event, Flow, Movement, Outcome, World


class Turn:
    """A draft of the next world with the events and movements so far; the world it began from never changes."""

    def __init__(self, world: World, ctx: Ctx) -> None:
        self.domain = world.domain
        self.contracts = world.contracts
        self.ctx = ctx
        self._agreements = dict(world.agreements)
        self._credits = dict(world.credits)
        self._held = dict(world.held)
        self._events: list[Event] = []
        self._movements: list[Movement] = []

    @property
    def escrow(self) -> Address:
        return self.domain.verifying_contract

    def check_chain(self) -> None:
        """Refuse on a renumbered chain, where nothing new may begin (docs/protocol.md section 3, Id)."""
        deployed = self.domain.chain_id
        if self.ctx.chain_id not in (None, deployed):
            raise Refused(Name.WRONG_CHAIN, self.ctx.chain_id, deployed)

    def agreement(self, id_: AgreementId) -> AgreementState | None:
        return self._agreements.get(id_)

    def put(self, id_: AgreementId, state: AgreementState) -> None:
        self._agreements[id_] = state

    def emit(self, name: str, *args: object) -> None:
        self._events.append(Event(name, args))

    def pull(self, token: Address, amount: int) -> None:
        """Take exactly `amount` from the caller; of the native currency as the call's value (section 3)."""
        native = token == ZERO_ADDRESS
        if self.ctx.value != (amount if native else 0):
            raise Refused(Name.WRONG_VALUE, self.ctx.value, amount if native else 0)
        if amount == 0:
            return
        if not native and not self.ctx.pays:
            raise Refused(Name.TRANSFER_FROM_FAILED, token, self.ctx.caller, amount)
        self.receive(token, self.ctx.caller, amount)

    def receive(self, token: Address, source: Address, amount: int) -> None:
        """Note what came in."""
        self._held[token] = self._held.get(token, 0) + amount
        self._movements.append(Movement(Flow.PULL, token, source, amount))

    def push(self, token: Address, to: Address, amount: int) -> None:
        """Send, or credit what the receiver refuses; zero is skipped (docs/protocol.md section 4, Payout)."""
        if amount == 0:
            return
        if (token, to) in self.ctx.refuses:
            key = (token, to)
            self._credits[key] = self._credits.get(key, 0) + amount
            self._movements.append(Movement(Flow.CREDIT, token, to, amount))
            self.emit("Credited", token, to, amount)
            return
        self._send(token, to, amount)

    def pay_credit(self, token: Address, owner: Address, to: Address) -> int:
        """Send somebody's whole credit to `to`, or refuse (docs/protocol.md section 4, Payout)."""
        amount = self._credits.pop((token, owner), 0)
        if amount == 0:
            raise Refused(Name.NOTHING_TO_WITHDRAW, token, owner)
        self.emit("Withdrawn", token, owner, to, amount)
        if (token, to) in self.ctx.refuses:
            raise Refused(Name.TRANSFER_FAILED, token, to, amount)
        self._send(token, to, amount)
        return amount

    def pass_to_hook(self, arbiter: Address) -> None:
        """Hand the whole value of a dispute to the arbiter's hook (docs/protocol.md section 6)."""
        if self.ctx.value:
            self._movements.append(Movement(Flow.HOOK, ZERO_ADDRESS, arbiter, self.ctx.value))

    def finish(self, returned: object = None) -> Outcome:
        world = World(self.domain, self.contracts, self._agreements, self._credits, self._held)
        return Outcome(world, tuple(self._events), tuple(self._movements), returned)

    def _send(self, token: Address, to: Address, amount: int) -> None:
        self._held[token] -= amount
        self._movements.append(Movement(Flow.PUSH, token, to, amount))
