"""The stand-in evidence services and the wrong clock, each as the process that demo and tests run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from attesting import COMMIT, EPC, Service
from chainlab import ROOT

from keeper.attester.evidence import Says
from keeper.attester.sources import epcis, github
from keeper.protocol.documents import EpcisSource, GithubCheckRuns

PATH = f"/repos/acme/shop/commits/{COMMIT}/check-runs"
CI = GithubCheckRuns(name="ci", kind="github-check-runs", url="{ci}" + PATH, checks=["acceptance"])
ERP = EpcisSource(name="erp", kind="epcis", url="{erp}/events", epc=EPC, biz_step="accepting", disposition="conformant")


@pytest.fixture
def ci(tmp_path: Path) -> Iterator[Service]:
    facts = {"repositories": {"acme/shop": {COMMIT: [{"name": "acceptance"}, {"name": "docs"}]}}}
    service = Service("ci_server", tmp_path / "ci.json")
    service.facts.write_text(json.dumps(facts))
    service.start()
    yield service
    service.stop()


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[Service]:
    event = {"eventTime": "2026-01-06T08:30:00.000Z", "bizStep": "accepting", "disposition": "conformant"}
    service = Service("epcis_server", tmp_path / "erp.json")
    service.facts.write_text(json.dumps({"events": [event | {"epcList": [EPC]}, event | {"epcList": ["urn:other"]}]}))
    service.start()
    yield service
    service.stop()


def test_ci_answers_in_githubs_form_and_the_attester_understands_it(ci: Service) -> None:
    answer = httpx.get(ci.url + PATH)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json()["total_count"] == 2
    assert {"id", "name", "head_sha", "status", "conclusion", "started_at", "completed_at", "app", "output"} <= set(
        answer.json()["check_runs"][0]
    )
    assert github.read(CI, COMMIT, answer.content).says is Says.SATISFIED


def test_ci_knows_only_its_own_repositories_and_commits(ci: Service) -> None:
    assert httpx.get(ci.url + "/repos/acme/other/commits/x/check-runs").status_code == 404
    assert httpx.get(ci.url + "/repos/acme/shop/commits/main/check-runs").status_code == 422
    assert httpx.get(ci.url + "/").status_code == 404


def test_ci_filters_and_pages_as_published(ci: Service) -> None:
    named = httpx.get(ci.url + PATH, params={"check_name": "docs"}).json()
    assert [run["name"] for run in named["check_runs"]] == ["docs"]
    second = httpx.get(ci.url + PATH, params={"per_page": "1", "page": "2"}).json()
    assert (second["total_count"], [run["name"] for run in second["check_runs"]]) == (2, ["docs"])


def test_editing_the_facts_makes_a_service_say_something_else_at_once(ci: Service) -> None:
    ci.facts.write_text(ci.facts.read_text().replace('"acceptance"', '"acceptance", "conclusion": "failure"'))
    assert github.read(CI, COMMIT, httpx.get(ci.url + PATH).content).says is Says.FAILED


def test_facts_that_cannot_be_read_are_an_error_of_the_service_and_no_answer(ci: Service) -> None:
    ci.facts.write_text("{")
    assert httpx.get(ci.url + PATH).status_code == 503


def test_epcis_answers_a_document_about_the_item_that_was_asked_for(erp: Service) -> None:
    answer = httpx.get(erp.url + "/events", params={"MATCH_epc": EPC})
    assert answer.headers["content-type"] == "application/ld+json"
    document = answer.json()
    assert (document["type"], document["schemaVersion"]) == ("EPCISDocument", "2.0")
    assert {"@context", "creationDate", "epcisBody"} <= set(document)
    (event,) = document["epcisBody"]["eventList"]
    assert {"type", "eventTime", "eventTimeZoneOffset", "action", "bizStep", "disposition", "epcList"} <= set(event)
    assert epcis.read(ERP, EPC, answer.content).says is Says.SATISFIED


def test_a_stopped_service_comes_back_on_its_port(erp: Service) -> None:
    erp.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(erp.url + "/events")
    erp.again()
    assert httpx.get(erp.url + "/events").status_code == 200


CLOCKS = """
import datetime, json, time
print(json.dumps([
    time.time(), time.time_ns() / 1e9, datetime.datetime.now().timestamp(),
    datetime.datetime.now(datetime.timezone.utc).timestamp(), isinstance(datetime.datetime.now(), datetime.datetime)
]))
"""


@pytest.mark.parametrize("skew", [-30.0, 0.0, 86_400.5])
def test_a_skewed_program_lives_at_another_time(tmp_path: Path, skew: float) -> None:
    (tmp_path / "clocks.py").write_text(CLOCKS)
    before = time.time()
    done = subprocess.run(
        [sys.executable, "-m", "scripts.skewed", str(skew), "--", "clocks"],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=True,
    )
    *clocks, still_a_datetime = json.loads(done.stdout)
    after = time.time()
    assert still_a_datetime
    for clock in clocks:
        assert before + skew - 1 <= clock <= after + skew + 1


def test_the_launcher_says_how_it_is_used() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.skewed", "soon", "milepost"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "usage:" in done.stderr
