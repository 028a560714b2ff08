"""The map of a milestone says what the model does, leaves out no second that matters, and shows planted mistakes."""

from dataclasses import replace
from functools import partial

import pytest
from closed_form import floor, open_until
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_stage import AGREEMENT, ALONE, NO_ARBITER, WORK, fund, id_of, state_of
from protocol_strategies import ARBITER, NOW, PAYEE, PAYER, STRANGER, accepted_agreements

from keeper.protocol import explore, machine
from keeper.protocol.explore import Closing, Map
from keeper.protocol.game import longest
from keeper.protocol.machine import Action, Who
from keeper.protocol.model import step
from keeper.protocol.payout import payout
from keeper.protocol.types import MAX_ATTEMPT, ZERO24, ZERO32, Agreement, Attestation, Cause, Status
from keeper.protocol.world import Approve, Attest, Ctx, Dispute, Outcome, Rule, Settle, Submit, Waive
from keeper.protocol.worst_case import walk_of, worst_case

CALLERS = {Who.PAYER: PAYER, Who.PAYEE: PAYEE, Who.PARTY: PAYER, Who.ARBITER: ARBITER}


def call_of(agreement, move, state):
    part = agreement.part(0)
    work = WORK if state.status == Status.SUBMITTED else ZERO32
    return {
        Action.SUBMIT: lambda: Submit(part, WORK),
        Action.AWARD: lambda: Attest(part, Attestation(state.attempt, work, move.bps), proven=True),
        Action.REJECT: lambda: Attest(part, Attestation(state.attempt, work, 0), proven=True),
        Action.DISPUTE: lambda: Dispute(part),
        Action.RULE: lambda: Rule(id_of(agreement), part, move.bps),
        Action.APPROVE: lambda: Approve(part),
        Action.WAIVE: lambda: Waive(part),
        Action.SETTLE: lambda: Settle(part),
    }[move.row.action]()


def act(world, agreement, move, state, now):
    caller = CALLERS.get(move.row.who, STRANGER)
    return step(world, Ctx(caller, now), call_of(agreement, move, state))


def settled(outcome):
    """Cause, share and tip, from the event."""
    event = next(e for e in outcome.events if e.name == "Settled")
    return event.args[2], event.args[3], event.args[7]


@settings(max_examples=200, deadline=None)
@given(accepted_agreements(max_milestones=1), st.data())
def test_every_move_of_the_map_is_what_the_model_does(agreement, data):
    terms, milestone = agreement.terms, agreement.milestones[0]
    walk = Map(terms, milestone, NOW)
    world, (state, now) = fund(agreement).world, walk.begin
    while True:
        answers = {move: act(world, agreement, move, state, now) for move in walk.moves(state, now)}
        assert all(isinstance(answer, Outcome) for answer in answers.values()), answers
        waiting = ["wait"] if now < walk.ready(state) else []
        choice = data.draw(st.sampled_from([*answers, *waiting]))
        if choice == "wait":
            now = walk.later(state, now)
            continue
        world = answers[choice].world
        if isinstance(choice.to, Closing):
            cause, bps, tip = settled(answers[choice])
            assert (cause, bps) == (choice.to.cause, choice.to.payee_bps)
            assert tip == payout(milestone.amount, bps, terms.fee_bps, terms.tip, choice.to.with_tip).tip
            return
        state = choice.to
        assert replace(state_of(world, agreement), deliverable24=ZERO24) == state


@settings(max_examples=100, deadline=None)
@given(accepted_agreements(max_milestones=1), st.data())
def test_what_the_map_does_not_offer_the_model_refuses(agreement, data):
    terms, milestone = agreement.terms, agreement.milestones[0]
    everywhere = Map(terms, milestone, NOW)
    state, now = data.draw(st.sampled_from(list(everywhere.reachable())))
    offered = {move.row.action for move in everywhere.moves(state, now)}
    held = fund(agreement).world.agreements[id_of(agreement)]
    deliverable = WORK[:24] if state.status == Status.SUBMITTED else ZERO24
    moved = replace(held, states={0: replace(state, deliverable24=deliverable)})
    world = replace(fund(agreement).world, agreements={id_of(agreement): moved})
    for action in Action:
        if action in offered or (action == Action.SUBMIT and state.attempt >= explore.REJECTIONS):
            continue
        row = next(row for row in machine.TRANSITIONS if row.action == action)
        if row.who == Who.BOTH:
            continue
        for who in (PAYER, PAYEE, ARBITER, STRANGER):
            move = explore.Move(row, 5_000 if action in (Action.AWARD, Action.RULE) else None, state)
            answer = step(world, Ctx(who, now), call_of(agreement, move, state))
            assert not isinstance(answer, Outcome), (action, who)


@st.composite
def short_agreements(draw):
    """All clocks at most three seconds, so that every single second can be walked."""
    agreement = draw(accepted_agreements(max_milestones=1))
    short = {
        name: draw(st.integers(1, 3))
        for name in ("review_window", "challenge_window", "ruling_window")
        if getattr(agreement.terms, name)
    }
    milestone = replace(agreement.milestones[0], submit_by=NOW + draw(st.integers(1, 5)))
    return Agreement(replace(agreement.terms, **short), (milestone,))


def rows(agreement, deserved=10_000):
    return [(w.role, w.assumption, w.receives, w.open_until) for w in worst_case(agreement, [deserved])]


@settings(max_examples=60, deadline=None)
@given(short_agreements(), st.integers(1, 10_000))
def test_no_second_between_the_walked_ones_matters(agreement, deserved):
    def every_second(terms, milestone, deserved):
        awards, rulings = (1, 4_999, deserved, 10_000), (0, 4_999, deserved, 10_000)
        return Map(terms, milestone, NOW, awards=awards, rulings=rulings, every_second=True)

    walked = rows(agreement, deserved)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keeper.protocol.worst_case.walk_of", every_second)
        assert rows(agreement, deserved) == walked


@settings(max_examples=40, deadline=None)
@given(accepted_agreements(max_milestones=1), st.integers(1, 10_000))
def test_more_rejections_change_no_worst_case(agreement, deserved):
    one = rows(agreement, deserved)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keeper.protocol.worst_case.walk_of", partial(walk_of, rejections=3))
        assert rows(agreement, deserved) == one
    assert explore.REJECTIONS < MAX_ATTEMPT


@settings(max_examples=50, deadline=None)
@given(accepted_agreements(max_milestones=1), st.data())
def test_when_it_is_funded_changes_no_worst_case(agreement, data):
    submit_by = agreement.milestones[0].submit_by
    start = data.draw(st.integers(NOW, submit_by - 1))

    early = rows(agreement)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keeper.protocol.worst_case.walk_of", lambda terms, milestone, _: Map(terms, milestone, start))
        assert rows(agreement) == early


@settings(max_examples=100, deadline=None)
@given(accepted_agreements(max_milestones=1))
def test_nothing_reachable_is_open_after_the_longest_way(agreement):
    walk = walk_of(agreement.terms, agreement.milestones[0])
    last = longest(walk)

    assert max(walk.ready(state) - 1 for state, _ in walk.reachable()) == last.closes
    assert last.closes == open_until(agreement.terms, agreement.milestones[0])


def test_every_ending_is_somewhere_on_the_map():
    found = set()
    for agreement in (AGREEMENT, ALONE, NO_ARBITER):
        walk = walk_of(agreement.terms, agreement.milestones[0])
        ends = (move.to for moment in walk.reachable() for move in walk.moves(*moment))
        found |= {end.cause for end in ends if isinstance(end, Closing)}

    assert found == set(Cause) - {Cause.NONE, Cause.AGREED, Cause.AMENDED}


def one_second_more(clock):
    return lambda *of: clock(*of) + 1


def changed(source, action, **changes):
    row = machine._ROWS[source, action]
    return (source, action), replace(row, **changes)


_F, _S, _A, _D = Status.FUNDED, Status.SUBMITTED, Status.ATTESTED, Status.DISPUTED
MISTAKES = {
    "nobody may submit": ((_F, Action.SUBMIT), None),
    "nobody may reject": ((_S, Action.REJECT), None),
    "nobody may award a submission": ((_S, Action.AWARD), None),
    "nobody may dispute a submission": ((_S, Action.DISPUTE), None),
    "nobody may dispute an award": ((_A, Action.DISPUTE), None),
    "nobody may dispute a rejection": ((_F, Action.DISPUTE), None),
    "nobody may rule": ((_D, Action.RULE), None),
    "a second more to submit": changed(_F, Action.SUBMIT, closes=one_second_more(machine._submit_by)),
    "a second more to award": changed(_S, Action.AWARD, closes=one_second_more(machine._review_end)),
    "a second more to dispute silence": changed(_S, Action.DISPUTE, closes=one_second_more(machine._silence_end)),
    "a second more to dispute an award": changed(_A, Action.DISPUTE, closes=one_second_more(machine._challenge_end)),
    "a second more to rule": changed(_D, Action.RULE, closes=one_second_more(machine._ruling_end)),
    "only the payer may dispute an award": changed(_A, Action.DISPUTE, who=Who.PAYER),
    "only the payee may dispute an award": changed(_A, Action.DISPUTE, who=Who.PAYEE),
    "the payer submits": changed(_F, Action.SUBMIT, who=Who.PAYER),
    "the payee rules": changed(_D, Action.RULE, who=Who.PAYEE),
    "a submission counts as awarded": changed(_F, Action.SUBMIT, target=Status.ATTESTED),
    "a rejection counts as disputed": changed(_S, Action.REJECT, target=Status.DISPUTED),
    "an award is a dispute": changed(_S, Action.AWARD, target=Status.DISPUTED),
    "a submission may be disputed before its review is over": changed(_S, Action.DISPUTE, opens=machine._at_once),
}
PANEL = [
    replace(AGREEMENT, terms=replace(AGREEMENT.terms, unreviewed_bps=bps, tip=tip))
    for bps in (0, 4_000, 10_000)
    for tip in (0, 2)
]
PANEL += [ALONE, NO_ARBITER, replace(ALONE, terms=replace(ALONE.terms, unruled_bps=3_000))]


def differs(agreement):
    """Whether the exploration finds anything else than the formulas."""
    for row in worst_case(agreement, [7_000, 10_000]):
        milestone = agreement.milestones[row.milestone]
        expected = floor(agreement.terms, milestone, row.role, row.assumption, [7_000, 10_000][row.milestone])
        if (row.receives, row.open_until) != (expected, open_until(agreement.terms, milestone)):
            return True
    return False


def test_without_a_mistake_nothing_differs():
    assert not any(differs(agreement) for agreement in PANEL)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_in_the_table_shows(monkeypatch, mistake):
    key, row = MISTAKES[mistake]
    monkeypatch.setitem(machine._ROWS, key, row)

    assert any(differs(agreement) for agreement in PANEL)
