"""JSON-RPC over HTTP with failover between endpoints (docs/keeper.md section 4).

Only what speaks about an endpoint (no connection, HTTP 429 or 5xx, an answer that is not well formed) makes the next
one be asked. A JSON-RPC error is an answer about the request: it is raised as `RpcFault` and marks nothing.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import httpx
import orjson

from keeper.chain.endpoint import Endpoint, EndpointFault, RpcFault
from keeper.errors import MilepostError

__all__ = ["BroadcastAnswer", "BrokenAnswer", "Call", "Rpc", "RpcFault"]

T = TypeVar("T")

BATCH = 100
"""Calls in one HTTP request: most providers take as many."""

_KNOWN = re.compile("already ?known|already imported|^known transaction|same hash", re.IGNORECASE)
"""What nodes say to a transaction that they hold already: for the sender that is success (docs/keeper.md section 5)."""

_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class BrokenAnswer(ValueError):  # noqa: N818 - what is at fault is the name
    """Raised by a parser: the result lacks what its method promises, so the endpoint is at fault."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call of a batch, and how its result is read."""

    parse: Callable[[Any], T]
    method: str
    params: Sequence[Any]


@dataclass(frozen=True, slots=True)
class BroadcastAnswer:
    """What one endpoint said to a raw transaction. `ok` includes `known`: the node holds it."""

    url: str
    """Host and port of the endpoint; never the whole URL."""
    ok: bool
    known: bool
    message: str
    code: int | None
    """The JSON-RPC error code; None when the endpoint accepted, or gave no answer at all."""


class Rpc:
    """Several endpoints of one chain, asked in turn, beginning with the one that answered last. Thread-safe."""

    def __init__(self, urls: Sequence[str], timeout_s: float = 10, client: httpx.Client | None = None) -> None:
        """`urls` are http(s); `timeout_s` bounds each call to each endpoint. ValueError when a URL is unusable."""
        if not urls:
            raise ValueError("expected at least one endpoint")
        # httpx writes whole URLs, API keys included, to its log at INFO.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._endpoints = tuple(Endpoint.of(url) for url in urls)
        self._timeout_s = timeout_s
        # A proxy of the environment is for the world outside: a node on this machine is asked directly.
        self._client = client or httpx.Client(follow_redirects=False, mounts=dict.fromkeys(_LOOPBACK))
        self._ids = itertools.count(1)
        self._good = 0
        self._check: Callable[[Rpc], None] | None = None
        self._checked: set[Endpoint] = set()

    def __repr__(self) -> str:
        return f"Rpc({', '.join(self.endpoints)})"

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Host and port of each endpoint, in the order of the settings."""
        return tuple(endpoint.name for endpoint in self._endpoints)

    def close(self) -> None:
        """Close the connections; the object cannot be used afterwards."""
        self._client.close()

    def guard(self, check: Callable[[Rpc], None]) -> None:
        """Have `check` pass on each endpoint before its first use and again after each failure of it.

        `check` receives an Rpc of that endpoint alone; the MilepostError that it raises goes to whoever called.
        """
        self._check = check
        self._checked = set()

    def check_all(self) -> None:
        """Put every endpoint to the guard's check now; RPC_UNREACHABLE when none answers."""
        faults = []
        for endpoint in self._endpoints:
            try:
                self._vouch(endpoint)
            except EndpointFault as error:
                faults.append(f"{endpoint.name}: {error}")
        if len(faults) == len(self._endpoints):
            raise MilepostError("RPC_UNREACHABLE", "No endpoint answered", cause="; ".join(faults))

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call; RpcFault when the node answers with an error, RPC_UNREACHABLE when none answers."""
        return self.read(_as_is, method, *params)

    def read(self, parse: Callable[[Any], T], method: str, *params: Any) -> T:
        """As `call`, with the result parsed; when `parse` raises BrokenAnswer the next endpoint is asked."""

        def ask(endpoint: Endpoint) -> T:
            request = self._request(method, params)
            answer = _body(endpoint.post(self._client, orjson.dumps(request), self._timeout_s), request["id"])
            if isinstance(answer, RpcFault):
                raise answer
            return parse(answer)

        return self._any(ask, method)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The result, or RpcFault, of each (method, params), in order; at most `BATCH` calls go in one request.

        RpcFault is raised when a node refuses the batch as a whole, RPC_UNREACHABLE when none answers.
        """
        return self.read_batch([Call(_as_is, method, params) for method, params in calls])

    def read_batch(self, calls: Sequence[Call[T]]) -> list[T | RpcFault]:
        """As `batch`, with each result parsed; when a parser raises BrokenAnswer the next endpoint is asked."""
        results: list[T | RpcFault] = []
        for start in range(0, len(calls), BATCH):
            chunk = calls[start : start + BATCH]
            results += self._any(partial(self._ask_batch, chunk), chunk[0].method)
        return results

    def broadcast(self, raw_hex: str) -> list[BroadcastAnswer]:
        """Send a signed transaction to every endpoint; one answer each, in the order of the settings. Never raises."""
        return [self._broadcast(endpoint, raw_hex) for endpoint in self._endpoints]

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _ask_batch(self, calls: Sequence[Call[T]], endpoint: Endpoint) -> list[T | RpcFault]:
        requests = [self._request(call.method, call.params) for call in calls]
        answers = endpoint.post(self._client, orjson.dumps(requests), self._timeout_s)
        if isinstance(answers, dict) and answers.get("error"):
            raise _fault(answers["error"])
        if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
            raise BrokenAnswer("expected a list of answers to a batch")
        by_id = {answer["id"]: answer for answer in answers if isinstance(answer.get("id"), int)}
        if len(by_id) != len(requests) or len(answers) != len(requests):
            raise BrokenAnswer(f"expected {len(requests)} answers to a batch, each with its id, found {len(by_id)}")
        bodies = [_body(by_id.get(request["id"]), request["id"]) for request in requests]
        pairs = zip(bodies, calls, strict=True)
        return [body if isinstance(body, RpcFault) else call.parse(body) for body, call in pairs]

    def _any(self, ask: Callable[[Endpoint], T], what: str) -> T:
        faults: list[str] = []
        for step in range(len(self._endpoints)):
            position = (self._good + step) % len(self._endpoints)
            endpoint = self._endpoints[position]
            try:
                self._vouch(endpoint)
                result = ask(endpoint)
            except (EndpointFault, BrokenAnswer) as error:
                self._checked.discard(endpoint)
                faults.append(f"{endpoint.name}: {error}")
                continue
            except RpcFault:
                self._good = position
                raise
            self._good = position
            return result
        raise MilepostError("RPC_UNREACHABLE", f"No endpoint answered {what}", cause="; ".join(faults))

    def _vouch(self, endpoint: Endpoint) -> None:
        if self._check is None or endpoint in self._checked:
            return
        alone = Rpc([endpoint.url], self._timeout_s, self._client)
        try:
            self._check(alone)
        except MilepostError as error:
            if error.code != "RPC_UNREACHABLE":
                raise
            raise EndpointFault(error.cause.removeprefix(f"{endpoint.name}: ")) from error
        self._checked.add(endpoint)

    def _broadcast(self, endpoint: Endpoint, raw_hex: str) -> BroadcastAnswer:
        request = self._request("eth_sendRawTransaction", [raw_hex])
        try:
            self._vouch(endpoint)
            answer = _body(endpoint.post(self._client, orjson.dumps(request), self._timeout_s), request["id"])
        except (EndpointFault, BrokenAnswer, MilepostError, RpcFault) as error:
            self._checked.discard(endpoint)
            return BroadcastAnswer(endpoint.name, ok=False, known=False, message=str(error), code=None)
        if not isinstance(answer, RpcFault):
            return BroadcastAnswer(endpoint.name, ok=True, known=False, message="accepted", code=None)
        known = bool(_KNOWN.search(answer.message))
        return BroadcastAnswer(endpoint.name, ok=known, known=known, message=answer.message, code=answer.code)


def _as_is(result: Any) -> Any:
    return result


def _body(answer: Any, request_id: int) -> Any:
    """The result, or the RpcFault, in one JSON-RPC answer; BrokenAnswer when it is neither or another call's."""
    if not isinstance(answer, dict):
        raise BrokenAnswer("expected a JSON-RPC object")
    unread = answer.get("id") is None and answer.get("error") is not None  # the node could not even read the id
    if answer.get("id") != request_id and not unread:
        raise BrokenAnswer("the answer has another id than the request")
    if answer.get("error") is not None:
        return _fault(answer["error"])
    if "result" not in answer:
        raise BrokenAnswer("the answer has neither result nor error")
    return answer["result"]


def _fault(error: Any) -> RpcFault:
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        raise BrokenAnswer("the error has no message")
    code = error.get("code")
    return RpcFault(code if isinstance(code, int) else 0, error["message"], error.get("data"))
