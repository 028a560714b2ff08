"""What the ledger's queries answer with, and how rows of the database become those values."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter

from eth_utils.address import to_checksum_address
from sqlalchemy import RowMapping

from keeper.chain.blocks import Header
from keeper.ledger.events import StoredEvent, agreement_in
from keeper.protocol.due import NOTHING_DUE, due
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import (
    UNTOUCHED,
    Address,
    Agreement,
    Bps,
    Cause,
    Due,
    MilestoneState,
    Part,
    Status,
    Terms,
)


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
    """How a milestone's money left, in token units."""

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


def hex_of(value: bytes) -> str:
    """Bytes as the database keeps them: lower-case 0x hex."""
    return "0x" + value.hex()


def address_of(text: str) -> Address:
    """A lower-case address of the database as EIP-55 text."""
    return Address(to_checksum_address(text))


def stored_event(row: RowMapping) -> StoredEvent:
    """A row of the event table as a value."""
    return StoredEvent(**{**row, "topics": tuple(row["topics"])})


def quorum_value(row: RowMapping) -> Quorum:
    """A row of the quorum table as a value."""
    return Quorum(row["threshold"], tuple(address_of(a) for a in row["members"]))


def settlement_view(row: RowMapping) -> SettlementView:
    """A row of the settlement table as a value."""
    return SettlementView(
        agreement=_bytes(row["agreement"]),
        index=row["index"],
        cause=Cause(row["cause"]),
        payee_bps=row["payee_bps"],
        to_payee=int(row["to_payee"]),
        to_payer=int(row["to_payer"]),
        fee=int(row["fee"]),
        tip=int(row["tip"]),
        executor=address_of(row["executor"]),
        tx_hash=row["tx_hash"],
        number=row["number"],
        block_hash=row["block_hash"],
    )


def agreement_view_of(row: RowMapping, milestones: list[RowMapping], settlements: list[RowMapping]) -> AgreementView:
    """A row of the agreement table, with its milestones' and settlements' rows, as a value."""
    agreement = agreement_in(row["terms"])
    lines = {m["index"]: m for m in milestones}
    views = (
        milestone_view_of(row["id"], row["escrow"], agreement, i, lines.get(i))
        for i in range(len(agreement.milestones))
    )
    return AgreementView(
        id=_bytes(row["id"]),
        chain=row["chain"],
        escrow=address_of(row["escrow"]),
        agreement=agreement,
        funded=int(row["funded"], 16),
        closed=int(row["closed"], 16),
        block_number=row["block_number"],
        milestones=tuple(views),
        settlements={s["index"]: settlement_view(s) for s in sorted(settlements, key=itemgetter("index"))},
    )


def milestone_view_of(
    agreement_id: str, escrow: str, agreement: Agreement, index: int, row: RowMapping | None
) -> MilestoneView:
    """A row of the milestone table as a value; without a row the milestone was never funded."""
    state = UNTOUCHED if row is None else _state(row)
    is_open = row is not None and bool(row["open"])
    return MilestoneView(
        agreement=_bytes(agreement_id),
        escrow=address_of(escrow),
        index=index,
        part=agreement.part(index),
        terms=agreement.terms,
        funded=row is not None,
        open=is_open,
        state=state,
        due=due(agreement.terms, agreement.milestones[index], state) if is_open else NOTHING_DUE,
        changed_number=row["changed_number"] if row is not None else 0,
        changed_hash=row["changed_hash"] if row is not None else "",
    )


def _state(row: RowMapping) -> MilestoneState:
    return MilestoneState(
        Status(row["status"]), row["attempt"], row["since"], _bytes(row["deliverable"]), row["standing_bps"]
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
