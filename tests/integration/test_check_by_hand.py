"""Every command of docs/guides/check-by-hand.md, run as it stands there, answers what stands there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from chainlab import BIN, ROOT, Anvil, build_contracts
from paid_by_quorum import DAY, NEW_YEAR, Payment, pay

PAGE = ROOT / "docs" / "guides" / "check-by-hand.md"
STEP = re.compile(r"```sh\n(?P<commands>.*?)```(?:\n\n```text\n(?P<answer>.*?)```)?", re.DOTALL)
MARK = "next step\n"


@pytest.fixture
def payment(new_anvil: Callable[..., Anvil], tmp_path: Path) -> Payment:
    build_contracts()
    return pay(new_anvil("--timestamp", str(NEW_YEAR - DAY)), tmp_path)


def steps() -> list[tuple[str, str]]:
    """The page's commands, each with what it prints."""
    return [(found["commands"], found["answer"] or "") for found in STEP.finditer(PAGE.read_text())]


def follow(payment: Payment, commands: list[str]) -> list[str]:
    """What each prints when a person types them in one shell, with his own node and transaction filled in."""
    own = {"http://127.0.0.1:8545": payment.anvil.url, "TX=0x...": f"TX={payment.transaction}"}
    script = f"echo '{MARK.strip()}'\n".join(["set -e -o pipefail\n", *commands])
    for shown, meant in own.items():
        assert script.count(shown) == 1
        script = script.replace(shown, meant)
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    answer = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout.split(MARK)[1:]


@pytest.mark.chain
def test_the_page_works_as_written(payment: Payment) -> None:
    commands = [step for step, _ in steps()]
    expected = [answer for _, answer in steps()]

    answers = follow(payment, commands)

    assert len(answers) == 20
    assert answers == expected
