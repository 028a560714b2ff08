"""The deployed contracts and the people of these tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account import Account

from keeper.protocol.encoding import agreement_id, attestation_digest, escrow_domain, verifier_domain
from keeper.protocol.quorum import Quorum, assemble_proof, to_compact
from keeper.protocol.types import ZERO_ADDRESS, Agreement, Attestation, Domain, Milestone, Terms

DAY = 86_400
AMOUNT = 1_000_000_000
"""1,000.00 PLAY."""


@dataclass
class Stage:
    """Deployed contracts, parties and a quorum of two of three."""

    record: dict[str, Any]
    escrow: Any
    verifier: Any
    token: Any
    provider: Any
    payer: Any
    payee: Any
    arbiter: Any
    stranger: Any
    attesters: list[Any]

    @property
    def quorum(self) -> Quorum:
        return Quorum(2, tuple(sorted((a.address for a in self.attesters), key=lambda a: int(a, 16))))

    @property
    def domain(self) -> Domain:
        return escrow_domain(self.provider.chain_id, self.escrow.address)

    def agreement(self, salt: int, *, challenge: int = 2 * DAY) -> Agreement:
        """Two milestones due in ten days; without a challenge window there is no arbiter."""
        now = self.provider.get_block("latest").timestamp
        terms = Terms(
            payer=self.payer.address,
            payee=self.payee.address,
            token=self.token.address,
            verifier=self.verifier.address,
            quorum=self.quorum.hash,
            arbiter=self.arbiter.address if challenge else ZERO_ADDRESS,
            arbiter_hook=False,
            review_window=3 * DAY,
            challenge_window=challenge,
            ruling_window=7 * DAY if challenge else 0,
            unreviewed_bps=0,
            unruled_bps=0,
            fee_bps=0,
            fee_to=ZERO_ADDRESS,
            tip=2_000_000,
            document=bytes(32),
            salt=salt.to_bytes(32, "big"),
        )
        milestones = tuple(Milestone(AMOUNT, now + 10 * DAY, bytes([i + 1]) * 32) for i in range(2))
        return Agreement(terms, milestones)

    def id(self, agreement: Agreement) -> bytes:
        return agreement_id(self.domain, agreement.terms, agreement.milestones)

    def proof(self, agreement: Agreement, index: int, attestation: Attestation) -> bytes:
        """Signatures of the first two attesters, made with their keys."""
        digest = attestation_digest(
            verifier_domain(self.provider.chain_id, self.verifier.address),
            self.escrow.address,
            self.id(agreement),
            self.quorum.hash,
            index,
            attestation,
        )
        signatures = {}
        for attester in self.attesters[:2]:
            signed = Account.unsafe_sign_hash(digest, attester.private_key)
            signatures[attester.address] = to_compact(signed.signature)
        return assemble_proof(self.quorum, signatures)

    def pass_time(self, seconds: int) -> None:
        self.provider.set_timestamp(self.provider.get_block("latest").timestamp + seconds)
        self.provider.mine()
