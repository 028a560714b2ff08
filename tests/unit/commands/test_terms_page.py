"""The page: whole, harmless whatever strangers write, drawn for every schedule, and true to the exploration."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lint_stage import DAY, ESCROW, NO_ARBITER, NO_VERIFIER, NOBODY, NOW, PAYEE, PAYER, criteria, draft, file_of, salt

from keeper.commands.lint.draft import Draft
from keeper.commands.lint.linter import lint
from keeper.commands.page.cases import cases, endings
from keeper.commands.page.markup import element, visible
from keeper.commands.page.page import page
from keeper.commands.page.proof import cast_command
from keeper.commands.page.style import STYLE
from keeper.commands.words import hex0x, number, utc
from keeper.protocol.documents import Envelope
from keeper.protocol.types import Cause, Milestone
from keeper.protocol.worst_case import walk_of

VOID = {"br", "meta", "hr", "col"}
EVIL = "\"><script>alert(1)</script><img src=x onerror='alert(2)'> &amp; <b>bold"


class Seen(HTMLParser):
    """What a browser would make of the page: elements with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements are nested"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def written(one: Draft) -> str:
    return page(one.report, lint(one), one.skipped, one.now)


PLAIN = written(draft())


def test_it_is_whole_and_needs_nothing_else() -> None:
    seen = Seen(PLAIN)
    tags = {tag for tag, _ in seen.elements}
    links = [value for _, attrs in seen.elements for name, value in attrs.items() if name in ("href", "src", "action")]

    assert PLAIN.startswith('<!doctype html>\n<html lang="en">')
    assert tags.isdisjoint({"script", "iframe", "object", "embed", "link", "img", "form", "base"})
    assert links
    assert all(link and link.startswith("#") for link in links)
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    policy = next(a["content"] for t, a in seen.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy
    assert policy.startswith("default-src 'none'")


def test_contents_lead_to_headings_and_no_name_is_given_twice() -> None:
    seen = Seen(PLAIN)
    ids = [attrs["id"] for _, attrs in seen.elements if "id" in attrs]

    assert len(ids) == len(set(ids))
    for tag, attrs in seen.elements:
        if tag == "a":
            assert (attrs["href"] or "")[1:] in ids


def evil_draft() -> Draft:
    """Every text that a stranger can write, hostile."""
    paper = criteria(0).content.replace(b"Part 0", EVIL.replace('"', "'").encode())
    return draft(
        title=EVIL,
        titles=(EVIL, EVIL),
        symbol=EVIL,
        text=Envelope(salt(3), "text/markdown", EVIL.encode() + "\u202e</pre>\x07".encode()),
        papers=(Envelope(salt(4), "application/json", paper), criteria(1)),
    )


def test_what_strangers_write_stays_text() -> None:
    one = evil_draft()
    one.report.file.labels.update({PAYER: EVIL, PAYEE: "</title><script>"})
    seen, plain = Seen(written(one)), Seen(PLAIN)

    assert {tag for tag, _ in seen.elements} == {tag for tag, _ in plain.elements}
    assert not any(name.startswith("on") for _, attrs in seen.elements for name in attrs)
    assert "<script>alert(1)</script>" in seen.text
    assert "</title><script>" in seen.text


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_no_text_gets_out_of_its_element(inside: str, attribute: str) -> None:
    seen = Seen(element("p", inside, class_=attribute).text)

    assert [tag for tag, _ in seen.elements] == ["p"]
    assert set(seen.elements[0][1]) == {"class"}


def test_characters_that_nobody_sees_are_written_out() -> None:
    assert visible("pay\u202eeeyap") == "pay[U+202E]eeyap"
    assert visible("a\x00b\u200bc\x7f") == "a[U+0000]b[U+200B]c[U+007F]"
    assert visible("two\nlines\tand Grüße 日本") == "two\nlines\tand Grüße 日本"


def test_the_numbers_are_those_of_the_exploration() -> None:
    one = draft(terms={"unreviewed_bps": 2_500})
    text, report = Seen(written(one)).text, one.report

    for units in report.floors.values():
        assert number(units, 6) in text
    assert utc(report.open_until) in text
    for row in report.worst:
        assert utc(row.open_until) in text


def test_the_exact_values_are_all_there() -> None:
    text, report = Seen(PLAIN).text, draft().report
    terms = report.file.agreement.terms

    for value in (report.id, terms.quorum, terms.document, terms.salt):
        assert hex0x(value) in text
    for value in (terms.payer, terms.payee, terms.arbiter, terms.token, terms.verifier, terms.fee_to, ESCROW):
        assert value in text
    assert cast_command(report) in text


@pytest.mark.parametrize("terms", [{}, NO_ARBITER, NO_VERIFIER, NOBODY])
def test_every_kind_of_terms_has_a_page(terms: dict[str, object]) -> None:
    one = draft(terms=terms) if "verifier" not in terms else draft(terms=terms, quorum=None)
    seen = Seen(written(one))

    assert "The worst that can happen" in seen.text


def test_documents_that_nobody_has_are_named_by_their_hash() -> None:
    one = draft(text=None, papers=(None, None))
    text = Seen(written(one)).text

    assert text.count("It is not known here.") == 3
    assert "The criteria document is not known here." in text
    assert hex0x(one.report.file.agreement.terms.document) in text


def test_a_document_that_is_no_text_is_not_shown_as_one() -> None:
    binary = Envelope(salt(3), "application/pdf", b"%PDF\xff")
    broken = Envelope(salt(3), "text/plain", b"\xff\xfe")

    assert "(not a text: open the file)" in Seen(written(draft(text=binary))).text
    assert "(not UTF-8: open the file)" in Seen(written(draft(text=broken))).text


SCHEDULES = {
    "one": ((14 * DAY,), (10**9,)),
    "the same second": ((14 * DAY, 14 * DAY), (10**9, 10**9)),
    "sixty-four": (tuple(i * DAY for i in range(1, 65)), (10**9,) * 64),
    "beyond the year 9999": ((14 * DAY, 2**40 - 1 - NOW), (10**9, 10**9)),
    "only beyond": ((2**40 - 1 - NOW,), (10**9,)),
    "within the minute": ((60,), (10**9,)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_can_be_drawn(name: str) -> None:
    due, amounts = SCHEDULES[name]
    papers = tuple(criteria(i) for i in range(len(due)))
    seen = Seen(written(draft(due=due, amounts=amounts, papers=papers)))

    bars = [attrs for tag, attrs in seen.elements if tag == "rect" and attrs.get("stroke")]
    assert len(bars) >= 4 * len(due)
    for bar in bars:
        left, width = float(bar["x"] or ""), float(bar["width"] or "")
        assert left >= 0
        assert left + width <= 861


def test_drawings_tell_themselves_to_those_who_do_not_see_them() -> None:
    seen = Seen(PLAIN)
    drawn = [attrs for tag, attrs in seen.elements if tag == "svg"]

    assert len(drawn) == 2
    assert all(attrs["role"] == "img" for attrs in drawn)
    assert "Schedule: Part 0 by 2027-01-18" in seen.text


def test_cases_and_endings_are_those_of_the_terms() -> None:
    report = draft(terms=NO_ARBITER).report
    walk = walk_of(report.file.agreement.terms, report.file.agreement.milestones[0], rejections=2)

    told = cases(walk)

    assert not any("disputes" in case.does or "arbiter" in case.who for case in told)
    assert ("submitted", "within 3 days of the submission") in {(case.where, case.when) for case in told}
    assert ("rejected", "submits again") in {(case.where, case.does) for case in told}
    assert {ending.cause for ending in endings(walk)} == {
        *(Cause.ATTESTED, Cause.APPROVED, Cause.WAIVED, Cause.LAPSED, Cause.UNREVIEWED)
    }


def test_windows_in_the_cases_include_their_last_second() -> None:
    report = draft().report
    walk = walk_of(report.file.agreement.terms, report.file.agreement.milestones[0], rejections=2)
    told = {(case.where, case.who, case.does): case.when for case in cases(walk)}

    assert told["submitted", "either party", "disputes"] == "more than 3 days and at most 5 days after the submission"
    assert told["submitted", "anyone", "settles"] == "more than 5 days after the submission"
    assert told["disputed", "the arbiter", "rules, for this milestone alone"] == "within 7 days of the dispute"
    assert told["rejected", "anyone", "settles"] == "after the deadline, and 2 days after the rejection"


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_contrasts_as_wcag_asks() -> None:
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", STYLE))
    inks = [named["ink"], named["soft"], named["deep"], *re.findall(r" color: (#[0-9a-f]{6})", STYLE)]

    assert len(inks) == 5
    for ink in inks:
        for ground in (named["paper"], named["tint"]):
            assert contrast(ink, ground) >= 4.5, (ink, ground)


def test_a_title_is_not_needed() -> None:
    file = file_of(title="", titles=("", ""))

    assert file.title == ""
    assert "<h1>Agreement</h1>" in written(draft(title="", titles=("", "")))


def test_the_milestones_hash_is_the_leaf_that_calls_carry() -> None:
    from keeper.protocol.encoding import leaf

    first: Milestone = draft().report.file.agreement.milestones[0]
    assert hex0x(leaf(first)) in Seen(PLAIN).text
