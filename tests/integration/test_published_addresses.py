"""The published addresses, worked out by somebody else's code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = json.loads((ROOT / "interfaces/deployment.json").read_text())


@pytest.mark.parametrize("name", LIST["contracts"])
def test_cast_finds_the_same_address(name):
    entry = LIST["contracts"][name]
    argv = [str(ROOT / "node_modules/.bin/cast"), "create2", "--deployer", LIST["factory"], "--salt", LIST["salt"]]

    answer = subprocess.run(
        [*argv, "--init-code-hash", entry["init_code_hash"]], capture_output=True, text=True, check=True, timeout=60
    )

    assert entry["address"] in answer.stdout
