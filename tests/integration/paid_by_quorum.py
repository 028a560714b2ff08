"""A payment to check by hand: two milestones, one of them awarded by 3 of 5, disputed by nobody and settled.

Accounts, salts and times are fixed, so that docs/guides/check-by-hand.md can print every answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chainlab import KEYS, Anvil, Deployed, deploy_all
from coincurve import PrivateKey
from eth_utils.crypto import keccak

from keeper.chain.abi import contract
from keeper.protocol.abi import attestation_to_abi, milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.encoding import agreement_id, attestation_digest, escrow_domain, verifier_domain
from keeper.protocol.quorum import Quorum, assemble_proof, to_compact
from keeper.protocol.types import Agreement, AgreementId, Attestation, Milestone, Terms

NEW_YEAR = 1_798_761_600
"""2027-01-01 00:00 UTC: when the agreement is funded."""
DAY = 86_400
SIGNERS = (0, 2, 4)
"""Which of the five members sign."""
SALT = bytes.fromhex("5a17").ljust(32, b"\0")
WORK = b'{"commit":"c0ffee"}'
"""The deliverable: what is submitted is the hash of salt and document."""


@dataclass(frozen=True)
class Payment:
    """What a person has in hand who is to check it: two addresses and a transaction."""

    anvil: Anvil
    escrow: str
    transaction: str


def pay(anvil: Anvil, folder: Path) -> Payment:
    """Deploy, fund, submit, attest by 3 of 5 and settle after the challenge window, each at its own time."""
    chain = deploy_all(anvil, folder)
    payer, payee = anvil.accounts[1:3]
    keys = dict(zip(anvil.accounts, KEYS, strict=True))
    quorum = Quorum(3, tuple(sorted(anvil.accounts[5:10], key=lambda a: int(a, 16))))
    agreement = _agreement(chain, quorum)
    id_ = agreement_id(escrow_domain(chain.deployment.chain_id, chain.escrow), agreement.terms, agreement.milestones)
    part = part_to_abi(agreement.part(0))
    work = keccak(SALT + WORK)
    verdict = Attestation(0, work, 10_000)
    proof = _proof(chain, quorum, id_, verdict, keys)
    total = sum(m.amount for m in agreement.milestones)
    rows = [milestone_to_abi(m) for m in agreement.milestones]

    mint = keccak(text="mint(address,uint256)")[:4] + bytes(12) + bytes.fromhex(payer[2:]) + total.to_bytes(32, "big")
    anvil.send(payer, chain.token, mint)
    anvil.send(payer, chain.token, contract("ERC20").encode("approve", chain.escrow, total))
    _call(chain, NEW_YEAR, payer, "fund", terms_to_abi(agreement.terms), rows, 0b11)
    _call(chain, NEW_YEAR + DAY, payee, "submit", part, work)
    _call(chain, NEW_YEAR + 2 * DAY, payee, "attest", part, attestation_to_abi(verdict), proof)
    settled = _call(chain, NEW_YEAR + 5 * DAY, payer, "settle", part)
    return Payment(anvil, chain.escrow, settled)


def _agreement(chain: Deployed, quorum: Quorum) -> Agreement:
    payer, payee, arbiter, fee_to = chain.anvil.accounts[1:5]
    terms = Terms(
        payer=payer, payee=payee, token=chain.token, verifier=chain.verifier, quorum=quorum.hash, arbiter=arbiter,
        arbiter_hook=False, review_window=7 * DAY, challenge_window=2 * DAY, ruling_window=14 * DAY,
        unreviewed_bps=0, unruled_bps=0, fee_bps=100, fee_to=fee_to, tip=2_000_000,
        document=keccak(text="the contract"), salt=keccak(text="the salt"),
    )  # fmt: skip
    first = Milestone(750_000_000_000, NEW_YEAR + 30 * DAY, keccak(text="first criteria"))
    second = Milestone(250_000_000_000, NEW_YEAR + 60 * DAY, keccak(text="second criteria"))
    return Agreement(terms, (first, second))


def _proof(
    chain: Deployed, quorum: Quorum, agreement: AgreementId, verdict: Attestation, keys: dict[str, str]
) -> bytes:
    domain = verifier_domain(chain.deployment.chain_id, chain.verifier)
    digest = attestation_digest(domain, chain.escrow, agreement, quorum.hash, 0, verdict)
    signers = {member: PrivateKey(bytes.fromhex(keys[member][2:])) for member in (quorum.members[i] for i in SIGNERS)}
    signed = {member: to_compact(key.sign_recoverable(digest, hasher=None)) for member, key in signers.items()}
    return assemble_proof(quorum, signed)


def _call(chain: Deployed, at: int, sender: str, name: str, *args: object) -> str:
    chain.anvil.rpc.call("evm_setNextBlockTimestamp", at)
    receipt = chain.anvil.send(sender, chain.escrow, contract("Escrow").encode(name, *args))
    return str(receipt["transactionHash"])
