"""How intents and transactions move (docs/keeper.md section 5).

An intent: one thing to be done once.

    planned <-> held            held: due, but it cannot be sent now (funds, ceilings, a node that will not say)
    planned, held -> sent       a transaction that carries it is committed, and may land from then on
    planned, held -> dropped    not due any more, and nothing of ours can land
    sent -> included            a canonical block holds a transaction of ours that did it
    sent -> missed              a canonical block holds our nonce, and it was not done: reverted, skipped or cancelled
    included <-> missed         the chain was reorganised and holds another of the line's transactions
    included, missed -> sent    the block went away: the transaction may land again
    included -> done            at finality
    missed -> dropped           at finality
    sent -> planned             the nonce was used, at finality, by a transaction that is not ours
    done, dropped -> planned    decided anew

A transaction: signed bytes on a nonce, one of a line of replacements.

    signed -> broadcast         a node has it, or may have it
    signed, broadcast -> included -> final
    included -> broadcast       the block went away
    signed, broadcast, included -> replaced    at finality another transaction of the line holds the nonce
    signed, broadcast, included -> lost        at finality a transaction that is not ours holds it
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class IntentState(StrEnum):
    """Where an intent stands; the module's drawing says how it moves."""

    PLANNED = "planned"
    HELD = "held"
    SENT = "sent"
    INCLUDED = "included"
    MISSED = "missed"
    DONE = "done"
    DROPPED = "dropped"


class TxState(StrEnum):
    """Where a transaction stands; the module's drawing says how it moves."""

    SIGNED = "signed"
    BROADCAST = "broadcast"
    INCLUDED = "included"
    FINAL = "final"
    REPLACED = "replaced"
    LOST = "lost"


_I, _T = IntentState, TxState

INTENT_MOVES: Mapping[IntentState, frozenset[IntentState]] = {
    _I.PLANNED: frozenset({_I.HELD, _I.SENT, _I.DROPPED}),
    _I.HELD: frozenset({_I.PLANNED, _I.SENT, _I.DROPPED}),
    _I.SENT: frozenset({_I.INCLUDED, _I.MISSED, _I.PLANNED}),
    _I.INCLUDED: frozenset({_I.MISSED, _I.SENT, _I.DONE}),
    _I.MISSED: frozenset({_I.INCLUDED, _I.SENT, _I.DROPPED}),
    _I.DONE: frozenset({_I.PLANNED}),
    _I.DROPPED: frozenset({_I.PLANNED}),
}

TX_MOVES: Mapping[TxState, frozenset[TxState]] = {
    _T.SIGNED: frozenset({_T.BROADCAST, _T.INCLUDED, _T.REPLACED, _T.LOST}),
    _T.BROADCAST: frozenset({_T.INCLUDED, _T.REPLACED, _T.LOST}),
    _T.INCLUDED: frozenset({_T.BROADCAST, _T.FINAL, _T.REPLACED, _T.LOST}),
    _T.FINAL: frozenset(),
    _T.REPLACED: frozenset(),
    _T.LOST: frozenset(),
}

UNSENT = (IntentState.PLANNED, IntentState.HELD)
"""Nothing signed: may be forgotten without a trace on the chain."""

IN_FLIGHT = (IntentState.SENT, IntentState.INCLUDED, IntentState.MISSED)
"""A transaction of ours is on its way or not final yet."""

LIVE_TX = (TxState.SIGNED, TxState.BROADCAST, TxState.INCLUDED)
"""Not settled by a final block: watched every tick."""


def check_intent_move(before: IntentState, after: IntentState) -> None:
    """AssertionError when the drawing has no such move."""
    if after not in INTENT_MOVES[before]:
        raise AssertionError(f"an intent never moves from {before} to {after}")


def check_tx_move(before: TxState, after: TxState) -> None:
    """AssertionError when the drawing has no such move."""
    if after not in TX_MOVES[before]:
        raise AssertionError(f"a transaction never moves from {before} to {after}")
