"""The fuzzer must find what is broken: one small mistake at a time in a copy of the escrow, and the search goes red."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from random import Random

import pytest
from fuzz_evm import FORGE, ROOT, build
from fuzz_life import Coverage, Life
from fuzz_machine import PROFILES, Lives
from fuzz_tell import Mismatch
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

pytestmark = pytest.mark.slow

MISTAKES = {
    "settles a second late": ("if (block.timestamp < readyAt) revert", "if (block.timestamp <= readyAt) revert"),
    "pays again": ("        _sets[id].closed |= _bit(part.index);\n", ""),
    "a window ends a second early": (
        "if (block.timestamp > lastSecond) revert",
        "if (block.timestamp >= lastSecond) revert",
    ),
    "a stranger may waive": ("if (msg.sender != part.terms.payee) revert NotPayee(msg.sender, part.terms.payee);", ""),
    "another attempt will do": ("if (a.attempt != progress.attempt)", "if (a.attempt > progress.attempt)"),
    "another deliverable will do": (
        "if (bytes24(a.deliverable) != deliverable)",
        "if (bytes23(a.deliverable) != bytes23(deliverable))",
    ),
    "a rejection keeps its attempt": ("Status.Funded, progress.attempt + 1, 0)", "Status.Funded, progress.attempt, 0)"),
    "rounds the fee up": ("share * terms.feeBps / BPS", "(share * terms.feeBps + BPS - 1) / BPS"),
    "a tip on approval": (
        "_settle(id, part, Cause.Approved, BPS, 0)",
        "_settle(id, part, Cause.Approved, BPS, part.terms.tip)",
    ),
    "a dispute is a free option": (
        "return hasVerifier ? terms.unreviewedBps : terms.unruledBps",
        "return terms.unruledBps",
    ),
    "takes a milestone from its quorum": (
        "if (hasVerifier && block.timestamp <= reviewEnd)",
        "if (hasVerifier && block.timestamp < reviewEnd)",
    ),
    "forgets the appeal after a rejection": (
        "return progress.attempt > 0 && challengeEnd > submitBy ?",
        "return progress.attempt > 1 && challengeEnd > submitBy ?",
    ),
    "credits replace one another": ("_credits[token][to] += amount", "_credits[token][to] = amount"),
    "a credit stays": ("        _credits[token][owner] = 0;\n", ""),
    "a batch pays early": (
        "if (block.timestamp < readyAt) return false;",
        "if (block.timestamp + 1 < readyAt) return false;",
    ),
    "any agreement may be named": ("if (id != agreement) revert WrongAgreement(id, agreement);", ""),
    "an amendment forgets to close": ("        _sets[move.from].closed |= a.closes;\n", ""),
    "an amendment closes what is not open": ("if (notOpen != 0) revert NotOpen(from, notOpen);", ""),
    "an amendment joins what is there": ("if (_sets[to].funded != 0) revert AlreadyFunded(to, _sets[to].funded);", ""),
    "an amendment changes the token": ("if (!sameParties || fromTerms.token != toTerms.token)", "if (!sameParties)"),
    "an excess for the payee": (
        "_push(terms.token, terms.payer, closing - opening)",
        "_push(terms.token, terms.payee, closing - opening)",
    ),
    "a shortfall is forgotten": ("_pull(terms.token, Math.saturatingSub(opening, closing))", "_pull(terms.token, 0)"),
    "a stale split counts": ("        _requireUnmoved(id, part.index, asOf);\n", ""),
    "a stale amendment counts": ("            _requireUnmoved(from, i, a.asOf);\n", ""),
    "an offer stands against its own second": ("if (since >= asOf) revert", "if (since > asOf) revert"),
    "a tip on a split": (
        "_settle(id, part, Cause.Agreed, payeeBps, 0)",
        "_settle(id, part, Cause.Agreed, payeeBps, part.terms.tip)",
    ),
    "one of two signatures will do": ("        Offers.requireSigned(terms.payee, digest, payeeSig);\n", ""),
    "no signature is anybody's": (
        "if (signature.length == 0 && msg.sender == party) return;",
        "if (signature.length == 0) return;",
    ),
    "an offer stands a second longer": (
        "if (block.timestamp > deadline) revert",
        "if (block.timestamp > uint256(deadline) + 1) revert",
    ),
    "an offer may come from the future": (
        "if (asOf > block.timestamp) revert",
        "if (asOf > block.timestamp + 1) revert",
    ),
    "an authorization for any milestones": ("abi.encode(id, uint256(mask))", "abi.encode(id)"),
    "change is kept": ("if (msg.value != value) revert", "if (msg.value < value) revert"),
    "a coin that was refused counts as paid": (
        'if (token == NATIVE) (worked,,) = _call(to, amount, gasLimit, "");\n',
        'if (token == NATIVE) (_call(to, amount, gasLimit, ""), worked = true);\n',
    ),
    "a credit goes to whoever sends it": ("_payCredit(token, owner, owner)", "_payCredit(token, owner, msg.sender)"),
    "a receiver may call back": ("if (_locked) revert Reentered();", ""),
}
"""One line each, in the escrow or in one of its libraries."""


def broken_escrow(folder: Path, mistake: str) -> Path:
    """The artifacts of an escrow with one mistake, compiled fast and apart from everything."""
    right, wrong = MISTAKES[mistake]
    for name in ("contracts", "interfaces"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copytree(ROOT / "tools" / "solc", folder / "tools" / "solc")
    shutil.copy(ROOT / "foundry.toml", folder)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    sources = [folder / "contracts" / "Escrow.sol", *(folder / "contracts" / "libraries").glob("*.sol")]
    holding = next((path for path in sources if right in path.read_text()), None)
    assert holding is not None, f"the escrow no longer reads {right!r}: choose another mistake"
    holding.write_text(holding.read_text().replace(right, wrong))
    command = [str(FORGE), "build", "contracts/Escrow.sol"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "FOUNDRY_PROFILE": "quick"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "build" / "forge-quick"


def search(escrow: Path) -> None:
    """Lives by fixed seeds, as many as `make test` plays to measure what they reach."""
    for seed in range(100):
        Life(build(), escrow, Coverage()).run(Random(seed), 150)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_finds_a_mistake(tmp_path, mistake):
    escrow = broken_escrow(tmp_path, mistake)

    with pytest.raises(Mismatch, match="what happened"):
        search(escrow)


def test_the_state_machine_shrinks_a_mistake_to_a_short_history(tmp_path):
    escrow = broken_escrow(tmp_path, "pays again")

    with pytest.raises(Mismatch, match="what happened") as found:
        run_state_machine_as_test(
            lambda: Lives(build(), escrow, Coverage()),
            settings=settings(PROFILES["default"], stateful_step_count=12, report_multiple_bugs=False),
        )

    history = [line for line in str(found.value).splitlines() if line.startswith("  ")]
    assert len(history) <= 6
