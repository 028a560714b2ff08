"""A fixed agreement on a fresh escrow, and short ways to call the model."""

from dataclasses import replace

from protocol_strategies import (
    ARBITER,
    DOMAIN,
    FEE_TO,
    NOW,
    PAYEE,
    PAYER,
    TOKEN,
    VERIFIER,
)

from keeper.protocol.encoding import agreement_id
from keeper.protocol.model import step
from keeper.protocol.refusals import Refusal
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Agreement,
    Milestone,
    Terms,
)
from keeper.protocol.world import (
    Ctx,
    Fund,
    Outcome,
    World,
)

EMPTY = World(DOMAIN, frozenset({VERIFIER, ARBITER, TOKEN}))
WORK = b"\x0d" * 32


def fund(agreement, world=EMPTY, mask=None, now=NOW):
    mask = (1 << len(agreement.milestones)) - 1 if mask is None else mask
    total = sum(m.amount for i, m in enumerate(agreement.milestones) if mask >> i & 1)
    value = total if agreement.terms.token == ZERO_ADDRESS else 0
    return step(world, Ctx(PAYER, now, value), Fund(agreement.terms, agreement.milestones, mask))


def id_of(agreement):
    return agreement_id(DOMAIN, agreement.terms, agreement.milestones)


def state_of(world, agreement, index=0):
    return world.agreements[id_of(agreement)].open_state(index)


TERMS = Terms(
    payer=PAYER,
    payee=PAYEE,
    token=TOKEN,
    verifier=VERIFIER,
    quorum=b"\x07" * 32,
    arbiter=ARBITER,
    arbiter_hook=False,
    review_window=300,
    challenge_window=200,
    ruling_window=700,
    unreviewed_bps=0,
    unruled_bps=0,
    fee_bps=50,
    fee_to=FEE_TO,
    tip=2,
    document=ZERO32,
    salt=ZERO32,
)
MILESTONES = (Milestone(1000, NOW + 1000, ZERO32), Milestone(2000, NOW + 2000, ZERO32))
AGREEMENT = Agreement(TERMS, MILESTONES)
PART = AGREEMENT.part(0)
ALONE = Agreement(
    replace(TERMS, verifier=ZERO_ADDRESS, quorum=ZERO32, challenge_window=0, unreviewed_bps=10_000), MILESTONES
)
NO_ARBITER = Agreement(replace(TERMS, arbiter=ZERO_ADDRESS, challenge_window=0, ruling_window=0), MILESTONES)


def run(agreement, *calls):
    """The world after calls of (caller, seconds after NOW, call), each of which must succeed."""
    world = fund(agreement).world
    for caller, after, call in calls:
        answer = step(world, Ctx(caller, NOW + after), call)
        assert isinstance(answer, Outcome), answer
        world = answer.world
    return world


def refusal(world, caller, after, call, **ctx):
    answer = step(world, Ctx(caller, NOW + after, **ctx), call)
    assert isinstance(answer, Refusal), answer
    return answer.name
