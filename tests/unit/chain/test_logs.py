"""Logs: complete, in order, and only what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from fakenode import h32, node

from keeper.chain.logs import WIDEST, log_chunks, logs_in_block, logs_in_range
from keeper.chain.rpc import Rpc, RpcFault
from keeper.errors import MilepostError

AT = "0x00000000000000000000000000000000000000Aa"


def log(number: int, index: int = 0, **changes: Any) -> dict[str, Any]:
    record = {
        "address": AT,
        "topics": [h32(7)],
        "data": "0xABCD",
        "blockHash": h32(number + 1),
        "blockNumber": hex(number),
        "transactionHash": h32(9),
        "logIndex": hex(index),
        "removed": False,
    }
    return record | changes


def ranged(limit: int, text: str, blocks: list[int], asked: list[int]) -> Rpc:
    def answer(query: dict[str, Any]) -> Any:
        lo, hi = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        asked.append(hi - lo + 1)
        if hi - lo + 1 > limit:
            raise RpcFault(-32000, text)
        return [log(number) for number in blocks if lo <= number <= hi]

    return node(eth_getLogs=answer)


def test_logs_of_a_block_come_in_order_and_lower_case() -> None:
    rpc = node(eth_getLogs=lambda query: [log(5, 2), log(5, 1)])

    found = logs_in_block(rpc, h32(6), [AT])

    assert found
    assert [entry.log_index for entry in found] == [1, 2]
    assert (found[0].address, found[0].data, found[0].number) == (AT.lower(), "0xabcd", 5)


@pytest.mark.parametrize("text", ["unknown block", "Block not found", "Resource not found"])
def test_an_unknown_block_is_none_and_not_an_empty_list(text: str) -> None:
    def answer(query: dict[str, Any]) -> Any:
        raise RpcFault(-32000, text)

    assert logs_in_block(node(eth_getLogs=answer), h32(6), [AT]) is None


@pytest.mark.parametrize(
    "record",
    [
        log(5, blockHash=h32(9)),
        log(5, address="0x" + "11" * 20),
        log(5, blockNumber=None),
        log(5, topics=None),
        log(5, topics=["0x12"]),
        log(5, data="zz"),
        "text",
    ],
)
def test_strange_logs_are_the_endpoints_fault(record: Any) -> None:
    with pytest.raises(MilepostError, match="node:1: "):
        logs_in_block(node(eth_getLogs=lambda query: [record]), h32(6), [AT])


@pytest.mark.parametrize(
    "text",
    [
        "query returned more than 10000 results",
        "eth_getLogs is limited to a 10,000 range",
        "Log response size exceeded",
        "block range too large",
        "query timeout exceeded",
    ],
)
def test_a_range_too_wide_is_narrowed_until_the_node_serves_it(text: str) -> None:
    asked: list[int] = []
    blocks = [0, 1, 499, 500, 2_999]

    found = logs_in_range(ranged(300, text, blocks, asked), 0, 2_999, [AT])

    assert [entry.number for entry in found] == blocks
    assert asked[0] > 300


def test_chunks_are_consecutive_and_grow_where_the_node_allows() -> None:
    asked: list[int] = []

    chunks = list(log_chunks(ranged(10**9, "", [], asked), 5, 100_004, [AT]))

    assert chunks[0].lo == 5
    assert chunks[-1].hi == 100_004
    assert all(after.lo == before.hi + 1 for before, after in pairwise(chunks))
    assert max(asked) == WIDEST


def test_one_block_that_is_too_large_is_not_halved_forever() -> None:
    asked: list[int] = []

    with pytest.raises(RpcFault, match="limit"):
        logs_in_range(ranged(0, "limit exceeded", [], asked), 0, 10, [AT])
    assert asked[-1] == 1


@pytest.mark.parametrize("text", ["BlockOutOfRangeError: block height is 0 but requested was 16", "boom"])
def test_other_errors_do_not_narrow(text: str) -> None:
    asked: list[int] = []

    with pytest.raises(RpcFault, match=text[:4]):
        logs_in_range(ranged(0, text, [], asked), 0, 10, [AT])
    assert asked == [11]


def test_logs_outside_the_range_are_the_endpoints_fault() -> None:
    with pytest.raises(MilepostError, match="asked for logs of blocks 0 to 3"):
        logs_in_range(node(eth_getLogs=lambda query: [log(4)]), 0, 3, [AT])


def test_an_empty_range_asks_nothing() -> None:
    never: Callable[[Any], Any] = lambda query: pytest.fail("asked")  # noqa: E731

    assert logs_in_range(node(eth_getLogs=never), 5, 4, [AT]) == []
