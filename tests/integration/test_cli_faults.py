"""What people get wrong, and what breaks around them: one clear message each, and money where it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chainlab import KEYS, ROOT, Deployed
from clistage import ARBITER, PAYEE, PAYER, RICH, STRANGER, Stage, open_stage
from eth_account import Account

from keeper.errors import Exit
from keeper.store.lock import process_lock
from scripts.rpc_proxy import RpcProxy

DEAD = "http://127.0.0.1:1"


@pytest.fixture
def stage(
    chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    with open_stage(chain, tmp_path, capsys, monkeypatch) as opened:
        yield opened


@pytest.fixture
def own_stage(
    own_chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    (tmp_path / "stage").mkdir()
    with open_stage(own_chain, tmp_path / "stage", capsys, monkeypatch) as opened:
        yield opened


def refused(ran: dict[str, Any], code: str, exit_code: int, *words: str) -> None:
    """The error of a JSON answer: its code, its exit code, and words that it must have."""
    error = ran["error"]
    assert (error["code"], ran["exit_code"]) == (code, exit_code), error
    told = " ".join(map(str, error.values()))
    for word in words:
        assert word in told, told
    assert set(error) == {"code", "title", "detail", "retry", "moved", "money", "fix", "docs"}
    assert error["moved"] == "none"
    assert error["fix"]


def deployment(stage: Stage, **changes: Any) -> dict[str, str]:
    """A deployment file with other contents, as chain settings."""
    content = json.loads(stage.deployed.path.read_text())
    path = stage.folder / "changed.json"
    path.write_text(json.dumps({**content, **changes}))
    return {"deployment": str(path)}


def test_a_wrong_chain_is_told_with_what_was_expected_and_found(stage: Stage) -> None:
    config = stage.config(PAYER, chain=deployment(stage, chain_id=1))
    refused(stage.json(config, "fund", stage.terms(), "--yes"), "WRONG_CHAIN", Exit.USAGE, "chain id 1,", "31337")


def test_no_code_at_the_address_is_told(stage: Stage) -> None:
    nobody = {"address": stage.account(STRANGER), "code_hash": "0x" + "00" * 32}
    config = stage.config(PAYER, chain=deployment(stage, escrow=nobody))
    refused(stage.json(config, "list"), "WRONG_CONTRACT", Exit.USAGE, "no code", stage.account(STRANGER))


def test_other_code_at_the_address_is_told(stage: Stage) -> None:
    token = {"address": stage.deployed.token, "code_hash": "0x" + "11" * 32}
    config = stage.config(PAYER, chain=deployment(stage, escrow=token))
    refused(stage.json(config, "list"), "WRONG_CONTRACT", Exit.USAGE, "expected code hash 0x1111")


def test_a_node_that_is_down_is_told(stage: Stage) -> None:
    config = stage.config(PAYER, chain={"rpc": [DEAD]})
    ran = stage.milepost(config, "fund", stage.terms(), "--yes")
    assert ran.code == Exit.UNREACHABLE
    assert ran.err.startswith("error: ")
    assert "  money: nothing moved" in ran.err
    assert "\n\nhint: " in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_insufficient_funds_are_told_in_token_units(stage: Stage) -> None:
    terms = stage.terms(amount='"1,000,000.00"')
    refused(
        stage.json(PAYER, "fund", terms, "--yes"),
        "INSUFFICIENT_FUNDS",
        Exit.FAILED,
        "expected 1,000,500.00 PLAY",
        "found 100,000.00 PLAY",
    )


def test_no_gas_money_is_told_before_anything_is_sent(stage: Stage) -> None:
    stage.deployed.anvil.rpc.call("anvil_setBalance", stage.account(PAYER), "0x0")
    refused(stage.json(PAYER, "fund", stage.terms(), "--yes"), "INSUFFICIENT_FUNDS", Exit.FAILED)
    assert stage.balance(PAYER) == RICH


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": "[unclosed"}, ("line",)),
        ({"title": '"Shop"\ntitle: "again"'}, ("title",)),
        ({"title": '"Shop"\nbonus: 3'}, ("bonus",)),
        ({"amount": '"1.0000001"'}, ("milestones[0].amount", "6 decimals")),
        ({"submitBy": '"2021-01-01"'}, ("milestones[0].submitBy", "later deadline")),
    ],
    ids=["malformed", "duplicate-key", "unknown-key", "too-many-decimals", "date-in-the-past"],
)
def test_a_bad_terms_file_is_told_with_its_place(stage: Stage, changes: dict[str, str], words: tuple[str, ...]) -> None:
    for command in (("terms", "check"), ("fund", "--yes")):
        ran = stage.json(PAYER, *command, stage.terms(**changes))
        refused(ran, "TERMS_INVALID", Exit.USAGE, *words)


def test_every_mistake_of_a_terms_file_is_told_at_once(stage: Stage) -> None:
    terms = stage.terms(amount='"1.0000001"', salt='"0x12"', submitBy='"2021-01-01"')
    refused(stage.json(PAYER, "fund", terms), "TERMS_INVALID", Exit.USAGE, "3 mistakes")


def test_who_is_no_party_is_told_who_may(stage: Stage) -> None:
    agreement = stage.submitted()
    for action, who in (("approve", PAYER), ("waive", PAYEE), ("dispute", PAYER)):
        ran = stage.json(STRANGER, action, agreement, 0, "--yes")
        refused(ran, "NOT_AUTHORISED", Exit.NOT_AUTHORISED, stage.account(who), stage.account(STRANGER))
    ruled = stage.json(PAYER, "rule", agreement, 0, "40%", "--yes")
    refused(ruled, "NOT_AUTHORISED", Exit.NOT_AUTHORISED, stage.account(ARBITER))


def test_what_is_impossible_now_is_told_with_the_clock(stage: Stage) -> None:
    agreement = stage.submitted()
    refused(stage.json(PAYER, "dispute", agreement, 0, "--yes"), "NOT_DUE", Exit.PENDING, "opens", "UTC")
    ruled = stage.json(ARBITER, "rule", agreement, 0, "40%", "--yes")
    refused(ruled, "WrongStatus", Exit.FAILED, "cannot be ruled on", "1,000.00 PLAY stay locked")
    submitted = stage.json(PAYEE, "submit", agreement, 0, "--deliverable", _other(stage), "--yes")
    refused(submitted, "WrongStatus", Exit.FAILED, "cannot be submitted")


def test_an_id_that_is_unknown_or_no_id_is_told(stage: Stage) -> None:
    refused(stage.json(PAYER, "show", "0x" + "ab" * 32), "NOT_FOUND", Exit.FAILED)
    refused(stage.json(PAYER, "show", "0x12"), "USAGE", Exit.USAGE, "first 6")
    agreement = stage.funded()
    refused(stage.json(PAYER, "approve", agreement, 9, "--yes"), "USAGE", Exit.USAGE, "0 to 1")


def test_a_milestone_without_money_cannot_be_approved(stage: Stage) -> None:
    ran = stage.json(PAYER, "fund", stage.terms(), "--milestones", "0", "--yes")
    refused(stage.json(PAYER, "approve", ran["agreement"], 1, "--yes"), "NotFunded", Exit.FAILED)


def test_without_a_terminal_and_without_yes_nothing_is_sent(stage: Stage) -> None:
    ran = stage.milepost(PAYER, "fund", stage.terms())
    assert ran.code == Exit.USAGE
    assert "you lock" in ran.err, "the preview comes before the question"
    assert "--yes" in ran.err
    assert stage.balance(PAYER) == RICH


def test_a_relay_that_is_down_stops_a_funding_before_the_money_moves(stage: Stage) -> None:
    config = stage.config(PAYER, relays=[stage.relay.url, DEAD])
    refused(stage.json(config, "fund", stage.terms(), "--yes"), "RELAY_UNREACHABLE", Exit.UNREACHABLE, "--no-relay")
    assert stage.balance(PAYER) == RICH
    assert stage.json(config, "fund", stage.terms(), "--yes", "--no-relay")["exit_code"] == Exit.DONE


def test_all_settings_problems_are_told_at_once(stage: Stage) -> None:
    config = stage.folder / "bad.yaml"
    config.write_text("chain: {rpc: [ftp://x], deployment: nowhere.json, colour: red}\nrelays: 3\n")
    refused(stage.json(config, "list"), "SETTINGS_INVALID", Exit.USAGE, "chain.rpc", "colour", "relays")
    assert stage.milepost(config, "doctor").code == Exit.USAGE


def test_doctor_names_every_problem_in_one_table(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_1", "not a key")
    config = stage.config(PAYER, chain={"rpc": [DEAD, stage.deployed.anvil.url]}, relays=[DEAD])
    ran = stage.json(config, "doctor")
    problems = {c["name"] for c in ran["checks"] if c["state"] == "problem"}
    assert problems == {"key", "node 127.0.0.1:1", f"relay {DEAD}"}
    assert ran["exit_code"] == Exit.USAGE, "settings first"
    assert "not a key" not in json.dumps(ran), "a key is never printed"
    monkeypatch.setenv("KEY_1", "0x" + "11" * 32)
    assert stage.json(config, "doctor")["exit_code"] == Exit.UNREACHABLE


def test_a_bad_key_is_told_and_never_printed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_1", "hunter2" * 9)
    ran = stage.milepost(PAYER, "fund", stage.terms(), "--yes", "-vv")
    assert ran.code == Exit.USAGE
    assert "hunter2" not in ran.err + ran.out


def test_a_database_in_use_stops_writers_and_lets_readers_look(stage: Stage) -> None:
    agreement = stage.funded()
    with process_lock(stage.config(PAYER).parent / "milepost.db"):
        refused(stage.json(PAYER, "approve", agreement, 0, "--yes"), "ALREADY_RUNNING", Exit.USAGE)
        assert stage.json(PAYER, "show", agreement)["exit_code"] == Exit.DONE


def test_an_unknown_outcome_is_code_6_and_the_repeat_pays_once(own_stage: Stage) -> None:
    """No block comes: the funding is sent and its outcome unknown. The repeat finds it and never pays again."""
    rpc = own_stage.deployed.anvil.rpc
    own_stage.done(PAYER, "fund", own_stage.terms(), "--milestones", "1")
    agreement = own_stage.milepost(PAYER, "terms", "id", own_stage.terms()).out.strip()
    rpc.call("evm_setAutomine", False)

    ran = own_stage.json(PAYER, "approve", agreement, 1, "--yes", "--wait", 1)
    assert ran["error"]["code"] == "OUTCOME_UNKNOWN"
    assert ran["error"]["moved"] == "unknown"
    assert ran["exit_code"] == Exit.UNKNOWN
    again = own_stage.json(PAYER, "approve", agreement, 1, "--yes", "--wait", 1)
    assert again["error"]["code"] == "OUTCOME_UNKNOWN"
    assert len(rpc.call("txpool_content")["pending"]) == 1, "nothing was sent twice"

    rpc.call("evm_setAutomine", True)
    own_stage.deployed.anvil.mine()
    done = own_stage.json(PAYER, "approve", agreement, 1, "--yes")

    assert done["exit_code"] == Exit.DONE
    assert own_stage.balance(PAYEE) == 500_000_000


def test_a_funding_goes_on_from_what_is_on_chain_already(own_stage: Stage) -> None:
    """The announcement and the allowance are there, as after a fault between two transactions."""
    unsigned = own_stage.json(PAYER, "fund", own_stage.terms(), "--unsigned")["transactions"]
    for tx in unsigned[:2]:
        own_stage.deployed.anvil.send(tx["from"], tx["to"], bytes.fromhex(tx["data"][2:]))

    ran = own_stage.json(PAYER, "fund", own_stage.terms(), "--yes")

    assert [t["title"] for t in ran["transactions"]] == ["lock 1,500.00 PLAY in the escrow"]
    assert own_stage.balance(PAYER) == RICH - 1_500_000_000


def test_an_approval_killed_between_saving_and_broadcasting_is_finished_once_by_its_repeat(
    own_stage: Stage,
) -> None:
    """The real program, killed from outside at the moment it would have sent its transaction."""
    agreement = own_stage.milepost(PAYER, "terms", "id", own_stage.terms()).out.strip()
    own_stage.done(PAYER, "fund", own_stage.terms(), "--milestones", "1")  # the quorum is announced from here on
    with RpcProxy(own_stage.deployed.anvil.url) as proxy:
        config = own_stage.config(PAYER, chain={"rpc": [proxy.url]})
        program = [sys.executable, "-c", "from keeper.cli.main import main; main()"]
        words = ["approve", agreement, "1", "--yes", "--config", str(config)]
        process = subprocess.Popen([*program, *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        kill = proxy.kill_on("eth_sendRawTransaction", process.pid)
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert kill.done.is_set()
    assert own_stage.balance(PAYEE) == 0

    ran = own_stage.json(PAYER, "approve", agreement, 1, "--yes")

    assert ran["exit_code"] == Exit.DONE
    assert own_stage.balance(PAYEE) == 500_000_000
    nonce = own_stage.deployed.anvil.rpc.call("eth_getTransactionCount", own_stage.account(PAYER), "latest")
    assert own_stage.json(PAYER, "approve", agreement, 1, "--yes")["transactions"] == []
    assert own_stage.deployed.anvil.rpc.call("eth_getTransactionCount", own_stage.account(PAYER), "latest") == nonce


def _other(stage: Stage) -> Path:
    path = stage.folder / "other.json"
    fields = {"repository": "acme/shop", "commit": "d0d0"}
    path.write_text(json.dumps({"version": "milepost/deliverable/1", "fields": fields}))
    return path


def test_key_files_that_everybody_may_read_are_told_where_the_key_is_used(stage: Stage) -> None:
    home = stage.config(PAYEE).parent
    keystore, password = home / "key.json", home / "password"
    keystore.write_text(json.dumps(Account.encrypt(KEYS[PAYEE], "s3cret", kdf="pbkdf2", iterations=1)))
    password.write_text("s3cret\n")
    keystore.chmod(0o600)
    password.chmod(0o644)
    config = stage.config(PAYEE, key={"keystore": "key.json", "password_file": "password"})

    signed = stage.milepost(config, "terms", "sign", stage.terms())
    checks = {c["name"]: c for c in stage.json(config, "doctor")["checks"]}

    assert signed.code == Exit.DONE
    assert f"chmod 600 {password}" in signed.err
    assert str(keystore) not in signed.err
    assert "s3cret" not in signed.err + signed.out
    assert checks["key"]["state"] == "warning"
    assert checks["balance"]["state"] == "ok", "the account is known all the same"
    password.chmod(0o600)
    assert "chmod" not in stage.milepost(config, "terms", "sign", stage.terms()).err
