"""Deploys the contracts to the connected chain and records where they are.

    ape run deploy --network ethereum:local:foundry --account TEST::0 --play-money
    ape run deploy ... --with EasVerifier '["0xA1207F3BBa224E2c9c3c6D5aF63D0eb1582Ce587"]'

Every contract goes through the deterministic deployment factory (CREATE2), so the same source gives the same address on
every chain, and running it again changes nothing. The record, deployments/<chain id>.json, holds what a keeper checks
at start: chain id, genesis hash, addresses and the hash of each contract's runtime code.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from ape import project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option
from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError
from eth_utils.crypto import keccak

from scripts.create2 import FACTORY, SALT, address_of

ROOT = Path(__file__).resolve().parents[1]
MINING_SECONDS = 120

CONTRACTS = ("FeedVerifier", "QuorumVerifier")
"""What is deployed with every escrow: contracts without owner and without constructor arguments, one for all."""

FACTORY_DEPLOYER = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
FACTORY_COST = 10**16  # wei: 100,000 gas at 100 gwei, fixed by the presigned transaction
FACTORY_TRANSACTION = (
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014"
    "600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222"
    "222222222222222222222222222222222222222222"
)
"""Its one presigned transaction, without a chain id, so that everybody can put it at the same address anywhere."""


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


def creation_code(name: str) -> bytes:
    """A contract's creation code, without arguments; ClickException when there is no such contract."""
    code = project.get_contract(name).contract_type.get_deployment_bytecode() if name in project.contracts else b""
    if not code:
        raise click.ClickException(f"contracts/ holds no contract {name} that could be deployed")
    return bytes(code)


def constructor_arguments(name: str, values: list[Any], placed: dict[str, Any]) -> bytes:
    """`values`, as JSON gives them, in the ABI's encoding; ClickException when they do not fit the constructor.

    Bytes are 0x hex, and the name of a contract that was `placed` stands for its address.
    """
    creation_code(name)
    inputs = project.get_contract(name).contract_type.constructor.inputs
    named = [placed[value]["address"] if isinstance(value, str) and value in placed else value for value in values]
    try:
        pairs = zip(inputs, named, strict=True)
        return encode([item.type for item in inputs], [as_abi(item.type, value) for item, value in pairs])
    except (EncodingError, ValueError) as error:
        wanted = ", ".join(f"{item.type} {item.name or ''}".rstrip() for item in inputs)
        raise click.ClickException(f"{name}({wanted}) does not take {json.dumps(values)}: {error}") from error


def as_abi(kind: str, value: Any) -> Any:
    """A JSON value as eth_abi wants it."""
    if kind.endswith("]"):
        return [as_abi(kind[: kind.rindex("[")], item) for item in value]
    return bytes.fromhex(value.removeprefix("0x")) if kind.startswith("bytes") else value


def place(provider: ProviderAPI, account: AccountAPI, name: str, arguments: bytes = b"") -> tuple[dict[str, str], bool]:
    """Deploys contract `name` unless its code stands already.

    Returns its address, runtime code hash and arguments, if any, and whether it was deployed just now.
    """
    init_code = creation_code(name) + arguments
    address = address_of(init_code)
    fresh = not code_at(provider, address)
    if fresh:
        account.transfer(FACTORY, 0, data=SALT + init_code)
        wait_for_code(provider, address, f"{name} was sent to the deployment factory")
    click.echo(f"{name:16} {address}  {'deployed' if fresh else 'stands already'}", err=True)
    record = {"address": address, "code_hash": "0x" + keccak(code_at(provider, address)).hex()}
    return (record | {"arguments": "0x" + arguments.hex()} if arguments else record), fresh


def deploy(
    provider: ProviderAPI,
    account: AccountAPI,
    earlier: dict[str, Any],
    *,
    play_money: bool,
    others: Sequence[tuple[str, list[Any]]] = (),
) -> dict[str, Any]:
    """Deploys everything and returns the record of it; `others` are names and constructor arguments.

    `block` is the first block whose events may matter to a reader. An escrow that stood already keeps the block of its
    `earlier` record, or 0 without one: a reader that starts too early loses seconds, one that starts too late money.
    What an earlier record of the same escrow names besides stays in it.
    """
    compile_what_changed()
    head = provider.get_block("latest").number
    place_factory(provider, account)
    escrow, fresh = place(provider, account, "Escrow")
    known = earlier.get("escrow", {}).get("address") == escrow["address"]
    contracts = dict(earlier.get("contracts", {})) if known else {}
    for name in CONTRACTS:
        contracts[name], _ = place(provider, account, name)
    for name, values in others:
        arguments = constructor_arguments(name, values, {"Escrow": escrow, **contracts})
        contracts[name], _ = place(provider, account, name, arguments)
    record: dict[str, Any] = {
        "chain_id": provider.chain_id,
        "genesis": "0x" + bytes(provider.get_block(0).hash).hex(),
        "block": head if fresh else earlier["block"] if known else 0,
        "escrow": escrow,
        "contracts": contracts,
        "tokens": earlier.get("tokens", {}) if known else {},
    }
    if known and "native_symbol" in earlier:
        record["native_symbol"] = earlier["native_symbol"]
    if play_money:
        token, _ = place(provider, account, "PlayDollar")
        record["tokens"]["PLAY"] = {"address": token["address"], "decimals": 6, "symbol": "PLAY"}
    return record


def named(_: click.Context, __: click.Parameter, given: tuple[tuple[str, str], ...]) -> list[tuple[str, list[Any]]]:
    """`--with NAME ARGUMENTS` as a name and a JSON list. (Asks ape nothing: it would compile before `deploy` does.)"""
    found = []
    for name, arguments in given:
        try:
            values = json.loads(arguments)
        except ValueError as error:
            raise click.BadParameter(f"{arguments} is not JSON: {error}") from error
        if not isinstance(values, list):
            raise click.BadParameter(f"expected a JSON list of {name}'s constructor arguments, found {arguments}")
        found.append((name, values))
    return found


@click.command(cls=ConnectedProviderCommand, name="deploy")
@account_option()
@click.option("--play-money", is_flag=True, help="Also deploy PlayDollar, a worthless token anyone may mint.")
@click.option(
    "--with",
    "others",
    type=(str, str),
    multiple=True,
    callback=named,
    metavar="NAME ARGUMENTS",
    help="Also deploy NAME; ARGUMENTS is a JSON list of what its constructor takes. May be repeated.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Where to write the record (deployments/<chain>.json).")
def cli(
    provider: ProviderAPI,
    account: AccountAPI,
    play_money: bool,
    others: list[tuple[str, list[Any]]],
    out: Path | None,
) -> None:
    """Deploy the escrow and what comes with it at their deterministic addresses, and record them."""
    path = out or ROOT / "deployments" / f"{provider.chain_id}.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    record = deploy(provider, account, earlier, play_money=play_money, others=others)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n")
    click.echo(str(path))
