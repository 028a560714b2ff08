"""Which way from where the ledger stands to where the chain is: what to take back, what to add. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from keeper.chain.blocks import Header
from keeper.chain.logs import RawLog, log_chunks
from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError
from keeper.ledger.reading import Block, Hold, block_at, block_of, blocks_at, check_bloom, logs_of

WALK = 512
"""Blocks that one step reads one by one, each by its hash and held against its filter."""
RANGE = 20_000
"""Final blocks that one step reads as ranges."""
ENOUGH_LOGS = 5_000
"""A step that reads ranges ends when it has this many logs, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the ledger stands, and the hashes that it holds from the finalized block up to there."""

    head: Header
    finalized: int
    held: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Route:
    """Take back what lies above `ancestor`, then add `blocks` with their `logs`; the last block is the new head."""

    ancestor: int
    blocks: tuple[Header, ...]
    logs: tuple[RawLog, ...]
    all_final: bool = False
    """Every block of the route is final."""
    held: str = ""
    """Why it stops before the chain's head, if it had to."""


def find_route(rpc: Rpc, at: Standing, head: Header, final: Header, followed: Mapping[str, Sequence[str]]) -> Route:
    """The next step towards `head`; `final` is the chain's newest final block.

    DEEP_REORG when the chain has left the block that the ledger holds for final, RPC_INCONSISTENT when the node
    contradicts itself.
    """
    try:
        if head.number <= at.head.number and at.held.get(head.number, head.hash) == head.hash:
            # The head that we know, or a node that is behind: neither shows that anything changed.
            return stay(at)
        if head.number - at.head.number <= WALK:
            return _walk(rpc, at, head, followed)
        if final.number <= at.head.number:
            return _walk(rpc, at, block_at(rpc, at.head.number + WALK).header, followed)
        here = block_at(rpc, at.head.number).header
        if here.hash != at.head.hash:
            return _walk(rpc, at, here, followed)
        return _ranges(rpc, at, min(final.number, at.head.number + RANGE), followed)
    except Hold as hold:
        return stay(at, str(hold))


def stay(at: Standing, held: str = "") -> Route:
    """The route that changes nothing."""
    return Route(at.head.number, (), (), held=held)


def _walk(rpc: Rpc, at: Standing, target: Header, followed: Mapping[str, Sequence[str]]) -> Route:
    """Block by block, linked by parent hashes down to the newest block that both know."""
    branch = _branch(rpc, at, target)
    blocks: list[Header] = []
    logs: list[RawLog] = []
    held = ""
    for block in branch:
        try:
            logs += logs_of(rpc, block, followed)
        except Hold as hold:
            held = str(hold)
            break
        blocks.append(block.header)
    ancestor = branch[0].header.number - 1
    if held and not blocks:
        return stay(at, held)  # take nothing back before there is something to put in its place
    return Route(ancestor, tuple(blocks), tuple(logs), held=held)


def _branch(rpc: Rpc, at: Standing, target: Header) -> list[Block]:
    """The blocks above the common ancestor up to the height of `target`, ascending, each the parent of the next."""
    lowest = min(target.number, at.head.number + 1)
    upper = blocks_at(rpc, range(lowest, target.number + 1))
    for low, high in pairwise(upper):
        if high.header.parent != low.header.hash:
            raise Hold(f"block {high.header.number} is not the child of the block before it: the chain is moving")
    lower: list[Block] = []
    first = upper[0]
    while at.held.get(first.header.number - 1) != first.header.parent:
        if first.header.number - 1 <= at.finalized:
            _confirm_deep(rpc, at)
        first = block_of(rpc, first.header.parent)
        lower.append(first)
    return lower[::-1] + upper


def _confirm_deep(rpc: Rpc, at: Standing) -> None:
    """Raise DEEP_REORG if the node has another block where ours is final, else Hold: it contradicts itself."""
    now = block_at(rpc, at.finalized).header
    if now.hash == at.held[at.finalized]:
        raise Hold(f"the node shows two branches below block {at.head.number}")
    raise MilepostError(
        "DEEP_REORG",
        f"The chain replaced block {at.finalized}, which it had called final",
        cause=f"expected {at.held[at.finalized]}, found {now.hash}",
        hint="compare with another node; if this branch is the true one, keep the file and name a new `database`",
    )


def _ranges(rpc: Rpc, at: Standing, to: int, followed: Mapping[str, Sequence[str]]) -> Route:
    """Final blocks: logs by range, headers only of blocks that have logs, and of the last block."""
    logs: list[RawLog] = []
    top = at.head.number
    for chunk in log_chunks(rpc, at.head.number + 1, to, list(followed)):
        logs += chunk.logs
        top = chunk.hi
        if len(logs) >= ENOUGH_LOGS:
            break
    # Asked after the logs: a node that has the last block now was not behind it by much when it gave them.
    numbers = sorted({log.number for log in logs} | {top})
    blocks = blocks_at(rpc, numbers)
    by_number: dict[int, list[RawLog]] = {number: [] for number in numbers}
    for log in logs:
        by_number[log.number].append(log)
    for block in blocks:
        check_bloom(block, by_number[block.header.number])
    if not by_number[top]:
        logs += logs_of(rpc, blocks[-1], followed)
    return Route(at.head.number, tuple(b.header for b in blocks), tuple(logs), all_final=True)
