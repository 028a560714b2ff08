"""From single verdicts to the proof that `attest` takes (docs/protocol.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select

from keeper.ledger import views
from keeper.ledger.views import MilestoneView
from keeper.protocol.quorum import Quorum, assemble_proof
from keeper.protocol.types import Address, Attestation
from keeper.relay.attestations import message_of
from keeper.relay.fitting import fits_state
from keeper.relay.wire import to_hex
from keeper.store.schema import attestation as table

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """A verdict that enough members signed, ready for `attest`."""

    attestation: Attestation
    proof: bytes
    signers: tuple[Address, ...]
    """The members whose signatures are in `proof`, ascending."""
    complete_since: int
    """Head's timestamp, unix seconds, when this relay received the signature that completed it."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One member's signature under one verdict."""

    signer: Address
    signature: bytes
    head_time: int
    """Head's timestamp when it was received."""


def proof_for(conn: Connection, view: MilestoneView, *, spares: bool = False) -> Proof | None:
    """The quorum's proof for a milestone as it stands now, or None while no verdict has enough signatures.

    Only verdicts on the current attempt and deliverable count, each member once, and all under the same 32 bytes of
    deliverable and the same payoutBps. Where two contradicting verdicts both have a quorum (only members that signed
    both make that possible), none is assembled and it is logged: a person has to look. `spares` puts every signature
    held into the proof, for one sent near the end of its window.
    """
    quorum = views.quorum_of(conn, view.terms.verifier, view.terms.quorum)
    if quorum is None or not view.open:
        return None
    votes = _votes(conn, view, quorum)
    complete = [verdict for verdict, cast in votes.items() if len(cast) >= quorum.m]
    if len({verdict.payout_bps for verdict in complete}) > 1:
        _log.error(
            "quorum_contradicts_itself",
            agreement=to_hex(view.agreement),
            milestone=view.index,
            attempt=view.state.attempt,
            verdicts_bps=sorted(verdict.payout_bps for verdict in complete),
        )
        return None
    if not complete:
        return None
    return _assemble(quorum, complete[0], votes, spares=spares)


def _votes(conn: Connection, view: MilestoneView, quorum: Quorum) -> dict[Attestation, dict[Address, Vote]]:
    """Verdicts on the milestone as it stands, each with its members' votes, both in the order of arrival."""
    rows = conn.execute(
        select(table)
        .where(
            table.c.agreement == to_hex(view.agreement),
            table.c.milestone == view.index,
            table.c.attempt == view.state.attempt,
            table.c.escrow == view.escrow.lower(),
            table.c.verifier == view.terms.verifier.lower(),
            table.c.quorum == to_hex(view.terms.quorum),
        )
        .order_by(table.c.seq)
    ).mappings()
    votes: dict[Attestation, dict[Address, Vote]] = {}
    for row in rows:
        message = message_of(row)
        if message.signer in quorum.members and fits_state(message, view.state):
            vote = Vote(message.signer, message.signature, row["head_time"])
            votes.setdefault(message.attestation, {}).setdefault(message.signer, vote)
    return votes


def _assemble(
    quorum: Quorum, verdict: Attestation, votes: Mapping[Attestation, Mapping[Address, Vote]], *, spares: bool
) -> Proof:
    cast = votes[verdict]
    doubted = _contradicting(votes)
    firm = {signer: vote for signer, vote in cast.items() if signer not in doubted}
    # A member shown to contradict itself may be disabled before the proof lands: leave it out where others suffice.
    chosen = firm if len(firm) >= quorum.m and not spares else cast
    proof = assemble_proof(quorum, {signer: vote.signature for signer, vote in chosen.items()}, spares=spares)
    signers = [member for member in quorum.members if member in chosen]
    return Proof(
        attestation=verdict,
        proof=proof,
        signers=tuple(signers if spares else signers[: quorum.m]),
        complete_since=list(cast.values())[quorum.m - 1].head_time,
    )


def _contradicting(votes: Mapping[Attestation, Iterable[Address]]) -> set[Address]:
    """Members that signed two shares for the one subject (docs/protocol.md section 5, Equivocation)."""
    shares: dict[Address, set[int]] = {}
    for verdict, signers in votes.items():
        for signer in signers:
            shares.setdefault(signer, set()).add(verdict.payout_bps)
    return {signer for signer, given in shares.items() if len(given) > 1}
