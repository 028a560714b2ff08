"""The outbox's pure parts: judging a line, the drawing of states, batches, what nodes say."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode

from keeper.chain.abi import contract
from keeper.chain.rpc import BroadcastAnswer
from keeper.outbox import batch
from keeper.outbox.chain_facts import Facts, Mined
from keeper.outbox.desk import Heard, listen
from keeper.outbox.fees import Offer
from keeper.outbox.intents import IntentRequest, intent_id
from keeper.outbox.lines import Call, Line, Sent, gaps
from keeper.outbox.states import (
    INTENT_MOVES,
    TX_MOVES,
    IntentState,
    TxState,
    check_intent_move,
    check_tx_move,
)
from keeper.outbox.track import Standing, judge
from keeper.protocol.abi import part_to_abi
from keeper.protocol.encoding import PART_ABI
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, Address, Agreement, Milestone, Terms

A, B, FOREIGN = ("0x" + c * 64 for c in "abf")
BLOCK, OTHER = "0x" + "11" * 32, "0x" + "22" * 32
CALL = Call(Address("0x" + "cc" * 20), b"", 0, 21_000)


def sent(tx_hash: str, state: TxState = TxState.BROADCAST, block: int | None = None) -> Sent:
    return Sent(tx_hash, 5, "0x", CALL, Offer(1, 1), state, block, BLOCK if block else None, frozenset())


LINE = Line(5, (sent(A), sent(B)))
SEEN = Line(5, (sent(A, TxState.INCLUDED, 7), sent(B)))
NOTHING = Facts(latest_nonce=5, final_nonce=5, final_number=6, receipts={})
MINED = Mined(B, 7, BLOCK, True, 21_000, 1, ())


def test_a_free_nonce_leaves_the_line_open() -> None:
    assert judge(LINE, NOTHING).standing == Standing.OPEN


def test_a_receipt_in_a_canonical_block_includes_and_at_finality_ends_the_line() -> None:
    facts = replace(NOTHING, latest_nonce=6, receipts={B: MINED}, blocks={7: BLOCK})

    assert judge(LINE, facts).standing == Standing.INCLUDED
    assert judge(LINE, replace(facts, final_number=7)).standing == Standing.FINAL
    assert judge(LINE, facts).mined == MINED


def test_a_receipt_of_a_block_that_is_not_canonical_shows_nothing() -> None:
    facts = replace(NOTHING, latest_nonce=6, receipts={B: MINED}, blocks={7: OTHER})

    assert judge(LINE, facts).standing == Standing.UNCLEAR


def test_a_used_nonce_without_a_receipt_shows_nothing_before_a_final_block_names_the_holder() -> None:
    used = replace(NOTHING, latest_nonce=6, final_nonce=6)

    assert judge(LINE, used).standing == Standing.UNCLEAR
    assert judge(LINE, replace(used, holder=A)).standing == Standing.UNCLEAR
    assert judge(LINE, replace(used, holder=FOREIGN)).standing == Standing.LOST


def test_a_missing_receipt_does_not_undo_an_inclusion_and_another_block_at_its_height_does() -> None:
    assert judge(SEEN, NOTHING).standing == Standing.UNCLEAR
    assert judge(SEEN, replace(NOTHING, blocks={7: BLOCK})).standing == Standing.UNCLEAR
    undone = judge(SEEN, replace(NOTHING, blocks={7: OTHER}))
    assert (undone.standing, undone.undone) == (Standing.OPEN, True)


def test_states_move_along_the_drawing_only() -> None:
    for before in IntentState:
        for after in IntentState:
            if after in INTENT_MOVES[before]:
                check_intent_move(before, after)
            else:
                with pytest.raises(AssertionError):
                    check_intent_move(before, after)
    with pytest.raises(AssertionError):
        check_tx_move(TxState.FINAL, TxState.BROADCAST)
    assert set(INTENT_MOVES) == set(IntentState)
    assert set(TX_MOVES) == set(TxState)


def test_an_ended_intent_can_live_again_and_a_sent_one_is_never_forgotten() -> None:
    assert IntentState.PLANNED in INTENT_MOVES[IntentState.DONE]
    assert IntentState.PLANNED in INTENT_MOVES[IntentState.DROPPED]
    assert IntentState.DROPPED not in INTENT_MOVES[IntentState.SENT]
    assert IntentState.DROPPED not in INTENT_MOVES[IntentState.INCLUDED]


def test_an_intents_id_is_the_hash_of_what_it_is_about() -> None:
    request = IntentRequest("settle", b"\x01" * 32, 3, CALL.to, b"", attempt=2, deliverable=b"\x02" * 32)
    others = [
        replace(request, action="attest"),
        replace(request, agreement=bytes(32)),
        replace(request, milestone=4),
        replace(request, attempt=3),
        replace(request, deliverable=ZERO32),
    ]

    ids = {intent_id(1, CALL.to, r) for r in (request, *others)} | {intent_id(2, CALL.to, request)}

    assert len(ids) == 7
    assert intent_id(1, CALL.to, replace(request, calldata=b"x", value=1, gas=1)) == intent_id(1, CALL.to, request)


def _parts(count: int) -> list[object]:
    terms = Terms(
        payer=CALL.to,
        payee=CALL.to,
        token=CALL.to,
        verifier=ZERO_ADDRESS,
        quorum=ZERO32,
        arbiter=ZERO_ADDRESS,
        arbiter_hook=False,
        review_window=1,
        challenge_window=0,
        ruling_window=0,
        unreviewed_bps=0,
        unruled_bps=0,
        fee_bps=0,
        fee_to=ZERO_ADDRESS,
        tip=0,
        document=ZERO32,
        salt=ZERO32,
    )
    whole = Agreement(terms, tuple(Milestone(n + 1, 10, ZERO32) for n in range(count)))
    return [part_to_abi(whole.part(n)) for n in range(count)]


def test_a_batch_is_what_the_abi_encodes() -> None:
    escrow = contract("Escrow")
    for count in (1, 2, 20):
        parts = _parts(count)
        singles = [escrow.encode("settle", part) for part in parts]

        many = batch.settle_many(singles)

        assert many == escrow.encode("settleMany", parts)
        assert batch.is_batch(many)
        assert not batch.is_batch(singles[0])
        assert len(decode([f"{PART_ABI}[]"], many[4:])[0]) == count


def test_only_calls_of_settle_are_batched() -> None:
    with pytest.raises(ValueError, match="settle"):
        batch.settle_many([contract("Escrow").encode("approve", _parts(1)[0])])


def test_a_full_batch_of_full_schedules_fits_one_transaction() -> None:
    singles = [contract("Escrow").encode("settle", part) for part in _parts(64)[: batch.MAX_BATCH]]
    gas = batch.batch_gas(singles, [batch.MILESTONE_GAS] * batch.MAX_BATCH)

    assert batch.MAX_BATCH * batch.MILESTONE_GAS < gas <= 2**24


def test_settled_flags_are_read_from_the_simulation() -> None:
    assert batch.settled_flags(encode(["bool[]"], [[True, False]])) == [True, False]


def test_gaps_are_the_nonces_below_a_live_line_that_nothing_holds() -> None:
    lines = [Line(nonce, (sent(A),)) for nonce in (4, 7)]

    assert gaps(lines, 4) == [5, 6]
    assert gaps(lines, 6) == [6]
    assert gaps([], 4) == []


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        ("nonce too low: next nonce 6, tx nonce 5", Heard.LOOK),
        ("replacement transaction underpriced", Heard.LOOK),
        ("insufficient funds for gas * price + value", Heard.POOR),
        ("intrinsic gas too low", Heard.REFUSED),
    ],
)
def test_what_nodes_say_is_understood(message: str, heard: Heard) -> None:
    assert listen([BroadcastAnswer("node", False, False, message, -32000)]) == heard


def test_one_endpoint_that_has_it_is_enough_and_silence_says_nothing() -> None:
    silent = BroadcastAnswer("a", False, False, "cannot connect", None)
    low = BroadcastAnswer("b", False, False, "nonce too low", -32000)
    known = BroadcastAnswer("c", True, True, "already known", -32000)

    assert listen([silent, low, known]) == Heard.SENT
    assert listen([silent, low]) == Heard.LOOK
    assert listen([silent]) == Heard.UNREACHED
