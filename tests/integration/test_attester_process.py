"""Attesters as processes: same digest under different clocks, abstaining, pushing, restarting, ending."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from attesting import CRITERIA, DELIVERABLE, MEMBER_KEYS, REVIEW_S, Running, World, eventually
from chainlab import KEYS, Deployed

from keeper.chain.abi import contract
from keeper.protocol.abi import attestation_to_abi, part_to_abi
from keeper.protocol.types import Cause
from keeper.relay.proof import proof_for

pytestmark = pytest.mark.chain
KEY = next(iter(MEMBER_KEYS.values()))
Start = Callable[..., Running]


@pytest.fixture
def world(own_chain: Deployed, tmp_path: Path) -> Iterator[World]:
    made = World(own_chain, tmp_path)
    yield made
    made.close()


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    running: list[Running] = []

    def begin(key: str = KEY, name: str = "attester", **options: Any) -> Running:
        running.append(Running(world, key, name, **options))
        return running[-1]

    yield begin
    for one in running:
        one.stop(signal.SIGKILL)


def test_three_attesters_with_clocks_apart_sign_one_digest_that_the_chain_takes(world: World, start: Start) -> None:
    world.ready()
    for number, key in enumerate(MEMBER_KEYS.values()):
        start(key, f"attester{number}", skew_s=30 * (number - 1))
    told = eventually("three attestations", lambda: len(world.attestations()) == 3 and world.attestations())
    assert {message.signer for message in told} == set(MEMBER_KEYS)
    assert len({message.digest() for message in told}) == 1
    assert {message.deliverable for message in told} == {DELIVERABLE.hash[:24] + bytes(8)}
    view = world.milestone()
    with world.relay_store.read() as conn:
        proof = proof_for(conn, view)
    assert proof is not None
    attest = contract("Escrow").encode(
        "attest", part_to_abi(view.part), attestation_to_abi(proof.attestation), proof.proof
    )
    world.anvil.send(world.anvil.accounts[9], world.chain.escrow, attest)
    world.relay_ledger.follow()
    with world.relay_store.read() as conn:
        from keeper.ledger import views

        settled = views.settlement_of(conn, world.id, 0)
    assert settled is not None
    assert (settled.cause, settled.to_payee) == (Cause.ATTESTED, 1_000_000)


def test_a_dead_source_makes_it_abstain_by_name_until_the_source_is_back(world: World, start: Start) -> None:
    world.ci.stop()
    world.ready()
    attester = start()
    eventually("an abstention", lambda: attester.said("abstained", "ci", "silent", "1 of 2"))
    assert world.attestations() == []
    world.ci.again()
    (message,) = eventually("an attestation", world.attestations)
    assert message.payout_bps == 10_000


def test_a_lying_source_makes_it_abstain_and_never_guess(world: World, start: Start) -> None:
    world.tell_ci("failure")
    world.ready()
    attester = start()
    eventually("an abstention", lambda: attester.said("abstained", "contradict", "erp satisfied", "ci failed"))
    assert world.attestations() == []


def test_a_failure_that_every_source_confirms_is_rejected(world: World, start: Start) -> None:
    world.tell_ci("failure")
    world.tell_erp("non_conformant")
    world.ready()
    start()
    (message,) = eventually("an attestation", world.attestations)
    assert message.payout_bps == 0


def test_it_waits_while_a_check_runs(world: World, start: Start) -> None:
    world.tell_ci("success", "in_progress")
    world.ready()
    attester = start()
    eventually("an abstention", lambda: attester.said("abstained", "ci", "pending"))
    world.tell_ci("success")
    (message,) = eventually("an attestation", world.attestations)
    assert message.payout_bps == 10_000


def test_a_deliverable_on_no_relay_is_rejected_after_half_the_review_window_and_not_before(
    world: World, start: Start
) -> None:
    world.fund()
    world.submit()
    world.publish(CRITERIA)
    attester = start()
    eventually("an abstention", lambda: attester.said("abstained", "not on 1 relays"))
    assert world.attestations() == []
    world.anvil.warp(REVIEW_S // 2 + 1)
    (message,) = eventually("an attestation", world.attestations)
    assert message.payout_bps == 0
    assert attester.said("verdict", "on none of 1 relays")


def test_a_deliverable_that_names_no_commit_is_rejected(world: World, start: Start) -> None:
    from attesting import document

    useless = document({"version": "milepost/deliverable/1", "fields": {"commit": "main", "shipment": "urn:x"}})
    world.fund()
    world.submit(useless.hash)
    world.publish(CRITERIA, useless)
    start()
    (message,) = eventually("an attestation", world.attestations)
    assert message.payout_bps == 0


def test_criteria_on_no_relay_are_waited_for(world: World, start: Start) -> None:
    world.fund()
    world.submit()
    world.publish(DELIVERABLE)
    attester = start()
    eventually("an abstention", lambda: attester.said("abstained", "nowhere to be read"))
    world.anvil.warp(REVIEW_S // 2 + 1)
    world.publish(CRITERIA)
    (message,) = eventually("an attestation", world.attestations)
    assert message.payout_bps == 10_000


def test_a_relay_that_is_away_is_pushed_to_when_it_comes_back(world: World, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    attester = start(name="far", relays=[world.relay.url, f"http://127.0.0.1:{port}"])
    world.ready()
    eventually("an attestation", world.attestations)
    eventually("a wait", lambda: attester.said("push_waits", str(port)))
    from keeper.relay.server import RelayServer

    with RelayServer(world.relay_store, f"127.0.0.1:{port}"):
        eventually(
            "the push", lambda: attester.said('"pushed"', str(port)) or attester.said("pushed", f":{port}", "known")
        )


def test_a_restart_gives_no_second_verdict_even_with_its_database_lost(world: World, start: Start) -> None:
    world.ready()
    first = start()
    eventually("an attestation", world.attestations)
    first.stop(signal.SIGKILL)
    for path in world.folder.glob("attester.db*"):
        path.unlink()
    world.tell_ci("failure")
    world.tell_erp("damaged")
    second = start(name="attester")
    eventually("a refusal", lambda: second.said("SIGN_ONCE"))
    (message,) = world.attestations()
    assert message.payout_bps == 10_000


def test_a_key_of_no_quorum_is_told_so_and_signs_nothing(world: World, start: Start) -> None:
    world.ready()
    stranger = start(KEYS[8], "stranger")
    eventually("a warning", lambda: stranger.said("member of no announced quorum"))
    member = start(KEY, "member")
    eventually("an attestation", world.attestations)
    assert {message.signer for message in world.attestations()} <= set(MEMBER_KEYS)
    assert stranger.said("signed") is None
    assert member.said("signed")


def test_it_waits_until_the_submission_is_safe(world: World, start: Start) -> None:
    world.fund()
    world.publish(CRITERIA, DELIVERABLE)
    cautious = start(name="cautious")
    hasty = start(list(MEMBER_KEYS.values())[1], "hasty", finality="latest")
    eventually("membership", lambda: cautious.said("member of quorums") and hasty.said("member of quorums"))
    world.submit(blocks=0)
    eventually("the hasty one's attestation", world.attestations)
    assert {message.signer for message in world.attestations()} == {list(MEMBER_KEYS)[1]}
    assert cautious.said("signed") is None
    world.anvil.mine(2)
    eventually("both attestations", lambda: len(world.attestations()) == 2)


def test_sigterm_ends_it_in_time_while_a_source_hangs(world: World, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        attester = start(sources={"ci": url, "erp": world.erp.url}, timeout_s=60)
        world.ready()
        hanging.settimeout(30)
        connection, _ = hanging.accept()
        took = attester.stop()
        connection.close()
    assert attester.process.returncode == 0
    assert took < 10


def test_its_status_page_says_what_it_signed_and_why_the_rest_waits(world: World, start: Start) -> None:
    world.tell_ci("failure")
    world.ready()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start(listen=f"127.0.0.1:{port}")

    def status() -> dict[str, Any]:
        try:
            return dict(httpx.get(f"http://127.0.0.1:{port}/status").json())
        except httpx.TransportError:
            return {}

    waiting = eventually("an abstention", lambda: (found := status()).get("abstaining") and found)
    assert "contradict" in waiting["abstaining"][0]["reason"]
    assert (waiting["signed"], len(waiting["quorums"])) == (0, 1)
    world.tell_ci("success")
    eventually("an attestation", world.attestations)
    expected = [{"url": world.relay.url, "acknowledged": 1, "refused": 0, "waiting": 0}]
    eventually("the push", lambda: status().get("relays") == expected)
    assert status()["abstaining"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "0x01"}, "KEY_INVALID"),
        ({"rpc": "http://127.0.0.1:9"}, "RPC_UNREACHABLE"),
    ],
)
def test_what_is_wrong_at_start_is_said_in_one_line(
    world: World, start: Start, change: dict[str, str], words: str
) -> None:
    attester = start(change.get("key", KEY), **{k: v for k, v in change.items() if k == "rpc"})
    attester.process.wait(timeout=30)
    assert attester.process.returncode != 0
    assert attester.said(words)
    assert attester.said("Traceback") is None


def test_a_second_process_on_one_database_is_refused(world: World, start: Start) -> None:
    first = start()
    eventually("the start", lambda: first.said("attester started"))
    second = start()
    second.process.wait(timeout=30)
    assert second.said("ALREADY_RUNNING")
    assert first.process.poll() is None
