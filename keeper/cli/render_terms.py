"""`terms check` for people: what is agreed, when it ends, and the worst that can happen to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keeper.cli.tables import facts, heading, table
from keeper.commands.terms import TermsReport, shares_in_words
from keeper.commands.words import hex0x, money, number, percent, span, utc
from keeper.protocol.types import ZERO_ADDRESS
from keeper.protocol.worst_case import Assumption, Role

if TYPE_CHECKING:
    from rich.console import Console


def print_terms(out: Console, report: TermsReport) -> None:
    """The whole report."""
    out.print(f"{report.file.title}", style="bold", markup=False, soft_wrap=True)
    facts(out, _parties(report))
    heading(out, "Schedule")
    _schedule(out, report)
    heading(out, "Clocks")
    facts(out, _clocks(report))
    heading(out, "The worst that can happen")
    _worst(out, report)
    if report.warnings:
        heading(out, "Worth a thought")
        for warning in report.warnings:
            out.print(f"  - {warning}", markup=False, soft_wrap=True)


def _parties(report: TermsReport) -> list[tuple[str, str]]:
    terms, quorum = report.file.agreement.terms, report.file.quorum
    rows = [
        ("agreement", hex0x(report.id)),
        ("on", f"chain {report.book.chain_id}, escrow {report.book.escrow}"),
        ("payer", _name(report, terms.payer)),
        ("payee", _name(report, terms.payee)),
        ("arbiter", _name(report, terms.arbiter) if terms.arbiter != ZERO_ADDRESS else "none: no disputes"),
        ("total", money(report.total, report.currency)),
    ]
    if terms.fee_bps:
        rows.append(("fee", f"{percent(terms.fee_bps)} of what the payee gets, to {_name(report, terms.fee_to)}"))
    if terms.tip:
        rows.append(("tip", f"{money(terms.tip, report.currency)} to whoever sends the call that pays out"))
    if quorum is None:
        rows.append(("attesters", "none: the payer approves, or a clock decides"))
    else:
        rows.append(("attesters", f"any {quorum.m} of these {len(quorum.members)}"))
        rows += [("", _name(report, member)) for member in quorum.members]
    return rows


def _schedule(out: Console, report: TermsReport) -> None:
    milestones = enumerate(report.file.agreement.milestones)
    rows = [
        (
            str(index),
            report.file.titles[index],
            number(m.amount, report.currency.decimals),
            utc(m.submit_by),
            utc(report.latest[index]),
        )
        for index, m in milestones
    ]
    columns = ("#", "milestone", f"amount ({report.currency.symbol})", "submit by", "settled for sure by")
    table(out, columns, rows, right=(2,))


def _clocks(report: TermsReport) -> list[tuple[str, str]]:
    terms = report.file.agreement.terms
    rows = [("review", f"{span(terms.review_window)} after a submission")]
    if terms.challenge_window:
        rows.append(("challenge", f"{span(terms.challenge_window)} after a verdict, or after a review nobody gave"))
    if terms.ruling_window:
        rows.append(("ruling", f"{span(terms.ruling_window)} after a dispute"))
    return [*rows, ("silence", shares_in_words(terms))]


def _worst(out: Console, report: TermsReport) -> None:
    rows = [
        (role.value, f"if {assumption.value}", _sum(report, role, assumption), reason, must)
        for role in Role
        for assumption in Assumption
        for reason, must in [_why(report, role, assumption)]
    ]
    columns = ("who", "assuming", f"receives at least ({report.currency.symbol})", "because", "if it only does")
    table(out, columns, rows, right=(2,))


def _sum(report: TermsReport, role: Role, assumption: Assumption) -> str:
    total = sum(row.receives for row in report.worst if row.role == role and row.assumption == assumption)
    return number(total, report.currency.decimals)


def _why(report: TermsReport, role: Role, assumption: Assumption) -> tuple[str, str]:
    """Reason and duty follow from the terms alone, so every milestone of a file has the same."""
    row = next(r for r in report.worst if r.role == role and r.assumption == assumption)
    return row.reason, row.you_must


def _name(report: TermsReport, address: str) -> str:
    label = {str(key): name for key, name in report.file.labels.items()}.get(address)
    return f"{label}  {address}" if label else address
