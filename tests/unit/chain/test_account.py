"""What a node says of an account; what is no number is the endpoint's fault, never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from fakenode import node

from keeper.chain import account
from keeper.chain.identity import code_hash
from keeper.errors import MilepostError
from keeper.protocol.types import Address

ME = Address("0x" + "11" * 20)


def test_balance_and_nonce_are_read_at_the_head() -> None:
    rpc = node(eth_getBalance=lambda _, block: {"latest": "0x10"}[block], eth_getTransactionCount=lambda *_: "0x2")

    assert account.balance(rpc, ME) == 16
    assert account.nonce(rpc, ME) == 2


@pytest.mark.parametrize("answer", [None, "", "0x", "ten", 7, {}, "0x" + "zz" * 5_000])
def test_an_answer_that_is_no_number_makes_the_endpoint_count_as_silent(answer: Any) -> None:
    rpc = node(eth_getBalance=lambda *_: answer, eth_getCode=lambda *_: answer if answer != "0x" else "0x0")

    for ask in (account.balance, code_hash):
        with pytest.raises(MilepostError) as caught:
            ask(rpc, ME)
        assert caught.value.code == "RPC_UNREACHABLE"
        assert len(caught.value.cause) < 200
