"""A client before relays that answer with nonsense, too much, too slowly or not at all."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
import pytest
from relay_world import OTHER, envelope, message

from keeper.errors import MilepostError
from keeper.relay.client import MAX_ANSWER, RelayClient


@contextmanager
def answering(answer: bytes | Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads a little and then says `answer`, whatever was asked; the context gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer) if isinstance(answer, bytes) else answer(connection)
            except OSError:
                return  # the client hung up, as it should, or never came

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread.join(20)


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def unreachable(answer: bytes | Callable[[socket.socket], None], timeout_s: float = 10) -> str:
    with (
        answering(answer) as url,
        RelayClient(url, timeout_s) as client,
        pytest.raises(MilepostError, match=url) as caught,
    ):
        client.attestations()
    assert caught.value.code == "RELAY_UNREACHABLE"
    return caught.value.cause


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "0 bytes|6 bytes"),
        (b"[]", "expected a JSON object"),
        (b"[" * 100_000, "nested|recursion"),
        (b'{"attestations":[]}', "last"),
        (b'{"attestations":{},"last":1}', "attestations"),
        (b'{"attestations":[],"last":1,"more":1}', "more"),
        (b'{"attestations":[{"seq":1,"attestation":{}}],"last":1}', "chainId"),
    ],
)
def test_an_answer_of_the_wrong_form_is_named(body: bytes, words: str) -> None:
    assert re.search(words, unreachable(http(body)))


def test_items_out_of_order_or_from_before_are_not_believed() -> None:
    item = {"seq": 0, "attestation": message().to_json()}
    for numbers in ([2, 1], [1, 1]):
        page = {"attestations": [{**item, "seq": n} for n in numbers], "last": 2}
        assert "numbered upwards" in unreachable(http(orjson.dumps(page)))


def test_an_answer_without_end_is_given_up() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            connection.sendall(bytes(65_536))

    assert str(MAX_ANSWER) in unreachable(endless)


def test_an_answer_that_drips_is_given_up_after_the_timeout() -> None:
    def dripping(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            connection.sendall(b" ")
            threading.Event().wait(0.05)

    begun = time.monotonic()
    assert "within 1 s" in unreachable(dripping, timeout_s=1)
    assert time.monotonic() - begun < 8


def test_an_answer_that_inflates_is_not_inflated() -> None:
    assert "HTTP 200" in unreachable(http(b"\x1f\x8b\x08\x00", "200 OK", "content-encoding: gzip"))


def test_a_redirect_is_not_followed() -> None:
    assert "HTTP 302" in unreachable(http(b"", "302 Found", "location: http://127.0.0.1:1/"))


def test_silence_is_given_up_after_the_timeout() -> None:
    def silent(connection: socket.socket) -> None:
        connection.recv(1)

    assert "no answer within 0.3 s" in unreachable(silent, timeout_s=0.3)


def test_nobody_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with RelayClient(f"http://127.0.0.1:{port}") as client, pytest.raises(MilepostError, match=str(port)) as caught:
        client.health()
    assert caught.value.code == "RELAY_UNREACHABLE"
    assert caught.value.cause == "cannot connect (connection refused)"


def refusal(code: str, **changes: str) -> bytes:
    words = {"code": code, "title": "t", "detail": "d", "retry": "retry", "moved": "none", "fix": "f", **changes}
    return http(orjson.dumps(words), "422 Unprocessable")


def test_a_code_that_no_relay_may_answer_is_not_taken_over() -> None:
    for code in ("OUTCOME_UNKNOWN", "DATABASE_FAILED", "NO_SUCH_CODE"):
        assert code in unreachable(refusal(code))


def test_words_of_a_relay_cannot_write_to_the_terminal() -> None:
    hostile = refusal("NOT_FOUND", title="\x1b[2J\x1b]0;owned\x07\u202e", detail="x" * 100_000)
    with answering(hostile) as url, RelayClient(url) as client, pytest.raises(MilepostError) as caught:
        client.get_document(OTHER)

    assert caught.value.code == "NOT_FOUND"
    assert caught.value.title.isprintable()
    assert caught.value.title.isascii()
    assert len(caught.value.cause) <= 600


@pytest.mark.parametrize("name", [OTHER, OTHER[:24] + bytes(8), bytes(32)], ids=["whole", "short", "zero"])
@pytest.mark.parametrize("body", [envelope().to_json(), {}, {**envelope().to_json(), "bytes": "%"}])
def test_a_document_that_is_not_the_one_asked_for_is_never_returned(body: dict[str, str], name: bytes) -> None:
    with (
        answering(http(orjson.dumps(body))) as url,
        RelayClient(url) as client,
        pytest.raises(MilepostError, match=url) as caught,
    ):
        client.get_document(name)
    assert caught.value.code == "DOCUMENT_INVALID"


@pytest.mark.parametrize(
    "url", ["", "relay", "ftp://h", "http://", "http://u:p@h", "http://h?x=1", "http://h:x", "http://["]
)
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(MilepostError, match="URL of a relay") as caught:
        RelayClient(url)
    assert caught.value.code == "USAGE"
