"""The contracts through ape, on both chains that ape offers here: in-process py-evm, and anvil."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ape_test(network: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`ape test tests/ape` on one network, with everything it needs from this project's own folder."""
    data = ROOT / ".tools/ape"
    data.mkdir(parents=True, exist_ok=True)  # ape reports what it did not find there as the error of a call
    path = f"{Path(sys.executable).parent}:{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"
    own = {"SOLCX_BINARY_PATH": str(ROOT / "tools/solc"), "APE_DATA_FOLDER": str(data), "PATH": path}
    argv = ["ape", "test", "tests/ape", "--network", f"ethereum:local:{network}"]
    return subprocess.run(
        argv, cwd=ROOT, env={**os.environ, **own, **env}, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.chain
def test_on_py_evm():
    answer = ape_test("test")

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.chain
def test_on_anvil(new_anvil):
    answer = ape_test("foundry", APE_FOUNDRY_HOST=new_anvil().url)

    assert answer.returncode == 0, answer.stdout + answer.stderr
