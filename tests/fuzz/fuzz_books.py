"""Everybody's money outside the escrow: what the model of the escrow does not know and the tokens decide."""

from __future__ import annotations

from collections import Counter

from fuzz_cast import ALLOWED, MOODS, PARTIES, PAUPER, PAUPER_ALLOWS, STRANGER, TAKES, WALLETS, Stage
from fuzz_evm import Reply
from fuzz_orders import PULLS, Order, asking

from keeper.protocol.types import ZERO_ADDRESS, Address, sum_of
from keeper.protocol.world import Amend, Flow, Fund, FundWithPermit, Movement


class Books:
    """Balances and allowances as they must be, kept beside the real tokens; token 0 is the native currency."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._token = stage.codes["PlayDollar"].codec
        self.balances: dict[tuple[Address, Address], int] = {}
        self.people: list[Address] = []
        """Everybody who may hold something."""
        self.meet(*stage.everyone)
        self.donated: Counter[Address] = Counter()
        self.blocked: set[Address] = set()
        """Receivers that the moody token refuses."""
        self.moods: dict[Address, str] = dict.fromkeys(WALLETS, MOODS[0])
        coins = [token for token in stage.tokens if token != ZERO_ADDRESS]
        self.allowance = {(token, who): ALLOWED for token in coins for who in PARTIES}
        self.allowance |= {(token, PAUPER): PAUPER_ALLOWS for token in coins}

    def real(self, token: Address, who: Address) -> int:
        """The token's own word."""
        if token == ZERO_ADDRESS:
            return self._stage.chain.native(who)
        return int.from_bytes(self._stage.chain.view(token, asking(self._token, "balanceOf", who)), "big")

    def refuses(self) -> frozenset[tuple[Address, Address]]:
        """(token, receiver) of transfers that fail."""
        refused = {(self._stage.moody, who) for who in self.blocked}
        sulking = {who for who, mood in self.moods.items() if mood not in TAKES}
        refused |= {(ZERO_ADDRESS, who) for who in sulking | (self._stage.contracts - set(WALLETS))}
        return frozenset(refused)

    def meet(self, *whom: Address) -> None:
        """Keep account of somebody from now on."""
        for who in whom:
            if who not in self.people and who != ZERO_ADDRESS:
                self.people.append(who)
                self.balances |= {(token, who): self.real(token, who) for token in self._stage.tokens}

    def pays(self, order: Order, permitted: int | None) -> bool:
        """Whether the token lets the escrow take what the call needs; `permitted` is what a permit allows."""
        token, needed = needs(order)
        if token == ZERO_ADDRESS or (token, self._stage.escrow) in self.refuses():
            return token == ZERO_ADDRESS
        allowed = self.allowance.get((token, order.caller), 0) if permitted is None else permitted
        return needed <= min(self.balances.get((token, order.caller), 0), allowed)

    def block(self, who: Address, blocked: bool) -> None:
        """Let the moody token refuse a receiver, or take him back."""
        (self.blocked.add if blocked else self.blocked.discard)(who)
        data = self._stage.codes["HostileToken"].codec.encode("setBlocked", who, blocked)
        self._stage.chain.send(PAUPER, self._stage.moody, data)

    def set_mood(self, wallet: Address, mood: str, back: bytes) -> None:
        """Tell a wallet how to take native currency, and what to call back with."""
        self.moods[wallet] = mood
        data = self._stage.codes["MoodyWallet"].codec.encode("setMood", MOODS.index(mood), self._stage.escrow, back)
        self._stage.chain.send(PAUPER, wallet, data)

    def allow(self, token: Address, who: Address) -> None:
        """Approve the escrow without a bound again, after a permit has bounded it."""
        data = self._token.encode("approve", self._stage.escrow, ALLOWED)
        self.by(who, token, data)
        self.allowance[token, who] = ALLOWED

    def donate(self, token: Address, who: Address, amount: int) -> None:
        """Send money to the escrow past all its doors; native currency as a contract's last act would."""
        if token == ZERO_ADDRESS:
            for holder, change in ((who, -amount), (self._stage.escrow, amount)):
                self._stage.chain.give(holder, self._stage.chain.native(holder) + change)
        elif self.by(who, token, self._token.encode("transfer", self._stage.escrow, amount)).revert is not None:
            return
        self.donated[token] += amount
        self._move(token, who, self._stage.escrow, amount)

    def by(self, who: Address, to: Address, data: bytes, value: int = 0) -> Reply:
        """A call by a party; a wallet is made to call."""
        if who in WALLETS:
            return self._stage.chain.send(STRANGER, who, self._stage.through(who, to, data, value))
        return self._stage.chain.send(who, to, data, value)

    def enter(self, moves: tuple[Movement, ...], order: Order, permitted: int | None) -> None:
        """Follow what the model says was moved by an order, and what the tokens then remember."""
        key = (needs(order)[0], order.caller)
        if permitted is not None:
            self.allowance[key] = permitted
        for move in moves:
            match move.flow:
                case Flow.PULL:
                    self._move(move.token, move.who, self._stage.escrow, move.amount)
                    if isinstance(order.call, PULLS) and self.allowance.get(key, ALLOWED) != ALLOWED:
                        self.allowance[key] -= move.amount
                case Flow.PUSH:
                    self._move(move.token, self._stage.escrow, move.who, move.amount)
                case Flow.HOOK:
                    self._move(move.token, order.caller, move.who, move.amount)

    def _move(self, token: Address, source: Address, target: Address, amount: int) -> None:
        self.balances[token, source] -= amount
        self.balances[token, target] += amount


def needs(order: Order) -> tuple[Address, int]:
    """The token that a call takes from its caller, and how much."""
    call = order.call
    match call:
        case Fund() | FundWithPermit():
            return call.terms.token, sum_of(call.milestones, call.mask)
        case Amend():
            what = call.amendment
            freed, needed = sum_of(call.from_milestones, what.closes), sum_of(call.to_milestones, what.opens)
            return call.to_terms.token, max(needed - freed, 0)
    return ZERO_ADDRESS, 0
