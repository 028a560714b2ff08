"""How money, times, shares and ids read: the same words behind every door. Pure; integers only, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from keeper.errors import MilepostError
from keeper.protocol.types import ALL_BPS, DAY, MAX_UINT40, Bps

_PERCENT = re.compile(r"^(\d{1,3})(?:\.(\d{1,2}))? ?%$")
_LAST_OF_9999 = 253_402_300_799
_UNITS = ((DAY, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Currency:
    """A token as people name it: its ticker and how many decimals one token has."""

    symbol: str
    decimals: int
    token: str
    """EIP-55 address; zero: the chain's own currency."""


def money(units: int, currency: Currency) -> str:
    """`1000000000` of a token with 6 decimals as `1,000.00 PLAY`; every nonzero digit is shown."""
    return f"{number(units, currency.decimals)} {currency.symbol}"


def number(units: int, decimals: int) -> str:
    """Token units as a decimal number with thousands separators and at least two digits after the point."""
    sign, digits = ("-", -units) if units < 0 else ("", units)
    whole, rest = divmod(digits, 10**decimals)
    if decimals == 0:
        return f"{sign}{whole:,}"
    fraction = str(rest).rjust(decimals, "0")
    kept = fraction.rstrip("0").ljust(min(2, decimals), "0")
    return f"{sign}{whole:,}.{kept}"


def percent(bps: Bps) -> str:
    """`4050` as `40.5%`."""
    whole, rest = divmod(bps, 100)
    return f"{whole}%" if rest == 0 else f"{whole}.{rest:02d}".rstrip("0") + "%"


def parse_percent(text: str) -> Bps:
    """`40%`, `12.5%`, `0.25%` in basis points; USAGE for anything else, so that 40 is never taken for 0.4 %."""
    found = _PERCENT.match(text.strip())
    bps = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else ALL_BPS + 1
    if bps > ALL_BPS:
        raise MilepostError(
            "USAGE",
            f"{text!r} is no share",
            cause="expected a percentage from 0% to 100% with at most two decimals, for example 40% or 12.5%",
        )
    return bps


def short(value: str) -> str:
    """A long 0x value in its recognisable form, `0x51d2…41aa`."""
    return value if len(value) <= 14 else f"{value[:6]}…{value[-4:]}"


def utc(time: int) -> str:
    """Unix seconds as `2026-12-01 14:00:00 UTC`; the bare second beyond the year 9999.

    So late a deadline cannot be paid for, but anyone can put one into a schedule of which he pays the rest.
    """
    if time >= MAX_UINT40:
        return "never"
    if time > _LAST_OF_9999:
        return f"unix second {time}"
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def rfc3339(time: int) -> str | None:
    """Unix seconds as `2026-12-01T14:00:00Z`; None for the time that never comes, and beyond the year 9999."""
    return None if time > _LAST_OF_9999 else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: int) -> str:
    """A length of time, exactly: `3 d 4 h`, `90` as `1 min 30 s`, `0 s`."""
    return " ".join(f"{count} {unit}" for count, unit in _counts(seconds) if count) or "0 s"


def in_full(seconds: int) -> str:
    """As `span` for readers who are not used to units: `3 days 4 hours`, `1 minute 30 seconds`."""
    named = zip(("day", "hour", "minute", "second"), _counts(seconds), strict=True)
    return " ".join(f"{n} {word}{'s' * (n != 1)}" for word, (n, _) in named if n) or "0 seconds"


def roughly(seconds: int) -> str:
    """A length of time to its largest unit and the next: `3 d 4 h`, also for 3 d 4 h 5 min."""
    counts = _counts(seconds)
    first = next((i for i, (count, _) in enumerate(counts) if count), len(counts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in counts[first : first + 2] if count) or "0 s"


def _counts(seconds: int) -> list[tuple[int, str]]:
    counts, rest = [], abs(seconds)
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        counts.append((count, unit))
    return counts


def relative(time: int, now: int) -> str:
    """`in 3 d 4 h`, `2 h ago` or `now`, counted from `now`: the head's block timestamp, not the wall clock."""
    if time == now:
        return "now"
    return f"in {roughly(time - now)}" if time > now else f"{roughly(now - time)} ago"


def when(time: int, now: int) -> str:
    """Absolute and relative: `2026-12-01 14:00:00 UTC (in 3 d 4 h)`."""
    return utc(time) if time >= MAX_UINT40 else f"{utc(time)} ({relative(time, now)})"


def milestone_name(index: int, label: str = "") -> str:
    """`milestone 0 'Design'`: the protocol's index, which counts from 0, and the file's label where it is known."""
    return f"milestone {index}" + (f" '{label}'" if label else "")


def sentence(text: str) -> str:
    """With a capital at its beginning, the rest as it is: names keep theirs."""
    return text[:1].upper() + text[1:]


def hex0x(value: bytes) -> str:
    """Lower-case 0x hex."""
    return "0x" + value.hex()
