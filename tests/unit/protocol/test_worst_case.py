"""The promises of worst_case: equal to the formulas, and kept in random games that the model itself referees."""

from dataclasses import replace

import pytest
from closed_form import floor, open_until
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_stage import AGREEMENT, ALONE, MILESTONES, NO_ARBITER, WORK, fund, id_of, state_of
from protocol_strategies import ARBITER, NOW, PAYEE, PAYER, STRANGER, accepted_agreements

from keeper.protocol.due import due, settle_bps
from keeper.protocol.game import Conduct
from keeper.protocol.machine import Action, rows_of
from keeper.protocol.model import step
from keeper.protocol.types import MAX_UINT40, ZERO32, ZERO_ADDRESS, Agreement, Attestation, Status
from keeper.protocol.world import Approve, Attest, Ctx, Dispute, Outcome, Rule, Settle, Submit, Waive
from keeper.protocol.worst_case import CONDUCT, Assumption, Role, assumptions, worst_case

NO_JUDGES = Agreement(replace(NO_ARBITER.terms, verifier=ZERO_ADDRESS, quorum=ZERO32), MILESTONES)
HOOK = Agreement(replace(ALONE.terms, arbiter_hook=True, unruled_bps=3_000), MILESTONES)


@settings(max_examples=150, deadline=None)
@given(accepted_agreements(max_milestones=2), st.data())
def test_what_is_found_by_playing_equals_the_formulas(agreement, data):
    deserved = [data.draw(st.integers(1, 10_000)) for _ in agreement.milestones]

    for row in worst_case(agreement, deserved):
        milestone, share = agreement.milestones[row.milestone], deserved[row.milestone]
        expected = floor(agreement.terms, milestone, row.role, row.assumption, share)
        assert (row.receives, row.open_until) == (expected, open_until(agreement.terms, milestone)), row


class Match:
    """Milestone 0 of a funded agreement, refereed by the model: one party keeps its duty, the others do what they like.

    An honest judge speaks at a second that the others choose, at the latest at its last. The party answers each of the
    others' moves within the same second, and settles in the second in which it can.
    """

    def __init__(self, agreement, promise, deserved, draw):
        self.agreement, self.part, self.draw = agreement, agreement.part(0), draw
        self.terms, self.milestone = agreement.terms, agreement.milestones[0]
        self.promise, self.deserved = promise, deserved
        self.quorum, self.arbiter = CONDUCT[promise.assumption]
        self.me, self.other = (PAYER, PAYEE) if promise.role == Role.PAYER else (PAYEE, PAYER)
        self.world, self.now, self.received, self.closed = fund(agreement).world, NOW, None, None

    @property
    def state(self):
        return state_of(self.world, self.agreement)

    def do(self, caller, call, **ctx):
        answer = step(self.world, Ctx(caller, self.now, **ctx), call)
        if isinstance(answer, Outcome):
            self.world = answer.world
            for event in answer.events:
                if event.name == "Settled":
                    self.received = event.args[5 if self.promise.role == Role.PAYER else 4]
                    self.closed = self.now

    def play(self):
        while self.received is None:
            for _ in range(self.draw(st.integers(0, 3))):
                self.others_act()
                self.answer()
            self.answer()
            self.owed()
            if self.received is None:
                self.wait()
        return self.received

    def wait(self):
        """To a second of the others' choice; not past a last second of the party or of an honest judge."""
        ends = [due(self.terms, self.milestone, self.state).ready_at]
        ends += [
            row.closes(self.terms, self.milestone, self.state)
            for row in rows_of(self.terms, self.state)
            if row.action in self.promise.duty
        ]
        if self.state.status == Status.SUBMITTED and self.quorum == Conduct.HONEST:
            ends.append(self.state.since + self.terms.review_window)
        if self.state.status == Status.DISPUTED and self.arbiter == Conduct.HONEST:
            ends.append(self.state.since + self.terms.ruling_window)
        end = min(second for second in ends if second > self.now)
        self.now = self.draw(st.integers(self.now + 1, end) | st.just(end))
        self.do(self.me, Settle(self.part))

    def others_act(self):
        if self.received is not None:
            return
        bps, attempt = self.draw(st.integers(1, 10_000) | st.sampled_from([1, 10_000])), self.state.attempt
        work = self.state.deliverable24 + bytes(8) if self.state.status == Status.SUBMITTED else ZERO32
        moves = [(self.other, Submit(self.part, WORK)), (self.other, Approve(self.part))]
        moves += [(self.other, Waive(self.part)), (self.other, Dispute(self.part))]
        if self.quorum == Conduct.HOSTILE:
            moves.append((STRANGER, Attest(self.part, Attestation(attempt, work, bps), proven=True)))
            moves.append((STRANGER, Attest(self.part, Attestation(attempt, work, 0), proven=True)))
        if self.arbiter == Conduct.HOSTILE:
            moves.append(
                (ARBITER, Rule(id_of(self.agreement), self.part, self.draw(st.sampled_from([0, bps, 10_000]))))
            )
        moves += self.honest()
        self.do(*self.draw(st.sampled_from(moves)))

    def honest(self):
        """What the honest judges say, if anything, here."""
        moves = []
        if self.quorum == Conduct.HONEST and self.state.status == Status.SUBMITTED:
            said = Attestation(self.state.attempt, self.state.deliverable24 + bytes(8), self.deserved)
            moves.append((STRANGER, Attest(self.part, said, proven=True)))
        if self.arbiter == Conduct.HONEST and self.state.status == Status.DISPUTED:
            moves.append((ARBITER, Rule(id_of(self.agreement), self.part, self.deserved)))
        return moves

    def owed(self):
        """An honest judge whose last second this is speaks now."""
        if self.received is not None:
            return
        windows = {Status.SUBMITTED: self.terms.review_window, Status.DISPUTED: self.terms.ruling_window}
        if self.now == self.state.since + windows.get(self.state.status, -1):
            for move in self.honest():
                self.do(*move)
            self.answer()

    def answer(self):
        """The party's duty: submit at once, dispute at once whatever pays it less than it may count on."""
        if self.received is not None:
            return
        if Action.SUBMIT in self.promise.duty and self.state.attempt == 0:
            self.do(self.me, Submit(self.part, WORK))
        if Action.DISPUTE in self.promise.duty and not self.enough():
            accepts = not self.terms.arbiter_hook or self.arbiter == Conduct.HONEST
            self.do(self.me, Dispute(self.part), hook_accepts=accepts)

    def enough(self):
        """Whether what stands now is all that the party could win by a dispute."""
        if self.state.status == Status.ATTESTED or self.terms.verifier != ZERO_ADDRESS:
            share = settle_bps(self.terms, self.state)
            return share == (0 if self.promise.role == Role.PAYER else 10_000)
        return False


@settings(max_examples=200, deadline=None)
@given(accepted_agreements(max_milestones=1), st.sampled_from(Role), st.data())
def test_no_random_game_pays_less_or_lasts_longer_than_promised(agreement, role, data):
    assumption = data.draw(st.sampled_from(assumptions(agreement.terms)))
    deserved = data.draw(st.integers(1, 10_000)) if role == Role.PAYEE else 0
    promise = next(w for w in worst_case(agreement, [deserved]) if (w.role, w.assumption) == (role, assumption))

    match = Match(agreement, promise, deserved, data.draw)

    assert match.play() >= promise.receives
    assert match.closed - 1 <= promise.open_until


@settings(max_examples=100, deadline=None)
@given(accepted_agreements(max_milestones=1), st.integers(1, 10_000))
def test_every_floor_is_really_reached_by_the_way_that_is_told(agreement, deserved):
    """Each line, played step by step in the model, ends with just the promised amount in just that second."""
    for promise in worst_case(agreement, [deserved]):
        match = Match(agreement, promise, deserved if promise.role == Role.PAYEE else 0, None)
        for told in promise.line.steps:
            match.now = told.at
            match.do(*told_call(match, told))
        assert match.received == promise.receives, promise
        assert match.closed - (promise.line.steps[-1].action == Action.SETTLE) == promise.line.closes


def told_call(match, told):
    part, state = match.part, match.state
    work = state.deliverable24 + bytes(8) if state.status == Status.SUBMITTED else ZERO32
    party = match.me if told.by_party else match.other
    return {
        Action.SUBMIT: (PAYEE, Submit(part, WORK)),
        Action.AWARD: (STRANGER, Attest(part, Attestation(state.attempt, work, told.bps or 0), proven=True)),
        Action.REJECT: (STRANGER, Attest(part, Attestation(state.attempt, work, 0), proven=True)),
        Action.DISPUTE: (party, Dispute(part)),
        Action.RULE: (ARBITER, Rule(id_of(match.agreement), part, told.bps or 0)),
        Action.SETTLE: (STRANGER, Settle(part)),
    }[told.action]


@pytest.mark.parametrize(
    ("agreement", "count"),
    [(AGREEMENT, 5), (ALONE, 3), (NO_ARBITER, 3), (NO_JUDGES, 1)],
    ids=["both", "alone", "final", "none"],
)
def test_only_assumptions_that_differ_are_told(agreement, count):
    found = worst_case(agreement)

    assert len(found) == 2 * count * len(MILESTONES)
    assert {row.assumption for row in found} == set(assumptions(agreement.terms))


def promise(agreement, role, assumption):
    return next(w for w in worst_case(agreement) if (w.milestone, w.role, w.assumption) == (0, role, assumption))


def test_a_payer_without_judges_keeps_everything_that_it_does_not_approve():
    assert promise(NO_JUDGES, Role.PAYER, Assumption.ALL_HOSTILE).receives == MILESTONES[0].amount


def test_a_floor_that_needs_nothing_is_told_for_a_payee_that_delivered():
    row = promise(AGREEMENT, Role.PAYEE, Assumption.ALL_HOSTILE)

    assert (row.receives, row.duty, row.line.steps[0].action) == (0, set(), Action.SUBMIT)


def test_a_deadline_beyond_all_counting_is_taken_for_the_last_that_can_be_counted():
    late = replace(AGREEMENT, milestones=(replace(MILESTONES[0], submit_by=MAX_UINT40),))

    assert promise(late, Role.PAYER, Assumption.ALL_HOSTILE).open_until == MAX_UINT40 - 1
    assert promise(late, Role.PAYER, Assumption.JUDGES_SILENT).receives == MILESTONES[0].amount


def test_the_least_that_a_party_has_to_do_is_told():
    assert promise(AGREEMENT, Role.PAYEE, Assumption.ALL_HOSTILE).duty == set()
    assert promise(AGREEMENT, Role.PAYEE, Assumption.ARBITER_ABSENT).duty == {Action.SUBMIT}
    assert promise(AGREEMENT, Role.PAYEE, Assumption.QUORUM_HOSTILE).duty == {Action.SUBMIT, Action.DISPUTE}
    assert promise(AGREEMENT, Role.PAYER, Assumption.QUORUM_HOSTILE).duty == {Action.DISPUTE}
    assert promise(ALONE, Role.PAYER, Assumption.JUDGES_SILENT).duty == {Action.DISPUTE}


def test_an_arbiter_that_is_called_and_may_refuse_leaves_each_side_the_worse_share():
    """unreviewed 100 %, unruled 30 %: without a hook the payer's dispute is sure, with one it may be refused."""
    payer, payee = (promise(HOOK, role, Assumption.JUDGES_SILENT) for role in Role)

    assert (payer.receives, payer.duty) == (0, set())
    assert payee.receives == 300 - 1 - 2
    plain = replace(HOOK, terms=replace(HOOK.terms, arbiter_hook=False))
    assert promise(plain, Role.PAYER, Assumption.JUDGES_SILENT).receives == 700
