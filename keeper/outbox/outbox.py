"""The outbox: everything that this account sends, exactly once under a crash at any point (docs/keeper.md section 5).

One account has one outbox at a time: hold the database's process lock around it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection

from keeper.chain import blocks
from keeper.chain.blocks import Finality, Header
from keeper.chain.logs import RawLog
from keeper.chain.rpc import Rpc, RpcFault
from keeper.chain.signer import Signer
from keeper.errors import MilepostError, Moved
from keeper.outbox import chain_facts, drive, intents, lines, place, report, track
from keeper.outbox.desk import Desk
from keeper.outbox.fees import FeeLimits
from keeper.outbox.intents import Intent, IntentRequest
from keeper.outbox.states import IN_FLIGHT, UNSENT, IntentState
from keeper.protocol.types import Address
from keeper.store.engine import Store

log = structlog.get_logger("outbox")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that did what was asked, in a canonical block, perhaps not final yet."""

    intent: bytes
    tx_hash: bytes
    block_number: int
    block_hash: bytes
    gas_used: int
    gas_price: int
    """Wei per gas, as paid."""
    logs: tuple[RawLog, ...]
    known: bool
    """It was done before this call: nothing was sent now."""


class Outbox:
    """Sends for one account on one chain."""

    def __init__(
        self,
        store: Store,
        rpc: Rpc,
        signer: Signer,
        limits: FeeLimits,
        *,
        chain_id: int,
        escrow: Address,
        finality: Finality = "tags",
    ) -> None:
        """`escrow` is part of every intent's id; `finality` is how the chain says what is final."""
        self._desk = Desk(store, rpc, signer, limits, chain_id, escrow)
        self._finality = finality
        self._memory = drive.Memory()

    def intent_id(self, request: IntentRequest) -> bytes:
        """The id under which `enqueue` and `run_one` know a request."""
        return intents.intent_id(self._desk.chain, self._desk.escrow, request)

    def enqueue(self, conn: Connection, request: IntentRequest, *, head_number: int | None = None) -> bytes:
        """Plan a request inside the caller's transaction, unless it is in flight or done; its intent id.

        `head_number` is the block at which the caller saw that it is to be done: with it, what was done in an older
        block is planned again. RUN_ID_CONFLICT when the same id is in flight with another body.
        """
        desk = self._desk
        return intents.enqueue(conn, desk.chain, desk.escrow, desk.signer.address, request, head_number)

    def forget_unsent(self, reason: str, keep: bytes | None = None) -> None:
        """Drop every intent of this account that nothing was signed for, except `keep`.

        For a start: what a process decided before it ended is decided anew, on what the chain says now.
        """
        desk = self._desk
        with desk.store.begin() as conn:
            for intent in intents.unsent(conn, desk.chain, desk.signer.address):
                if keep is None or intent.id != "0x" + keep.hex():
                    intents.move(conn, intent, IntentState.DROPPED, reason)

    def tick(self, head: Header, *, only: bytes | None = None) -> None:
        """Advance everything by one look at the chain, whose newest block is `head`.

        Watches and resumes every transaction in flight, then sends what is planned (with `only`: no other intent).
        Raises RPC_UNREACHABLE or RPC_REFUSED; whatever was committed by then is resumed by the next tick.
        """
        try:
            self._tick(head, only)
        except RpcFault as fault:
            raise MilepostError("RPC_REFUSED", "The node refused to show its state", cause=str(fault)) from fault

    def _tick(self, head: Header, only: bytes | None) -> None:
        final = blocks.finalized(self._desk.rpc, self._finality, head)
        self._watch(final)
        drive.resume(self._desk, self._memory, self._lines(), head)
        place.send_planned(self._desk, self._memory, head, only)
        drive.fill_gaps(self._desk, self._memory, self._lines(), head)

    def run_one(self, request: IntentRequest, wait_s: float, *, poll_s: float = 0.25) -> Receipt:
        """Send one request and wait until a block holds it, at most `wait_s` seconds of wall clock.

        A repeat finds the first one: its receipt with `known`, or its transaction still in flight, which is watched on.
        Raises REVERTED when the contract refuses it, or a block holds it without effect; INSUFFICIENT_FUNDS,
        FEES_TOO_HIGH or RPC_REFUSED when it cannot be sent, and then nothing stays planned; OUTCOME_UNKNOWN, naming the
        transaction, when it was sent and no block holds it in time; RUN_ID_CONFLICT; RPC_UNREACHABLE.
        """
        ident = self.intent_id(request)
        self.forget_unsent("given up before anything was signed", keep=ident)
        with self._desk.store.begin() as conn:
            before = intents.find(conn, ident)
            self.enqueue(conn, request)
        known = before is not None and before.state in (IntentState.INCLUDED, IntentState.DONE)
        deadline = time.monotonic() + wait_s
        pause = threading.Event()
        try:
            while True:
                self._try_tick(ident)
                receipt = self._outcome(ident, request, known)
                if receipt is not None:
                    return receipt
                known = False
                if time.monotonic() >= deadline:
                    raise self._unknown(ident, request, f"no block holds it after {wait_s:g} s")
                pause.wait(poll_s)
        except KeyboardInterrupt:
            raise self._unknown(ident, request, "the wait was interrupted", "INTERRUPTED") from None
        finally:
            self._give_up(ident)

    def state(self, conn: Connection, request: IntentRequest) -> IntentState | None:
        """Where the intent of a request stands; None when it was never planned."""
        found = intents.find(conn, self.intent_id(request))
        return None if found is None else found.state

    def spending(self, conn: Connection, time: int) -> tuple[int, int]:
        """Wei of gas money of the day of chain time that holds `time`, and how many intents are not finished."""
        desk = self._desk
        spent = lines.spent_since(conn, desk.chain, desk.signer.address, time)
        return spent, report.unfinished(conn, desk.chain, desk.signer.address)

    def status(self, conn: Connection) -> dict[str, Any]:
        """Intents by state, transactions in flight and how much this account did, as plain JSON values."""
        return report.status(conn, self._desk.chain, self._desk.signer.address)

    def _lines(self) -> Sequence[lines.Line]:
        with self._desk.store.read() as conn:
            return lines.live_lines(conn, self._desk.chain, self._desk.signer.address)

    def _watch(self, final: Header) -> None:
        desk = self._desk
        for line, facts in chain_facts.gather(desk.rpc, desk.signer.address, self._lines(), final):
            judgement = track.judge(line, facts)
            if judgement.undone:
                log.warning("block left the chain", nonce=line.nonce, tx=line.included and line.included.hash)
                self._memory.forget(line)
            with desk.store.begin() as conn:
                track.apply(conn, line, judgement, desk.escrow)

    def _outcome(self, ident: bytes, request: IntentRequest, known: bool) -> Receipt | None:
        with self._desk.store.read() as conn:
            intent = _required(conn, ident)
            mined = report.mined_transaction(conn, intent.id)
        if intent.state in (IntentState.INCLUDED, IntentState.DONE) and mined is not None:
            found = chain_facts.receipt(self._desk.rpc, mined.hash)
            return Receipt(
                intent=ident,
                tx_hash=bytes.fromhex(mined.hash[2:]),
                block_number=mined.block_number,
                block_hash=bytes.fromhex(mined.block_hash[2:]),
                gas_used=mined.gas_used,
                gas_price=int(mined.gas_price),
                logs=found.logs if found is not None else (),
                known=known,
            )
        if intent.state in (IntentState.DROPPED, IntentState.MISSED):
            raise MilepostError("REVERTED", f"`{request.action}` was not done", cause=self._why(intent))
        if intent.state == IntentState.HELD:
            raise report.held_error(intent, request.action)
        return None

    def _why(self, intent: Intent) -> str:
        if intent.state == IntentState.DROPPED:
            return intent.reason
        now = self._desk.refusal(intent.to, intent.calldata, intent.value)
        return f"{intent.reason}; now {now}" if now else intent.reason

    def _try_tick(self, ident: bytes) -> None:
        """A tick for one intent. Once it is in flight a node that fails tells nothing about it: wait on."""
        try:
            self.tick(blocks.head(self._desk.rpc), only=ident)
        except MilepostError as error:
            with self._desk.store.read() as conn:
                waiting = _required(conn, ident).state in IN_FLIGHT
            if not waiting or error.code not in ("RPC_UNREACHABLE", "RPC_REFUSED"):
                raise
            log.warning("the node does not answer, still waiting", code=error.code, cause=error.cause)

    def _unknown(self, ident: bytes, request: IntentRequest, what: str, code: str = "OUTCOME_UNKNOWN") -> MilepostError:
        """The error for a wait that ended: it names what was sent, or says that nothing was."""
        with self._desk.store.read() as conn:
            intent = _required(conn, ident)
            hashes = report.transactions_of(conn, intent.id)
        if intent.state in UNSENT:
            unsent = code if code == "INTERRUPTED" else "RPC_UNREACHABLE"
            return MilepostError(unsent, f"`{request.action}` was not sent", cause=f"{what}: {intent.reason}")
        earlier = f" (or an earlier offer for its nonce: {len(hashes) - 1})" if len(hashes) > 1 else ""
        cause = f"transaction {hashes[-1]}{earlier}: {intent.reason}"
        return MilepostError(code, f"`{request.action}` was sent, and {what}", cause=cause, moved=Moved.UNKNOWN)

    def _give_up(self, ident: bytes) -> None:
        with self._desk.store.begin() as conn:
            intent = intents.find(conn, ident)
            if intent is not None and intent.state in UNSENT:
                intents.move(conn, intent, IntentState.DROPPED, f"not sent: {intent.reason}")


def _required(conn: Connection, ident: bytes) -> Intent:
    intent = intents.find(conn, ident)
    if intent is None:
        raise AssertionError(f"intent {ident.hex()} is enqueued and not there")
    return intent
