"""Help: every command has an example that the program itself understands, and it answers without loading the world."""

from __future__ import annotations

import inspect
import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from keeper.cli.main import EPILOG, app, run
from keeper.errors import Exit

HEAVY = ("eth_abi", "eth_account", "coincurve", "httpx", "sqlalchemy", "alembic", "pydantic", "structlog", "uvicorn")


def commands(one: typer.Typer, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command with its path."""
    own = [((*path, str(info.name)), info) for info in one.registered_commands]
    groups = [(group.typer_instance, (*path, str(group.name))) for group in one.registered_groups]
    return own + [found for group, name in groups if group for found in commands(group, name)]


ALL = commands(app)
IDS = [" ".join(path) for path, _ in ALL]
EXPECTED = {
    *("fund", "submit", "approve", "waive", "dispute", "rule", "attest", "settle", "withdraw"),
    *("show", "list", "doctor", "terms check", "terms id", "terms sign"),
    *("terms explain", "terms ics"),
    *("keeper run", "keeper once", "keeper status", "attester run", "rebuild"),
}


def example(info: Any) -> list[str]:
    """The example of a command, split as a shell would."""
    found = re.fullmatch(r"Example: `(.+)`", info.epilog or "")
    assert found, f"{info.name} has no example"
    return shlex.split(found[1])


def test_the_commands_are_the_documented_ones() -> None:
    assert set(IDS) == EXPECTED


@pytest.mark.parametrize(("path", "info"), ALL, ids=IDS)
def test_every_command_has_help_with_an_example(path: tuple[str, ...], info: Any) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 0
    assert "Example: " in result.output
    assert " ".join(["milepost", *path]) in result.output
    assert "--json" in result.output
    assert "--config" in result.output


@pytest.mark.parametrize(("path", "info"), ALL, ids=IDS)
def test_every_example_is_understood(path: tuple[str, ...], info: Any) -> None:
    """Parsed by the program: the right command, and no parameter it does not know or misses."""
    words = example(info)
    assert words[: 1 + len(path)] == ["milepost", *path]
    command: Any = typer.main.get_command(app)
    context = command.make_context("milepost", words[1:], resilient_parsing=False)
    for name in path:
        _, command, rest = command.resolve_command(context, [name])
        assert not rest
    command.make_context(path[-1], words[1 + len(path) :])


@pytest.mark.parametrize(("path", "info"), ALL, ids=IDS)
def test_writing_commands_have_the_same_options(path: tuple[str, ...], info: Any) -> None:
    parameters = set(inspect.signature(info.callback).parameters)
    assert {"config", "as_json", "verbose"} <= parameters
    writes = path[0] in ("fund", "submit", "approve", "waive", "dispute", "rule", "attest", "settle", "withdraw")
    assert ({"yes", "dry_run", "unsigned", "acting_as", "wait_s"} <= parameters) == writes


def test_the_overview_tells_every_exit_code() -> None:
    output = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    for code in Exit:
        assert f"- {code.value}: " in EPILOG
        assert f"{code.value}: " in output


def test_help_loads_nothing_heavy() -> None:
    """What makes `milepost --help` fast, without a stopwatch."""
    program = "import sys; sys.argv = ['milepost', '--help']; from keeper.cli.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("milepost ")


@pytest.mark.parametrize("words", [["nonsense"], ["fund"], ["approve", "0x51d2c0", "-1"], ["rule", "a", "b", "40%"]])
def test_a_wrong_command_line_is_code_2_in_the_houses_form(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == Exit.USAGE
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert "\n\nhint: " in captured.err
    assert captured.out == ""
