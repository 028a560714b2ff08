"""A node that answers from a table of methods, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson

from keeper.chain.rpc import Rpc, RpcFault

Handler = Callable[..., Any]


def node(**methods: Handler) -> Rpc:
    """An Rpc of one endpoint; a handler returns the result or raises RpcFault."""

    def one(request: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"id": request["id"], "result": methods[request["method"]](*request["params"])}
        except RpcFault as fault:
            body = {"code": fault.code, "message": fault.message, "data": fault.data}
            return {"id": request["id"], "error": body}

    def handle(request: httpx.Request) -> httpx.Response:
        body = orjson.loads(request.content)
        return httpx.Response(200, json=[one(r) for r in body] if isinstance(body, list) else one(body))

    return Rpc(["http://node:1"], 1, httpx.Client(transport=httpx.MockTransport(handle)))


def h32(number: int) -> str:
    """A 32-byte hash that tells its number."""
    return f"0x{number:064x}"


def block(number: int, /, **changes: Any) -> dict[str, Any]:
    """A block as eth_getBlockByNumber gives it."""
    header = {
        "number": hex(number),
        "hash": h32(number + 1),
        "parentHash": h32(number),
        "timestamp": hex(1000 + number),
    }
    return header | changes
