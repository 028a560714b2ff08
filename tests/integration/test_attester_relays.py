"""Attesters and relays that lie, forget or keep things to themselves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import relay_world as world

from keeper.attester.case import cases
from keeper.attester.decide import Search
from keeper.attester.inquiry import Inquirer
from keeper.attester.library import Library
from keeper.attester.sources.http import Fetcher
from keeper.protocol.documents import Envelope
from keeper.relay.client import RelayClient
from keeper.relay.server import RelayServer
from keeper.store.engine import Store, open_store


@contextmanager
def strange_relay(answer: Callable[[str], tuple[int, Any]]) -> Iterator[RelayClient]:
    """A server that answers every GET as `answer` says and takes nothing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        with RelayClient(f"http://127.0.0.1:{server.server_address[1]}") as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "attester.db")
    world.fill(opened)
    yield opened
    opened.close()


@pytest.fixture
def relays(tmp_path: Path) -> Iterator[list[RelayClient]]:
    """Two honest relays."""
    stores = [open_store(tmp_path / f"relay{n}.db") for n in range(2)]
    for one in stores:
        world.fill(one)
    with (
        RelayServer(stores[0], "127.0.0.1:0") as first,
        RelayServer(stores[1], "127.0.0.1:0") as second,
        RelayClient(first.url) as near,
        RelayClient(second.url) as far,
    ):
        yield [near, far]
    for one in stores:
        one.close()


def test_a_document_that_hashes_to_something_else_is_never_believed(store: Store) -> None:
    wanted, sent = world.envelope(), world.envelope(b'{"delivered":"something else"}')
    with strange_relay(lambda _: (200, sent.to_json())) as liar:
        found = Library(store, [liar]).find(wanted.hash)
    assert found.envelope is None
    assert found.search == Search(without=1, unreachable=0)
    assert "another document" in found.reason
    assert liar.url in found.reason


def test_a_lying_relay_does_not_hide_what_an_honest_one_has(store: Store, relays: list[RelayClient]) -> None:
    wanted = world.envelope()
    relays[0].put_document(wanted)
    with strange_relay(lambda _: (200, world.envelope(b"{}").to_json())) as liar:
        assert Library(store, [liar, *relays]).find(wanted.hash).envelope == wanted


def test_a_relay_that_does_not_answer_is_not_taken_for_one_without_the_document(
    store: Store, relays: list[RelayClient]
) -> None:
    with strange_relay(lambda _: (500, "broken")) as broken:
        found = Library(store, [relays[0], broken]).find(world.envelope().hash)
    assert found.search == Search(without=1, unreachable=1)


def test_a_document_found_on_one_relay_is_handed_to_the_others_and_kept(
    store: Store, relays: list[RelayClient]
) -> None:
    wanted = world.envelope()
    relays[1].put_document(wanted)
    library = Library(store, relays)
    assert library.find(wanted.hash[:24] + bytes(8)).envelope == wanted
    assert relays[0].get_document(wanted.hash) == wanted
    assert Library(store, []).find(wanted.hash).envelope == wanted


def test_a_false_signature_under_this_key_is_not_taken_for_its_past(store: Store) -> None:
    member = world.MEMBERS[0]
    false = world.message(world.MEMBERS[1]).model_copy(update={"signer": member.address})
    true = world.message(member, payout_bps=0)
    lines = [{"seq": n, "attestation": m.to_json()} for n, m in enumerate((false, true), 1)]
    with store.read() as conn:
        case = cases(conn, world.CHAIN, member.address, "safe")[0]
    with strange_relay(lambda _: (200, {"attestations": lines, "last": 2})) as relay:
        inquirer = Inquirer(member.address, Library(store, [relay]), Fetcher({}), [relay])
        assert inquirer._own(case) == (true,)


def test_without_any_relay_nobody_knows_what_this_key_signed(store: Store) -> None:
    with store.read() as conn:
        case = cases(conn, world.CHAIN, world.MEMBERS[0].address, "safe")[0]
    with strange_relay(lambda _: (500, "broken")) as relay:
        inquirer = Inquirer(world.MEMBERS[0].address, Library(store, [relay]), Fetcher({}), [relay])
        assert inquirer._own(case) is None


def test_the_short_name_of_a_deliverable_finds_it_and_nothing_that_only_looks_like_it(
    relays: list[RelayClient],
) -> None:
    wanted = world.envelope()
    relays[0].put_document(wanted)
    relays[0].put_document(Envelope(bytes(32), "application/json", b"{}"))
    assert relays[0].get_document(wanted.hash[:24] + bytes(8)) == wanted
