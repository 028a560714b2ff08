"""Deployment: deterministic, idempotent, recorded."""

from __future__ import annotations

import json

import click
import pytest
from ape import accounts, project
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from scripts.deploy import ROOT, as_abi, deploy

SOURCES = sorted([*(ROOT / "contracts").glob("*.sol"), *(ROOT / "contracts/demo").glob("*.sol")])


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


@pytest.mark.parametrize("name", [source.stem for source in SOURCES])
def test_ape_and_forge_compile_the_same_bytecode(name):
    artifact = json.loads((ROOT / f"build/forge/{name}.sol/{name}.json").read_text())

    ours = project.get_contract(name).contract_type.get_deployment_bytecode()

    assert bytes(ours) == bytes.fromhex(artifact["bytecode"]["object"][2:])


def test_the_contracts_stand_where_the_published_list_says(stage):
    listed = json.loads((ROOT / "interfaces/deployment.json").read_text())["contracts"]
    placed = {"Escrow": stage.record["escrow"], **stage.record["contracts"]}

    assert {name: entry["address"] for name, entry in placed.items()} == {
        name: listed[name]["address"] for name in placed
    }
    assert placed.keys() == listed.keys()


def test_another_contract_is_deployed_on_request_and_stays_in_the_record(stage):
    account = accounts.test_accounts[0]

    first = deploy(stage.provider, account, stage.record, play_money=False, others=[("PlayDollar", [])])
    again = deploy(stage.provider, account, first, play_money=False)

    assert first["contracts"]["PlayDollar"]["address"] == stage.token.address
    assert again == first


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("Escrow", ["0x01"], "does not take"),
        ("Nothing", [], "no contract Nothing"),
        ("IArbiter", [], "could be deployed"),
    ],
)
def test_what_cannot_be_deployed_is_told_before_anything_is_sent(stage, name, values, words):
    before = stage.provider.get_block("latest").number

    with pytest.raises(click.ClickException, match=words):
        deploy(stage.provider, accounts.test_accounts[0], stage.record, play_money=False, others=[(name, values)])

    assert stage.provider.get_block("latest").number == before


def test_constructor_arguments_are_read_as_json_gives_them():
    kinds = ["address[]", "bytes", "uint128", "bytes32[2]"]
    values = [["0x" + "11" * 20], "0x0102", 7, ["0x" + "22" * 32, "0x" + "33" * 32]]

    encoded = encode(kinds, [as_abi(kind, value) for kind, value in zip(kinds, values, strict=True)])

    expected = [["0x" + "11" * 20], b"\x01\x02", 7, [b"\x22" * 32, b"\x33" * 32]]
    assert encoded == encode(kinds, expected)
