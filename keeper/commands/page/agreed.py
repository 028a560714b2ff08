"""The page's first half: what was agreed. Parties, money, schedule, what counts as done."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.commands.page.blocks import code, milestone, pairs, paragraph, section, table, who
from keeper.commands.page.drawing import clocks, legend, schedule
from keeper.commands.page.markup import Child, Markup, element
from keeper.commands.terms import TermsReport, shares_in_words
from keeper.commands.words import hex0x, money, percent, utc
from keeper.errors import MilepostError
from keeper.protocol.documents import Criteria, EpcisSource, GithubCheckRuns, parse_criteria
from keeper.protocol.types import DAY, ZERO_ADDRESS


def parties(report: TermsReport) -> Markup:
    """Who is who."""
    terms, quorum = report.file.agreement.terms, report.file.quorum
    rows: list[tuple[str, Child]] = [
        ("Payer", who(report, terms.payer)),
        ("Payee", who(report, terms.payee)),
        ("Arbiter", who(report, terms.arbiter) if terms.arbiter != ZERO_ADDRESS else "none: there are no disputes"),
    ]
    if terms.verifier == ZERO_ADDRESS:
        rows.append(("Attesters", "none: the payer approves, or a clock decides"))
    elif quorum is None:
        rows.append(("Attesters", ["whoever the verifier accepts for the quorum ", code(hex0x(terms.quorum))]))
    else:
        members = [element("li", *who(report, member)) for member in quorum.members]
        rows.append((f"Attesters, any {quorum.m} of {len(members)}", element("ul", *members)))
    if terms.verifier != ZERO_ADDRESS:
        rows.append(("Verifier, which checks their signatures", who(report, terms.verifier)))
    where = f", on chain {report.book.chain_id}"
    rows.append(("Escrow, the contract that holds the money", [code(report.book.escrow), where]))
    named = "Names are as the terms file or the deployment gives them; only the addresses count."
    hook = "The arbiter is a contract that is called on every dispute and may refuse it."
    told = paragraph(hook) if terms.arbiter_hook else None
    return section("parties", "Who", pairs("The parties, and who judges", rows), told, paragraph(named, kind="meta"))


def price(report: TermsReport) -> Markup:
    """How much, in what, less what."""
    terms, currency = report.file.agreement.terms, report.currency
    native = terms.token == ZERO_ADDRESS
    rows: list[tuple[str, Child]] = [
        ("In all", money(report.total, currency)),
        ("Paid in", "the chain's native currency" if native else who(report, terms.token)),
        ("Counted with", f"{currency.decimals} decimals"),
    ]
    if terms.fee_bps:
        rows.append((f"Fee, {percent(terms.fee_bps)} of what the payee gets", who(report, terms.fee_to)))
    else:
        rows.append(("Fee", "none"))
    tip = f"{money(terms.tip, currency)} of each payout, out of the payee's share, to whoever sends the call that pays"
    rows.append(("Tip", tip if terms.tip else "none"))
    told = (
        "The payer locks the money before the work begins. It leaves the escrow once for each milestone, and only so:"
    )
    return section(
        "money",
        "How much",
        paragraph(told, " ", element("a", "see every way", href="#cases"), "."),
        pairs("The money", rows),
    )


def timetable(report: TermsReport, now: int | None) -> Markup:
    """When: table and drawings."""
    file, terms = report.file, report.file.agreement.terms
    rows = [
        (milestone(report, index), money(m.amount, report.currency), utc(m.submit_by), utc(report.latest[index]))
        for index, m in enumerate(file.agreement.milestones)
    ]
    heads = ("milestone", "amount", "submit at the latest", "can be settled for sure from")
    drawn = element(
        "figure",
        element(
            "div",
            schedule(terms, file.agreement.milestones, file.titles, _start(report, now)),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label="The schedule, drawn",
        ),
        element("figcaption", legend(terms)),
    )
    clock = element(
        "figure",
        element("div", clocks(terms), class_="scroll", tabindex=0, role="region", aria_label="The clocks, drawn"),
        element("figcaption", f"The clocks at their longest. {shares_in_words(terms).capitalize()}."),
    )
    return section("schedule", "When", table("The schedule, all times UTC", heads, rows, money=(1,)), drawn, clock)


def done(report: TermsReport) -> Markup:
    """What counts as done, milestone by milestone."""
    told: list[Child] = []
    for index, m in enumerate(report.file.agreement.milestones):
        told.append(element("h3", f"Milestone {milestone(report, index)}"))
        envelope = report.file.documents.get(m.criteria)
        criteria = _criteria(envelope.content) if envelope else None
        told.append(_fulfilled(criteria) if criteria else paragraph("The criteria document is not known here."))
        told.append(paragraph("Document: ", code(hex0x(m.criteria)), kind="meta"))
    intro = "The attesters judge by the document that each milestone names by its hash. In words it asks for this:"
    judged = report.file.agreement.terms.verifier != ZERO_ADDRESS
    return section("done", "What counts as done", paragraph(intro) if judged else None, *told)


def _criteria(content: bytes) -> Criteria | None:
    try:
        return parse_criteria(content)
    except MilepostError:
        return None  # a document of another kind: its hash is shown


def _fulfilled(criteria: Criteria) -> Markup:
    count = len(criteria.sources)
    agree = "all" if criteria.rule.agree == count else f"at least {criteria.rule.agree}"
    wanted = "the source below shows" if count == 1 else f"{agree} of these {count} sources show"
    final = " The attesters may say so before anything is submitted, also for a part." if criteria.final else ""
    pays = f" Then {percent(criteria.payout_bps)} of the milestone is awarded.{final}"
    listed = [element("li", *_source(source)) for source in criteria.sources]
    return element(
        "div",
        paragraph(element("strong", criteria.title), f": done when {wanted} what is expected.", pays),
        element("ul", *listed),
    )


def _source(source: GithubCheckRuns | EpcisSource) -> Iterator[Child]:
    yield element("strong", source.name)
    if isinstance(source, GithubCheckRuns):
        yield f" (build results): the checks {', '.join(source.checks)} of the delivered commit all succeeded, at "
    else:
        yield f" (shipment events): an event “{source.biz_step}” with the condition “{source.disposition}” for "
        yield code(source.epc)
        yield ", at "
    yield code(source.url)


def _start(report: TermsReport, now: int | None) -> int:
    """Where the drawing begins: now, or some time before the first deadline."""
    deadlines = [m.submit_by for m in report.file.agreement.milestones]
    length = max(max(deadlines) - min(deadlines), 7 * DAY)
    return min(deadlines) - length // 2 if now is None else min(now, min(deadlines))
