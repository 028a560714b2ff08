"""What the pinned compiler says of contracts/ and interfaces/: syntax trees, ABIs and NatSpec, without making bytecode.

Takes two seconds and needs no `forge build`. The compiler and the remappings are those of foundry.toml.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("contracts", "interfaces")
DEMO = "contracts/demo/"
"""Play money: no part of what is promised, so neither trees nor reference speak of it."""

LIBRARIES = "node_modules/"
"""Published code that ours builds on."""

Node = dict[str, Any]


@dataclass(frozen=True)
class Contract:
    """A contract, library or interface of ours."""

    name: str
    file: str
    kind: str
    """contract, library or interface."""
    abstract: bool
    node: Node
    bases: tuple[Node, ...]
    """Its own node and those of what it inherits, the nearest first."""
    files: tuple[str, ...]
    """Where the bases stand, in their order."""
    outputs: tuple[dict[str, Any], ...]
    """abi, devdoc and userdoc of the bases, in their order, as the compiler gives them."""


@dataclass(frozen=True)
class Sources:
    """Everything of ours, and the text that the trees' places count in."""

    contracts: tuple[Contract, ...]
    trees: dict[str, Node]
    texts: dict[str, bytes]

    def deployable(self) -> list[Contract]:
        """The contracts that stand on a chain one day, by name."""
        found = [c for c in self.contracts if c.kind == "contract" and not c.abstract and not c.file.startswith(DEMO)]
        return sorted(found, key=lambda contract: contract.name)


def read_sources() -> Sources:
    """Asks the compiler; raises SystemExit with its words when the sources do not compile."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.sol"))]
    texts = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files}
    output = _compile(texts)
    trees = {file: source["ast"] for file, source in output["sources"].items()}
    places = {
        node["id"]: (file, node)
        for file, tree in trees.items()
        for node in tree["nodes"]
        if node["nodeType"] == "ContractDefinition"
    }
    contracts = [
        Contract(
            name=node["name"],
            file=file,
            kind=node["contractKind"],
            abstract=node["abstract"],
            node=node,
            bases=tuple(places[base][1] for base in node["linearizedBaseContracts"]),
            files=tuple(places[base][0] for base in node["linearizedBaseContracts"]),
            outputs=tuple(_output(output, *places[base]) for base in node["linearizedBaseContracts"]),
        )
        for file, node in places.values()
        if file in texts
    ]
    return Sources(tuple(contracts), trees, texts)


def walk(node: Any) -> Iterator[Node]:
    """A node and every node below it."""
    if isinstance(node, dict):
        if "nodeType" in node:
            yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def _output(output: dict[str, Any], file: str, node: Node) -> dict[str, Any]:
    found: dict[str, Any] = output["contracts"][file][node["name"]]
    return found


def _compile(texts: dict[str, bytes]) -> dict[str, Any]:
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    wanted = {"": ["ast"], "*": ["abi", "devdoc", "userdoc"]}
    question = {
        "language": "Solidity",
        "sources": {file: {"content": text.decode()} for file, text in texts.items()},
        "settings": {
            "remappings": profile["remappings"],
            "evmVersion": profile["evm_version"],
            "outputSelection": {"*": wanted},
        },
    }
    argv = [str(ROOT / profile["solc"]), "--standard-json", "--base-path", str(ROOT)]
    answer = subprocess.run(argv, cwd=ROOT, input=json.dumps(question), capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(f"the compiler did not run:\n{answer.stderr}")
    output: dict[str, Any] = json.loads(answer.stdout)
    errors = [item["formattedMessage"] for item in output.get("errors", []) if item["severity"] == "error"]
    if errors:
        sys.exit("the contracts do not compile:\n" + "\n".join(errors))
    return output
