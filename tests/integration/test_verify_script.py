"""scripts/verify.py recompiles and compares with a real chain."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chainlab import ARTIFACTS
from eth_utils.crypto import keccak

from keeper.chain.deployment import DeployedContract
from scripts.verify import read_code, verify

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.chain


def run(url: str, record: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "scripts.verify", "--rpc", url, "--deployment", str(record)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_the_deployed_contracts_are_the_source(chain):
    answer = run(chain.anvil.url, chain.path)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("│ equal ") == 2


def test_other_code_at_the_address_is_named(chain):
    deployment = chain.deployment
    codes = read_code(chain.anvil.rpc, deployment)
    flipped = bytearray(codes["Escrow"])
    flipped[500] ^= 1
    record = deployment.model_copy(
        update={
            "escrow": DeployedContract(address=deployment.escrow.address, code_hash="0x" + keccak(bytes(flipped)).hex())
        }
    )

    told = {name: difference for name, _, difference in verify(record, {**codes, "Escrow": bytes(flipped)}, ARTIFACTS)}

    assert told == {"Escrow": "other bytes at 1 of its places, the first at 500", "QuorumVerifier": ""}


def test_an_escrow_built_for_another_domain_is_named(chain):
    deployment = chain.deployment
    codes = read_code(chain.anvil.rpc, deployment)
    chain_id = deployment.chain_id.to_bytes(32, "big")
    other = codes["Escrow"].replace(chain_id, (1).to_bytes(32, "big"))
    assert other != codes["Escrow"]
    escrow = DeployedContract(address=deployment.escrow.address, code_hash="0x" + keccak(other).hex())

    told = verify(deployment.model_copy(update={"escrow": escrow}), {**codes, "Escrow": other}, ARTIFACTS)

    assert told[0][2].startswith("its immutables are not chain id 31337")
    assert told[1][2] == ""


def test_code_that_the_record_does_not_know_is_named(chain):
    codes = read_code(chain.anvil.rpc, chain.deployment)

    told = verify(chain.deployment, {**codes, "Escrow": codes["QuorumVerifier"]}, ARTIFACTS)

    assert "the record says" in told[0][2]


def test_a_dead_node_is_named(chain):
    answer = run("http://127.0.0.1:1", chain.path)

    assert answer.returncode == 5
    assert "127.0.0.1:1" in answer.stderr
