"""`milepost terms` on a terms file, with no node anywhere."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from keeper.cli.main import run
from keeper.errors import Exit

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
HASH = "0x" + "11" * 32
DEPLOYMENT = {
    "chain_id": 31337,
    "genesis": HASH,
    "block": 1,
    "escrow": {"address": "0x5FbDB2315678afecb367f032d93F642f64180aa3", "code_hash": HASH},
    "contracts": {
        "QuorumVerifier": {"address": "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0", "code_hash": HASH},
    },
    "tokens": {"PLAY": {"address": "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512", "decimals": 6, "symbol": "PLAY"}},
}


class Desk:
    """A folder with an example, a deployment file, and nothing else."""

    def __init__(self, folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        self.folder, self.capsys = folder, capsysbinary
        shutil.copytree(EXAMPLES, folder / "examples")
        self.file = folder / "examples" / "software-delivery.yaml"
        self.deployment = folder / "deployment.json"
        self.deployment.write_text(json.dumps(DEPLOYMENT))

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def run(self, *words: object) -> tuple[int, bytes, str]:
        self.capsys.readouterr()
        code = run(["terms", *map(str, words), "--deployment", str(self.deployment)])
        out, err = self.capsys.readouterr()
        return code, out, err.decode()

    def json(self, *words: object) -> dict[str, Any]:
        code, out, _ = self.run(*words, "--json")
        found: dict[str, Any] = json.loads(out)
        assert found["exit_code"] == code
        return found


@pytest.fixture
def desk(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MILEPOST_CONFIG", raising=False)
    return Desk(tmp_path, capsysbinary)


def test_check_tells_each_side_its_worst_case(desk: Desk) -> None:
    code, out, _ = desk.run("check", desk.file)
    told = out.decode()

    assert code == Exit.DONE
    assert "everyone else hostile" in told
    assert "The last second at which anything can still be open: 2027-03-27 17:00:00 UTC" in told
    assert "the payee submits anything at all" in told
    assert "quorum-bare-majority" in told
    assert "deadlines against the chain's clock" in told
    assert "the settings name no node" in told


def test_check_in_json_has_totals_ways_and_codes(desk: Desk) -> None:
    told = desk.json("check", desk.file)

    floors = {(row["role"], row["assumption"]): row["receives"]["text"] for row in told["worst_total"]}
    assert floors["payer", "everyone else hostile"] == "0.00"
    assert floors["payer", "quorum honest, arbiter absent"] == "6,000.00"
    assert floors["payee", "quorum honest, arbiter absent"] == "5,962.00"
    assert len(told["worst_case"]) == 4 * 2 * 5
    first = told["worst_case"][0]
    assert [step["text"] for step in first["way"]][-1] == "the arbiter rules 100% to the payee"
    assert first["open_until"] == "2027-01-30T00:00:00Z"
    assert {w["code"] for w in told["warnings"]} == {"quorum-bare-majority", "early-submission", "token-unseen"}
    assert all(set(w) <= {"code", "severity", "milestone", "sentence", "hint"} for w in told["warnings"])
    assert {skip["why"] for skip in told["skipped"]} == {"the settings name no node"}


def test_strict_refuses_dangers_only(desk: Desk) -> None:
    assert desk.run("check", desk.file, "--strict")[0] == Exit.DONE
    desk.edit('unreviewed: "0%"', 'unreviewed: "100%"')

    assert desk.run("check", desk.file)[0] == Exit.DONE
    assert desk.run("check", desk.file, "--strict")[0] == Exit.REFUSED
    refused = desk.json("check", desk.file, "--strict")
    assert [w["code"] for w in refused["warnings"] if w["severity"] == "danger"] == ["silence-accepts"]


def test_offline_says_so(desk: Desk) -> None:
    assert {skip["why"] for skip in desk.json("check", desk.file, "--offline")["skipped"]} == {"--offline was given"}


def test_a_price_that_is_none_is_refused(desk: Desk) -> None:
    assert desk.run("check", desk.file, "--price", "much")[0] == Exit.USAGE


def test_explain_writes_one_page_to_stdout_or_to_a_file(desk: Desk) -> None:
    code, out, _ = desk.run("explain", desk.file)
    assert code == Exit.DONE
    assert out.startswith(b"<!doctype html>\n")
    assert out.endswith(b"</html>\n")

    code, none, err = desk.run("explain", desk.file, "--out", "page.html")
    assert (code, none) == (Exit.DONE, b"")
    assert "written: page.html" in err
    assert (desk.folder / "page.html").read_bytes() == out
    assert desk.json("explain", desk.file)["html"].encode() == out


def test_ics_keeps_its_line_ends_on_stdout(desk: Desk) -> None:
    code, out, _ = desk.run("ics", desk.file)

    assert code == Exit.DONE
    assert out.startswith(b"BEGIN:VCALENDAR\r\n")
    assert out.endswith(b"END:VCALENDAR\r\n")
    assert out.count(b"BEGIN:VEVENT\r\n") == 8


@pytest.mark.parametrize("command", ["explain", "ics"])
def test_the_terms_themselves_are_never_written_over(desk: Desk, command: str) -> None:
    before = desk.file.read_bytes()

    assert desk.run(command, desk.file, "--out", desk.file)[0] == Exit.USAGE
    assert desk.file.read_bytes() == before


def test_what_cannot_be_written_is_an_error_with_its_reason(desk: Desk) -> None:
    code, _, err = desk.run("explain", desk.file, "--out", "no/such/folder/page.html")

    assert code == Exit.USAGE
    assert "no/such/folder/page.html cannot be written" in err
    assert "No such file or directory" in err


def test_an_id_needs_a_chain(desk: Desk) -> None:
    code, _, err = desk.run("explain", "0x51d2c0")

    assert code == Exit.USAGE
    assert "chain" in err


def test_terms_that_funding_refuses_are_refused_before_anything_else(desk: Desk) -> None:
    desk.edit("rulingWindow: 7d", "rulingWindow: 0s")

    for command in ("check", "explain", "ics"):
        code, out, err = desk.run(command, desk.file)
        assert code == Exit.USAGE
        assert out == b""
        assert "clocks.rulingWindow" in err
