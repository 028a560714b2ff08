"""Which milestones wait for this attester, told from what the chain shows and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from keeper.attester.guard import Subject
from keeper.ledger import views
from keeper.ledger.model import MilestoneView, Place
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import ZERO24, Address, Status

__all__ = ["Case", "cases", "membership", "to_judge"]


@dataclass(frozen=True, slots=True)
class Case:
    """One milestone in one state that this attester may give a verdict on."""

    view: MilestoneView
    subject: Subject

    @property
    def submitted(self) -> bool:
        """Whether there is a submission; without one only an award is possible."""
        return self.view.state.status == Status.SUBMITTED

    @property
    def deliverable(self) -> bytes:
        """The deliverable as the chain tells it and as it is signed: 24 bytes and zeros."""
        return self.subject.deliverable24.ljust(32, b"\0")


def membership(conn: Connection, address: Address) -> list[tuple[Address, Quorum]]:
    """The announced quorums, each with its verifier, that `address` is a member of."""
    return [(verifier, quorum) for verifier, quorum in views.quorums(conn) if address in quorum.members]


def cases(conn: Connection, chain: int, address: Address, finality: Literal["latest", "safe"]) -> list[Case]:
    """Every milestone that a member with this address may judge now, oldest agreement first."""
    place = views.place(conn)
    mine = {(verifier, quorum.hash) for verifier, quorum in membership(conn, address)}
    if place is None or not mine:
        return []
    level = level_number(place, finality)
    found = views.open_with_verifier(conn, {quorum for _, quorum in mine})
    return [
        Case(view, _subject(chain, view))
        for view in found
        if (view.terms.verifier, view.terms.quorum) in mine and to_judge(view, level, place.head.time)
    ]


def level_number(place: Place, finality: Literal["latest", "safe"]) -> int:
    """Number of the highest block that counts at this finality."""
    return place.head.number if finality == "latest" else place.safe_number


def to_judge(view: MilestoneView, level: int, head_time: int) -> bool:
    """Whether a verdict could still be delivered and rests on blocks that count (docs/protocol.md section 4)."""
    if not view.open or view.changed_number > level:
        return False
    if view.state.status == Status.SUBMITTED:
        return head_time <= view.state.since + view.terms.review_window
    return view.state.status == Status.FUNDED and head_time <= view.part.milestone.submit_by


def still(case: Case, now: Collection[Case]) -> bool:
    """Whether the milestone stands where it stood when the case was opened."""
    return any(other.subject == case.subject and other.view.state == case.view.state for other in now)


def _subject(chain: int, view: MilestoneView) -> Subject:
    state = view.state
    return Subject(
        chain=chain,
        verifier=view.terms.verifier,
        escrow=view.escrow,
        agreement=view.agreement,
        quorum=view.terms.quorum,
        milestone=view.index,
        attempt=state.attempt,
        deliverable24=state.deliverable24 if state.status == Status.SUBMITTED else ZERO24,
    )
