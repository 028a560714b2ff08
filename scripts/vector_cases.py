"""The agreements, quorums and keys that the test vectors are about: made of labels, the same for ever."""

from __future__ import annotations

from collections.abc import Iterator

from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.protocol.encoding import escrow_domain, verifier_domain
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, Address, Agreement, Milestone, Terms


def bytes32(label: str) -> bytes:
    """32 bytes that a label stands for."""
    return keccak(text=f"milepost vector {label}")


def address(label: str) -> Address:
    """The account that a label stands for."""
    return Address(to_checksum_address(bytes32(label)[12:]))


def key(number: int) -> PrivateKey:
    """The key of an attester."""
    return PrivateKey(bytes32(f"key {number}"))


CHAIN_ID = 31337
ESCROW = address("escrow")
VERIFIER = address("verifier")
ESCROW_DOMAIN = escrow_domain(CHAIN_ID, ESCROW)
VERIFIER_DOMAIN = verifier_domain(CHAIN_ID, VERIFIER)


def quorum_of(m: int, n: int) -> tuple[Quorum, dict[Address, PrivateKey]]:
    """M of the first N attesters, with their keys."""
    keys = {Address(key(i).public_key.to_checksum_address()): key(i) for i in range(n)}
    return Quorum(m, tuple(sorted(keys, key=lambda a: int(a, 16)))), keys


def agreements() -> Iterator[tuple[str, Agreement]]:
    """From the plainest agreement to the fullest."""
    quorum, _ = quorum_of(2, 3)
    milestones = tuple(
        Milestone(1_000_000_000 * (i + 1), 1_800_230_400 + 86_400 * i, bytes32(f"criteria {i}")) for i in range(64)
    )
    full = Terms(
        payer=address("payer"),
        payee=address("payee"),
        token=address("token"),
        verifier=VERIFIER,
        quorum=quorum.hash,
        arbiter=address("arbiter"),
        arbiter_hook=True,
        review_window=259_200,
        challenge_window=172_800,
        ruling_window=604_800,
        unreviewed_bps=2_500,
        unruled_bps=0,
        fee_bps=50,
        fee_to=address("fee receiver"),
        tip=2_000_000,
        document=bytes32("document"),
        salt=bytes32("salt"),
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


def first_agreement() -> tuple[Terms, tuple[Milestone, ...]]:
    """The plainest, as an id is made of it."""
    agreement = next(agreements())[1]
    return agreement.terms, agreement.milestones


def to_hex(value: bytes) -> str:
    """Bytes as they stand in the files."""
    return "0x" + value.hex()
