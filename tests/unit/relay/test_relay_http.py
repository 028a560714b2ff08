"""The relay's HTTP face without a socket: statuses, words, bounds, and nothing acknowledged before its commit."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import relay_world as world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relay_world import DELIVERABLE, ID, MEMBERS, OTHER, STRANGER, envelope, message
from sqlalchemy import Connection
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from keeper.errors import REGISTRY
from keeper.relay.app import create_app
from keeper.relay.limits import Limits
from keeper.store.engine import Store

JSON = {"content-type": "application/json"}


@pytest.fixture
def client(store: Store) -> TestClient:
    return TestClient(create_app(store, Limits(documents_bytes=10_000)))


def push(client: TestClient, **changes: Any) -> Any:
    return client.post("/v1/attestations", json={**message().to_json(), **changes})


def put(client: TestClient, name: bytes = envelope().hash, **changes: Any) -> Any:
    return client.put(f"/v1/documents/0x{name.hex()}", json={**envelope().to_json(), **changes})


def check_refusal(response: Any, status: int, code: str) -> dict[str, str]:
    answer: dict[str, str] = response.json()
    assert (response.status_code, answer["code"]) == (status, code)
    assert list(answer) == ["code", "title", "detail", "retry", "moved", "fix"]
    assert (answer["retry"], answer["moved"]) == (REGISTRY[code].retry, "none")
    assert "Traceback" not in response.text
    return answer


def test_an_attestation_is_stored_then_known_then_listed(client: TestClient) -> None:
    assert push(client).json() == {"status": "stored", "seq": 1}
    assert push(client).json() == {"status": "known", "seq": 1}

    item = {"seq": 1, "attestation": message().to_json()}
    assert client.get("/v1/attestations").json() == {"attestations": [item], "last": 1}
    assert client.get("/v1/attestations", params={"after": 1}).json() == {"attestations": [], "last": 1}
    of_other = client.get("/v1/attestations", params={"agreement": "0x" + OTHER.hex()})
    assert of_other.json() == {"attestations": [], "last": 1}


def test_json_names_are_the_public_ones() -> None:
    assert message().to_json() == {
        "chainId": world.CHAIN,
        "verifier": world.VERIFIER.lower(),
        "escrow": world.ESCROW.lower(),
        "agreement": "0x" + ID.hex(),
        "quorum": "0x" + world.QUORUM.hash.hex(),
        "milestone": 0,
        "attempt": 0,
        "deliverable": "0x" + DELIVERABLE.hex(),
        "payoutBps": 10_000,
        "signer": MEMBERS[0].address.lower(),
        "signature": "0x" + message().signature.hex(),
    }


def test_a_document_is_stored_then_known_then_served(client: TestClient) -> None:
    name = "0x" + envelope().hash.hex()

    assert put(client).json() == {"status": "stored", "seq": 1}
    assert put(client).json() == {"status": "known", "seq": 1}
    assert client.get(f"/v1/documents/{name}").json() == envelope().to_json()
    line = {"seq": 1, "hash": name, "size": len(envelope().content)}
    assert client.get("/v1/documents").json() == {"documents": [line], "last": 1}


def test_health_tells_the_head(client: TestClient) -> None:
    answer = client.get("/health").json()

    assert answer["status"] == "ok"
    assert answer["head"]["number"] == 10


def test_health_of_a_relay_that_has_followed_nothing(empty: Store) -> None:
    assert TestClient(create_app(empty)).get("/health").json() == {"status": "ok", "head": None}


def test_extra_routes_are_served_beside(store: Store) -> None:
    status = Route("/status", lambda request: PlainTextResponse("fine"))
    client = TestClient(create_app(store, extra_routes=[status]))

    assert client.get("/status").text == "fine"
    assert client.get("/health").status_code == 200


def test_early_wrong_and_strange_attestations_have_statuses_of_their_own(client: TestClient) -> None:
    def post(what: Any) -> Any:
        return client.post("/v1/attestations", json=what.to_json())

    check_refusal(post(message(attempt=1)), 409, "ATTESTATION_EARLY")
    check_refusal(post(message(deliverable=OTHER)), 422, "ATTESTATION_REFUSED")
    check_refusal(post(message(STRANGER)), 422, "NOT_A_MEMBER")


def test_documents_that_lie_are_absent_or_find_no_room_have_statuses_of_their_own(client: TestClient) -> None:
    check_refusal(put(client, OTHER), 422, "DOCUMENT_INVALID")
    check_refusal(client.get(f"/v1/documents/0x{OTHER.hex()}"), 404, "NOT_FOUND")
    large = envelope(bytes(20_000))
    check_refusal(client.put(f"/v1/documents/0x{large.hash.hex()}", json=large.to_json()), 507, "RELAY_FULL")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agreement": "0x1234"}, "agreement: Value error, expected 0x and 64 hex digits, found 4 digits"),
        ({"signature": "0x" + "11" * 65}, "signature: Value error, expected 0x and 128 hex digits, found 130 digits"),
        ({"verifier": "0x" + "zz" * 20}, "verifier: Value error, expected 0x and 40 hex digits"),
        ({"signer": 5}, "signer: Value error, expected 0x and 40 hex digits, found 5"),
        ({"payoutBps": 10_001}, "payoutBps: "),
        ({"attempt": "0"}, "attempt: "),
        ({"attempt": True}, "attempt: "),
        ({"attempt": None}, "attempt: "),
        ({"milestone": 64}, "milestone: "),
        ({"chainId": 2**63}, "chainId: "),
        ({"payoutBps": 1.0}, "float"),
        ({"chain_id": 1}, "chain_id: "),
        ({"extra\u202e": 1}, "extra?: "),
    ],
)
def test_a_malformed_field_is_named(client: TestClient, changes: dict[str, Any], words: str) -> None:
    assert words in check_refusal(push(client, **changes), 400, "REQUEST_INVALID")["detail"]


def test_all_malformed_fields_are_named_at_once(client: TestClient) -> None:
    detail = check_refusal(push(client, agreement="0x", attempt=-1), 400, "REQUEST_INVALID")["detail"]

    assert "agreement" in detail
    assert "attempt" in detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":1e3}',
        b"[" * 4_000,
        b'{"a":' + b"9" * 4_090 + b"}",
        b'{"\\ud800":"\\udfff"}',
    ],
)
def test_a_body_that_is_no_strict_json_object_is_malformed(client: TestClient, body: bytes) -> None:
    check_refusal(client.post("/v1/attestations", content=body, headers=JSON), 400, "REQUEST_INVALID")


def test_a_key_that_stands_twice_is_named(client: TestClient) -> None:
    body = orjson.dumps(message().to_json())[:-1] + b',"attempt":1}'
    answer = client.post("/v1/attestations", content=body, headers=JSON)

    assert "'attempt'" in check_refusal(answer, 400, "REQUEST_INVALID")["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "after=-1",
        "after=x",
        "after=1&after=2",
        "limit=0",
        "limit=501",
        "after=" + "9" * 30,
        "after=²",
        "page=1",
        "after=",
    ],
)
def test_a_wrong_query_is_refused(client: TestClient, query: str) -> None:
    check_refusal(client.get(f"/v1/attestations?{query}"), 400, "REQUEST_INVALID")
    check_refusal(client.get(f"/v1/documents?{query}"), 400, "REQUEST_INVALID")


def test_unknown_addresses_and_methods_answer_in_the_same_form(client: TestClient) -> None:
    check_refusal(client.get("/v2"), 404, "NOT_FOUND")
    check_refusal(client.delete("/v1/attestations"), 405, "REQUEST_INVALID")
    check_refusal(client.get("/v1/documents/0x12"), 400, "REQUEST_INVALID")
    check_refusal(client.get("/v1/attestations?agreement=0x12"), 400, "REQUEST_INVALID")


def asgi(app: Any, method: str, path: str, headers: dict[str, str], chunks: Iterator[bytes]) -> tuple[int, Any]:
    """One request whose body is taken from `chunks` only as far as the application asks for it."""
    sent: list[Any] = []
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": lines}
    scope |= {"query_string": b"", "root_path": "", "http_version": "1.1"}

    async def receive() -> Any:
        chunk = next(chunks, None)
        return (
            {"type": "http.disconnect"} if chunk is None else {"type": "http.request", "body": chunk, "more_body": True}
        )

    async def send(event: Any) -> None:
        sent.append(event)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], orjson.loads(sent[1]["body"])


def test_an_announced_body_above_the_limit_is_refused_unread(store: Store) -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    status, answer = asgi(create_app(store), "POST", "/v1/attestations", {"content-length": "5000"}, never())
    assert (status, answer["code"]) == (413, "TOO_LARGE")


def test_an_endless_body_is_given_up_at_the_limit(store: Store) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield bytes(1000)

    status, answer = asgi(create_app(store), "PUT", f"/v1/documents/0x{OTHER.hex()}", {}, endless())
    assert (status, answer["code"]) == (413, "TOO_LARGE")
    assert read <= Limits().document_body + 1000


def test_a_body_that_breaks_off_stores_nothing(store: Store) -> None:
    whole = orjson.dumps(message().to_json())

    status, answer = asgi(create_app(store), "POST", "/v1/attestations", {}, iter([whole]))
    assert (status, answer["code"]) == (400, "REQUEST_INVALID")
    assert TestClient(create_app(store)).get("/v1/attestations").json()["last"] == 0


def test_a_document_of_the_largest_size_passes_the_limit_on_bodies(store: Store) -> None:
    largest = envelope(bytes(64 * 1024))

    answer = TestClient(create_app(store)).put(f"/v1/documents/0x{largest.hash.hex()}", json=largest.to_json())
    assert answer.json() == {"status": "stored", "seq": 1}


class FailsAtCommit(Store):
    """The real database on a disk that is full when the transaction ends."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with super().begin() as conn:
            yield conn
            raise sqlite3.OperationalError("database or disk is full")


def test_a_commit_that_fails_acknowledges_nothing(store: Store) -> None:
    failing = TestClient(create_app(FailsAtCommit(store.path)))

    for answer in (push(failing), put(failing)):
        refusal = check_refusal(answer, 503, "DATABASE_FAILED")
        assert refusal["title"] == "The relay cannot do this now"
        assert str(store.path) not in answer.text
    after = TestClient(create_app(store))
    assert after.get("/v1/attestations").json()["last"] == 0
    assert after.get("/v1/documents").json()["last"] == 0


def test_the_same_attestation_from_many_at_once_is_stored_once(client: TestClient) -> None:
    answers: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: answers.append(push(client).json())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(answer["status"] for answer in answers) == ["known"] * 7 + ["stored"]


text = st.text(max_size=8) | st.text(st.characters(categories=["Cs"]), min_size=1, max_size=2)
hexes = st.integers(0, 66).map(lambda n: "0x" + "ab" * n)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | text | hexes
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(text, v, max_size=3), max_leaves=6)
FIELDS = [*message().to_json(), *envelope().to_json()]
mutations = st.dictionaries(st.sampled_from(FIELDS) | text, values, max_size=4)
PATHS = ["/v1/attestations", "/v1/documents", f"/v1/documents/0x{OTHER.hex()}", "/health", "/v1/documents/0x"]
NAMES = ["after", "limit", "agreement", "other"]
fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def never_a_fault(answer: Any) -> None:
    assert answer.status_code < 500 or answer.status_code == 507, answer.text
    if answer.status_code >= 400:
        check_refusal(answer, answer.status_code, answer.json()["code"])


@fuzz
@given(changes=mutations, whole=st.sampled_from([message().to_json(), envelope().to_json(), {}]))
def test_no_json_makes_the_relay_fail(client: TestClient, changes: dict[str, Any], whole: dict[str, Any]) -> None:
    body = json.dumps({**whole, **changes}).encode()

    never_a_fault(client.post("/v1/attestations", content=body, headers=JSON))
    never_a_fault(client.put(f"/v1/documents/0x{OTHER.hex()}", content=body, headers=JSON))


@fuzz
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "OPTIONS"]),
    path=st.sampled_from(PATHS)
    | st.text(max_size=12).map(lambda t: "/v1/documents/" + quote(t, safe="/", errors="replace")),
    query=st.dictionaries(st.sampled_from(NAMES), st.integers() | st.text(max_size=6), max_size=2),
    body=st.binary(max_size=64),
)
def test_no_request_makes_the_relay_fail(
    client: TestClient, method: str, path: str, query: dict[str, Any], body: bytes
) -> None:
    never_a_fault(client.request(method, path, params=query, content=body, follow_redirects=False))


@fuzz
@given(signature=st.binary(min_size=64, max_size=64), bps=st.integers(0, 10_000))
def test_no_signature_makes_the_relay_fail(client: TestClient, signature: bytes, bps: int) -> None:
    answer = push(client, signature="0x" + signature.hex(), payoutBps=bps)

    assert (answer.status_code, answer.json()["code"]) == (422, "ATTESTATION_REFUSED")
