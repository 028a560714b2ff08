"""Where the factory puts a contract, and what that says of the code that stands there."""

from __future__ import annotations

from eth_utils.crypto import keccak

from keeper.chain.deployment import DeployedContract
from scripts.create2 import FACTORY, address_of
from scripts.verify import compare

RUNTIME = bytes.fromhex("60015f5260205ff3") + bytes(32)
ARTIFACT = {
    "bytecode": {"object": "0x6002"},
    "deployedBytecode": {"object": "0x" + RUNTIME.hex(), "immutableReferences": {"7": [{"start": 8, "length": 32}]}},
}
ON_CHAIN = RUNTIME[:8] + b"\x07" * 32
ARGUMENTS = "0x" + "07" * 32


def judged(address: str, arguments: str, on_chain: bytes = ON_CHAIN) -> str:
    recorded = DeployedContract(address=address, code_hash="0x" + keccak(on_chain).hex(), arguments=arguments)
    return compare(ARTIFACT, on_chain, recorded, None)


def test_an_address_commits_to_code_and_arguments():
    at = address_of(bytes.fromhex("6002") + bytes.fromhex(ARGUMENTS[2:]))

    assert judged(at, ARGUMENTS) == ""
    assert "another address" in judged(at, "0x" + "08" * 32)
    assert "another address" in judged(FACTORY, ARGUMENTS)


def test_the_address_excuses_no_other_code():
    at = address_of(bytes.fromhex("6002") + bytes.fromhex(ARGUMENTS[2:]))

    assert "other bytes" in judged(at, ARGUMENTS, b"\x61" + ON_CHAIN[1:])
