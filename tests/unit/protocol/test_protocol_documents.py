"""Envelopes, canonical JSON, criteria and deliverables (docs/protocol.md section 3, Documents)."""

import json
from base64 import b64encode

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import bytes32

from keeper.errors import MilepostError
from keeper.protocol.documents import (
    Envelope,
    canonical_json,
    document_hash,
    fill_url,
    parse_criteria,
    parse_deliverable,
    parse_json,
)

CI = {
    "name": "ci",
    "kind": "github-check-runs",
    "url": "{ci}/repos/{repository}/commits/{commit}/check-runs",
    "checks": ["build", "test"],
}
EPCIS = {
    "name": "epcis",
    "kind": "epcis",
    "url": "{epcis}/events?MATCH_epc={shipment}",
    "epc": "{shipment}",
    "bizStep": "receiving",
    "disposition": "in_progress",
}
CRITERIA = {
    "version": "milepost/criteria/1",
    "title": "Build accepted",
    "sources": [CI, EPCIS],
    "rule": {"agree": 2},
    "payoutBps": 10_000,
    "final": False,
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


def refused(call, *args, match=None):
    with pytest.raises(MilepostError, match=match) as error:
        call(*args)
    assert error.value.code == "DOCUMENT_INVALID"


@given(bytes32, st.binary())
def test_document_hash_is_keccak_over_salt_and_exact_bytes(salt, content):
    assert document_hash(salt, content) == keccak(salt + content)


def test_a_salt_of_another_length_is_refused():
    refused(document_hash, bytes(31), b"", match="32 bytes")


@given(bytes32, st.binary())
def test_envelope_survives_its_json(salt, content):
    envelope = Envelope(salt, "application/json", content)

    assert Envelope.from_json(json.loads(json.dumps(envelope.to_json()))) == envelope


GOOD = Envelope(bytes(32), "text/plain", b"x").to_json()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {**GOOD, "more": 1},
        {**GOOD, "salt": "0x" + "00" * 31},
        {**GOOD, "salt": "0x" + "AA" * 32},
        {**GOOD, "salt": 5},
        {**GOOD, "mediaType": "text"},
        {**GOOD, "mediaType": None},
        {**GOOD, "bytes": "not base64!"},
        {**GOOD, "bytes": 5},
    ],
)
def test_an_envelope_of_another_shape_is_refused(value):
    refused(Envelope.from_json, value, match="envelope")


@given(json_values)
def test_canonical_json_reads_back_as_the_same_value(value):
    assert parse_json(canonical_json(value)) == value


@pytest.mark.parametrize("value", [1.0, {"a": [1.5]}, 2**53, float("nan"), {1: 2}, "\ud800", b"x"])
def test_what_has_no_one_canonical_form_is_refused(value):
    refused(canonical_json, value)


@pytest.mark.parametrize(
    "text",
    [b'{"a":1,"a":1}', b'[{"b":{"a":1,"a":2}}]', b"1.0", b"1e3", b"NaN", b"{", b"\xff", b"", b"[" * 100_000],
)
def test_json_that_two_readers_may_read_differently_is_refused(text):
    refused(parse_json, text)


def test_criteria_parse_and_name_what_a_deliverable_must_hold():
    criteria = parse_criteria(canonical_json(CRITERIA))

    assert criteria.needs() == {"repository", "commit", "shipment"}
    assert criteria.sources[1].biz_step == "receiving"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"version": "milepost/criteria/2"}, "version"),
        ({"title": ""}, "title"),
        ({"unknown": 1}, "unknown"),
        ({"rule": {"agree": 3}}, "at most 2"),
        ({"rule": {"agree": 0}}, "agree"),
        ({"rule": {"agree": "2"}}, "agree"),
        ({"payoutBps": 0}, "payoutBps"),
        ({"payoutBps": 10_001}, "payoutBps"),
        ({"payoutBps": True}, "payoutBps"),
        ({"final": 0}, "final"),
        ({"sources": []}, "sources"),
        ({"sources": [CI, CI]}, "each source name once"),
        ({"sources": [{**CI, "kind": "rumour"}, EPCIS]}, "sources"),
        ({"sources": [{**CI, "checks": []}, EPCIS]}, "checks"),
        ({"sources": [{**CI, "url": "https://elsewhere/{commit}"}, EPCIS]}, "begin with"),
        ({"sources": [{**CI, "url": "{ci}@elsewhere/"}, EPCIS]}, "begin with"),
        ({"sources": [{**CI, "url": "{ci}/{ci}"}, EPCIS]}, "once"),
        ({"sources": [{**CI, "url": "{ci}/{Commit}"}, EPCIS]}, "placeholders"),
        ({"sources": [CI, {**EPCIS, "epc": ""}]}, "epc"),
        ({"sources": [CI, {k: v for k, v in EPCIS.items() if k != "bizStep"}]}, "bizStep"),
    ],
)
def test_criteria_that_break_a_rule_are_refused_by_name(change, match):
    refused(parse_criteria, canonical_json({**CRITERIA, **change}), match=match)


def test_criteria_that_are_not_canonical_are_refused():
    refused(parse_criteria, json.dumps(CRITERIA).encode(), match="RFC 8785")


def deliverable(**fields):
    return canonical_json({"version": "milepost/deliverable/1", "fields": fields})


def test_deliverable_parses():
    assert parse_deliverable(deliverable(commit="abc")).fields == {"commit": "abc"}


@pytest.mark.parametrize("fields", [{"Commit": "a"}, {"commit": 5}, {"commit": ""}, {"commit": "a\nb"}])
def test_a_deliverable_with_a_wrong_field_is_refused(fields):
    refused(parse_deliverable, deliverable(**fields), match="fields")


SOURCES = parse_criteria(canonical_json(CRITERIA)).sources


def test_url_stands_below_the_operators_base():
    url = fill_url(SOURCES[0], "http://127.0.0.1:9/", {"repository": "acme/app", "commit": "a b?c#d"})

    assert url == "http://127.0.0.1:9/repos/acme/app/commits/a%20b%3Fc%23d/check-runs"


def test_a_query_value_is_encoded_whole():
    url = fill_url(SOURCES[1], "http://x", {"shipment": "https://id.gs1.org/00/1?a&b"})

    assert url == "http://x/events?MATCH_epc=https%3A%2F%2Fid.gs1.org%2F00%2F1%3Fa%26b"


@pytest.mark.parametrize("repository", ["..", "a/../../b", "a//b", "/a", ".", "a/"])
def test_a_payees_words_cannot_leave_the_templates_path(repository):
    fields = {"repository": repository, "commit": "c"}

    refused(fill_url, SOURCES[0], "http://x", fields, match="cannot stand")


def test_a_field_cannot_replace_the_operators_base():
    fields = {"repository": "a", "commit": "b", "ci": "http://evil"}

    assert fill_url(SOURCES[0], "http://x", fields).startswith("http://x/")


def test_a_missing_field_is_refused_by_name():
    refused(fill_url, SOURCES[0], "http://x", {"commit": "b"}, match="repository")


def test_envelope_carries_base64():
    assert Envelope(bytes(32), "text/plain", b"hello").to_json()["bytes"] == b64encode(b"hello").decode()
