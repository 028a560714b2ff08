"""Ids and digests: EIP-712 by hand, for speed (docs/protocol.md sections 3 and 5).

Tests hold the hashes against eth_account's own encoder. The ABI tuples of the same structs are re-exported from `abi`.
"""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from keeper.errors import MilepostError
from keeper.protocol.abi import (
    ATTESTATION_ABI,
    MILESTONE_ABI,
    PART_ABI,
    TERMS_ABI,
    attestation_from_abi,
    attestation_to_abi,
    milestone_from_abi,
    milestone_to_abi,
    part_from_abi,
    part_to_abi,
    terms_from_abi,
    terms_to_abi,
)
from keeper.protocol.eip712 import (
    digest_of,
    domain_separator,
    json_struct,
    json_type,
    json_value,
    typed_data,
    words,
)
from keeper.protocol.fields import (
    ATTESTATION_TYPE,
    MILESTONE_FIELDS,
    MILESTONE_TYPE,
    SIGNED_ATTESTATION_FIELDS,
    TERMS_FIELDS,
    TERMS_TYPE,
    word,
)
from keeper.protocol.types import (
    Address,
    Agreement,
    AgreementId,
    Attestation,
    Domain,
    Milestone,
    Part,
    Terms,
)

__all__ = [
    "ATTESTATION_ABI",
    "ATTESTATION_TYPE",
    "ESCROW_NAME",
    "MILESTONE_ABI",
    "MILESTONE_TYPE",
    "PART_ABI",
    "TERMS_ABI",
    "TERMS_TYPE",
    "VERIFIER_NAME",
    "VERSION",
    "agreement_id",
    "agreement_id_of_part",
    "attestation_digest",
    "attestation_from_abi",
    "attestation_to_abi",
    "attestation_typed_data",
    "domain_separator",
    "escrow_domain",
    "leaf",
    "milestone_from_abi",
    "milestone_to_abi",
    "part_from_abi",
    "part_to_abi",
    "terms_from_abi",
    "terms_to_abi",
    "terms_typed_data",
    "verifier_domain",
]

ESCROW_NAME = "Milepost"
VERIFIER_NAME = "Milepost QuorumVerifier"
VERSION = "1"


TERMS_TYPES = {
    "Terms": [*json_type(TERMS_FIELDS), {"name": "milestones", "type": "Milestone[]"}],
    "Milestone": json_type(MILESTONE_FIELDS),
}
"""The structs of an agreement as EIP-712 JSON declares them."""

_MILESTONE_HASH = keccak(text=MILESTONE_TYPE)
_TERMS_HASH = keccak(text=TERMS_TYPE)
_ATTESTATION_HASH = keccak(text=ATTESTATION_TYPE)


def escrow_domain(chain_id: int, escrow: Address) -> Domain:
    """The escrow's domain as deployed (docs/protocol.md section 3, Id)."""
    return Domain(ESCROW_NAME, VERSION, chain_id, escrow)


def verifier_domain(chain_id: int, verifier: Address) -> Domain:
    """The quorum verifier's domain as deployed (docs/protocol.md section 5)."""
    return Domain(VERIFIER_NAME, VERSION, chain_id, verifier)


def leaf(milestone: Milestone) -> bytes:
    """EIP-712 hash of one milestone (docs/protocol.md section 3, Id); TERMS_INVALID if a field does not fit."""
    return keccak(_MILESTONE_HASH + words(milestone, MILESTONE_FIELDS))


def agreement_id(domain: Domain, terms: Terms, milestones: tuple[Milestone, ...]) -> AgreementId:
    """The id that is the contract: the typed-data hash of the terms (docs/protocol.md section 3, Id)."""
    return _agreement_id(domain, terms, tuple(leaf(m) for m in milestones))


def agreement_id_of_part(domain: Domain, part: Part) -> AgreementId:
    """The id that a part belongs to (docs/protocol.md section 3, Id).

    TERMS_INVALID when the milestone is not the one that its leaf stands for.
    """
    if not 0 <= part.index < len(part.leaves) or part.leaves[part.index] != leaf(part.milestone):
        raise MilepostError(
            "TERMS_INVALID",
            f"Milestone {part.index} does not belong to these leaves",
            cause="expected leaves[index] to be the milestone's hash",
        )
    return _agreement_id(domain, part.terms, part.leaves)


def terms_hash(terms: Terms, leaves: tuple[bytes, ...]) -> bytes:
    """EIP-712 struct hash of terms whose milestones have these leaves (docs/protocol.md section 3, Id)."""
    return keccak(_TERMS_HASH + words(terms, TERMS_FIELDS) + keccak(b"".join(leaves)))


def _agreement_id(domain: Domain, terms: Terms, leaves: tuple[bytes, ...]) -> AgreementId:
    return AgreementId(digest_of(domain, terms_hash(terms, leaves)))


def attestation_digest(
    domain: Domain,
    escrow: Address,
    agreement: AgreementId,
    quorum: bytes,
    milestone_index: int,
    attestation: Attestation,
) -> bytes:
    """The 32 bytes that an attester signs, under the verifier's domain (docs/protocol.md section 5)."""
    values = _attestation_values(escrow, agreement, quorum, milestone_index, attestation)
    encoded = b"".join(word(value, f.kind, f.name) for value, f in zip(values, SIGNED_ATTESTATION_FIELDS, strict=True))
    return digest_of(domain, keccak(_ATTESTATION_HASH + encoded))


def terms_typed_data(domain: Domain, agreement: Agreement) -> dict[str, Any]:
    """What a wallet shows and signs for the agreement id (docs/protocol.md section 3, Id).

    Integers wider than 53 bits are decimal strings, bytes are hex: plain JSON.
    """
    return typed_data(domain, "Terms", TERMS_TYPES, terms_json(agreement))


def terms_json(agreement: Agreement) -> dict[str, Any]:
    """Terms with their schedule as the message of EIP-712 JSON."""
    message = json_struct(agreement.terms, TERMS_FIELDS)
    message["milestones"] = [json_struct(m, MILESTONE_FIELDS) for m in agreement.milestones]
    return message


def attestation_typed_data(
    domain: Domain,
    escrow: Address,
    agreement: AgreementId,
    quorum: bytes,
    milestone_index: int,
    attestation: Attestation,
) -> dict[str, Any]:
    """The attestation as EIP-712 JSON (docs/protocol.md section 5); its hash is `attestation_digest`."""
    values = _attestation_values(escrow, agreement, quorum, milestone_index, attestation)
    pairs = zip(values, SIGNED_ATTESTATION_FIELDS, strict=True)
    message = {f.name: json_value(value, f.kind) for value, f in pairs}
    return typed_data(domain, "Attestation", {"Attestation": json_type(SIGNED_ATTESTATION_FIELDS)}, message)


def _attestation_values(
    escrow: Address, agreement: AgreementId, quorum: bytes, index: int, a: Attestation
) -> tuple[Any, ...]:
    return (escrow, agreement, quorum, index, a.attempt, a.deliverable, a.payout_bps)
