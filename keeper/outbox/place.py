"""Sending what is planned: simulate, group, sign, commit, broadcast (docs/keeper.md section 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog

from keeper.chain import account
from keeper.chain.blocks import Header
from keeper.chain.contract_call import ContractRefused, estimate_gas
from keeper.errors import MilepostError
from keeper.outbox import batch, intents, lines, track
from keeper.outbox.desk import Desk
from keeper.outbox.drive import Memory
from keeper.outbox.fees import Market, Unaffordable, plan_fees
from keeper.outbox.intents import SETTLE, Intent
from keeper.outbox.lines import Call
from keeper.outbox.states import IntentState

log = structlog.get_logger("outbox")

_HOLD_CODES = ("INSUFFICIENT_FUNDS", "RPC_REFUSED", "REVERTED")


def send_planned(desk: Desk, memory: Memory, head: Header, only: bytes | None) -> None:
    """Send every intent that nothing carries yet; with `only`, none but that one."""
    with desk.store.read() as conn:
        waiting = intents.unsent(conn, desk.chain, desk.signer.address)
    if only is not None:
        waiting = [intent for intent in waiting if intent.id == "0x" + only.hex()]
    due = [intent for intent in waiting if _still_due(desk, intent)]
    for group in _groups(due):
        _send(desk, memory, group, head)


def _still_due(desk: Desk, intent: Intent) -> bool:
    try:
        refusal = desk.refusal(intent.to, intent.calldata, intent.value)
    except MilepostError as error:
        _hold_or_raise(desk, [intent], error)
        return False
    if refusal is None:
        return True
    with desk.store.begin() as conn:
        reason = track.settled_elsewhere(conn, intent) if intent.action in intents.KEEPER_ACTIONS else None
        intents.move(conn, intent, IntentState.DROPPED, reason or refusal)
    log.info("no longer due", intent=intent.id, action=intent.action, reason=reason or refusal)
    return False


def _groups(due: Sequence[Intent]) -> Iterator[list[Intent]]:
    settles = [intent for intent in due if intent.action == SETTLE]
    yield from ([intent] for intent in due if intent.action != SETTLE)
    for start in range(0, len(settles), batch.MAX_BATCH):
        yield settles[start : start + batch.MAX_BATCH]


def _send(desk: Desk, memory: Memory, group: list[Intent], head: Header) -> None:
    try:
        what = _call(desk, group)
        with desk.store.read() as conn:
            live = lines.live_lines(conn, desk.chain, desk.signer.address)
        offer = plan_fees(_market(desk, live, head, what), what.gas, desk.limits)
    except MilepostError as error:
        _hold_or_raise(desk, group, error)
        return
    if isinstance(offer, Unaffordable):
        _hold(desk, group, "INSUFFICIENT_FUNDS" if offer.poor else "FEES_TOO_HIGH", offer.reason)
        return
    latest = account.nonce(desk.rpc, desk.signer.address)
    with desk.store.read() as conn:
        nonce = lines.next_nonce(conn, desk.chain, desk.signer.address, live, latest)
    sent = desk.commit(nonce, what, offer, group, head, f"sent with nonce {nonce}")
    memory.note(sent, desk.broadcast(sent))


def _call(desk: Desk, group: list[Intent]) -> Call:
    if len(group) > 1:
        calls = [intent.calldata for intent in group]
        gas = batch.batch_gas(calls, [intent.gas for intent in group])
        return Call(group[0].to, batch.settle_many(calls), 0, gas)
    (intent,) = group
    try:
        estimate = estimate_gas(desk.rpc, desk.signer.address, intent.to, intent.calldata, intent.value)
    except ContractRefused as refused:
        # The simulation a moment ago passed: nodes estimate on top of what is pending, such as a rival's transaction.
        raise MilepostError("REVERTED", "The call was refused while estimating", cause=refused.text) from refused
    # The chain may move between estimate and block: a quarter more, which costs nothing unless it is used.
    return Call(intent.to, intent.calldata, intent.value, estimate + estimate // 4 + intent.gas)


def _market(desk: Desk, live: Sequence[lines.Line], head: Header, what: Call) -> Market:
    market = desk.market(live, head)
    return lines.without_value(market, what.value)


def _hold_or_raise(desk: Desk, group: list[Intent], error: MilepostError) -> None:
    if error.code not in _HOLD_CODES:
        raise error
    _hold(desk, group, error.code, error.cause or error.title)


def _hold(desk: Desk, group: list[Intent], code: str, words: str) -> None:
    reason = f"{code}: {words}"
    if any(intent.reason != reason for intent in group):
        tell = log.info if code == "REVERTED" else log.error
        tell("cannot send now", code=code, cause=words, account=desk.signer.address, intents=[i.id for i in group])
    with desk.store.begin() as conn:
        for intent in intents.by_ids(conn, [i.id for i in group]):
            intents.move(conn, intent, IntentState.HELD, reason)
