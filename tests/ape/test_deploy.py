"""Deployment: deterministic, idempotent, recorded."""

from __future__ import annotations

import json

import pytest
from ape import accounts, project
from eth_utils.crypto import keccak

from scripts.deploy import ROOT, deploy


def test_a_second_deployment_changes_nothing(stage):
    again = deploy(stage.provider, accounts.test_accounts[0], stage.record, play_money=True)

    assert again == stage.record


def test_without_an_earlier_record_a_standing_escrow_is_read_from_the_first_block(stage):
    again = deploy(stage.provider, accounts.test_accounts[0], {}, play_money=False)

    assert again["block"] == 0
    assert again["escrow"] == stage.record["escrow"]


def test_the_record_names_the_code_that_stands_there(stage):
    code = bytes(stage.provider.get_code(stage.escrow.address))

    assert stage.record["escrow"]["code_hash"] == "0x" + keccak(code).hex()


def test_the_domain_names_the_chain_and_the_contract(stage):
    domain = stage.escrow.eip712Domain()

    assert (domain.name, domain.version, domain.chainId) == ("Milepost", "1", stage.provider.chain_id)
    assert domain.verifyingContract == stage.escrow.address


@pytest.mark.parametrize("name", ["Escrow", "QuorumVerifier", "PlayDollar"])
def test_ape_and_forge_compile_the_same_bytecode(name):
    artifact = json.loads((ROOT / f"build/forge/{name}.sol/{name}.json").read_text())

    ours = project.get_contract(name).contract_type.get_deployment_bytecode()

    assert bytes(ours) == bytes.fromhex(artifact["bytecode"]["object"][2:])
