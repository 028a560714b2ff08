"""What parties sign, and what counts as their signature: written anew, apart from the escrow's and the token's code."""

from __future__ import annotations

from random import Random

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from fuzz_cast import OUTSIDER, SIGNERS, WALLETS, Member
from fuzz_proofs import ORDER, recover

from keeper.protocol.eip712 import digest_of
from keeper.protocol.encoding import agreement_id
from keeper.protocol.offers import amendment_digest, split_digest
from keeper.protocol.types import ZERO_ADDRESS, Address, Agreement, AgreementId, Domain, Split
from keeper.protocol.world import Accept, Agree, Amend, Consent

_RECEIVE = keccak(
    text="ReceiveWithAuthorization(address from,address to,uint256 value,"
    "uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_CANCEL = keccak(text="CancelAuthorization(address authorizer,bytes32 nonce)")
_PERMIT = keccak(text="Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")


def signed_digest(domain: Domain, call: Agree | Amend | Accept, id_: AgreementId) -> bytes:
    """What the parties sign for a call; `id_` is the agreement of the part, where it carries one."""
    match call:
        case Agree():
            return split_digest(domain, Split(id_, call.part.index, call.payee_bps, call.as_of, call.deadline))
        case Amend():
            source = agreement_id(domain, call.from_terms, call.from_milestones)
            return amendment_digest(domain, source, call.amendment, Agreement(call.to_terms, call.to_milestones))
        case Accept():
            return agreement_id(domain, call.terms, call.milestones)


def consent_of(party: Address, digest: bytes, signature: bytes) -> Consent:
    """Whether the bytes are the party's signature; a wallet's owner signs for it, in 65 bytes only."""
    if not signature:
        return Consent.EMPTY
    signer = signer_of(digest, signature)
    signs = WALLETS[party].address if party in WALLETS else party
    counts = signer == signs != ZERO_ADDRESS and (party not in WALLETS or len(signature) == 65)
    return Consent.SIGNED if counts else Consent.FALSE


def signer_of(digest: bytes, signature: bytes) -> Address:
    """Who signed, in 65 bytes r, s, v or 64 bytes r, vs (EIP-2098), s low; the zero address if nobody did."""
    if len(signature) == 65 and signature[64] in (27, 28):
        s = int.from_bytes(signature[32:64], "big")
        compact = (s | (signature[64] - 27) << 255) if s < 1 << 255 else None
    elif len(signature) == 64:
        compact = int.from_bytes(signature[32:], "big")
    else:
        return ZERO_ADDRESS
    if compact is None or compact & (1 << 255) - 1 > ORDER // 2:
        return ZERO_ADDRESS
    return recover(digest, signature[:32], compact)


CROOKED = ("an outsider", "about something else", "high s", "v of another kind", "cut short", "one byte more", "noise")
"""Ways for a signature not to be the party's."""


def sign(rng: Random, party: Address, digest: bytes) -> bytes:
    """The party's signature in one of its forms; of somebody without a key, an outsider's."""
    signer = SIGNERS.get(party, OUTSIDER)
    compact = party not in WALLETS and rng.randint(1, 2) == 2
    return signer.sign(digest) if compact else signer.sign65(digest)


def sign_badly(rng: Random, party: Address, digest: bytes) -> tuple[bytes, str]:
    """Bytes that are no signature of the party's over this, and what is wrong with them."""
    how, signer = rng.choice(CROOKED), SIGNERS.get(party, OUTSIDER)
    good = signer.sign65(digest)
    match how:
        case "an outsider":
            return OUTSIDER.sign65(digest), how
        case "about something else":
            return signer.sign65(keccak(digest)), how
        case "high s":
            high = ORDER - int.from_bytes(good[32:64], "big")
            return good[:32] + high.to_bytes(32, "big") + bytes([27 + 28 - good[64]]), how
        case "v of another kind":
            return good[:64] + bytes([rng.choice((0, 1, 29, good[64] ^ 7))]), how
        case "cut short":
            return good[: rng.randint(1, 63)], how
        case "one byte more":
            return good + b"\x1b", how
    return bytes(65) if rng.randint(1, 2) == 2 else rng.randbytes(rng.choice((1, 64, 65, 96))), how


def authorization_digest(
    token: Domain, payer: Address, escrow: Address, value: int, valid_after: int, valid_before: int, nonce: bytes
) -> bytes:
    """What an ERC-3009 authorization signs."""
    kinds = ["bytes32", "address", "address", "uint256", "uint256", "uint256", "bytes32"]
    fields = encode(kinds, [_RECEIVE, payer, escrow, value, valid_after, valid_before, nonce])
    return digest_of(token, keccak(fields))


def cancel_digest(token: Domain, payer: Address, nonce: bytes) -> bytes:
    """What takes an ERC-3009 authorization back."""
    return digest_of(token, keccak(encode(["bytes32", "address", "bytes32"], [_CANCEL, payer, nonce])))


def permit_digest(token: Domain, owner: Address, spender: Address, value: int, nonce: int, deadline: int) -> bytes:
    """What an ERC-2612 permit signs."""
    kinds = ["bytes32", "address", "address", "uint256", "uint256", "uint256"]
    return digest_of(token, keccak(encode(kinds, [_PERMIT, owner, spender, value, nonce, deadline])))


def key_of(party: Address) -> Member:
    """Whose key signs for somebody; an outsider's for who has none."""
    return SIGNERS.get(party, OUTSIDER)
