"""One signing key: EIP-1559 transactions and attestation digests. The key never leaves this object, nor its repr."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import coincurve
import structlog
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak

from keeper.config.settings import KeySettings
from keeper.errors import MilepostError
from keeper.protocol.quorum import to_compact
from keeper.protocol.types import Address

_NUMBERS = {"chainId": 64, "nonce": 64, "value": 256, "gas": 64, "maxFeePerGas": 256, "maxPriorityFeePerGas": 256}
"""Bits that each number of a transaction may have."""
_FIELDS = frozenset({*_NUMBERS, "to", "data"})
_HEX_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")

log = structlog.get_logger(__name__)


class Signer:
    """A key and what it may do. Thread-safe: signing is deterministic (RFC 6979) and keeps no state."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """KEY_INVALID when `secret` is not a private key of the curve; its value is never told."""
        try:
            self._key = coincurve.PrivateKey(secret)
        except ValueError:
            # Without a cause: coincurve's own words hold nothing that helps, and no chain may lead back to the bytes.
            raise _invalid("expected 32 bytes between 1 and the curve's order") from None
        self.address: Address = Address(
            to_checksum_address(keccak(self._key.public_key.format(compressed=False)[1:])[12:])
        )

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce__(self) -> Any:
        raise TypeError("a Signer is not copied or pickled: the key stays in this process")

    def sign_transaction(self, tx: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """The raw EIP-1559 transaction (type 2) and its hash.

        `tx` has exactly chainId, nonce, to (EIP-55), value, data (bytes), gas, maxFeePerGas, maxPriorityFeePerGas,
        and may say type 2; ValueError otherwise.
        """
        from eth_account import Account  # late: half a second that reading commands do not need

        _check_transaction(tx)
        signed = Account.sign_transaction({**tx, "type": 2}, self._key.secret)
        return bytes(signed.raw_transaction), bytes(signed.hash)

    def sign_digest(self, digest: bytes) -> bytes:
        """64 bytes r, vs (EIP-2098) with low s over a 32-byte digest; ValueError for another length."""
        if len(digest) != 32:
            raise ValueError(f"expected a digest of 32 bytes, found {len(digest)}")
        return to_compact(self._key.sign_recoverable(digest, hasher=None))


def _check_transaction(tx: Mapping[str, Any]) -> None:
    if set(tx) - {"type"} != _FIELDS or tx.get("type", 2) != 2:
        raise ValueError(f"expected exactly the fields {', '.join(sorted(_FIELDS))}, found {', '.join(sorted(tx))}")
    for name, bits in _NUMBERS.items():
        if type(tx[name]) is not int or not 0 <= tx[name] < 1 << bits:
            raise ValueError(f"expected {name} as a number of at most {bits} bits, found {tx[name]!r}")
    if not is_checksum_address(tx["to"]):
        raise ValueError(f"expected an EIP-55 address to send to, found {tx['to']!r}")
    if not isinstance(tx["data"], bytes):
        raise ValueError("expected data as bytes")


def load_signer(settings: KeySettings | None, environ: Mapping[str, str] | None = None) -> Signer:
    """The signer that the settings name; KEY_INVALID says what is wrong with the key, never the value.

    SETTINGS_INVALID when the settings name no key (None).
    """
    if settings is None:
        raise MilepostError(
            "SETTINGS_INVALID",
            "The settings name no key to sign with",
            cause="expected section key with keystore and password_file, or with env",
        )
    if settings.env is not None:
        return Signer(_from_environment(settings.env, os.environ if environ is None else environ))
    if settings.keystore is None or settings.password_file is None:
        raise _invalid("expected a keystore with its password file, or the name of an environment variable")
    for file in exposed_files(settings):
        log.warning("key file is readable by everyone", path=str(file), mend=f"chmod 600 {file}")
    return Signer(_from_keystore(settings.keystore, settings.password_file))


def exposed_files(settings: KeySettings | None) -> list[Path]:
    """The key's files that every user of this machine may read: worth a word wherever the key is used."""
    files = (settings.keystore, settings.password_file) if settings else ()
    return [file for file in files if file and file.is_file() and file.stat().st_mode & 0o004]


def _from_environment(name: str, environ: Mapping[str, str]) -> bytes:
    text = environ.get(name, "").strip()
    if not text:
        raise _invalid(f"the environment variable {name} is not set")
    if not _HEX_KEY.fullmatch(text):
        raise _invalid(f"expected 32 bytes of hex in the environment variable {name}, found {len(text)} characters")
    return bytes.fromhex(text.removeprefix("0x"))


def _from_keystore(keystore: Path, password_file: Path) -> bytes:
    from eth_account import Account  # late: see sign_transaction

    content, password = _read(keystore), _read(password_file).rstrip("\r\n")
    try:
        return bytes(Account.decrypt(content, password))
    except ValueError as error:
        wrong_password = "mac mismatch" in str(error).lower()
        reason = (
            f"the password in {password_file} does not open it" if wrong_password else "it is no keystore version 3"
        )
    except (AttributeError, KeyError, NotImplementedError, TypeError):  # what eth_keyfile trips over
        reason = "it is no keystore version 3"
    raise _invalid(f"{keystore}: {reason}")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _invalid(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise _invalid(f"{path} is not text") from None  # the error would carry the file's bytes


def _invalid(cause: str) -> MilepostError:
    return MilepostError("KEY_INVALID", "The signing key cannot be used", cause=cause)
