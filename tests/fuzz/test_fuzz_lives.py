"""The escrow against its specification over random lives (docs/protocol.md sections 4 and 8)."""

from __future__ import annotations

from random import Random

import pytest
from fuzz_cast import KEEPER, ONE
from fuzz_evm import build
from fuzz_life import Coverage, Life
from fuzz_machine import Lives, chosen_profile
from fuzz_orders import Order
from fuzz_proofs import prove
from fuzz_terms import lawful
from hypothesis.stateful import run_state_machine_as_test

from keeper.chain.abi import contract
from keeper.protocol.encoding import attestation_digest
from keeper.protocol.machine import TRANSITIONS, Action
from keeper.protocol.refusals import Name
from keeper.protocol.types import Attestation
from keeper.protocol.world import Attest, Fund, Submit

LIVES, MOVES = 100, 150
INVARIANTS = {1, 2, 3, 4, 5, 6, 7, 10, 12, 13, 14, 15, 16, 18, 20}
ELSEWHERE = {
    "Reentered",  # needs a token that calls back: tests/forge
    "WrongChain",  # needs a renumbered chain: tests/forge
    "WrongAmountReceived",  # needs a token that takes a fee: tests/forge
    "FailedCall",  # needs a multicall of no function: tests/forge
    "AddressEmptyCode",  # of the library behind multicall, which calls the escrow itself: there is code
    "InsufficientGas",  # needs a starved call: tests/forge
    "TooManyAttempts",  # the test below
    # members' bonds, resignations and equivocations: tests/forge
    *("NotMember", "Inactive", "NotAKey", "ZeroBond", "NoBond", "NotResigned", "SameVerdict", "DifferentSubjects"),
}


def test_contract_and_specification_agree_over_random_lives():
    artifacts = build()
    run_state_machine_as_test(lambda: Lives(artifacts, artifacts, Coverage()), settings=chosen_profile())


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """What fixed seeds reach with the moves that hypothesis plays, held against the specification all the same."""
    artifacts, coverage = build(), Coverage()
    for seed in range(LIVES):
        Life(artifacts, artifacts, coverage).run(Random(seed), MOVES)
    Life(artifacts, artifacts, coverage).break_each_rule(Random(0), times=10)
    return coverage


@pytest.mark.parametrize("row", TRANSITIONS, ids=lambda r: f"{r.source.name}-{r.action.value}".lower())
def test_the_moves_reach_every_row_of_the_table_and_both_of_its_edges(coverage, row):
    assert coverage.rows[row] > 0
    edges = {edge for (reached, edge), count in coverage.edges.items() if reached == row and count}
    if row.action not in (Action.APPROVE, Action.WAIVE, Action.SETTLE):
        assert {"last", "late"} <= edges
    late_review = row.action == Action.DISPUTE and row.source.name == "SUBMITTED"
    if row.action in (Action.SETTLE, Action.AGREE, Action.AMEND) or late_review:
        assert {"first", "early"} <= edges


def test_the_moves_meet_every_refusal_of_escrow_and_verifier(coverage):
    errors = {*contract("Escrow").errors, *contract("QuorumVerifier").errors}

    assert errors - set(coverage.refusals) == ELSEWHERE


def test_the_moves_give_every_invariant_something_to_check(coverage):
    assert {number for number, count in coverage.invariants.items() if count >= 50} == INVARIANTS


def test_every_name_of_the_specification_is_an_error_of_the_contract():
    names = {name.value for name in Name} - {Name.NOT_PAYABLE.value}

    assert names <= set(contract("Escrow").errors)


def test_a_rejection_always_fits_because_submissions_stop_at_attempt_255():
    artifacts = build()
    life, rng = Life(artifacts, artifacts, Coverage()), Random(0)
    pair = life.pair
    wanted = (ONE.hash, pair.stage.verifier, pair.stage.play)
    agreement = lawful(pair.stage, rng, pair.chain.now)
    while (agreement.terms.quorum, agreement.terms.verifier, agreement.terms.token) != wanted:
        agreement = lawful(pair.stage, rng, pair.chain.now)
    terms = agreement.terms
    life.act(Order(terms.payer, Fund(terms, agreement.milestones, 1)))
    (id_,) = pair.ids()
    part = pair.part(id_, 0)
    for attempt in range(255):
        assert life.act(Order(terms.payee, Submit(part, b"\x01" * 32))).worked
        verdict = Attestation(attempt, b"\x01" * 32, 0)
        digest = attestation_digest(pair.stage.verifier_domain, pair.stage.escrow, id_, terms.quorum, 0, verdict)
        assert life.act(Order(KEEPER, Attest(part, verdict, False), proof=prove(ONE, digest, rng))).worked

    last = life.act(Order(terms.payee, Submit(part, b"\x01" * 32)))

    assert last.reply.revert.name == "TooManyAttempts"
    life.drain()
