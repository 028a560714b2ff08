"""What a node shows about our nonce lines, read together so that it can be judged together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.blocks import Header, fixed_hex, headers, quantity
from keeper.chain.logs import RawLog
from keeper.chain.rpc import BATCH, BrokenAnswer, Call, Rpc, RpcFault
from keeper.outbox.lines import Line
from keeper.protocol.types import Address

_FIXED_CALLS = 3


@dataclass(frozen=True, slots=True)
class Mined:
    """A receipt. Hashes are 0x hex; `gas_price` is what was paid, wei per gas."""

    tx_hash: str
    number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    gas_price: int
    logs: tuple[RawLog, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """One node's view of some lines."""

    latest_nonce: int
    """Transactions of the account in the canonical chain up to the head."""
    final_nonce: int | None
    """The same up to the final block; None when the node could not say, or showed another final block."""
    final_number: int
    receipts: Mapping[str, Mined]
    """By transaction hash; a hash that is missing here shows nothing."""
    blocks: Mapping[int, str]
    """Canonical block hashes by number; a number that is missing here shows nothing."""


def gather(rpc: Rpc, signer: Address, lines: Sequence[Line], final: Header) -> Iterator[tuple[Line, Facts]]:
    """Each line with what a node shows about it; RPC_UNREACHABLE when none answers.

    The nonce at the final block and the receipts of a line come from one request, so from one node: a receipt that
    another, slower node lacks must never look as if a foreign transaction held the nonce.
    """
    for chunk in _chunks(lines):
        facts = _ask(rpc, signer, [sent.hash for line in chunk for sent in line.sent], final)
        yield from ((line, _with_blocks(rpc, line, facts)) for line in chunk)


def receipt(rpc: Rpc, tx_hash: str) -> Mined | None:
    """One receipt; None shows nothing."""
    return rpc.read(_mined, "eth_getTransactionReceipt", tx_hash)


def account_nonce(rpc: Rpc, signer: Address) -> int:
    """The account's transaction count at the head."""
    return rpc.read(_count, "eth_getTransactionCount", signer, "latest")


def _chunks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    size = 0
    for line in lines:
        if chunk and size + len(line.sent) > BATCH - _FIXED_CALLS:
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line.sent)
    if chunk:
        yield chunk


def _ask(rpc: Rpc, signer: Address, hashes: Sequence[str], final: Header) -> Facts:
    height = hex(final.number)
    calls: list[Call[Any]] = [
        Call(_count, "eth_getTransactionCount", (signer, "latest")),
        Call(_count, "eth_getTransactionCount", (signer, height)),
        Call(_block_hash, "eth_getBlockByNumber", (height, False)),
        *(Call(_mined, "eth_getTransactionReceipt", (tx,)) for tx in hashes),
    ]
    latest, at_final, block, *receipts = rpc.read_batch(calls)
    if isinstance(latest, RpcFault):
        raise latest
    complete = block == final.hash and not any(isinstance(answer, RpcFault) for answer in (at_final, *receipts))
    found = [answer for answer in receipts if isinstance(answer, Mined)]
    return Facts(
        latest_nonce=latest,
        final_nonce=at_final if complete and isinstance(at_final, int) else None,
        final_number=final.number,
        receipts={mined.tx_hash: mined for mined in found if mined is not None},
        blocks={},
    )


def _with_blocks(rpc: Rpc, line: Line, facts: Facts) -> Facts:
    numbers = {facts.receipts[sent.hash].number for sent in line.sent if sent.hash in facts.receipts}
    numbers |= {sent.block_number for sent in line.sent if sent.block_number is not None}
    blocks = {h.number: h.hash for h in headers(rpc, sorted(numbers)) if h is not None}
    return Facts(facts.latest_nonce, facts.final_nonce, facts.final_number, facts.receipts, blocks)


def _count(result: Any) -> int:
    return quantity({"nonce": result}, "nonce")


def _block_hash(result: Any) -> str | None:
    return None if result is None else fixed_hex(result, "hash", 32)


def _mined(result: Any) -> Mined | None:
    if result is None:
        return None
    if not isinstance(result, dict) or not isinstance(result.get("logs"), list):
        raise BrokenAnswer("expected a receipt with its logs")
    return Mined(
        tx_hash=fixed_hex(result, "transactionHash", 32),
        number=quantity(result, "blockNumber"),
        block_hash=fixed_hex(result, "blockHash", 32),
        succeeded=quantity(result, "status") == 1,
        gas_used=quantity(result, "gasUsed"),
        gas_price=quantity(result, "effectiveGasPrice"),
        logs=tuple(_log(log) for log in result["logs"]),
    )


def _log(record: Any) -> RawLog:
    if not isinstance(record, dict) or not isinstance(record.get("topics"), list):
        raise BrokenAnswer("expected a log with topics")
    return RawLog(
        address=fixed_hex(record, "address", 20),
        topics=tuple(fixed_hex({"topic": topic}, "topic", 32) for topic in record["topics"]),
        data=fixed_hex(record, "data"),
        block_hash=fixed_hex(record, "blockHash", 32),
        number=quantity(record, "blockNumber"),
        tx_hash=fixed_hex(record, "transactionHash", 32),
        log_index=quantity(record, "logIndex"),
    )
