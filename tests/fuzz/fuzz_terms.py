"""Agreements to fund: lawful ones with their extremes, and ways to break terms and parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from fuzz_cast import BENCHES, JUDGE, KEEPER, PARTIES, STRANGER, UNLAWFUL, Stage
from fuzz_orders import Order

from keeper.protocol.types import (
    DAY,
    MAX_AHEAD,
    MAX_WINDOW,
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Agreement,
    Milestone,
    Part,
    Terms,
)
from keeper.protocol.world import Dispute

BPS = (0, 1, 3_333, 5_000, 9_999, 10_000)
WINDOWS = (1, 2, 60, 3_600, DAY, 30 * DAY, MAX_WINDOW)
AMOUNTS = (1, 9, 10, 999, 10**6, 123_456_789, 2**96, 2**128 - 1)
HUGE = 2**16 - 1


def lawful(stage: Stage, rng: Random, now: int) -> Agreement:
    """Terms and schedule that funding at `now` accepts."""
    attested, arbitrated = rng.randint(1, 10) <= 8, rng.randint(1, 10) <= 8
    payer, payee, third, _ = rng.sample(PARTIES, 4)
    milestones = tuple(_milestone(rng, now) for _ in range(rng.choice((1, 1, 2, 2, 3, 4))))
    if rng.randint(1, 60) == 60:
        milestones = tuple(_milestone(rng, now) for _ in range(64))
    smallest = min(m.amount for m in milestones)
    fee_bps = rng.choice((0, 0, *BPS))
    bench = rng.choice(UNLAWFUL) if rng.randint(1, 20) == 20 else rng.choice(BENCHES)
    hook = arbitrated and rng.randint(1, 3) == 3
    terms = Terms(
        payer=payer,
        payee=payee,
        token=rng.choice(stage.tokens),
        verifier=_verifier(stage, rng) if attested else ZERO_ADDRESS,
        quorum=bench.hash if attested else ZERO32,
        arbiter=(stage.hook if hook else JUDGE) if arbitrated else ZERO_ADDRESS,
        arbiter_hook=hook,
        review_window=rng.choice(WINDOWS),
        challenge_window=rng.choice(WINDOWS) if attested and arbitrated else 0,
        ruling_window=rng.choice(WINDOWS) if arbitrated else 0,
        unreviewed_bps=rng.choice(BPS) if arbitrated else 0,
        unruled_bps=rng.choice(BPS) if arbitrated and not attested else 0,
        fee_bps=fee_bps,
        fee_to=rng.choice((third, payee, payer, KEEPER)) if fee_bps else ZERO_ADDRESS,
        tip=min(rng.choice((0, 0, 1, 10, smallest // 10)), smallest // 10, 2**96 - 1),
        document=rng.randbytes(32),
        salt=rng.randbytes(32),
    )
    return Agreement(terms, milestones)


def _verifier(stage: Stage, rng: Random) -> Address:
    return stage.mute if rng.randint(1, 20) == 20 else stage.verifier


def _milestone(rng: Random, now: int) -> Milestone:
    ahead = rng.choice((1, 2, 60, 3_600, DAY, 10 * DAY, MAX_WINDOW, MAX_AHEAD))
    return Milestone(rng.choice(AMOUNTS), now + ahead, rng.randbytes(32))


def _terms(**values: object) -> Callable[[Agreement, Stage], Agreement]:
    return lambda agreement, _stage: replace(agreement, terms=replace(agreement.terms, **values))


def _from(field: str, source: str) -> Callable[[Agreement, Stage], Agreement]:
    """One role given to who already has another."""

    def change(agreement: Agreement, _stage: Stage) -> Agreement:
        return replace(agreement, terms=replace(agreement.terms, **{field: getattr(agreement.terms, source)}))

    return change


def _escrow_as(field: str) -> Callable[[Agreement, Stage], Agreement]:
    return lambda agreement, stage: replace(agreement, terms=replace(agreement.terms, **{field: stage.escrow}))


def _first(**values: object) -> Callable[[Agreement, Stage], Agreement]:
    def change(agreement: Agreement, _stage: Stage) -> Agreement:
        milestones = (replace(agreement.milestones[0], **values), *agreement.milestones[1:])
        return replace(agreement, milestones=milestones)

    return change


BREAKS: dict[str, Callable[[Agreement, Stage], Agreement]] = {
    "no milestones": lambda a, _s: replace(a, milestones=()),
    "65 milestones": lambda a, _s: replace(a, milestones=a.milestones[:1] * 65),
    "nothing to pay": _first(amount=0),
    "a deadline in the past": _first(submit_by=1),
    "a deadline too far": _first(submit_by=2**40 - 1),
    "unreviewed above all": _terms(unreviewed_bps=10_001),
    "unruled above all": _terms(unruled_bps=HUGE),
    "fee above all": _terms(fee_bps=10_001),
    "no payer": _terms(payer=ZERO_ADDRESS),
    "no payee": _terms(payee=ZERO_ADDRESS),
    "payer is payee": _from("payee", "payer"),
    "payer is the token": _from("payer", "token"),
    "payee is the escrow": _escrow_as("payee"),
    "fee to the escrow": _escrow_as("fee_to"),
    "arbiter is the token": _from("arbiter", "token"),
    "arbiter is the payer": _from("arbiter", "payer"),
    "arbiter is the payee": _from("arbiter", "payee"),
    "arbiter takes the fee": _from("arbiter", "fee_to"),
    "another fee": _terms(fee_bps=1),
    "no fee": _terms(fee_bps=0),
    "no verifier": _terms(verifier=ZERO_ADDRESS),
    "no quorum": _terms(quorum=ZERO32),
    "a verifier without code": _terms(verifier=STRANGER, quorum=b"\x01" * 32),
    "no review": _terms(review_window=0),
    "no ruling": _terms(ruling_window=0),
    "a ruling": _terms(ruling_window=1),
    "no challenge": _terms(challenge_window=0),
    "a challenge": _terms(challenge_window=1),
    "a hook without code": _terms(arbiter_hook=True, arbiter=STRANGER),
    "a hook without arbiter": _terms(arbiter_hook=True, arbiter=ZERO_ADDRESS),
    "an unreviewed share": _terms(unreviewed_bps=1),
    "an unruled share": _terms(unruled_bps=1),
    "a review too long": _terms(review_window=MAX_WINDOW + 1),
    "a challenge too long": _terms(challenge_window=MAX_WINDOW + 1),
    "a ruling too long": _terms(ruling_window=2**32 - 1),
    "a large tip": _terms(tip=2**96 - 1),
    "native currency": _terms(token=ZERO_ADDRESS),
    "a token without code": _terms(token=STRANGER),
}
"""Changes of lawful terms. Some leave them lawful, in some agreements: the model says which."""


def break_part(rng: Random, part: Part, other: Part) -> Part:
    """A part that contradicts itself, or belongs to nothing; perhaps with leaves of the other."""
    count = len(part.leaves)
    match rng.randint(0, 6):
        case 0:
            return replace(part, index=(part.index + 1) % count)
        case 1:
            return replace(part, index=rng.choice((count, 64, 255)))
        case 2:
            return replace(part, leaves=(*part.leaves, rng.randbytes(32)))
        case 3:
            return replace(part, leaves=tuple(reversed(part.leaves)))
        case 4:
            return replace(part, milestone=replace(part.milestone, amount=part.milestone.amount ^ 1))
        case 5:
            return replace(part, terms=replace(part.terms, tip=part.terms.tip ^ 1))
    return replace(part, leaves=other.leaves)


def spoiled(rng: Random, order: Order, other: Callable[[Random], Part]) -> Order:
    """The order with other value than it should have, or with a part that does not fit; mostly as it is."""
    call = order.call
    if rng.randint(1, 40) == 1:
        order = replace(order, value=rng.choice((1, 10**9)))
    if isinstance(call, Dispute) and call.part.terms.arbiter_hook and rng.randint(1, 2) == 1:
        order = replace(order, value=5)
    if hasattr(call, "part") and rng.randint(1, 12) == 1:
        broken = break_part(rng, call.part, other(rng))
        order = replace(order, call=replace(call, part=broken), twist="a part that does not fit")
    return order
