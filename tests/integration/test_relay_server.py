"""The relay as it runs: a real server over a real database, stopped, crowded out and killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import relay_world as world
from relay_world import ID, MEMBERS, OTHER, STRANGER, envelope, message
from starlette.responses import JSONResponse
from starlette.routing import Route

from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope
from keeper.relay.attestations import list_attestations
from keeper.relay.client import RelayClient, find_document
from keeper.relay.documents import find
from keeper.relay.limits import Limits
from keeper.relay.server import RelayServer
from keeper.store.engine import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "m.db")
    world.fill(store)
    yield store
    store.close()


@pytest.fixture
def server(store: Store) -> Iterator[RelayServer]:
    with RelayServer(store, "127.0.0.1:0") as running:
        yield running


@pytest.fixture
def client(server: RelayServer) -> Iterator[RelayClient]:
    with RelayClient(server.url) as client:
        yield client


def code_of(error: pytest.ExceptionInfo[MilepostError]) -> str:
    return error.value.code


def test_what_is_pushed_can_be_read(client: RelayClient) -> None:
    assert client.push_attestation(message()).status == "stored"
    assert client.push_attestation(message()).status == "known"
    assert client.put_document(envelope()).status == "stored"

    assert [item.attestation for item in client.attestations().attestations] == [message()]
    assert client.attestations(agreement=ID).last == 1
    assert client.attestations(after=1).attestations == []
    assert client.get_document(envelope().hash) == envelope()
    assert client.get_document(envelope().hash[:24] + bytes(8)) == envelope()
    assert [item.hash for item in client.documents().documents] == [envelope().hash]
    assert client.health()["status"] == "ok"


def test_refusals_arrive_under_their_own_code_with_the_relay_named(client: RelayClient) -> None:
    for what, code in (
        (message(attempt=1), "ATTESTATION_EARLY"),
        (message(deliverable=OTHER), "ATTESTATION_REFUSED"),
        (message(STRANGER), "NOT_A_MEMBER"),
    ):
        with pytest.raises(MilepostError, match=client.url) as caught:
            client.push_attestation(what)
        assert code_of(caught) == code
    with pytest.raises(MilepostError) as caught:
        client.put_document(envelope(bytes(64 * 1024 + 1)))
    assert code_of(caught) == "TOO_LARGE"
    with pytest.raises(MilepostError) as caught:
        client.get_document(OTHER)
    assert code_of(caught) == "NOT_FOUND"


def test_extra_routes_are_served_on_the_same_port(store: Store) -> None:
    status = Route("/status", lambda request: JSONResponse({"role": "keeper"}))
    with RelayServer(store, "127.0.0.1:0", [status]) as server:
        assert _raw(server.port, b"GET /status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").endswith(
            b'{"role":"keeper"}'
        )


def test_a_busy_port_is_named(server: RelayServer, store: Store) -> None:
    with pytest.raises(MilepostError, match=f"127.0.0.1:{server.port}") as caught:
        RelayServer(store, f"127.0.0.1:{server.port}").start()
    assert code_of(caught) == "PORT_TAKEN"


@pytest.mark.parametrize("listen", ["", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "127.0.0.1:-1", "h:1:x"])
def test_an_address_that_is_none_is_refused_before_anything_is_bound(store: Store, listen: str) -> None:
    with pytest.raises(MilepostError, match="host:port") as caught:
        RelayServer(store, listen)
    assert code_of(caught) == "USAGE"


def test_an_address_of_another_machine_is_refused(store: Store) -> None:
    with pytest.raises(MilepostError, match=r"192\.0\.2\.1:0") as caught:
        RelayServer(store, "192.0.2.1:0").start()
    assert code_of(caught) == "USAGE"
    assert "an address of this machine" in caught.value.hint


def test_stop_returns_soon_although_somebody_holds_a_request_open(store: Store) -> None:
    server = RelayServer(store, "127.0.0.1:0")
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
        slow.sendall(b"POST /v1/attestations HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        begun = time.monotonic()
        server.stop()
        server.stop()
        assert time.monotonic() - begun < 5
    with pytest.raises(MilepostError) as caught, RelayClient(server.url) as client:
        client.health()
    assert code_of(caught) == "RELAY_UNREACHABLE"


def test_the_port_is_free_again_after_stop(store: Store) -> None:
    with RelayServer(store, "127.0.0.1:0") as first:
        port = first.port
    with RelayServer(store, f"127.0.0.1:{port}") as second:
        assert second.port == port


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"POST /v1/attestations HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/attestations HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_nonsense_on_the_wire_is_answered_and_the_relay_goes_on(
    server: RelayServer, client: RelayClient, request_bytes: bytes
) -> None:
    assert b" 400 " in _raw(server.port, request_bytes).split(b"\r\n")[0]
    assert client.health()["status"] == "ok"


def test_a_search_goes_past_relays_that_are_down_lack_the_document_or_lie(
    tmp_path: Path, server: RelayServer, client: RelayClient
) -> None:
    client.put_document(envelope())
    lying, empty = open_store(tmp_path / "lying.db"), open_store(tmp_path / "empty.db")
    with lying.begin() as conn:
        world.lie_about(conn, envelope().hash)
    with RelayServer(empty, "127.0.0.1:0") as gone:
        down = RelayClient(gone.url, timeout_s=2)
    with RelayServer(lying, "127.0.0.1:0") as liar, RelayServer(empty, "127.0.0.1:0") as poor:
        relays = [down, RelayClient(liar.url), RelayClient(poor.url)]
        found = find_document([*relays, client], envelope().hash)
        nothing = find_document(relays, envelope().hash)

    assert (found.envelope, found.relay) == (envelope(), server.url)
    assert found.missing == nothing.missing == (poor.url,)
    assert [(url, e.code) for url, e in found.failed] == [
        (gone_url := down.url, "RELAY_UNREACHABLE"),
        (liar.url, "DOCUMENT_INVALID"),
    ]
    assert gone_url in str(found.failed[0][1])
    assert liar.url in str(found.failed[1][1])
    assert nothing.envelope is None


SERVE = """
import sys
from keeper.relay.server import RelayServer
from keeper.store.engine import open_store
server = RelayServer(open_store(sys.argv[1]), "127.0.0.1:0")
server.start()
print(server.url, flush=True)
sys.stdin.read()
"""


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "killed.db"
    store = open_store(path)
    world.fill(store)
    store.close()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = next(line for line in process.stdout if line.startswith("http")).strip()
        acknowledged = _push_until_killed(url, process.pid)
    finally:
        process.kill()
        process.communicate()

    after = open_store(path)
    with after.read() as conn:
        assert all(find(conn, document.hash) == document for document in acknowledged)
        assert [line.message for line in list_attestations(conn)] == [message()]
    after.close()


def _push_until_killed(url: str, pid: int) -> list[Envelope]:
    """Four clients push at once; the server is killed with SIGKILL in the middle of it."""
    acknowledged: list[Envelope] = []
    enough = threading.Event()

    def push(lane: int) -> None:
        with RelayClient(url, timeout_s=10) as client:
            for n in range(10_000):
                document = envelope(b"%d %d" % (lane, n) + bytes(10_000))
                try:
                    client.put_document(document)
                except MilepostError:
                    return
                acknowledged.append(document)
                if len(acknowledged) >= 25:
                    enough.set()

    with RelayClient(url) as client:
        client.push_attestation(message())
    lanes = [threading.Thread(target=push, args=(lane,)) for lane in range(4)]
    for lane in lanes:
        lane.start()
    assert enough.wait(60)
    os.kill(pid, signal.SIGKILL)
    for lane in lanes:
        lane.join(30)
    return list(acknowledged)


def test_members_push_at_once_and_all_are_kept(client: RelayClient, server: RelayServer, store: Store) -> None:
    def push(member: world.Member) -> None:
        with RelayClient(server.url) as own:
            own.push_attestation(message(member))

    threads = [threading.Thread(target=push, args=(member,)) for member in MEMBERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert {item.attestation.signer for item in client.attestations().attestations} == set(world.QUORUM.members)


HEALTH = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize("said", [b"", HEALTH[:20], HEALTH + HEALTH[:20]])
def test_connections_that_never_finish_a_request_do_not_shut_others_out(store: Store, said: bytes) -> None:
    with RelayServer(store, "127.0.0.1:0", limits=Limits(head_s=0.2, connections=4)) as server:
        idle = [socket.create_connection(("127.0.0.1", server.port), timeout=4) for _ in range(4)]
        for connection in idle:
            connection.sendall(said)
        for connection in idle:
            while connection.recv(65_536):
                """Read on until the relay closes it; a connection that stays open ends in a time-out."""
            connection.close()

        assert RelayClient(server.url).health()["status"] == "ok"


def test_half_a_head_behind_a_whole_request_is_waited_for_no_longer_than_any(store: Store) -> None:
    with (
        RelayServer(store, "127.0.0.1:0", limits=Limits(head_s=0.2)) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=4) as connection,
    ):
        connection.sendall(HEALTH + HEALTH[:20])
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk

    assert answer.startswith(b"HTTP/1.1 200")


def _raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
            if b"\r\n\r\n" in answer and b"connection: close" not in request:
                break
        return answer
