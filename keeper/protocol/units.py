"""What people write in a terms file, as exact integers: amounts, shares, times, addresses, hex.

Every reader takes the text as written; `UnreadableError` says what was expected and what to do. No floats.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from eth_utils.address import to_checksum_address

from keeper.protocol.types import ALL_BPS, DAY, ZERO_ADDRESS, Address, Bps

_SECONDS = {"w": 7 * DAY, "d": DAY, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:\d{1,9}[wdhms])+", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))? ?%", re.ASCII)
_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})? ?Z)?", re.ASCII)


class UnreadableError(ValueError):
    """A text that is not what was expected, and what to do about it."""

    def __init__(self, expected: str, do: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.do = do


def read_amount(text: str, decimals: int, bits: int) -> int:
    """Token units of a decimal number such as "1,000.00": exact, at most `decimals` places, below 2**bits."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise UnreadableError('an amount such as "1,000.00"', "write digits, a comma between thousands, one point")
    places = match[2] or ""
    if len(places) > decimals:
        raise UnreadableError(f"at most {decimals} decimals, as the token has", "round the amount")
    units = int(match[1].replace(",", "") + places.ljust(decimals, "0"))
    if units >= 1 << bits:
        raise UnreadableError(f"an amount below 2**{bits} token units", "lower the amount")
    return units


def read_share(text: str) -> Bps:
    """Basis points of a percentage such as "0.50%": at most two decimals, so that it is exact."""
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise UnreadableError('a percentage such as "0.50%"', "write it in quotes, with %, and at most two decimals")
    bps = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if bps > ALL_BPS:
        raise UnreadableError("at most 100%", "lower the share")
    return bps


def read_duration(text: str) -> int:
    """Seconds of a duration such as "3d" or "1d12h" (w, d, h, m, s)."""
    if not _DURATION.fullmatch(text):
        raise UnreadableError('a duration such as "3d" or "1d12h"', "write whole numbers with w, d, h, m or s")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([wdhms])", text))
    if seconds >= 1 << 32:
        raise UnreadableError("a duration below 2**32 seconds", "shorten it")
    return seconds


def read_time(text: str, *, end_of_day: bool) -> int:
    """Unix seconds of a UTC date, or date and time ending in Z.

    A date alone means its first second, or with `end_of_day` its last: a deadline includes the day it names.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise UnreadableError(
            'a UTC date "2027-01-31" or time "2027-01-31T17:00:00Z"', "write it so; UTC times end in Z"
        )
    day, minute, second = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}").replace(tzinfo=UTC)
    except ValueError as error:
        raise UnreadableError("a day and time that exist", str(error)) from error
    if minute is None and end_of_day:
        moment += timedelta(days=1, seconds=-1)
    return int(moment.timestamp())


def read_deadline(text: str, start: int) -> int:
    """Unix seconds of a deadline: a duration from `start`, or a UTC date or time."""
    if _DURATION.fullmatch(text):
        return start + read_duration(text)
    try:
        return read_time(text, end_of_day=True)
    except UnreadableError as error:
        raise UnreadableError(f'a duration from the start such as "14d", or {error.expected}', error.do) from error


def read_address(text: str) -> Address:
    """An address with its EIP-55 checksum; never the zero address."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise UnreadableError("an address: 0x and 40 hex digits", "copy it whole, in quotes")
    if text != to_checksum_address(text):
        do = f"compare every digit with the owner; if it is right, write {to_checksum_address(text)}"
        raise UnreadableError("an address with a valid EIP-55 checksum", do)
    if text == ZERO_ADDRESS:
        raise UnreadableError("an address other than zero", "leave the key out if there is nobody")
    return Address(text)


def read_bytes32(text: str) -> bytes:
    """32 bytes of lower-case hex with 0x."""
    if not re.fullmatch(r"0x[0-9a-f]{64}", text):
        raise UnreadableError("32 bytes: 0x and 64 lower-case hex digits", "draw fresh random bytes")
    return bytes.fromhex(text[2:])


def read_count(text: str) -> int:
    """A whole number of at most three digits."""
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise UnreadableError("a whole number", "write digits only")
    return int(text)


def read_flag(text: str) -> bool:
    """`true` or `false`."""
    if text not in ("true", "false"):
        raise UnreadableError("true or false", "write one of the two")
    return text == "true"


def read_line(text: str) -> str:
    """One line of text, 1 to 200 characters."""
    if not 1 <= len(text) <= 200 or not text.isprintable():
        raise UnreadableError("one line of 1 to 200 printable characters", "shorten it")
    return text
