"""Typed data as EIP-712 defines it, made from tables of fields: words, digests, and the JSON that wallets show."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from eth_utils.crypto import keccak

from keeper.protocol.fields import DOMAIN_FIELDS, DOMAIN_TYPE, Field, word
from keeper.protocol.types import Domain

_DOMAIN_HASH = keccak(text=DOMAIN_TYPE)


@lru_cache(maxsize=64)
def domain_separator(domain: Domain) -> bytes:
    """EIP-712 domain separator over name, version, chain id and contract."""
    return keccak(
        _DOMAIN_HASH
        + keccak(text=domain.name)
        + keccak(text=domain.version)
        + word(domain.chain_id, "uint256", "chainId")
        + word(domain.verifying_contract, "address", "verifyingContract")
    )


def digest_of(domain: Domain, struct_hash: bytes) -> bytes:
    """The 32 bytes that are signed."""
    return keccak(b"\x19\x01" + domain_separator(domain) + struct_hash)


def words(struct: object, fields: tuple[Field, ...]) -> bytes:
    """A struct of plain fields as EIP-712 encodes it; TERMS_INVALID if one does not fit its type."""
    return b"".join(word(getattr(struct, f.attribute), f.kind, f.name) for f in fields)


def json_type(fields: tuple[Field, ...]) -> list[dict[str, str]]:
    """The declaration of a struct."""
    return [{"name": f.name, "type": f.kind} for f in fields]


def json_value(value: Any, kind: str) -> Any:
    """A value in plain JSON: integers wider than 53 bits are decimal strings, bytes are hex."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if kind.startswith("uint") and int(kind[4:]) > 53 else value


def json_struct(struct: object, fields: tuple[Field, ...]) -> dict[str, Any]:
    """A struct of plain fields in plain JSON."""
    return {f.name: json_value(getattr(struct, f.attribute), f.kind) for f in fields}


def typed_data(domain: Domain, primary: str, types: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """A message with its types and domain, as `eth_signTypedData_v4` takes it."""
    return {
        "types": {"EIP712Domain": json_type(DOMAIN_FIELDS), **types},
        "primaryType": primary,
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.verifying_contract,
        },
        "message": message,
    }
