"""The structs of the protocol as tables of fields, and how one field becomes a word.

Type strings, ABI tuples, hashes and wallet JSON are all made from these tables, so they cannot disagree
(docs/protocol.md sections 3, 4 and 5).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from eth_utils.address import is_checksum_address

from keeper.errors import MilepostError


class Field(NamedTuple):
    """One field of a struct: its Python attribute, its Solidity name and its Solidity type."""

    attribute: str
    name: str
    kind: str


def _fields(*pairs: str) -> tuple[Field, ...]:
    def snake(name: str) -> str:
        return "".join("_" + c.lower() if c.isupper() else c for c in name)

    return tuple(Field(snake(name), name, kind) for kind, name in (p.split() for p in pairs))


MILESTONE_FIELDS = _fields("uint128 amount", "uint40 submitBy", "bytes32 criteria")
TERMS_FIELDS = _fields(
    "address payer",
    "address payee",
    "address token",
    "address verifier",
    "bytes32 quorum",
    "address arbiter",
    "bool arbiterHook",
    "uint32 reviewWindow",
    "uint32 challengeWindow",
    "uint32 rulingWindow",
    "uint16 unreviewedBps",
    "uint16 unruledBps",
    "uint16 feeBps",
    "address feeTo",
    "uint96 tip",
    "bytes32 document",
    "bytes32 salt",
)
ATTESTATION_FIELDS = _fields("uint16 attempt", "bytes32 deliverable", "uint16 payoutBps")
SIGNED_ATTESTATION_FIELDS = _fields(
    "address escrow",
    "bytes32 agreement",
    "bytes32 quorum",
    "uint256 milestone",
    "uint16 attempt",
    "bytes32 deliverable",
    "uint16 payoutBps",
)
"""What an attester signs: the attestation and everything that it is about."""
SPLIT_FIELDS = _fields(
    "bytes32 agreement",
    "uint256 milestone",
    "uint16 payeeBps",
    "uint40 asOf",
    "uint40 deadline",
)
AMENDMENT_FIELDS = _fields(
    "bytes32 from",
    "uint64 closes",
    "Terms to",
    "uint64 opens",
    "uint40 asOf",
    "uint40 deadline",
)
"""What both parties sign: the new terms whole."""
CALLED_AMENDMENT_FIELDS = tuple(f for f in AMENDMENT_FIELDS if f.name not in ("from", "to"))
"""What a call carries of it: both agreements stand beside it there."""
VOTE_FIELDS = _fields(
    "address member",
    "address escrow",
    "bytes32 agreement",
    "uint256 milestone",
    "uint16 payeeBps",
    "uint40 deadline",
)
"""What a member of a panel signs."""
DOMAIN_FIELDS = _fields("string name", "string version", "uint256 chainId", "address verifyingContract")


def _type_string(name: str, fields: tuple[Field, ...], *more: str) -> str:
    return f"{name}({','.join([*(f'{f.kind} {f.name}' for f in fields), *more])})"


MILESTONE_TYPE = _type_string("Milestone", MILESTONE_FIELDS)
_TERMS_ALONE = _type_string("Terms", TERMS_FIELDS, "Milestone[] milestones")
TERMS_TYPE = _TERMS_ALONE + MILESTONE_TYPE
ATTESTATION_TYPE = _type_string("Attestation", SIGNED_ATTESTATION_FIELDS)
SPLIT_TYPE = _type_string("Split", SPLIT_FIELDS)
AMENDMENT_TYPE = _type_string("Amendment", AMENDMENT_FIELDS) + MILESTONE_TYPE + _TERMS_ALONE
VOTE_TYPE = _type_string("Vote", VOTE_FIELDS)
DOMAIN_TYPE = _type_string("EIP712Domain", DOMAIN_FIELDS)


def word(value: Any, kind: str, name: str = "value") -> bytes:
    """One 32-byte word of EIP-712 encoding; TERMS_INVALID when the value is not of the Solidity type `kind`."""
    if kind == "address" and isinstance(value, str) and is_checksummed(value):
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    if kind == "bytes32" and isinstance(value, bytes) and len(value) == 32:
        return value
    if kind == "bool" and isinstance(value, bool):
        return int(value).to_bytes(32, "big")
    if kind.startswith("uint") and type(value) is int and 0 <= value < 1 << int(kind[4:]):
        return value.to_bytes(32, "big")
    raise MilepostError("TERMS_INVALID", f"{name} does not fit its type", cause=f"expected {kind}, found {value!r}")


@lru_cache(maxsize=4096)
def is_checksummed(address: str) -> bool:
    """Whether `address` is 20 bytes in EIP-55 form; remembered, because the check costs a hash."""
    return is_checksum_address(address)
