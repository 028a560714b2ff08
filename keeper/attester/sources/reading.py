"""What every format's parser gives back, and how it takes members out of an answer without assuming anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from keeper.attester.evidence import Says

MAX_TEXT = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading:
    """The meaning of one answer, why, and the facts that it rests on."""

    says: Says
    reason: str
    facts: Mapping[str, str] = field(default_factory=dict)


def member(record: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """`record[key]`, which must be exactly of `kind`; ValueError names the key."""
    value = record.get(key)
    if type(value) is not kind:
        raise ValueError(f"expected {key} of type {kind.__name__}, found {type(value).__name__}")
    return value


def text(record: Mapping[str, Any], key: str) -> str:
    """A non-empty text of usual length without control characters; ValueError names the key."""
    value = member(record, key, str)
    if not value or len(value) > MAX_TEXT or not value.isprintable():
        raise ValueError(f"expected {key} as printable text of at most {MAX_TEXT} characters, found {value[:40]!r}")
    return value
