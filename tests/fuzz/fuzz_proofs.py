"""What QuorumVerifier must say to a proof (docs/protocol.md section 5); honest and crooked proofs to ask it with."""

from __future__ import annotations

from random import Random

from coincurve import PublicKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from fuzz_cast import OUTSIDER, Bench, Member
from fuzz_evm import Revert

from keeper.protocol.types import ZERO_ADDRESS, Address

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
S_MASK = (1 << 255) - 1


def judge(quorum: bytes, digest: bytes, proof: bytes) -> Revert | None:
    """The verifier's refusal of a proof, or None when it passes. No member here is a contract."""
    if len(proof) < 2:
        return Revert("BadProofLength", (len(proof), 2))
    m, n = proof[0], proof[1]
    end = 2 + 20 * n
    if len(proof) < end + 4:
        return Revert("BadProofLength", (len(proof), end + 4))
    if keccak(proof[:end]) != quorum:
        return Revert("WrongQuorum", (keccak(proof[:end]), quorum))
    if not (1 <= n <= 32 and m <= n < 2 * m):
        return Revert("BadQuorumSize", (m, n))
    members = [Address(to_checksum_address(proof[2 + 20 * i : 22 + 20 * i])) for i in range(n)]
    bitmap = int.from_bytes(proof[end : end + 4], "big")
    if bitmap >> n:
        return Revert("BitmapBeyondMembers", (bitmap, n))
    return _count(m, members, bitmap, digest, proof[end + 4 :])


def _count(m: int, members: list[Address], bitmap: int, digest: bytes, rest: bytes) -> Revert | None:
    counted, previous = 0, ZERO_ADDRESS
    for index, member in enumerate(members):
        if int(member, 16) <= int(previous, 16):
            return Revert("MembersNotAscending", (index, member))
        previous = member
        if not bitmap >> index & 1:
            continue
        if len(rest) < 64:
            return Revert("BadProofLength", (len(rest), 64))
        r, vs, rest = rest[:32], int.from_bytes(rest[32:64], "big"), rest[64:]
        if r == bytes(32):  # announces a contract's signature; an account without code never confirms one
            if vs > len(rest):
                return Revert("BadProofLength", (len(rest), vs))
            rest = rest[vs:]
            continue
        if vs & S_MASK > ORDER // 2:
            return Revert("MalleableSignature", (member,))
        recovered = recover(digest, r, vs)
        if recovered != member:
            return Revert("BadSignature", (member, recovered))
        counted += 1
    if rest:
        return Revert("BadProofLength", (len(rest), 0))
    return Revert("TooFewSignatures", (counted, m)) if counted < m else None


def recover(digest: bytes, r: bytes, vs: int) -> Address:
    """As ecrecover: the zero address where no key fits."""
    s = vs & S_MASK
    if not (0 < int.from_bytes(r, "big") < ORDER and 0 < s < ORDER):
        return ZERO_ADDRESS
    try:
        signature = r + s.to_bytes(32, "big") + bytes([vs >> 255])
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception:  # coincurve raises bare Exception for a point that is not there
        return ZERO_ADDRESS
    return Address(to_checksum_address(keccak(key.format(compressed=False)[1:])[12:]))


def signers_of(digest: bytes, proof: bytes) -> set[Address]:
    """The distinct addresses whose ECDSA signatures a well-formed proof carries: counted apart from `judge`."""
    n = proof[1]
    at, found = 2 + 20 * n + 4, set()
    while at < len(proof):
        r, vs = proof[at : at + 32], int.from_bytes(proof[at + 32 : at + 64], "big")
        at += 64
        if r == bytes(32):
            at += vs
        else:
            found.add(recover(digest, r, vs))
    return found


def prove(bench: Bench, digest: bytes, rng: Random) -> bytes:
    """A proof by a random subset of at least M members: spares included, sometimes."""
    indexes = range(len(bench.members))
    count = min(len(bench.members), bench.m + rng.choice((0, 0, 0, 1, 2)))
    chosen = sorted(rng.sample(indexes, count))
    return _assemble(bench, {i: bench.members[i].sign(digest) for i in chosen})


def _assemble(bench: Bench, signatures: dict[int, bytes]) -> bytes:
    bitmap = sum(1 << i for i in signatures)
    return bench.head + bitmap.to_bytes(4, "big") + b"".join(signatures[i] for i in sorted(signatures))


def _high_s(signature: bytes) -> bytes:
    """With an s just above half the order. (The twin of a low s has more than the 255 bits that vs leaves it.)"""
    return signature[:32] + (ORDER // 2 + 1).to_bytes(32, "big")


CROOKED = (
    "too few",
    "nobody",
    "one signer twice",
    "an outsider",
    "high s",
    "zero s",
    "cut short",
    "one byte more",
    "bitmap beyond",
    "another head",
    "contract form",
    "noise",
)
"""Ways for a proof to be wrong, whatever was signed."""


def crooked(bench: Bench, digest: bytes, how: str, rng: Random) -> bytes:
    """A proof that breaks a rule of its format, or of counting."""
    everyone: dict[int, Member] = dict(enumerate(bench.members))
    signed = {i: member.sign(digest) for i, member in everyone.items()}
    some = dict(sorted(signed.items())[: max(bench.m - 1, 0)])
    first = next(iter(signed.values()), OUTSIDER.sign(digest))
    full = _assemble(bench, signed)
    match how:
        case "too few":
            return _assemble(bench, some)
        case "nobody":
            return _assemble(bench, {})
        case "one signer twice":
            return _assemble(bench, dict.fromkeys(everyone, first))
        case "an outsider":
            return _assemble(bench, {**signed, 0: OUTSIDER.sign(digest)} if signed else {})
        case "high s":
            return _assemble(bench, {i: _high_s(s) for i, s in signed.items()})
        case "zero s":
            return _assemble(bench, {i: s[:32] + bytes(32) for i, s in signed.items()})
        case "cut short":
            return full[: rng.randint(0, len(full) - 1)]
        case "one byte more":
            return full + b"\x00"
        case "bitmap beyond":
            beyond = 1 << len(bench.members)
            return bench.head + beyond.to_bytes(4, "big") + first
        case "another head":
            return bytes([bench.m ^ 1]) + full[1:]
        case "contract form":
            return _assemble(bench, {i: bytes(32) + (3).to_bytes(32, "big") + b"abc" for i in everyone})
    return rng.randbytes(rng.choice((0, 1, 2, 30, 64, 200)))
