"""What has to happen before a milestone pays its payee, each with its value and who can bring it about. Pure.

The rules are docs/protocol.md section 4; the conditions stand in the order in which they are met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keeper.commands.rights import ARBITER, ATTESTERS, PAYEE, PAYER
from keeper.commands.words import Currency, money, percent, utc
from keeper.protocol.due import challenge_end, review_end, ruling_end, silence_end
from keeper.protocol.types import ZERO_ADDRESS, Milestone, MilestoneState, Status, Terms

TIME = "time"
"""Who meets a condition that only a clock can meet."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, whether it is met, its value in words and who can meet it."""

    text: str
    met: bool
    value: str
    who: str


def conditions(
    terms: Terms, milestone: Milestone, state: MilestoneState, threshold: str, currency: Currency
) -> tuple[Condition, ...]:
    """The conditions of a funded, open milestone, in order."""
    locked = Condition("the money is locked", True, money(milestone.amount, currency), PAYER)
    return (locked, _submitted(milestone, state), *_judged(terms, state, threshold), *_challenged(terms, state))


def _submitted(milestone: Milestone, state: MilestoneState) -> Condition:
    if state.status == Status.FUNDED:
        again = f", attempt {state.attempt}" if state.attempt else ""
        return Condition("the work is submitted", False, f"until {utc(milestone.submit_by)}{again}", PAYEE)
    return Condition("the work is submitted", True, f"attempt {state.attempt}", PAYEE)


def _judged(terms: Terms, state: MilestoneState, threshold: str) -> Iterator[Condition]:
    if terms.verifier == ZERO_ADDRESS:
        open_review = state.status == Status.SUBMITTED
        value = f"or silence until {utc(silence_end(terms, state))}" if open_review else "once it is submitted"
        yield Condition("the payer approves", False, value, PAYER)
        return
    text = f"{threshold} give a verdict"
    if state.status in (Status.ATTESTED, Status.DISPUTED):
        yield Condition(text, True, f"{percent(state.standing_bps)} stands", ATTESTERS)
        return
    value = f"until {utc(review_end(terms, state))}" if state.status == Status.SUBMITTED else "once it is submitted"
    yield Condition(text, False, value, ATTESTERS)


def _challenged(terms: Terms, state: MilestoneState) -> Iterator[Condition]:
    if terms.arbiter == ZERO_ADDRESS:
        return
    if state.status == Status.DISPUTED:
        yield Condition("the arbiter rules", False, f"until {utc(ruling_end(terms, state))}", ARBITER)
    elif state.status == Status.ATTESTED:
        yield Condition("nobody disputes it", False, f"until {utc(challenge_end(terms, state))}", TIME)
