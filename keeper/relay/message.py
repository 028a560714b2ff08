"""One attester's signed verdict as it travels (docs/protocol.md section 5)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from keeper.errors import MilepostError
from keeper.protocol.encoding import attestation_digest, verifier_domain
from keeper.protocol.quorum import recover
from keeper.protocol.types import ALL_BPS, MAX_MILESTONES, AgreementId, Attestation
from keeper.relay.wire import STRICT, Hash32, HexAddress, Signature64, read_model, read_object


class AttestationMessage(BaseModel):
    """A verdict and everything that its signature is about, as JSON (docs/protocol.md section 5)."""

    model_config = STRICT

    chain_id: Annotated[int, Field(ge=1, lt=2**63)]
    verifier: HexAddress
    escrow: HexAddress
    agreement: Hash32
    quorum: Hash32
    milestone: Annotated[int, Field(ge=0, lt=MAX_MILESTONES)]
    """Index in the schedule, from 0."""
    attempt: Annotated[int, Field(ge=0, lt=2**16)]
    deliverable: Hash32
    payout_bps: Annotated[int, Field(ge=0, le=ALL_BPS)]
    """The payee's share in 1/10000; 0 rejects the submission."""
    signer: HexAddress
    signature: Signature64

    @property
    def attestation(self) -> Attestation:
        """The verdict itself."""
        return Attestation(self.attempt, self.deliverable, self.payout_bps)

    def digest(self) -> bytes:
        """The 32 bytes that were signed, under the verifier's domain."""
        return attestation_digest(
            verifier_domain(self.chain_id, self.verifier),
            self.escrow,
            AgreementId(self.agreement),
            self.quorum,
            self.milestone,
            self.attestation,
        )

    def check_signature(self) -> None:
        """ATTESTATION_REFUSED unless `signer` signed exactly this; costs one key recovery."""
        found = recover(self.digest(), self.signature)
        if found != self.signer:
            raise MilepostError(
                "ATTESTATION_REFUSED",
                f"{self.signer} did not sign this attestation",
                cause=f"expected a signature by {self.signer}, found one by {found}",
            )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values under their public names."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_json(cls, value: bytes | dict[str, Any]) -> AttestationMessage:
        """From a body or an already parsed object; REQUEST_INVALID names every field that is wrong."""
        parsed = read_object(value, "attestation") if isinstance(value, bytes) else value
        return read_model(cls, parsed, "attestation")
