"""Random lives of random agreements against the invariants of docs/protocol.md section 8."""

from collections import Counter
from dataclasses import replace

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
    Amendment,
    Attestation,
    Status,
    sum_of,
)
from keeper.protocol.world import (
    Agree,
    Amend,
    Approve,
    Attest,
    Consent,
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
                "agree",
                "amend",
                "withdraw",
            ]
        ),
        st.sampled_from([PAYER, PAYEE, ARBITER, STRANGER]),
        st.integers(0, 4),
        st.integers(0, 10_000),
        st.sampled_from([refusing(), refusing(PAYEE), refusing(PAYER, FEE_TO)]),
    )
    return agreement, draw(st.lists(choice, max_size=25))


def call_of(agreement, world, name, index, bps, now):
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
        "many": lambda: SettleMany(tuple(every_part(world))),
        "agree": lambda: Agree(part, bps, now, now, Consent.SIGNED, Consent.SIGNED),
        "amend": lambda: amend_to(agreement, world, bps, now),
        "withdraw": lambda: Withdraw(agreement.terms.token, PAYEE),
    }[name]()


def every_part(world):
    for held in world.agreements.values():
        yield from (held.agreement.part(i) for i in range(len(held.agreement.milestones)))


def amend_to(agreement, world, number, now):
    """What the number says of what is open, into what it says of an agreement that is not there yet."""
    still_open = world.agreements[id_of(agreement)].open_bits
    terms = replace(agreement.terms, salt=len(world.agreements).to_bytes(32, "big"), tip=0)
    milestones = tuple(replace(m, amount=max(m.amount // 2, 1), submit_by=now + 1000) for m in agreement.milestones)
    what = Amendment(still_open & number or still_open, (number >> 3) % (1 << len(milestones)) or 1, now, now)
    return Amend(what, agreement.terms, agreement.milestones, terms, milestones, Consent.SIGNED, Consent.SIGNED)


def played(agreement, world, choice, now):
    """The second at which a choice is tried, and what the escrow answers."""
    index, name, caller, when, bps, refuses = choice
    now = moment(agreement, world, index, now, when)
    call, value = call_of(agreement, world, name, index, bps, now), 0
    if isinstance(call, Amend) and agreement.terms.token == ZERO_ADDRESS:
        what = call.amendment
        value = max(sum_of(call.to_milestones, what.opens) - sum_of(agreement.milestones, what.closes), 0)
    return now, step(world, Ctx(caller, now, value, refuses=refuses), call)


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


class Books:
    """Each agreement to the unit: funded and moved in is paid, open or moved out (section 8, invariant 2)."""

    def __init__(self):
        self.came, self.left = Counter(), Counter()

    def enter(self, outcome):
        for event in outcome.events:
            match event.name, event.args:
                case "Funded", (id_, _, _, _, mask, _, milestones):
                    self.came[id_] += sum_of(milestones, mask)
                case "Settled", (id_, _, _, _, *paid, _):
                    self.left[id_] += sum(paid)
                case "Amended", (source, _, closes, _, moved):
                    out = sum_of(outcome.world.agreements[source].agreement.milestones, closes)
                    assert moved <= out
                    self.left[source] += out

    def check(self, world, token):
        for id_, held in world.agreements.items():
            assert held.closed & ~held.funded == 0
            assert self.came[id_] == held.open_amount() + self.left[id_]
        credits_ = sum(amount for (which, _), amount in world.credits.items() if which == token)
        assert world.held[token] == sum(held.open_amount() for held in world.agreements.values()) + credits_


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
        assert after == {"approve", "waive", "agree", "amend", "settle"}


@settings(max_examples=150, deadline=None)
@given(lives())
def test_every_life_keeps_the_books_and_the_clocks(life):
    agreement, choices = life
    outcome = fund(agreement)
    assert isinstance(outcome, Outcome)
    world, now, books = outcome.world, NOW, Books()
    books.enter(outcome)
    books.check(world, agreement.terms.token)
    for choice in choices:
        before = world
        now, answer = played(agreement, world, choice, now)
        if isinstance(answer, Refusal):
            continue
        world = answer.world
        books.enter(answer)
        books.check(world, agreement.terms.token)
        for held in world.agreements.values():
            check_clocks(world, held.agreement, now)
        index, name, *_ = choice
        if name not in ("many", "amend", "withdraw"):
            check_others_untouched(before, world, id_of(agreement), index)


def check_others_untouched(before, after, id_, index):
    for other, held in after.agreements.items():
        for i in range(len(held.agreement.milestones)):
            if (other, i) != (id_, index):
                assert held.open_state(i) == before.agreements[other].open_state(i)


@settings(max_examples=150, deadline=None)
@given(lives())
def test_time_alone_empties_every_life_by_latest(life):
    agreement, choices = life
    world, now = fund(agreement).world, NOW
    for choice in choices:
        now, answer = played(agreement, world, choice, now)
        world = answer.world if isinstance(answer, Outcome) else world
    every = [held.agreement for held in world.agreements.values()]
    end = max(latest(one.terms, m) for one in every for m in one.milestones)

    answer = step(world, Ctx(STRANGER, max(end, now)), SettleMany(tuple(every_part(world))))

    assert [held.open_amount() for held in answer.world.agreements.values()] == [0] * len(every)


@settings(max_examples=150, deadline=None)
@given(lives().filter(lambda life: life[0].terms.verifier != ZERO_ADDRESS))
def test_with_a_verifier_a_dispute_that_nobody_rules_changes_no_share(life):
    agreement, choices = life
    world, now = fund(agreement).world, NOW
    for choice in choices:
        index, _, _, when, *_ = choice
        at = moment(agreement, world, index, now, when)
        for party in (PAYER, PAYEE):
            disputed = step(world, Ctx(party, at), Dispute(agreement.part(index)))
            if isinstance(disputed, Outcome):
                milestone, terms = agreement.milestones[index], agreement.terms
                without = due(terms, milestone, state_of(world, agreement, index))
                with_ = due(terms, milestone, state_of(disputed.world, agreement, index))
                assert with_.share == without.share
        now, answer = played(agreement, world, choice, now)
        world = answer.world if isinstance(answer, Outcome) else world
