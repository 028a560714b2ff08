"""How a keeper stands, as plain JSON: from its database alone, or with what only the running process knows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.outbox.report import status as outbox_status
from keeper.protocol.types import Address
from keeper.store import schema

SCHEMA = "milepost.keeper-status/1"
SOON_S = 3_600
"""Seconds of chain time ahead that `due_soon` looks."""
SOON = 20
"""Milestones that `due_soon` shows at most."""


def stored_status(conn: Connection, chain_id: int, account: Address) -> dict[str, Any]:
    """What the database says: place on the chain, open milestones, what is due soon, intents and transactions.

    Amounts are decimal text, times unix seconds.
    """
    place = views.place(conn)
    open_ = conn.execute(select(func.count()).where(schema.milestone.c.open)).scalar_one()
    soon = views.due_before(conn, place.head.time + SOON_S, SOON) if place else []
    return {
        "schema": SCHEMA,
        "chain_id": chain_id,
        "account": account,
        "cursor": _header(place) if place else None,
        "finalized": place.finalized_number if place else None,
        "open_milestones": open_,
        "due_soon": [
            {
                "agreement": "0x" + view.agreement.hex(),
                "milestone": view.index,
                "cause": view.due.cause.name.capitalize(),
                "ready_at": view.due.ready_at,
            }
            for view in soon
        ],
        **outbox_status(conn, chain_id, account),
    }


def fault(error: MilepostError | None) -> dict[str, str] | None:
    """An error as the status shows it."""
    if error is None:
        return None
    return {"code": error.code, "title": error.title, "cause": error.cause, "fix": error.hint}


def _header(place: views.Place) -> dict[str, Any]:
    return {"number": place.head.number, "hash": place.head.hash, "time": place.head.time}
