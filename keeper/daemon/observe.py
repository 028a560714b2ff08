"""From ledger and relay to what policy decides on: each milestone that may need a poke, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from keeper.chain.abi import contract
from keeper.ledger import views
from keeper.ledger.views import MilestoneView, Place
from keeper.outbox.batch import MILESTONE_GAS
from keeper.outbox.intents import ATTEST, SETTLE, IntentRequest
from keeper.policy.inputs import Action, Policy, PolicyInput
from keeper.protocol.abi import attestation_to_abi, part_to_abi
from keeper.protocol.due import review_end, settle_bps
from keeper.protocol.payout import payout
from keeper.protocol.types import MAX_UINT40, Address, Bps, Status
from keeper.relay.proof import Proof, proof_for

SPARES_S = 60
"""Seconds before its window's end from which a proof carries spare signatures (docs/protocol.md section 5)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A milestone, what may be done to it, and what it takes."""

    view: MilestoneView
    inputs: PolicyInput
    request: IntentRequest
    """Without calldata, which `complete` adds."""
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What this account has under way."""

    spent_today: int
    """Wei of gas money in this day of chain time."""
    in_flight: int


def candidates(
    conn: Connection,
    due: Sequence[MilestoneView],
    place: Place,
    account: Address,
    policy: Policy,
    spending: Spending,
) -> Iterator[Candidate]:
    """What `settle` would move of the milestones in `due`, and what a complete proof would move of all."""
    for view in due:
        yield _settle(view, place, account, policy, spending)
    for view in views.open_with_verifier(conn):
        last = _last_second(view)
        if last is None or last < place.head.time:
            continue
        proof = proof_for(conn, view, spares=last - place.head.time <= SPARES_S)
        if proof is not None:
            yield _attest(view, proof, last, place, account, policy, spending)


def complete(candidate: Candidate) -> IntentRequest:
    """The request with its calldata."""
    escrow = contract("Escrow")
    part = part_to_abi(candidate.view.part)
    if candidate.proof is None:
        return replace(candidate.request, calldata=escrow.encode("settle", part))
    attestation = attestation_to_abi(candidate.proof.attestation)
    return replace(candidate.request, calldata=escrow.encode("attest", part, attestation, candidate.proof.proof))


def _settle(view: MilestoneView, place: Place, account: Address, policy: Policy, spending: Spending) -> Candidate:
    tip = _tip(view, settle_bps(view.terms, view.state))
    inputs = _inputs("settle", view, place, account, policy, spending)
    inputs = replace(inputs, since=view.due.ready_at, last_second=MAX_UINT40, tip=tip)
    deliverable = view.state.deliverable24.ljust(32, b"\0")
    request = _request(SETTLE, view, view.state.attempt, deliverable, MILESTONE_GAS)
    return Candidate(view, inputs, request, None)


def _attest(
    view: MilestoneView,
    proof: Proof,
    last_second: int,
    place: Place,
    account: Address,
    policy: Policy,
    spending: Spending,
) -> Candidate:
    verdict = proof.attestation
    pays = verdict.payout_bps > 0 and view.terms.challenge_window == 0
    inputs = replace(
        _inputs("attest", view, place, account, policy, spending),
        since=proof.complete_since,
        last_second=last_second,
        signatures=len(proof.signers),
        tip=_tip(view, verdict.payout_bps) if pays else 0,
    )
    request = _request(ATTEST, view, verdict.attempt, verdict.deliverable, MILESTONE_GAS if pays else 0)
    return Candidate(view, inputs, request, proof)


def _last_second(view: MilestoneView) -> int | None:
    """Last second for a verdict, or None where none is taken (docs/protocol.md section 4)."""
    if view.state.status == Status.FUNDED:
        return view.part.milestone.submit_by
    return review_end(view.terms, view.state) if view.state.status == Status.SUBMITTED else None


def _tip(view: MilestoneView, bps: Bps) -> int:
    terms = view.terms
    return payout(view.part.milestone.amount, bps, terms.fee_bps, terms.tip, with_tip=True).tip


def _request(action: str, view: MilestoneView, attempt: int, deliverable: bytes, gas: int) -> IntentRequest:
    return IntentRequest(action, view.agreement, view.index, view.escrow, b"", attempt, deliverable, gas=gas)


def _inputs(
    action: Action, view: MilestoneView, place: Place, account: Address, policy: Policy, spending: Spending
) -> PolicyInput:
    certain = {
        "latest": place.head.number,
        "safe": place.safe_number,
        "finalized": place.finalized_number,
    }
    return PolicyInput(
        action=action,
        agreement="0x" + view.agreement.hex(),
        milestone=view.index,
        account=account,
        payer=view.terms.payer,
        open=view.open,
        cause=int(view.due.cause),
        since=0,
        last_second=0,
        head_time=place.head.time,
        changed_number=view.changed_number,
        changed_hash=view.changed_hash,
        certain_number=certain[policy.finality],
        signatures=0,
        tip=0,
        spent_today=spending.spent_today,
        in_flight=spending.in_flight,
    )
