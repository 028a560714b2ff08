"""A node in memory for the outbox's state machine: one account, one contract, and every way to be unhelpful.

The contract does each thing once and reverts on a second call. "Signed" transactions are JSON, so that nothing needs a
key. The node can lag, be down, drop its mempool, be reorganised, and kill whoever broadcasts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.chain.blocks import Header
from keeper.chain.rpc import BroadcastAnswer, Call, RpcFault
from keeper.errors import MilepostError
from keeper.protocol.types import Address

CHAIN = 31337
ME = Address(to_checksum_address("0x" + "aa" * 20))
CONTRACT = Address(to_checksum_address("0x" + "cc" * 20))
FINAL_DEPTH = 3


class Crash(BaseException):
    """The process dies here."""


class FakeSigner:
    """Signs by writing down."""

    address = ME

    def sign_transaction(self, tx: Mapping[str, Any]) -> tuple[bytes, bytes]:
        raw = json.dumps({**tx, "data": tx["data"].hex()}, sort_keys=True).encode()
        return raw, keccak(raw)


@dataclass(frozen=True)
class Tx:
    hash: str
    nonce: int
    to: str
    thing: int | None
    fee: int

    @classmethod
    def parse(cls, raw_hex: str) -> Tx:
        raw = bytes.fromhex(raw_hex[2:])
        body = json.loads(raw)
        data = bytes.fromhex(body["data"])
        return cls("0x" + keccak(raw).hex(), body["nonce"], body["to"], data[0] if data else None, body["maxFeePerGas"])


@dataclass
class Block:
    number: int
    hash: str
    parent: str
    mined: list[tuple[Tx, bool]] = field(default_factory=list)
    """Our transactions and whether they succeeded."""
    rivals: set[int] = field(default_factory=set)
    foreign: int = 0
    """Transactions of our account that somebody else signed."""


class FakeNode:
    """Stands where `Rpc` stands."""

    def __init__(self) -> None:
        self._hashes = count(1)
        self.chain: list[Block] = [Block(0, self._hash(), "0x" + "00" * 32)]
        self.mempool: dict[int, Tx] = {}
        self.final = 0
        self.lag = 0
        self.down = False
        self.hides_receipts = False
        self.crash = ""
        self.sent: dict[str, Tx] = {}
        """Everything that ever reached the node."""
        self.on_broadcast: Callable[[Tx], None] = lambda tx: None

    # --- what the world does ---

    def mine(self, things: Sequence[int] = (), foreign: bool = False, skip: bool = False) -> None:
        """A block: rivals do their things first, then a foreign transaction of our account, then the mempool."""
        block = self._append()
        block.rivals = {thing for thing in things if thing not in self.done(self.chain[:-1])}
        if foreign:
            block.foreign = 1
        nonce = self.nonce(self.chain)
        while not skip and nonce in self.mempool:
            tx = self.mempool.pop(nonce)
            fresh = tx.thing is None or tx.thing not in self.done(self.chain)
            block.mined.append((tx, fresh))
            nonce += 1
        self.mempool = {n: tx for n, tx in self.mempool.items() if n >= nonce}
        self.final = max(self.final, self.chain[-1].number - FINAL_DEPTH)

    def reorg(self, depth: int, keep: bool) -> None:
        """Replace the newest blocks, none of them final, by empty ones; their transactions are kept or forgotten."""
        depth = min(depth, self.chain[-1].number - self.final)
        gone = [tx for block in self.chain[len(self.chain) - depth :] for tx, _ in block.mined]
        del self.chain[len(self.chain) - depth :]
        for _ in range(depth):
            self._append()
        if keep:
            self.mempool = {tx.nonce: tx for tx in gone} | self.mempool

    def done(self, chain: Sequence[Block]) -> set[int]:
        """The things that were done on a chain."""
        ours = {tx.thing for block in chain for tx, ok in block.mined if ok and tx.thing is not None}
        return ours.union(*(block.rivals for block in chain))

    def nonce(self, chain: Sequence[Block]) -> int:
        return sum(len(block.mined) + block.foreign for block in chain)

    def head(self) -> Header:
        """The head as the node shows it."""
        block = self.view()[-1]
        return Header(block.number, block.hash, block.parent, 1_800_000_000 + 12 * block.number)

    # --- the face of Rpc ---

    def read(self, parse: Callable[[Any], Any], method: str, *params: Any) -> Any:
        answer = self._answer(method, params)
        if isinstance(answer, RpcFault):
            raise answer
        return parse(answer)

    def read_batch(self, calls: Sequence[Call[Any]]) -> list[Any]:
        answers = [(call, self._answer(call.method, call.params)) for call in calls]
        return [answer if isinstance(answer, RpcFault) else call.parse(answer) for call, answer in answers]

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        return [self._answer(method, params) for method, params in calls]

    def broadcast(self, raw_hex: str) -> list[BroadcastAnswer]:
        tx = Tx.parse(raw_hex)
        self.on_broadcast(tx)
        if self.crash == "before":
            self.crash = ""
            raise Crash
        if self.down:
            return [BroadcastAnswer("node", False, False, "cannot connect", None)]
        words = self._take(tx)
        if self.crash == "after":
            self.crash = ""
            raise Crash
        known = words == "already known"
        return [BroadcastAnswer("node", known or not words, known, words or "accepted", -32000 if words else None)]

    def _take(self, tx: Tx) -> str:
        self.sent[tx.hash] = tx
        if tx.nonce < self.nonce(self.chain):
            return "nonce too low"
        pending = self.mempool.get(tx.nonce)
        if pending and pending.hash == tx.hash:
            return "already known"
        if pending and tx.fee * 10 < pending.fee * 11:
            return "replacement transaction underpriced"
        self.mempool[tx.nonce] = tx
        return ""

    def _answer(self, method: str, params: Sequence[Any]) -> Any:
        if self.down:
            raise MilepostError("RPC_UNREACHABLE", "No endpoint answered", cause="node: cannot connect")
        answers: dict[str, Callable[..., Any]] = {
            "eth_getBlockByNumber": self._block,
            "eth_getTransactionCount": lambda _, at: hex(self.nonce(self._until(at))),
            "eth_getTransactionReceipt": self._receipt,
            "eth_call": self._call,
            "eth_estimateGas": lambda *_: hex(50_000),
            "eth_maxPriorityFeePerGas": lambda: hex(10**9),
            "eth_getBalance": lambda *_: hex(10**30),
        }
        return answers[method](*params)

    def view(self) -> list[Block]:
        """The chain as far as the node shows it."""
        return self.chain[: max(len(self.chain) - self.lag, 1)]

    def _until(self, at: str) -> list[Block]:
        view = self.view()
        return view if at == "latest" else view[: int(at, 16) + 1]

    def _block(self, at: str, full: bool) -> dict[str, Any] | None:
        view = self.view()
        number = {"latest": view[-1].number, "finalized": min(self.final, view[-1].number)}.get(at)
        number = int(at, 16) if number is None else number
        if number >= len(view):
            return None
        block = view[number]
        return {
            "number": hex(number),
            "hash": block.hash,
            "parentHash": block.parent,
            "timestamp": hex(1_800_000_000 + 12 * number),
            "baseFeePerGas": hex(10**9),
            "transactions": self._transactions(block) if full else [],
        }

    def _transactions(self, block: Block) -> list[dict[str, str]]:
        first = self.nonce(self.chain[: block.number])
        hashes = [keccak(text=f"foreign {block.hash}").hex()] * block.foreign + [tx.hash[2:] for tx, _ in block.mined]
        return [{"hash": "0x" + h, "from": ME.lower(), "nonce": hex(first + i)} for i, h in enumerate(hashes)]

    def _receipt(self, tx_hash: str) -> dict[str, Any] | None:
        for block in () if self.hides_receipts else self.view():
            for tx, ok in block.mined:
                if tx.hash == tx_hash:
                    return {
                        "transactionHash": tx_hash,
                        "blockNumber": hex(block.number),
                        "blockHash": block.hash,
                        "status": hex(ok),
                        "gasUsed": hex(40_000),
                        "effectiveGasPrice": hex(2 * 10**9),
                        "logs": [],
                    }
        return None

    def _call(self, request: Mapping[str, str], _: str) -> Any:
        thing = bytes.fromhex(request["data"][2:])[0]
        return RpcFault(3, "execution reverted", "0x") if thing in self.done(self.view()) else "0x"

    def _append(self) -> Block:
        parent = self.chain[-1]
        self.chain.append(Block(parent.number + 1, self._hash(), parent.hash))
        return self.chain[-1]

    def _hash(self) -> str:
        return "0x" + next(self._hashes).to_bytes(32, "big").hex()
