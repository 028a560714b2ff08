"""Intents: what is to be done once, under an id that every repeat finds again (docs/keeper.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from sqlalchemy import Connection, Row, insert, select, update

from keeper.errors import MilepostError
from keeper.outbox.states import UNSENT, IntentState, check_intent_move
from keeper.protocol.types import ZERO32, Address
from keeper.store import schema

SETTLE, ATTEST = "settle", "attest"
KEEPER_ACTIONS = (SETTLE, ATTEST)
"""What a keeper does: anyone may, the contract refuses a second, and a newer proof is as good as an older one."""


@dataclass(frozen=True, slots=True)
class IntentRequest:
    """One call of one account. `agreement`, `milestone`, `action`, `attempt` and `deliverable` make its id.

    For what is no milestone's (`token-approve`, `announce`, `withdraw`) the caller chooses them so that the same wish
    has the same id and another wish another one; `deliverable` is 32 bytes free for that.
    """

    action: str
    agreement: bytes
    milestone: int
    to: Address
    calldata: bytes
    attempt: int = 0
    deliverable: bytes = ZERO32
    value: int = 0
    """Wei sent along."""
    gas: int = 0
    """Gas added to the node's estimate, for pushes that an estimate may not see."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent as stored. `id` is 0x hex."""

    id: str
    agreement: bytes
    milestone: int
    action: str
    signer: str
    to: Address
    calldata: bytes
    value: int
    gas: int
    state: IntentState
    reason: str


def intent_id(chain: int, escrow: Address, request: IntentRequest) -> bytes:
    """`keccak256(abi.encode(chain, escrow, agreement, milestone, action, attempt, deliverable))`, 32 bytes."""
    kinds = ["uint256", "address", "bytes32", "uint256", "string", "uint256", "bytes32"]
    values = (
        chain,
        escrow,
        request.agreement,
        request.milestone,
        request.action,
        request.attempt,
        request.deliverable,
    )
    return keccak(encode(kinds, values))


def enqueue(
    conn: Connection, chain: int, escrow: Address, signer: Address, request: IntentRequest, head_number: int | None
) -> bytes:
    """Plan `request` unless it is in flight or done; its id.

    Planned anew after it was dropped, and after it was done only when `head_number`, the block that the decision was
    made at, lies above the block that did it: the decision has then seen that it was undone. RUN_ID_CONFLICT when the
    same id is in flight with another body.
    """
    ident = intent_id(chain, escrow, request)
    found = find(conn, ident)
    body = _body(request, signer)
    if found is None:
        conn.execute(insert(schema.intent).values(**_identity(ident, chain, escrow, request), **body))
        return ident
    if found.state in UNSENT:
        conn.execute(update(schema.intent).where(schema.intent.c.id == found.id).values(**_without_state(body)))
    elif found.state == IntentState.DROPPED or (found.state == IntentState.DONE and _undone(conn, found, head_number)):
        conn.execute(update(schema.intent).where(schema.intent.c.id == found.id).values(**body))
    elif request.action not in KEEPER_ACTIONS and not _same_body(found, request, signer):
        raise MilepostError(
            "RUN_ID_CONFLICT",
            f"`{request.action}` was asked for before with other arguments or another key",
            cause=f"the first one is {found.state}: {found.reason}",
        )
    return ident


def find(conn: Connection, ident: bytes) -> Intent | None:
    """The intent with this id."""
    row = conn.execute(select(schema.intent).where(schema.intent.c.id == _hex(ident))).one_or_none()
    return None if row is None else _intent(row)


def by_ids(conn: Connection, ids: Iterable[str]) -> list[Intent]:
    """The intents with these ids, oldest first."""
    query = select(schema.intent).where(schema.intent.c.id.in_(list(ids))).order_by(schema.intent.c.seq)
    return [_intent(row) for row in conn.execute(query)]


def unsent(conn: Connection, chain: int, signer: Address) -> list[Intent]:
    """Intents of this signer that no transaction carries, oldest first."""
    columns = schema.intent.c
    query = (
        select(schema.intent)
        .where(columns.state.in_(UNSENT), columns.chain == chain, columns.signer == signer.lower())
        .order_by(columns.seq)
    )
    return [_intent(row) for row in conn.execute(query)]


def move(conn: Connection, intent: Intent, state: IntentState, reason: str) -> None:
    """Move an intent along the drawing; only the reason changes when it is in `state` already."""
    if intent.state == state and intent.reason == reason:
        return
    if intent.state != state:
        check_intent_move(intent.state, state)
    columns = schema.intent.c
    changed = conn.execute(
        update(schema.intent)
        .where(columns.id == intent.id, columns.state == intent.state)
        .values(state=state, reason=reason)
    )
    if changed.rowcount != 1:
        raise AssertionError(f"intent {intent.id} is not {intent.state} any more: two senders on one database")


def _undone(conn: Connection, intent: Intent, head_number: int | None) -> bool:
    if head_number is None:
        return False
    joined = schema.carries.join(schema.transaction, schema.carries.c.transaction == schema.transaction.c.hash)
    query = (
        select(schema.transaction.c.block_number)
        .select_from(joined)
        .where(schema.carries.c.intent == intent.id, schema.transaction.c.state == "final")
    )
    return all(number < head_number for number in conn.execute(query).scalars())


def _identity(ident: bytes, chain: int, escrow: Address, request: IntentRequest) -> dict[str, Any]:
    return {
        "id": _hex(ident),
        "chain": chain,
        "escrow": escrow.lower(),
        "agreement": _hex(request.agreement),
        "milestone": request.milestone,
        "action": request.action,
        "attempt": request.attempt,
        "deliverable": _hex(request.deliverable),
    }


def _body(request: IntentRequest, signer: Address) -> dict[str, Any]:
    return {
        "signer": signer.lower(),
        "to": request.to.lower(),
        "calldata": _hex(request.calldata),
        "value": str(request.value),
        "gas": request.gas,
        "state": IntentState.PLANNED,
        "reason": "decided",
    }


def _without_state(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in ("state", "reason")}


def _same_body(found: Intent, request: IntentRequest, signer: Address) -> bool:
    asked = (signer.lower(), request.to.lower(), request.calldata, request.value)
    return (found.signer, found.to.lower(), found.calldata, found.value) == asked


def _intent(row: Row[Any]) -> Intent:
    from eth_utils.address import to_checksum_address

    return Intent(
        id=row.id,
        agreement=bytes.fromhex(row.agreement[2:]),
        milestone=row.milestone,
        action=row.action,
        signer=row.signer,
        to=Address(to_checksum_address(row.to)),
        calldata=bytes.fromhex(row.calldata[2:]),
        value=int(row.value),
        gas=row.gas,
        state=IntentState(row.state),
        reason=row.reason,
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
