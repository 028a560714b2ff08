"""Where sending happens: one account on one chain, with what it needs to sign, write down and broadcast.

The order is the point: sign, commit, broadcast. What was committed is resumed after any crash; what was not committed
was never sent (docs/keeper.md section 2, law 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import structlog

from keeper.chain.blocks import Header, as_quantity, quantity
from keeper.chain.contract_call import ContractRefused, call
from keeper.chain.rpc import BroadcastAnswer, BrokenAnswer, Rpc, RpcFault
from keeper.chain.signer import Signer
from keeper.errors import MilepostError
from keeper.outbox import batch, intents, lines
from keeper.outbox.fees import FeeLimits, Market, Offer
from keeper.outbox.intents import Intent
from keeper.outbox.lines import Call, Line, Sent
from keeper.outbox.states import IntentState, TxState
from keeper.protocol.types import Address
from keeper.store.engine import Store

log = structlog.get_logger("outbox")

_GWEI = 10**9
_POOR = ("insufficient funds", "insufficient balance", "out of gas fund")
_LOOK = ("nonce too low", "nonce is too low", "underpriced", "invalid nonce", "old nonce")


class Heard(Enum):
    """What the endpoints said to a raw transaction, all together."""

    SENT = auto()
    """One has it."""
    LOOK = auto()
    """The nonce is taken, by us or by others: receipts tell by whom."""
    POOR = auto()
    """The account cannot pay."""
    REFUSED = auto()
    UNREACHED = auto()


@dataclass(frozen=True, slots=True)
class Desk:
    """One account on one chain."""

    store: Store
    rpc: Rpc
    signer: Signer
    limits: FeeLimits
    chain: int
    escrow: Address

    def refusal(self, to: Address, data: bytes, value: int) -> str | None:
        """Why this very call would do nothing at the head, or None when it would do something.

        RPC_UNREACHABLE, RPC_REFUSED or INSUFFICIENT_FUNDS when the node does not say.
        """
        try:
            answer = call(self.rpc, to, data, sender=self.signer.address, value=value)
        except ContractRefused as refused:
            return refused.text
        if batch.is_batch(data) and not any(batch.settled_flags(answer)):
            return "none of the batch is due"
        return None

    def market(self, live: Sequence[Line], head: Header, without: Line | None = None) -> Market:
        """What gas costs now and what may be spent, leaving out line `without`."""
        answers = self.rpc.batch(
            [
                ("eth_getBlockByNumber", ("latest", False)),
                ("eth_maxPriorityFeePerGas", ()),
                ("eth_getBalance", (self.signer.address, "latest")),
            ]
        )
        block, tip, balance = answers
        if isinstance(block, RpcFault) or isinstance(balance, RpcFault) or not isinstance(block, dict):
            raise MilepostError("RPC_REFUSED", "The node does not tell fees and balance", cause=f"{block} {balance}")
        with self.store.read() as conn:
            spent = lines.spent_since(conn, self.chain, self.signer.address, head.time, without)
        try:
            market = Market(
                base_fee=quantity(block, "baseFeePerGas"),
                # Not every node has the method; one gwei has always been taken.
                tip=_GWEI if isinstance(tip, RpcFault) else as_quantity(tip, "tip"),
                balance=as_quantity(balance, "balance"),
                spent_today=spent,
            )
        except BrokenAnswer as error:
            raise MilepostError("RPC_REFUSED", "The node does not tell fees and balance", cause=str(error)) from error
        return lines.spendable(market, live, without)

    def commit(
        self, nonce: int, what: Call, offer: Offer, carried: Sequence[Intent], head: Header, reason: str
    ) -> Sent:
        """Sign a transaction and write it down with what it carries, in a database transaction of its own.

        `carried` intents become sent. Nothing is broadcast here.
        """
        sent = self._sign(nonce, what, offer, carried)
        with self.store.begin() as conn:
            lines.record(conn, self.chain, self.signer.address, sent, head.time)
            for intent in carried:
                intents.move(conn, intent, IntentState.SENT, reason)
        log.info("transaction saved", tx=sent.hash, nonce=nonce, gas=what.gas, max_fee=offer.max_fee, why=reason)
        return sent

    def broadcast(self, sent: Sent) -> Heard:
        """Send a committed transaction, unchanged, to every endpoint, and write down that it may be known.

        Outside of any database transaction: a node may take seconds to answer.
        """
        answers = self.rpc.broadcast(sent.raw)
        heard = listen(answers)
        words = "; ".join(f"{answer.url}: {answer.message}" for answer in answers)
        (log.info if heard in (Heard.SENT, Heard.LOOK) else log.error)(
            "transaction broadcast", tx=sent.hash, nonce=sent.nonce, heard=heard.name.lower(), answers=words
        )
        if heard in (Heard.SENT, Heard.LOOK) and sent.state == TxState.SIGNED:
            with self.store.begin() as conn:
                lines.move(conn, sent, TxState.BROADCAST)
        if heard in (Heard.POOR, Heard.REFUSED):
            code = "INSUFFICIENT_FUNDS" if heard == Heard.POOR else "RPC_REFUSED"
            self._explain(sent, f"{code}: {words}")
        return heard

    def _explain(self, sent: Sent, reason: str) -> None:
        with self.store.begin() as conn:
            for intent in intents.by_ids(conn, sent.intents):
                intents.move(conn, intent, intent.state, reason)

    def _sign(self, nonce: int, what: Call, offer: Offer, carried: Sequence[Intent]) -> Sent:
        raw, tx_hash = self.signer.sign_transaction(
            {
                "type": 2,
                "chainId": self.chain,
                "nonce": nonce,
                "to": what.to,
                "data": what.data,
                "value": what.value,
                "gas": what.gas,
                "maxFeePerGas": offer.max_fee,
                "maxPriorityFeePerGas": offer.max_priority_fee,
            }
        )
        return Sent(
            hash="0x" + tx_hash.hex(),
            nonce=nonce,
            raw="0x" + raw.hex(),
            call=what,
            offer=offer,
            state=TxState.SIGNED,
            block_number=None,
            block_hash=None,
            intents=frozenset(intent.id for intent in carried),
        )


def listen(answers: Sequence[BroadcastAnswer]) -> Heard:
    """The best of what the endpoints said; an endpoint without an answer says nothing."""
    if any(answer.ok for answer in answers):
        return Heard.SENT
    said = [answer.message.lower() for answer in answers if answer.code is not None]
    for words, heard in ((_LOOK, Heard.LOOK), (_POOR, Heard.POOR)):
        if any(word in message for message in said for word in words):
            return heard
    return Heard.REFUSED if said else Heard.UNREACHED
