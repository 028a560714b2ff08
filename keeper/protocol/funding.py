"""What is refused at funding (docs/protocol.md section 3, Refused at funding).

The model raises the first fault in the contract's order, which is what the contract reverts with; the terms file shows
all of them. Each fault names the fields it is about, in the words of `types.py`.
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
    terms: Terms,
    milestones: tuple[Milestone, ...],
    escrow: Address,
    contracts: Container[Address] | None,
) -> Iterator[Fault]:
    """Every structural rule that terms and schedule break (docs/protocol.md section 3).

    `contracts` are the addresses with code; None skips the rules about code, which only the chain can check.
    """
    yield from count_faults(milestones)
    for index, milestone in enumerate(milestones):
        yield from amount_faults(index, milestone)
    yield from tip_faults(terms.tip, min((m.amount for m in milestones), default=0))
    yield from terms_faults(terms, escrow, contracts)


def deadline_faults(milestones: tuple[Milestone, ...], mask: int, now: int) -> Iterator[Fault]:
    """Milestones in the mask whose deadline has passed or is too far (docs/protocol.md section 3): unix seconds."""
    for index, milestone in enumerate(milestones):
        if mask >> index & 1 and not now < milestone.submit_by <= now + MAX_AHEAD:
            yield Fault(
                Refusal(Name.SUBMIT_BY_OUT_OF_RANGE, (index, milestone.submit_by)),
                (f"milestones[{index}].submit_by",),
                f"a deadline after {utc(now)} and at most {MAX_AHEAD // DAY} days ahead",
                utc(milestone.submit_by),
            )


def schedule_faults(milestones: tuple[Milestone, ...], tip: int, mask: int, now: int) -> Iterator[Fault]:
    """What is wrong with the milestones, one after another, in the contract's order; those in the mask have to be paid.

    The number of milestones is checked before.
    """
    for index, milestone in enumerate(milestones):
        yield from amount_faults(index, milestone)
        yield from tip_faults(tip, milestone.amount)
        yield from deadline_faults(milestones, mask & 1 << index, now)


def terms_faults(terms: Terms, escrow: Address, contracts: Container[Address] | None) -> Iterator[Fault]:
    """Every rule that the terms break whatever their schedule is, in the contract's order."""
    yield from _share_faults(terms)
    yield from _party_faults(terms, escrow, contracts)
    yield from _window_faults(terms)
    yield from _arbiter_faults(terms, escrow)


def utc(second: int) -> str:
    """A unix second as RFC 3339 UTC; the bare number beyond the year 9999."""
    if second > _LAST_OF_9999:
        return str(second)
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fault(name: Name, fields: tuple[str, ...], expected: str, found: Any, *others: Any) -> Fault:
    """A fault whose error carries what was found first, then what it was held against."""
    return Fault(Refusal(name, (found, *others)), fields, expected, str(found))


def count_faults(milestones: tuple[Milestone, ...]) -> Iterator[Fault]:
    """Too few milestones, or too many."""
    if not 1 <= len(milestones) <= MAX_MILESTONES:
        yield _fault(Name.BAD_MILESTONE_COUNT, ("milestones",), f"1 to {MAX_MILESTONES} milestones", len(milestones))


def amount_faults(index: int, milestone: Milestone) -> Iterator[Fault]:
    """A milestone without an amount."""
    if milestone.amount == 0:
        fields, refusal = (f"milestones[{index}].amount",), Refusal(Name.ZERO_AMOUNT, (index,))
        yield Fault(refusal, fields, "an amount above zero", "0")


def tip_faults(tip: int, amount: int) -> Iterator[Fault]:
    """A tip that is large beside an amount: the smallest counts."""
    limit = amount // 10
    if tip > limit:
        expected = f"at most a tenth of the smallest amount ({limit} token units)"
        yield _fault(Name.TIP_TOO_LARGE, ("tip", "milestones"), expected, tip, limit)


def _share_faults(terms: Terms) -> Iterator[Fault]:
    for field in BPS_FIELDS:
        if getattr(terms, field) > ALL_BPS:
            yield _fault(Name.BPS_TOO_LARGE, (field,), f"at most {ALL_BPS} bps (100 %)", getattr(terms, field))
    if (terms.fee_to != ZERO_ADDRESS) != (terms.fee_bps > 0):
        yield Fault(
            Refusal(Name.FEE_MISMATCH, (terms.fee_bps, terms.fee_to)),
            ("fee_to", "fee_bps"),
            "a receiver of the fee exactly when there is a fee",
            f"{terms.fee_bps} bps to {terms.fee_to}",
        )
    attested, arbitrated = terms.verifier != ZERO_ADDRESS, terms.arbiter != ZERO_ADDRESS
    if terms.unreviewed_bps > 0 and not arbitrated:
        fields, expected = ("unreviewed_bps", "arbiter"), "0 without an arbiter"
        yield _fault(Name.UNREVIEWED_SHARE_WITHOUT_ARBITER, fields, expected, terms.unreviewed_bps)
    if terms.unruled_bps > 0 and (attested or not arbitrated):
        yield _fault(
            Name.UNRULED_SHARE_NOT_APPLICABLE,
            ("unruled_bps", "arbiter", "verifier"),
            "0 unless there is an arbiter and no verifier",
            terms.unruled_bps,
        )


def _party_faults(terms: Terms, escrow: Address, contracts: Container[Address] | None) -> Iterator[Fault]:
    parties = {"payer": terms.payer, "payee": terms.payee}
    refusal = Refusal(Name.BAD_PARTIES, (terms.payer, terms.payee))
    for field, address in parties.items():
        if address == ZERO_ADDRESS:
            yield Fault(refusal, (field,), "a party that is not the zero address", address)
    if terms.payer == terms.payee:
        yield Fault(refusal, ("payee", "payer"), "a payee other than the payer", terms.payee)
    for field, address in {**parties, "fee_to": terms.fee_to}.items():
        yield from _forbidden_faults(field, address, terms.token, escrow)
    attested = terms.verifier != ZERO_ADDRESS
    if attested != (terms.quorum != ZERO32):
        yield Fault(
            Refusal(Name.VERIFIER_MISMATCH, (terms.verifier, terms.quorum)),
            ("verifier", "quorum"),
            "a verifier and a quorum, or neither",
            f"verifier {terms.verifier}, quorum 0x{terms.quorum.hex()}",
        )
    if contracts is None:
        return
    if attested and terms.verifier not in contracts:
        yield _fault(Name.NO_CODE, ("verifier",), "a verifier with code", terms.verifier)
    if terms.token != ZERO_ADDRESS and terms.token not in contracts:
        yield _fault(Name.NO_CODE, ("token",), "a token with code", terms.token)
    if terms.arbiter_hook and terms.arbiter not in contracts:
        fields = ("arbiter_hook", "arbiter")
        yield _fault(Name.NO_CODE, fields, "a hook only with code at the arbiter", terms.arbiter)


def _forbidden_faults(field: str, address: Address, token: Address, escrow: Address) -> Iterator[Fault]:
    if address != ZERO_ADDRESS and address in (escrow, token):
        expected = "an address that is neither the escrow nor the token"
        yield _fault(Name.FORBIDDEN_ADDRESS, (field, "token"), expected, address)


def _window_faults(terms: Terms) -> Iterator[Fault]:
    attested, arbitrated = terms.verifier != ZERO_ADDRESS, terms.arbiter != ZERO_ADDRESS
    if terms.review_window == 0:
        refusal = Refusal(Name.ZERO_REVIEW_WINDOW)
        yield Fault(refusal, ("review_window",), "a review window above zero", "0")
    if (terms.ruling_window > 0) != arbitrated:
        yield _fault(
            Name.RULING_WINDOW_MISMATCH,
            ("ruling_window", "arbiter"),
            "a ruling window above zero exactly when there is an arbiter",
            terms.ruling_window,
            terms.arbiter,
        )
    if (terms.challenge_window > 0) != (attested and arbitrated):
        yield _fault(
            Name.CHALLENGE_WINDOW_MISMATCH,
            ("challenge_window", "verifier", "arbiter"),
            "a challenge window above zero exactly when there are both a verifier and an arbiter",
            terms.challenge_window,
            terms.verifier,
            terms.arbiter,
        )
    for field in WINDOW_FIELDS:
        if getattr(terms, field) > MAX_WINDOW:
            expected = f"at most {MAX_WINDOW // DAY} days"
            yield _fault(Name.WINDOW_TOO_LONG, (field,), expected, getattr(terms, field), MAX_WINDOW)


def _arbiter_faults(terms: Terms, escrow: Address) -> Iterator[Fault]:
    yield from _forbidden_faults("arbiter", terms.arbiter, terms.token, escrow)
    if terms.arbiter != ZERO_ADDRESS and terms.arbiter in (terms.payer, terms.payee, terms.fee_to):
        fields = ("arbiter", "payer", "payee", "fee_to")
        expected = "an arbiter that is neither party nor receives the fee"
        yield _fault(Name.ARBITER_NOT_INDEPENDENT, fields, expected, terms.arbiter)
