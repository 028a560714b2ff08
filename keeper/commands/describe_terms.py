"""What `terms check` knows, as JSON values. Pure."""

from __future__ import annotations

from typing import Any

from keeper.commands.describe import amount
from keeper.commands.terms import TermsReport
from keeper.commands.words import hex0x, rfc3339
from keeper.protocol.types import ZERO_ADDRESS


def terms_json(report: TermsReport) -> dict[str, Any]:
    """A checked terms file, everything."""
    file, terms, currency = report.file, report.file.agreement.terms, report.currency
    quorum = file.quorum
    return {
        "agreement": hex0x(report.id),
        "title": file.title,
        "chain_id": report.book.chain_id,
        "escrow": report.book.escrow,
        "payer": terms.payer,
        "payee": terms.payee,
        "arbiter": None if terms.arbiter == ZERO_ADDRESS else terms.arbiter,
        "names": dict(file.labels),
        "token": terms.token,
        "total": amount(report.total, currency),
        "fee_bps": terms.fee_bps,
        "tip": amount(terms.tip, currency),
        "review_window_s": terms.review_window,
        "challenge_window_s": terms.challenge_window,
        "ruling_window_s": terms.ruling_window,
        "unreviewed_bps": terms.unreviewed_bps,
        "unruled_bps": terms.unruled_bps,
        "quorum": {"hash": hex0x(quorum.hash), "threshold": quorum.m, "members": list(quorum.members)}
        if quorum
        else None,
        "document": hex0x(terms.document),
        "milestones": _schedule(report),
        "worst_case": _worst(report),
        "warnings": list(report.warnings),
    }


def _schedule(report: TermsReport) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "label": report.file.titles[index],
            "amount": amount(milestone.amount, report.currency),
            "submit_by": rfc3339(milestone.submit_by),
            "latest": rfc3339(report.latest[index]),
            "criteria": hex0x(milestone.criteria),
        }
        for index, milestone in enumerate(report.file.agreement.milestones)
    ]


def _worst(report: TermsReport) -> list[dict[str, Any]]:
    return [
        {
            "index": row.milestone,
            "role": row.role.value,
            "assumption": row.assumption.value,
            "receives": amount(row.receives, report.currency),
            "open_until": rfc3339(row.open_until),
            "reason": row.reason,
            "you_must": row.you_must,
        }
        for row in report.worst
    ]
