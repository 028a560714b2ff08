"""Headers and finality from what nodes say."""

from __future__ import annotations

from typing import Any

import pytest
from fakenode import block, h32, node

from keeper.chain.blocks import Header, finalized, head, header, header_by_hash, headers, settled_block
from keeper.chain.rpc import RpcFault
from keeper.errors import MilepostError

HEAD = Header(100, h32(101), h32(100), 1100)


def by_number(finalized: Any = None, safe: Any = None) -> Any:
    def answer(where: str, full: bool) -> Any:
        assert full is False
        named = {"finalized": finalized, "safe": safe, "latest": block(100)}
        found = named[where] if where in named else block(int(where, 16))
        if isinstance(found, RpcFault):
            raise found
        return found

    return node(eth_getBlockByNumber=answer)


def test_head_is_read_with_its_time_and_parent() -> None:
    assert head(by_number()) == HEAD


def test_hashes_are_lower_case() -> None:
    rpc = node(eth_getBlockByNumber=lambda *_: block(1, hash="0x" + "AB" * 32))

    assert head(rpc).hash == "0x" + "ab" * 32


def test_a_missing_block_is_none_and_a_missing_head_a_fault() -> None:
    rpc = node(eth_getBlockByNumber=lambda *_: None)

    assert header(rpc, 5) is None
    with pytest.raises(MilepostError, match="expected a block, found none"):
        head(rpc)


@pytest.mark.parametrize(
    "change",
    [
        {"hash": None},
        {"hash": "0x12"},
        {"hash": "0x" + "zz" * 32},
        {"number": 5},
        {"number": "5"},
        {"number": "0x"},
        {"timestamp": "0xzz"},
        {"parentHash": 1},
    ],
)
def test_a_block_that_lacks_a_field_is_the_endpoints_fault(change: dict[str, Any]) -> None:
    with pytest.raises(MilepostError, match="node:1: expected"):
        header(node(eth_getBlockByNumber=lambda *_: block(5, **change)), 5)


def test_another_block_than_asked_for_is_the_endpoints_fault() -> None:
    rpc = node(eth_getBlockByNumber=lambda *_: block(6), eth_getBlockByHash=lambda *_: block(6))

    with pytest.raises(MilepostError, match="asked for block 5, answered with 6"):
        header(rpc, 5)
    with pytest.raises(MilepostError, match="asked for block 5, answered with 6"):
        headers(rpc, [5])
    with pytest.raises(MilepostError, match="answered with"):
        header_by_hash(rpc, h32(1))


def test_many_headers_come_in_order() -> None:
    found = headers(by_number(), [7, 3])

    assert [h.number for h in found if h] == [7, 3]


def test_finality_by_tag() -> None:
    assert finalized(by_number(finalized=block(64)), "tags", HEAD).number == 64


@pytest.mark.parametrize(
    "missing", [None, RpcFault(-39001, "Unknown block"), RpcFault(-32000, "finalized block not found")]
)
def test_a_young_chain_holds_only_its_genesis_for_final(missing: Any) -> None:
    assert finalized(by_number(finalized=missing), "tags", HEAD).number == 0


def test_a_final_block_above_the_head_is_cut_to_the_head() -> None:
    assert finalized(by_number(finalized=block(120)), "tags", HEAD).number == 100


@pytest.mark.parametrize(("depth", "number"), [(0, 100), (12, 88), (100, 0), (1_000, 0)])
def test_finality_by_depth(depth: int, number: int) -> None:
    assert finalized(by_number(), depth, HEAD).number == number


def test_levels() -> None:
    rpc = by_number(finalized=block(60), safe=block(80))

    assert settled_block(rpc, "latest", "tags", HEAD) == HEAD
    assert settled_block(rpc, "safe", "tags", HEAD).number == 80
    assert settled_block(rpc, "safe", 7, HEAD).number == 93


def test_another_error_of_the_node_is_passed_on() -> None:
    with pytest.raises(RpcFault, match="boom"):
        finalized(by_number(finalized=RpcFault(-32000, "boom")), "tags", HEAD)
