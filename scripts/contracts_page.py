"""Writes docs/reference/contracts.md from the contracts' NatSpec and the registry of errors.

    python -m scripts.contracts_page [--check]

Fails, with or without --check, when a public function, an event or an error of ours has no documentation, or one that
does not say who may call it. With --check nothing is written and a page that differs fails.
"""

from __future__ import annotations

import argparse
import re
import sys

from keeper.errors import CONTRACT
from scripts.natspec import Entry, Value, entries, faults, fields, purpose, tuples
from scripts.solidity import ROOT, Contract, Node, Sources, read_sources

PAGE = ROOT / "docs" / "reference" / "contracts.md"
MADE = "<!-- made by `python -m scripts.contracts_page`; do not edit -->"
INTRODUCTION = """Every contract's public face, from the comments in [interfaces/](../../interfaces). The rules behind
it are [docs/protocol.md](../protocol.md); ABIs are in [interfaces/abi](../../interfaces/abi).

- A **selector** is what calldata begins with; an event's **topic** is what its log begins with.
- **Called by** says who may call; a call by anybody else reverts. What *reads only* anyone may call, without gas.
- Amounts are in the token's smallest unit, times in unix seconds, windows in seconds, shares in 1/10000 (bps).
- What to do about an error stands beside it; [errors](errors.md) lists them with those of the programs.
"""


def render(sources: Sources) -> str:
    """The whole page."""
    contracts, others = faces(sources)
    lines = ["# Contracts", "", MADE, "", INTRODUCTION]
    lines += ["| | |", "|---|---|"]
    lines += [f"| [`{c.name}`](#{c.name.lower()}) | {purpose(sources, face(sources, c))[0]} |" for c in contracts]
    lines += [f"| [`{c.name}`](#{c.name.lower()}) | interface: {purpose(sources, c)[0]} |" for c in others]
    lines += ["| [types](#types) | structs and enums |", ""]
    for contract in [*contracts, *others]:
        lines += section(sources, contract)
    lines += types(sources)
    return "\n".join(lines).rstrip() + "\n"


def faces(sources: Sources) -> tuple[list[Contract], list[Contract]]:
    """The contracts, and the interfaces that are not just the face of one of them."""
    contracts = sources.deployable()
    own = {f"I{contract.name}" for contract in contracts}
    others = [c for c in sources.contracts if c.kind == "interface" and c.name not in own]
    return contracts, sorted(others, key=lambda contract: contract.name)


def face(sources: Sources, contract: Contract) -> Contract:
    """The interface of the contract's own name, which says what it is for; else the contract."""
    return next((c for c in sources.contracts if c.name == f"I{contract.name}"), contract)


def section(sources: Sources, contract: Contract) -> list[str]:
    """One contract: purpose, functions, events, errors."""
    title, paragraphs = purpose(sources, face(sources, contract))
    lines = [f"## {contract.name}", "", f"*{title}.* Source: [{contract.file}](../../{contract.file})", ""]
    for paragraph in paragraphs:
        lines += [prose(paragraph), ""]
    for entry in entries(sources, contract, "function"):
        lines += function(entry)
    lines += table("Events", "topic", entries(sources, contract, "event"))
    return lines + table("Errors", "selector", entries(sources, contract, "error"))


def function(entry: Entry) -> list[str]:
    """One function: declaration, selector, caller, what it does, what goes in and comes out."""
    reads = entry.mutability in ("view", "pure")
    facts = [f"selector `{entry.selector}`"]
    facts += ["reads only"] if reads else [f"called by {entry.caller}"] if entry.caller else []
    facts += [f"inherited from the library contract `{entry.origin}`"] if entry.origin else []
    facts += ["takes native currency"] if entry.mutability == "payable" else []
    lines = [f"### {entry.name}", "", "```solidity", f"{entry.declaration}{results(entry)}", "```", ""]
    lines += ["; ".join(facts) + ".", ""]
    for text in (entry.notice, entry.details):
        if text:
            lines += [prose(text), ""]
    rows = [*(value_row("", v) for v in entry.inputs), *(value_row("returns ", v) for v in entry.outputs)]
    told = [row for row in rows if row]
    return [*lines, "| | |", "|---|---|", *told, ""] if told else lines


def results(entry: Entry) -> str:
    returned = ", ".join(f"{v.type} {v.name}".rstrip() for v in entry.outputs)
    return f" returns ({returned})" if returned else ""


def value_row(prefix: str, value: Value) -> str:
    """A table row for what has a meaning of its own, or a type that has one."""
    struct = value.type.removesuffix("[]")
    linked = f"see [`{struct}`](#{struct.lower()})" if struct[:1].isupper() else ""
    meaning = "; ".join(part for part in (prose(value.meaning), linked) if part)
    return f"| {prefix}`{value.name or value.type}` | {cell(meaning)} |" if meaning else ""


def table(title: str, what: str, found: list[Entry]) -> list[str]:
    """Events or errors, by name."""
    if not found:
        return []
    is_error = title == "Errors"
    lines = [f"### {title}", "", f"| {title.lower()[:-1]} | {'what to do | ' if is_error else ''}{what} |"]
    lines += ["|---|---|---|" if is_error else "|---|---|"]
    for entry in sorted(found, key=lambda entry: entry.name):
        told = prose(" ".join(part for part in (entry.notice, entry.details) if part))
        first = f"`{entry.declaration}`" + (f"<br>{told}" if told else "")
        mend = f"{CONTRACT[entry.name].fix if entry.name in CONTRACT else ''} | " if is_error else ""
        lines.append(f"| {cell(first)} | {cell(mend, keep=' | ')}`{entry.selector}` |")
    return [*lines, ""]


def types(sources: Sources) -> list[str]:
    """Structs with their fields, enums with their numbers."""
    lines = ["## Types", "", "In a selector a struct stands as the tuple of its fields' types, an enum as `uint8`.", ""]
    tuple_of = tuples(sources.contracts)
    for file in sorted(sources.trees):
        if not file.startswith("interfaces/"):
            continue
        for node in declared(sources.trees[file]):
            lines += [f"### {node['name']}", ""]
            if node.get("documentation"):
                lines += [prose(re.sub(r"\s*@\w+ ", "", node["documentation"]["text"]).replace("\n", " ")), ""]
            if node["nodeType"] == "EnumDefinition":
                lines += [", ".join(f"{i} {member['name']}" for i, member in enumerate(node["members"])) + ".", ""]
            else:
                lines += [f"Tuple: `{tuple_of[node['name']]}`.", ""] if node["name"] in tuple_of else []
                lines += ["| field | type | |", "|---|---|---|"]
                lines += [f"| `{f.name}` | {f.type} | {cell(f.meaning)} |" for f in fields(sources, file, node)] + [""]
    return lines


def declared(tree: Node) -> list[Node]:
    """Structs and enums of a file, in or beside its interfaces."""
    inside = [node for unit in tree["nodes"] for node in unit.get("nodes", [])]
    return [n for n in [*tree["nodes"], *inside] if n["nodeType"] in ("StructDefinition", "EnumDefinition")]


def prose(text: str) -> str:
    """Text of a comment with its links."""
    return re.sub(r"(?<!`)docs/protocol\.md", "[docs/protocol.md](../protocol.md)", " ".join(text.split()))


def cell(text: str, keep: str = "") -> str:
    """Text that may stand in a table's cell; a trailing `keep` is left as it is."""
    body = text.removesuffix(keep) if keep else text
    return body.replace("|", "\\|") + (keep if keep and text.endswith(keep) else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail on a page that differs; write nothing")
    check = parser.parse_args().check
    sources = read_sources()
    missing = faults(sources, [c for group in faces(sources) for c in group])
    for line in missing:
        print(line)
    text = render(sources)
    stale = not PAGE.exists() or PAGE.read_text() != text
    if stale and not check:
        PAGE.write_text(text)
    if stale:
        told = "differs from the code, run `python -m scripts.contracts_page`" if check else "written"
        print(f"{told}: {PAGE.relative_to(ROOT)}")
    return 1 if missing or (check and stale) else 0


if __name__ == "__main__":
    sys.exit(main())
