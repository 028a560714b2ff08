"""Reading blocks so that silence is never believed (docs/keeper.md sections 2 and 4).

An empty list of logs shows nothing by itself: a node that lags, prunes or indexes late gives the same answer. It is
taken for true only where the block's own bloom filter agrees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.blocks import Header, as_hex, fixed_hex, quantity
from keeper.chain.logs import RawLog, logs_in_block
from keeper.chain.rpc import BrokenAnswer, Call, Rpc, RpcFault
from keeper.errors import MilepostError
from keeper.ledger.bloom import bloom_of, may_have


@dataclass(frozen=True, slots=True)
class Block:
    """A header with its bloom filter, an integer of 2,048 bits."""

    header: Header
    bloom: int


class Hold(Exception):  # noqa: N818 - no error: there is nothing to conclude yet
    """The node's answers do not fit together now; its text says how. Look again at the next step."""


def block_at(rpc: Rpc, number: int) -> Block:
    """The canonical block at a height; Hold when the node has none there now."""
    return blocks_at(rpc, [number])[0]


def blocks_at(rpc: Rpc, numbers: Sequence[int]) -> list[Block]:
    """The canonical blocks at these heights; Hold when the node lacks one of them now."""
    answers = rpc.read_batch([Call(_block, "eth_getBlockByNumber", (hex(n), False)) for n in numbers])
    found: list[Block] = []
    for number, answer in zip(numbers, answers, strict=True):
        if isinstance(answer, RpcFault):
            raise answer
        if answer is None:
            raise Hold(f"the node has no block {number}")
        if answer.header.number != number:
            raise Hold(f"the node answered with block {answer.header.number} when asked for {number}")
        found.append(answer)
    return found


def block_of(rpc: Rpc, block_hash: str) -> Block:
    """The block with this hash, on any branch; Hold when the node does not know it now."""

    def parse(result: Any) -> Block | None:
        found = _block(result)
        if found and found.header.hash != block_hash:
            raise BrokenAnswer(f"asked for block {block_hash}, answered with {found.header.hash}")
        return found

    found = rpc.read(parse, "eth_getBlockByHash", block_hash, False)
    if found is None:
        raise Hold(f"the node no longer knows block {block_hash}")
    return found


def logs_of(rpc: Rpc, block: Block, followed: Mapping[str, Sequence[str]]) -> list[RawLog]:
    """The logs of one block by the `followed` contracts: lower-case address -> the topics of its events.

    Hold when the block vanished, or when its filter announces logs that the node does not show. RPC_INCONSISTENT when
    the node shows logs that the filter denies.
    """
    logs = _logs(rpc, block, followed)
    check_bloom(block, logs)
    if _in_doubt(block, logs, followed) and _silent_about(rpc, block, followed):
        logs = _logs(rpc, block, followed)
        check_bloom(block, logs)
        if _in_doubt(block, logs, followed):
            raise Hold(f"the node shows no logs of block {block.header.number}, but its filter announces some")
    return logs


def check_bloom(block: Block, logs: Sequence[RawLog]) -> None:
    """RPC_INCONSISTENT when logs are shown that are not of this block, or that its filter denies."""
    header = block.header
    if any(log.block_hash != header.hash or log.number != header.number for log in logs):
        raise Hold(f"the logs of block {header.number} are of another block than {header.hash}")
    claimed = bloom_of((log.address, log.topics) for log in logs)
    if claimed & ~block.bloom:
        raise MilepostError(
            "RPC_INCONSISTENT",
            f"The node shows logs in block {header.number} that the block's own header denies",
            cause=f"expected every log of block {header.hash} in its bloom filter, found one that is not",
        )


def _in_doubt(block: Block, logs: Sequence[RawLog], followed: Mapping[str, Sequence[str]]) -> bool:
    """Whether the filter speaks of a followed contract that the answer does not."""
    heard = {log.address for log in logs}
    return any(address not in heard and may_have(block.bloom, address, topics) for address, topics in followed.items())


def _silent_about(rpc: Rpc, block: Block, followed: Mapping[str, Sequence[str]]) -> bool:
    """Whether the followed contracts logged something that was not shown; decided by all logs of the block.

    Filters of busy blocks announce addresses that are not there. All logs together must give the very filter of the
    header: then they are complete, and what they lack did not happen.
    """
    everything = _everything(rpc, block.header.hash)
    if bloom_of(everything) != block.bloom:
        raise Hold(f"the node does not show all logs of block {block.header.number} yet")
    return any(address in followed for address, _ in everything)


def _logs(rpc: Rpc, block: Block, followed: Mapping[str, Sequence[str]]) -> list[RawLog]:
    logs = logs_in_block(rpc, block.header.hash, list(followed))
    if logs is None:
        raise Hold(f"block {block.header.number} vanished while it was read")
    return logs


def _everything(rpc: Rpc, block_hash: str) -> list[tuple[str, list[str]]]:
    """Address and topics of every log of a block, whoever emitted it."""

    def parse(result: Any) -> list[tuple[str, list[str]]]:
        if not isinstance(result, list):
            raise BrokenAnswer("expected a list of logs")
        return [_address_and_topics(record) for record in result]

    return rpc.read(parse, "eth_getLogs", {"blockHash": block_hash})


def _address_and_topics(record: Any) -> tuple[str, list[str]]:
    if not isinstance(record, dict) or not isinstance(record.get("topics"), list):
        raise BrokenAnswer("expected a log with topics")
    return fixed_hex(record, "address", 20), [as_hex(t, "topic", 32) for t in record["topics"]]


def _block(result: Any) -> Block | None:
    if result is None:
        return None
    if not isinstance(result, dict):
        raise BrokenAnswer("expected a block")
    header = Header(
        number=quantity(result, "number"),
        hash=fixed_hex(result, "hash", 32),
        parent=fixed_hex(result, "parentHash", 32),
        time=quantity(result, "timestamp"),
    )
    return Block(header, int(fixed_hex(result, "logsBloom", 256), 16))
