"""What somebody meets whose machine lacks something: one line that says what is needed and what was found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from chainlab import ROOT

TOOLS = ("bash", "env", "dirname", "cksum", "cat", "rm", "mkdir", "uname", "cp", "chmod")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with the script and its lock files, and `bin`: all the programs that this machine has."""
    home = tmp_path / "checkout"
    (home / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup.sh", home / "tools")
    for name in ("requirements.lock", "package-lock.json", ".npmrc"):
        (home / name).write_text("")
    programs = home / "bin"
    programs.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (programs / name).symlink_to(found)
    program(programs, "node", "echo v22.1.0")
    program(programs, "npm", "mkdir -p node_modules")
    return home


def program(programs: Path, name: str, body: str) -> None:
    path = programs / name
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def python(programs: Path, name: str, version: str, *, suits: bool) -> None:
    """A Python that tells its version, says whether it suits, and makes environments with a Python like itself."""
    body = f"""case "$*" in
  --version) echo "Python {version}" ;;
  -c*) exit {0 if suits else 1} ;;
  "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/{name}" ;;
esac"""
    program(programs, name, body)


def setup(folder: Path, *, path: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{path}:{folder / 'bin'}" if path else str(folder / "bin")
    command = [str(folder / "tools" / "setup.sh")]
    return subprocess.run(command, env={"PATH": path, **env}, capture_output=True, text=True, check=False, timeout=60)


def refused(ran: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ran.returncode == 2
    assert ran.stdout == ""
    (line,) = ran.stderr.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line


@pytest.mark.parametrize("name", ["python3", "python3.13"])
def test_another_python_gets_one_line(folder: Path, name: str) -> None:
    python(folder / "bin", name, "3.13.1", suits=False)
    refused(setup(folder), "Python 3.11 or 3.12 is needed, found Python 3.13.1", "PYTHON=")


def test_no_python_gets_one_line(folder: Path) -> None:
    refused(setup(folder), "Python 3.11 or 3.12 is needed, found none")


def test_a_python_that_was_named_and_does_not_suit_is_not_passed_over(folder: Path) -> None:
    python(folder / "bin", "python3.12", "3.12.1", suits=True)
    python(folder / "bin", "mine", "3.14.0", suits=False)
    refused(setup(folder, PYTHON="mine"), "found Python 3.14.0 at PYTHON=mine")


def test_an_old_node_gets_one_line_before_anything_is_installed(folder: Path) -> None:
    python(folder / "bin", "python3.12", "3.12.1", suits=True)
    program(folder / "bin", "node", "echo v18.19.0")
    refused(setup(folder), "Node 20 or newer is needed, found v18.19.0")
    assert not (folder / ".venv").exists()


def test_no_node_gets_one_line(folder: Path) -> None:
    (folder / "bin" / "node").unlink()
    refused(setup(folder), "Node 20 or newer is needed, found none")


def test_an_environment_is_made_anew_when_the_lock_changed_though_it_stands_first_in_the_path(folder: Path) -> None:
    """As `make` calls it: the Python of the old environment must not be asked to build the new one."""
    python(folder / "bin", "python3.12", "3.12.1", suits=True)
    first = setup(folder, path=str(folder / ".venv" / "bin"))
    assert first.returncode == 0, first.stderr
    (folder / "requirements.lock").write_text("changed")

    again = setup(folder, path=str(folder / ".venv" / "bin"))

    assert again.returncode == 0, again.stderr
    assert (folder / ".venv" / ".installed").is_file()
    assert setup(folder).stderr == "", "nothing is installed twice"
