"""Test vectors of docs/protocol.md section 5: what attesters sign, how it is proved, when it is held against them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keeper.errors import MilepostError
from keeper.protocol.attester_account import (
    MESSAGE_TYPE,
    account_digest,
    account_domain,
    account_typed_data,
)
from keeper.protocol.encoding import (
    ATTESTATION_TYPE,
    agreement_id,
    attestation_digest,
    attestation_typed_data,
    domain_separator,
)
from keeper.protocol.equivocation import SignedVerdict, equivocation
from keeper.protocol.quorum import Quorum, assemble_proof, contract_signature, to_compact
from keeper.protocol.types import ZERO32, Address, Attestation
from scripts.vector_cases import (
    CHAIN_ID,
    ESCROW,
    ESCROW_DOMAIN,
    VERIFIER,
    VERIFIER_DOMAIN,
    address,
    bytes32,
    first_agreement,
    key,
    quorum_of,
    to_hex,
)

AGREEMENT = agreement_id(ESCROW_DOMAIN, *first_agreement())
AWARD = Attestation(0, ZERO32, 10_000)
ACCOUNT = address("attester account")
ACCOUNT_DOMAIN = account_domain(CHAIN_ID, ACCOUNT)
HOT_KEY = 100
"""The number of the key behind ACCOUNT."""


def attestation_vectors() -> dict[str, Any]:
    """Digests that attesters sign."""
    quorum, _ = quorum_of(2, 3)
    verdicts = {
        "an award without a submission": AWARD,
        "an award after a submission": Attestation(0, bytes32("deliverable"), 7_500),
        "a rejection of the third attempt": Attestation(2, bytes32("deliverable"), 0),
    }
    cases = []
    for name, verdict in verdicts.items():
        about = (VERIFIER_DOMAIN, ESCROW, AGREEMENT, quorum.hash, 1, verdict)
        data = attestation_typed_data(*about)
        cases.append({"name": name, "typedData": data, "digest": to_hex(attestation_digest(*about))})
    separator = to_hex(domain_separator(VERIFIER_DOMAIN))
    return {"type": ATTESTATION_TYPE, "domainSeparator": separator, "cases": cases}


def quorum_vectors() -> dict[str, Any]:
    """Quorum hashes and proofs of one verdict."""
    cases = []
    for m, n, signers, spares in (
        (1, 1, 1, False),
        (2, 3, 3, False),
        (2, 3, 3, True),
        (3, 5, 4, True),
        (17, 32, 32, False),
    ):
        quorum, keys = quorum_of(m, n)
        digest = attestation_digest(VERIFIER_DOMAIN, ESCROW, AGREEMENT, quorum.hash, 1, AWARD)
        last = quorum.members[-signers:]
        signatures = {a: _sign(keys[a], digest) for a in last}
        cases.append(
            {
                "m": str(m),
                "members": list(quorum.members),
                "hash": to_hex(quorum.hash),
                "digest": to_hex(digest),
                "signatures": {a: to_hex(s) for a, s in signatures.items()},
                "spares": spares,
                "proof": to_hex(assemble_proof(quorum, signatures, spares=spares)),
            }
        )
    return {**_place(), "attestation": _verdict(AWARD), "cases": cases}


def attester_account_vectors() -> dict[str, Any]:
    """What a key signs for an attester's account, alone and in the proof of a quorum that the account is in."""
    quorum, keys = _with_account()
    inner = attestation_digest(VERIFIER_DOMAIN, ESCROW, AGREEMENT, quorum.hash, 1, AWARD)
    cases = []
    for name, digest in {"a verdict": inner, "any digest": bytes32("digest")}.items():
        wrapped = account_digest(ACCOUNT_DOMAIN, digest)
        cases.append(
            {
                "name": name,
                "digest": to_hex(digest),
                "typedData": account_typed_data(ACCOUNT_DOMAIN, digest),
                "accountDigest": to_hex(wrapped),
                "signature": to_hex(_sign(key(HOT_KEY), wrapped)),
            }
        )
    held = {a: _sign(k, inner) for a, k in keys.items()}
    held[ACCOUNT] = contract_signature(_sign(key(HOT_KEY), account_digest(ACCOUNT_DOMAIN, inner)))
    return {
        "type": MESSAGE_TYPE,
        "domainSeparator": to_hex(domain_separator(ACCOUNT_DOMAIN)),
        "account": ACCOUNT,
        "key": key(HOT_KEY).public_key.to_checksum_address(),
        **_place(),
        "attestation": _verdict(AWARD),
        "quorum": to_hex(quorum.hash),
        "proof": to_hex(assemble_proof(quorum, held, spares=True)),
        "cases": cases,
    }


def equivocation_vectors() -> dict[str, Any]:
    """Pairs of verdicts of one signer, each with the error that the contract answers with; none if it is shown."""
    quorum, keys = quorum_of(2, 3)
    stranger = Address(key(9).public_key.to_checksum_address())
    signers = {"a member": (quorum.members[1], keys[quorum.members[1]]), "a stranger": (stranger, key(9))}
    cases = []
    for name, who, one, other, refusal in _pairs():
        signer, secret = signers[who]
        signed = [_signed(secret, quorum, verdict) for verdict in (one, other)]
        assert _is_shown(quorum, *signed) == (not refusal), name
        cases.append(
            {
                "name": name,
                "member": signer,
                "one": {**_verdict(one), "signature": to_hex(signed[0].signature)},
                "other": {**_verdict(other), "signature": to_hex(signed[1].signature)},
                "refusal": refusal,
            }
        )
    head = {"m": str(quorum.m), "members": list(quorum.members), "quorum": to_hex(quorum.hash)}
    return {**_place(), **head, "cases": cases}


def _pairs() -> Iterator[tuple[str, str, Attestation, Attestation, str]]:
    full = bytes32("deliverable")
    work, other_work = full[:24] + bytes(8), bytes32("another deliverable")[:24] + bytes(8)
    award, rejection = Attestation(1, work, 7_500), Attestation(1, work, 0)
    before = Attestation(1, ZERO32, 10_000)
    yield "an award and a rejection of one submission", "a member", award, rejection, ""
    yield "deliverables that differ in the low 8 bytes", "a member", award, Attestation(1, full, 0), ""
    yield "one verdict twice", "a member", award, award, "SameVerdict"
    yield "a submission came in between", "a member", before, award, "DifferentSubjects"
    yield "two submissions under one attempt", "a member", award, Attestation(1, other_work, 0), "DifferentSubjects"
    yield "two attempts", "a member", award, Attestation(2, work, 0), "DifferentSubjects"
    yield "two verdicts of a stranger", "a stranger", award, rejection, "NotMember"


def _with_account() -> tuple[Quorum, dict[Address, Any]]:
    """2 of 3: two keys and the account."""
    _, keys = quorum_of(2, 2)
    return Quorum(2, tuple(sorted([*keys, ACCOUNT], key=lambda a: int(a, 16)))), keys


def _signed(signer: Any, quorum: Quorum, verdict: Attestation) -> SignedVerdict:
    digest = attestation_digest(VERIFIER_DOMAIN, ESCROW, AGREEMENT, quorum.hash, 1, verdict)
    return SignedVerdict(verdict, _sign(signer, digest))


def _is_shown(quorum: Quorum, one: SignedVerdict, other: SignedVerdict) -> bool:
    try:
        equivocation(VERIFIER_DOMAIN, quorum, ESCROW, AGREEMENT, 1, one, other)
    except MilepostError:
        return False
    return True


def _sign(signer: Any, digest: bytes) -> bytes:
    return to_compact(signer.sign_msg_hash(digest).to_bytes())


def _verdict(a: Attestation) -> dict[str, str]:
    return {"attempt": str(a.attempt), "deliverable": to_hex(a.deliverable), "payoutBps": str(a.payout_bps)}


def _place() -> dict[str, str]:
    return {"verifier": VERIFIER, "escrow": ESCROW, "agreement": to_hex(AGREEMENT), "milestone": "1"}
