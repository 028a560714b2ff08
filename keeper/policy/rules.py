"""The rules, in the order in which they are asked. One that answers the same inputs otherwise gets a new version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_utils.crypto import keccak

from keeper.policy.inputs import Outcome, Policy, PolicyInput
from keeper.protocol.types import MAX_UINT40, Cause

Answer = tuple[Outcome, str]
"""What a rule says, and why in words for people."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A named question. `ask` is pure; ALLOW means: no objection, ask the next."""

    name: str
    version: int
    ask: Callable[[PolicyInput, Policy], Answer]


def rank(agreement: str, milestone: int, account: str, slots: int) -> int:
    """Which turn an account has at a milestone: keccak256(agreement, milestone, account) mod slots.

    Keepers that know nothing of each other spread over `slots` turns, differently at each milestone (docs/keeper.md
    section 5).
    """
    packed = bytes.fromhex(agreement[2:]) + milestone.to_bytes(32, "big") + bytes.fromhex(account[2:])
    return int.from_bytes(keccak(packed), "big") % slots


def _open(it: PolicyInput, _: Policy) -> Answer:
    return (Outcome.ALLOW, "funded and not settled") if it.open else (Outcome.DENY, "not funded, or settled")


def _due(it: PolicyInput, _: Policy) -> Answer:
    if it.action == "settle" and (it.cause == Cause.NONE or it.since >= MAX_UINT40):
        return Outcome.DENY, "nothing will ever be due"
    if it.head_time < it.since:
        return Outcome.HOLD, f"possible from {it.since}"
    if it.head_time > it.last_second:
        return Outcome.DENY, f"possible until {it.last_second}"
    return Outcome.ALLOW, f"possible since {it.since}"


def _certain(it: PolicyInput, policy: Policy) -> Answer:
    if it.changed_number > it.certain_number:
        return Outcome.HOLD, f"block {it.changed_number} is not {policy.finality} yet"
    return Outcome.ALLOW, f"block {it.changed_number} is {policy.finality}"


def _proven(it: PolicyInput, _: Policy) -> Answer:
    if it.action == "attest" and it.signatures == 0:
        return Outcome.HOLD, "no verdict has enough signatures"
    return Outcome.ALLOW, f"{it.signatures} signatures" if it.action == "attest" else "needs none"


def _worth_it(it: PolicyInput, policy: Policy) -> Answer:
    if it.tip > 0:
        return Outcome.ALLOW, f"pays a tip of {it.tip} units"
    if policy.serve == "all" or (policy.serve != "tipped" and it.payer in policy.serve):
        return Outcome.ALLOW, "pays no tip, and is served all the same"
    return Outcome.DENY, f"pays no tip, and `serve` does not name payer {it.payer}"


def _within_limits(it: PolicyInput, policy: Policy) -> Answer:
    if it.spent_today >= policy.max_day:
        return Outcome.HOLD, f"the day's gas money of {policy.max_day} wei is spent"
    if it.in_flight >= policy.max_in_flight:
        return Outcome.HOLD, f"{policy.max_in_flight} transactions are under way already"
    return Outcome.ALLOW, "within the limits"


def _turn(it: PolicyInput, policy: Policy) -> Answer:
    mine = rank(it.agreement, it.milestone, it.account, policy.stagger_slots)
    # Waiting must not cost the action: in the window's last seconds every keeper sends.
    turn = min(it.since + mine * policy.stagger_s, it.last_second)
    if it.head_time < turn:
        return Outcome.HOLD, f"turn {mine} begins at {turn}"
    return Outcome.ALLOW, f"turn {mine} began at {turn}"


RULES: tuple[Rule, ...] = (
    Rule("open", 1, _open),
    Rule("due", 1, _due),
    Rule("certain", 1, _certain),
    Rule("proven", 1, _proven),
    Rule("worth-it", 1, _worth_it),
    Rule("within-limits", 1, _within_limits),
    Rule("turn", 1, _turn),
)
