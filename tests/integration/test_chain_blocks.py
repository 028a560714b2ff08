"""Headers and logs of a real chain, through a reorg."""

from __future__ import annotations

from itertools import pairwise

import pytest
from chainlab import Deployed
from eth_utils.address import to_checksum_address

from keeper.chain.abi import contract
from keeper.chain.blocks import finalized, head, header, header_by_hash, headers
from keeper.chain.logs import logs_in_block, logs_in_range
from keeper.chain.token import Token
from keeper.protocol.types import Address

pytestmark = pytest.mark.chain

SOMEONE = Address(to_checksum_address("0x" + "12" * 20))


def mint(chain: Deployed, amount: int) -> str:
    """Make one block with one Transfer; returns its hash."""
    calldata = contract("ERC20").encode("mint", SOMEONE, amount)
    return str(chain.anvil.send(chain.anvil.accounts[0], chain.token, calldata)["blockHash"])


def test_headers_are_linked_by_parent(chain: Deployed) -> None:
    rpc = chain.anvil.rpc
    top = chain.anvil.mine(5)

    found = [h for h in headers(rpc, range(top.number + 1)) if h]

    assert found[-1] == top == header(rpc, top.number) == header_by_hash(rpc, top.hash)
    assert all(child.parent == parent.hash for parent, child in pairwise(found))
    assert header(rpc, top.number + 1) is None
    assert header_by_hash(rpc, "0x" + "11" * 32) is None


def test_finality_trails_the_head(chain: Deployed) -> None:
    top = chain.anvil.mine(5)

    assert finalized(chain.anvil.rpc, "tags", top).number == top.number - 2
    assert finalized(chain.anvil.rpc, 4, top).number == top.number - 4


def test_logs_by_block_and_by_range_agree_and_decode(chain: Deployed) -> None:
    rpc = chain.anvil.rpc
    first, second = mint(chain, 5), mint(chain, 6)
    top = head(rpc)

    by_block = logs_in_block(rpc, second, [chain.token])
    by_range = logs_in_range(rpc, 0, top.number, [chain.token])

    assert by_block == by_range[1:]
    assert [log.block_hash for log in by_range] == [first, second]
    name, fields = contract("ERC20").decode_log(by_range[0].topics, by_range[0].data)
    assert name == "Transfer"
    assert list(fields.values()) == ["0x" + "00" * 20, SOMEONE, 5]
    assert logs_in_block(rpc, second, [chain.escrow]) == []


def test_a_block_that_was_reorganised_away_is_not_an_empty_one(own_chain: Deployed) -> None:
    anvil = own_chain.anvil
    lost = mint(own_chain, 5)
    before = head(anvil.rpc)

    after = anvil.reorg(1)

    assert (after.number, after.parent) == (before.number, before.parent)
    assert after.hash != before.hash
    found = logs_in_block(anvil.rpc, lost, [own_chain.token])
    assert found is None or len(found) == 1
    assert logs_in_range(anvil.rpc, 0, after.number, [own_chain.token]) == []
    assert Token(anvil.rpc, own_chain.token).balance(SOMEONE) == 0


def test_a_read_pinned_to_a_block_keeps_its_answer(chain: Deployed) -> None:
    token = Token(chain.anvil.rpc, chain.token)
    first = mint(chain, 5)
    number = head(chain.anvil.rpc).number
    mint(chain, 6)

    assert token.balance(SOMEONE) == 11
    assert token.balance(SOMEONE, first) == 5
    assert token.balance(SOMEONE, number) == 5
    assert (token.decimals(), token.symbol()) == (6, "PLAY")
    assert token.allowance(SOMEONE, chain.escrow) == 0
