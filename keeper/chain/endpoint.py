"""One JSON-RPC endpoint: send a body, get JSON back or learn why not.

Nothing here ever shows a whole URL: paths and user parts carry API keys. An endpoint is named by host and port.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes after decompression; an endpoint that sends more is asked for less, not believed."""

_LIMIT_EXCEEDED = -32005
"""EIP-1474: the request is larger than the node serves."""


class EndpointFault(Exception):  # noqa: N818 - what is at fault is the name
    """This endpoint gave no usable answer; another one may. The text says why, without any URL."""


class RpcFault(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A JSON-RPC error: an answer of the node about the request, so the endpoint stays trusted.

    `data` is whatever the node attached; for a revert `revert_data` finds the bytes in it.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a node listens. `name` (host:port) is safe to print, `url` is not."""

    url: str = field(repr=False)
    name: str

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """An endpoint from a URL; ValueError when it is not http(s) with a host."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            # Without a cause: httpx repeats parts of the URL in its words.
            raise ValueError("expected a URL like http://127.0.0.1:8545") from None
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise ValueError(f"expected an http or https URL, found scheme {parsed.scheme or 'none'!r}")
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
        return cls(url, f"{host}:{port}")

    def post(self, client: httpx.Client, body: bytes, timeout_s: float) -> Any:
        """POST `body` and parse the JSON answer within `timeout_s` seconds altogether.

        EndpointFault on transport errors, HTTP errors and what is no JSON; RpcFault when the node says that the request
        is too large for it (HTTP 413, or an answer beyond MAX_ANSWER), because another range may pass.
        """
        try:
            status, content = self._exchange(client, body, time.monotonic() + timeout_s, timeout_s)
        except httpx.TimeoutException as error:
            raise EndpointFault(f"no answer within {timeout_s:g} s") from error
        except httpx.ConnectError as error:
            raise EndpointFault(f"cannot connect ({_reason(error)})") from error
        except httpx.HTTPError as error:
            raise EndpointFault(f"the connection broke ({type(error).__name__})") from error
        if status == 413:
            raise RpcFault(_LIMIT_EXCEEDED, "request too large (HTTP 413)")
        return self._parse(status, content)

    def _exchange(self, client: httpx.Client, body: bytes, deadline: float, timeout_s: float) -> tuple[int, bytes]:
        headers = {"content-type": "application/json"}
        with client.stream("POST", self.url, content=body, headers=headers, timeout=timeout_s) as response:
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MAX_ANSWER:
                    raise RpcFault(_LIMIT_EXCEEDED, f"response size exceeds {MAX_ANSWER} bytes")
                if time.monotonic() > deadline:  # httpx bounds each read, not the whole answer
                    raise EndpointFault(f"the answer was not complete within {timeout_s:g} s")
            return response.status_code, bytes(content)

    @staticmethod
    def _parse(status: int, content: bytes) -> Any:
        if status == 429:
            raise EndpointFault("too many requests (HTTP 429)")
        if status >= 500 or 300 <= status < 400:
            raise EndpointFault(f"HTTP {status}")
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise EndpointFault(f"the answer is not JSON (HTTP {status})") from error
        # Some providers wrap JSON-RPC errors in HTTP 400: those are answers. Any other 4xx is a refusal to serve.
        if status >= 400 and not (isinstance(answer, dict) and answer.get("error") and "jsonrpc" in answer):
            raise EndpointFault(f"HTTP {status}")
        return answer


def _reason(error: httpx.ConnectError) -> str:
    text = str(error)
    return "connection refused" if "refused" in text.lower() else text[:120] or "no reason given"
