"""What `terms check` knows, as JSON values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keeper.commands.describe import amount
from keeper.commands.lint.codes import Finding
from keeper.commands.lint.draft import Skipped
from keeper.commands.terms import TermsReport
from keeper.commands.words import hex0x, rfc3339
from keeper.commands.worst_words import Told, because, duty, way
from keeper.protocol.types import ZERO_ADDRESS
from keeper.protocol.worst_case import WorstCase


def terms_json(report: TermsReport, findings: Sequence[Finding], skipped: Sequence[Skipped]) -> dict[str, Any]:
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
        "worst_case": [_worst(report, row) for row in report.worst],
        "worst_total": _totals(report),
        "warnings": [_finding(finding) for finding in findings],
        "skipped": [{"check": skip.check, "why": skip.why} for skip in skipped],
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


def _worst(report: TermsReport, row: WorstCase) -> dict[str, Any]:
    terms = report.file.agreement.terms
    return {
        "index": row.milestone,
        "role": row.role.value,
        "assumption": row.assumption.value,
        "receives": amount(row.receives, report.currency),
        "open_until": rfc3339(row.open_until),
        "reason": because(terms, row),
        "you_must": duty(terms, row),
        "way": [_told(told) for told in way(terms, row.role, row.line)],
        "slowest": [_told(told) for told in way(terms, None, row.slowest)],
    }


def _told(told: Told) -> dict[str, Any]:
    return {"text": told.text, "at": rfc3339(told.at), "settles": told.settles}


def _totals(report: TermsReport) -> list[dict[str, Any]]:
    return [
        {
            "role": role.value,
            "assumption": assumption.value,
            "receives": amount(units, report.currency),
            "open_until": rfc3339(report.open_until),
        }
        for (role, assumption), units in report.floors.items()
    ]


def _finding(finding: Finding) -> dict[str, Any]:
    found = {"code": finding.code, "severity": finding.severity.value}
    milestone = {} if finding.milestone is None else {"milestone": finding.milestone}
    return {**found, **milestone, "sentence": finding.sentence, "hint": finding.hint}
