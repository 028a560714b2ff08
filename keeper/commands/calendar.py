"""An agreement's dates as a calendar (RFC 5545): what is known beforehand is dated, the windows are told.

Everything is UTC. A date keeps its UID however often the calendar is made again, so that an import replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from keeper.commands.terms import TermsReport, shares_in_words
from keeper.commands.words import hex0x, milestone_name, money, rfc3339, span, utc
from keeper.protocol.types import ZERO_ADDRESS, Terms

PRODUCT = "-//Milepost//terms//EN"
_OCTETS = 75
"""The longest line, without its end (RFC 5545 section 3.1)."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def calendar(report: TermsReport, stamp: int) -> bytes:
    """The calendar file; `stamp` is when it was made, unix seconds."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    if report.file.title:
        lines.append(_text("X-WR-CALNAME", report.file.title))
    for index in range(len(report.latest)):
        lines += _deadline(report, index, stamp)
        lines += _latest(report, index, stamp)
    lines.append("END:VCALENDAR")
    return b"".join(fold(line) + b"\r\n" for line in lines)


def fold(line: str) -> bytes:
    """A content line in pieces of at most 75 octets, no character torn apart (RFC 5545 section 3.1)."""
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > _OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece])


def escape(text: str) -> str:
    """TEXT of RFC 5545 section 3.3.11; control characters have no place in it."""
    kept = _UNSEEN.sub("�", text.replace("\r\n", "\n").replace("\r", "\n"))
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n").replace("\t", " ")


def _deadline(report: TermsReport, index: int, stamp: int) -> Iterator[str]:
    milestone = report.file.agreement.milestones[index]
    name, amount = _name(report, index), money(milestone.amount, report.currency)
    told = (
        f"Last second to submit, for {amount}. "
        f"{_windows(report.file.agreement.terms)} If nothing acceptable comes, the money goes back to the payer.\n"
    )
    yield from _event(report, f"{index}-submit-by", stamp, milestone.submit_by, f"Submit {name}", told, alarm=True)


def _latest(report: TermsReport, index: int, stamp: int) -> Iterator[str]:
    name, amount = _name(report, index), money(report.file.agreement.milestones[index].amount, report.currency)
    told = f"From this second on anyone can settle it, whatever happened: {amount} need not stay locked any longer.\n"
    yield from _event(report, f"{index}-latest", stamp, report.latest[index], f"Settled for sure: {name}", told)


def _event(
    report: TermsReport, what: str, stamp: int, at: int, summary: str, told: str, *, alarm: bool = False
) -> Iterator[str]:
    """One moment; nothing where it lies beyond the year 9999, which no calendar can say."""
    if rfc3339(at) is None:
        return
    where = f"Agreement {hex0x(report.id)} on chain {report.book.chain_id}. {utc(at)}."
    yield "BEGIN:VEVENT"
    yield f"UID:{report.id.hex()}-{what}@milepost"
    yield f"DTSTAMP:{_time(stamp)}"
    yield f"DTSTART:{_time(at)}"
    yield _text("SUMMARY", summary)
    yield _text("DESCRIPTION", f"{told}{where}")
    yield "TRANSP:TRANSPARENT"
    if alarm:
        yield from ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-P1D", _text("DESCRIPTION", summary), "END:VALARM")
    yield "END:VEVENT"


def _windows(terms: Terms) -> str:
    """The clocks that no date can be given for beforehand."""
    attested = terms.verifier != ZERO_ADDRESS
    review = "A verdict may come within" if attested else "The payer may approve, or silence decides after,"
    told = [f"{review} {span(terms.review_window)} of a submission"]
    if terms.challenge_window:
        told.append(f"a dispute within {span(terms.challenge_window)} of a verdict or of a review nobody gave")
    if terms.ruling_window:
        told.append(f"a ruling within {span(terms.ruling_window)} of a dispute")
    return f"{', '.join(told)}. Silence: {shares_in_words(terms)}."


def _name(report: TermsReport, index: int) -> str:
    return milestone_name(index, report.file.titles[index])


def _text(name: str, text: str) -> str:
    return f"{name}:{escape(text)}"


def _time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%dT%H%M%SZ")
