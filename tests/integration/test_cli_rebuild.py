"""`milepost rebuild`: the cache made again from the stored events, and nothing else touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from chainlab import Deployed
from clistage import PAYER, Stage, open_stage

from keeper.errors import Exit
from keeper.store.lock import process_lock


@pytest.fixture
def stage(
    chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    with open_stage(chain, tmp_path, capsys, monkeypatch) as opened:
        yield opened


def dump(database: Path) -> list[str]:
    with sqlite3.connect(database) as conn:
        return list(conn.iterdump())


def test_what_is_folded_is_made_again_from_the_events_without_a_node(stage: Stage) -> None:
    agreement = stage.submitted()
    stage.done(PAYER, "approve", agreement, 0)
    whole = stage.json(PAYER, "show", agreement)
    config = stage.config(PAYER, chain={"rpc": ["http://127.0.0.1:1"]}, key=None)
    database = config.parent / "milepost.db"
    before = dump(database)
    with sqlite3.connect(database) as conn:
        for table in ("agreement", "milestone", "settlement", "quorum"):
            conn.execute(f"DELETE FROM {table}")

    ran = stage.json(config, "rebuild")

    assert ran["exit_code"] == Exit.DONE
    assert (ran["agreements"], ran["quorums"], ran["events"]) == (1, 1, 4)
    assert dump(database) == before
    assert stage.json(PAYER, "show", agreement)["milestones"] == whole["milestones"]
    told = stage.milepost(config, "rebuild").out.split()
    assert told[:2] == ["database", str(database)]
    assert told[2:] == ["agreements", "1", "quorums", "1", "events", "4"]


def test_a_database_in_use_is_left_alone(stage: Stage) -> None:
    stage.funded()
    with process_lock(stage.config(PAYER).parent / "milepost.db"):
        error = stage.json(PAYER, "rebuild")["error"]
    assert error["code"] == "ALREADY_RUNNING"


def test_events_that_do_not_fit_change_nothing(stage: Stage) -> None:
    stage.funded()
    database = stage.config(PAYER).parent / "milepost.db"
    with sqlite3.connect(database) as conn:
        conn.execute("UPDATE event SET data = substr(data, 1, 66) WHERE name = 'Announced'")
    before = dump(database)

    ran = stage.json(PAYER, "rebuild")

    assert (ran["error"]["code"], ran["exit_code"]) == ("LEDGER_DIFFERS", Exit.MISMATCH)
    assert dump(database) == before


def test_a_database_that_is_not_there_is_not_made(stage: Stage) -> None:
    config = stage.config(PAYER, database="nowhere.db")
    ran = stage.json(config, "rebuild")
    assert (ran["error"]["code"], ran["exit_code"]) == ("NOT_FOUND", Exit.FAILED)
    assert not (config.parent / "nowhere.db").exists()
