"""Random lives of random agreements against the invariants of docs/protocol.md section 8."""

from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_stage import (
    WORK,
    fund,
    id_of,
    state_of,
)
from protocol_strategies import (
    ARBITER,
    FEE_TO,
    NOW,
    PAYEE,
    PAYER,
    STRANGER,
    TOKEN,
    accepted_agreements,
)

from keeper.protocol.due import due, latest, settle_bps
from keeper.protocol.machine import possible
from keeper.protocol.model import step
from keeper.protocol.refusals import Name, Refusal
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Attestation,
    Status,
)
from keeper.protocol.world import (
    Approve,
    Attest,
    Ctx,
    Dispute,
    Outcome,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
)


def refusing(*receivers):
    return frozenset((token, who) for token in (TOKEN, ZERO_ADDRESS) for who in receivers)


@st.composite
def lives(draw):
    """An agreement and a list of (call, caller, moment) choices that are tried one after another."""
    agreement = draw(accepted_agreements(max_milestones=3))
    choice = st.tuples(
        st.integers(0, len(agreement.milestones) - 1),
        st.sampled_from(
            [
                "submit",
                "award",
                "reject",
                "dispute",
                "dispute",
                "rule",
                "approve",
                "waive",
                "settle",
                "many",
                "withdraw",
            ]
        ),
        st.sampled_from([PAYER, PAYEE, ARBITER, STRANGER]),
        st.integers(0, 4),
        st.integers(0, 10_000),
        st.sampled_from([refusing(), refusing(PAYEE), refusing(PAYER, FEE_TO)]),
    )
    return agreement, draw(st.lists(choice, max_size=25))


def call_of(agreement, world, name, index, bps):
    part, state = agreement.part(index), state_of(world, agreement, index)
    attempt = state.attempt if state else 0
    work = WORK if state and state.status == Status.SUBMITTED else ZERO32
    return {
        "submit": lambda: Submit(part, WORK),
        "award": lambda: Attest(part, Attestation(attempt, work, max(bps, 1)), proven=True),
        "reject": lambda: Attest(part, Attestation(attempt, work, 0), proven=True),
        "dispute": lambda: Dispute(part),
        "rule": lambda: Rule(id_of(agreement), part, bps),
        "approve": lambda: Approve(part),
        "waive": lambda: Waive(part),
        "settle": lambda: Settle(part),
        "many": lambda: SettleMany(tuple(agreement.part(i) for i in range(len(agreement.milestones)))),
        "withdraw": lambda: Withdraw(agreement.terms.token, PAYEE),
    }[name]()


def moment(agreement, world, index, now, choice):
    """Now, or one of the seconds around which this milestone's windows close, never in the past."""
    terms, milestone, state = agreement.terms, agreement.milestones[index], state_of(world, agreement, index)
    if state is None or choice == 0:
        return now
    edges = {
        1: milestone.submit_by,
        2: state.since + terms.review_window + 1,
        3: due(terms, milestone, state).ready_at,
        4: due(terms, milestone, state).ready_at - 1,
    }
    return max(now, edges[choice])


def check_books(world, agreement, paid):
    terms, held = agreement.terms, world.agreements[id_of(agreement)]
    credits_ = sum(amount for (token, _), amount in world.credits.items() if token == terms.token)
    assert world.held[terms.token] == held.open_amount() + credits_
    assert held.closed & ~held.funded == 0
    total = sum(m.amount for m in agreement.milestones)
    assert total == held.open_amount() + paid


def check_clocks(world, agreement, now):
    """Ready exactly when settle succeeds, with just that share, and never later than `latest`."""
    for index, milestone in enumerate(agreement.milestones):
        state = state_of(world, agreement, index)
        if state is None:
            continue
        answer = due(agreement.terms, milestone, state)
        assert answer.ready_at <= latest(agreement.terms, milestone)
        early = step(world, Ctx(STRANGER, answer.ready_at - 1), Settle(agreement.part(index)))
        assert isinstance(early, Refusal)
        assert early.name == Name.TOO_EARLY
        ready = step(world, Ctx(STRANGER, answer.ready_at), Settle(agreement.part(index)))
        assert isinstance(ready, Outcome)
        settled = ready.events[0]
        assert settled.name == "Settled"
        _, _, cause, bps, to_payee, _to_payer, fee, tip, _ = settled.args
        assert (cause, to_payee + fee + tip) == (answer.cause, answer.share)
        assert bps == settle_bps(agreement.terms, state)
        after = {row.action.value for row in possible(agreement.terms, milestone, state, now=2**40 - 1)}
        assert after == {"approve", "waive", "settle"}


@settings(max_examples=150, deadline=None)
@given(lives())
def test_every_life_keeps_the_books_and_the_clocks(life):
    agreement, choices = life
    outcome = fund(agreement)
    assert isinstance(outcome, Outcome)
    world, now, paid = outcome.world, NOW, 0
    check_books(world, agreement, paid)
    for index, name, caller, when, bps, refuses in choices:
        now = moment(agreement, world, index, now, when)
        before = world
        answer = step(world, Ctx(caller, now, refuses=refuses), call_of(agreement, world, name, index, bps))
        if isinstance(answer, Refusal):
            continue
        world = answer.world
        paid += sum(sum(e.args[4:8]) for e in answer.events if e.name == "Settled")
        check_books(world, agreement, paid)
        check_clocks(world, agreement, now)
        if name not in ("many", "withdraw"):
            check_others_untouched(before, world, agreement, index)


def check_others_untouched(before, after, agreement, index):
    for other in range(len(agreement.milestones)):
        if other != index:
            assert state_of(before, agreement, other) == state_of(after, agreement, other)


@settings(max_examples=150, deadline=None)
@given(lives())
def test_time_alone_empties_every_life_by_latest(life):
    agreement, choices = life
    world, now = fund(agreement).world, NOW
    for index, name, caller, when, bps, refuses in choices:
        now = moment(agreement, world, index, now, when)
        answer = step(world, Ctx(caller, now, refuses=refuses), call_of(agreement, world, name, index, bps))
        world = answer.world if isinstance(answer, Outcome) else world
    end = max(latest(agreement.terms, m) for m in agreement.milestones)
    everything = call_of(agreement, world, "many", 0, 0)

    answer = step(world, Ctx(STRANGER, max(end, now)), everything)

    assert answer.world.agreements[id_of(agreement)].open_amount() == 0


@settings(max_examples=150, deadline=None)
@given(lives().filter(lambda life: life[0].terms.verifier != ZERO_ADDRESS))
def test_with_a_verifier_a_dispute_that_nobody_rules_changes_no_share(life):
    agreement, choices = life
    world, now = fund(agreement).world, NOW
    for index, name, caller, when, bps, refuses in choices:
        now = moment(agreement, world, index, now, when)
        for party in (PAYER, PAYEE):
            disputed = step(world, Ctx(party, now), Dispute(agreement.part(index)))
            if isinstance(disputed, Outcome):
                milestone, terms = agreement.milestones[index], agreement.terms
                without = due(terms, milestone, state_of(world, agreement, index))
                with_ = due(terms, milestone, state_of(disputed.world, agreement, index))
                assert with_.share == without.share
        answer = step(world, Ctx(caller, now, refuses=refuses), call_of(agreement, world, name, index, bps))
        world = answer.world if isinstance(answer, Outcome) else world
