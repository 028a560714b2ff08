"""Calls and their refusals, in the shapes that nodes use."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from fakenode import h32, node

from keeper.chain.contract_call import ContractRefused, block_parameter, call, estimate_gas, revert_data
from keeper.chain.escrow import Escrow
from keeper.chain.rpc import RpcFault
from keeper.chain.token import Token
from keeper.errors import MilepostError
from keeper.protocol.types import Address, AgreementId

TO = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
ID = AgreementId(bytes(range(32)))
SETTLED = keccak(text="AlreadySettled(bytes32,uint8)")[:4] + encode(["bytes32", "uint8"], [ID, 1])
HEX = "0x" + SETTLED.hex()

SHAPES: dict[str, tuple[int, str, Any]] = {
    "geth and anvil": (3, "execution reverted: custom error", HEX),
    "older geth": (-32000, "execution reverted", HEX),
    "in an object": (-32000, "execution reverted", {"data": HEX}),
    "nested": (-32603, "Internal JSON-RPC error: reverted", {"originalError": {"code": 3, "data": HEX}}),
    "by transaction": (-32000, "VM Exception: revert", {"0xabc": {"error": "revert", "return": HEX}}),
    "after a word": (-32015, "VM execution error.", f"Reverted {HEX}"),
}


def failing(code: int, message: str, data: Any = None) -> Any:
    def answer(*_: Any) -> Any:
        raise RpcFault(code, message, data)

    return node(eth_call=answer, eth_estimateGas=answer)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_revert_is_decoded_in_every_shape(shape: tuple[int, str, Any]) -> None:
    with pytest.raises(ContractRefused) as caught:
        call(failing(*shape), TO, b"")

    assert caught.value.name == "AlreadySettled"
    assert caught.value.arguments == {"id": ID, "index": 1}
    assert caught.value.text == f"the contract says AlreadySettled (id 0x{ID.hex()}, index 1)"
    assert caught.value.data == SETTLED


def test_a_refusal_becomes_an_error_of_the_registry() -> None:
    error = ContractRefused(SETTLED).to_error("Milestone 1 cannot be settled")

    assert error.code == "AlreadySettled"
    assert error.title == "Milestone 1 cannot be settled"
    assert "index 1" in error.cause
    assert "milepost show" in error.hint


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "the contract gave no reason"),
        (bytes.fromhex("deadbeef01"), "the contract gave unknown reason 0xdeadbeef01"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["paused"]), "the contract says: paused"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]), "arithmetic overflow (panic 0x11)"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x99]), "panic (panic 0x99)"),
    ],
)
def test_other_refusals_have_words_too(data: bytes, text: str) -> None:
    refused = ContractRefused(data)

    assert text in refused.text
    assert refused.to_error("x").code == "REVERTED"


@pytest.mark.parametrize(
    "fault",
    [
        RpcFault(-32000, "header not found", None),
        RpcFault(-32601, "the method does not exist", "0x"),
        RpcFault(-32000, "block execution unavailable", {"hint": "try later"}),
        RpcFault(-32005, "limit exceeded", {"see": "https://example"}),
    ],
)
def test_other_errors_of_a_node_are_no_reverts(fault: RpcFault) -> None:
    assert revert_data(fault) is None
    with pytest.raises(MilepostError) as caught:
        call(failing(fault.code, fault.message, fault.data), TO, b"")
    assert caught.value.code == "RPC_REFUSED"
    assert fault.message in caught.value.cause


def test_a_revert_without_bytes_is_a_revert() -> None:
    assert revert_data(RpcFault(-32000, "execution reverted")) == b""
    assert revert_data(RpcFault(3, "execution reverted", "0x")) == b""
    assert revert_data(RpcFault(3, "execution reverted", "no hex here")) == b""


def test_missing_funds_have_their_own_code() -> None:
    with pytest.raises(MilepostError) as caught:
        estimate_gas(failing(-32003, "Insufficient funds for gas * price + value"), TO, TO, b"", 5)

    assert caught.value.code == "INSUFFICIENT_FUNDS"


def test_a_call_says_who_what_and_when() -> None:
    seen: list[Any] = []

    def answer(request: Any, block: Any) -> str:
        seen.append((request, block))
        return "0x0102"

    rpc = node(eth_call=answer)

    assert call(rpc, TO, b"\xab", sender=TO, value=16, block=255) == b"\x01\x02"
    assert call(rpc, TO, b"") == b"\x01\x02"
    assert seen == [
        ({"to": TO, "data": "0xab", "from": TO, "value": "0x10"}, "0xff"),
        ({"to": TO, "data": "0x"}, "latest"),
    ]


def test_a_block_hash_pins_a_branch() -> None:
    assert block_parameter(h32(5)) == {"blockHash": h32(5), "requireCanonical": False}
    assert block_parameter("finalized") == "finalized"


@pytest.mark.parametrize("result", [None, 1, "12", "0xz", {}])
def test_a_result_that_is_no_hex_is_the_endpoints_fault(result: Any) -> None:
    rpc = node(eth_call=lambda *_: result, eth_estimateGas=lambda *_: result)

    with pytest.raises(MilepostError, match="RPC_UNREACHABLE"):
        call(rpc, TO, b"")
    with pytest.raises(MilepostError, match="RPC_UNREACHABLE"):
        estimate_gas(rpc, TO, TO, b"")


def test_an_address_without_an_escrow_or_token_is_told() -> None:
    rpc = node(eth_call=lambda *_: "0x")

    with pytest.raises(MilepostError, match="No escrow answers") as caught:
        Escrow(rpc, TO).state(ID)
    assert caught.value.code == "WRONG_CONTRACT"
    with pytest.raises(MilepostError, match="No ERC-20 token answers"):
        Token(rpc, TO).decimals()
