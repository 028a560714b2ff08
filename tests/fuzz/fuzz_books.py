"""Everybody's money outside the escrow: what the model of the escrow does not know and the token decides."""

from __future__ import annotations

from collections import Counter

from fuzz_cast import ALLOWED, PARTIES, PAUPER, PAUPER_ALLOWS, Stage
from fuzz_evm import Reply
from fuzz_orders import asking

from keeper.protocol.types import Address
from keeper.protocol.world import Flow, Fund, Movement


class Books:
    """Balances and allowances as they must be, kept beside the real tokens."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._token = stage.codes["PlayDollar"].codec
        self.balances = {(token, who): self.real(token, who) for token in stage.tokens for who in stage.everyone}
        self.donated: Counter[Address] = Counter()
        self.blocked: set[Address] = set()
        """Receivers that the moody token refuses."""
        self._allowance = dict.fromkeys(stage.tokens, PAUPER_ALLOWS)

    def real(self, token: Address, who: Address) -> int:
        """The token's own word."""
        return int.from_bytes(self._stage.chain.view(token, asking(self._token, "balanceOf", who)), "big")

    def refuses(self) -> frozenset[tuple[Address, Address]]:
        """(token, receiver) of transfers that fail."""
        return frozenset((self._stage.moody, who) for who in self.blocked)

    def pays(self, caller: Address, call: Fund) -> bool:
        """Whether the token lets the escrow take what the call needs."""
        token = call.terms.token
        if (token, self._stage.escrow) in self.refuses():
            return False
        total = sum(m.amount for i, m in enumerate(call.milestones) if call.mask >> i & 1)
        return total <= min(self.balances.get((token, caller), 0), self._may_take(token, caller))

    def _may_take(self, token: Address, caller: Address) -> int:
        if caller in PARTIES:
            return ALLOWED
        return self._allowance.get(token, 0) if caller == PAUPER else 0

    def block(self, who: Address, blocked: bool) -> None:
        """Let the moody token refuse a receiver, or take him back."""
        (self.blocked.add if blocked else self.blocked.discard)(who)
        data = self._stage.codes["HostileToken"].codec.encode("setBlocked", who, blocked)
        self._stage.chain.send(PAUPER, self._stage.moody, data)

    def donate(self, token: Address, who: Address, amount: int) -> Reply:
        """Send tokens to the escrow past all its doors."""
        data = self._token.encode("transfer", self._stage.escrow, amount)
        reply = self._stage.chain.send(who, token, data)
        if reply.revert is None:
            self.donated[token] += amount
            self._move(token, who, self._stage.escrow, amount)
        return reply

    def enter(self, moves: tuple[Movement, ...]) -> None:
        """Follow what the model says was moved."""
        for move in moves:
            if move.flow == Flow.PULL:
                self._move(move.token, move.who, self._stage.escrow, move.amount)
                if move.who == PAUPER:
                    self._allowance[move.token] -= move.amount
            elif move.flow == Flow.PUSH:
                self._move(move.token, self._stage.escrow, move.who, move.amount)

    def _move(self, token: Address, source: Address, target: Address, amount: int) -> None:
        self.balances[token, source] -= amount
        self.balances[token, target] += amount
