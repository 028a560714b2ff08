"""The published vectors are what the specification says, and what eth_account computes from them alone."""

import json
import subprocess
import sys
from pathlib import Path

import eth_abi
import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from keeper.protocol.quorum import recover

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "interfaces" / "vectors"


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def test_vectors_do_not_drift_from_the_specification():
    done = subprocess.run(
        [sys.executable, "-m", "scripts.vectors", "--check"], cwd=ROOT, capture_output=True, check=False, text=True
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("terms", "agreementId"),
        ("attestation", "digest"),
        ("split", "digest"),
        ("amendment", "digest"),
        ("vote", "digest"),
        ("attester_account", "accountDigest"),
    ],
)
def test_a_wallet_reproduces_every_hash_from_the_vector(name, field):
    for case in vectors(name)["cases"]:
        message = encode_typed_data(full_message=case["typedData"])
        assert "0x" + keccak(b"\x19" + message.version + message.header + message.body).hex() == case[field]


def test_the_nonce_of_an_authorization_is_made_of_agreement_and_mask_alone():
    for case in vectors("authorization")["cases"]:
        packed = eth_abi.encode(["bytes32", "uint256"], [bytes.fromhex(case["agreementId"][2:]), int(case["mask"])])
        assert case["nonce"] == "0x" + keccak(packed).hex()


def test_every_signature_of_the_quorum_vectors_recovers_to_its_member():
    for case in vectors("quorum")["cases"]:
        assert len(case["signatures"]) >= int(case["m"])
        for member, signature in case["signatures"].items():
            assert member in case["members"]
            assert recover(bytes.fromhex(case["digest"][2:]), bytes.fromhex(signature[2:])) == member


def test_every_signature_of_the_attester_account_vectors_is_its_key_s():
    account = vectors("attester_account")
    for case in account["cases"]:
        digest, signature = bytes.fromhex(case["accountDigest"][2:]), bytes.fromhex(case["signature"][2:])
        assert recover(digest, signature) == account["key"]
