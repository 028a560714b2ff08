"""Signed verdicts: how a relay takes them in and gives them out again (docs/protocol.md section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, RowMapping, func, insert, select

from keeper.errors import MilepostError
from keeper.relay.documents import CHAIN_BYTES
from keeper.relay.fitting import check_fits
from keeper.relay.message import AttestationMessage
from keeper.relay.wire import to_hex
from keeper.store.schema import attestation as table

__all__ = [
    "MAX_VERDICTS",
    "Accepted",
    "AttestationMessage",
    "Kept",
    "accept",
    "last_seq",
    "list_attestations",
    "message_of",
    "subject_of",
]

MAX_VERDICTS = 8
"""Different signed verdicts kept per signer and subject: two show an equivocation, more only fill the disk."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where an attestation stands in this relay's list; `known` when it stood there before."""

    seq: int
    known: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """One line of this relay's list."""

    seq: int
    message: AttestationMessage


def accept(conn: Connection, message: AttestationMessage) -> Accepted:
    """Check a verdict against the ledger and keep it in the caller's transaction.

    A repeat changes nothing. Contradicting verdicts of one signer are kept side by side as evidence. Raises
    ATTESTATION_EARLY while the ledger is behind the verdict, ATTESTATION_REFUSED and NOT_A_MEMBER for good.
    """
    digest = to_hex(message.digest())
    known = conn.execute(
        select(table.c.seq).where(table.c.digest == digest, table.c.signer == message.signer.lower())
    ).scalar()
    if known is not None:
        return Accepted(known, known=True)
    head_time = check_fits(conn, message)
    message.check_signature()
    _watch(conn, message)
    row = _columns(message) | {"head_time": head_time, "digest": digest}
    seq = conn.execute(insert(table).values(row)).inserted_primary_key
    assert seq is not None
    return Accepted(seq[0], known=False)


def list_attestations(
    conn: Connection, *, after: int = 0, limit: int = 100, agreement: bytes | None = None
) -> list[Kept]:
    """The attestations behind `after` in the order they were kept, of one agreement or of all."""
    query = select(table).where(table.c.seq > after).order_by(table.c.seq).limit(limit)
    if agreement is not None:
        query = query.where(table.c.agreement == to_hex(agreement))
    return [Kept(row["seq"], message_of(row)) for row in conn.execute(query).mappings()]


def last_seq(conn: Connection) -> int:
    """The highest number in this relay's list; 0 while it is empty."""
    return int(conn.execute(select(func.coalesce(func.max(table.c.seq), 0))).scalar_one())


def message_of(row: RowMapping) -> AttestationMessage:
    """The message that a stored row was made from."""
    return AttestationMessage(
        chain_id=row["chain"],
        **{name: row[name] for name in AttestationMessage.model_fields if name != "chain_id"},
    )


def _columns(message: AttestationMessage) -> dict[str, Any]:
    values = message.model_dump(mode="json")
    return {"chain": values.pop("chain_id"), **values}


def _watch(conn: Connection, message: AttestationMessage) -> None:
    """Say loudly when a signer contradicts itself on one subject, and bound how much of that is kept."""
    others = [
        kept
        for kept in conn.execute(
            select(table.c.deliverable, table.c.payout_bps).where(
                table.c.agreement == to_hex(message.agreement),
                table.c.milestone == message.milestone,
                table.c.attempt == message.attempt,
                table.c.signer == message.signer.lower(),
            )
        )
        if subject_of(kept.deliverable) == subject_of(to_hex(message.deliverable))
    ]
    if len(others) >= MAX_VERDICTS:
        raise MilepostError(
            "ATTESTATION_REFUSED",
            f"{message.signer} has signed too many verdicts on one subject",
            cause=f"expected at most {MAX_VERDICTS}, and this relay keeps {len(others)}",
        )
    verdicts = {kept.payout_bps for kept in others} | {message.payout_bps}
    if len(verdicts) > 1:
        _log.error(
            "attester_contradicts_itself",
            signer=message.signer,
            agreement=to_hex(message.agreement),
            milestone=message.milestone,
            attempt=message.attempt,
            verdicts_bps=sorted(verdicts),
        )


def subject_of(deliverable: str) -> str:
    """The 24 bytes of a deliverable (0x hex) that name the subject of a verdict (docs/protocol.md section 5)."""
    return deliverable[: 2 + 2 * CHAIN_BYTES]
