"""Warnings about silence and time: what is paid when nobody speaks, and when everything is due."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from keeper.commands.lint.codes import Finding
from keeper.commands.lint.draft import Draft
from keeper.commands.words import money, percent, span, utc
from keeper.protocol.types import ALL_BPS, DAY
from keeper.protocol.worst_case import Assumption, Role

SHORT = DAY
"""Seconds under which a window is called short: people sleep."""
LARGE_SHARE = ALL_BPS // 2
"""From this share on silence is called generous: it decides more than it leaves open."""
SOON = 2 * DAY
"""Seconds before a deadline in which funding, work and a mistake are hardly all possible."""
LONG = 730 * DAY
"""Seconds after which keys, people and companies have often changed."""


def clocks(draft: Draft) -> Iterator[Finding]:
    """Every warning about silence, windows and deadlines."""
    yield from _silence(draft)
    yield from _windows(draft)
    yield from _deadlines(draft)
    if draft.now is not None:
        yield from _from_now(draft, draft.now)


def _silence(draft: Draft) -> Iterator[Finding]:
    terms, report = draft.terms, draft.report
    share = percent(terms.unreviewed_bps)
    if terms.unreviewed_bps == ALL_BPS:
        yield Finding("silence-accepts", "Silence accepts: a submission that nobody reviews pays the payee everything.")
    elif terms.unreviewed_bps >= LARGE_SHARE:
        yield Finding("unreviewed-large", f"A submission that nobody reviews pays the payee {share}.")
    silent = [w for w in report.worst if w.role == Role.PAYER and w.assumption == Assumption.JUDGES_SILENT]
    lost = sum(w.amount - w.receives for w in silent)
    if lost:
        yield Finding(
            "pays-for-garbage",
            f"If the judges stay silent the payee takes {money(lost, report.currency)} of "
            f"{money(report.total, report.currency)} by submitting anything at all.",
        )
    if terms.unreviewed_bps < ALL_BPS:
        yield Finding(
            "early-submission",
            "An early submission shortens the payee's own time: if nobody reviews it, silence ends the milestone "
            "before its deadline.",
        )


def _windows(draft: Draft) -> Iterator[Finding]:
    terms = draft.terms
    windows = (("review", terms.review_window), ("challenge", terms.challenge_window), ("ruling", terms.ruling_window))
    for name, seconds in windows:
        if 0 < seconds < SHORT:
            yield Finding("window-short", f"The {name} window is only {span(seconds)}: who sleeps through it loses it.")


def _deadlines(draft: Draft) -> Iterator[Finding]:
    milestones, review = draft.report.file.agreement.milestones, draft.terms.review_window
    for index, (before, this) in enumerate(pairwise(milestones), 1):
        if this.submit_by < before.submit_by:
            yield Finding(
                "deadline-order",
                f"Milestone {index} is due on {utc(this.submit_by)}, before milestone {index - 1}.",
                index,
            )
        elif before.submit_by < this.submit_by <= before.submit_by + review:
            yield Finding(
                "review-overlaps",
                f"Milestone {index - 1} may still be under review when milestone {index} is due.",
                index,
            )


def _from_now(draft: Draft, now: int) -> Iterator[Finding]:
    report = draft.report
    for index, milestone in enumerate(report.file.agreement.milestones):
        left = milestone.submit_by - now
        if 0 <= left < SOON:
            yield Finding("deadline-soon", f"Milestone {index} is due in {span(left)}.", index)
    last = max(report.latest) - 1
    if last - now > LONG:
        yield Finding(
            "lifetime-long", f"Money can stay locked until {utc(last)}, {(last - now) // DAY:,} days from now."
        )
