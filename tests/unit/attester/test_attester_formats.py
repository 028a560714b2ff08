"""What CI results and supply-chain events mean, and that nothing malformed ever means anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.attester.evidence import Says
from keeper.attester.sources import criteria_fault, deliverable_fault, epcis, github
from keeper.protocol.documents import AgreeRule, Criteria, EpcisSource, GithubCheckRuns
from scripts.evidence import ci_server, epcis_server

COMMIT = "c0ffee" + "0" * 34
EPC = "urn:epc:id:sscc:0614141.1234567890"
CI = GithubCheckRuns(
    name="ci",
    kind="github-check-runs",
    url="{ci}/repos/acme/shop/commits/{commit}/check-runs?per_page=100",
    checks=["build", "acceptance"],
)
ERP = EpcisSource(
    name="erp",
    kind="epcis",
    url="{erp}/events?MATCH_epc={shipment}",
    epc="{shipment}",
    biz_step="accepting",
    disposition="conformant",
)
CRITERIA = Criteria(
    version="milepost/criteria/1",
    title="It works",
    sources=[CI, ERP],
    rule=AgreeRule(agree=2),
    payout_bps=10_000,
    final=False,
)


def ci_answer(*runs: dict[str, Any], commit: str = COMMIT) -> dict[str, Any]:
    facts = {"repositories": {"acme/shop": {commit: list(runs)}}}
    return ci_server.route(facts, f"/repos/acme/shop/commits/{commit}/check-runs", {}).body


def run(name: str, conclusion: str | None = "success", status: str = "completed", **other: Any) -> dict[str, Any]:
    return {"name": name, "status": status, "conclusion": conclusion, **other}


def ci(answer: Any) -> Says:
    return github.read(CI, COMMIT, json.dumps(answer).encode()).says


def event(step: str, disposition: str, day: int = 1, **other: Any) -> dict[str, Any]:
    time = f"2026-01-{day:02}T08:30:00.000Z"
    return {"eventTime": time, "bizStep": step, "disposition": disposition, "epcList": [EPC], **other}


def epcis_answer(*events: dict[str, Any]) -> dict[str, Any]:
    return epcis_server.route({"events": list(events)}, "/events", {"MATCH_epc": [EPC]}).body


def erp(answer: Any) -> Says:
    return epcis.read(ERP, EPC, json.dumps(answer).encode()).says


def test_ci_is_satisfied_when_every_named_check_succeeded() -> None:
    answer = ci_answer(run("build"), run("acceptance"), run("docs", "failure"))
    assert ci(answer) is Says.SATISFIED


def test_ci_failed_when_a_named_check_completed_with_failure() -> None:
    assert ci(ci_answer(run("build"), run("acceptance", "failure"))) is Says.FAILED


@pytest.mark.parametrize("status", ["queued", "in_progress", "waiting", "requested", "pending"])
def test_ci_is_pending_while_a_named_check_runs_even_beside_a_failure(status: str) -> None:
    assert ci(ci_answer(run("build", "failure"), run("acceptance", None, status))) is Says.PENDING


def test_ci_is_pending_while_a_named_check_did_not_begin() -> None:
    assert ci(ci_answer(run("build"))) is Says.PENDING
    assert ci(ci_answer()) is Says.PENDING


@pytest.mark.parametrize(
    "conclusion", ["neutral", "cancelled", "skipped", "stale", "timed_out", "action_required", "startup_failure", "odd"]
)
def test_ci_is_unclear_about_conclusions_that_judge_no_work(conclusion: str) -> None:
    assert ci(ci_answer(run("build"), run("acceptance", conclusion))) is Says.UNCLEAR


def test_ci_about_another_commit_is_unclear() -> None:
    assert ci(ci_answer(run("build"), run("acceptance", head_sha="d" * 40))) is Says.UNCLEAR


def test_ci_answer_that_is_only_one_page_is_unclear() -> None:
    answer = ci_answer(run("build"), run("acceptance"))
    assert ci(answer | {"total_count": 3}) is Says.UNCLEAR


def test_ci_needs_every_run_of_a_name_to_succeed() -> None:
    assert ci(ci_answer(run("build"), run("acceptance", id=1), run("acceptance", "failure", id=2))) is Says.FAILED


def test_erp_is_satisfied_by_the_expected_step_and_disposition() -> None:
    answer = epcis_answer(event("shipping", "in_transit"), event("accepting", "conformant", 2))
    assert erp(answer) is Says.SATISFIED
    assert erp(epcis_answer(event("accepting", "conformant"), event("storing", "in_progress", 2))) is Says.SATISFIED


@pytest.mark.parametrize(
    ("step", "disposition"),
    [
        ("https://ref.gs1.org/cbv/BizStep-accepting", "https://ref.gs1.org/cbv/Disp-conformant"),
        ("urn:epcglobal:cbv:bizstep:accepting", "urn:epcglobal:cbv:disp:conformant"),
    ],
)
def test_erp_understands_every_published_spelling_of_a_word(step: str, disposition: str) -> None:
    assert erp(epcis_answer(event(step, disposition))) is Says.SATISFIED


def test_erp_failed_when_the_last_word_is_that_something_is_wrong() -> None:
    assert erp(epcis_answer(event("accepting", "non_conformant"))) is Says.FAILED
    assert erp(epcis_answer(event("shipping", "in_transit"), event("receiving", "damaged", 2))) is Says.FAILED


def test_erp_is_pending_while_it_knows_of_nothing_or_of_the_way_there() -> None:
    assert erp(epcis_answer()) is Says.PENDING
    assert erp(epcis_answer(event("shipping", "in_transit"))) is Says.PENDING


def test_erp_is_satisfied_when_a_fault_was_mended_later_and_unclear_the_other_way_round() -> None:
    mended = epcis_answer(event("accepting", "non_conformant"), event("accepting", "conformant", 2))
    assert erp(mended) is Says.SATISFIED
    broken = epcis_answer(event("accepting", "conformant"), event("returning", "returned", 2))
    assert erp(broken) is Says.UNCLEAR
    at_once = epcis_answer(event("accepting", "conformant"), event("accepting", "damaged"))
    assert erp(at_once) is Says.UNCLEAR


def test_erp_ignores_an_event_that_was_declared_an_error() -> None:
    wrong = event("accepting", "conformant", eventID="urn:uuid:1")
    declared = wrong | {"errorDeclaration": {"declarationTime": "2026-01-09T00:00:00Z"}}
    assert erp(epcis_answer(wrong, declared)) is Says.PENDING


def test_erp_ignores_events_about_other_items_and_items_that_ceased_to_exist() -> None:
    other = event("accepting", "conformant") | {"epcList": ["urn:epc:id:sscc:0614141.1"]}
    answer = epcis_answer()
    answer["epcisBody"]["eventList"] = [{"type": "ObjectEvent", "action": "OBSERVE", **other}]
    assert erp(answer) is Says.PENDING
    assert erp(epcis_answer(event("accepting", "conformant", action="DELETE"))) is Says.PENDING


def test_erp_understands_the_answer_to_a_query() -> None:
    answer = epcis_answer(event("accepting", "conformant"))
    body = {"queryResults": {"queryName": "SimpleEventQuery", "resultsBody": answer["epcisBody"]}}
    assert erp(answer | {"type": "EPCISQueryDocument", "epcisBody": body}) is Says.SATISFIED


GOOD_CI = json.dumps(ci_answer(run("build"), run("acceptance"))).encode()
GOOD_ERP = json.dumps(epcis_answer(event("accepting", "conformant"))).encode()
NOT_JSON_OBJECTS = [
    b"",
    b"null",
    b"[]",
    b"<html>busy</html>",
    b"\xff\xfe{}",
    b'{"a":"\\ud800"}',
    b"{" * 5_000,
    b'{"total_count": ' + b"9" * 5_000 + b', "check_runs": []}',
    GOOD_CI[:-1],
    GOOD_CI + b"{}",
]


@pytest.mark.parametrize("body", NOT_JSON_OBJECTS)
def test_what_is_no_json_object_is_malformed_for_every_format(body: bytes) -> None:
    with pytest.raises(ValueError, match="expected"):
        github.read(CI, COMMIT, body)
    with pytest.raises(ValueError, match="expected"):
        epcis.read(ERP, EPC, body)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"total_count": 2', b'"total_count": 2, "total_count": 2'),
        (b'"total_count": 2', b'"total_count": NaN'),
        (b'"total_count": 2', b'"total_count": 2.0'),
        (b'"total_count": 2', b'"total_count": "2"'),
        (b'"total_count": 2', b'"total_count": true'),
        (b'"total_count": 2', b'"count": 2'),
        (b'"check_runs"', b'"checkruns"'),
        (b'"status": "completed"', b'"status": null'),
        (b'"status": "completed"', b'"status": "queued"'),
        (b'"conclusion": "success"', b'"conclusion": null'),
        (b'"conclusion": "success"', b'"conclusion": "suc\\u0000cess"'),
        (b'"head_sha"', b'"sha"'),
    ],
)
def test_a_ci_answer_of_another_shape_is_malformed(old: bytes, new: bytes) -> None:
    assert old in GOOD_CI
    with pytest.raises(ValueError, match="expected"):
        github.read(CI, COMMIT, GOOD_CI.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"@context"', b'"context"'),
        (b'"schemaVersion": "2.0"', b'"schemaVersion": "1.2"'),
        (b'"schemaVersion": "2.0"', b'"schemaVersion": 2.0'),
        (b'"EPCISDocument"', b'"EPCISMasterData"'),
        (b'"EPCISDocument"', b'"EPCISQueryDocument"'),
        (b'"eventList"', b'"events"'),
        (b'"action": "OBSERVE"', b'"action": "GUESS"'),
        (b'"eventTimeZoneOffset"', b'"offset"'),
        (b".000Z", b""),
        (b"2026-01-01T08:30:00.000Z", b"yesterday"),
        (b'"disposition": "conformant"', b'"disposition": ["conformant"]'),
        (b'"bizStep": "accepting"', b'"bizStep": "accepting", "bizStep": "accepting"'),
    ],
)
def test_an_epcis_answer_of_another_shape_is_malformed(old: bytes, new: bytes) -> None:
    assert old in GOOD_ERP
    with pytest.raises(ValueError):
        epcis.read(ERP, EPC, GOOD_ERP.replace(old, new))


def test_sensor_readings_with_a_point_do_not_make_an_event_unreadable() -> None:
    reading = {"sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4.5}]}]}
    assert erp(epcis_answer(event("accepting", "conformant", **reading))) is Says.SATISFIED


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_json_whatever_satisfies_by_accident(value: Any) -> None:
    for read in (ci, erp):
        try:
            assert read(value) not in (Says.SATISFIED, Says.FAILED)
        except ValueError:
            continue


@given(st.data())
def test_losing_any_byte_of_an_answer_never_turns_it_into_the_opposite(data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(GOOD_CI) - 1))
    try:
        says = github.read(CI, COMMIT, GOOD_CI[:where] + GOOD_CI[where + 1 :]).says
    except ValueError:
        return
    assert says is not Says.FAILED


GOOD_FIELDS = {"commit": COMMIT, "shipment": EPC}


def test_a_deliverable_that_names_what_the_sources_need_is_without_fault() -> None:
    assert deliverable_fault(CRITERIA, GOOD_FIELDS) is None
    assert deliverable_fault(CRITERIA, GOOD_FIELDS | {"shipment": "https://id.gs1.org/00/106141412345678908"}) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"commit": COMMIT},
        GOOD_FIELDS | {"commit": "main"},
        GOOD_FIELDS | {"commit": COMMIT[:7]},
        GOOD_FIELDS | {"commit": COMMIT.upper()},
        GOOD_FIELDS | {"commit": f"../../../evil/shop/commits/{COMMIT}"},
        GOOD_FIELDS | {"commit": f"{COMMIT}/check-runs?"},
        GOOD_FIELDS | {"commit": f"x/commits/{COMMIT}"},
    ],
)
def test_a_deliverable_that_cannot_be_looked_up_is_a_fault_of_its_own(fields: dict[str, str]) -> None:
    assert deliverable_fault(CRITERIA, fields) is not None


def test_criteria_that_name_a_branch_cannot_be_judged_by() -> None:
    moving = CI.model_copy(update={"url": "{ci}/repos/acme/shop/commits/main/check-runs"})
    assert criteria_fault(CRITERIA) is None
    assert criteria_fault(CRITERIA.model_copy(update={"sources": [moving, ERP]})) is not None
