"""How a run ends: every error in one form, on the right stream, with its exit code, in words or in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from keeper.cli.main import run
from keeper.cli.run import Options, Run
from keeper.errors import Exit, MilepostError, Moved

FIELDS = {"code", "title", "detail", "retry", "moved", "money", "fix", "docs"}


def raising(error: BaseException) -> Callable[[Run], int | None]:
    def body(_: Run) -> int | None:
        raise error

    return body


def test_an_error_says_what_why_what_moved_and_what_helps(capsys: pytest.CaptureFixture[str]) -> None:
    error = MilepostError("NOT_DUE", "Milestone 2 of 0x51d2…41aa cannot be settled yet", cause="2 of 3", hint="wait")
    assert Run("settle", Options()).guard(raising(error)) == Exit.PENDING
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error: Milestone 2 of 0x51d2…41aa cannot be settled yet\n"
        "  cause: 2 of 3\n"
        "  money: nothing moved\n"
        "\n"
        "hint: wait\n"
    )


def test_an_error_in_json_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    one = Run("fund", Options(as_json=True))
    one.run_id = "0xabc"
    error = MilepostError("OUTCOME_UNKNOWN", "sent", moved=Moved.UNKNOWN)
    assert one.guard(raising(error)) == Exit.UNKNOWN
    captured = capsys.readouterr()
    assert captured.err == ""
    told = json.loads(captured.out)
    assert (told["schema"], told["command"], told["run_id"], told["exit_code"]) == (
        "milepost/error/1",
        "fund",
        "0xabc",
        6,
    )
    assert set(told["error"]) == FIELDS
    assert told["error"]["moved"] == "unknown"
    assert told["error"]["retry"] == "same-id-only"


def test_ctrl_c_is_130_and_tells_what_is_known_about_money(capsys: pytest.CaptureFixture[str]) -> None:
    def body(one: Run) -> int | None:
        one.know(Moved.UNKNOWN, "`lock 5.00 PLAY` may be on its way: repeat the very same command to look")
        raise KeyboardInterrupt

    assert Run("fund", Options()).guard(body) == Exit.INTERRUPTED
    assert "  money: `lock 5.00 PLAY` may be on its way" in capsys.readouterr().err


def test_an_unexpected_fault_is_one_line_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert Run("list", Options()).guard(raising(ZeroDivisionError("boom\nmore"))) == Exit.FAILED
    told = capsys.readouterr().err
    assert "cause: ZeroDivisionError: boom\n" in told
    assert "repeat with -vv" in told
    assert "Traceback" not in told


def test_vv_adds_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    Run("list", Options(verbose=2)).guard(raising(ZeroDivisionError("boom")))
    assert "Traceback" in capsys.readouterr().err


def test_nobody_is_asked_where_nobody_can_answer() -> None:
    for options in (Options(), Options(as_json=True)):
        with pytest.raises(MilepostError) as caught:
            Run("fund", options).confirm("Lock it?")
        assert caught.value.code == "CONFIRMATION_NEEDED"
        assert "--yes" in caught.value.hint
    Run("fund", Options(yes=True)).confirm("Lock it?")


def test_progress_and_advice_stay_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    one = Run("show", Options())
    one.say("working")
    with one.progress("reading") as update:
        update("block 5")
    one.emit("milepost/x/1", {}, lambda out: out.print("data"))
    captured = capsys.readouterr()
    assert captured.out == "data\n"
    assert captured.err == "working\n"


def test_square_brackets_of_strangers_are_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    Run("show", Options()).guard(raising(MilepostError("USAGE", "[red]x[/red]", cause="[bold]", hint="[link=a]b")))
    told = capsys.readouterr().err
    assert "[red]x[/red]" in told
    assert "[bold]" in told
    assert "[link=a]b" in told


def test_colour_is_for_terminals_only(capsys: pytest.CaptureFixture[str]) -> None:
    Run("show", Options()).guard(raising(MilepostError("USAGE", "x")))
    assert "\x1b" not in capsys.readouterr().err


def test_without_settings_every_command_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MILEPOST_CONFIG", raising=False)
    for words in (["list"], ["show", "0x51d2c0"], ["settle", "0x51d2c0"], ["keeper", "run"], ["attester", "run"]):
        assert run([*words, "--json"]) == Exit.USAGE
        told = json.loads(capsys.readouterr().out)["error"]
        assert told["code"] == "SETTINGS_INVALID"
        assert "chain" in told["detail"]
    assert list(tmp_path.iterdir()) == [], "nothing is created before the settings are right"


def test_acting_as_another_never_sends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["approve", "0x51d2c0", "0", "--as", "0x" + "11" * 20, "--json"]) == Exit.USAGE
    assert "--dry-run or --unsigned" in json.loads(capsys.readouterr().out)["error"]["detail"]
