"""scripts/verify.py recompiles and compares with a real chain."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.chain


def verify(url: str, record: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "scripts.verify", "--rpc", url, "--deployment", str(record)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_the_deployed_contracts_are_the_source(chain):
    answer = verify(chain.anvil.url, chain.path)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.count("equal, immutables masked") == 2


def test_other_code_at_the_address_is_a_mismatch(chain, tmp_path):
    record = json.loads(chain.path.read_text())
    record["escrow"] = record["contracts"]["QuorumVerifier"]
    other = tmp_path / "other.json"
    other.write_text(json.dumps(record))

    answer = verify(chain.anvil.url, other)

    assert answer.returncode == 7
    assert "bytes on chain" in answer.stdout


def test_a_dead_node_is_named(chain):
    answer = verify("http://127.0.0.1:1", chain.path)

    assert answer.returncode == 5
    assert "127.0.0.1:1" in answer.stderr
