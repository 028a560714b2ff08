"""Blocks and logs as a node tells them, checked for shape (docs/keeper.md section 4).

Whatever lacks a field or speaks of another block than the one asked for is the endpoint's fault: the next is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from keeper.chain.rpc import BrokenAnswer, Call, Rpc, RpcFault

_HASHES_ONLY = False
"""The second parameter of eth_getBlockBy...: transaction hashes instead of whole transactions."""
_NO_SUCH_BLOCK = -39001
_NO_SUCH_BLOCK_WORDS = ("not found", "unknown block")
_SHOWN = 80
"""Characters of a wrong value that an error repeats: a node may send megabytes."""

Tag = Literal["latest", "safe", "finalized"]
Finality = Literal["tags"] | int
"""How a chain says what is final: by its block tags, or by this many blocks under the head."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the ledger keeps of a block. Hashes are lower-case 0x hex; `time` is unix seconds."""

    number: int
    hash: str
    parent: str
    time: int


def head(rpc: Rpc) -> Header:
    """The newest block of the endpoint that answers; it may be lower than a head seen before."""
    return rpc.read(_header, "eth_getBlockByNumber", "latest", _HASHES_ONLY)


def header(rpc: Rpc, number: int | Tag) -> Header | None:
    """The canonical block at a height or tag; None when the node has none there, which shows nothing."""
    if isinstance(number, int):
        return rpc.read(partial(_at_height, number), "eth_getBlockByNumber", hex(number), _HASHES_ONLY)
    return rpc.read(_header_or_none, "eth_getBlockByNumber", number, _HASHES_ONLY)


def headers(rpc: Rpc, numbers: Sequence[int]) -> list[Header | None]:
    """As `header` for many heights at once, in their order; RpcFault if a node refuses one of them."""
    calls = [Call(partial(_at_height, n), "eth_getBlockByNumber", (hex(n), _HASHES_ONLY)) for n in numbers]
    found: list[Header | None] = []
    for answer in rpc.read_batch(calls):
        if isinstance(answer, RpcFault):
            raise answer
        found.append(answer)
    return found


def header_by_hash(rpc: Rpc, block_hash: str) -> Header | None:
    """The block with this hash, on whichever branch; None when the node does not know it, which shows nothing."""

    def parse(result: Any) -> Header | None:
        found = None if result is None else _header(result)
        if found and found.hash != block_hash.lower():
            raise BrokenAnswer(f"asked for block {block_hash}, answered with {found.hash}")
        return found

    return rpc.read(parse, "eth_getBlockByHash", block_hash, _HASHES_ONLY)


def finalized(rpc: Rpc, finality: Finality, head: Header) -> Header:
    """The newest block that will not go away, never above `head`; genesis while the chain names none."""
    return settled_block(rpc, "finalized", finality, head)


def settled_block(rpc: Rpc, tag: Tag, finality: Finality, head: Header) -> Header:
    """The block that holds at the level `tag`, never above `head`.

    On a chain with a depth instead of tags, "safe" and "finalized" are both that depth.
    """
    if tag == "latest":
        return head
    if isinstance(finality, int):
        return _existing(rpc, max(head.number - finality, 0))
    found = _tagged(rpc, tag)
    if found is None:
        return _existing(rpc, 0)
    return found if found.number <= head.number else _existing(rpc, head.number)


def _tagged(rpc: Rpc, tag: Tag) -> Header | None:
    try:
        return header(rpc, tag)
    except RpcFault as fault:
        # A young chain has no such block yet, and some nodes say so with an error instead of null.
        if fault.code == _NO_SUCH_BLOCK or any(words in fault.message.lower() for words in _NO_SUCH_BLOCK_WORDS):
            return None
        raise


def _existing(rpc: Rpc, number: int) -> Header:
    def parse(result: Any) -> Header:
        found = _at_height(number, result)
        if found is None:
            raise BrokenAnswer(f"asked for block {number} below its head, answered with none")
        return found

    return rpc.read(parse, "eth_getBlockByNumber", hex(number), _HASHES_ONLY)


def _at_height(number: int, result: Any) -> Header | None:
    found = _header_or_none(result)
    if found and found.number != number:
        raise BrokenAnswer(f"asked for block {number}, answered with {found.number}")
    return found


def _header_or_none(result: Any) -> Header | None:
    return None if result is None else _header(result)


def _header(result: Any) -> Header:
    if not isinstance(result, dict):
        raise BrokenAnswer("expected a block, found none")
    return Header(
        number=quantity(result, "number"),
        hash=fixed_hex(result, "hash", 32),
        parent=fixed_hex(result, "parentHash", 32),
        time=quantity(result, "timestamp"),
    )


def quantity(record: dict[str, Any], key: str) -> int:
    """A JSON-RPC quantity of `record` as int; BrokenAnswer when it is missing or no hex number."""
    return as_quantity(record.get(key), key)


def fixed_hex(record: dict[str, Any], key: str, size: int | None = None) -> str:
    """Bytes of `record` as lower-case 0x hex; BrokenAnswer when missing, no hex, or not `size` bytes."""
    return as_hex(record.get(key), key, size)


def as_quantity(value: Any, what: str) -> int:
    """A JSON-RPC quantity as int; BrokenAnswer names `what` when it is no hex number."""
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return int(value, 16)
    except ValueError:
        pass  # reported below, as every other shape that is no quantity
    raise BrokenAnswer(f"expected {what} as a 0x number, found {repr(value)[:_SHOWN]}")


def as_hex(value: Any, what: str, size: int | None = None) -> str:
    """Bytes as lower-case 0x hex; BrokenAnswer names `what` when it is no hex, or not `size` bytes."""
    try:
        if isinstance(value, str) and value.startswith("0x"):
            raw = bytes.fromhex(value[2:])
            if size is None or len(raw) == size:
                return "0x" + raw.hex()
    except ValueError:
        pass  # reported below, as every other shape that is no hex
    raise BrokenAnswer(f"expected {what} as 0x hex{f' of {size} bytes' if size else ''}, found {repr(value)[:_SHOWN]}")
