"""Find an agreement by its id, or by the beginning of it, and one of its milestones."""

from __future__ import annotations

import re

from sqlalchemy import select

from keeper.commands.context import Session
from keeper.commands.words import hex0x, short
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.store import schema

_PREFIX = re.compile(r"^0x[0-9a-f]{6,64}$")


def find_agreement(session: Session, text: str) -> views.AgreementView:
    """The one agreement whose id begins with `text` (0x and at least 6 hex digits).

    USAGE when the text is no id or fits several; NOT_FOUND when the chain shows none. The ledger must have caught up.
    """
    prefix = text.lower() if text.lower().startswith("0x") else "0x" + text.lower()
    if not _PREFIX.match(prefix):
        raise MilepostError(
            "USAGE", f"{text!r} is no agreement id", cause="expected 0x and 64 hex digits, or at least the first 6"
        )
    table = schema.agreement
    with session.store.read() as conn:
        query = select(table.c.id).where(table.c.id.startswith(prefix)).order_by(table.c.id).limit(3)
        ids = [row.id for row in conn.execute(query)]
        found = views.agreement_view(conn, bytes.fromhex(ids[0][2:])) if len(ids) == 1 else None
    if found is None:
        raise _not_one(session, text, ids)
    return found


def milestone_of(view: views.AgreementView, index: int) -> views.MilestoneView:
    """One milestone of the schedule; USAGE outside of it."""
    if not 0 <= index < len(view.milestones):
        count = len(view.milestones)
        raise MilepostError(
            "USAGE",
            f"{short(hex0x(view.id))} has no milestone {index}",
            cause=f"expected 0 to {count - 1}: this schedule has {count}, numbered from 0",
        )
    return view.milestones[index]


def _not_one(session: Session, text: str, ids: list[str]) -> MilepostError:
    if ids:
        return MilepostError(
            "USAGE",
            f"{text} fits several agreements",
            cause="for example " + " and ".join(ids[:2]),
            hint="type more of it",
        )
    return MilepostError(
        "NOT_FOUND",
        f"No funded agreement begins with {text}",
        cause=f"the escrow {session.deployment.escrow.address} on chain {session.deployment.chain_id} shows none",
    )
