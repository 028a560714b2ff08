"""The descriptors hold every call and every field, in words that fit a small device."""

from __future__ import annotations

import json
import re

import pytest

from keeper.protocol.encoding import ATTESTATION_TYPE, TERMS_TYPE
from keeper.protocol.offers import AMENDMENT_TYPE, SPLIT_TYPE
from scripts.clear_signing import FOLDER, INTERFACES, _format
from scripts.clear_signing_rows import HIDE, Screen, Show

DESCRIPTORS = {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
FORMATS = [
    pytest.param(key, spec, id=key.split("(")[0])
    for descriptor in DESCRIPTORS.values()
    for key, spec in descriptor["display"]["formats"].items()
]
ABI = json.loads((INTERFACES / "abi" / "Escrow.json").read_text())
CALLS = DESCRIPTORS["calldata-Escrow.json"]["display"]["formats"]


def paths(spec):
    for field in spec["fields"]:
        yield from field.get("fields", [field])


def plain_values(inputs, prefix=""):
    """Paths of an ABI's parameters, worked out apart from the script."""
    for value in inputs:
        path = prefix + value["name"] + value["type"].replace("tuple", "").count("[]") * ".[]"
        if value["type"].startswith("tuple"):
            yield from plain_values(value["components"], path + ".")
        else:
            yield path


def test_every_call_that_can_be_sent_is_described():
    sent = [e for e in ABI if e["type"] == "function" and e["stateMutability"] not in ("view", "pure")]

    assert sorted(key.split("(")[0] for key in CALLS) == sorted(e["name"] for e in sent)


def test_every_message_is_described_by_its_type():
    messages = [
        key for name in DESCRIPTORS if name.startswith("eip712") for key in DESCRIPTORS[name]["display"]["formats"]
    ]

    assert sorted(messages) == sorted([TERMS_TYPE, SPLIT_TYPE, AMENDMENT_TYPE, ATTESTATION_TYPE])


@pytest.mark.parametrize("entry", [e for e in ABI if e["type"] == "function"], ids=lambda e: e["name"])
def test_every_value_of_a_call_is_shown_or_left_out_once_and_on_purpose(entry):
    spec = next((s for key, s in CALLS.items() if re.sub(r" \w+", "", key) == signature(entry)), None)

    if spec is None:
        assert entry["stateMutability"] in ("view", "pure")
        return
    described = [field["path"] for field in paths(spec) if not field["path"].startswith("@.")]
    assert sorted(described) == sorted(plain_values(entry["inputs"]))


def signature(entry):
    def kind(value):
        if not value["type"].startswith("tuple"):
            return value["type"]
        return f"({','.join(map(kind, value['components']))})" + value["type"].removeprefix("tuple")

    return f"{entry['name']}({','.join(map(kind, entry['inputs']))})"


@pytest.mark.parametrize(("key", "spec"), FORMATS)
def test_a_sentence_names_only_what_is_always_shown(key, spec):
    always = {field["path"] for field in paths(spec) if "visible" not in field}

    assert set(re.findall(r"{(.+?)}", spec.get("interpolatedIntent", ""))) <= always


@pytest.mark.parametrize(("key", "spec"), FORMATS)
def test_words_fit_a_small_device(key, spec):
    assert len(spec["intent"]) <= 30
    assert max(len(field["label"]) for field in paths(spec)) <= 20


def test_a_set_of_milestones_is_told_by_its_bits():
    for descriptor in DESCRIPTORS.values():
        sets = descriptor["metadata"].get("enums", {}).get("milestones", {})
        assert len(sets) <= 32
        assert all(len(words) <= 20 for words in sets.values())
        for mask, words in sets.items():
            numbers = [int(number) for number in re.findall(r"\d+", words)]
            members = range(numbers[0], numbers[-1] + 1) if " to " in words else numbers
            assert int(mask) == sum(1 << index for index in members), words


def test_a_field_without_a_row_and_a_row_without_a_field_are_faults():
    screen = Screen("Pay", "", {"amount": Show("Amount"), "salt": HIDE})

    assert [f["path"] for f in _format(screen, ["amount", "salt"])["fields"]] == ["amount", "salt"]
    with pytest.raises(ValueError, match=r"no row for \['to'\]"):
        _format(screen, ["amount", "salt", "to"])
    with pytest.raises(ValueError, match=r"no such field \['amount'\]"):
        _format(screen, ["salt"])


def test_the_descriptors_are_bound_to_the_published_addresses_only():
    placed = json.loads((INTERFACES / "deployment.json").read_text())["contracts"]

    for name, descriptor in DESCRIPTORS.items():
        (binding,) = descriptor["context"].values()
        contract = name.removesuffix(".json").partition("-")[2]
        assert {d["address"] for d in binding["deployments"]} == {placed[contract]["address"]}
        assert {d["chainId"] for d in binding["deployments"]} == {1, 11155111, 31337}
