"""Offers that both parties sign, and acceptances: good ones, stale ones, late ones, and such as one has not signed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from fuzz_aim import one_in
from fuzz_cast import PARTIES
from fuzz_orders import Order
from fuzz_pair import Pair
from fuzz_signing import sign, sign_badly, signed_digest
from fuzz_terms import BREAKS, lawful
from fuzz_verdicts import SHARES

from keeper.protocol.types import (
    DAY,
    UNTOUCHED,
    ZERO_ADDRESS,
    Address,
    Agreement,
    AgreementId,
    Amendment,
    MilestoneState,
    Part,
    sum_of,
)
from keeper.protocol.world import Accept, Agree, Amend, Consent

UNTOLD = Consent.FALSE
"""Until the stage has looked at the bytes."""
MANY = 2**64 - 1


def what_to_accept(rng: Random, pair: Pair) -> Agreement:
    """An agreement that is there, or one that is not."""
    known = pair.ids()
    if known and not one_in(rng, 3):
        return pair.world.agreements[rng.choice(known)].agreement
    return lawful(pair.stage, rng, pair.chain.now)


def split_of(rng: Random, pair: Pair, caller: Address, id_: AgreementId, part: Part, state: MilestoneState) -> Order:
    """A share of one milestone."""
    bps = rng.choice((0, *SHARES, 10_001, 2**16 - 1)) if one_in(rng, 4) else rng.randint(0, 10_000)
    as_of, deadline, twist = _times(rng, pair.chain.now, state.since)
    call = Agree(part, bps, as_of, deadline, UNTOLD, UNTOLD)
    parties = (part.terms.payer, part.terms.payee)
    signatures, crooked = _signatures(rng, caller, parties, signed_digest(pair.stage.domain, call, id_))
    return Order(caller, call, signatures=signatures, twist=twist or crooked)


def amendment_of(rng: Random, pair: Pair, caller: Address, id_: AgreementId, index: int) -> Order:
    """Milestones of an agreement, this one among them, for others of another."""
    held = pair.world.agreements[id_]
    source, twist = held.agreement, ""
    closes = _some(rng, held.open_bits) | 1 << index
    if one_in(rng, 10):
        closes, twist = rng.choice((0, MANY, held.funded | 1, 1 << len(source.milestones))) & MANY, "other milestones"
    target, change = _target(rng, pair, source)
    opens = _some(rng, (1 << len(target.milestones)) - 1)
    if one_in(rng, 15):
        opens = rng.choice((0, 1 << len(target.milestones), MANY)) & MANY
    touched = [held.states.get(i, UNTOUCHED).since for i in range(closes.bit_length()) if closes >> i & 1]
    as_of, deadline, late = _times(rng, pair.chain.now, max(touched, default=0))
    what = Amendment(closes, opens, as_of, deadline)
    call = Amend(what, source.terms, source.milestones, target.terms, target.milestones, UNTOLD, UNTOLD)
    parties = (target.terms.payer, target.terms.payee)
    signatures, crooked = _signatures(rng, caller, parties, signed_digest(pair.stage.domain, call, id_))
    told = "; ".join(word for word in (twist, change, late, crooked) if word)
    return Order(caller, call, _value(rng, call), signatures=signatures, twist=told)


def acceptance_of(rng: Random, pair: Pair, caller: Address, agreement: Agreement) -> Order:
    """The payee's word, or another's; of terms that nobody could fund, too."""
    twist = ""
    if one_in(rng, 6):
        twist = rng.choice(("no payee", "no milestones", "payer is payee"))
        agreement = BREAKS[twist](agreement, pair.stage)
    call = Accept(agreement.terms, agreement.milestones, UNTOLD)
    digest = signed_digest(pair.stage.domain, call, AgreementId(b""))
    signatures, crooked = _signatures(rng, caller, (agreement.terms.payee,), digest)
    return Order(caller, call, signatures=signatures, twist=twist or crooked)


def _target(rng: Random, pair: Pair, source: Agreement) -> tuple[Agreement, str]:
    """Another agreement of the same parties about the same token, and what is wrong with it."""
    if one_in(rng, 12):
        return pair.world.agreements[rng.choice(pair.ids())].agreement, "an agreement that is there"
    made, old = lawful(pair.stage, rng, pair.chain.now), source.terms
    terms = replace(made.terms, payer=old.payer, payee=old.payee, token=old.token)
    target = replace(made, terms=terms)
    if one_in(rng, 4):  # the same schedule, other terms: what is moved is what is there
        later = tuple(replace(m, submit_by=pair.chain.now + rng.choice((1, DAY))) for m in source.milestones)
        smallest = min(m.amount for m in later)
        target = Agreement(replace(terms, tip=min(terms.tip, smallest // 10)), later)
    if one_in(rng, 12):
        field = rng.choice(("payer", "payee", "token"))
        others = [x for x in (pair.stage.tokens if field == "token" else PARTIES) if x != getattr(old, field)]
        return replace(target, terms=replace(terms, **{field: rng.choice(others)})), f"another {field}"
    if one_in(rng, 12):
        name = rng.choice(sorted(BREAKS))
        return BREAKS[name](target, pair.stage), name
    return target, ""


def _times(rng: Random, now: int, since: int) -> tuple[int, int, str]:
    """When the offer was read and until when it stands: often at the very edge, sometimes past it."""
    soonest = min(now, since + 1)
    as_of = rng.choice((now, soonest, max(soonest, now - DAY)))
    deadline = rng.choice((now, now + 1, now + DAY))
    match rng.randint(1, 16):
        case 1 | 2:
            return since, deadline, "read in the second of the last step"
        case 3:
            return now + 1, deadline, "read in the future"
        case 4:
            return as_of, now - 1, "a second too late"
    return as_of, deadline, ""


def _signatures(
    rng: Random, caller: Address, parties: tuple[Address, ...], digest: bytes
) -> tuple[tuple[bytes, ...], str]:
    """Each party's signature, left out where it sends the call itself; or not quite."""
    made, twists = [], []
    for party in parties:
        if (party == caller and not one_in(rng, 3)) or one_in(rng, 20):
            made.append(b"")
        elif one_in(rng, 12):
            signature, twist = sign_badly(rng, party, digest)
            made.append(signature)
            twists.append(twist)
        else:
            made.append(sign(rng, party, digest))
    return tuple(made), "; ".join(twists)


def _value(rng: Random, call: Amend) -> int:
    """Native currency for a shortfall, where that is the token."""
    what = call.amendment
    short = sum_of(call.to_milestones, what.opens) - sum_of(call.from_milestones, what.closes)
    value = max(short, 0) if call.to_terms.token == ZERO_ADDRESS else 0
    return value + rng.choice((1, 10**9)) if one_in(rng, 15) else value


def _some(rng: Random, bits: int) -> int:
    """Some of the bits; mostly more than none."""
    return (rng.getrandbits(64) & bits) or bits
