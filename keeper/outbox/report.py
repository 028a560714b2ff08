"""What the outbox's records say, for people and machines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from keeper.errors import MilepostError
from keeper.outbox.intents import Intent
from keeper.outbox.states import LIVE_TX, IntentState, TxState
from keeper.protocol.types import Address, Cause
from keeper.store import schema

_T, _I, _C = schema.transaction, schema.intent, schema.carries

HELD_CODES = ("INSUFFICIENT_FUNDS", "FEES_TOO_HIGH", "RPC_REFUSED", "REVERTED")
"""Why an intent cannot be sent now; its reason begins with one of them."""


def status(conn: Connection, chain: int, signer: Address) -> dict[str, Any]:
    """Intents by state, live transactions by nonce, and how many milestones this account settled."""
    mine = (_I.c.chain == chain, _I.c.signer == signer.lower())
    by_state = conn.execute(select(_I.c.state, func.count()).where(*mine).group_by(_I.c.state)).all()
    live = conn.execute(
        select(_T)
        .where(_T.c.chain == chain, _T.c.signer == signer.lower(), _T.c.state.in_(LIVE_TX))
        .order_by(_T.c.nonce, _T.c.seq)
    )
    s = schema.settlement
    by_us = (s.c.chain == chain, s.c.executor == signer.lower(), s.c.cause != Cause.AMENDED.value)
    settled = conn.execute(select(func.count()).select_from(s).where(*by_us)).scalar_one()
    held = conn.execute(select(_I.c.reason).where(*mine, _I.c.state == IntentState.HELD)).scalars().all()
    return {
        "intents": {**{state.value: 0 for state in IntentState}, **{row[0]: row[1] for row in by_state}},
        "transactions": [{"hash": row.hash, "nonce": row.nonce, "state": row.state} for row in live],
        "settled_by_us": settled,
        "held": sorted(set(held)),
    }


def unfinished(conn: Connection, chain: int, signer: Address) -> int:
    """How many intents of this account no final block has ended."""
    ended = (IntentState.DONE, IntentState.DROPPED)
    query = select(func.count()).where(_I.c.chain == chain, _I.c.signer == signer.lower(), _I.c.state.not_in(ended))
    return int(conn.execute(query).scalar_one())


def mined_transaction(conn: Connection, intent: str) -> Row[Any] | None:
    """The transaction of an intent that a canonical block holds."""
    query = (
        select(_T)
        .join_from(_C, _T, _C.c.transaction == _T.c.hash)
        .where(_C.c.intent == intent, _T.c.state.in_((TxState.INCLUDED, TxState.FINAL)))
        .order_by(_T.c.seq.desc())
    )
    return conn.execute(query).first()


def transactions_of(conn: Connection, intent: str) -> list[str]:
    """Hashes of the live transactions that carry an intent, oldest first."""
    query = (
        select(_T.c.hash)
        .join_from(_C, _T, _C.c.transaction == _T.c.hash)
        .where(_C.c.intent == intent, _T.c.state.in_(LIVE_TX))
        .order_by(_T.c.seq)
    )
    return list(conn.execute(query).scalars())


def held_error(intent: Intent, action: str) -> MilepostError:
    """Why a held intent cannot be sent, under the code that its reason begins with."""
    code, _, words = intent.reason.partition(": ")
    if code not in HELD_CODES:
        code, words = "RPC_REFUSED", intent.reason
    return MilepostError(code, f"`{action}` was not sent", cause=words)
