"""JSON as the protocol hashes it: RFC 8785, read strictly (docs/protocol.md section 3, Documents)."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import rfc8785

from keeper.errors import MilepostError


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value; DOCUMENT_INVALID for floats, integers beyond 53 bits and other types."""
    try:
        _refuse_floats(value, "$")
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise invalid("The value has no canonical form", str(error)) from error


def parse_json(content: bytes) -> Any:
    """The value of a JSON document; DOCUMENT_INVALID for duplicate keys, floats or malformed text.

    Two readers of one document must never see two values, so what readers disagree about is refused.
    """
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except UnicodeDecodeError as error:
        raise invalid("The document is not JSON", f"expected UTF-8: {error}") from error
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise invalid("The document is not JSON", str(error)) from error


def parse_canonical(content: bytes) -> Any:
    """`parse_json`, and DOCUMENT_INVALID when the bytes are not the value's RFC 8785 form."""
    value = parse_json(content)
    if canonical_json(value) != content:
        raise invalid(
            "The document is not canonical JSON",
            "expected the RFC 8785 form: keys sorted, no space between tokens, no newline at the end",
        )
    return value


def invalid(title: str, cause: str) -> MilepostError:
    """The error of this room for a document."""
    return MilepostError("DOCUMENT_INVALID", title, cause=cause)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            raise invalid("The document names a key twice", f"expected each key once, found {key!r} again")
        value[key] = item
    return value


def _refuse_number(text: str) -> NoReturn:
    raise invalid("The document holds a float", f"expected integers, or decimals as strings; found {text}")


def _refuse_floats(value: Any, path: str) -> None:
    if isinstance(value, float):
        raise invalid("The value holds a float", f"expected no float, found {value!r} at {path}")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_floats(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{path}[{index}]")
