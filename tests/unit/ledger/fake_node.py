"""A node in memory that forks, lags, forgets and falls silent; asked through the real JSON-RPC client, without sockets.

Its blocks carry the escrow as keeper/protocol models it, so every branch holds only what that branch allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from eth_abi import encode
from eth_utils import keccak, to_checksum_address

from keeper.chain.abi import contract
from keeper.chain.deployment import Deployment
from keeper.chain.rpc import Rpc
from keeper.protocol.encoding import escrow_domain, milestone_to_abi, terms_to_abi
from keeper.protocol.types import Address, Milestone, Terms
from keeper.protocol.world import Event, World

CHAIN = 31337
GENESIS_TIME = 1_800_000_000


ESCROW = Address(to_checksum_address("0x" + "e5" * 20))
VERIFIER = Address(to_checksum_address("0x" + "f1" * 20))
NOISE = "0x" + "ab" * 20
DEPLOYMENT = Deployment.model_validate(
    {
        "chain_id": CHAIN,
        "genesis": "0x" + "00" * 32,
        "block": 1,
        "escrow": {"address": ESCROW, "code_hash": "0x" + "11" * 32},
        "contracts": {"QuorumVerifier": {"address": VERIFIER, "code_hash": "0x" + "22" * 32}},
        "tokens": {},
    }
)


@dataclass(frozen=True)
class Log:
    """One log of a block; `event` is what the model said, None for what is not the escrow's."""

    address: str
    topics: tuple[str, ...]
    data: str
    event: Event | None = None


@dataclass(frozen=True)
class FakeBlock:
    """A block on some branch, and the escrow after it."""

    number: int
    hash: str
    parent: str
    time: int
    logs: tuple[Log, ...]
    world: World

    def tx_hash(self, index: int) -> str:
        """An award that settles at once emits two logs in one transaction, and so does an amendment."""
        pair = tuple(getattr(log.event, "name", "") for log in self.logs[max(index - 1, 0) : index + 1])
        together = pair in (("Attested", "Settled"), ("Funded", "Amended"))
        return "0x" + keccak(text=f"{self.hash} {index - 1 if together else index}").hex()


@dataclass
class FakeNode:
    """Every block ever made, a head, and ways to misbehave."""

    world: World
    blocks: dict[str, FakeBlock] = field(default_factory=dict)
    head: str = ""
    behind: int = 0
    """The node shows a head this many blocks below its newest."""
    silent: set[str] = field(default_factory=set)
    """It shows no logs of these blocks."""
    vanishing: set[str] = field(default_factory=set)
    """Asked for logs of these blocks by hash it knows no such block."""
    denying: bool = False
    """Its headers deny every log."""
    dies_after: int | None = None
    """Answers left before it answers no more."""
    meanwhile: Callable[[], None] | None = None
    """Runs once, before the next answer to `meanwhile_before`."""
    meanwhile_before: tuple[str, ...] = ("eth_getLogs",)
    """A method, or a method and its first parameter."""
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        genesis = FakeBlock(0, "0x" + keccak(b"genesis").hex(), "0x" + "00" * 32, GENESIS_TIME, (), self.world)
        self.blocks[genesis.hash] = genesis
        self.head = genesis.hash

    @property
    def tip(self) -> FakeBlock:
        return self.blocks[self.head]

    def canonical(self) -> list[FakeBlock]:
        """From genesis to the shown head."""
        line = [self.tip]
        while line[-1].number:
            line.append(self.blocks[line[-1].parent])
        line.reverse()
        return line[: max(len(line) - self.behind, 1)]

    def mine(self, logs: Sequence[Log] = (), *, world: World | None = None, after: int = 12) -> FakeBlock:
        """A block on the tip, `after` seconds later."""
        parent = self.tip
        label = f"{parent.hash} {len(self.blocks)}"
        block = FakeBlock(
            parent.number + 1,
            "0x" + keccak(text=label).hex(),
            parent.hash,
            parent.time + after,
            tuple(logs),
            world or parent.world,
        )
        self.blocks[block.hash] = block
        self.head = block.hash
        return block

    def drop(self, depth: int) -> None:
        """Make the block `depth` below the tip the tip: what follows is another branch."""
        for _ in range(depth):
            self.head = self.tip.parent

    def rpc(self) -> Rpc:
        """The real client, talking to this node without a socket."""
        return Rpc(["http://node.test"], client=httpx.Client(transport=httpx.MockTransport(self._answer)))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.dies_after is not None:
            if self.dies_after == 0:
                raise httpx.ConnectError("the node is gone", request=request)
            self.dies_after -= 1
        body = orjson.loads(request.content)
        answers = [self._one(call) for call in (body if isinstance(body, list) else [body])]
        return httpx.Response(200, content=orjson.dumps(answers if isinstance(body, list) else answers[0]))

    def _one(self, call: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(call["method"])
        if self.meanwhile and self.meanwhile_before in ((call["method"],), (call["method"], call["params"][0])):
            act, self.meanwhile = self.meanwhile, None
            act()
        answer = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            return {**answer, "result": getattr(self, "_" + call["method"])(*call["params"])}
        except LookupError as error:
            return {**answer, "error": {"code": -32000, "message": str(error.args[0])}}

    def _eth_getBlockByNumber(self, which: str, _full: bool) -> Any:
        line = self.canonical()
        number = len(line) - 1 if which == "latest" else int(which, 16)
        return self._block_json(line[number]) if number < len(line) else None

    def _eth_getBlockByHash(self, block_hash: str, _full: bool) -> Any:
        found = self.blocks.get(block_hash)
        return self._block_json(found) if found else None

    def _eth_getLogs(self, query: dict[str, Any]) -> Any:
        wanted = query.get("address")
        if "blockHash" in query:
            if query["blockHash"] in self.vanishing or query["blockHash"] not in self.blocks:
                raise LookupError("unknown block")
            blocks = [self.blocks[query["blockHash"]]]
        else:
            lo, hi = int(query["fromBlock"], 16), int(query["toBlock"], 16)
            blocks = [b for b in self.canonical() if lo <= b.number <= hi]
        return [log for block in blocks for log in self._logs_json(block, wanted)]

    def _block_json(self, block: FakeBlock) -> dict[str, Any]:
        return {
            "number": hex(block.number),
            "hash": block.hash,
            "parentHash": block.parent,
            "timestamp": hex(block.time),
            "logsBloom": "0x" + bloom_bytes(() if self.denying else block.logs).hex(),
        }

    def _logs_json(self, block: FakeBlock, wanted: list[str] | None) -> Iterator[dict[str, Any]]:
        if block.hash in self.silent:
            return
        for i, log in enumerate(block.logs):
            if wanted is None or log.address in [w.lower() for w in wanted]:
                yield {
                    "address": log.address,
                    "topics": list(log.topics),
                    "data": log.data,
                    "blockHash": block.hash,
                    "blockNumber": hex(block.number),
                    "transactionHash": block.tx_hash(i),
                    "logIndex": hex(i),
                }


def bloom_bytes(logs: Sequence[Log]) -> bytes:
    """The filter as the Yellow Paper writes it, bit by bit: not the code under test."""
    bloom = bytearray(256)
    for log in logs:
        for item in (log.address, *log.topics):
            digest = keccak(hexstr=item)
            for i in (0, 2, 4):
                bit = (digest[i] << 8 | digest[i + 1]) & 0x7FF
                bloom[255 - bit // 8] |= 1 << bit % 8
    return bytes(bloom)


def log_of(event: Event, source: str = "Escrow", address: str = ESCROW) -> Log:
    """The log that a contract emits for an event of the model, by the committed ABI."""
    entry = contract(source).events[event.name]
    values = [_to_abi(value) for value in event.args]
    fields = list(zip(entry.inputs, entry.indexed, values, strict=True))
    topics = ["0x" + entry.topic.hex()]
    topics += ["0x" + encode([kind], [value]).hex() for (_, kind), indexed, value in fields if indexed]
    kinds = [kind for (_, kind), indexed, _ in fields if not indexed]
    data = encode(kinds, [value for _, indexed, value in fields if not indexed])
    return Log(address.lower(), tuple(topics), "0x" + data.hex(), event)


def noise(number: int) -> Log:
    """A log of a contract that nobody follows."""
    return Log(NOISE, ("0x" + keccak(text=f"noise {number}").hex(),), "0x")


def _to_abi(value: Any) -> Any:
    if isinstance(value, Terms):
        return terms_to_abi(value)
    if isinstance(value, tuple) and value and isinstance(value[0], Milestone):
        return [milestone_to_abi(m) for m in value]
    return value


DOMAIN = escrow_domain(CHAIN, ESCROW)
