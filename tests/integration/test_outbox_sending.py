"""The outbox on a real chain: one send at a time, and everything that can come between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from chainlab import Deployed
from keeper_stage import KEEPER_KEYS as KEYS
from keeper_stage import LIMITS, Funded, Stage, intent_states, rows, signer_of, tx_states, wait_for

from keeper.chain.blocks import head
from keeper.errors import Exit, MilepostError, Moved
from keeper.outbox import IntentRequest, Outbox
from keeper.store import schema
from keeper.store.engine import Store, open_store

ME = signer_of(KEYS[0]).address


@pytest.fixture
def stage(own_chain: Deployed) -> Stage:
    return Stage(own_chain)


@pytest.fixture
def shared(chain: Deployed) -> Stage:
    """The session's chain, for tests that neither reorganise it nor stop its mining."""
    return Stage(chain)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "outbox.db")
    yield opened
    opened.close()


def lapsed(stage: Stage, count: int = 1) -> Funded:
    funded = stage.fund(stage.terms(), count)
    funded.lapse()
    return funded


def settle(funded: Funded, index: int = 0) -> IntentRequest:
    return IntentRequest("settle", funded.id, index, funded.stage.at.escrow, funded.settle_call(index), gas=600_000)


def gift(stage: Stage, number: int, value: int = 1) -> IntentRequest:
    """A party's transaction that always works: some wei for the payee."""
    return IntentRequest("gift", bytes(32), number, stage.payee, b"", value=value)


def tick(stage: Stage, outbox: Outbox) -> None:
    outbox.tick(head(stage.anvil.rpc))


def plan(store: Store, outbox: Outbox, request: IntentRequest) -> bytes:
    with store.begin() as conn:
        return outbox.enqueue(conn, request)


def pending_mode(stage: Stage) -> None:
    stage.anvil.rpc.call("evm_setAutomine", False)


def test_run_one_returns_the_receipt_and_a_repeat_finds_it(shared: Stage, store: Store) -> None:
    funded = lapsed(shared)
    outbox = shared.outbox(store)

    first = outbox.run_one(settle(funded), 10)
    again = outbox.run_one(settle(funded), 10)

    assert not first.known
    assert again.known
    assert (again.tx_hash, again.block_number, again.gas_used) == (first.tx_hash, first.block_number, first.gas_used)
    assert len(shared.settled()) == 1
    assert first.logs == again.logs
    assert first.logs


def test_a_call_that_the_contract_refuses_is_never_sent(shared: Stage, store: Store) -> None:
    funded = shared.fund(shared.terms())

    with pytest.raises(MilepostError) as refused:
        shared.outbox(store).run_one(settle(funded), 10)

    assert refused.value.code == "REVERTED"
    assert "TooEarly" in refused.value.cause
    assert refused.value.moved == Moved.NONE
    assert rows(store, schema.transaction) == []
    assert shared.nonce(ME) == 0


def test_a_refused_request_may_be_made_again_once_it_is_due(shared: Stage, store: Store) -> None:
    funded = shared.fund(shared.terms())
    outbox = shared.outbox(store)
    with pytest.raises(MilepostError):
        outbox.run_one(settle(funded), 10)
    funded.lapse()

    assert outbox.run_one(settle(funded), 10).block_number == head(shared.anvil.rpc).number


def test_an_account_without_money_is_told_so_and_nothing_stays_planned(shared: Stage, store: Store) -> None:
    shared.anvil.rpc.call("anvil_setBalance", ME, "0x1")

    with pytest.raises(MilepostError) as poor:
        shared.outbox(store).run_one(gift(shared, 0, value=0), 10)

    assert poor.value.code == "INSUFFICIENT_FUNDS"
    assert intent_states(store) == ["dropped"]


def test_a_held_intent_is_sent_once_the_account_has_money(shared: Stage, store: Store) -> None:
    outbox = shared.outbox(store)
    shared.anvil.rpc.call("anvil_setBalance", ME, "0x1")
    plan(store, outbox, gift(shared, 0, value=0))
    tick(shared, outbox)
    assert intent_states(store) == ["held"]
    shared.anvil.rpc.call("anvil_setBalance", ME, hex(10**18))

    tick(shared, outbox)
    tick(shared, outbox)

    assert intent_states(store) == ["included"]


def test_gas_above_the_ceilings_is_refused(shared: Stage, store: Store) -> None:
    with pytest.raises(MilepostError) as dear:
        shared.outbox(store, limits=replace(LIMITS, max_tx=10)).run_one(gift(shared, 0), 10)

    assert dear.value.code == "FEES_TOO_HIGH"
    assert shared.nonce(ME) == 0


def test_a_wait_that_ends_names_the_transaction_and_a_repeat_watches_it(stage: Stage, store: Store) -> None:
    pending_mode(stage)
    outbox = stage.outbox(store, limits=replace(LIMITS, replace_after_s=60))
    with pytest.raises(MilepostError) as unknown:
        outbox.run_one(gift(stage, 0), 0.3)
    (sent,) = rows(store, schema.transaction)
    assert unknown.value.code == "OUTCOME_UNKNOWN"
    assert unknown.value.exit == Exit.UNKNOWN
    assert unknown.value.moved == Moved.UNKNOWN
    assert sent.hash in unknown.value.cause
    stage.anvil.mine()

    receipt = stage.outbox(store).run_one(gift(stage, 0), 10)

    assert "0x" + receipt.tx_hash.hex() == sent.hash
    assert stage.nonce(ME) == 1


def test_another_body_under_one_id_is_a_conflict_while_the_first_is_in_flight(stage: Stage, store: Store) -> None:
    pending_mode(stage)
    outbox = stage.outbox(store)
    with pytest.raises(MilepostError):
        outbox.run_one(gift(stage, 0), 0.1)

    with pytest.raises(MilepostError) as conflict:
        outbox.run_one(gift(stage, 0, value=2), 0.1)

    assert conflict.value.code == "RUN_ID_CONFLICT"


def test_a_stuck_transaction_is_offered_for_more_and_only_one_of_the_line_counts(stage: Stage, store: Store) -> None:
    pending_mode(stage)
    outbox = stage.outbox(store)
    plan(store, outbox, gift(stage, 0))
    wait_for(lambda: tick(stage, outbox) or len(tx_states(store)) >= 2)
    sent = rows(store, schema.transaction)
    assert {tx.nonce for tx in sent} == {0}
    assert int(sent[1].max_fee) * 8 >= int(sent[0].max_fee) * 9
    assert int(sent[1].max_priority_fee) * 8 >= int(sent[0].max_priority_fee) * 9
    stage.anvil.mine()

    stage.anvil.mine(5)
    tick(stage, outbox)

    assert sorted(tx_states(store)).count("final") == 1
    assert set(tx_states(store)) == {"final", "replaced"}
    assert intent_states(store) == ["done"]
    assert stage.nonce(ME) == 1


def test_an_unaffordable_replacement_leaves_the_first_offer_standing(stage: Stage, store: Store) -> None:
    pending_mode(stage)
    outbox = stage.outbox(store)
    plan(store, outbox, gift(stage, 0))
    tick(stage, outbox)
    (first,) = rows(store, schema.transaction)
    tight = stage.outbox(store, limits=replace(LIMITS, max_fee=int(first.max_fee), replace_after_s=0.01))
    seen = [tick(stage, tight) for _ in range(3)]
    assert len(seen) == 3
    assert tx_states(store) == ["broadcast"]

    stage.anvil.mine()
    tick(stage, tight)

    assert intent_states(store) == ["included"]


def test_a_transaction_that_is_no_longer_due_is_cancelled_at_its_nonce(stage: Stage, store: Store) -> None:
    funded = lapsed(stage)
    pending_mode(stage)
    outbox = stage.outbox(store)
    plan(store, outbox, settle(funded))
    tick(stage, outbox)
    (sent,) = rows(store, schema.transaction)
    stage.anvil.rpc.call("anvil_dropTransaction", sent.hash)
    stage.anvil.rpc.call("evm_setAutomine", True)
    funded.approve()

    restarted = stage.outbox(store)
    tick(stage, restarted)
    stage.anvil.mine(4)
    tick(stage, restarted)

    assert tx_states(store) == ["replaced", "final"]
    assert intent_states(store) == ["dropped"]
    (cancel,) = (tx for tx in rows(store, schema.transaction) if tx.state == "final")
    assert (cancel.to, cancel.data) == (ME.lower(), "0x")
    assert len(stage.settled()) == 1


def test_a_foreign_transaction_on_our_nonce_is_noticed_at_finality_and_the_intent_is_sent_again(
    stage: Stage, store: Store
) -> None:
    funded = lapsed(stage)
    pending_mode(stage)
    outbox = stage.outbox(store, limits=replace(LIMITS, replace_after_s=60))
    plan(store, outbox, settle(funded))
    tick(stage, outbox)
    (sent,) = rows(store, schema.transaction)
    stage.anvil.rpc.call("anvil_dropTransaction", sent.hash)
    stage.anvil.rpc.call("evm_setAutomine", True)
    foreign = signer_of(KEYS[0]).sign_transaction(
        {
            "chainId": 31337,
            "nonce": 0,
            "to": stage.payee,
            "value": 7,
            "data": b"",
            "gas": 21_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
        }
    )
    stage.anvil.rpc.call("eth_sendRawTransactionSync", "0x" + foreign[0].hex())
    tick(stage, outbox)
    assert tx_states(store) == ["broadcast"], "a nonce that is used in a block that may go away shows nothing"

    stage.anvil.mine(4)
    tick(stage, outbox)
    tick(stage, outbox)

    assert tx_states(store) == ["lost", "included"]
    assert intent_states(store) == ["included"]
    assert len(stage.settled()) == 1


def test_a_transaction_that_a_reorg_removed_is_sent_again_unchanged(stage: Stage, store: Store) -> None:
    funded = lapsed(stage)
    outbox = stage.outbox(store)
    first = outbox.run_one(settle(funded), 10)
    stage.anvil.reorg(1)
    assert funded.is_open()

    tick(stage, outbox)
    again = outbox.run_one(settle(funded), 10)

    assert again.tx_hash == first.tx_hash
    assert again.block_hash != first.block_hash
    assert not funded.is_open()
    assert len(stage.settled()) == 1


def test_a_nonce_gap_is_filled(stage: Stage, store: Store) -> None:
    funded = lapsed(stage)
    foreign = {"from": ME, "to": stage.payee, "value": "0x1"}
    stage.anvil.rpc.call("anvil_impersonateAccount", ME)
    stage.anvil.rpc.call("eth_sendTransactionSync", foreign)
    outbox = stage.outbox(store)
    outbox.run_one(settle(funded), 10)
    stage.anvil.reorg(2)
    assert stage.nonce(ME) == 0, "both are gone, and nobody sends the first again"

    wait_for(lambda: tick(stage, outbox) or (not funded.is_open() and "included" in intent_states(store)))

    assert stage.nonce(ME) == 2
    assert len(stage.settled()) == 1


def test_a_batch_settles_what_is_due_and_a_rival_costs_one_item(stage: Stage, store: Store) -> None:
    funded = lapsed(stage, 3)
    outbox = stage.outbox(store)
    pending_mode(stage)
    for index in range(3):
        plan(store, outbox, settle(funded, index))
    tick(stage, outbox)
    (sent,) = rows(store, schema.transaction)
    stage.anvil.rpc.call("anvil_dropTransaction", sent.hash)
    stage.anvil.rpc.call("evm_setAutomine", True)
    funded.approve(1)

    restarted = stage.outbox(store)
    tick(stage, restarted)
    tick(stage, restarted)

    assert intent_states(store) == ["included", "missed", "included"]
    assert sorted((int(s["index"]), s["executor"]) for s in stage.settled()) == [
        (0, ME),
        (1, stage.payer),
        (2, ME),
    ]
    stage.anvil.mine(4)
    tick(stage, restarted)
    assert intent_states(store) == ["done", "dropped", "done"]


def test_what_an_earlier_command_planned_and_never_signed_is_not_sent_by_the_next(shared: Stage, store: Store) -> None:
    outbox = shared.outbox(store)
    plan(store, outbox, gift(shared, 0))

    outbox.run_one(gift(shared, 1), 10)

    assert intent_states(store) == ["dropped", "included"]
    assert shared.nonce(ME) == 1
