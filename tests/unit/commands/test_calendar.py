"""The calendar, read by a reader as strict as RFC 5545."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lint_stage import DAY, NO_ARBITER, NOBODY, NOW, criteria, report

from keeper.commands.calendar import calendar, escape, fold
from keeper.commands.terms import TermsReport

STAMP = NOW - 5 * DAY
ONCE = {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "DESCRIPTION", "TRANSP"}
Component = tuple[str, list[tuple[str, str]], list["Component"]]  # type: ignore[misc]


def unfolded(content: bytes) -> list[str]:
    """Content lines: every one ends in CRLF, none is longer than 75 octets, each piece is whole UTF-8."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    lines: list[bytes] = []
    for raw in content[:-2].split(b"\r\n"):
        assert 0 < len(raw) <= 75
        raw.decode("utf-8")
        if raw.startswith(b" "):
            lines[-1] += raw[1:]
        else:
            lines.append(raw)
    return [line.decode("utf-8") for line in lines]


def parsed(content: bytes) -> Component:
    """The one component of a file, with what is in it."""
    stack: list[Component] = [("", [], [])]
    for line in unfolded(content):
        name, colon, value = line.partition(":")
        assert colon
        assert re.fullmatch(r"[A-Z-]+", name), name
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
        if name == "BEGIN":
            stack.append((value, [], []))
        elif name == "END":
            done = stack.pop()
            assert done[0] == value
            stack[-1][2].append(done)
        else:
            stack[-1][1].append((name, value))
    ((_, properties, (whole,)),) = stack
    assert properties == []
    return whole


def text(value: str) -> str:
    """TEXT, unescaped; anything that RFC 5545 does not know is an error."""
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value), value
    assert not re.search(r"(?<!\\)(?:\\\\)*\\[^\\;,nN]", value), value
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)


def events(one: TermsReport) -> list[dict[str, str]]:
    name, properties, components = parsed(calendar(one, STAMP))
    assert name == "VCALENDAR"
    assert [key for key, _ in properties[:2]] == ["VERSION", "PRODID"]
    assert dict(properties)["VERSION"] == "2.0"
    for kind, own, inner in components:
        assert kind == "VEVENT"
        assert sorted(key for key, _ in own) == sorted(ONCE)
        for alarm, fields, none in inner:
            assert (alarm, none) == ("VALARM", [])
            assert {key for key, _ in fields} == {"ACTION", "TRIGGER", "DESCRIPTION"}
    return [dict(own) for _, own, _ in components]


def test_every_known_date_is_there_in_utc() -> None:
    one = report()
    found = events(one)

    starts = [event["DTSTART"] for event in found]
    assert starts == ["20270118T000000Z", "20270130T000001Z", "20270201T000000Z", "20270213T000001Z"]
    assert {event["DTSTAMP"] for event in found} == {"20261230T000000Z"}
    assert [text(event["SUMMARY"]) for event in found] == [
        "Submit milestone 0 'Part 0'",
        "Settled for sure: milestone 0 'Part 0'",
        "Submit milestone 1 'Part 1'",
        "Settled for sure: milestone 1 'Part 1'",
    ]


def test_an_event_keeps_its_uid_and_no_two_share_one() -> None:
    one = report()
    again = [event["UID"] for event in events(one)]

    assert len(set(again)) == 4
    assert all(uid.startswith(one.id.hex()) for uid in again)
    assert again == re.findall(r"UID:(\S+)", "\n".join(unfolded(calendar(one, STAMP + 999))))
    assert not set(again) & {event["UID"] for event in events(report(terms={"salt": b"\x01" * 32}))}


@pytest.mark.parametrize(
    ("terms", "told"), [({}, "a ruling within 7 d of a dispute"), (NO_ARBITER, "A verdict may come within 3 d")]
)
def test_windows_are_described(terms: dict[str, object], told: str) -> None:
    assert all(told in text(event["DESCRIPTION"]) for event in events(report(terms=terms))[::2])


def test_windows_that_the_terms_lack_are_not_described() -> None:
    told = text(events(report(terms=NOBODY, quorum=None))[0]["DESCRIPTION"])

    assert "ruling" not in told
    assert "verdict" not in told


def test_a_date_beyond_the_year_9999_has_no_event() -> None:
    far = report(due=(14 * DAY, 2**40 - 1 - NOW), papers=(criteria(0), criteria(1)))

    assert len(events(far)) == 2


def test_hostile_titles_add_no_line_and_no_event() -> None:
    evil = "x\r\nEND:VEVENT\nBEGIN:VEVENT\rUID:0\x00; a, b\\ \u2028 ü" + "日本" * 60
    one = report(title=evil, titles=(evil, evil))
    found = events(one)

    assert len(found) == 4
    assert "BEGIN:VEVENT" in text(found[0]["SUMMARY"])


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_comes_back_as_it_went(value: str) -> None:
    (line,) = unfolded(fold(f"SUMMARY:{escape(value)}") + b"\r\n")
    expected = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))

    assert text(line.removeprefix("SUMMARY:")) == expected.replace("\t", " ")
