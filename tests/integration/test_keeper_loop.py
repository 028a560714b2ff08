"""The keeper as a whole on a real chain: attesting, settling, racing, repairing, stopping."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from chainlab import ROOT, Deployed, start_anvil
from keeper_stage import (
    KEEPER_KEYS,
    TIP,
    Funded,
    Stage,
    get_status,
    intent_states,
    keeper_process,
    log_of,
    relay_url,
    rows,
    signer_of,
    steps_until,
    wait_for,
)
from sqlalchemy import update

from keeper.daemon.keeper import once
from keeper.errors import MilepostError
from keeper.policy.frame import decide
from keeper.policy.inputs import Policy, PolicyInput
from keeper.protocol.types import Attestation, Cause
from keeper.relay.attestations import accept
from keeper.relay.client import RelayClient
from keeper.store import schema
from keeper.store.engine import open_store

sys.path.insert(0, str(ROOT / "scripts"))
from rpc_proxy import RpcProxy

ME, RIVAL = (signer_of(key).address for key in KEEPER_KEYS)
AWARD = Attestation(0, b"\x11" * 32, 10_000)


@pytest.fixture
def stage(own_chain: Deployed) -> Stage:
    return Stage(own_chain)


@pytest.fixture
def shared(chain: Deployed) -> Stage:
    """The session's chain, for tests that do not reorganise it."""
    return Stage(chain)


def submitted(stage: Stage) -> Funded:
    """A milestone that a quorum may award, paid at once."""
    stage.announce()
    funded = stage.fund(stage.attested())
    funded.submit()
    return funded


def test_one_pass_settles_all_that_is_due_in_one_batch(shared: Stage, tmp_path: Path) -> None:
    funded = shared.fund(shared.terms(), 3)
    funded.lapse()

    status = once(shared.settings(tmp_path), wait_s=20)

    assert [(s["cause"], s["executor"]) for s in shared.settled()] == [(Cause.LAPSED, ME)] * 3
    assert shared.nonce(ME) == 1
    assert status["intents"]["included"] == 3
    assert status["open_milestones"] == 0
    assert status["settled_by_us"] == 3
    assert status["trouble"] is None


def test_a_ledger_that_differs_from_the_contract_sends_nothing(shared: Stage, tmp_path: Path) -> None:
    funded = shared.fund(shared.terms())
    settings = shared.settings(tmp_path)
    once(settings, wait_s=5)
    store = open_store(settings.database)
    with store.begin() as conn:
        conn.execute(update(schema.milestone).values(attempt=7))
    store.close()
    funded.lapse()
    shared.anvil.mine(3)

    with pytest.raises(MilepostError, match="LEDGER_DIFFERS") as caught:
        once(settings, wait_s=5)

    assert "attempt=7" in caught.value.cause
    assert funded.is_open()
    assert shared.nonce(ME) == 0


def test_nothing_is_sent_before_it_is_due(shared: Stage, tmp_path: Path) -> None:
    funded = shared.fund(shared.terms())
    shared.anvil.warp_to(funded.agreement.milestones[0].submit_by)

    status = once(shared.settings(tmp_path), wait_s=5)

    assert funded.is_open()
    assert shared.nonce(ME) == 0
    (due,) = status["due_soon"]
    assert due["cause"] == "Lapsed"
    assert due["ready_at"] == funded.agreement.milestones[0].submit_by + 1


def test_a_refund_without_a_tip_is_left_to_others_unless_the_settings_serve_its_payer(
    shared: Stage, tmp_path: Path
) -> None:
    funded = shared.fund(shared.terms())
    funded.lapse()

    once(shared.settings(tmp_path / "tipped", serve="tipped"), wait_s=5)
    assert funded.is_open()
    once(shared.settings(tmp_path / "named", serve=[shared.payer]), wait_s=5)

    assert not funded.is_open()


def test_a_tipped_settlement_pays_the_keeper_that_sends_it(shared: Stage, tmp_path: Path) -> None:
    funded = shared.fund(shared.terms())
    funded.submit()
    shared.anvil.warp(102)

    once(shared.settings(tmp_path, serve="tipped"), wait_s=10)

    (settled,) = shared.settled()
    assert (settled["cause"], settled["tip"], settled["executor"]) == (Cause.UNREVIEWED, TIP, ME)


def test_refunds_that_nobody_tips_for_do_not_stand_before_what_pays(
    shared: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keeper.daemon.deciding.DUE_AT_ONCE", 2)
    refunds = shared.fund(shared.terms(), 4)
    refunds.lapse()
    paying = shared.fund(shared.terms())
    paying.submit()
    shared.anvil.warp(102)

    once(shared.settings(tmp_path, serve="tipped"), wait_s=10)

    assert refunds.is_open()
    assert not paying.is_open()


def test_a_verdict_is_attested_once_the_relay_holds_a_quorum(shared: Stage, tmp_path: Path) -> None:
    funded = submitted(shared)
    messages = funded.attestations(AWARD)
    with shared.keeper(tmp_path) as keeper:
        keeper.step()
        with keeper.store.begin() as conn:
            accept(conn, messages[0])
        keeper.step()
        assert funded.is_open(), "one of three is no quorum"
        with keeper.store.begin() as conn:
            accept(conn, messages[2])

        steps_until(keeper, lambda: "included" in intent_states(keeper.store))

        assert not funded.is_open()
        (settled,) = shared.settled()
        assert (settled["cause"], settled["tip"]) == (Cause.ATTESTED, TIP)


def test_every_decision_can_be_decided_again_from_its_row(shared: Stage, tmp_path: Path) -> None:
    funded = shared.fund(shared.terms(), 2)
    funded.lapse()
    settings = shared.settings(tmp_path, serve="tipped")
    once(settings, wait_s=5)
    once(shared.settings(tmp_path, serve="all"), wait_s=10)
    own, fees = settings.keeper, settings.fees
    policies = [
        Policy(serve, own.finality, own.stagger_s, own.stagger_slots, fees.max_day) for serve in ("tipped", "all")
    ]

    with shared.keeper(tmp_path) as keeper:
        stored = rows(keeper.store, schema.decision)

    assert sorted(row.outcome for row in stored) == ["allow", "allow", "deny", "deny"]
    for row in stored:
        (policy,) = (p for p in policies if decide(PolicyInput.from_json(row.inputs), p).policy_hash == row.policy)
        again = decide(PolicyInput.from_json(row.inputs), policy)
        assert (again.outcome, again.to_json()) == (row.outcome, row.trace)


def test_a_decision_that_stands_is_written_once(shared: Stage, tmp_path: Path) -> None:
    shared.fund(shared.terms()).lapse()
    with shared.keeper(tmp_path, serve="tipped") as keeper:
        for _ in range(3):
            keeper.step()
            shared.anvil.mine()

        assert len(rows(keeper.store, schema.decision)) == 1


def test_two_keepers_that_race_settle_each_milestone_once(stage: Stage, tmp_path: Path) -> None:
    funded = stage.fund(stage.terms(), 4)
    funded.lapse()
    stage.anvil.rpc.call("evm_setAutomine", False)
    mine, theirs = stage.settings(tmp_path / "a"), stage.settings(tmp_path / "b", key=KEEPER_KEYS[1])
    with keeper_process(mine, KEEPER_KEYS[0]), keeper_process(theirs, KEEPER_KEYS[1]):
        urls = [relay_url(mine), relay_url(theirs)]
        wait_for(lambda: all(get_status(url)["transactions"] for url in urls))
        stage.anvil.rpc.call("evm_setAutomine", True)
        stage.anvil.mine(1)

        def over() -> bool:
            stage.anvil.mine()
            return all(not get_status(url)["transactions"] for url in urls)

        wait_for(over)
        ended = [get_status(url)["intents"] for url in urls]

    assert sorted(s["index"] for s in stage.settled()) == [0, 1, 2, 3]
    assert sorted((e["done"], e["dropped"]) for e in ended) == [(0, 4), (4, 0)]


def test_a_settlement_that_a_reorg_removed_is_made_again_once(stage: Stage, tmp_path: Path) -> None:
    funded = stage.fund(stage.terms())
    funded.lapse()
    with stage.keeper(tmp_path) as keeper:
        steps_until(keeper, lambda: "included" in intent_states(keeper.store))
        stage.anvil.reorg(1)
        assert funded.is_open()

        steps_until(keeper, lambda: not funded.is_open())
        stage.anvil.mine(4)
        steps_until(keeper, lambda: intent_states(keeper.store) == ["done"])

        assert len(stage.settled()) == 1
        assert len(rows(keeper.store, schema.transaction)) == 1


def test_a_rivals_settlement_that_a_reorg_removed_is_made_by_us(stage: Stage, tmp_path: Path) -> None:
    funded = stage.fund(stage.terms())
    funded.lapse()
    stage.anvil.mine(3)
    with stage.keeper(tmp_path) as keeper:
        stage.anvil.send(stage.payee, stage.at.escrow, funded.settle_call())
        keeper.step()
        assert intent_states(keeper.store) == []
        stage.anvil.reorg(1)

        steps_until(keeper, lambda: not funded.is_open())

        assert [s["executor"] for s in stage.settled()] == [ME]


def test_a_reorg_below_finality_halts_sending_and_keeps_serving(stage: Stage, tmp_path: Path) -> None:
    settings = stage.settings(tmp_path)
    funded = stage.fund(stage.terms())
    stage.anvil.mine(6)
    with keeper_process(settings):
        url = relay_url(settings)
        wait_for(lambda: get_status(url)["open_milestones"] == 1)
        stage.anvil.reorg(5)
        halted = wait_for(lambda: get_status(url)["halted"] and get_status(url))
        funded.lapse()

        assert halted["trouble"]["code"] == "DEEP_REORG"
        assert RelayClient(url, 5).documents(after=0, limit=1).documents == []
        assert funded.is_open()
    assert '"halted: nothing is sent"' in log_of(settings)
    assert stage.nonce(ME) == 0


def test_attestations_of_a_peer_count_here(shared: Stage, tmp_path: Path) -> None:
    funded = submitted(shared)
    shared.anvil.rpc.call("anvil_setBalance", ME, "0x1")  # only the peer's relay is wanted here
    peer = shared.settings(tmp_path / "a")
    with keeper_process(peer):
        url = relay_url(peer)
        wait_for(lambda: get_status(url)["open_milestones"] == 1)
        for message in funded.attestations(AWARD)[:2]:
            RelayClient(url, 5).push_attestation(message)
        with shared.keeper(tmp_path / "b", key=KEEPER_KEYS[1], peers=[url]) as keeper:
            steps_until(keeper, lambda: not funded.is_open())

    assert [s["executor"] for s in shared.settled()] == [RIVAL]


def test_sigterm_ends_in_time_with_0_and_sigint_with_130(shared: Stage, tmp_path: Path) -> None:
    settings = shared.settings(tmp_path)
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        (tmp_path / "keeper.log").unlink(missing_ok=True)
        with keeper_process(settings) as process:
            wait_for(lambda: (tmp_path / "keeper.log").exists() and relay_url(settings))
            process.send_signal(number)
            assert process.wait(10) == code


def test_sigterm_ends_in_time_even_while_the_node_hangs(stage: Stage, tmp_path: Path) -> None:
    with RpcProxy(stage.anvil.url) as proxy, keeper_process(stage.settings(tmp_path, rpc=proxy.url)) as process:
        wait_for(lambda: proxy.seen["eth_getBalance"])
        os.kill(stage.anvil.process.pid, signal.SIGSTOP)
        try:
            asked = proxy.seen.total()
            wait_for(lambda: proxy.seen.total() > asked)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            os.kill(stage.anvil.process.pid, signal.SIGCONT)


def test_a_second_keeper_on_one_database_is_refused(shared: Stage, tmp_path: Path) -> None:
    settings = shared.settings(tmp_path)
    with keeper_process(settings):
        relay_url(settings)

        with pytest.raises(MilepostError) as refused:
            once(settings)

    assert refused.value.code == "ALREADY_RUNNING"


def test_a_node_that_is_down_at_the_start_is_one_clear_error(stage: Stage, tmp_path: Path) -> None:
    settings = stage.settings(tmp_path)
    stage.anvil.stop()

    with keeper_process(settings) as process:
        assert process.wait(20) == 5

    assert "RPC_UNREACHABLE" in log_of(settings)
    assert "Traceback" not in log_of(settings)


def test_another_chain_at_the_address_is_one_clear_error(shared: Stage, tmp_path: Path) -> None:
    other = start_anvil("--chain-id", "4242")
    try:
        with pytest.raises(MilepostError) as wrong:
            once(shared.settings(tmp_path, rpc=other.url))
    finally:
        other.stop()

    assert wrong.value.code == "WRONG_CHAIN"


def test_a_node_that_dies_while_running_is_waited_for(shared: Stage, tmp_path: Path) -> None:
    funded = shared.fund(shared.terms())
    with RpcProxy(shared.anvil.url) as proxy:
        settings = shared.settings(tmp_path, rpc=proxy.url)
        with keeper_process(settings):
            url = relay_url(settings)
            wait_for(lambda: get_status(url)["open_milestones"] == 1)
            proxy.cut()
            trouble = wait_for(lambda: get_status(url)["trouble"])
            funded.lapse()
            proxy.disarm()

            wait_for(lambda: not funded.is_open())
            wait_for(lambda: get_status(url)["trouble"] is None)

    assert trouble["code"] == "RPC_UNREACHABLE"
    assert log_of(settings).count('"trying again"') < 4, "told once a change, not once a try"


def test_keepers_without_money_say_so_and_go_on_when_they_have_some(shared: Stage, tmp_path: Path) -> None:
    funded = shared.fund(shared.terms())
    funded.lapse()
    shared.anvil.rpc.call("anvil_setBalance", ME, "0x1")
    with shared.keeper(tmp_path) as keeper:
        keeper.step()
        (held,) = keeper.status()["held"]
        shared.anvil.rpc.call("anvil_setBalance", ME, hex(10**18))

        steps_until(keeper, lambda: not funded.is_open())

    assert held.startswith("INSUFFICIENT_FUNDS")
