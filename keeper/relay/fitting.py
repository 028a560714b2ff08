"""Whether a verdict fits what this relay's ledger shows: now, before, or not yet (docs/protocol.md section 4).

A verdict is kept when the milestone has been in a state that it was a verdict on, also when the chain has moved on
since: a reorg can bring that state back, and a late second signature still is part of the record. What lies ahead of
the ledger is early, never wrong.
"""

from __future__ import annotations

from typing import NoReturn

from eth_utils.address import to_checksum_address
from sqlalchemy import Connection, select

from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.ledger.events import Submitted, decode
from keeper.ledger.views import AgreementView, MilestoneView
from keeper.protocol.types import ZERO32, MilestoneState, Status
from keeper.relay.documents import CHAIN_BYTES
from keeper.relay.message import AttestationMessage
from keeper.relay.wire import to_hex
from keeper.store.schema import cursor


def check_fits(conn: Connection, message: AttestationMessage) -> int:
    """The head's timestamp when `message` fits the ledger.

    Raises ATTESTATION_EARLY while the ledger does not show yet what it is about, ATTESTATION_REFUSED where it
    contradicts terms or history, NOT_A_MEMBER for a stranger. The signature itself is not checked here.
    """
    head = views.head(conn)
    view = views.agreement_view(conn, message.agreement)
    followed = [(view.chain, view.escrow)] if view else _followed(conn)
    if followed and (message.chain_id, message.escrow) not in followed:
        wanted = " or ".join(f"escrow {escrow} on chain {chain}" for chain, escrow in followed)
        _refuse(
            "The attestation is for another escrow",
            f"expected {wanted}, found {message.escrow} on chain {message.chain_id}",
        )
    if head is None or view is None:
        raise _early(message, "this relay has not seen the agreement on chain")
    _check_terms(view, message)
    _check_member(conn, message)
    _check_state(conn, view, message)
    return head.time


def fits_state(message: AttestationMessage, state: MilestoneState) -> bool:
    """Whether `attest` could take this verdict from exactly this state (docs/protocol.md section 4)."""
    if message.attempt != state.attempt:
        return False
    if state.status == Status.FUNDED:
        return message.deliverable == ZERO32 and message.payout_bps > 0
    return state.status == Status.SUBMITTED and message.deliverable[:CHAIN_BYTES] == state.deliverable24


def _followed(conn: Connection) -> list[tuple[int, str]]:
    rows = conn.execute(select(cursor.c.chain, cursor.c.escrow))
    return [(row.chain, to_checksum_address(row.escrow)) for row in rows]


def _check_terms(view: AgreementView, message: AttestationMessage) -> None:
    terms = view.agreement.terms
    if (message.verifier, message.quorum) != (terms.verifier, terms.quorum):
        _refuse(
            f"The attestation is not under the terms of {to_hex(message.agreement)}",
            f"expected verifier {terms.verifier} and quorum {to_hex(terms.quorum)}, "
            f"found {message.verifier} and {to_hex(message.quorum)}",
        )
    schedule = len(view.agreement.milestones)
    if message.milestone >= schedule:
        _refuse(
            f"{to_hex(message.agreement)} has no milestone {message.milestone}",
            f"expected an index from 0 to {schedule - 1}",
        )


def _check_member(conn: Connection, message: AttestationMessage) -> None:
    quorum = views.quorum_of(conn, message.verifier, message.quorum)
    if quorum is None:
        raise _early(message, "this relay has not seen the quorum announced")
    if message.signer not in quorum.members:
        raise MilepostError(
            "NOT_A_MEMBER",
            f"{message.signer} is no member of the quorum of {to_hex(message.agreement)}",
            cause=f"expected one of {', '.join(quorum.members)}",
        )


def _check_state(conn: Connection, view: AgreementView, message: AttestationMessage) -> None:
    milestone = view.milestones[message.milestone]
    current = milestone.state.attempt
    if not milestone.funded:
        raise _early(message, "this relay has not seen the milestone funded")
    if message.attempt > current:
        raise _early(message, f"expected attempt {current} or one before, found {message.attempt}")
    if message.deliverable == ZERO32:
        if message.payout_bps == 0:
            _refuse(
                f"Milestone {message.milestone} cannot be rejected without a submission",
                "expected payoutBps above 0 where the deliverable is zero",
            )
        return
    submitted = _submitted(conn, milestone, message.attempt)
    if submitted is None and message.attempt == current and milestone.open:
        raise _early(message, f"this relay has not seen a submission for attempt {current}")
    if submitted != message.deliverable[:CHAIN_BYTES]:
        expected = f"one that begins with {to_hex(submitted)}" if submitted else "zero, as nothing was submitted"
        _refuse(
            f"The attestation is for another deliverable than attempt {message.attempt} of milestone "
            f"{message.milestone} of {to_hex(message.agreement)}",
            f"expected {expected}, found {to_hex(message.deliverable)}",
        )


def _submitted(conn: Connection, milestone: MilestoneView, attempt: int) -> bytes | None:
    """The 24 bytes submitted in `attempt`: from the state while they stand there, else from the events."""
    state = milestone.state
    if state.status == Status.SUBMITTED and state.attempt == attempt:
        return state.deliverable24
    for stored in views.events_of(conn, milestone.agreement):
        said = decode(stored) if stored.name == "Submitted" else None
        if isinstance(said, Submitted) and (said.index, said.attempt) == (milestone.index, attempt):
            return said.deliverable[:CHAIN_BYTES]
    return None


def _early(message: AttestationMessage, cause: str) -> MilepostError:
    title = f"Too early for attempt {message.attempt} of milestone {message.milestone} of {to_hex(message.agreement)}"
    return MilepostError("ATTESTATION_EARLY", title, cause=cause)


def _refuse(title: str, cause: str) -> NoReturn:
    raise MilepostError("ATTESTATION_REFUSED", title, cause=cause)
