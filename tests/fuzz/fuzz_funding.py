"""Ways to pay in: an allowance, a permit, the payer's authorization, native value; and ways to fail at each."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from fuzz_aim import one_in
from fuzz_orders import Order, Paper
from fuzz_pair import Pair
from fuzz_signing import authorization_digest, permit_digest, sign, sign_badly
from fuzz_terms import lawful

from keeper.protocol.encoding import agreement_id
from keeper.protocol.offers import authorization_nonce
from keeper.protocol.types import DAY, ZERO_ADDRESS, Address, Agreement, sum_of
from keeper.protocol.world import Fund, FundWithAuthorization, FundWithPermit


def what_to_fund(rng: Random, pair: Pair, most: int) -> tuple[Agreement, int]:
    """An agreement and a mask: a new one, or more of one that is there, where `most` are open already."""
    known = pair.ids()
    held = pair.world.agreements[rng.choice(known)] if known else None
    open_now = sum(h.open_amount() > 0 for h in pair.world.agreements.values())
    if held and (open_now >= most or one_in(rng, 5)):
        agreement, missing = held.agreement, ~held.funded & (1 << len(held.agreement.milestones)) - 1
        mask = missing if missing and not one_in(rng, 4) else rng.randint(1, (1 << len(agreement.milestones)) - 1)
    else:
        agreement = lawful(pair.stage, rng, pair.chain.now)
        everything = (1 << len(agreement.milestones)) - 1
        mask = everything if one_in(rng, 2) else (rng.getrandbits(6) & everything) or 1
    if one_in(rng, 15):
        mask = rng.choice((0, 1 << len(agreement.milestones), 2**64 - 1))
    return agreement, mask & 2**64 - 1


def funding(rng: Random, pair: Pair, agreement: Agreement, mask: int, caller: Address) -> Order:
    """One way to fund these milestones, mostly one that may work."""
    terms, milestones = agreement.terms, agreement.milestones
    signing = terms.token == pair.stage.signing
    way = rng.randint(1, 3 if signing else 12)
    if way == 1:
        call = FundWithPermit(terms, milestones, mask)
        return Order(caller, call, paper=_permit(rng, pair, call, caller))
    if way == 2:
        call = FundWithAuthorization(terms, milestones, mask, authorized=False)
        paper, twist = _authorization(rng, pair, call)
        return Order(caller, call, paper=paper, twist=twist)
    value = sum_of(milestones, mask) if terms.token == ZERO_ADDRESS else 0
    if value and one_in(rng, 12):
        value = rng.choice((0, value - 1, value + 1))
    return Order(caller, Fund(terms, milestones, mask), value)


def affordable(pair: Pair, order: Order) -> Order:
    """With no more value than the caller has: a chain takes no other call."""
    return replace(order, value=min(order.value, pair.books.balances.get((ZERO_ADDRESS, order.caller), 0)))


def _permit(rng: Random, pair: Pair, call: FundWithPermit, caller: Address) -> Paper:
    """A permit for just the sum, or for something else, which must change nothing."""
    now, nonce = pair.chain.now, pair.outside.permit_nonce(caller)
    deadline = now if one_in(rng, 3) else now + DAY
    total = sum_of(call.milestones, call.mask)
    match rng.randint(1, 12):
        case 1:
            deadline = now - 1
        case 2:
            nonce += 1
        case 3:
            total += 1
    digest = permit_digest(pair.outside.signing, caller, pair.stage.escrow, total, nonce, deadline)
    signature = sign_badly(rng, caller, digest)[0] if one_in(rng, 10) else sign(rng, caller, digest)
    return Paper(deadline, _in_65(signature))


def _authorization(rng: Random, pair: Pair, call: FundWithAuthorization) -> tuple[Paper, str]:
    """An authorization by the payer, in one of its two forms, and what is wrong with it."""
    now, payer, twist = pair.chain.now, call.terms.payer, ""
    nonce = authorization_nonce(agreement_id(pair.stage.domain, call.terms, call.milestones), call.mask)
    total, after, before = (
        sum_of(call.milestones, call.mask),
        rng.choice((0, now - 1)),
        rng.choice((now + 1, now + DAY)),
    )
    match rng.randint(1, 20):
        case 1:
            after, twist = now, "not valid yet"
        case 2:
            before, twist = now, "no longer valid"
        case 3:
            nonce, twist = nonce[:31] + bytes([nonce[31] ^ 1]), "for other milestones"
        case 4:
            total, twist = total + 1, "for another sum"
    digest = authorization_digest(pair.outside.signing, payer, pair.stage.escrow, total, after, before, nonce)
    if one_in(rng, 12):
        signature, twist = sign_badly(rng, payer, digest)
    else:
        signature = sign(rng, payer, digest)
    as_bytes = rng.randint(1, 2) == 2
    return Paper(before, signature if as_bytes else _in_65(signature), after, as_bytes), twist


def _in_65(signature: bytes) -> bytes:
    """As v, r, s carry it: 64 bytes r, vs taken apart, anything else padded or cut."""
    if len(signature) == 64:
        vs = int.from_bytes(signature[32:], "big")
        return signature[:32] + (vs & (1 << 255) - 1).to_bytes(32, "big") + bytes([27 + (vs >> 255)])
    return signature[:65].ljust(65, b"\0")
