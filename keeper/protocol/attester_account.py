"""An attester that is a contract: what its keys sign, and how a proof carries it (docs/protocol.md section 5)."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from keeper.protocol.encoding import VERSION, domain_separator
from keeper.protocol.fields import DOMAIN_FIELDS, word
from keeper.protocol.types import Address, Domain

ACCOUNT_NAME = "Milepost AttesterAccount"
MESSAGE_TYPE = "AttesterMessage(bytes32 digest)"
_MESSAGE_HASH = keccak(text=MESSAGE_TYPE)


def account_domain(chain_id: int, account: Address) -> Domain:
    """The domain of one `AttesterAccount` as deployed: every account has its own."""
    return Domain(ACCOUNT_NAME, VERSION, chain_id, account)


def account_digest(domain: Domain, digest: bytes) -> bytes:
    """The 32 bytes that a key signs so that the account of `domain` signs `digest`, an attestation's digest."""
    struct = keccak(_MESSAGE_HASH + word(digest, "bytes32", "digest"))
    return keccak(b"\x19\x01" + domain_separator(domain) + struct)


def account_typed_data(domain: Domain, digest: bytes) -> dict[str, Any]:
    """The same as EIP-712 JSON, for keys that sign typed data only; its hash is `account_digest`."""
    return {
        "types": {
            "EIP712Domain": [{"name": f.name, "type": f.kind} for f in DOMAIN_FIELDS],
            "AttesterMessage": [{"name": "digest", "type": "bytes32"}],
        },
        "primaryType": "AttesterMessage",
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chainId": domain.chain_id,
            "verifyingContract": domain.verifying_contract,
        },
        "message": {"digest": "0x" + digest.hex()},
    }
