"""What both parties sign besides the terms: a split, an amendment (docs/protocol.md section 4, Typed data).

Tests hold the hashes against eth_account's own encoder.
"""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from keeper.protocol.eip712 import digest_of, json_struct, json_type, json_value, typed_data, words
from keeper.protocol.encoding import TERMS_TYPES, leaf, terms_hash, terms_json
from keeper.protocol.fields import AMENDMENT_FIELDS, AMENDMENT_TYPE, SPLIT_FIELDS, SPLIT_TYPE, word
from keeper.protocol.types import Agreement, AgreementId, Amendment, Domain, Split

__all__ = [
    "AMENDMENT_TYPE",
    "SPLIT_TYPE",
    "amendment_digest",
    "amendment_typed_data",
    "authorization_nonce",
    "split_digest",
    "split_typed_data",
]

_SPLIT_HASH = keccak(text=SPLIT_TYPE)
_AMENDMENT_HASH = keccak(text=AMENDMENT_TYPE)


def split_digest(domain: Domain, split: Split) -> bytes:
    """The 32 bytes that both parties sign for `agree`, under the escrow's domain."""
    return digest_of(domain, keccak(_SPLIT_HASH + words(split, SPLIT_FIELDS)))


def split_typed_data(domain: Domain, split: Split) -> dict[str, Any]:
    """The split as EIP-712 JSON; its hash is `split_digest`."""
    types = {"Split": json_type(SPLIT_FIELDS)}
    return typed_data(domain, "Split", types, json_struct(split, SPLIT_FIELDS))


def amendment_digest(domain: Domain, source: AgreementId, amendment: Amendment, target: Agreement) -> bytes:
    """The 32 bytes that both parties sign for `amend`, under the escrow's domain.

    They commit to the new terms whole, so that a wallet shows what they will be.
    """
    terms = terms_hash(target.terms, tuple(leaf(m) for m in target.milestones))
    values = _amendment_values(source, amendment)
    encoded = (terms if f.kind == "Terms" else word(values[f.name], f.kind, f.name) for f in AMENDMENT_FIELDS)
    return digest_of(domain, keccak(_AMENDMENT_HASH + b"".join(encoded)))


def amendment_typed_data(
    domain: Domain, source: AgreementId, amendment: Amendment, target: Agreement
) -> dict[str, Any]:
    """The amendment as EIP-712 JSON; its hash is `amendment_digest`."""
    values = _amendment_values(source, amendment)
    message = {
        f.name: terms_json(target) if f.kind == "Terms" else json_value(values[f.name], f.kind)
        for f in AMENDMENT_FIELDS
    }
    return typed_data(domain, "Amendment", {"Amendment": json_type(AMENDMENT_FIELDS), **TERMS_TYPES}, message)


def authorization_nonce(agreement: AgreementId, mask: int) -> bytes:
    """The nonce of the ERC-3009 authorization that pays for these milestones, and accepts these terms, only.

    `keccak256(abi.encode(agreementId, uint256(mask)))` (docs/protocol.md section 4, Money in).
    """
    return keccak(agreement + word(mask, "uint256", "mask"))


def _amendment_values(source: AgreementId, amendment: Amendment) -> dict[str, Any]:
    a = amendment
    return {"from": source, "closes": a.closes, "opens": a.opens, "asOf": a.as_of, "deadline": a.deadline}
