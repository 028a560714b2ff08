"""The whole page."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.commands.lint.codes import Finding
from keeper.commands.lint.draft import Skipped
from keeper.commands.page.agreed import done, parties, price, timetable
from keeper.commands.page.blocks import code, paragraph
from keeper.commands.page.markup import Markup, element
from keeper.commands.page.outcomes import warnings, what_happens, worst
from keeper.commands.page.proof import documents, exactly, glossary
from keeper.commands.page.style import STYLE
from keeper.commands.terms import TermsReport
from keeper.commands.words import hex0x, money, utc

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Nothing is loaded and nothing runs, even if an escape were missing somewhere."""
_CONTENTS = (
    ("parties", "Who"),
    ("money", "How much"),
    ("schedule", "When"),
    ("done", "What counts as done"),
    ("cases", "What happens in each case"),
    ("worst", "The worst that can happen"),
    ("warnings", "Worth a thought"),
    ("words", "Words"),
    ("exact", "Exactly, and how to check it"),
    ("documents", "The documents"),
)


def page(report: TermsReport, findings: Sequence[Finding], skipped: Sequence[Skipped], now: int | None) -> str:
    """The agreement as HTML for people; `now` is the chain's clock, unix seconds, where a node was asked."""
    title = report.file.title or "Agreement"
    body = element(
        "main",
        element(
            "header",
            element("h1", title),
            paragraph("Agreement ", code(hex0x(report.id)), kind="meta"),
            _lead(report),
            paragraph(_as_of(now), kind="meta"),
        ),
        element("nav", element("ol", *(_entry(anchor, name) for anchor, name in _CONTENTS)), aria_label="Contents"),
        parties(report),
        price(report),
        timetable(report, now),
        done(report),
        what_happens(report),
        worst(report),
        warnings(findings, skipped),
        glossary(),
        exactly(report),
        documents(report),
    )
    return "<!doctype html>\n" + element("html", _head(title), element("body", body), lang="en").text + "\n"


def _head(title: str) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{title}: the agreement explained"),
        Markup(f"<style>{STYLE}</style>"),
    )


def _lead(report: TermsReport) -> Markup:
    terms, labels = report.file.agreement.terms, report.file.labels
    payer, payee = labels.get(terms.payer, "The payer"), labels.get(terms.payee, "the payee")
    count = len(report.file.agreement.milestones)
    parts = "one milestone" if count == 1 else f"{count} milestones"
    return paragraph(
        f"{payer} locks {money(report.total, report.currency)} for {payee}, to be paid for {parts}. Whatever anybody "
        f"does or leaves undone, none of it can stay locked after {utc(report.open_until)}, as long as somebody "
        "settles what is due.",
        kind="lead",
    )


def _as_of(now: int | None) -> str:
    made = "Made by milepost terms explain. It explains the terms and binds nobody; the values at its end do."
    return f"{made} Warnings are as of {utc(now)}." if now is not None else made


def _entry(anchor: str, name: str) -> Markup:
    return element("li", element("a", name, href=f"#{anchor}"))
