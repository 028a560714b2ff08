"""The guide to terms shows what its commands print: they are run, in its order."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from keeper.cli.main import run

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "guides" / "terms.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)
HASH = "0x" + "11" * 32


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    contract = {"address": "0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0", "code_hash": HASH}
    token = {"address": "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512", "decimals": 6, "symbol": "PLAY"}
    deployment = {
        "chain_id": 31337,
        "genesis": HASH,
        "block": 1,
        "escrow": {"address": "0x5FbDB2315678afecb367f032d93F642f64180aa3", "code_hash": HASH},
        "contracts": {"QuorumVerifier": contract},
        "tokens": {"PLAY": token},
    }
    (tmp_path / "deployment.json").write_text(json.dumps(deployment))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MILEPOST_CONFIG", raising=False)
    return tmp_path


def test_every_command_prints_what_the_guide_shows(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS) == 5
    for block in BLOCKS:
        for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            printed = execute(command, capsys)
            rest = iter(printed)
            for line in (" ".join(line.split()) for line in shown.splitlines()):
                assert line == "..." or line in rest, f"{command}: {line}"


def execute(command: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of a command's output, spaces evened out."""
    edit = re.fullmatch(r"sed -i 's/(.*)/(.*)/' (\S+)", command)
    if edit:
        file = Path(edit[3])
        assert edit[1] in file.read_text()
        file.write_text(file.read_text().replace(edit[1], edit[2]))
        return []
    line, _, echo = command.partition("; ")
    words = shlex.split(line)
    assert words[0] == "milepost"
    code = run([*words[1:], "--deployment", "deployment.json"])
    out, err = capsys.readouterr()
    assert code == (3 if echo else 0), err
    return [" ".join(text.split()) for text in [*out.splitlines(), *err.splitlines(), f"exit code {code}"]]
