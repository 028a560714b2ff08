"""What the ledger's queries answer with."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.chain.blocks import Header
from keeper.protocol.types import Address, Agreement, Bps, Cause, Due, MilestoneState, Part, Terms


@dataclass(frozen=True, slots=True)
class Place:
    """How far the chain has been followed, and how much of it is how certain."""

    head: Header
    safe_number: int
    finalized_number: int
    finalized_hash: str


@dataclass(frozen=True, slots=True)
class MilestoneView:
    """One milestone of a schedule and where it stands."""

    agreement: bytes
    escrow: Address
    index: int
    part: Part
    terms: Terms
    funded: bool
    open: bool
    """Funded and not settled."""
    state: MilestoneState
    """Of a settled milestone, the last one before it settled; untouched while unfunded."""
    due: Due
    changed_number: int
    """Number of the block whose event last moved it; 0 while unfunded."""
    changed_hash: str
    """Hash of that block; empty while unfunded."""


@dataclass(frozen=True, slots=True)
class SettlementView:
    """How a milestone's money left, in token units; with cause AMENDED it paid nobody and went to another agreement."""

    agreement: bytes
    index: int
    cause: Cause
    payee_bps: Bps
    to_payee: int
    to_payer: int
    fee: int
    tip: int
    executor: Address
    tx_hash: str
    number: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class AmendmentView:
    """Milestones of `source` that ended for milestones of `target`; bitmaps, bit i = milestone i."""

    source: bytes
    target: bytes
    closes: int
    opens: int
    moved: int
    """Token units that went along."""
    executor: Address
    """Who sent it."""
    tx_hash: str
    number: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class AcceptanceView:
    """The first time that the payee accepted the terms on chain."""

    agreement: bytes
    by: Address
    time: int
    """Unix seconds of its block."""
    tx_hash: str
    number: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One agreement whole; `funded` and `closed` are bitmaps, bit i = milestone i."""

    id: bytes
    chain: int
    escrow: Address
    agreement: Agreement
    funded: int
    closed: int
    block_number: int
    """Where it was first funded."""
    milestones: tuple[MilestoneView, ...]
    """The whole schedule, unfunded milestones included."""
    settlements: dict[int, SettlementView]
    amendments: tuple[AmendmentView, ...] = ()
    """Where milestones of it went."""
    opened_by: AmendmentView | None = None
    """Where its first milestones came from, if it began by an amendment."""
    accepted: AcceptanceView | None = None

    def went_to(self, index: int) -> bytes | None:
        """The agreement that a milestone's money went to, if it was moved."""
        return next((a.target for a in self.amendments if a.closes >> index & 1), None)
