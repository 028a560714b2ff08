"""Deciding: the rules in order, the first objection decides, and all that was said is kept (docs/keeper.md section 6).

Pure: no clock, no chain, no database. The same inputs under the same policy give the same decision for ever; its hash
names the rules with their versions and the operator's parameters.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from keeper.policy.inputs import Outcome, Policy, PolicyInput, digest
from keeper.policy.rules import RULES, rank

__all__ = ["Decision", "Step", "decide", "policy_hash"]


@dataclass(frozen=True, slots=True)
class Step:
    """One rule's answer."""

    rule: str
    version: int
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and every answer that led there, in order."""

    outcome: Outcome
    trace: tuple[Step, ...]
    policy_hash: str
    """0x hex; see `policy_hash`."""
    rank_delay: int
    """Seconds of chain time that this account waits for others at this milestone."""

    @property
    def reason(self) -> str:
        """The deciding rule's words."""
        return self.trace[-1].reason

    def to_json(self) -> list[dict[str, Any]]:
        """The trace as it is stored."""
        return [{**asdict(step), "outcome": step.outcome.value} for step in self.trace]


def decide(inputs: PolicyInput, policy: Policy) -> Decision:
    """Ask each rule; the first that objects ends it, and without an objection the action is allowed."""
    trace: list[Step] = []
    for rule in RULES:
        outcome, reason = rule.ask(inputs, policy)
        trace.append(Step(rule.name, rule.version, outcome, reason))
        if outcome != Outcome.ALLOW:
            break
    mine = rank(inputs.agreement, inputs.milestone, inputs.account, policy.stagger_slots)
    return Decision(trace[-1].outcome, tuple(trace), policy_hash(policy), mine * policy.stagger_s)


def policy_hash(policy: Policy) -> str:
    """SHA-256 of the canonical JSON of rule names, versions and parameters, as 0x hex."""
    parameters = asdict(policy) | {"max_day": str(policy.max_day)}
    if not isinstance(policy.serve, str):
        parameters["serve"] = sorted(policy.serve)
    return digest({"rules": [[rule.name, rule.version] for rule in RULES], "parameters": parameters})
