"""Write the test vectors of `interfaces/vectors` from the executable specification, or check them with --check.

An integrator in another language holds its own encoding against them. Integers are decimal strings, bytes are hex.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.protocol.encoding import (
    ATTESTATION_TYPE,
    MILESTONE_TYPE,
    TERMS_TYPE,
    agreement_id,
    attestation_digest,
    attestation_typed_data,
    domain_separator,
    escrow_domain,
    leaf,
    terms_typed_data,
    verifier_domain,
)
from keeper.protocol.payout import payout
from keeper.protocol.quorum import Quorum, assemble_proof, to_compact
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Agreement,
    Attestation,
    Milestone,
    Terms,
)

FOLDER = Path(__file__).resolve().parent.parent / "interfaces" / "vectors"


def _bytes32(label: str) -> bytes:
    return keccak(text=f"milepost vector {label}")


def _address(label: str) -> Address:
    return Address(to_checksum_address(_bytes32(label)[12:]))


def _key(number: int) -> PrivateKey:
    return PrivateKey(_bytes32(f"key {number}"))


CHAIN_ID = 31337
ESCROW = _address("escrow")
VERIFIER = _address("verifier")
ESCROW_DOMAIN = escrow_domain(CHAIN_ID, ESCROW)
VERIFIER_DOMAIN = verifier_domain(CHAIN_ID, VERIFIER)


def _quorum(m: int, n: int) -> tuple[Quorum, dict[Address, PrivateKey]]:
    keys = {Address(_key(i).public_key.to_checksum_address()): _key(i) for i in range(n)}
    return Quorum(m, tuple(sorted(keys, key=lambda a: int(a, 16)))), keys


def _agreements() -> Iterator[tuple[str, Agreement]]:
    """From the plainest agreement to the fullest."""
    quorum, _ = _quorum(2, 3)
    milestones = tuple(
        Milestone(1_000_000_000 * (i + 1), 1_800_230_400 + 86_400 * i, _bytes32(f"criteria {i}")) for i in range(64)
    )
    full = Terms(
        payer=_address("payer"),
        payee=_address("payee"),
        token=_address("token"),
        verifier=VERIFIER,
        quorum=quorum.hash,
        arbiter=_address("arbiter"),
        arbiter_hook=True,
        review_window=259_200,
        challenge_window=172_800,
        ruling_window=604_800,
        unreviewed_bps=2_500,
        unruled_bps=0,
        fee_bps=50,
        fee_to=_address("fee receiver"),
        tip=2_000_000,
        document=_bytes32("document"),
        salt=_bytes32("salt"),
    )
    clocks_only = Terms(
        payer=full.payer,
        payee=full.payee,
        token=ZERO_ADDRESS,
        verifier=ZERO_ADDRESS,
        quorum=ZERO32,
        arbiter=ZERO_ADDRESS,
        arbiter_hook=False,
        review_window=1,
        challenge_window=0,
        ruling_window=0,
        unreviewed_bps=0,
        unruled_bps=0,
        fee_bps=0,
        fee_to=ZERO_ADDRESS,
        tip=0,
        document=ZERO32,
        salt=ZERO32,
    )
    yield "one milestone, clocks only, native currency", Agreement(clocks_only, milestones[:1])
    yield "three milestones, quorum, arbiter with hook, fee and tip", Agreement(full, milestones[:3])
    yield "sixty-four milestones", Agreement(full, milestones)
    widest = Milestone(2**128 - 1, 2**40 - 1, b"\xff" * 32)
    yield "the widest amount and deadline", Agreement(clocks_only, (widest,))


def terms_vectors() -> dict[str, Any]:
    """Agreement ids with their typed data (docs/protocol.md section 3, Id)."""
    cases = [
        {
            "name": name,
            "typedData": terms_typed_data(ESCROW_DOMAIN, agreement),
            "leaves": [_hex(leaf(m)) for m in agreement.milestones],
            "agreementId": _hex(agreement_id(ESCROW_DOMAIN, agreement.terms, agreement.milestones)),
        }
        for name, agreement in _agreements()
    ]
    separator = _hex(domain_separator(ESCROW_DOMAIN))
    return {"type": TERMS_TYPE, "milestoneType": MILESTONE_TYPE, "domainSeparator": separator, "cases": cases}


def attestation_vectors() -> dict[str, Any]:
    """Digests that attesters sign (docs/protocol.md section 5)."""
    quorum, _ = _quorum(2, 3)
    agreement = agreement_id(ESCROW_DOMAIN, *_first())
    verdicts = {
        "an award without a submission": Attestation(0, ZERO32, 10_000),
        "an award after a submission": Attestation(0, _bytes32("deliverable"), 7_500),
        "a rejection of the third attempt": Attestation(2, _bytes32("deliverable"), 0),
    }
    cases = []
    for name, verdict in verdicts.items():
        about = (VERIFIER_DOMAIN, ESCROW, agreement, quorum.hash, 1, verdict)
        data = attestation_typed_data(*about)
        cases.append({"name": name, "typedData": data, "digest": _hex(attestation_digest(*about))})
    separator = _hex(domain_separator(VERIFIER_DOMAIN))
    return {"type": ATTESTATION_TYPE, "domainSeparator": separator, "cases": cases}


def quorum_vectors() -> dict[str, Any]:
    """Quorum hashes and proofs (docs/protocol.md section 5)."""
    agreement = agreement_id(ESCROW_DOMAIN, *_first())
    cases = []
    for m, n, signers, spares in (
        (1, 1, 1, False),
        (2, 3, 3, False),
        (2, 3, 3, True),
        (3, 5, 4, True),
        (17, 32, 32, False),
    ):
        quorum, keys = _quorum(m, n)
        digest = attestation_digest(VERIFIER_DOMAIN, ESCROW, agreement, quorum.hash, 1, Attestation(0, ZERO32, 10_000))
        last = quorum.members[-signers:]
        signatures = {a: to_compact(keys[a].sign_msg_hash(digest).to_bytes()) for a in last}
        cases.append(
            {
                "m": str(m),
                "members": list(quorum.members),
                "hash": _hex(quorum.hash),
                "digest": _hex(digest),
                "signatures": {a: _hex(s) for a, s in signatures.items()},
                "spares": spares,
                "proof": _hex(assemble_proof(quorum, signatures, spares=spares)),
            }
        )
    return {"cases": cases}


def payout_vectors() -> dict[str, Any]:
    """What each receives (docs/protocol.md section 4, Payout)."""
    rows = [
        (1_000_000_000, 10_000, 50, 2_000_000, True),
        (1_000_000_000, 10_000, 50, 2_000_000, False),
        (1_000_000_000, 0, 50, 2_000_000, True),
        (1_000_000_000, 1, 50, 2_000_000, True),
        (999_999_999, 3_333, 77, 5, True),
        (1, 9_999, 10_000, 0, True),
        (1, 10_000, 10_000, 0, True),
        (3, 5_000, 5_000, 1, True),
        (2**128 - 1, 9_999, 9_999, 2**96 - 1, True),
    ]
    cases = []
    for amount, payee_bps, fee_bps, tip, with_tip in rows:
        paid = payout(amount, payee_bps, fee_bps, tip, with_tip)
        cases.append(
            {
                "amount": str(amount),
                "payeeBps": str(payee_bps),
                "feeBps": str(fee_bps),
                "tip": str(tip),
                "withTip": with_tip,
                "toPayee": str(paid.to_payee),
                "toPayer": str(paid.to_payer),
                "fee": str(paid.fee),
                "tipPaid": str(paid.tip),
            }
        )
    return {"cases": cases}


VECTORS = {
    "terms": terms_vectors,
    "attestation": attestation_vectors,
    "quorum": quorum_vectors,
    "payout": payout_vectors,
}


def _first() -> tuple[Terms, tuple[Milestone, ...]]:
    agreement = next(_agreements())[1]
    return agreement.terms, agreement.milestones


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _integers_as_text(value: Any) -> Any:
    """Every integer as a decimal string, so that no reader loses digits."""
    if isinstance(value, dict):
        return {key: _integers_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_integers_as_text(item) for item in value]
    return str(value) if type(value) is int else value


def render(name: str) -> str:
    """The text of one vector file."""
    return json.dumps(_integers_as_text(VECTORS[name]()), indent=2) + "\n"


def main() -> int:
    """Write the files, or with --check name those that differ (exit code 1)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    differing = []
    for name in VECTORS:
        path = FOLDER / f"{name}.json"
        text = render(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            differing.append(path.name)
    if differing:
        print(f"differ from the specification: {', '.join(differing)}; run scripts/vectors.py", file=sys.stderr)
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
