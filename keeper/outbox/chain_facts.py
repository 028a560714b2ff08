"""What a node shows about our nonce lines, read together so that it can be judged together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from keeper.chain.blocks import Header, as_quantity, fixed_hex, headers, quantity
from keeper.chain.logs import RawLog, read_log
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
    blocks: Mapping[int, str] = field(default_factory=dict)
    """Canonical block hashes by number; a number that is missing here shows nothing."""
    holder: str | None = None
    """Hash of the transaction that holds the line's nonce in a final block; None when that was not seen."""


def gather(rpc: Rpc, signer: Address, lines: Sequence[Line], final: Header) -> Iterator[tuple[Line, Facts]]:
    """Each line with what a node shows about it; RPC_UNREACHABLE when none answers.

    Where a final block holds a line's nonce and no receipt of ours tells of it, the block itself is looked up: a node
    may have lost a receipt, or index it late, and its silence must never look like a foreign transaction.
    """
    for chunk in _chunks(lines):
        facts = _ask(rpc, signer, [sent.hash for line in chunk for sent in line.sent], final)
        for line in chunk:
            yield line, _completed(rpc, signer, line, facts)


def receipt(rpc: Rpc, tx_hash: str) -> Mined | None:
    """One receipt; None shows nothing."""
    return rpc.read(_mined, "eth_getTransactionReceipt", tx_hash)


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
    )


def _completed(rpc: Rpc, signer: Address, line: Line, facts: Facts) -> Facts:
    mined = {facts.receipts[sent.hash].number for sent in line.sent if sent.hash in facts.receipts}
    numbers = mined | {sent.block_number for sent in line.sent if sent.block_number is not None}
    blocks = {h.number: h.hash for h in headers(rpc, sorted(numbers)) if h is not None}
    facts = replace(facts, blocks=blocks)
    if mined or facts.final_nonce is None or facts.final_nonce <= line.nonce:
        return facts
    return replace(facts, holder=_holder(rpc, signer, line.nonce, facts.final_number))


def _holder(rpc: Rpc, signer: Address, nonce: int, final: int) -> str | None:
    """Hash of the transaction of `signer` with `nonce`, which some block up to `final` holds.

    None when the node no longer has the states or the block that would show it.
    """
    try:
        low, step = final, 1
        while low > 0 and _count_at(rpc, signer, low) > nonce:
            low, step = max(low - step, 0), 2 * step
        high = final
        while low + 1 < high:  # the count passes the nonce in (low, high]
            middle = (low + high) // 2
            low, high = (low, middle) if _count_at(rpc, signer, middle) > nonce else (middle, high)
        return rpc.read(partial(_sent_by, signer, nonce), "eth_getBlockByNumber", hex(high), True)
    except RpcFault:
        return None  # a node without that state: nothing is shown, the next tick asks again


def _sent_by(signer: Address, nonce: int, result: Any) -> str | None:
    transactions = result.get("transactions") if isinstance(result, dict) else None
    if not isinstance(transactions, list) or not all(isinstance(tx, dict) for tx in transactions):
        raise BrokenAnswer("expected a block with its transactions")
    mine = (tx for tx in transactions if fixed_hex(tx, "from", 20) == signer.lower())
    return next((fixed_hex(tx, "hash", 32) for tx in mine if quantity(tx, "nonce") == nonce), None)


def _count_at(rpc: Rpc, signer: Address, height: int) -> int:
    return rpc.read(_count, "eth_getTransactionCount", signer, hex(height))


def _count(result: Any) -> int:
    return as_quantity(result, "nonce")


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
        logs=tuple(read_log(log) for log in result["logs"]),
    )
