"""The codec by the committed ABIs."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from keeper.chain.abi import AbiMismatch, Contract, contract, contract_names, decode_error, known_errors
from keeper.errors import CONTRACT
from keeper.protocol.types import Address

LOW = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
EIP55 = Address("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
ID = bytes(range(32))

SAMPLE = Contract(
    "Sample",
    [
        {
            "type": "function",
            "name": "take",
            "inputs": [
                {
                    "name": "pairs",
                    "type": "tuple[]",
                    "components": [{"name": "who", "type": "address"}, {"name": "note", "type": "string"}],
                }
            ],
            "outputs": [{"name": "", "type": "address[]"}],
        },
        {"type": "function", "name": "twice", "inputs": [{"name": "a", "type": "uint256"}], "outputs": []},
        {"type": "function", "name": "twice", "inputs": [], "outputs": []},
    ],
)


def test_a_call_is_read_back_as_it_was_written() -> None:
    calldata = contract("ERC20").encode("approve", EIP55, 5)

    assert calldata[:4] == keccak(text="approve(address,uint256)")[:4]
    name, arguments = contract("ERC20").decode_input(calldata)
    assert name == "approve"
    assert list(arguments.values()) == [EIP55, 5]


def test_structs_are_tuples_and_their_addresses_eip55_but_text_stays_text() -> None:
    calldata = SAMPLE.encode("take", [(LOW, LOW)])

    assert SAMPLE.functions["take"].signature == "take((address,string)[])"
    assert SAMPLE.decode_input(calldata) == ("take", {"pairs": ((EIP55, LOW),)})
    assert SAMPLE.decode_result("take", encode(["address[]"], [[LOW]])) == ((EIP55,),)


def test_an_overloaded_name_needs_its_whole_signature() -> None:
    assert SAMPLE.encode("twice()") == keccak(text="twice()")[:4]
    with pytest.raises(AbiMismatch, match="no function twice"):
        SAMPLE.encode("twice", 1)


@pytest.mark.parametrize("args", [(), (EIP55,), (EIP55, -1), ("0x12", 1), (EIP55, 1 << 256), (EIP55, 1.5)])
def test_values_that_do_not_fit_are_refused(args: tuple[object, ...]) -> None:
    with pytest.raises(AbiMismatch, match=r"ERC20\.approve"):
        contract("ERC20").encode("approve", *args)


def test_a_log_is_read_with_its_indexed_fields() -> None:
    event = contract("Escrow").events["Submitted"]
    topics = ["0x" + event.topic.hex(), "0x" + ID.hex()]
    data = "0x" + encode(["uint8", "uint16", "bytes32"], [3, 1, ID]).hex()

    assert contract("Escrow").decode_log(topics, data) == (
        "Submitted",
        {"id": ID, "index": 3, "attempt": 1, "deliverable": ID},
    )


def test_fields_keep_the_order_of_the_event() -> None:
    event = contract("Escrow").events["Credited"]
    word = encode(["address"], [LOW])

    name, fields = contract("Escrow").decode_log([event.topic, word, word], encode(["uint256"], [9]))

    assert (name, list(fields.items())) == ("Credited", [("token", EIP55), ("owner", EIP55), ("amount", 9)])


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([], b""),
        ([bytes(32)], b""),
        ([contract("Escrow").events["Submitted"].topic], b""),
        ([contract("Escrow").events["Submitted"].topic, ID], b"\x01"),
        ([contract("Escrow").events["Submitted"].topic, ID], encode(["uint256", "uint16", "bytes32"], [256, 1, ID])),
    ],
)
def test_what_is_no_event_of_the_contract_is_refused(topics: list[bytes], data: bytes) -> None:
    with pytest.raises(AbiMismatch):
        contract("Escrow").decode_log(topics, data)


def test_results_too_short_are_refused() -> None:
    with pytest.raises(AbiMismatch, match=r"ERC20\.balanceOf result"):
        contract("ERC20").decode_result("balanceOf", b"")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AbiMismatch, match="no ABI named Nothing"):
        contract("Nothing")
    with pytest.raises(AbiMismatch, match="no function with selector 0x00000000"):
        contract("ERC20").decode_input(bytes(4))


def test_a_custom_error_is_decoded_with_its_arguments() -> None:
    data = known_selector("WrongAttempt") + encode(["uint16", "uint16"], [1, 0])

    assert decode_error(data) == ("WrongAttempt", {"have": 1, "want": 0})
    assert contract("Escrow").decode_error(data) == decode_error(data)
    assert contract("QuorumVerifier").decode_error(data) is None


def test_the_verifiers_errors_are_known_beside_the_escrows() -> None:
    data = known_selector("TooFewSignatures") + encode(["uint256", "uint256"], [1, 2])

    assert decode_error(data) == ("TooFewSignatures", {"have": 1, "want": 2})


def test_soliditys_own_errors_are_decoded() -> None:
    text = bytes.fromhex("08c379a0") + encode(["string"], ["no money"])

    assert decode_error(text) == ("Error", {"message": "no money"})
    assert decode_error(bytes.fromhex("4e487b71") + encode(["uint256"], [0x11])) == ("Panic", {"code": 0x11})


@pytest.mark.parametrize("data", [b"", b"\x08\xc3", bytes.fromhex("deadbeef"), bytes.fromhex("08c379a0") + b"\x01"])
def test_what_is_no_known_error_is_none(data: bytes) -> None:
    assert decode_error(data) is None


def test_the_registry_lists_exactly_the_custom_errors_of_the_abis() -> None:
    in_abis = {entry.name for name in contract_names() for entry in contract(name).errors.values()}

    assert set(CONTRACT) == in_abis


def test_one_name_means_one_error_everywhere() -> None:
    by_name: dict[str, set[str]] = {}
    for name in contract_names():
        for entry in contract(name).errors.values():
            by_name.setdefault(entry.name, set()).add(entry.signature)

    assert [name for name, signatures in by_name.items() if len(signatures) > 1] == []
    assert len(known_errors()) == len(by_name) + 2


def known_selector(name: str) -> bytes:
    return next(selector for selector, entry in known_errors().items() if entry.name == name)
