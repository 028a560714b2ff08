"""From what a node shows to where lines and intents stand; `judge` is pure (docs/keeper.md section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import Connection

from keeper.chain.abi import AbiMismatch, contract
from keeper.ledger.views import settlement_of
from keeper.outbox import intents, lines
from keeper.outbox.chain_facts import Facts, Mined
from keeper.outbox.intents import SETTLE, Intent
from keeper.outbox.lines import Line, Sent
from keeper.outbox.states import IntentState, TxState


class Standing(Enum):
    """What is known about a line."""

    OPEN = auto()
    """Its nonce is free at the head: any of its transactions may land, and it may be replaced."""
    UNCLEAR = auto()
    """Nothing can be concluded now."""
    INCLUDED = auto()
    """A canonical block holds one of its transactions."""
    FINAL = auto()
    """So does a final block."""
    LOST = auto()
    """A final block holds its nonce, and none of its transactions."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Where a line stands, and the receipt that shows it; `undone` when the block seen before left the chain."""

    standing: Standing
    mined: Mined | None = None
    undone: bool = False


def judge(line: Line, facts: Facts) -> Judgement:
    """What `facts` show about `line`. A missing receipt, block or nonce concludes nothing."""
    for sent in line.sent:
        mined = facts.receipts.get(sent.hash)
        if mined is not None and facts.blocks.get(mined.number) == mined.block_hash:
            final = mined.number <= facts.final_number
            return Judgement(Standing.FINAL if final else Standing.INCLUDED, mined)
    seen = line.included
    undone = seen is not None and _left_the_chain(seen, facts)
    if seen is not None and not undone:
        return Judgement(Standing.UNCLEAR)
    if facts.holder is not None and all(sent.hash != facts.holder for sent in line.sent):
        return Judgement(Standing.LOST, undone=undone)
    open_ = facts.latest_nonce <= line.nonce
    return Judgement(Standing.OPEN if open_ else Standing.UNCLEAR, undone=undone)


def apply(conn: Connection, line: Line, judgement: Judgement, escrow: str) -> None:
    """Write a judgement down: the line's transactions and the intents that they carry."""
    carried = intents.by_ids(conn, line.intents)
    if judgement.mined is not None:
        _apply_mined(conn, line, judgement.mined, judgement.standing == Standing.FINAL, carried, escrow)
    elif judgement.standing == Standing.LOST:
        for sent in line.sent:
            lines.move(conn, sent, TxState.LOST, block_number=None, block_hash=None)
        reason = f"nonce {line.nonce} was used by a transaction that is not ours"
        for intent in carried:
            _move_via_sent(conn, intent, IntentState.PLANNED, reason)
    elif judgement.undone:
        for sent in line.sent:
            if sent.state == TxState.INCLUDED:
                lines.move(conn, sent, TxState.BROADCAST, block_number=None, block_hash=None, succeeded=None)
        for intent in carried:
            _move_via_sent(conn, intent, IntentState.SENT, "its block left the chain")


def did(intent: Intent, mined: Mined, escrow: str) -> bool:
    """Whether a mined transaction did what the intent wanted; a batch may have skipped it."""
    if not mined.succeeded:
        return False
    return intent.action != SETTLE or (intent.agreement, intent.milestone) in _settled(mined, escrow)


def _apply_mined(conn: Connection, line: Line, mined: Mined, final: bool, carried: list[Intent], escrow: str) -> None:
    winner = next(sent for sent in line.sent if sent.hash == mined.tx_hash)
    known = winner.state == TxState.INCLUDED and winner.block_hash == mined.block_hash
    if known and not final:
        return
    for sent in line.sent:
        if sent.hash != winner.hash and sent.state == TxState.INCLUDED:
            lines.move(conn, sent, TxState.BROADCAST, block_number=None, block_hash=None, succeeded=None)
    facts = {
        "block_number": mined.number,
        "block_hash": mined.block_hash,
        "succeeded": mined.succeeded,
        "gas_used": mined.gas_used,
        "gas_price": str(mined.gas_price),
    }
    lines.move(conn, winner, TxState.INCLUDED, **facts)
    for intent in carried:
        done = intent.id in winner.intents and did(intent, mined, escrow)
        reason = f"in block {mined.number} by {mined.tx_hash}" if done else _why_missed(conn, intent, winner, mined)
        intents.move(conn, intent, IntentState.INCLUDED if done else IntentState.MISSED, reason)
    if final:
        _finish(conn, line, winner.hash)


def _finish(conn: Connection, line: Line, winner: str) -> None:
    # Read again: the moves above have changed both.
    for sent in lines.reread(conn, line).sent:
        lines.move(conn, sent, TxState.FINAL if sent.hash == winner else TxState.REPLACED)
    for intent in intents.by_ids(conn, line.intents):
        end = IntentState.DONE if intent.state == IntentState.INCLUDED else IntentState.DROPPED
        intents.move(conn, intent, end, intent.reason)


def _why_missed(conn: Connection, intent: Intent, winner: Sent, mined: Mined) -> str:
    where = f"in block {mined.number} by {mined.tx_hash}"
    settled = settled_elsewhere(conn, intent)
    if settled:
        return settled
    if not winner.intents:
        cause = intent.reason.removeprefix("cancelling: ")
        return f"cancelled {where}: {cause}"
    return f"{'skipped' if mined.succeeded else 'reverted'} {where}"


def settled_elsewhere(conn: Connection, intent: Intent) -> str | None:
    """How the intent's milestone settled, where the ledger knows."""
    found = settlement_of(conn, intent.agreement, intent.milestone)
    return f"settled by {found.executor} in block {found.number} ({found.tx_hash})" if found else None


def _settled(mined: Mined, escrow: str) -> set[tuple[bytes, int]]:
    found = set()
    for log in mined.logs:
        if log.address != escrow.lower():
            continue
        try:
            name, fields = contract("Escrow").decode_log(log.topics, log.data)
        except AbiMismatch:
            continue  # an event of a later version: no settlement that we know how to read
        if name == "Settled":
            found.add((bytes(fields["id"]), int(fields["index"])))
    return found


def _move_via_sent(conn: Connection, intent: Intent, state: IntentState, reason: str) -> None:
    if intent.state in (IntentState.INCLUDED, IntentState.MISSED):
        intents.move(conn, intent, IntentState.SENT, reason)
        intent = intents.by_ids(conn, [intent.id])[0]
    if intent.state != state:
        intents.move(conn, intent, state, reason)


def _left_the_chain(seen: Sent, facts: Facts) -> bool:
    if seen.block_number is None:
        return False
    canonical = facts.blocks.get(seen.block_number)
    return canonical is not None and canonical != seen.block_hash
