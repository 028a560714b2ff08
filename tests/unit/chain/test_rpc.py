"""Rpc: which faults make it ask another endpoint, and which are answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
import pytest

from keeper.chain import endpoint
from keeper.chain.rpc import BATCH, BrokenAnswer, Rpc, RpcFault
from keeper.errors import MilepostError

Answer = Callable[[Any], httpx.Response]
A, B = "http://user:hunter2@a:1/apikey", "http://b:2"


def ok(result: Any) -> Answer:
    def answer(request: Any) -> httpx.Response:
        if isinstance(request, list):
            return httpx.Response(200, json=[{"jsonrpc": "2.0", "id": r["id"], "result": result} for r in request])
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": request["id"], "result": result})

    return answer


def error(code: int, message: str, data: Any = None, status: int = 200) -> Answer:
    return lambda request: httpx.Response(
        status,
        json={"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message, "data": data}},
    )


def raw(status: int, content: bytes) -> Answer:
    return lambda request: httpx.Response(status, content=content)


def raising(fault: Exception) -> Answer:
    def answer(request: Any) -> httpx.Response:
        raise fault

    return answer


class Net:
    """Two endpoints, each with the answer it gives now, and who was asked."""

    def __init__(self, a: Answer, b: Answer) -> None:
        self.answers = {"a": a, "b": b}
        self.asked: list[str] = []

    def rpc(self) -> Rpc:
        return Rpc([A, B], 1, httpx.Client(transport=httpx.MockTransport(self._handle)))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        return self.answers[request.url.host](orjson.loads(request.content))


BAD_ENDPOINTS = {
    "refused": raising(httpx.ConnectError("[Errno 111] Connection refused")),
    "timeout": raising(httpx.ReadTimeout("")),
    "broken off": raising(httpx.RemoteProtocolError("")),
    "too many requests": raw(429, b'{"jsonrpc":"2.0","error":{"code":-32005,"message":"slow down"}}'),
    "server error": raw(503, b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'),
    "forbidden": raw(403, b"<html>"),
    "forbidden with json": raw(401, b'{"message":"no"}'),
    "redirect": raw(302, b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'),
    "no json": raw(200, b"<html>"),
    "no object": raw(200, b'"hello"'),
    "other id": raw(200, b'{"jsonrpc":"2.0","id":999999,"result":"0x1"}'),
    "error of another call": raw(200, b'{"id":999999,"error":{"code":3,"message":"execution reverted"}}'),
    "neither result nor error": lambda request: httpx.Response(200, json={"jsonrpc": "2.0", "id": request["id"]}),
    "error without message": lambda request: httpx.Response(200, json={"id": request["id"], "error": {"code": 1}}),
    "error as text": lambda request: httpx.Response(200, json={"id": request["id"], "error": "no"}),
}


@pytest.mark.parametrize("fault", BAD_ENDPOINTS.values(), ids=BAD_ENDPOINTS.keys())
def test_a_fault_of_an_endpoint_makes_it_ask_the_next(fault: Answer) -> None:
    net = Net(fault, ok("0x1"))

    assert net.rpc().call("eth_chainId") == "0x1"
    assert net.asked == ["a", "b"]


def test_the_endpoint_that_answered_last_is_asked_first() -> None:
    net = Net(raw(500, b""), ok("0x1"))
    rpc = net.rpc()
    rpc.call("eth_chainId")
    net.answers["a"] = ok("0x2")

    assert rpc.call("eth_chainId") == "0x1"
    assert net.asked == ["a", "b", "b"]

    net.answers["b"] = raw(500, b"")
    assert rpc.call("eth_chainId") == "0x2"


@pytest.mark.parametrize("status", [200, 400])
def test_a_json_rpc_error_is_an_answer_and_marks_nothing(status: int) -> None:
    net = Net(error(-32000, "nonce too low", {"x": 1}, status), ok("0x1"))
    rpc = net.rpc()

    for _ in range(2):
        with pytest.raises(RpcFault) as caught:
            rpc.call("eth_sendRawTransaction", "0x")
        assert (caught.value.code, caught.value.message, caught.value.data) == (-32000, "nonce too low", {"x": 1})
    assert net.asked == ["a", "a"]


def test_when_none_answers_each_endpoint_is_named_with_its_reason_and_no_secret() -> None:
    net = Net(raising(httpx.ConnectError("Connection refused")), raw(502, b""))

    with pytest.raises(MilepostError) as caught:
        net.rpc().call("eth_chainId")

    assert caught.value.code == "RPC_UNREACHABLE"
    assert caught.value.cause == "a:1: cannot connect (connection refused); b:2: HTTP 502"
    assert "hunter2" not in str(caught.value)
    assert "apikey" not in str(caught.value)


def test_repr_names_hosts_only() -> None:
    assert repr(Net(ok(1), ok(1)).rpc()) == "Rpc(a:1, b:2)"


@pytest.mark.parametrize("url", ["a:1", "ws://a", "http://", "http://[::1"])
def test_an_unusable_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Rpc([url])


def test_an_answer_that_the_parser_refuses_is_the_endpoints_fault() -> None:
    def parse(result: Any) -> int:
        if result is None:
            raise BrokenAnswer("expected a number, found none")
        return int(result, 16)

    net = Net(ok(None), ok("0x10"))

    assert net.rpc().read(parse, "eth_blockNumber") == 16
    net.answers["b"] = ok(None)
    with pytest.raises(MilepostError, match="a:1: expected a number, found none; b:2: expected a number"):
        net.rpc().read(parse, "eth_blockNumber")


def test_an_answer_too_large_is_about_the_request() -> None:
    net = Net(raw(413, b""), ok("0x1"))

    with pytest.raises(RpcFault, match="too large"):
        net.rpc().call("eth_getLogs", {})


def test_a_request_that_the_node_cannot_read_is_answered_without_an_id() -> None:
    net = Net(raw(200, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}'), ok("0x1"))

    with pytest.raises(RpcFault, match="parse error"):
        net.rpc().call("eth_chainId")


def test_an_answer_beyond_the_limit_is_about_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "MAX_ANSWER", 10)

    with pytest.raises(RpcFault, match="response size exceeds 10 bytes"):
        Net(ok("0x" + "00" * 32), ok("0x1")).rpc().call("eth_call")


def test_an_answer_that_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr(endpoint.time, "monotonic", lambda: next(clock))  # each look at the clock is a second later

    def trickle() -> Iterator[bytes]:
        while True:
            yield b" "

    slow: Answer = lambda request: httpx.Response(200, content=trickle())  # noqa: E731

    with pytest.raises(MilepostError, match="the answer was not complete within 1 s"):
        Net(slow, slow).rpc().call("eth_chainId")


def test_batch_answers_are_matched_by_id_in_any_order() -> None:
    def backwards(requests: Any) -> httpx.Response:
        answers: list[Any] = [{"jsonrpc": "2.0", "id": r["id"], "result": r["params"][0]} for r in reversed(requests)]
        answers[0] = {"jsonrpc": "2.0", "id": answers[0]["id"], "error": {"code": 3, "message": "no", "data": "0x"}}
        return httpx.Response(200, json=answers)

    results = Net(backwards, ok(0)).rpc().batch([("m", [1]), ("m", [2]), ("m", [3])])

    assert results[:2] == [1, 2]
    assert isinstance(results[2], RpcFault)
    assert results[2].code == 3


def test_a_long_batch_goes_in_several_requests_and_stays_in_order() -> None:
    def echo(requests: Any) -> httpx.Response:
        assert len(requests) <= BATCH
        return httpx.Response(200, json=[{"id": r["id"], "result": r["params"][0]} for r in requests])

    net = Net(echo, ok(0))

    assert net.rpc().batch([("m", [i]) for i in range(2 * BATCH + 1)]) == list(range(2 * BATCH + 1))
    assert len(net.asked) == 3
    assert net.rpc().batch([]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda rs: [],
        lambda rs: [{"id": rs[0]["id"], "result": 1}],
        lambda rs: [{"id": rs[0]["id"], "result": 1}] * 2,
        lambda rs: [{"id": rs[0]["id"], "result": 1}, {"id": 0, "result": 1}],
        lambda rs: [{"id": rs[0]["id"], "result": 1}, {"id": rs[1]["id"]}],
        lambda rs: [{"id": i, "result": 1} for i in (rs[0]["id"], rs[1]["id"], 0)],
        lambda rs: ["x", "y"],
        lambda rs: {"result": 1},
    ],
)
def test_a_batch_that_lacks_an_answer_is_the_endpoints_fault(wrong: Callable[[Any], Any]) -> None:
    net = Net(lambda request: httpx.Response(200, json=wrong(request)), ok(7))

    assert net.rpc().batch([("m", []), ("m", [])]) == [7, 7]


def test_a_batch_refused_as_a_whole_is_an_answer() -> None:
    refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}}
    net = Net(lambda request: httpx.Response(200, json=refusal), ok(7))

    with pytest.raises(RpcFault, match="batch too large"):
        net.rpc().batch([("m", [])])


def test_broadcast_reaches_every_endpoint_and_never_raises() -> None:
    net = Net(error(-32000, "already known"), raising(httpx.ConnectTimeout("")))

    first, second = net.rpc().broadcast("0x02")

    assert (first.url, first.ok, first.known, first.code) == ("a:1", True, True, -32000)
    assert (second.url, second.ok, second.known, second.code) == ("b:2", False, False, None)
    assert "no answer within 1 s" in second.message


@pytest.mark.parametrize(
    ("message", "known"),
    [
        ("transaction already imported", True),
        ("AlreadyKnown", True),
        ("known transaction: 0x12", True),
        ("nonce too low", False),
        ("replacement transaction underpriced", False),
        ("unknown transaction type", False),
    ],
)
def test_broadcast_tells_what_a_node_holds_from_what_it_refuses(message: str, known: bool) -> None:
    answer = Net(error(-32000, message), ok("0x")).rpc().broadcast("0x02")[0]

    assert (answer.ok, answer.known, answer.message) == (known, known, message)


def test_a_guard_runs_before_first_use_and_again_after_a_failure() -> None:
    checked: list[str] = []
    net = Net(ok("0x1"), ok("0x2"))
    rpc = net.rpc()
    rpc.guard(lambda endpoint: checked.extend(endpoint.endpoints))

    rpc.call("eth_chainId")
    rpc.call("eth_chainId")
    assert checked == ["a:1"]

    net.answers["a"] = raw(500, b"")
    rpc.call("eth_chainId")
    net.answers["a"], net.answers["b"] = ok("0x1"), raw(500, b"")
    rpc.call("eth_chainId")
    assert checked == ["a:1", "b:2", "a:1"]


def test_a_guards_refusal_is_told_to_the_caller() -> None:
    def refuse(endpoint: Rpc) -> None:
        raise MilepostError("WRONG_CHAIN", "another chain")

    rpc = Net(ok("0x1"), ok("0x2")).rpc()
    rpc.guard(refuse)

    with pytest.raises(MilepostError, match="WRONG_CHAIN"):
        rpc.call("eth_chainId")
    assert [answer.ok for answer in rpc.broadcast("0x")] == [False, False]


def test_a_guard_that_cannot_reach_its_endpoint_makes_it_ask_the_next() -> None:
    net = Net(raw(500, b""), ok("0x2"))
    rpc = net.rpc()
    rpc.guard(lambda endpoint: endpoint.call("eth_chainId"))

    assert rpc.call("eth_chainId") == "0x2"
