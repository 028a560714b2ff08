"""Lines in flight: resume, offer more, cancel, fill gaps (docs/keeper.md section 5)."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from keeper.chain import account
from keeper.chain.blocks import Header
from keeper.outbox import intents, lines
from keeper.outbox.desk import Desk, Heard
from keeper.outbox.fees import Offer, Unaffordable, plan_fees
from keeper.outbox.lines import Call, Line, Sent

log = structlog.get_logger("outbox")

SELF_SEND_GAS = 21_000


class Memory:
    """What this process last heard about each transaction, and when: wall clock, only to bound waiting.

    A restart forgets it, and so sends everything again that is still wanted: that is what a restart is for.
    """

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self._poor: set[str] = set()
        self._gap_since: dict[int, float] = {}

    def note(self, sent: Sent, heard: Heard) -> None:
        """Remember a broadcast and its answer; one that reached nobody counts as not made."""
        if heard == Heard.UNREACHED:
            return
        self._at[sent.hash] = time.monotonic()
        (self._poor.add if heard == Heard.POOR else self._poor.discard)(sent.hash)

    def keep_only(self, live: Sequence[Line]) -> None:
        """Forget what is over."""
        hashes = {sent.hash for line in live for sent in line.sent}
        self._at = {tx: at for tx, at in self._at.items() if tx in hashes}
        self._poor &= hashes

    def forget(self, line: Line) -> None:
        """Have a line's transactions sent again at once."""
        for sent in line.sent:
            self._at.pop(sent.hash, None)

    def age(self, sent: Sent) -> float | None:
        """Seconds since this process last broadcast it; None when it never did."""
        at = self._at.get(sent.hash)
        return None if at is None else time.monotonic() - at

    def poor(self, sent: Sent) -> bool:
        """Whether a node refused it for lack of money: offering more would not help."""
        return sent.hash in self._poor

    def gap_age(self, gaps: Sequence[int]) -> float:
        """Seconds for which the lowest of `gaps` has been open."""
        now = time.monotonic()
        self._gap_since = {nonce: self._gap_since.get(nonce, now) for nonce in gaps}
        return max((now - since for since in self._gap_since.values()), default=0.0)


def resume(desk: Desk, memory: Memory, live: Sequence[Line], head: Header) -> None:
    """Drive each line on whose nonce the chain holds nothing: broadcast, offer more, or cancel."""
    memory.keep_only(live)
    waiting = [line for line in live if line.included is None]
    for place, line in enumerate(waiting):
        newest = line.newest
        # What waits behind another line may need what that one does: only the first can be told to be refused.
        simulate = place == 0 and bool(newest.intents)
        refusal = desk.refusal(newest.call.to, newest.call.data, newest.call.value) if simulate else None
        # Read after the simulation: a nonce that is still free shows that the refusal is not our own success.
        if account.nonce(desk.rpc, desk.signer.address) > line.nonce:
            continue
        if refusal is not None:
            _cancel(desk, memory, live, line, refusal, head)
        elif memory.age(newest) is None:
            memory.note(newest, desk.broadcast(newest))
        elif (memory.age(newest) or 0) >= desk.limits.replace_after_s:
            _offer_more(desk, memory, live, line, head)


def fill_gaps(desk: Desk, memory: Memory, live: Sequence[Line], head: Header) -> None:
    """Send nothing to ourselves at a nonce that holds up later ones, once it has stood open for `replace_after_s`."""
    if not live:
        return
    open_ = lines.gaps(live, account.nonce(desk.rpc, desk.signer.address))
    if memory.gap_age(open_) < desk.limits.replace_after_s or not open_:
        return
    offer = plan_fees(desk.market(live, head), SELF_SEND_GAS, desk.limits)
    if isinstance(offer, Unaffordable):
        log.error("cannot fill a nonce gap", nonce=open_[0], cause=offer.reason)
        return
    sent = desk.commit(open_[0], _nothing(desk), offer, [], head, "fills a nonce gap")
    memory.note(sent, desk.broadcast(sent))


def _offer_more(desk: Desk, memory: Memory, live: Sequence[Line], line: Line, head: Header) -> None:
    newest = line.newest
    offer = _replacement(desk, live, line, newest.call, head)
    if memory.poor(newest) or isinstance(offer, Unaffordable):
        memory.note(newest, desk.broadcast(newest))
        return
    with desk.store.read() as conn:
        carried = intents.by_ids(conn, newest.intents)
    sent = desk.commit(line.nonce, newest.call, offer, carried, head, f"offered more on nonce {line.nonce}")
    memory.note(sent, desk.broadcast(sent))


def _cancel(desk: Desk, memory: Memory, live: Sequence[Line], line: Line, refusal: str, head: Header) -> None:
    with desk.store.begin() as conn:
        for intent in intents.by_ids(conn, line.intents):
            intents.move(conn, intent, intent.state, f"cancelling: {refusal}")
    offer = _replacement(desk, live, line, _nothing(desk), head)
    if isinstance(offer, Unaffordable):
        log.error("cannot cancel", nonce=line.nonce, cause=offer.reason, refusal=refusal)
        return
    sent = desk.commit(line.nonce, _nothing(desk), offer, [], head, f"cancels nonce {line.nonce}: {refusal}")
    memory.note(sent, desk.broadcast(sent))


def _replacement(desk: Desk, live: Sequence[Line], line: Line, what: Call, head: Header) -> Offer | Unaffordable:
    market = lines.without_value(desk.market(live, head, without=line), what.value)
    # Every transaction of the line counts: a node may hold any of them.
    dearest = Offer(
        max(sent.offer.max_fee for sent in line.sent), max(sent.offer.max_priority_fee for sent in line.sent)
    )
    return plan_fees(market, what.gas, desk.limits, dearest)


def _nothing(desk: Desk) -> Call:
    return Call(desk.signer.address, b"", 0, SELF_SEND_GAS)
