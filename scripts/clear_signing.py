"""Writes interfaces/clear-signing: what a wallet shows of our calls and messages, as ERC-7730 (version 2) says it.

    python -m scripts.clear_signing            rewrite the descriptors
    python -m scripts.clear_signing --check    fail when one differs, change nothing

Signatures come from the ABI and the type strings, addresses from interfaces/deployment.json, words from
`scripts.clear_signing_rows`. A field without a row is a fault: nothing that is signed is left out by oversight.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from keeper.protocol.encoding import ESCROW_NAME, VERIFIER_NAME, VERSION
from keeper.protocol.fields import AMENDMENT_TYPE, ATTESTATION_TYPE, SPLIT_TYPE, TERMS_TYPE
from scripts.clear_signing_rows import CALLS, MESSAGES, Rows, Screen, Show

ROOT = Path(__file__).resolve().parents[1]
INTERFACES = ROOT / "interfaces"
FOLDER = INTERFACES / "clear-signing"
SCHEMA = "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json"
CHAINS = (1, 11155111, 31337)
"""Ethereum, its test network Sepolia, and a local chain. The address is the same on any other: add its id."""
Json = dict[str, Any]


def render() -> dict[Path, str]:
    """Every descriptor as text, by its path."""
    escrow, verifier = _deployments("Escrow"), _deployments("QuorumVerifier")
    names = {"contractName": "Milepost escrow", "enums": {"milestones": _sets()}}
    descriptors = {
        "calldata-Escrow.json": _descriptor({"contract": {"deployments": escrow}}, names, _calls()),
        "eip712-Escrow.json": _messages(ESCROW_NAME, escrow, names, TERMS_TYPE, SPLIT_TYPE, AMENDMENT_TYPE),
        "eip712-QuorumVerifier.json": _messages(
            VERIFIER_NAME, verifier, {"contractName": "Milepost quorum verifier"}, ATTESTATION_TYPE
        ),
    }
    return {FOLDER / name: json.dumps(content, indent=2) + "\n" for name, content in descriptors.items()}


def _calls() -> Json:
    abi = json.loads((INTERFACES / "abi" / "Escrow.json").read_text())
    return {_signature(entry): _format(CALLS[entry["name"]], _leaves(entry["inputs"])) for entry in _changing(abi)}


def _messages(domain: str, deployments: list[Json], names: Json, *types: str) -> Json:
    binding = {"domain": {"name": domain, "version": VERSION}, "deployments": deployments}
    formats = {kind: _format(MESSAGES[kind.partition("(")[0]], _message_leaves(kind)) for kind in types}
    return _descriptor({"eip712": binding}, names, formats)


def _descriptor(context: Json, names: Json, formats: Json) -> Json:
    return {
        "$schema": SCHEMA,
        "context": context,
        "metadata": {"owner": "Milepost", **names},
        "display": {"formats": formats},
    }


def _deployments(contract: str) -> list[Json]:
    placed = json.loads((INTERFACES / "deployment.json").read_text())["contracts"]
    return [{"chainId": chain, "address": placed[contract]["address"]} for chain in CHAINS]


def _changing(abi: list[Json]) -> list[Json]:
    """The functions that are sent as transactions."""
    return [e for e in abi if e["type"] == "function" and e["stateMutability"] in ("nonpayable", "payable")]


def _signature(entry: Json) -> str:
    """`name(type name,...)`, with the names of all parameters, structs written out."""
    return f"{entry['name']}({','.join(map(_parameter, entry['inputs']))})"


def _parameter(value: Json) -> str:
    kind = value["type"]
    if kind.startswith("tuple"):
        kind = f"({','.join(map(_parameter, value['components']))})" + kind.removeprefix("tuple")
    return f"{kind} {value['name']}"


def _leaves(inputs: list[Json], prefix: str = "") -> list[str]:
    """The path of every plain value in calldata; `.[]` stands for each element."""
    found: list[str] = []
    for value in inputs:
        path = prefix + value["name"] + (".[]" if value["type"].endswith("[]") else "")
        found += _leaves(value["components"], f"{path}.") if "components" in value else [path]
    return found


def _message_leaves(type_string: str) -> list[str]:
    """The same for a message, from its EIP-712 type string."""
    structs = {}
    for struct in type_string.rstrip(")").split(")"):
        name, _, members = struct.partition("(")
        structs[name] = [member.split(" ") for member in members.split(",")]

    def walk(name: str, prefix: str) -> Iterator[str]:
        for kind, member in structs[name]:
            path = prefix + member + (".[]" if kind.endswith("[]") else "")
            struct = kind.removesuffix("[]")
            yield from walk(struct, f"{path}.") if struct in structs else [path]

    return list(walk(next(iter(structs)), ""))


def _format(screen: Screen, leaves: list[str]) -> Json:
    """One call or message; ValueError when a row is of no field, or a field has no row."""
    unknown = [path for path, row in screen.rows.items() if row and path not in leaves and not path.startswith("@.")]
    missing = [path for path in leaves if path not in screen.rows and not path.startswith(screen.agreed)]
    if unknown or missing:
        raise ValueError(f"{screen.intent}: no such field {unknown}, no row for {missing}")
    hidden = [path for path in leaves if not screen.rows.get(path)]
    fields = [*_fields(screen.rows), *map(_hidden, hidden)]
    sentence = {"interpolatedIntent": screen.sentence} if screen.sentence else {}
    return {"intent": screen.intent, **sentence, "fields": fields}


def _fields(rows: Rows) -> Iterator[Json]:
    """The shown rows; neighbours of one array as a group that goes through it element by element."""
    shown = [(path, row) for path, row in rows.items() if row]
    for array, group in groupby(shown, key=lambda item: item[0].partition(".[].")[0] if ".[]." in item[0] else ""):
        fields = [_field(path, row) for path, row in group]
        if array:
            fields[0]["separator"] = "Number {index}"
            yield {"iteration": "bundled", "fields": fields}
        else:
            yield from fields


def _field(path: str, row: Show) -> Json:
    params = {"params": dict(row.params)} if row.params else {}
    unless = {"visible": {"ifNotIn": list(row.unless)}} if row.unless else {}
    return {"path": path, "label": row.label, "format": row.format, **params, **unless}


def _hidden(path: str) -> Json:
    return {"path": path, "label": path.removesuffix(".[]").rpartition(".")[2], "format": "raw", "visible": "never"}


def _sets() -> dict[str, str]:
    """Words for the likeliest sets of milestones: any of the first 4, and of the first 8 a single one or the first n.

    Ledger's devices take 32 entries, none above 255.
    """
    masks = {*range(1, 1 << 4), *(1 << index for index in range(4, 8)), *((1 << n) - 1 for n in range(5, 9))}
    return {str(mask): _words(mask) for mask in sorted(masks)}


def _words(mask: int) -> str:
    members = [index for index in range(mask.bit_length()) if mask >> index & 1]
    if len(members) == 1:
        return f"milestone {members[0]}"
    if len(members) > 2 and members[-1] - members[0] == len(members) - 1:
        return f"milestones {members[0]} to {members[-1]}"
    return f"milestones {', '.join(map(str, members))}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the ERC-7730 descriptors.")
    parser.add_argument("--check", action="store_true", help="only say whether they are current")
    check = parser.parse_args().check
    wanted = render()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    strays = [path for path in FOLDER.glob("*.json") if path not in wanted]
    for path in [*stale, *strays]:
        print(f"{'out of date' if check else 'removed' if path in strays else 'wrote'}: {path.relative_to(ROOT)}")
    if check:
        if stale or strays:
            print("run `python -m scripts.clear_signing` and commit the result")
        return 1 if stale or strays else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(wanted[path])
    for path in strays:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
