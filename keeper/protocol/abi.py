"""Values to and from eth_abi tuples, in the order of docs/protocol.md sections 3 and 4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_utils.address import to_checksum_address

from keeper.protocol.fields import (
    ATTESTATION_FIELDS,
    CALLED_AMENDMENT_FIELDS,
    MILESTONE_FIELDS,
    TERMS_FIELDS,
    Field,
)
from keeper.protocol.types import Amendment, Attestation, Milestone, Part, Terms


def _abi_type(fields: tuple[Field, ...]) -> str:
    return f"({','.join(f.kind for f in fields)})"


TERMS_ABI = _abi_type(TERMS_FIELDS)
MILESTONE_ABI = _abi_type(MILESTONE_FIELDS)
ATTESTATION_ABI = _abi_type(ATTESTATION_FIELDS)
AMENDMENT_ABI = _abi_type(CALLED_AMENDMENT_FIELDS)
PART_ABI = f"({TERMS_ABI},bytes32[],uint8,{MILESTONE_ABI})"


def terms_to_abi(terms: Terms) -> tuple[Any, ...]:
    """The tuple that eth_abi encodes as `TERMS_ABI`."""
    return tuple(getattr(terms, f.attribute) for f in TERMS_FIELDS)


def terms_from_abi(values: Sequence[Any]) -> Terms:
    """Terms from what eth_abi decodes; ValueError when the number of fields differs."""
    return Terms(**_attributes(values, TERMS_FIELDS))


def milestone_to_abi(milestone: Milestone) -> tuple[Any, ...]:
    """The tuple that eth_abi encodes as `MILESTONE_ABI`."""
    return tuple(getattr(milestone, f.attribute) for f in MILESTONE_FIELDS)


def milestone_from_abi(values: Sequence[Any]) -> Milestone:
    """A milestone from what eth_abi decodes; ValueError when the number of fields differs."""
    return Milestone(**_attributes(values, MILESTONE_FIELDS))


def attestation_to_abi(attestation: Attestation) -> tuple[Any, ...]:
    """The tuple that eth_abi encodes as `ATTESTATION_ABI` (docs/protocol.md section 5)."""
    return tuple(getattr(attestation, f.attribute) for f in ATTESTATION_FIELDS)


def attestation_from_abi(values: Sequence[Any]) -> Attestation:
    """An attestation from what eth_abi decodes; ValueError when the number of fields differs."""
    return Attestation(**_attributes(values, ATTESTATION_FIELDS))


def amendment_to_abi(amendment: Amendment) -> tuple[Any, ...]:
    """The tuple that eth_abi encodes as `AMENDMENT_ABI` (docs/protocol.md section 4)."""
    return tuple(getattr(amendment, f.attribute) for f in CALLED_AMENDMENT_FIELDS)


def part_to_abi(part: Part) -> tuple[Any, ...]:
    """The tuple that eth_abi encodes as `PART_ABI`."""
    return (terms_to_abi(part.terms), list(part.leaves), part.index, milestone_to_abi(part.milestone))


def part_from_abi(values: Sequence[Any]) -> Part:
    """A part from what eth_abi decodes; ValueError when the number of fields differs."""
    terms, leaves, index, milestone = values
    return Part(terms_from_abi(terms), tuple(bytes(x) for x in leaves), index, milestone_from_abi(milestone))


def _attributes(values: Sequence[Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    pairs = zip(values, fields, strict=True)
    return {f.attribute: _from_abi(value, f.kind) for value, f in pairs}


def _from_abi(value: Any, kind: str) -> Any:
    if kind == "address":
        return to_checksum_address(value)
    return bytes(value) if kind == "bytes32" else value
