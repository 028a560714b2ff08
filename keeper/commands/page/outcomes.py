"""The page's second half: what can happen. Cases, endings, worst cases and warnings, all from the same exploration."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.commands.explain import CAUSES
from keeper.commands.lint.codes import Finding
from keeper.commands.lint.draft import Skipped
from keeper.commands.page.blocks import code, milestone, paragraph, section, table
from keeper.commands.page.cases import Ending, cases, endings
from keeper.commands.page.markup import Child, Markup, element
from keeper.commands.terms import TermsReport
from keeper.commands.words import money, number, percent, utc
from keeper.commands.worst_words import HOSTILE, assumed, duty, way
from keeper.protocol.payout import payout
from keeper.protocol.types import ZERO_ADDRESS, Cause
from keeper.protocol.worst_case import Assumption, Role, assumptions, walk_of

_TWICE = 2
"""Rejections that the table of cases shows: the second time as the first."""


def what_happens(report: TermsReport) -> Markup:
    """Every move and every ending that these terms leave."""
    terms, first = report.file.agreement.terms, report.file.agreement.milestones[0]
    walk = walk_of(terms, first, rejections=_TWICE)
    moves = [(case.where, f"{case.who} {case.does}", case.when, case.then) for case in cases(walk)]
    both = ("open", "both parties sign a split, or an amendment", "at any time", "what they signed, at once")
    ends = [_ending(report, ending) for ending in endings(walk)]
    heads = ("milestone is", "what can happen", "when", "what follows")
    money_heads = ("why the money leaves", "payee's share", "payee receives", "payer gets back", "fee", "tip")
    example = f"What each ending pays, of milestone {milestone(report, 0)}, {money(first.amount, report.currency)}"
    return section(
        "cases",
        "What happens in each case",
        paragraph(
            "Each milestone stands for itself: nothing that happens to one changes another. This is all that can "
            "happen to one under these terms; a window includes its last second."
        ),
        table("Every move", heads, [*moves, both]),
        table(example, money_heads, ends, money=(2, 3, 4, 5)),
        paragraph(
            "What a receiver's account refuses waits in the escrow as a credit, which its owner takes with ",
            code("withdraw"),
            "."
            if terms.token == ZERO_ADDRESS
            else ". A token that blocks an account can stop that account's money, and nobody else's.",
        ),
    )


def worst(report: TermsReport) -> Markup:
    """The floors, how it comes to them, and the last second."""
    terms, decimals = report.file.agreement.terms, report.currency.decimals
    told = [assumed(terms, assumption) for assumption in assumptions(terms)]
    floors = [
        (name, *(number(report.floors[role, assumption], decimals) for role in Role))
        for name, assumption in zip(told, assumptions(terms), strict=True)
    ]
    unit = report.currency.symbol
    slowest = max(report.worst, key=lambda row: row.open_until)
    return section(
        "worst",
        "The worst that can happen",
        element("ul", *(element("li", line) for line in HOSTILE)),
        table(
            f"What each side receives at least, of {money(report.total, report.currency)}",
            ("if", f"payer gets back ({unit})", f"payee gets ({unit})"),
            floors,
            money=(1, 2),
            wide=False,
        ),
        _by_milestone(report),
        element("h3", "How it comes to that"),
        paragraph("Told for the first milestone; the others have the same judges and clocks. Times are the latest."),
        *(_way(report, role, assumption) for role in Role for assumption in assumptions(terms)),
        element("h3", f"The last second at which anything can still be open: {utc(slowest.open_until)}"),
        element("ol", *(element("li", str(step)) for step in way(terms, None, slowest.slowest))),
        paragraph("This holds if anybody settles as soon as it is possible; either side can do so itself."),
    )


def warnings(findings: Sequence[Finding], skipped: Sequence[Skipped]) -> Markup:
    """What is allowed and often regretted, and what was not looked at."""
    told: list[Child] = [
        element(
            "div",
            paragraph(
                element("span", finding.severity.value.upper(), class_="tag"), " ", code(finding.code), kind="meta"
            ),
            paragraph(finding.sentence),
            paragraph("What to do: ", finding.hint, ".", kind="meta"),
            class_=f"warning {finding.severity.value}",
        )
        for finding in findings
    ]
    unseen = [element("li", f"{skip.check}: {skip.why}") for skip in skipped]
    left = [element("h3", "What was not checked"), element("ul", *unseen)] if unseen else None
    return section("warnings", "Worth a thought", told or paragraph("Nothing that the linter knows of."), left)


def _ending(report: TermsReport, ending: Ending) -> tuple[str, ...]:
    terms, amount = report.file.agreement.terms, report.file.agreement.milestones[0].amount
    most = payout(amount, ending.high, terms.fee_bps, terms.tip, ending.with_tip)
    units = (most.to_payee, most.to_payer, most.fee, most.tip)
    payee, payer, fee, tip = (number(unit, report.currency.decimals) for unit in units)
    cause = CAUSES[ending.cause]
    if ending.low == ending.high:
        return cause, percent(ending.high), payee, payer, fee, tip
    upper = [f"up to {told}" if unit else told for unit, told in zip(units, (payee, payer, fee, tip), strict=True)]
    return cause, _OPEN[ending.cause], upper[0], "the rest", upper[2], upper[3]


_OPEN = {
    Cause.ATTESTED: "as awarded",
    Cause.RULED: "as ruled",
    Cause.UNRULED: "what stood before",
    Cause.UNREVIEWED: "as agreed",
}


def _by_milestone(report: TermsReport) -> Markup | None:
    if len(report.latest) == 1:
        return None
    terms, decimals = report.file.agreement.terms, report.currency.decimals
    keys = [key for key in report.floors if key[1] in (Assumption.ALL_HOSTILE, Assumption.ARBITER_ABSENT)]
    rows = []
    for index in range(len(report.latest)):
        own = {(row.role, row.assumption): row for row in report.worst if row.milestone == index}
        floors = [number(own[key].receives, decimals) for key in keys]
        rows.append((milestone(report, index), *floors, utc(own[keys[0]].open_until)))
    heads = [f"{role.value}, {assumed(terms, assumption)}" for role, assumption in keys]
    return table(
        f"The same by milestone ({report.currency.symbol})",
        ("milestone", *heads, "open until at most"),
        rows,
        money=range(1, 1 + len(keys)),
    )


def _way(report: TermsReport, role: Role, assumption: Assumption) -> Markup:
    terms = report.file.agreement.terms
    row = next(r for r in report.worst if (r.role, r.assumption) == (role, assumption))
    heading = f"The {role.value}, {assumed(terms, assumption)}: at least {money(row.receives, report.currency)}"
    return element(
        "div",
        paragraph(element("strong", heading)),
        element("ol", *(element("li", str(step)) for step in way(terms, role, row.line))),
        paragraph(f"The {role.value} {duty(terms, row)}.", kind="meta"),
    )
