"""What is refused at funding (docs/protocol.md section 3, Refused at funding).

The model raises the first fault; the terms file shows all of them. Each fault names the fields it is about, in the
words of `types.py`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keeper.protocol.refusals import Name, Refusal
from keeper.protocol.types import (
    ALL_BPS,
    DAY,
    MAX_AHEAD,
    MAX_MILESTONES,
    MAX_WINDOW,
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Milestone,
    Terms,
)

BPS_FIELDS = ("unreviewed_bps", "unruled_bps", "fee_bps")
_LAST_OF_9999 = 253_402_300_799
WINDOW_FIELDS = ("review_window", "challenge_window", "ruling_window")


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule: the contract's error, the fields involved (the first is the one to mend), and words."""

    refusal: Refusal
    fields: tuple[str, ...]
    expected: str
    found: str


def structural_faults(
    terms: Terms, milestones: tuple[Milestone, ...], escrow: Address, contracts: Container[Address] | None
) -> Iterator[Fault]:
    """Every structural rule that terms and schedule break (docs/protocol.md section 3).

    `contracts` are the addresses with code; None skips the rules about code, which only the chain can check.
    """
    yield from _schedule_faults(milestones)
    yield from _party_faults(terms, escrow)
    yield from _money_faults(terms, milestones)
    yield from _clock_faults(terms)
    yield from _silence_faults(terms)
    if contracts is not None:
        yield from _code_faults(terms, contracts)


def deadline_faults(milestones: tuple[Milestone, ...], mask: int, now: int) -> Iterator[Fault]:
    """Milestones in the mask whose deadline has passed or is too far (docs/protocol.md section 3): unix seconds."""
    for index, milestone in enumerate(milestones):
        if mask >> index & 1 and not now < milestone.submit_by <= now + MAX_AHEAD:
            yield Fault(
                Refusal(Name.BAD_DEADLINE, (milestone.submit_by,)),
                (f"milestones[{index}].submit_by",),
                f"a deadline after {utc(now)} and at most {MAX_AHEAD // DAY} days ahead",
                utc(milestone.submit_by),
            )


def utc(second: int) -> str:
    """A unix second as RFC 3339 UTC; the bare number beyond the year 9999."""
    if second > _LAST_OF_9999:
        return str(second)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fault(name: Name, fields: tuple[str, ...], expected: str, found: Any) -> Fault:
    return Fault(Refusal(name, (found,)), fields, expected, str(found))


def _schedule_faults(milestones: tuple[Milestone, ...]) -> Iterator[Fault]:
    if not 1 <= len(milestones) <= MAX_MILESTONES:
        yield _fault(Name.BAD_MILESTONE_COUNT, ("milestones",), f"1 to {MAX_MILESTONES} milestones", len(milestones))
    for index, milestone in enumerate(milestones):
        if milestone.amount == 0:
            yield _fault(Name.ZERO_AMOUNT, (f"milestones[{index}].amount",), "an amount above zero", 0)


def _party_faults(terms: Terms, escrow: Address) -> Iterator[Fault]:
    parties = {"payer": terms.payer, "payee": terms.payee}
    for field, address in parties.items():
        if address == ZERO_ADDRESS:
            yield _fault(Name.ZERO_PARTY, (field,), "a party that is not the zero address", address)
    if terms.payer == terms.payee:
        yield _fault(Name.SAME_PARTY, ("payee", "payer"), "a payee other than the payer", terms.payee)
    named = {**parties, "fee_to": terms.fee_to, "arbiter": terms.arbiter}
    for field, address in named.items():
        if address != ZERO_ADDRESS and address in (escrow, terms.token):
            expected = "an address that is neither the escrow nor the token"
            yield _fault(Name.RESERVED_ADDRESS, (field, "token"), expected, address)
    if terms.arbiter != ZERO_ADDRESS and terms.arbiter in (terms.payer, terms.payee, terms.fee_to):
        fields = ("arbiter", "payer", "payee", "fee_to")
        expected = "an arbiter that is neither party nor receives the fee"
        yield _fault(Name.ARBITER_NOT_INDEPENDENT, fields, expected, terms.arbiter)


def _money_faults(terms: Terms, milestones: tuple[Milestone, ...]) -> Iterator[Fault]:
    for field in BPS_FIELDS:
        if getattr(terms, field) > ALL_BPS:
            yield _fault(Name.BAD_BPS, (field,), f"at most {ALL_BPS} bps (100 %)", getattr(terms, field))
    if (terms.fee_to != ZERO_ADDRESS) != (terms.fee_bps > 0):
        expected = "a receiver of the fee exactly when there is a fee"
        found = f"{terms.fee_bps} bps to {terms.fee_to}"
        yield _fault(Name.FEE_WITHOUT_RECEIVER, ("fee_to", "fee_bps"), expected, found)
    smallest = min((m.amount for m in milestones), default=0)
    if terms.tip * 10 > smallest:
        expected = f"at most a tenth of the smallest amount ({smallest // 10} token units)"
        yield _fault(Name.TIP_TOO_HIGH, ("tip", "milestones"), expected, terms.tip)


def _clock_faults(terms: Terms) -> Iterator[Fault]:
    attested, arbitrated = terms.verifier != ZERO_ADDRESS, terms.arbiter != ZERO_ADDRESS
    if attested != (terms.quorum != ZERO32):
        found = f"verifier {terms.verifier}, quorum 0x{terms.quorum.hex()}"
        expected = "a verifier and a quorum, or neither"
        yield _fault(Name.VERIFIER_WITHOUT_QUORUM, ("verifier", "quorum"), expected, found)
    if terms.review_window == 0:
        yield _fault(Name.BAD_REVIEW_WINDOW, ("review_window",), "a review window above zero", 0)
    if (terms.challenge_window > 0) != (attested and arbitrated):
        yield _fault(
            Name.BAD_CHALLENGE_WINDOW,
            ("challenge_window", "verifier", "arbiter"),
            "a challenge window above zero exactly when there are both a verifier and an arbiter",
            terms.challenge_window,
        )
    if (terms.ruling_window > 0) != arbitrated:
        yield _fault(
            Name.BAD_RULING_WINDOW,
            ("ruling_window", "arbiter"),
            "a ruling window above zero exactly when there is an arbiter",
            terms.ruling_window,
        )
    for field in WINDOW_FIELDS:
        if getattr(terms, field) > MAX_WINDOW:
            expected = f"at most {MAX_WINDOW // DAY} days"
            yield _fault(Name.WINDOW_TOO_LONG, (field,), expected, getattr(terms, field))


def _silence_faults(terms: Terms) -> Iterator[Fault]:
    attested, arbitrated = terms.verifier != ZERO_ADDRESS, terms.arbiter != ZERO_ADDRESS
    if terms.unreviewed_bps > 0 and not arbitrated:
        expected = "0 without an arbiter"
        yield _fault(Name.BAD_UNREVIEWED_SHARE, ("unreviewed_bps", "arbiter"), expected, terms.unreviewed_bps)
    if terms.unruled_bps > 0 and (attested or not arbitrated):
        yield _fault(
            Name.BAD_UNRULED_SHARE,
            ("unruled_bps", "arbiter", "verifier"),
            "0 unless there is an arbiter and no verifier",
            terms.unruled_bps,
        )


def _code_faults(terms: Terms, contracts: Container[Address]) -> Iterator[Fault]:
    if terms.verifier != ZERO_ADDRESS and terms.verifier not in contracts:
        yield _fault(Name.VERIFIER_WITHOUT_CODE, ("verifier",), "a verifier with code", terms.verifier)
    if terms.arbiter_hook and terms.arbiter not in contracts:
        fields = ("arbiter_hook", "arbiter")
        yield _fault(Name.HOOK_WITHOUT_CODE, fields, "a hook only with code at the arbiter", terms.arbiter)
