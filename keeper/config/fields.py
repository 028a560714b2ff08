"""The kinds of value that settings have, each with its check and its words.

Amounts are exact: a decimal text or an integer becomes wei, a float is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

GWEI = 9
ETHER = 18
_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class Listen(NamedTuple):
    """Where a server listens; port 0 lets the system choose a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_scaled(value: Any, decimals: int) -> int:
    """Exact integer of `value` x 10**decimals; ValueError for floats, signs, and digits finer than the unit."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, float):
        raise ValueError(f'expected an amount in quotes, for example "{value:g}", found a float')
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise ValueError("expected a decimal amount that is not negative, in quotes")
    scaled = Decimal(value).scaleb(decimals)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"expected at most {decimals} digits after the point")
    return int(scaled)


def _above_zero(value: Any, decimals: int) -> int:
    scaled = parse_scaled(value, decimals)
    if scaled == 0:
        raise ValueError("expected more than 0")
    return scaled


def _bump(value: Any) -> int:
    scaled = parse_scaled(value, 2)
    if not 1_250 <= scaled <= 10_000:
        raise ValueError("expected 12.5 to 100 percent")
    return scaled


def _integer(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("expected a whole number")


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    # The value is not repeated: URLs carry keys.
    if not usable or any(c.isspace() for c in value):
        raise ValueError("expected an http:// or https:// URL with a host")
    return value.rstrip("/")


def _listen(value: Any) -> Listen:
    if isinstance(value, Listen):
        return value
    if isinstance(value, str):
        host, colon, port = value.rpartition(":")
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535:
            return Listen(host, int(port))
    raise ValueError("expected host:port with a port of 0 to 65535")


def _address(value: str) -> str:
    from eth_utils.address import is_checksum_address, to_checksum_address  # late: costs a hash library

    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise ValueError("expected an address, 0x and 40 hex digits, in quotes")
    if value != value.lower() and not is_checksum_address(value):
        raise ValueError("expected an address whose capitals are right (EIP-55), or all in small letters")
    return to_checksum_address(value)


def _path(value: Path, info: ValidationInfo) -> Path:
    home: Path = (info.context or {}).get("home", Path())
    return home / value.expanduser()


def _list(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


WholeNumber = Annotated[int, BeforeValidator(_integer)]
WeiPerGas = Annotated[int, BeforeValidator(partial(_above_zero, decimals=GWEI))]
"""Written in gwei, kept in wei."""
Wei = Annotated[int, BeforeValidator(partial(_above_zero, decimals=ETHER))]
"""Written in ether, kept in wei."""
BumpBps = Annotated[int, BeforeValidator(_bump)]
"""Written in percent, kept in 1/10000."""
Url = Annotated[str, AfterValidator(_url)]
Urls = Annotated[tuple[Url, ...], BeforeValidator(_list)]
ListenAddress = Annotated[Listen, BeforeValidator(_listen)]
AddressText = Annotated[str, BeforeValidator(_address)]
FilePath = Annotated[Path, AfterValidator(_path)]
"""Relative paths count from the folder of the settings file."""
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
