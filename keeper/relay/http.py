"""Reading requests with bounds, and answering in the registry's words (docs/keeper.md section 2, law 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from keeper.errors import MilepostError
from keeper.relay.wire import shown

STATUS: Mapping[str, int] = {
    "REQUEST_INVALID": 400,
    "NOT_FOUND": 404,
    "ATTESTATION_EARLY": 409,
    "TOO_LARGE": 413,
    "ATTESTATION_REFUSED": 422,
    "DOCUMENT_INVALID": 422,
    "NOT_A_MEMBER": 422,
    "DATABASE_FAILED": 503,
    "LEDGER_DIFFERS": 503,
    "RELAY_FULL": 507,
}
"""The HTTP status of each code that a relay answers; any other one is 500."""

_OWN_FAULTS = (500, 503)
_MAX_WORDS = 2000

_log = structlog.get_logger(__name__)


def json_response(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(value), status, media_type="application/json")


def refusal(error: MilepostError, status: int | None = None) -> Response:
    """The answer to a request that was not carried out. Of the relay's own faults a stranger learns no details."""
    status = status or STATUS.get(error.code, 500)
    title, detail = error.title, error.cause
    if status in _OWN_FAULTS:
        _log.error("relay_failed", code=error.code, title=title, cause=detail)
        title, detail = "The relay cannot do this now", "its operator finds the reason in its log"
    return json_response(
        {
            "code": error.code,
            "title": shown(title, _MAX_WORDS),
            "detail": shown(detail, _MAX_WORDS),
            "retry": error.retry.value,
            "moved": error.moved.value,
            "fix": shown(error.hint, _MAX_WORDS),
        },
        status,
    )


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """The whole body. TOO_LARGE as soon as more than `limit` bytes came; REQUEST_INVALID when it takes too long."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > limit:
        raise _too_large(limit, announced)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit, "more")
    except TimeoutError as error:
        raise MilepostError(
            "REQUEST_INVALID", "The body did not arrive", cause=f"expected all of it within {seconds:g} s"
        ) from error
    return bytes(body)


def query_of(request: Request, *allowed: str) -> dict[str, str]:
    """The query's values; REQUEST_INVALID for a name that is unknown or stands twice."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in allowed or name in found:
            raise MilepostError(
                "REQUEST_INVALID",
                f"The query holds {shown(repr(name))}",
                cause=f"expected at most {', '.join(allowed)}, each once",
            )
        found[name] = value
    return found


def query_integer(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query; REQUEST_INVALID outside `low` to `high`."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
        raise MilepostError(
            "REQUEST_INVALID",
            f"The query's {name} is wrong",
            cause=f"expected a whole number from {low} to {high}, found {shown(repr(text))}",
        )
    return int(text)


def _too_large(limit: int, found: str) -> MilepostError:
    return MilepostError("TOO_LARGE", "The body is too large", cause=f"expected at most {limit} bytes, found {found}")


async def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, MilepostError)
    return refusal(error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {shown(request.url.path)}"
    if error.status_code == 404:
        return refusal(MilepostError("NOT_FOUND", f"{where} is no address of this relay"))
    return refusal(MilepostError("REQUEST_INVALID", f"{where} is not possible", cause=error.detail), error.status_code)


async def _on_disconnect(_: Request, error: Exception) -> Response:
    return refusal(MilepostError("REQUEST_INVALID", "The body broke off", cause="expected a whole body"))


async def _on_bug(_: Request, error: Exception) -> Response:
    return refusal(MilepostError("INTERNAL", f"{type(error).__name__} in the relay", cause=str(error)))


ERROR_HANDLERS: Mapping[Any, Any] = {
    MilepostError: _on_refusal,
    HTTPException: _on_http,
    ClientDisconnect: _on_disconnect,
    Exception: _on_bug,
}
"""Every way that a request can end other than well, each with an answer in the registry's words."""
