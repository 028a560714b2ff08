"""What the Solidity sources say of themselves: NatSpec, read from the compiler's output, and what it lacks.

scripts/contracts_page.py makes docs/reference/contracts.md of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eth_utils.crypto import keccak

from keeper.errors import CONTRACT
from scripts.solidity import LIBRARIES, Contract, Node, Sources, walk

CALLERS = {
    "NotParty": "the payer or the payee",
    "NotPayer": "the payer",
    "NotPayee": "the payee",
    "NotArbiter": "the arbiter",
    "OwnableUnauthorizedAccount": "the owner",
}
"""Errors that tell who may call; the first that a function's documentation names counts."""


@dataclass(frozen=True)
class Value:
    """A parameter, a result or a struct's field."""

    name: str
    type: str
    meaning: str
    indexed: bool = False


@dataclass(frozen=True)
class Entry:
    """A function, an event or an error of a contract."""

    kind: str
    name: str
    signature: str
    """The name with the ABI's types, as selectors hash it."""
    mutability: str
    notice: str
    details: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    caller: str
    """Who may call it; "" where the documentation does not say."""
    origin: str
    """The published library that it comes from; "" if it is ours."""

    @property
    def declaration(self) -> str:
        """The name with the source's types and names."""
        given = ", ".join(f"{v.type}{' indexed' if v.indexed else ''} {v.name}".rstrip() for v in self.inputs)
        return f"{self.name}({given})"

    @property
    def selector(self) -> str:
        """Four bytes; an event's 32 bytes topic."""
        digest = keccak(text=self.signature)
        return "0x" + (digest if self.kind == "event" else digest[:4]).hex()


def entries(sources: Sources, contract: Contract, kind: str) -> list[Entry]:
    """A contract's functions, events or errors, inherited ones included, in the order of the sources."""
    order = [node.get("name") for base in contract.bases for node in base["nodes"]]
    found = [_entry(sources, contract, item) for item in contract.outputs[0]["abi"] if item["type"] == kind]
    return sorted(found, key=lambda entry: order.index(entry.name) if entry.name in order else len(order))


def _entry(sources: Sources, contract: Contract, item: Node) -> Entry:
    kind, name, signature = item["type"], item["name"], _signature(item)
    for output in contract.outputs:  # an implementation may leave unused parameters without a name
        for other in output["abi"]:
            if other["type"] == kind and _signature(other) == signature and _named(other) > _named(item):
                item = other
    user, dev = (_documented(contract, part, kind, signature) for part in ("userdoc", "devdoc"))
    mutability = item.get("stateMutability", "")
    notice, details = user.get("notice", ""), dev.get("details", "")
    return Entry(
        kind=kind,
        name=name,
        signature=signature,
        mutability=mutability,
        notice=notice,
        details=details,
        inputs=_values(item["inputs"], dev.get("params", {})),
        outputs=_values(item.get("outputs", []), dev.get("returns", {})),
        caller=dev.get("custom:caller", "") or _caller(mutability, f"{notice} {details}"),
        origin=_origin(sources, contract, name),
    )


def _origin(sources: Sources, contract: Contract, name: str) -> str:
    """The published library that alone declares a name: a base's, else (errors of libraries) anybody's."""
    own = [(base["name"], file) for base, file in zip(contract.bases, contract.files, strict=True) if _has(base, name)]
    units = [(unit, file) for file, tree in sources.trees.items() for unit in [tree, *tree["nodes"]]]
    every = [(unit.get("name", Path(file).stem), file) for unit, file in units if _has(unit, name)]
    found = own or every
    return found[0][0] if found and all(file.startswith(LIBRARIES) for _, file in found) else ""


def _has(unit: Node, name: str) -> bool:
    return any(node.get("name") == name for node in unit.get("nodes", []))


def _documented(contract: Contract, part: str, kind: str, signature: str) -> Node:
    """The nearest documentation, completed from what is inherited: `@inheritdoc` leaves custom tags out."""
    where = {"function": "methods", "event": "events", "error": "errors"}[kind]
    merged: Node = {}
    for output in contract.outputs:
        doc = output[part]
        found = doc.get(where, {}).get(signature) or doc.get("stateVariables", {}).get(signature.partition("(")[0], {})
        merged = {**(found[0] if isinstance(found, list) else found), **merged}
    return merged


def _named(item: Node) -> int:
    return sum(bool(value["name"]) for value in item["inputs"])


def _signature(item: Node) -> str:
    return f"{item.get('name', '')}({','.join(abi_type(value) for value in item.get('inputs', []))})"


def _caller(mutability: str, text: str) -> str:
    if mutability not in ("nonpayable", "payable"):
        return "anyone"
    named = [who for error, who in CALLERS.items() if f"`{error}`" in text]
    return named[0] if named else "anyone" if re.search(r"\banyone\b", text, re.IGNORECASE) else ""


def abi_type(value: Node) -> str:
    """A type as selectors hash it: structs as tuples."""
    if not value["type"].startswith("tuple"):
        return str(value["type"])
    return f"({','.join(abi_type(part) for part in value['components'])}){value['type'][5:]}"


def _values(items: list[Node], meanings: dict[str, str]) -> tuple[Value, ...]:
    return tuple(
        Value(
            name=item["name"],
            type=re.sub(r"^(struct|enum|contract) (\w+\.)?", "", item["internalType"]),
            meaning=meanings.get(item["name"] or f"_{place}", ""),
            indexed=item.get("indexed", False),
        )
        for place, item in enumerate(items)
    )


def purpose(sources: Sources, contract: Contract) -> tuple[str, list[str]]:
    """A contract's title and the paragraphs of its notice."""
    raw = _source_of(sources, contract.file, contract.node.get("documentation"))
    lines = [re.sub(r"^\s*///? ?", "", line) for line in raw.splitlines()]
    tags = re.split(r"^@(\w+) ", "\n".join(lines), flags=re.MULTILINE)[1:]
    told = dict(zip(tags[::2], tags[1::2], strict=True))
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", told.get("notice", ""))]
    return " ".join(told.get("title", "").split()), [part for part in paragraphs if part]


def fields(sources: Sources, file: str, struct: Node) -> list[Value]:
    """A struct's fields; what each means is the comment at the end of its line."""
    text = sources.texts[file]
    found = []
    for member in struct["members"]:
        end = int(member["src"].split(":")[0]) + int(member["src"].split(":")[1])
        rest = text[end : text.index(b"\n", end)].decode()
        meaning = rest.partition("// ")[2].strip()
        found.append(Value(member["name"], re.sub(r"^(struct|enum) ", "", _type_of(member)), meaning))
    return found


def tuples(contracts: tuple[Contract, ...]) -> dict[str, str]:
    """Each struct that some function, event or error names, as its tuple of ABI types."""
    found: dict[str, str] = {}
    pending = [value for c in contracts for item in c.outputs[0]["abi"] for value in item.get("inputs", [])]
    while pending:
        value = pending.pop()
        if value["type"].startswith("tuple"):
            single = {**value, "type": "tuple"}
            found[value["internalType"].partition("[")[0].removeprefix("struct ").rpartition(".")[2]] = abi_type(single)
            pending += value["components"]
    return found


def _type_of(member: Node) -> str:
    return re.sub(r" (storage|memory|calldata)\b.*$", "", member["typeDescriptions"]["typeString"])


def _source_of(sources: Sources, file: str, node: Node | None) -> str:
    if node is None:
        return ""
    start, length, _ = (int(part) for part in node["src"].split(":"))
    return sources.texts[file][start : start + length].decode()


def faults(sources: Sources, contracts: list[Contract]) -> list[str]:
    """What lacks documentation, says not who may call it, or speaks of what does not exist; one line each."""
    known = {node["name"] for tree in sources.trees.values() for node in walk(tree) if node.get("name")}
    found = []
    for contract in contracts:
        if not purpose(sources, contract)[1]:
            found.append(f"{contract.name}: has no @notice")
        for kind in ("function", "event", "error"):
            for entry in entries(sources, contract, kind):
                found += [f"{contract.name}.{entry.name}: {fault}" for fault in _faults(entry, known)]
    return sorted(set(found))


def _faults(entry: Entry, known: set[str]) -> Iterator[str]:
    if entry.kind == "error" and entry.name not in CONTRACT:
        yield "has no mend in keeper/errors.py"
    if entry.origin:
        return
    text = f"{entry.notice} {entry.details}"
    if not text.strip():
        yield f"{entry.kind} has neither @notice nor @dev"
    elif entry.kind == "function" and not entry.caller:
        yield "say who may call: `@custom:caller the owner`, an error of who may not, or the word `anyone`"
    for name in re.findall(r"`([A-Za-z_]\w*)`", text):
        if name not in known:
            yield f"its documentation names `{name}`, which does not exist"
