"""Recompiles the contracts and compares them with what stands on chain.

    python -m scripts.verify --rpc http://127.0.0.1:8545 --deployment deployments/31337.json

Immutables are the only bytes in which the same source differs between chains. They are masked, and judged on their own:
those of the escrow and the quorum verifier (the chain id, and the EIP-712 domain that holds it and the contract's own
address) are worked out anew and compared. Those of any other contract come from its constructor: it must stand at the
address to which the deployment factory puts this creation code with the recorded arguments, which it does for no other.
Exit code 0 if everything is equal, 7 if anything differs, 5 if the node cannot be reached.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak
from rich.console import Console
from rich.table import Table

from keeper.chain.deployment import DeployedContract, Deployment, load_deployment
from keeper.chain.rpc import Rpc
from keeper.errors import Exit, MilepostError
from keeper.protocol.encoding import domain_separator, escrow_domain, verifier_domain
from keeper.protocol.types import Domain
from scripts.create2 import address_of

ROOT = Path(__file__).resolve().parents[1]

DOMAINS = {"Escrow": escrow_domain, "QuorumVerifier": verifier_domain}
"""Whose EIP-712 domain a contract must have been built with."""


def recompile(into: Path) -> None:
    """Compiles contracts/ from scratch with the pinned compiler and settings; raises CalledProcessError if it fails."""
    forge = ROOT / "node_modules/.bin/forge"
    argv = [str(forge), "build", "--skip", "test", "--force", "--out", str(into), "--cache-path", str(into / "cache")]
    path = f"{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PATH": path})


def masked(code: bytes, references: dict[str, list[dict[str, int]]]) -> bytes:
    """The runtime code with every immutable zeroed; `references` as the compiler lists them."""
    clean = bytearray(code)
    for places in references.values():
        for place in places:
            clean[place["start"] : place["start"] + place["length"]] = bytes(place["length"])
    return bytes(clean)


def immutables(code: bytes, references: dict[str, list[dict[str, int]]]) -> set[bytes]:
    """What stands on chain in the places of the immutables. Each immutable must stand alike in all of its places."""
    values = set()
    for places in references.values():
        values |= {code[place["start"] : place["start"] + place["length"]] for place in places}
    return values


def compare(artifact: dict[str, Any], on_chain: bytes, contract: DeployedContract, domain: Domain | None) -> str:
    """What differs between the compiled contract, the chain and the record, in words; "" if nothing does.

    `domain` is the one that the contract's immutables must hold; None where they hold something else.
    """
    compiled = artifact["deployedBytecode"]
    runtime = bytes.fromhex(compiled["object"][2:])
    if not on_chain:
        return "no code at this address"
    if "0x" + keccak(on_chain).hex() != contract.code_hash:
        return f"code hash is 0x{keccak(on_chain).hex()}, the record says {contract.code_hash}"
    if len(runtime) != len(on_chain):
        return f"{len(on_chain)} bytes on chain, {len(runtime)} compiled"
    references = compiled.get("immutableReferences", {})
    pairs = zip(masked(runtime, references), masked(on_chain, references), strict=True)
    differing = [index for index, (ours, theirs) in enumerate(pairs) if ours != theirs]
    if differing:
        return f"other bytes at {len(differing)} of its places, the first at {differing[0]}"
    if domain is None:
        told = f"the factory puts this code, with arguments {contract.arguments}, at another address"
        return "" if at_factory_address(artifact, contract) else told
    if immutables(on_chain, references) != {domain.chain_id.to_bytes(32, "big"), domain_separator(domain)}:
        return f"its immutables are not chain id {domain.chain_id} and the domain of {domain.verifying_contract}"
    return ""


def at_factory_address(artifact: dict[str, Any], contract: DeployedContract) -> bool:
    """Whether the deployment factory puts this creation code, with the recorded arguments, at the recorded address."""
    creation = bytes.fromhex(artifact["bytecode"]["object"][2:]) + bytes.fromhex(contract.arguments[2:])
    return address_of(creation) == contract.address


def placed(deployment: Deployment) -> dict[str, DeployedContract]:
    """The contracts of a deployment by name."""
    return {"Escrow": deployment.escrow, **deployment.contracts}


def read_code(rpc: Rpc, deployment: Deployment) -> dict[str, bytes]:
    """The runtime code of each contract, from the chain; raises RPC_UNREACHABLE."""
    codes = {}
    for name, contract in placed(deployment).items():
        codes[name] = bytes.fromhex(rpc.call("eth_getCode", contract.address, "latest")[2:])
    return codes


def verify(deployment: Deployment, codes: dict[str, bytes], build: Path) -> list[tuple[str, str, str]]:
    """One row per contract: name, address, what differs from the artifacts in `build` ("" if nothing)."""
    rows: list[tuple[str, str, str]] = []
    for name, contract in placed(deployment).items():
        artifact = json.loads((build / f"{name}.sol" / f"{name}.json").read_text())
        domain = DOMAINS[name](deployment.chain_id, contract.address) if name in DOMAINS else None
        rows.append((name, contract.address, compare(artifact, codes[name], contract, domain)))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description="Recompile the contracts and compare them with the chain.")
    parser.add_argument("--rpc", required=True, help="URL of a node of that chain")
    parser.add_argument("--deployment", required=True, type=Path, help="deployments/<chain id>.json")
    options = parser.parse_args()
    try:
        deployment = load_deployment(options.deployment)
        with tempfile.TemporaryDirectory() as build:
            codes = read_code(Rpc([options.rpc], timeout_s=10), deployment)
            recompile(Path(build))
            rows = verify(deployment, codes, Path(build))
    except MilepostError as problem:
        print(f"error: {problem.title}\n  cause: {problem.cause}\n\nhint: {problem.hint}", file=sys.stderr)
        return int(problem.exit)
    except subprocess.CalledProcessError as problem:
        print(f"error: the contracts do not compile\n{problem.stderr.decode()}", file=sys.stderr)
        return int(Exit.FAILED)
    table = Table("contract", "address", "compiled again and compared", title="Source and chain")
    for name, address, difference in rows:
        table.add_row(name, address, difference or "equal")
    Console().print(table)
    return int(Exit.MISMATCH if any(difference for _, _, difference in rows) else Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
