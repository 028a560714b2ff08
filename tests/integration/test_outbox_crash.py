"""The keeper's own program, killed from outside at the worst moments, and started again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from chainlab import ROOT, Deployed
from keeper_stage import KEEPER_KEYS as KEYS
from keeper_stage import Stage, intent_states, keeper_process, rows, signer_of, tx_states, wait_for

from keeper.daemon.keeper import once
from keeper.store import schema
from keeper.store.engine import open_store

sys.path.insert(0, str(ROOT / "scripts"))
from rpc_proxy import RpcProxy

ME = signer_of(KEYS[0]).address


@pytest.fixture
def stage(own_chain: Deployed) -> Stage:
    return Stage(own_chain)


def test_killed_between_commit_and_broadcast_the_restart_finishes_once(stage: Stage, tmp_path: Path) -> None:
    funded = stage.fund(stage.terms())
    funded.lapse()
    with RpcProxy(stage.anvil.url) as proxy:
        settings = stage.settings(tmp_path, rpc=proxy.url)
        with keeper_process(settings) as process:
            kill = proxy.kill_on("eth_sendRawTransaction", process.pid)
            assert kill.done.wait(30)
            process.wait(10)
    store = open_store(settings.database)
    (saved,) = rows(store, schema.transaction)
    assert saved.state == "signed"
    assert stage.settled() == []
    assert stage.nonce(ME) == 0

    status = once(stage.settings(tmp_path), wait_s=20)

    assert status["intents"]["sent"] == 0
    (settled,) = stage.settled()
    assert settled["executor"] == ME
    assert [tx.hash for tx in rows(store, schema.transaction)] == [saved.hash], "the very bytes that were saved"
    assert intent_states(store) == ["included"]
    store.close()


def test_killed_while_broadcasting_and_settled_by_another_the_restart_cancels(stage: Stage, tmp_path: Path) -> None:
    funded = stage.fund(stage.terms())
    funded.lapse()
    with RpcProxy(stage.anvil.url) as proxy:
        settings = stage.settings(tmp_path, rpc=proxy.url)
        with keeper_process(settings) as process:
            kill = proxy.kill_on("eth_sendRawTransaction", process.pid)
            assert kill.done.wait(30)
            process.wait(10)
    funded.approve()

    once(stage.settings(tmp_path), wait_s=20)
    stage.anvil.mine(4)
    once(stage.settings(tmp_path), wait_s=20)

    store = open_store(settings.database)
    assert tx_states(store) == ["replaced", "final"]
    assert intent_states(store) == ["dropped"]
    (intent,) = rows(store, schema.intent)
    assert stage.payer in intent.reason
    assert len(stage.settled()) == 1
    store.close()


def test_killed_after_broadcast_the_restart_only_watches(stage: Stage, tmp_path: Path) -> None:
    funded = stage.fund(stage.terms())
    funded.lapse()
    stage.anvil.rpc.call("evm_setAutomine", False)
    settings = stage.settings(tmp_path)
    with keeper_process(settings) as process:
        wait_for(lambda: settings.database.exists())
        store = open_store(settings.database)
        wait_for(lambda: "broadcast" in tx_states(store))
        process.kill()
        process.wait(10)
    first = rows(store, schema.transaction)[0]
    stage.anvil.mine()

    once(stage.settings(tmp_path), wait_s=20)

    assert len(stage.settled()) == 1
    assert stage.nonce(ME) == 1
    assert first.hash in {tx.hash for tx in rows(store, schema.transaction)}
    assert intent_states(store) == ["included"]
    store.close()
