"""Relays that read each other, over real connections and real databases."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import relay_world as world
from keeper_stage import wait_for
from relay_world import MEMBERS, OTHER, envelope, message
from sqlalchemy import Connection, delete, insert
from structlog.testing import capture_logs

from keeper.daemon.peers import Peers
from keeper.errors import MilepostError
from keeper.protocol.types import ZERO32
from keeper.relay import pull
from keeper.relay.attestations import accept, list_attestations
from keeper.relay.client import RelayClient
from keeper.relay.documents import find, list_documents
from keeper.relay.pull import Progress, Pulled, progress, pull_once
from keeper.relay.server import RelayServer
from keeper.store import schema
from keeper.store.engine import Store, open_store


@dataclass(frozen=True)
class Relay:
    store: Store
    server: RelayServer
    client: RelayClient

    def signers(self) -> list[str]:
        with self.store.read() as conn:
            return [line.message.signer for line in list_attestations(conn, limit=2000)]

    def progress_on(self, other: Relay) -> Progress:
        with self.store.read() as conn:
            return progress(conn, other.client.url)

    def pull(self, other: Relay) -> Pulled:
        return pull_once(self.store, other.client, other.client.url)


@pytest.fixture
def relays(tmp_path: Path) -> Iterator[tuple[Relay, Relay]]:
    with ExitStack() as stack:

        def relay(name: str) -> Relay:
            store = open_store(tmp_path / f"{name}.db")
            stack.callback(store.close)
            server = stack.enter_context(RelayServer(store, "127.0.0.1:0"))
            return Relay(store, server, stack.enter_context(RelayClient(server.url)))

        a, b = relay("a"), relay("b")
        world.fill(a.store)
        yield a, b


def push(relay: Relay, *members: world.Member) -> None:
    for member in members:
        relay.client.push_attestation(message(member))


def forge(relay: Relay, signature: bytes = bytes(64), payout_bps: int = 1) -> None:
    """A line that no relay would take in, written past the checks by the relay's own operator."""
    row = message(payout_bps=payout_bps).model_copy(update={"signature": signature}).model_dump(mode="json")
    row["chain"] = row.pop("chain_id")
    with relay.store.begin() as conn:
        conn.execute(insert(schema.attestation).values(head_time=1, digest=f"0x{payout_bps}", **row))


def test_two_relays_that_pull_from_each_other_hold_the_same(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store)
    push(a, MEMBERS[0], MEMBERS[1])
    push(b, MEMBERS[2])
    a.client.put_document(envelope())

    assert b.pull(a) == Pulled(attestations=2, documents=1, early=0, refused=0)
    assert a.pull(b) == Pulled(attestations=1, documents=0, early=0, refused=0)
    assert b.pull(a) == a.pull(b) == Pulled(0, 0, 0, 0)

    assert set(a.signers()) == set(b.signers()) == set(world.QUORUM.members)
    with b.store.read() as conn:
        assert find(conn, envelope().hash) == envelope()


def test_what_is_ahead_of_the_ledger_is_neither_lost_nor_in_the_way(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store, submitted=False)
    push(a, MEMBERS[0])
    with a.store.begin() as conn:
        accept(conn, message(MEMBERS[1], milestone=1, deliverable=ZERO32))

    assert b.pull(a) == Pulled(attestations=1, documents=0, early=1, refused=0)
    assert b.pull(a) == Pulled(attestations=0, documents=0, early=1, refused=0)
    assert b.signers() == [MEMBERS[1].address]
    assert b.progress_on(a).attestations == 0

    with b.store.begin() as conn:
        world.submit(conn)
    assert b.pull(a) == Pulled(attestations=1, documents=0, early=0, refused=0)
    assert b.progress_on(a) == Progress(attestations=2)


def test_a_peer_that_hangs_delays_neither_the_caller_nor_other_peers(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store)
    push(a, MEMBERS[0])
    with socket.create_server(("127.0.0.1", 0)) as hung:  # takes connections and never says a word
        peers = Peers(b.store, [f"http://127.0.0.1:{hung.getsockname()[1]}", a.client.url])
        peers.pull()
        hung.settimeout(20)
        connection, _ = hung.accept()
        wait_for(lambda: b.signers() == [MEMBERS[0].address])
        assert peers.reading
        connection.close()
        wait_for(lambda: peers.pull() or not peers.reading)


def test_what_stays_early_for_too_long_is_skipped_and_said(
    relays: tuple[Relay, Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = relays
    push(a, MEMBERS[0])
    b.pull(a)
    assert b.progress_on(a).waiting_seq == 1

    monkeypatch.setattr(pull, "PATIENCE_S", -1)
    push(a, MEMBERS[1])
    with capture_logs() as logs:
        assert b.pull(a) == Pulled(0, 0, early=1, refused=1)
    assert [(log["event"], log["seq"], log["code"]) for log in logs] == [
        ("pulled_attestation_skipped", 1, "ATTESTATION_EARLY")
    ]
    assert b.progress_on(a).attestations == 1
    assert b.progress_on(a).waiting_seq == 2


def test_a_lying_relay_cannot_plant_or_block_anything(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store)
    forge(a)
    push(a, MEMBERS[0])
    with a.store.begin() as conn:
        world.lie_about(conn, OTHER)
    a.client.put_document(envelope())

    with capture_logs() as logs:
        assert b.pull(a) == Pulled(attestations=1, documents=1, early=0, refused=2)
    assert [(log["event"], log["code"]) for log in logs if log["log_level"] == "warning"] == [
        ("pulled_attestation_skipped", "ATTESTATION_REFUSED"),
        ("pulled_document_skipped", "DOCUMENT_INVALID"),
    ]
    assert b.signers() == [MEMBERS[0].address]
    with b.store.read() as conn:
        assert [line.hash for line in list_documents(conn)] == [envelope().hash]
    assert b.pull(a) == Pulled(0, 0, 0, 0)


def test_a_relay_without_room_for_documents_goes_on_where_it_stopped(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    for n in range(3):
        a.client.put_document(envelope(b"%d" % n))

    assert pull_once(b.store, a.client, a.client.url, max_total=600).documents == 2
    assert b.progress_on(a).documents == 2
    assert b.pull(a).documents == 1


def test_a_relay_that_is_down_is_named_and_what_came_before_is_kept(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store)
    push(a, MEMBERS[0])
    b.pull(a)
    a.server.stop()

    with pytest.raises(MilepostError, match=a.client.url) as caught:
        b.pull(a)
    assert caught.value.code == "RELAY_UNREACHABLE"
    assert b.signers() == [MEMBERS[0].address]
    assert b.progress_on(a).attestations == 1


def test_a_relay_that_lost_its_list_is_read_from_the_start(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store)
    push(a, MEMBERS[0], MEMBERS[1])
    b.pull(a)
    with a.store.begin() as conn:
        conn.execute(delete(schema.attestation))
    push(a, MEMBERS[2])

    assert b.pull(a).attestations == 1
    assert b.progress_on(a).attestations == 1


def test_a_long_list_is_read_page_by_page(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store)
    for n in range(2, pull.PAGE + 52):
        forge(a, payout_bps=n)
    push(a, MEMBERS[1])

    assert b.pull(a) == Pulled(attestations=1, documents=0, early=0, refused=pull.PAGE + 50)


class FailsAtCommit(Store):
    """The real database on a disk that is full when the transaction ends."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with super().begin() as conn:
            yield conn
            raise sqlite3.OperationalError("database or disk is full")


def test_items_and_progress_commit_together_or_not_at_all(relays: tuple[Relay, Relay]) -> None:
    a, b = relays
    world.fill(b.store)
    push(a, MEMBERS[0])

    with pytest.raises(MilepostError) as caught:
        pull_once(FailsAtCommit(b.store.path), a.client, a.client.url)
    assert caught.value.code == "DATABASE_FAILED"
    assert b.signers() == []
    assert b.progress_on(a) == Progress()
    assert b.pull(a).attestations == 1
