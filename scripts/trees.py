"""Holds tests/forge/trees against the contracts and the tests.

    python -m scripts.trees

Every public function of every contract has a tree of its branches, `<Contract>.<function>.tree` (one for all
overloads), every tree is drawn right, and every leaf names, in square brackets, a test that exists in tests/forge:

    Escrow.approve
    ├── given the milestone is not open
    │   └── it reverts with NotFunded or AlreadySettled [test_nothing_happens_twice]
    └── when the caller is the payer
        └── it pays the payee everything [test_approve_pays_everything_from_every_open_status]

Functions that a contract inherits count as its own; getters of public variables do not, nor do views that come from
published libraries.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from scripts.solidity import LIBRARIES, ROOT, Contract, Node, read_sources

TESTS = ROOT / "tests" / "forge"
TREES = TESTS / "trees"

LINE = re.compile(r"^(?P<stems>(?:│   |    )*)(?P<fork>├── |└── )(?P<words>\S.*\S)$")
LEAF = re.compile(r"^it .+ \[(?P<test>\w+)\]$")
BRANCH = re.compile(r"^(given|when) [^\[\]]+$")
TEST = re.compile(r"^ *function ((?:test|invariant)\w*)\(", re.MULTILINE)


def public_functions(contract: Contract) -> set[str]:
    """Names of what can be called on a contract, inherited functions included."""
    found = set()
    for base, file in zip(contract.bases, contract.files, strict=True):
        for node in base["nodes"]:
            if node["nodeType"] == "FunctionDefinition" and _needs_tree(node, file.startswith(LIBRARIES)):
                found.add(node["name"] or node["kind"])  # receive and fallback have no name
    return found


def _needs_tree(node: Node, published: bool) -> bool:
    callable_ = node["visibility"] in ("public", "external") and node["kind"] != "constructor" and node["implemented"]
    return callable_ and not (published and node["stateMutability"] in ("view", "pure"))


def tests_in(folder: Path) -> set[str]:
    """The names of all Solidity tests."""
    return {name for path in folder.glob("*.sol") for name in TEST.findall(path.read_text())}


def check_tree(text: str, title: str, tests: set[str]) -> list[str]:
    """What is wrong with a tree, one line each."""
    lines = text.splitlines()
    if not lines or lines[0] != title:
        return [f"line 1: expected `{title}`"]
    if len(lines) == 1:
        return ["has no branch"]
    faults = []
    open_stems: list[str] = []  # per level: what must stand under it, "│" while its siblings go on
    depths = []
    for number, line in enumerate(lines[1:], start=2):
        match = LINE.match(line)
        if match is None:
            faults.append(f"line {number}: expected `├── ` or `└── ` after stems of `│   ` and four spaces")
            return faults
        stems = [match["stems"][i] for i in range(0, len(match["stems"]), 4)]
        if stems != open_stems[: len(stems)] or (len(open_stems) > len(stems) and open_stems[len(stems)] != "│"):
            faults.append(f"line {number}: is drawn from no branch above it")
            return faults
        if any(stem == "│" for stem in open_stems[len(stems) + 1 :]):
            faults.append(f"line {number}: a branch above it, drawn ├──, has nothing after it")
        open_stems = [*stems, "│" if match["fork"] == "├── " else " "]
        depths.append(len(stems))
        faults += check_words(number, match["words"], tests)
    if "│" in open_stems:
        faults.append("the last lines: a branch drawn ├── has nothing after it; draw it └──")
    return faults + check_kinds(lines[1:], depths)


def check_words(number: int, words: str, tests: set[str]) -> list[str]:
    """A branch begins with given or when, a leaf with it, and a leaf ends with a test that exists."""
    leaf = LEAF.match(words)
    if leaf is None and BRANCH.match(words) is None:
        return [f"line {number}: expected `given ...`, `when ...`, or `it ... [name_of_a_test]`, found `{words}`"]
    if leaf is not None and leaf["test"] not in tests:
        return [f"line {number}: no test in tests/forge is called {leaf['test']}"]
    return []


def check_kinds(lines: list[str], depths: list[int]) -> list[str]:
    """Below a branch stands something, below a leaf nothing."""
    faults = []
    for index, line in enumerate(lines):
        has_children = index + 1 < len(lines) and depths[index + 1] > depths[index]
        is_leaf = "── it " in line
        if is_leaf and has_children:
            faults.append(f"line {index + 2}: a leaf (`it ...`) carries a branch")
        if not is_leaf and not has_children:
            faults.append(f"line {index + 2}: a branch ends without a leaf (`it ...`)")
    return faults


def check(functions: set[str], trees: dict[str, str], tests: set[str]) -> list[str]:
    """All faults; `functions` are `Contract.function`, `trees` the files' texts by name without `.tree`."""
    faults = [f"{name}: has no tree (tests/forge/trees/{name}.tree)" for name in sorted(functions - trees.keys())]
    for name, text in sorted(trees.items()):
        if name not in functions:
            faults.append(f"{name}.tree: there is no such public function")
            continue
        faults += [f"{name}.tree: {fault}" for fault in check_tree(text, name, tests)]
    return faults


def main() -> int:
    functions = {f"{c.name}.{name}" for c in read_sources().deployable() for name in public_functions(c)}
    trees = {path.stem: path.read_text() for path in TREES.iterdir()}
    faults = check(functions, trees, tests_in(TESTS))
    for fault in faults:
        print(fault)
    leaves = sum(text.count("── it ") for text in trees.values())
    print(f"{len(functions)} public functions, {len(trees)} trees, {leaves} leaves, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
