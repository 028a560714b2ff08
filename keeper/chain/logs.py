"""Logs of a block or of a range, the range as wide as the node serves (docs/keeper.md section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from keeper.chain.blocks import as_hex, fixed_hex, quantity
from keeper.chain.rpc import BrokenAnswer, Rpc, RpcFault

WIDEST = 10_000
"""Blocks asked for at once, at most: what large providers serve."""
_FIRST = 2_000

_UNKNOWN_BLOCK = ("unknown block", "block not found", "header not found", "resource not found")
_TOO_LARGE = ("limit", "range", "too many", "more than", "response size", "too large", "exceed", "timeout", "timed out")
_BLOCK_OUT_OF_RANGE = "outofrange"


@dataclass(frozen=True, slots=True)
class RawLog:
    """One log, undecoded. `topics`, `data` and hashes are lower-case 0x hex, `address` too."""

    address: str
    topics: tuple[str, ...]
    data: str
    block_hash: str
    number: int
    tx_hash: str
    log_index: int


@dataclass(frozen=True, slots=True)
class LogChunk:
    """All logs of the blocks lo..hi, both included, in the order of the chain."""

    lo: int
    hi: int
    logs: list[RawLog]


def logs_in_block(rpc: Rpc, block_hash: str, addresses: Sequence[str]) -> list[RawLog] | None:
    """The logs of one block by hash, so of one branch; None when the node does not know that block (now).

    Works on a block that has left the canonical branch while the node still keeps it.
    """

    def parse(result: Any) -> list[RawLog]:
        logs = _logs(result, addresses)
        strays = {log.block_hash for log in logs} - {block_hash.lower()}
        if strays:
            raise BrokenAnswer(f"asked for logs of block {block_hash}, answered with those of {strays.pop()}")
        return logs

    try:
        return rpc.read(parse, "eth_getLogs", {"blockHash": block_hash, "address": list(addresses)})
    except RpcFault as fault:
        if any(words in fault.message.lower() for words in _UNKNOWN_BLOCK):
            return None
        raise


def log_chunks(rpc: Rpc, lo: int, hi: int, addresses: Sequence[str]) -> Iterator[LogChunk]:
    """The logs of blocks lo..hi in consecutive chunks: narrower when the node says too much, wider again after."""
    width = _FIRST
    while lo <= hi:
        top = min(lo + width - 1, hi)
        try:
            logs = _range(rpc, lo, top, addresses)
        except RpcFault as fault:
            if lo == top or not _says_too_large(fault):
                raise
            width = (top - lo + 1) // 2
            continue
        yield LogChunk(lo, top, logs)
        lo, width = top + 1, min(width * 2, WIDEST)


def logs_in_range(rpc: Rpc, lo: int, hi: int, addresses: Sequence[str]) -> list[RawLog]:
    """All logs of the canonical blocks lo..hi, both included, in the order of the chain."""
    return [log for chunk in log_chunks(rpc, lo, hi, addresses) for log in chunk.logs]


def _range(rpc: Rpc, lo: int, hi: int, addresses: Sequence[str]) -> list[RawLog]:
    def parse(result: Any) -> list[RawLog]:
        logs = _logs(result, addresses)
        if any(not lo <= log.number <= hi for log in logs):
            raise BrokenAnswer(f"asked for logs of blocks {lo} to {hi}, answered with others")
        return logs

    return rpc.read(parse, "eth_getLogs", {"fromBlock": hex(lo), "toBlock": hex(hi), "address": list(addresses)})


def _says_too_large(fault: RpcFault) -> bool:
    text = fault.message.lower()
    if _BLOCK_OUT_OF_RANGE in text:  # beyond the node's head: a narrower range does not help
        return False
    return fault.code == -32005 or any(words in text for words in _TOO_LARGE)


def _logs(result: Any, addresses: Sequence[str]) -> list[RawLog]:
    if not isinstance(result, list):
        raise BrokenAnswer("expected a list of logs")
    wanted = {address.lower() for address in addresses}
    return sorted(map(partial(_wanted, wanted), result), key=lambda log: (log.number, log.log_index))


def read_log(record: Any) -> RawLog:
    """One log as nodes write it in lists of logs and in receipts; BrokenAnswer when something is missing."""
    if not isinstance(record, dict) or not isinstance(record.get("topics"), list):
        raise BrokenAnswer("expected a log with topics")
    return RawLog(
        address=fixed_hex(record, "address", 20),
        topics=tuple(as_hex(topic, "topic", 32) for topic in record["topics"]),
        data=fixed_hex(record, "data"),
        block_hash=fixed_hex(record, "blockHash", 32),
        number=quantity(record, "blockNumber"),
        tx_hash=fixed_hex(record, "transactionHash", 32),
        log_index=quantity(record, "logIndex"),
    )


def _wanted(wanted: set[str], record: Any) -> RawLog:
    log = read_log(record)
    if log.address not in wanted:
        raise BrokenAnswer(f"answered with a log of {log.address}, which was not asked for")
    return log
