"""Deploys the contracts to the connected chain and records where they are.

    ape run deploy --network ethereum:local:foundry --account TEST::0 --play-money

Every contract goes through the deterministic deployment factory (CREATE2), so the same source gives the same address on
every chain, and running it again changes nothing. The record, deployments/<chain id>.json, holds what a keeper checks
at start: chain id, genesis hash, addresses and the hash of each contract's runtime code.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click
from ape import project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

ROOT = Path(__file__).resolve().parents[1]
SALT = bytes(32)
MINING_SECONDS = 120

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
    return bytes(provider.get_code(address))


def wait_for_code(provider: ProviderAPI, address: str, what: str) -> None:
    """Waits until code stands at `address`: a local chain may confirm a transaction before its block is mined."""
    end = time.monotonic() + MINING_SECONDS
    while not code_at(provider, address):
        if time.monotonic() > end:
            raise click.ClickException(f"{what}, but after {MINING_SECONDS} s no code stands at {address}")
        time.sleep(0.2)


def place_factory(provider: ProviderAPI, account: AccountAPI) -> None:
    """Puts the factory on a chain that lacks it; does nothing where it stands."""
    if code_at(provider, FACTORY):
        return
    account.transfer(FACTORY_DEPLOYER, FACTORY_COST)
    provider.make_request("eth_sendRawTransaction", [FACTORY_TRANSACTION])
    wait_for_code(provider, FACTORY, "the deployment factory's presigned transaction was sent")


def compile_what_changed() -> None:
    """Compiles everything again if any source is newer than ape's last build.

    ape itself compiles only the files that changed, not those that import them, and would deploy stale code.
    """
    built = ROOT / ".build" / "__local__.json"
    folders = (ROOT / "contracts", ROOT / "interfaces", ROOT / "tools" / "solc")
    sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".sol", ".37")]
    newest = max(path.stat().st_mtime for path in [*sources, ROOT / "ape-config.yaml"])
    if built.exists() and built.stat().st_mtime < newest:
        project.load_contracts(use_cache=False)


def place(provider: ProviderAPI, account: AccountAPI, name: str) -> tuple[dict[str, str], bool]:
    """Deploys contract `name` unless its code stands already.

    Returns its address and runtime code hash, and whether it was deployed just now.
    """
    init_code = bytes(project.get_contract(name).contract_type.get_deployment_bytecode() or b"")
    address = address_of(init_code)
    fresh = not code_at(provider, address)
    if fresh:
        account.transfer(FACTORY, 0, data=SALT + init_code)
        wait_for_code(provider, address, f"{name} was sent to the deployment factory")
    click.echo(f"{name:16} {address}  {'deployed' if fresh else 'stands already'}", err=True)
    return {"address": address, "code_hash": "0x" + keccak(code_at(provider, address)).hex()}, fresh


def deploy(provider: ProviderAPI, account: AccountAPI, earlier: dict[str, Any], *, play_money: bool) -> dict[str, Any]:
    """Deploys everything and returns the record of it.

    `block` is the first block whose events may matter to a reader. An escrow that stood already keeps the block of its
    `earlier` record, or 0 without one: a reader that starts too early loses seconds, one that starts too late money.
    """
    compile_what_changed()
    head = provider.get_block("latest").number
    place_factory(provider, account)
    escrow, fresh = place(provider, account, "Escrow")
    verifier, _ = place(provider, account, "QuorumVerifier")
    known = earlier.get("escrow", {}).get("address") == escrow["address"]
    record: dict[str, Any] = {
        "chain_id": provider.chain_id,
        "genesis": "0x" + bytes(provider.get_block(0).hash).hex(),
        "block": head if fresh else earlier["block"] if known else 0,
        "escrow": escrow,
        "contracts": {"QuorumVerifier": verifier},
        "tokens": earlier.get("tokens", {}) if known else {},
    }
    if play_money:
        token, _ = place(provider, account, "PlayDollar")
        record["tokens"]["PLAY"] = {"address": token["address"], "decimals": 6, "symbol": "PLAY"}
    return record


@click.command(cls=ConnectedProviderCommand, name="deploy")
@account_option()
@click.option("--play-money", is_flag=True, help="Also deploy PlayDollar, a worthless token anyone may mint.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write the record (deployments/<chain>.json).")
def cli(provider: ProviderAPI, account: AccountAPI, play_money: bool, out: Path | None) -> None:
    """Deploy Escrow and QuorumVerifier at their deterministic addresses and record them."""
    path = out or ROOT / "deployments" / f"{provider.chain_id}.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    record = deploy(provider, account, earlier, play_money=play_money)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")
    click.echo(str(path))
