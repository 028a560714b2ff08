"""How values look in the relay's JSON, and how strictly they are read.

32-byte values, signatures and addresses are 0x hex, written in lower case; numbers are JSON integers. Unknown keys,
duplicate keys, floats and hex of another length are refused, each by name (docs/keeper.md section 7).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from eth_utils.address import to_checksum_address
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError
from pydantic.alias_generators import to_camel

from keeper.errors import MilepostError
from keeper.protocol.documents import parse_json
from keeper.protocol.types import Address

MAX_SHOWN = 80
"""Characters of foreign text that a message repeats."""
_MAX_FAULTS = 8
_HEX = re.compile(r"0x[0-9a-fA-F]*", re.ASCII)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")

STRICT = ConfigDict(
    strict=True, extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
)
"""Settings of every model here: camelCase in JSON, no coercion, nothing unknown."""

Model = TypeVar("Model", bound=BaseModel)


def shown(value: object, limit: int = MAX_SHOWN) -> str:
    """Foreign text made safe to print: one line of printable ASCII, cut to `limit` characters."""
    text = _UNPRINTABLE.sub("?", str(value)[: limit + 1])
    return text if len(text) <= limit else text[: limit - 3] + "..."


def hex_bytes(value: object, length: int) -> bytes:
    """`length` bytes from 0x hex (or bytes as they are); ValueError says what was expected and found."""
    if isinstance(value, bytes):
        if len(value) != length:
            raise ValueError(f"expected {length} bytes, found {len(value)}")
        return value
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError(f"expected 0x and {2 * length} hex digits, found {shown(repr(value))}")
    if len(value) != 2 + 2 * length:
        raise ValueError(f"expected 0x and {2 * length} hex digits, found {len(value) - 2} digits")
    return bytes.fromhex(value[2:])


def _hash32(value: object) -> bytes:
    return hex_bytes(value, 32)


def _signature(value: object) -> bytes:
    return hex_bytes(value, 64)


def _address(value: object) -> str:
    return to_checksum_address(hex_bytes(value, 20))


def to_hex(value: bytes) -> str:
    """Lower-case 0x hex."""
    return "0x" + value.hex()


Hash32 = Annotated[bytes, BeforeValidator(_hash32), PlainSerializer(to_hex, when_used="json")]
"""32 bytes."""
Signature64 = Annotated[bytes, BeforeValidator(_signature), PlainSerializer(to_hex, when_used="json")]
"""64 bytes r, vs (EIP-2098)."""
HexAddress = Annotated[Address, BeforeValidator(_address), PlainSerializer(str.lower, when_used="json")]
"""EIP-55 in Python, lower case in JSON."""


def parse_hash(text: str, what: str) -> bytes:
    """32 bytes from the text of an address line; REQUEST_INVALID names `what`."""
    try:
        return _hash32(text)
    except ValueError as error:
        raise MilepostError("REQUEST_INVALID", f"The {what} is not a hash", cause=str(error)) from error


def read_object(body: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `body`, strictly read; REQUEST_INVALID says what is wrong with `what`."""
    try:
        value = parse_json(body)
    except MilepostError as error:
        raise _malformed(what, shown(f"{error.title}: {error.cause}", 200)) from error
    if not isinstance(value, dict):
        raise _malformed(what, f"expected a JSON object, found {type(value).__name__}")
    return value


def read_model(model: type[Model], value: object, what: str) -> Model:
    """`value` (parsed JSON) as `model`; REQUEST_INVALID lists every field that is wrong."""
    try:
        return model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _malformed(what, "; ".join(_faults(error))) from error


def _faults(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{shown('.'.join(map(str, e['loc'])) or 'object')}: {shown(e['msg'], 200)}" for e in found[:_MAX_FAULTS]]
    return lines + ([f"and {len(found) - _MAX_FAULTS} more"] if len(found) > _MAX_FAULTS else [])


def _malformed(what: str, cause: str) -> MilepostError:
    return MilepostError("REQUEST_INVALID", f"The {what} is malformed", cause=cause)
