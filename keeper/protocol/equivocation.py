"""Two verdicts of one member that cannot both be honest (docs/protocol.md section 5, Equivocation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keeper.errors import MilepostError
from keeper.protocol.encoding import attestation_digest, attestation_to_abi
from keeper.protocol.quorum import Quorum, recover
from keeper.protocol.types import Address, AgreementId, Attestation, Domain

SUBJECT_BYTES = 24
"""Of a deliverable's hash: what the chain keeps of it, and all that a verdict is about."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a member may give one verdict on, under one verifier."""

    escrow: Address
    agreement: AgreementId
    quorum: bytes
    milestone: int
    attempt: int
    deliverable24: bytes


@dataclass(frozen=True, slots=True)
class SignedVerdict:
    """A verdict with a member's signature of its digest, 64 bytes r, vs (EIP-2098)."""

    attestation: Attestation
    signature: bytes

    def to_abi(self) -> tuple[Any, ...]:
        """The tuple that eth_abi encodes as the contract's `SignedVerdict`."""
        return (attestation_to_abi(self.attestation), self.signature[:32], self.signature[32:])


@dataclass(frozen=True, slots=True)
class Equivocation:
    """What `proveEquivocation` of the verifier takes, beside the quorum's M and members."""

    member: Address
    escrow: Address
    agreement: AgreementId
    milestone: int
    one: SignedVerdict
    other: SignedVerdict

    def to_abi(self) -> tuple[Any, ...]:
        """The tuple that eth_abi encodes as the contract's `Equivocation`."""
        about = (self.member, self.escrow, self.agreement, self.milestone)
        return (*about, self.one.to_abi(), self.other.to_abi())


def subject_of(
    escrow: Address, agreement: AgreementId, quorum: bytes, milestone: int, attestation: Attestation
) -> Subject:
    """The subject of a verdict: everything it names but the share, and of the deliverable the first 24 bytes."""
    seen = attestation.deliverable[:SUBJECT_BYTES]
    return Subject(escrow, agreement, quorum, milestone, attestation.attempt, seen)


def equivocation(
    domain: Domain,
    quorum: Quorum,
    escrow: Address,
    agreement: AgreementId,
    milestone: int,
    one: SignedVerdict,
    other: SignedVerdict,
) -> Equivocation:
    """Who gave both verdicts, with what shows it; `domain` is the verifier's.

    ATTESTATION_REFUSED, as the contract would, when they are about two subjects, give the same share, are signed by two
    keys, or by one that is no member (a contract member's words are never shown against it).
    """
    about = (escrow, agreement, quorum.hash, milestone)
    if subject_of(*about, one.attestation) != subject_of(*about, other.attestation):
        raise _refused("expected two verdicts on one subject, found different attempts or deliverables")
    if one.attestation.payout_bps == other.attestation.payout_bps:
        raise _refused(f"expected two shares, found {one.attestation.payout_bps} bps twice")
    signers = [recover(attestation_digest(domain, *about, v.attestation), v.signature) for v in (one, other)]
    if signers[0] != signers[1]:
        raise _refused(f"expected one signer, found {signers[0]} and {signers[1]}")
    if signers[0] not in quorum.members:
        raise _refused(f"expected a member of the quorum, found {signers[0]}")
    return Equivocation(signers[0], escrow, agreement, milestone, one, other)


def _refused(cause: str) -> MilepostError:
    return MilepostError("ATTESTATION_REFUSED", "The verdicts do not show an equivocation", cause=cause)
