"""Deploys the contracts to the connected chain and records where they are.

    ape run deploy --network ethereum:local:foundry --account TEST::0 --play-money

Every contract goes through the deterministic deployment factory (CREATE2), so the same source gives the same address on
every chain, and running it again changes nothing. The record, deployments/<chain id>.json, holds what a keeper checks
at start: chain id, genesis hash, addresses and the hash of each contract's runtime code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from ape import project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option
from eth_utils import keccak, to_checksum_address

ROOT = Path(__file__).resolve().parents[1]
SALT = bytes(32)

FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The deterministic deployment factory: takes salt and init code, deploys with CREATE2, returns the address."""
FACTORY_DEPLOYER = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
FACTORY_COST = 10**16  # wei: 100,000 gas at 100 gwei, fixed by the presigned transaction
FACTORY_TRANSACTION = (
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014"
    "600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222"
    "222222222222222222222222222222222222222222"
)
"""Its one presigned transaction, without a chain id, so that everybody can put it at the same address anywhere."""


def address_of(init_code: bytes) -> str:
    """The address at which the factory deploys `init_code` with our salt (EIP-1014)."""
    return str(to_checksum_address(keccak(b"\xff" + bytes.fromhex(FACTORY[2:]) + SALT + keccak(init_code))[12:]))


def code_at(provider: ProviderAPI, address: str) -> bytes:
    return bytes(provider.get_code(address))  # type: ignore[arg-type]


def place_factory(provider: ProviderAPI, account: AccountAPI) -> None:
    """Puts the factory on a chain that lacks it; does nothing where it stands."""
    if code_at(provider, FACTORY):
        return
    account.transfer(FACTORY_DEPLOYER, FACTORY_COST)
    provider.make_request("eth_sendRawTransaction", [FACTORY_TRANSACTION])  # type: ignore[attr-defined]
    if not code_at(provider, FACTORY):
        raise click.ClickException(
            f"the deployment factory could not be placed at {FACTORY}; the chain may refuse "
            "transactions without a chain id: ask its operator to place the factory"
        )


def place(provider: ProviderAPI, account: AccountAPI, name: str) -> dict[str, str]:
    """Deploys contract `name` unless its code stands already; returns its address and runtime code hash."""
    init_code = bytes(project.get_contract(name).contract_type.get_deployment_bytecode() or b"")
    address = address_of(init_code)
    if code_at(provider, address):
        click.echo(f"{name:16} {address}  stands already", err=True)
    else:
        account.transfer(FACTORY, 0, data=SALT + init_code)
        if not code_at(provider, address):
            raise click.ClickException(f"{name} was sent to the factory but no code stands at {address}")
        click.echo(f"{name:16} {address}  deployed", err=True)
    return {"address": address, "code_hash": "0x" + keccak(code_at(provider, address)).hex()}


def hash_of_genesis(provider: ProviderAPI) -> str:
    answer: Any = provider.make_request("eth_getBlockByNumber", ["0x0", False])  # type: ignore[attr-defined]
    value = answer["hash"]
    return value if isinstance(value, str) else "0x" + bytes(value).hex()


def deploy(provider: ProviderAPI, account: AccountAPI, *, play_money: bool) -> dict[str, Any]:
    """Deploys everything and returns the record of it."""
    first_block = provider.get_block("latest").number
    place_factory(provider, account)
    record: dict[str, Any] = {
        "chain_id": provider.chain_id,
        "genesis": hash_of_genesis(provider),
        "block": first_block,
        "escrow": place(provider, account, "Escrow"),
        "contracts": {"QuorumVerifier": place(provider, account, "QuorumVerifier")},
        "tokens": {},
    }
    if play_money:
        token = place(provider, account, "PlayDollar")
        record["tokens"]["PLAY"] = {"address": token["address"], "decimals": 6, "symbol": "PLAY"}
    return record


@click.command(cls=ConnectedProviderCommand, name="deploy")
@account_option()
@click.option("--play-money", is_flag=True, help="Also deploy PlayDollar, a worthless token anyone may mint.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write the record (deployments/<chain>.json).")
def cli(provider: ProviderAPI, account: AccountAPI, play_money: bool, out: Path | None) -> None:
    """Deploy Escrow and QuorumVerifier at their deterministic addresses and record them."""
    record = deploy(provider, account, play_money=play_money)
    path = out or ROOT / "deployments" / f"{record['chain_id']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")
    click.echo(str(path))
