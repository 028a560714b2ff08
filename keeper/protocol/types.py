"""The nouns of the protocol as frozen values.

Units everywhere: amounts and tips in token units (integers), times in unix seconds, windows in seconds, shares in
basis points (1/10000). 32-byte values are `bytes`, addresses EIP-55 `str`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType, TypeAlias

AgreementId = NewType("AgreementId", bytes)
"""32 bytes: the EIP-712 hash of the terms, which is the contract itself (docs/protocol.md section 3)."""

Address = NewType("Address", str)
"""20 bytes as EIP-55 checksummed text."""

Bps: TypeAlias = int
"""A share in 1/10000, 0..10000."""

ALL_BPS: Bps = 10_000
ZERO_ADDRESS = Address("0x" + "00" * 20)
NATIVE = "native"
"""What people call the chain's own currency, token 0."""
NATIVE_DECIMALS = 18
ZERO32 = bytes(32)
ZERO24 = bytes(24)
MAX_UINT40 = 2**40 - 1
"""The time that never comes: `ready_at` of a milestone that nothing is due for."""

DAY = 86_400
MAX_MILESTONES = 64
MAX_ATTEMPT = 255
"""`submit` is refused at this attempt, so that a rejection always fits (docs/protocol.md section 3, State)."""
MAX_WINDOW = 365 * DAY
MAX_AHEAD = 3_650 * DAY
"""How far ahead of funding `submit_by` may lie: the "10 years" of docs/protocol.md section 3, as years of 365 days."""


class Cause(IntEnum):
    """Why a milestone's money left (docs/protocol.md section 4, Events)."""

    NONE = 0
    ATTESTED = 1
    APPROVED = 2
    WAIVED = 3
    AGREED = 4
    RULED = 5
    LAPSED = 6
    UNREVIEWED = 7
    UNRULED = 8
    AMENDED = 9


class Status(IntEnum):
    """Where an open milestone stands (docs/protocol.md section 3, State)."""

    FUNDED = 0
    SUBMITTED = 1
    ATTESTED = 2
    DISPUTED = 3


@dataclass(frozen=True, slots=True)
class Milestone:
    """One line of the schedule (docs/protocol.md section 3)."""

    amount: int
    """Token units, > 0, 128 bits."""
    submit_by: int
    """Unix seconds: last second to submit, or to be attested without a submission."""
    criteria: bytes
    """Hash of the acceptance criteria document, 32 bytes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides agreed to, without the schedule (docs/protocol.md section 3)."""

    payer: Address
    payee: Address
    token: Address
    """The zero address means the native currency."""
    verifier: Address
    quorum: bytes
    """Hash of the quorum that attests; zero exactly when `verifier` is."""
    arbiter: Address
    """The zero address means: no disputes."""
    arbiter_hook: bool
    review_window: int
    """Seconds after a submission in which a verdict must come."""
    challenge_window: int
    """Seconds after a verdict, or after a review nobody gave, in which it may be disputed."""
    ruling_window: int
    """Seconds after a dispute in which the arbiter may rule."""
    unreviewed_bps: Bps
    unruled_bps: Bps
    fee_bps: Bps
    fee_to: Address
    tip: int
    """Token units to whoever sends the `attest`, `settle` or `settleMany` that pays out."""
    document: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One milestone, and what shows that it belongs to its agreement (docs/protocol.md section 3)."""

    terms: Terms
    leaves: tuple[bytes, ...]
    """The EIP-712 hash of every milestone of the schedule, in order."""
    index: int
    milestone: Milestone


@dataclass(frozen=True, slots=True)
class Agreement:
    """Terms and the whole schedule: all that the agreement id is the hash of."""

    terms: Terms
    milestones: tuple[Milestone, ...]

    def part(self, index: int) -> Part:
        """The part for milestone `index`; IndexError outside the schedule."""
        from keeper.protocol.encoding import leaf  # late: encoding is made of these types

        if not 0 <= index < len(self.milestones):
            raise IndexError(f"milestone {index} of a schedule of {len(self.milestones)}")
        return Part(self.terms, tuple(leaf(m) for m in self.milestones), index, self.milestones[index])


def sum_of(milestones: tuple[Milestone, ...], bits: int) -> int:
    """Token units of the milestones in a bitmap; bits beyond the schedule count nothing."""
    return sum(m.amount for i, m in enumerate(milestones) if bits >> i & 1)


@dataclass(frozen=True, slots=True)
class Domain:
    """An EIP-712 domain as its contract was deployed (ERC-5267)."""

    name: str
    version: str
    chain_id: int
    verifying_contract: Address


@dataclass(frozen=True, slots=True)
class Attestation:
    """A verdict: every field is a function of chain and criteria (docs/protocol.md section 5)."""

    attempt: int
    deliverable: bytes
    """32 bytes; all zero where nothing was submitted."""
    payout_bps: Bps
    """The payee's share; 0 is a rejection."""


@dataclass(frozen=True, slots=True)
class Split:
    """What both parties sign to share one milestone (docs/protocol.md section 4, Typed data)."""

    agreement: AgreementId
    milestone: int
    payee_bps: Bps
    as_of: int
    """Unix seconds: the timestamp of the block that the signer read; dead if the milestone has moved then or since."""
    deadline: int
    """Unix seconds: the last second at which it counts."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What ends in one agreement and is funded in another; bit i = milestone i (docs/protocol.md section 4)."""

    closes: int
    opens: int
    as_of: int
    """Unix seconds: the timestamp of the block that the signer read; dead if what it closes has moved then or since."""
    deadline: int
    """Unix seconds: the last second at which it counts."""


@dataclass(frozen=True, slots=True)
class MilestoneState:
    """The word that the escrow keeps for an open milestone (docs/protocol.md section 3, State).

    A milestone that was funded and then left alone is `MilestoneState(Status.FUNDED, 0, 0)`.
    """

    status: Status
    attempt: int
    since: int
    """Unix seconds of the last change; 0 for a milestone only funded."""
    deliverable24: bytes = ZERO24
    """First 24 bytes of the submitted deliverable's hash; zero unless Submitted."""
    standing_bps: Bps = 0
    """The share that stands if nobody rules; 0 unless Attested or Disputed."""


UNTOUCHED = MilestoneState(Status.FUNDED, 0, 0)


@dataclass(frozen=True, slots=True)
class Due:
    """What `settle` would do and from when (docs/protocol.md section 4, Views)."""

    cause: Cause
    share: int
    """Gross payee share in token units."""
    ready_at: int
    """First second at which `settle` succeeds; MAX_UINT40 when it never will."""
