"""Policy: each rule's objection, the trace, the hash, and that a stored decision decides the same again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.policy.frame import decide, policy_hash
from keeper.policy.inputs import Outcome, Policy, PolicyInput
from keeper.policy.rules import RULES, rank
from keeper.protocol.types import MAX_UINT40, Address

ME = Address("0x" + "a1" * 20)
PAYER = Address("0x" + "b2" * 20)
READY = 1_800_000_000
SETTLE = PolicyInput(
    action="settle",
    agreement="0x" + "c3" * 32,
    milestone=0,
    account=ME,
    payer=PAYER,
    open=True,
    cause=1,
    since=READY,
    last_second=MAX_UINT40,
    head_time=READY + 100,
    changed_number=10,
    changed_hash="0x" + "d4" * 32,
    certain_number=10,
    signatures=0,
    tip=5,
    spent_today=0,
    in_flight=0,
)
ATTEST = replace(SETTLE, action="attest", signatures=2, last_second=READY + 100)
POLICY = Policy()

INPUTS = st.builds(
    PolicyInput,
    action=st.sampled_from(["settle", "attest"]),
    agreement=st.binary(min_size=32, max_size=32).map(lambda b: "0x" + b.hex()),
    milestone=st.integers(0, 63),
    account=st.just(ME),
    payer=st.just(PAYER),
    open=st.booleans(),
    cause=st.integers(0, 9),
    since=st.integers(0, 300),
    last_second=st.integers(0, 300),
    head_time=st.integers(0, 300),
    changed_number=st.integers(0, 5),
    changed_hash=st.just("0x" + "00" * 32),
    certain_number=st.integers(0, 5),
    signatures=st.integers(0, 3),
    tip=st.sampled_from([0, 1, 2**96 - 1]),
    spent_today=st.sampled_from([0, 10**18 - 1, 10**30]),
    in_flight=st.integers(0, 600),
)


def test_what_nothing_speaks_against_is_allowed_and_every_rule_was_asked() -> None:
    for inputs in (SETTLE, ATTEST):
        decision = decide(inputs, POLICY)

        assert decision.outcome == Outcome.ALLOW
        assert [step.rule for step in decision.trace] == [rule.name for rule in RULES]


@pytest.mark.parametrize(
    ("inputs", "outcome", "rule"),
    [
        (replace(SETTLE, open=False), Outcome.DENY, "open"),
        (replace(SETTLE, cause=0), Outcome.DENY, "due"),
        (replace(SETTLE, since=MAX_UINT40), Outcome.DENY, "due"),
        (replace(SETTLE, head_time=READY - 1), Outcome.HOLD, "due"),
        (replace(ATTEST, head_time=READY + 101), Outcome.DENY, "due"),
        (replace(SETTLE, certain_number=9), Outcome.HOLD, "certain"),
        (replace(ATTEST, signatures=0), Outcome.HOLD, "proven"),
        (replace(SETTLE, tip=0), Outcome.DENY, "worth-it"),
        (replace(SETTLE, spent_today=10**18), Outcome.HOLD, "within-limits"),
        (replace(SETTLE, in_flight=500), Outcome.HOLD, "within-limits"),
    ],
)
def test_the_first_objection_decides_and_ends_the_trace(inputs: PolicyInput, outcome: Outcome, rule: str) -> None:
    decision = decide(inputs, POLICY)

    assert (decision.outcome, decision.trace[-1].rule) == (outcome, rule)
    assert all(step.outcome == Outcome.ALLOW for step in decision.trace[:-1])


def test_settling_begins_with_the_first_second_and_attesting_ends_with_the_last() -> None:
    one = Policy(stagger_slots=1)

    assert decide(replace(SETTLE, head_time=READY), one).outcome == Outcome.ALLOW
    assert decide(replace(ATTEST, head_time=READY + 100), one).outcome == Outcome.ALLOW


def test_what_pays_no_tip_is_served_for_all_or_for_a_named_payer() -> None:
    unpaid = replace(SETTLE, tip=0)

    assert decide(unpaid, Policy(serve="all")).outcome == Outcome.ALLOW
    assert decide(unpaid, Policy(serve=(PAYER,))).outcome == Outcome.ALLOW
    assert decide(unpaid, Policy(serve=(ME,))).outcome == Outcome.DENY
    assert decide(SETTLE, Policy(serve=())).outcome == Outcome.ALLOW


def test_each_rank_waits_its_turn_to_the_second() -> None:
    policy = Policy(stagger_s=10, stagger_slots=4)
    mine = rank(SETTLE.agreement, SETTLE.milestone, ME, 4)
    turn = READY + 10 * mine

    assert decide(SETTLE, policy).rank_delay == 10 * mine
    assert decide(replace(SETTLE, head_time=turn), policy).outcome == Outcome.ALLOW
    if mine:
        early = decide(replace(SETTLE, head_time=turn - 1), policy)
        assert (early.outcome, early.trace[-1].rule) == (Outcome.HOLD, "turn")


def test_a_turn_never_begins_after_the_window() -> None:
    policy = Policy(stagger_s=3_600, stagger_slots=100)

    assert decide(replace(ATTEST, head_time=READY + 100), policy).outcome == Outcome.ALLOW


def test_ranks_spread_over_the_slots_and_differ_between_accounts() -> None:
    mine = [rank("0x" + n.to_bytes(32, "big").hex(), n % 3, ME, 4) for n in range(400)]
    theirs = [rank("0x" + n.to_bytes(32, "big").hex(), n % 3, PAYER, 4) for n in range(400)]

    assert all(60 < times < 140 for times in Counter(mine).values())
    assert mine != theirs


@given(INPUTS, st.sampled_from([POLICY, Policy(serve="all"), Policy(serve=(PAYER,), stagger_slots=7)]))
def test_a_stored_decision_decides_the_same_again(inputs: PolicyInput, policy: Policy) -> None:
    decision = decide(inputs, policy)
    stored: dict[str, Any] = json.loads(json.dumps(inputs.to_json()))

    again = decide(PolicyInput.from_json(stored), policy)

    assert PolicyInput.from_json(stored) == inputs
    assert again == decision
    assert json.dumps(again.to_json()) == json.dumps(decision.to_json())


@given(INPUTS)
def test_nothing_is_allowed_that_is_not_open_and_due(inputs: PolicyInput) -> None:
    if decide(inputs, Policy(serve="all")).outcome == Outcome.ALLOW:
        assert inputs.open
        assert inputs.since <= inputs.head_time <= inputs.last_second
        assert inputs.action == "settle" or inputs.signatures


def test_the_hash_names_rules_versions_and_parameters() -> None:
    others = [
        Policy(serve="all"),
        Policy(serve=(PAYER,)),
        Policy(finality="safe"),
        Policy(stagger_s=3),
        Policy(stagger_slots=3),
        Policy(max_day=1),
        Policy(max_in_flight=1),
    ]

    assert policy_hash(POLICY) == "0x205b0c9aa31a7a6eb62714cf4cd5e5cd717b02ff4815b518a14d2f4610f6ef09"
    assert len({policy_hash(p) for p in (POLICY, *others)}) == len(others) + 1
    assert policy_hash(Policy(serve=(PAYER, ME))) == policy_hash(Policy(serve=(ME, PAYER)))
