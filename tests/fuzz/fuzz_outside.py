"""What everybody but the escrow will say to a call: verifiers, the arbiter's hook, signatures, the signing token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from eth_abi.abi import encode
from fuzz_cast import Stage
from fuzz_evm import Revert
from fuzz_orders import Order, asking
from fuzz_proofs import judge
from fuzz_signing import authorization_digest, consent_of, permit_digest, signed_digest, signer_of

from keeper.protocol.encoding import agreement_id, attestation_digest
from keeper.protocol.offers import authorization_nonce
from keeper.protocol.types import Address, AgreementId, Domain, Part, sum_of
from keeper.protocol.world import (
    Accept,
    Agree,
    Amend,
    Attest,
    Call,
    Consent,
    Dispute,
    FundWithAuthorization,
    FundWithPermit,
    Multicall,
)

HOOK_MODES = ("Accept", "WrongAnswer", "Refuse")
Owner = Callable[[Part], AgreementId | None]
"""The agreement that a part hashes to."""


class Outside:
    """Judges what a call carries, as those who are asked will."""

    def __init__(self, stage: Stage, owner: Owner) -> None:
        self._stage, self._owner = stage, owner
        self.hook_mode = 0
        self.signing = Domain("Signing", "1", stage.domain.chain_id, stage.signing)
        """The domain of the token that moves on signatures."""

    def told(self, order: Order) -> Order:
        """The order with what the model must be told about its proofs and signatures."""
        inner = tuple(self.told(one) for one in order.inner)
        return replace(order, call=self._told(order, inner), inner=inner)

    def refusal(self, order: Order) -> Revert | None:
        """What one call meets outside, when it comes to asking."""
        call = order.call
        if isinstance(call, Dispute):
            refuses = Revert("Refused") if HOOK_MODES[self.hook_mode] == "Refuse" else None
            wrong = Revert("ArbiterRefused", (call.part.terms.arbiter, b"\xde\xad\xbe\xef"))
            return refuses or (wrong if self.hook_mode else None)
        if isinstance(call, FundWithAuthorization):
            reason = self._authorization_refused(order)
            return None if reason is None else Revert("AuthorizationRefused", (call.terms.token, reason))
        id_ = self._owner(call.part) if isinstance(call, Attest) else None
        if not isinstance(call, Attest) or id_ is None:
            return None
        terms = call.part.terms
        if terms.verifier == self._stage.mute:
            return Revert("VerifierRefused", (terms.verifier, b"\xde\xad\xbe\xef"))
        digest = attestation_digest(
            self._stage.verifier_domain, self._stage.escrow, id_, terms.quorum, call.part.index, call.attestation
        )
        return judge(terms.quorum, digest, order.proof)

    def permitted(self, order: Order) -> int | None:
        """What the caller's permit lets the escrow take, if the token accepts it."""
        call, paper, stage = order.call, order.paper, self._stage
        if not isinstance(call, FundWithPermit) or call.terms.token != stage.signing:
            return None
        assert paper
        total = sum_of(call.milestones, call.mask)
        digest = permit_digest(
            self.signing, order.caller, stage.escrow, total, self.permit_nonce(order.caller), paper.deadline
        )
        signed = signer_of(digest, paper.signature) == order.caller
        return total if signed and stage.chain.now <= paper.deadline else None

    def permit_nonce(self, owner: Address) -> int:
        """The next nonce of an owner's permits."""
        codec = self._stage.codes["SigningToken"].codec
        return int.from_bytes(self._stage.chain.view(self._stage.signing, asking(codec, "nonces", owner)), "big")

    def used(self, payer: Address, nonce: bytes) -> bool:
        """Whether an authorization was used or taken back."""
        codec = self._stage.codes["SigningToken"].codec
        data = asking(codec, "authorizationState", payer, nonce)
        return bool(int.from_bytes(self._stage.chain.view(self._stage.signing, data), "big"))

    def _told(self, order: Order, inner: tuple[Order, ...]) -> Call:
        call = order.call
        match call:
            case Attest():
                return replace(call, proven=self.refusal(order) is None)
            case FundWithAuthorization():
                return replace(call, authorized=self._authorization_refused(order) is None)
            case Agree():
                return self._agreed(order, call)
            case Amend():
                digest = signed_digest(self._stage.domain, call, AgreementId(b""))
                parties = (call.to_terms.payer, call.to_terms.payee)
                payer, payee = (consent_of(p, digest, s) for p, s in zip(parties, order.signatures, strict=True))
                return replace(call, payer=payer, payee=payee)
            case Accept():
                digest = signed_digest(self._stage.domain, call, AgreementId(b""))
                return replace(call, payee=consent_of(call.terms.payee, digest, order.signatures[0]))
            case Multicall():
                return Multicall(tuple(one.call for one in inner))
        return call

    def _agreed(self, order: Order, call: Agree) -> Agree:
        id_, terms = self._owner(call.part), call.part.terms
        if id_ is None:  # refused for its part, whatever was signed
            return replace(call, payer=Consent.FALSE, payee=Consent.FALSE)
        digest = signed_digest(self._stage.domain, call, id_)
        payer, payee = (
            consent_of(party, digest, signature)
            for party, signature in zip((terms.payer, terms.payee), order.signatures, strict=True)
        )
        return replace(call, payer=payer, payee=payee)

    def _authorization_refused(self, order: Order) -> bytes | None:
        """The token's own words, or None when it pays; no words where the token knows no authorizations."""
        call, paper, stage = order.call, order.paper, self._stage
        assert isinstance(call, FundWithAuthorization)
        assert paper
        if call.terms.token != stage.signing:
            return b""
        codec, now, payer = stage.codes["SigningToken"].codec, stage.chain.now, call.terms.payer

        def words(name: str, *args: object) -> bytes:
            error = codec.errors[name]
            return error.selector + encode([kind for _, kind in error.inputs], args)

        nonce = authorization_nonce(agreement_id(stage.domain, call.terms, call.milestones), call.mask)
        if now <= paper.valid_after:
            return words("NotYetValid", paper.valid_after)
        if now >= paper.deadline:
            return words("Expired", paper.deadline)
        total = sum_of(call.milestones, call.mask)
        digest = authorization_digest(
            self.signing, payer, stage.escrow, total, paper.valid_after, paper.deadline, nonce
        )
        if not self._signed_for_token(payer, digest, paper.signature, paper.as_bytes):
            return words("NotAuthorized", payer)
        return words("AuthorizationUsed", payer, nonce) if self.used(payer, nonce) else None

    def _signed_for_token(self, payer: Address, digest: bytes, signature: bytes, as_bytes: bool) -> bool:
        """As the token checks: 65 bytes of a key, or as bytes what a wallet says."""
        if len(signature) != 65:
            return False
        if not as_bytes:
            return signer_of(digest, signature) == payer
        return consent_of(payer, digest, signature) == Consent.SIGNED
