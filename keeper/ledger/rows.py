"""How rows of the database become the values that the ledger's queries answer with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from eth_utils.address import to_checksum_address
from sqlalchemy import RowMapping

from keeper.ledger.events import StoredEvent, agreement_in
from keeper.ledger.model import AcceptanceView, AgreementView, AmendmentView, MilestoneView, SettlementView
from keeper.protocol.due import NOTHING_DUE, due
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import UNTOUCHED, Address, Agreement, Cause, MilestoneState, Status


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


def amendment_view(row: RowMapping) -> AmendmentView:
    """A row of the amendment table as a value."""
    return AmendmentView(
        source=_bytes(row["source"]),
        target=_bytes(row["target"]),
        closes=int(row["closes"], 16),
        opens=int(row["opens"], 16),
        moved=int(row["moved"]),
        executor=address_of(row["executor"]),
        tx_hash=row["tx_hash"],
        number=row["number"],
        block_hash=row["block_hash"],
    )


def acceptance_view(row: RowMapping) -> AcceptanceView:
    """A row of the acceptance table as a value."""
    return AcceptanceView(
        agreement=_bytes(row["agreement"]),
        by=address_of(row["by"]),
        time=row["time"],
        tx_hash=row["tx_hash"],
        number=row["number"],
        block_hash=row["block_hash"],
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the other tables that belong to one agreement."""

    milestones: Sequence[RowMapping] = ()
    settlements: Sequence[RowMapping] = ()
    amendments: Sequence[RowMapping] = ()
    opened_by: Sequence[RowMapping] = ()
    accepted: Sequence[RowMapping] = ()


def agreement_view_of(row: RowMapping, rows: Rows) -> AgreementView:
    """A row of the agreement table, with all that belongs to it, as a value."""
    agreement = agreement_in(row["terms"])
    lines = {m["index"]: m for m in rows.milestones}
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
        settlements={s["index"]: settlement_view(s) for s in sorted(rows.settlements, key=itemgetter("index"))},
        amendments=tuple(amendment_view(a) for a in sorted(rows.amendments, key=itemgetter("number", "target"))),
        opened_by=next(map(amendment_view, rows.opened_by), None),
        accepted=next(map(acceptance_view, rows.accepted), None),
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
