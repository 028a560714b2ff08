"""`terms check` for people: what is agreed, when it ends, and the worst that can happen to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keeper.cli.tables import facts, heading, table
from keeper.commands.lint.codes import Finding, Severity
from keeper.commands.lint.draft import Skipped
from keeper.commands.terms import TermsReport, shares_in_words
from keeper.commands.words import hex0x, money, number, percent, span, utc
from keeper.commands.worst_words import HOSTILE, assumed, because, duty, way
from keeper.protocol.types import ZERO_ADDRESS
from keeper.protocol.worst_case import Assumption, Role, assumptions

if TYPE_CHECKING:
    from rich.console import Console


def print_terms(out: Console, report: TermsReport, findings: Sequence[Finding], skipped: Sequence[Skipped]) -> None:
    """The whole report."""
    out.print(f"{report.file.title}", style="bold", markup=False, soft_wrap=True)
    facts(out, _parties(report))
    heading(out, "Schedule")
    _schedule(out, report)
    heading(out, "Clocks")
    facts(out, _clocks(report))
    heading(out, "The worst that can happen")
    _worst(out, report)
    if findings:
        heading(out, "Worth a thought")
        _findings(out, findings)
    if skipped:
        heading(out, "Not checked")
        for line in _skipped(skipped):
            out.print(f"  - {line}", markup=False, soft_wrap=True)


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
    terms, decimals = report.file.agreement.terms, report.currency.decimals
    columns = ("if", f"payer gets back at least ({report.currency.symbol})", "payee gets at least")
    rows = [
        (assumed(terms, assumption), *(number(report.floors[role, assumption], decimals) for role in Role))
        for assumption in assumptions(terms)
    ]
    table(out, columns, rows, right=(1, 2))
    for line in HOSTILE:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    if len(report.latest) > 1:
        heading(out, "The same by milestone")
        _by_milestone(out, report)
    heading(out, "How it comes to that")
    for role, assumption in report.floors:
        _how(out, report, role, assumption)
    slowest = max(report.worst, key=lambda row: row.open_until)
    heading(out, f"The last second at which anything can still be open: {utc(slowest.open_until)}")
    for place, told in enumerate(way(terms, None, slowest.slowest), 1):
        out.print(f"  {place}. {told}", markup=False, soft_wrap=True)


def _by_milestone(out: Console, report: TermsReport) -> None:
    terms, decimals = report.file.agreement.terms, report.currency.decimals
    shown = [(role, assumption) for role, assumption in report.floors if assumption in _SHOWN]
    rows = []
    for index, title in enumerate(report.file.titles):
        own = {(row.role, row.assumption): row for row in report.worst if row.milestone == index}
        floors = [number(own[key].receives, decimals) for key in shown]
        rows.append((str(index), title, *floors, utc(own[shown[0]].open_until)))
    heads = [f"{role.value}, {assumed(terms, assumption)}" for role, assumption in shown]
    table(out, ("#", "milestone", *heads, "open until at most"), rows, right=range(2, 2 + len(shown)))


_SHOWN = (Assumption.ALL_HOSTILE, Assumption.ARBITER_ABSENT)


def _how(out: Console, report: TermsReport, role: Role, assumption: Assumption) -> None:
    """The way of the first milestone: the others have the same clocks and judges."""
    terms = report.file.agreement.terms
    row = next(r for r in report.worst if (r.role, r.assumption) == (role, assumption))
    out.print(f"  the {role.value}, {assumed(terms, assumption)}", style="bold", markup=False, soft_wrap=True)
    out.print(f"    {because(terms, row)}", markup=False, soft_wrap=True)
    out.print(f"    the {role.value} {duty(terms, row)}", style="dim", markup=False, soft_wrap=True)


def _findings(out: Console, findings: Sequence[Finding]) -> None:
    width = max(len(severity) for severity in Severity)
    for found in findings:
        out.print(
            f"  {found.severity.value.ljust(width)}  {found.code}: {found.sentence}", markup=False, soft_wrap=True
        )
        out.print(f"  {' ' * width}  {found.hint}", style="dim", markup=False, soft_wrap=True)


def _skipped(skipped: Sequence[Skipped]) -> list[str]:
    """Checks by the reason for which they were left out."""
    reasons: dict[str, list[str]] = {}
    for skip in skipped:
        reasons.setdefault(skip.why, []).append(skip.check)
    return [f"{', '.join(checks)}: {why}" for why, checks in reasons.items()]


def _name(report: TermsReport, address: str) -> str:
    label = {str(key): name for key, name in report.file.labels.items()}.get(address)
    return f"{label}  {address}" if label else address
