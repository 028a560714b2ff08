"""Write the test vectors of `interfaces/vectors` from the executable specification, or check them with --check.

An integrator in another language holds its own encoding against them. Integers are decimal strings, bytes are hex.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from keeper.protocol.encoding import (
    MILESTONE_TYPE,
    TERMS_TYPE,
    agreement_id,
    domain_separator,
    leaf,
    terms_typed_data,
)
from keeper.protocol.offers import (
    AMENDMENT_TYPE,
    SPLIT_TYPE,
    amendment_digest,
    amendment_typed_data,
    authorization_nonce,
    split_digest,
    split_typed_data,
)
from keeper.protocol.panel import VOTE_TYPE, Vote, panel_domain, vote_digest, vote_typed_data
from keeper.protocol.payout import payout
from keeper.protocol.types import Amendment, Split
from scripts.vector_cases import (
    CHAIN_ID,
    ESCROW,
    ESCROW_DOMAIN,
    address,
    agreements,
    first_agreement,
    to_hex,
)
from scripts.verdict_vectors import (
    attestation_vectors,
    attester_account_vectors,
    equivocation_vectors,
    quorum_vectors,
)

FOLDER = Path(__file__).resolve().parent.parent / "interfaces" / "vectors"


def terms_vectors() -> dict[str, Any]:
    """Agreement ids with their typed data (docs/protocol.md section 3, Id)."""
    cases = [
        {
            "name": name,
            "typedData": terms_typed_data(ESCROW_DOMAIN, agreement),
            "leaves": [to_hex(leaf(m)) for m in agreement.milestones],
            "agreementId": to_hex(agreement_id(ESCROW_DOMAIN, agreement.terms, agreement.milestones)),
        }
        for name, agreement in agreements()
    ]
    separator = to_hex(domain_separator(ESCROW_DOMAIN))
    return {"type": TERMS_TYPE, "milestoneType": MILESTONE_TYPE, "domainSeparator": separator, "cases": cases}


def split_vectors() -> dict[str, Any]:
    """Digests that both parties sign to share a milestone (docs/protocol.md section 4, Typed data)."""
    agreement = agreement_id(ESCROW_DOMAIN, *first_agreement())
    splits = {
        "everything to the payee, as long as it counts": Split(agreement, 0, 10_000, 0, 2**40 - 1),
        "a third, for a day": Split(agreement, 2, 3_333, 1_800_000_000, 1_800_086_400),
        "nothing, of the last milestone": Split(agreement, 63, 0, 1_800_000_000, 1_800_000_000),
    }
    cases = [
        {
            "name": name,
            "typedData": split_typed_data(ESCROW_DOMAIN, split),
            "digest": to_hex(split_digest(ESCROW_DOMAIN, split)),
        }
        for name, split in splits.items()
    ]
    return {"type": SPLIT_TYPE, "domainSeparator": to_hex(domain_separator(ESCROW_DOMAIN)), "cases": cases}


def amendment_vectors() -> dict[str, Any]:
    """Digests that both parties sign to move milestones to other terms (docs/protocol.md section 4, Typed data)."""
    source = agreement_id(ESCROW_DOMAIN, *first_agreement())
    cases = []
    for name, target in agreements():
        count = len(target.milestones)
        what = Amendment(0b1, (1 << count) - 1, 1_800_000_000, 1_800_086_400)
        about = (ESCROW_DOMAIN, source, what, target)
        data, digest = amendment_typed_data(*about), amendment_digest(*about)
        cases.append({"name": f"to {name}", "typedData": data, "digest": to_hex(digest)})
    return {"type": AMENDMENT_TYPE, "domainSeparator": to_hex(domain_separator(ESCROW_DOMAIN)), "cases": cases}


def authorization_vectors() -> dict[str, Any]:
    """Nonces of ERC-3009 authorizations that pay for milestones (docs/protocol.md section 4, Money in)."""
    agreement = agreement_id(ESCROW_DOMAIN, *first_agreement())
    masks = (0b1, 0b101, 2**64 - 1)
    nonces = [to_hex(authorization_nonce(agreement, mask)) for mask in masks]
    pairs = zip(masks, nonces, strict=True)
    return {"cases": [{"agreementId": to_hex(agreement), "mask": str(mask), "nonce": nonce} for mask, nonce in pairs]}


def vote_vectors() -> dict[str, Any]:
    """Digests that members of a panel sign (docs/protocol.md section 6)."""
    domain = panel_domain(CHAIN_ID, address("panel"))
    agreement = agreement_id(ESCROW_DOMAIN, *first_agreement())
    cases = []
    for share, milestone, deadline in ((10_000, 0, 2**40 - 1), (3_333, 2, 1_800_086_400), (0, 63, 0)):
        vote = Vote(address("panel member"), ESCROW, agreement, milestone, share, deadline)
        data, digest = vote_typed_data(domain, vote), vote_digest(domain, vote)
        cases.append({"name": f"{share} bps of milestone {milestone}", "typedData": data, "digest": to_hex(digest)})
    return {"type": VOTE_TYPE, "domainSeparator": to_hex(domain_separator(domain)), "cases": cases}


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
    "split": split_vectors,
    "amendment": amendment_vectors,
    "authorization": authorization_vectors,
    "vote": vote_vectors,
    "quorum": quorum_vectors,
    "attester_account": attester_account_vectors,
    "equivocation": equivocation_vectors,
    "payout": payout_vectors,
}


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
