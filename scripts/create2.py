"""Where a contract stands that the deterministic deployment factory puts there (EIP-1014)."""

from __future__ import annotations

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

FACTORY = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""The deterministic deployment factory: takes salt and init code, deploys with CREATE2, returns the address."""
SALT = bytes(32)


def address_of(init_code: bytes) -> str:
    """The address at which the factory deploys `init_code`, constructor arguments included, with our salt."""
    return str(to_checksum_address(keccak(b"\xff" + bytes.fromhex(FACTORY[2:]) + SALT + keccak(init_code))[12:]))
