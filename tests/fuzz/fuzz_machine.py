"""The state machine of hypothesis over a `Life`: one rule a move, so that a failing history shrinks to its few calls.

Settings: a reproducible profile of under a minute by default; `HYPOTHESIS_PROFILE=deep` for a long, random search.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz_life import WEIGHTS, Coverage, Life
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

_ALWAYS = {"deadline": None, "database": None, "print_blob": False, "suppress_health_check": list(HealthCheck)}
PROFILES = {
    "default": settings(max_examples=240, stateful_step_count=80, derandomize=True, **_ALWAYS),
    "deep": settings(max_examples=20_000, stateful_step_count=200, derandomize=False, **_ALWAYS),
}
_RANDOMS = st.randoms(use_true_random=False)
"""Drawn from hypothesis, choice by choice: what is drawn shrinks."""


def chosen_profile() -> settings:
    """The settings that the environment asks for; a name that is not known here means the default."""
    return PROFILES.get(os.environ.get("HYPOTHESIS_PROFILE", ""), PROFILES["default"])


class Lives(RuleBasedStateMachine):
    """Fund, submit, attest, dispute, rule, settle and time, on contract and specification at once."""

    def __init__(self, artifacts: Path, escrow_artifacts: Path, coverage: Coverage) -> None:
        super().__init__()
        self.life = Life(artifacts, escrow_artifacts, coverage)
        self.broken = False

    def move(self, name: str, rng: Random) -> None:
        """One move. After a failure the end is no longer looked at: it would hide what failed."""
        self.broken = True
        self.life.move(name, rng)
        self.broken = False

    @initialize(rng=_RANDOMS)
    def begin(self, rng: Random) -> None:
        self.move("fund", rng)

    def teardown(self) -> None:
        if not self.broken:
            self.life.drain()


def _rule(name: str) -> Callable[[Lives, Random], None]:
    def play(self: Lives, rng: Random) -> None:
        self.move(name, rng)

    play.__name__ = name
    return rule(rng=_RANDOMS)(play)


for _name, _weight in WEIGHTS.items():
    for _number in range(1, _weight + 1):  # hypothesis picks among rules evenly: who shall come often stands often
        setattr(Lives, f"{_name}_{_number}", _rule(f"{_name}_{_number}"[: -len(f"_{_number}")]))
