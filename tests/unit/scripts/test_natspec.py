"""The contracts' reference: what it takes from the sources, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from scripts.contracts_page import faces
from scripts.natspec import entries, faults, fields, purpose
from scripts.solidity import read_sources

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def sources():
    return read_sources()


def contract(sources, name):
    return next(c for c in sources.contracts if c.name == name)


def undocumented(sources, name, part, key):
    """The same sources as if one entry of a contract had no documentation."""
    changed = contract(sources, name)
    outputs = json.loads(json.dumps(changed.outputs))
    for output in outputs:
        for doc in (output["userdoc"], output["devdoc"]):
            for signature in [s for s in doc.get(part, {}) if s.startswith(f"{key}(")]:
                del doc[part][signature]
    return dataclasses.replace(changed, outputs=tuple(outputs))


def test_selectors_are_those_of_the_signatures(sources):
    for entry in entries(sources, contract(sources, "Escrow"), "function"):
        assert entry.selector == "0x" + function_signature_to_4byte_selector(entry.signature).hex()


def test_every_entry_of_the_committed_abi_is_on_the_page(sources):
    abi = json.loads((ROOT / "interfaces/abi/Escrow.json").read_text())
    for kind in ("function", "event", "error"):
        found = {entry.name for entry in entries(sources, contract(sources, "Escrow"), kind)}
        assert found == {item["name"] for item in abi if item["type"] == kind}


def test_who_may_call_is_read_from_the_errors_of_who_may_not(sources):
    caller = {entry.name: entry.caller for entry in entries(sources, contract(sources, "Escrow"), "function")}

    assert caller["submit"] == caller["waive"] == "the payee"
    assert caller["approve"] == "the payer"
    assert caller["dispute"] == "the payer or the payee"
    assert caller["rule"] == "the arbiter"
    assert caller["settle"] == caller["fund"] == "anyone"


@pytest.mark.parametrize(
    ("name", "part", "key", "kind"),
    [
        ("Escrow", "methods", "approve", "function"),
        ("Escrow", "events", "Settled", "event"),
        ("QuorumVerifier", "errors", "WrongQuorum", "error"),
    ],
)
def test_what_lacks_documentation_is_named(sources, name, part, key, kind):
    fault = f"{name}.{key}: {kind} has neither @notice nor @dev"

    assert fault not in faults(sources, [contract(sources, name)])
    assert fault in faults(sources, [undocumented(sources, name, part, key)])


def test_a_name_that_does_not_exist_is_named(sources):
    changed = contract(sources, "QuorumVerifier")
    outputs = json.loads(json.dumps(changed.outputs).replace("Emits `Announced`", "Emits `Anounced`"))
    changed = dataclasses.replace(changed, outputs=tuple(outputs))

    found = faults(sources, [changed])

    assert "QuorumVerifier.announce: its documentation names `Anounced`, which does not exist" in found


def test_paragraphs_and_field_comments_come_from_the_source(sources):
    face = contract(sources, "IEscrow")
    struct = next(n for n in sources.trees[face.file]["nodes"] if n.get("name") == "Milestone")

    assert len(purpose(sources, face)[1]) >= 2
    assert fields(sources, face.file, struct)[0].meaning == "token units, > 0"


def test_each_contract_and_each_lone_interface_has_a_section(sources):
    contracts, others = faces(sources)

    assert {"Escrow", "QuorumVerifier"} <= {c.name for c in contracts}
    assert {"IVerifier", "IArbiter"} <= {c.name for c in others}
    assert "IEscrow" not in {c.name for c in others}
