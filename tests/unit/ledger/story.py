"""Agreements on the fake chain: what is done to them goes through the protocol's model, and becomes logs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eth_utils import keccak, to_checksum_address
from fake_node import DOMAIN, GENESIS_TIME, VERIFIER, FakeBlock, FakeNode, Log, log_of

from keeper.protocol.encoding import agreement_id
from keeper.protocol.machine import Action, possible
from keeper.protocol.model import step
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Agreement,
    AgreementId,
    Amendment,
    Attestation,
    Milestone,
    Terms,
)
from keeper.protocol.world import (
    Accept,
    Agree,
    Amend,
    Approve,
    Attest,
    Call,
    Consent,
    Ctx,
    Dispute,
    Event,
    Fund,
    Outcome,
    Rule,
    Settle,
    Submit,
    Waive,
    World,
)

PAYER, PAYEE, ARBITER, TOKEN, KEEPER = (
    Address(to_checksum_address("0x" + b * 20)) for b in ("a1", "a2", "a3", "a4", "a5")
)
MEMBERS = tuple(Address(to_checksum_address("0x" + b * 20)) for b in ("01", "02", "03"))
QUORUM = Quorum(2, MEMBERS)
WORK = keccak(b"work")[:24] + bytes(8)
FAR = 2**40 - 1

TERMS = Terms(
    payer=PAYER,
    payee=PAYEE,
    token=TOKEN,
    verifier=VERIFIER,
    quorum=QUORUM.hash,
    arbiter=ARBITER,
    arbiter_hook=False,
    review_window=60,
    challenge_window=40,
    ruling_window=90,
    unreviewed_bps=2500,
    unruled_bps=0,
    fee_bps=100,
    fee_to=Address(to_checksum_address("0x" + "a6" * 20)),
    tip=3,
    document=ZERO32,
    salt=ZERO32,
)
SCHEDULE = tuple(Milestone(1000 + i, GENESIS_TIME + 400 + 200 * i, keccak(b"criteria %d" % i)) for i in range(3))
DISPUTABLE = Agreement(TERMS, SCHEDULE)
AT_ONCE = Agreement(
    replace(TERMS, arbiter=ZERO_ADDRESS, challenge_window=0, ruling_window=0, unreviewed_bps=0), SCHEDULE
)
UNATTESTED = Agreement(
    replace(TERMS, verifier=ZERO_ADDRESS, quorum=ZERO32, challenge_window=0, unruled_bps=5000), SCHEDULE
)
AGREEMENTS = (DISPUTABLE, AT_ONCE, UNATTESTED)


def new_node() -> FakeNode:
    """A chain with a fresh escrow."""
    return FakeNode(World(DOMAIN, frozenset({VERIFIER, TOKEN, ARBITER})))


def id_of(agreement: Agreement) -> AgreementId:
    return agreement_id(DOMAIN, agreement.terms, agreement.milestones)


def fund(agreement: Agreement, mask: int = 0b111) -> tuple[Address, Call]:
    return PAYER, Fund(agreement.terms, agreement.milestones, mask)


def submit(agreement: Agreement, index: int, deliverable: bytes = WORK) -> tuple[Address, Call]:
    return PAYEE, Submit(agreement.part(index), deliverable)


def attest(agreement: Agreement, index: int, bps: int, attempt: int = 0, what: bytes = WORK) -> tuple[Address, Call]:
    return KEEPER, Attest(agreement.part(index), Attestation(attempt, what, bps), proven=True)


def dispute(agreement: Agreement, index: int, by: Address = PAYER) -> tuple[Address, Call]:
    return by, Dispute(agreement.part(index), b"why")


def rule(agreement: Agreement, index: int, bps: int) -> tuple[Address, Call]:
    return ARBITER, Rule(id_of(agreement), agreement.part(index), bps)


def approve(agreement: Agreement, index: int) -> tuple[Address, Call]:
    return PAYER, Approve(agreement.part(index))


def waive(agreement: Agreement, index: int) -> tuple[Address, Call]:
    return PAYEE, Waive(agreement.part(index))


def settle(agreement: Agreement, index: int) -> tuple[Address, Call]:
    return KEEPER, Settle(agreement.part(index))


def agree(agreement: Agreement, index: int, bps: int, as_of: int) -> tuple[Address, Call]:
    """A split, delivered by a stranger at any time from `as_of` on."""
    signed = (Consent.SIGNED, Consent.SIGNED)
    return KEEPER, Agree(agreement.part(index), bps, as_of, FAR, *signed)


def amend(
    source: Agreement, target: Agreement, closes: int, opens: int, as_of: int, by: Address = KEEPER
) -> tuple[Address, Call]:
    """Milestones of one agreement for milestones of another; from `as_of` on."""
    what = Amendment(closes, opens, as_of, FAR)
    signed = (Consent.SIGNED, Consent.SIGNED)
    return by, Amend(what, source.terms, source.milestones, target.terms, target.milestones, *signed)


def accept(agreement: Agreement) -> tuple[Address, Call]:
    return PAYEE, Accept(agreement.terms, agreement.milestones, Consent.EMPTY)


def successor(agreement: Agreement, now: int, number: int = 0) -> Agreement:
    """Other terms of the same parties, with fresh deadlines and another first amount."""
    salt = keccak(agreement.terms.salt + number.to_bytes(1, "big"))
    first, *rest = (replace(m, submit_by=now + 400 + i) for i, m in enumerate(agreement.milestones))
    return Agreement(replace(agreement.terms, salt=salt), (replace(first, amount=first.amount + number), *rest))


def possible_call(node: FakeNode, agreement: int, index: int, move: int, bps: int) -> tuple[Address, Call]:
    """One of the calls that the escrow may accept next; funding where nothing else can be done."""
    now, known = node.tip.time, [held.agreement for held in node.tip.world.agreements.values()]
    pool = [*AGREEMENTS, *(a for a in known if a not in AGREEMENTS)]
    chosen = pool[(agreement + move) % len(pool) if move > 30 else agreement]
    if move % 13 == 12:
        return accept(chosen)
    held = node.tip.world.agreements.get(id_of(chosen))
    if held and held.open_bits and move % 13 == 11:
        closes = held.open_bits & (move | 1 << index) or held.open_bits
        return amend(chosen, successor(chosen, now, bps % 256), closes, 1 << index, now + 1)
    state = held.open_state(index) if held else None
    if state is None:
        return fund(chosen, 1 << index)
    rows = possible(chosen.terms, chosen.milestones[index], state, node.tip.time + 1)
    work = state.deliverable24 + bytes(8)
    calls = {
        Action.SUBMIT: submit(chosen, index),
        Action.AWARD: attest(chosen, index, bps, state.attempt, work),
        Action.REJECT: attest(chosen, index, 0, state.attempt, work),
        Action.DISPUTE: dispute(chosen, index, PAYEE),
        Action.RULE: rule(chosen, index, bps),
        Action.SETTLE: settle(chosen, index),
        Action.APPROVE: approve(chosen, index),
        Action.WAIVE: waive(chosen, index),
        Action.AGREE: agree(chosen, index, bps, now + 1),
    }
    # Consent is always possible and ends everything: only where it is drawn at the very end.
    consent = [Action.APPROVE, Action.WAIVE, Action.AGREE]
    lively = [row.action for row in rows if row.action not in (*consent, Action.AMEND)]
    return calls[[*lively * 6, *consent][move % (6 * len(lively) + 3)]]


def mine(node: FakeNode, *calls: tuple[Address, Call], after: int = 12, extra: tuple[Log, ...] = ()) -> FakeBlock:
    """Mine one block in which these calls were sent; those that the escrow refuses leave no trace."""
    world, logs = node.tip.world, list(extra)
    for caller, call in calls:
        answer = step(world, Ctx(caller, node.tip.time + after), call)
        if isinstance(answer, Outcome):
            world = answer.world
            logs += [log_of(event) for event in answer.events]
    return node.mine(logs, world=world, after=after)


def must(node: FakeNode, *calls: tuple[Address, Call], after: int = 12) -> FakeBlock:
    """As `mine`, where every call must be accepted."""
    for caller, call in calls:
        answer = step(node.tip.world, Ctx(caller, node.tip.time + after), call)
        assert isinstance(answer, Outcome), answer
        node.mine([log_of(event) for event in answer.events], world=answer.world, after=after)
    return node.tip


def announced(quorum: Quorum = QUORUM) -> Log:
    """The verifier's announcement of a quorum."""
    event = Event("Announced", (quorum.hash, quorum.m, quorum.members))
    return log_of(event, "QuorumVerifier", VERIFIER)


def said_of_member(name: str, *args: Any, quorum: Quorum = QUORUM) -> Log:
    """An event of the verifier about the first member of a quorum."""
    return log_of(Event(name, (quorum.hash, quorum.members[0], *args)), "QuorumVerifier", VERIFIER)
