"""Who attests, and the bytes that show that enough of them did (docs/protocol.md section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from coincurve import PublicKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.errors import MilepostError
from keeper.protocol.fields import is_checksummed
from keeper.protocol.types import ZERO_ADDRESS, Address

MAX_MEMBERS = 32
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_LOW_S = _ORDER // 2
_S_MASK = (1 << 255) - 1


@dataclass(frozen=True, slots=True)
class Quorum:
    """M of the members, which are strictly ascending by address (docs/protocol.md section 5)."""

    m: int
    members: tuple[Address, ...]

    @property
    def hash(self) -> bytes:
        """`keccak256(abi.encodePacked(uint8 M, uint8 N, members))` (docs/protocol.md section 5)."""
        return keccak(self.head())

    def head(self) -> bytes:
        """M, N and the members: what is hashed, and how every proof begins; TERMS_INVALID if they do not fit."""
        self.check()
        return bytes([self.m, len(self.members)]) + b"".join(bytes.fromhex(a[2:]) for a in self.members)

    def check(self) -> None:
        """Refuse what the verifier refuses, naming each rule broken: TERMS_INVALID (docs/protocol.md section 5)."""
        faults = list(quorum_faults(self.m, self.members))
        if faults:
            raise MilepostError("TERMS_INVALID", "The quorum breaks a rule", cause="; ".join(faults))


def quorum_faults(m: int, members: tuple[Address, ...]) -> Iterator[str]:
    """Each rule of docs/protocol.md section 5 that a quorum breaks, in words."""
    n = len(members)
    if not 1 <= n <= MAX_MEMBERS:
        yield f"expected 1 to {MAX_MEMBERS} members, found {n}"
    if m > n:
        yield f"expected a threshold of at most the number of members, found {m} of {n}"
    if 2 * m <= n:
        yield f"expected a majority (2M > N), so that two quorums share a member, found {m} of {n}"
    bad = [a for a in members if not is_checksummed(a)]
    if bad:
        yield f"expected EIP-55 addresses, found {', '.join(bad)}"
        return
    if ZERO_ADDRESS in members:
        yield "expected members that are not the zero address"
    numbers = [int(a, 16) for a in members]
    if any(low >= high for low, high in pairwise(numbers)):
        yield "expected members strictly ascending by address, each once"


def assemble_proof(quorum: Quorum, signatures: Mapping[Address, bytes], *, spares: bool = False) -> bytes:
    """The proof for `attest` from signatures by member (docs/protocol.md section 5): 64 bytes r, vs of a key each, or a
    contract's as `contract_signature` makes it.

    The cheapest valid proof: exactly M signers, those of lowest index; `spares` takes all that are there, for a proof
    sent near the end of its window. Signatures of non-members are ignored. ATTESTATION_REFUSED when there are fewer
    than M or one is of neither form; whether they recover is the caller's to check with `recover`.
    """
    held = [(i, signatures[a]) for i, a in enumerate(quorum.members) if a in signatures]
    if len(held) < quorum.m:
        raise _refused(f"expected at least {quorum.m} signatures of members, found {len(held)}")
    chosen = held if spares else held[: quorum.m]
    if not all(_is_whole(signature) for _, signature in chosen):
        raise _refused("expected signatures of 64 bytes (EIP-2098), or a contract's with its length")
    bitmap = sum(1 << i for i, _ in chosen)
    return quorum.head() + bitmap.to_bytes(4, "big") + b"".join(signature for _, signature in chosen)


def contract_signature(signature: bytes) -> bytes:
    """A contract member's ERC-1271 signature as it stands in a proof: r = 0, vs = its length, then its bytes."""
    return bytes(32) + len(signature).to_bytes(32, "big") + signature


def _is_whole(signature: bytes) -> bool:
    """Whether a proof's reader takes exactly these bytes for one signature."""
    if len(signature) < 64 or signature[:32] != bytes(32):
        return len(signature) == 64
    return signature == contract_signature(signature[64:])


def to_compact(signature: bytes) -> bytes:
    """65 bytes r, s, v as 64 bytes r, vs (EIP-2098); ATTESTATION_REFUSED for another length, v or a high s."""
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        raise _refused("expected 65 bytes ending in v of 0, 1, 27 or 28")
    s = int.from_bytes(signature[32:64], "big")
    _check_scalars(int.from_bytes(signature[:32], "big"), s)
    parity = signature[64] % 27
    return signature[:32] + (s | parity << 255).to_bytes(32, "big")


def recover(digest: bytes, signature: bytes) -> Address:
    """Who signed `digest`, from 64 bytes r, vs; ATTESTATION_REFUSED when no key did (docs/protocol.md section 5).

    Low s only, and never the zero address: one verdict of one member has one signature form.
    """
    if len(signature) != 64 or len(digest) != 32:
        raise _refused("expected a signature of 64 bytes over a digest of 32")
    vs = int.from_bytes(signature[32:], "big")
    s, parity = vs & _S_MASK, vs >> 255
    _check_scalars(int.from_bytes(signature[:32], "big"), s)
    try:
        key = PublicKey.from_signature_and_message(
            signature[:32] + s.to_bytes(32, "big") + bytes([parity]), digest, hasher=None
        )
    except Exception as error:  # coincurve raises bare Exception and ValueError alike
        raise _refused("expected a signature that recovers to a key") from error
    return Address(to_checksum_address(keccak(key.format(compressed=False)[1:])[12:]))


def _check_scalars(r: int, s: int) -> None:
    if not (0 < r < _ORDER and 0 < s <= _LOW_S):
        raise _refused("expected r and s inside the curve's order, s in its lower half")


def _refused(cause: str) -> MilepostError:
    return MilepostError("ATTESTATION_REFUSED", "The signature does not count", cause=cause)
