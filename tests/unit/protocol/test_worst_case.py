"""The promises of worst_case against lives in which everybody else does what hurts (docs/protocol.md section 2)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_stage import ALONE, MILESTONES, NO_ARBITER, TERMS, WORK, fund, id_of
from protocol_strategies import ARBITER, NOW, PAYEE, PAYER, STRANGER, accepted_agreements

from keeper.protocol.due import latest
from keeper.protocol.model import step
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, Agreement, Attestation
from keeper.protocol.world import Attest, Ctx, Dispute, Outcome, Rule, Settle, Submit
from keeper.protocol.worst_case import Assumption, Role, worst_case


def promise(agreement, role, assumption):
    return next(w for w in worst_case(agreement) if (w.milestone, w.role, w.assumption) == (0, role, assumption))


class Life:
    """Milestone 0 of a funded agreement, moved by calls that may fail."""

    def __init__(self, agreement):
        self.agreement, self.part = agreement, agreement.part(0)
        self.world, self.received = fund(agreement).world, None

    def do(self, caller, now, call):
        answer = step(self.world, Ctx(caller, now), call)
        if isinstance(answer, Outcome):
            self.world = answer.world
            for event in answer.events:
                if event.name == "Settled":
                    self.received = {Role.PAYEE: event.args[4], Role.PAYER: event.args[5]}

    def end(self):
        """Anyone settles at the promised second."""
        now = latest(self.agreement.terms, self.agreement.milestones[0])
        self.do(STRANGER, now, Settle(self.part))
        assert self.received is not None
        return self.received


def seconds(agreement):
    return st.integers(NOW, latest(agreement.terms, agreement.milestones[0]) - 1)


@settings(max_examples=200, deadline=None)
@given(accepted_agreements(max_milestones=1), st.data())
def test_with_silent_judges_the_payee_receives_what_is_promised(agreement, data):
    life, worst = Life(agreement), promise(agreement, Role.PAYEE, Assumption.JUDGES_SILENT)
    submitted = data.draw(st.integers(NOW, agreement.milestones[0].submit_by))
    life.do(PAYEE, submitted, Submit(life.part, WORK))
    if "dispute" in worst.you_must:
        life.do(PAYEE, submitted, Dispute(life.part))
    for now in sorted(data.draw(st.lists(seconds(agreement).filter(lambda s: s >= submitted), max_size=4))):
        life.do(PAYER, now, Dispute(life.part))

    assert life.end()[Role.PAYEE] >= worst.receives


@settings(max_examples=200, deadline=None)
@given(accepted_agreements(max_milestones=1), st.data())
def test_with_silent_judges_the_payer_receives_what_is_promised(agreement, data):
    life, worst = Life(agreement), promise(agreement, Role.PAYER, Assumption.JUDGES_SILENT)
    for now in sorted(data.draw(st.lists(seconds(agreement), min_size=1, max_size=4))):
        life.do(PAYEE, now, Submit(life.part, WORK))
        if "dispute" in worst.you_must:
            life.do(PAYER, now, Dispute(life.part))
        life.do(PAYEE, now, Dispute(life.part))

    assert life.end()[Role.PAYER] >= worst.receives


@settings(max_examples=100, deadline=None)
@given(accepted_agreements(max_milestones=1))
def test_hostile_judges_really_can_bring_the_payer_to_its_floor(agreement):
    life, worst = Life(agreement), promise(agreement, Role.PAYER, Assumption.ALL_HOSTILE)
    life.do(STRANGER, NOW, Attest(life.part, Attestation(0, ZERO32, 10_000), proven=True))
    life.do(PAYEE, NOW, Submit(life.part, WORK))
    life.do(PAYEE, NOW, Dispute(life.part))
    life.do(ARBITER, NOW, Rule(id_of(agreement), life.part, 10_000))

    assert life.end()[Role.PAYER] == worst.receives


@settings(max_examples=100, deadline=None)
@given(accepted_agreements(max_milestones=1))
def test_hostile_judges_really_can_bring_the_payee_to_its_floor(agreement):
    life, worst = Life(agreement), promise(agreement, Role.PAYEE, Assumption.ALL_HOSTILE)
    life.do(PAYEE, NOW, Submit(life.part, WORK))
    life.do(STRANGER, NOW, Attest(life.part, Attestation(0, WORK, 0), proven=True))
    life.do(PAYER, NOW, Dispute(life.part))
    life.do(ARBITER, NOW, Rule(id_of(agreement), life.part, 0))

    assert life.end()[Role.PAYEE] == worst.receives == 0


@pytest.mark.parametrize("agreement", [Agreement(TERMS, MILESTONES), ALONE, NO_ARBITER])
def test_there_are_two_rows_a_party_and_milestone_in_words(agreement):
    rows = worst_case(agreement)

    assert len(rows) == 4 * len(MILESTONES)
    for row in rows:
        assert row.reason
        assert row.you_must
        assert row.open_until == latest(agreement.terms, agreement.milestones[row.milestone]) - 1


def test_a_payer_without_judges_keeps_everything_that_it_does_not_approve():
    clocks = replace(
        NO_ARBITER.terms,
        verifier=ZERO_ADDRESS,
        quorum=ZERO32,
    )

    worst = promise(Agreement(clocks, MILESTONES), Role.PAYER, Assumption.ALL_HOSTILE)

    assert worst.receives == MILESTONES[0].amount
