"""The worst that can happen to each party, in numbers and words, before anything is signed or funded.

Each promise holds under its stated assumption, for a milestone that was funded in time, for a party that does what
`you_must` says, keeps its key and gives nothing away (no approval, no waiver, no signature under a split or an
amendment), on a chain that includes its transactions, and for a token that pays what it
returns. A push that fails still counts: it waits as a credit of its owner (docs/protocol.md sections 2 and 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from keeper.protocol.due import latest
from keeper.protocol.payout import payout
from keeper.protocol.types import ZERO_ADDRESS, Agreement, Bps, Milestone, Terms

NOTHING = "nothing: this floor holds if you only give nothing away"


class Role(StrEnum):
    PAYER = "payer"
    PAYEE = "payee"


class Assumption(StrEnum):
    """What is assumed of everybody but the party itself."""

    ALL_HOSTILE = "everyone else hostile"
    """Counterparty, quorum and arbiter act together against the party."""
    JUDGES_SILENT = "quorum and arbiter silent"
    """No verdict, no ruling; the counterparty still does what hurts most."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """One promise about one milestone: `role` receives at least `receives` token units of `amount`."""

    milestone: int
    role: Role
    assumption: Assumption
    amount: int
    receives: int
    open_until: int
    """Unix seconds: the last second at which the milestone can still be open, if anyone (the party itself will do)
    calls `settle` as soon as it is ready."""
    reason: str
    you_must: str


def worst_case(agreement: Agreement) -> tuple[WorstCase, ...]:
    """Four rows a milestone: each party under each assumption (docs/protocol.md sections 2 and 4).

    The terms are taken to pass the funding rules of docs/protocol.md section 3.
    """
    return tuple(
        _row(agreement.terms, index, milestone, role, assumption)
        for index, milestone in enumerate(agreement.milestones)
        for role in Role
        for assumption in Assumption
    )


def _row(terms: Terms, index: int, milestone: Milestone, role: Role, assumption: Assumption) -> WorstCase:
    hostile = assumption == Assumption.ALL_HOSTILE
    if role == Role.PAYER:
        receives, reason = _payer_hostile(terms, milestone) if hostile else _payer_silent(terms, milestone)
    else:
        receives, reason = (0, _payee_hostile(terms)) if hostile else _payee_silent(terms, milestone)
    return WorstCase(
        milestone=index,
        role=role,
        assumption=assumption,
        amount=milestone.amount,
        receives=receives,
        open_until=latest(terms, milestone) - 1,
        reason=reason,
        you_must=_duty(terms, role, hostile),
    )


def _payer_hostile(terms: Terms, milestone: Milestone) -> tuple[int, str]:
    """Whoever judges can award everything; without judges only the payer's own approval pays."""
    if terms.verifier != ZERO_ADDRESS and terms.arbiter != ZERO_ADDRESS:
        return 0, "a colluding quorum awards everything, and the arbiter lets it stand"
    if terms.verifier != ZERO_ADDRESS:
        return 0, "a colluding quorum awards everything, at once and for good: there is no arbiter"
    if terms.arbiter != ZERO_ADDRESS:
        return 0, "the payee submits anything, disputes, and the arbiter rules everything to it"
    return milestone.amount, "there are no judges: only your own approval pays the payee"


def _payee_hostile(terms: Terms) -> str:
    """Zero in every case: without an arbiter the share of silence is 0 (docs/protocol.md section 3)."""
    if terms.verifier != ZERO_ADDRESS and terms.arbiter != ZERO_ADDRESS:
        return "a colluding quorum rejects everything, and the arbiter rules nothing to you"
    if terms.verifier != ZERO_ADDRESS:
        return "a colluding quorum rejects everything, and there is no arbiter to turn to"
    if terms.arbiter != ZERO_ADDRESS:
        return "the payer disputes every submission, and the arbiter rules nothing to you"
    return "there are no judges: the payer does not approve, and silence refunds it"


def _silent_bps(terms: Terms) -> Bps:
    """The payee's share when it submits in time and no judge ever speaks (docs/protocol.md section 4).

    With a verifier a dispute changes nothing. With an arbiter alone, whoever gains by it disputes, so the share of
    an unruled dispute is what both can count on. Without either silence refunds.
    """
    if terms.verifier == ZERO_ADDRESS and terms.arbiter != ZERO_ADDRESS:
        return terms.unruled_bps
    return terms.unreviewed_bps


def _payer_silent(terms: Terms, milestone: Milestone) -> tuple[int, str]:
    bps = _silent_bps(terms)
    refund = payout(milestone.amount, bps, terms.fee_bps, terms.tip, with_tip=True).to_payer
    if bps == 0:
        return refund, "silence refunds you"
    return refund, f"the payee submits anything in time, and silence awards it {_percent(bps)}"


def _payee_silent(terms: Terms, milestone: Milestone) -> tuple[int, str]:
    bps = _silent_bps(terms)
    paid = payout(milestone.amount, bps, terms.fee_bps, terms.tip, with_tip=True).to_payee
    if bps == 0:
        return paid, "silence refunds the payer, even if you delivered"
    return paid, f"silence awards you {_percent(bps)}, less the fee and the tip of whoever settles"


def _duty(terms: Terms, role: Role, hostile: bool) -> str:
    if hostile:
        return NOTHING
    by_dispute = terms.verifier == ZERO_ADDRESS and terms.unreviewed_bps != terms.unruled_bps
    if role == Role.PAYEE:
        if _silent_bps(terms) == 0:
            return NOTHING
        gains = by_dispute and terms.unruled_bps > terms.unreviewed_bps
        dispute = ", and dispute before the review window ends" if gains else ""
        return "submit by the deadline" + dispute
    gains = by_dispute and terms.unreviewed_bps > terms.unruled_bps
    return "dispute a submission before its review window ends" if gains else NOTHING


def _percent(bps: Bps) -> str:
    return f"{bps // 100}.{bps % 100:02d} %"
