"""Money, times, shares and ids in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.commands.words import (
    Currency,
    milestone_name,
    money,
    number,
    parse_percent,
    percent,
    relative,
    rfc3339,
    sentence,
    short,
    span,
    utc,
    when,
)
from keeper.errors import MilepostError
from keeper.protocol.types import MAX_UINT40
from keeper.protocol.units import read_amount

PLAY = Currency("PLAY", 6, "0x" + "11" * 20)


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [
        (0, 6, "0.00"),
        (1_000_000_000, 6, "1,000.00"),
        (1_000_001, 6, "1.000001"),
        (1_500_000, 6, "1.50"),
        (1, 18, "0.000000000000000001"),
        (1234, 0, "1,234"),
        (5, 1, "0.5"),
        (-2_500_000, 6, "-2.50"),
    ],
)
def test_numbers_show_every_digit_that_counts(units: int, decimals: int, text: str) -> None:
    assert number(units, decimals) == text


@given(units=st.integers(0, 2**128 - 1), decimals=st.integers(0, 30))
def test_a_number_read_back_is_the_same_units(units: int, decimals: int) -> None:
    assert read_amount(number(units, decimals), decimals, 200) == units


def test_money_names_its_ticker() -> None:
    assert money(3_000_000_000, PLAY) == "3,000.00 PLAY"


@given(bps=st.integers(0, 10_000))
def test_a_share_read_back_is_the_same_bps(bps: int) -> None:
    assert parse_percent(percent(bps)) == bps


@pytest.mark.parametrize("text", ["40", "0.4", "101%", "12.345%", "-1%", "%", "1e2%", "４０%x", ""])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(MilepostError) as caught:
        parse_percent(text)
    assert caught.value.code == "USAGE"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (90, "1 min 30 s"), (86_400 * 3, "3 d"), (86_400 + 5, "1 d 5 s"), (3_600, "1 h")]
)
def test_a_length_of_time_is_exact(seconds: int, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [(100, "now"), (100 + 3 * 86_400 + 4 * 3_600 + 59, "in 3 d 4 h"), (10, "1 min 30 s ago"), (86_500 + 1, "in 1 d")],
)
def test_relative_time_counts_from_the_head(time: int, text: str) -> None:
    assert relative(time, 100) == text


def test_times_are_utc_and_never_is_never() -> None:
    assert utc(1_796_133_600) == "2026-12-01 14:00:00 UTC"
    assert rfc3339(1_796_133_600) == "2026-12-01T14:00:00Z"
    assert when(1_796_133_600, 1_796_133_000) == "2026-12-01 14:00:00 UTC (in 10 min)"
    assert (utc(MAX_UINT40), rfc3339(MAX_UINT40), when(MAX_UINT40, 5)) == ("never", None, "never")


def test_a_time_beyond_the_calendar_is_told_as_its_second() -> None:
    """An unpaid milestone of a stranger's schedule may say anything that fits its 40 bits."""
    assert (utc(253_402_300_799), rfc3339(253_402_300_799)) == ("9999-12-31 23:59:59 UTC", "9999-12-31T23:59:59Z")
    for late in (253_402_300_800, MAX_UINT40 - 1):
        assert (utc(late), rfc3339(late)) == (f"unix second {late}", None)
        assert when(late, late - 60) == f"unix second {late} (in 1 min)"


def test_names_keep_their_letters() -> None:
    assert short("0x51d2" + "0" * 56 + "41aa") == "0x51d2…41aa"
    assert milestone_name(0, "Design DX-2") == "milestone 0 'Design DX-2'"
    assert sentence(milestone_name(0, "Design DX-2")) == "Milestone 0 'Design DX-2'"
