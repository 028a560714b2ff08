"""Talking to somebody's relay, trusting nothing that it answers (docs/keeper.md section 3, relay)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import orjson
import structlog

from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope
from keeper.relay.answers import AttestationPage, DocumentPage, PushAnswer, Refusal
from keeper.relay.documents import check_named
from keeper.relay.message import AttestationMessage
from keeper.relay.wire import Model, read_model, read_object, shown, to_hex

MAX_ANSWER = 2 * 1024 * 1024
"""Bytes of an answer that are read before the relay is given up."""

RELAY_CODES = frozenset(
    {
        "ATTESTATION_EARLY",
        "ATTESTATION_REFUSED",
        "DOCUMENT_INVALID",
        "NOT_A_MEMBER",
        "NOT_FOUND",
        "RELAY_FULL",
        "REQUEST_INVALID",
        "TOO_LARGE",
    }
)
"""The refusals that are taken over from a relay; a relay's own fault, or an odd code, is the relay's to explain."""


_log = structlog.get_logger(__name__)


class RelayClient:
    """One relay by its URL. Every method raises RELAY_UNREACHABLE when it does not answer, or answers nonsense.

    A refusal comes back as the MilepostError that the relay raised, under the same code.
    """

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        """`timeout_s` bounds each whole request. USAGE when the URL is none."""
        self.url = _checked_url(url)
        self._timeout_s = timeout_s
        self._http = httpx.Client(
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            headers={"accept": "application/json", "accept-encoding": "identity"},  # nothing that inflates
        )

    def push_attestation(self, message: AttestationMessage) -> PushAnswer:
        """Hand over a verdict; when this returns, the relay has committed it. Repeating is safe."""
        body = orjson.dumps(message.to_json())
        return self._model(PushAnswer, self._send("POST", "/v1/attestations", body=body))

    def attestations(self, *, after: int = 0, limit: int = 100, agreement: bytes | None = None) -> AttestationPage:
        """Attestations behind `after`, in the relay's order. They are unchecked: anyone can write a list."""
        params: dict[str, str | int] = {"after": after, "limit": limit}
        if agreement is not None:
            params["agreement"] = to_hex(agreement)
        page = self._model(AttestationPage, self._send("GET", "/v1/attestations", params=params))
        self._check_order([item.seq for item in page.attestations], after, limit)
        return page

    def put_document(self, envelope: Envelope) -> PushAnswer:
        """Hand over a document; when this returns, the relay has committed it. Repeating is safe."""
        path = f"/v1/documents/{to_hex(envelope.hash)}"
        return self._model(PushAnswer, self._send("PUT", path, body=orjson.dumps(envelope.to_json())))

    def get_document(self, name: bytes) -> Envelope:
        """The document that hashes to `name`. NOT_FOUND; DOCUMENT_INVALID when the relay sent something else.

        A deliverable may be asked for as the chain tells it: 24 bytes of its hash, then zeros.
        """
        answer = self._send("GET", f"/v1/documents/{to_hex(name)}")
        try:
            envelope = Envelope.from_json(answer)
            check_named(name, envelope)
        except MilepostError as error:
            raise MilepostError(
                "DOCUMENT_INVALID",
                f"{self.url} sent a document that is not {to_hex(name)}",
                cause=error.cause,
            ) from error
        return envelope

    def documents(self, *, after: int = 0, limit: int = 100) -> DocumentPage:
        """Names of the documents behind `after`, in the relay's order."""
        page = self._model(DocumentPage, self._send("GET", "/v1/documents", params={"after": after, "limit": limit}))
        self._check_order([item.seq for item in page.documents], after, limit)
        return page

    def health(self) -> dict[str, Any]:
        """What the relay says of itself."""
        return self._send("GET", "/health")

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(
        self, method: str, path: str, *, body: bytes | None = None, params: dict[str, str | int] | None = None
    ) -> dict[str, Any]:
        headers = {"content-type": "application/json"} if body is not None else {}
        deadline = time.monotonic() + self._timeout_s
        try:
            with self._http.stream(method, self.url + path, content=body, params=params, headers=headers) as response:
                content = self._read(response, deadline)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unreachable(_in_words(error, self._timeout_s)) from error
        answer = self._object(response.status_code, content)
        if response.is_success:
            return answer
        raise self._refusal(response.status_code, answer)

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        content = bytearray()
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > MAX_ANSWER:
                raise self._unreachable(f"expected an answer of at most {MAX_ANSWER} bytes, found more")
            if time.monotonic() > deadline:
                raise self._unreachable(f"expected the whole answer within {self._timeout_s:g} s")
        return bytes(content)

    def _object(self, status: int, content: bytes) -> dict[str, Any]:
        try:
            return read_object(content, "answer")
        except MilepostError as error:
            raise self._unreachable(f"HTTP {status} with {len(content)} bytes: {error.cause}") from error

    def _model(self, model: type[Model], answer: dict[str, Any]) -> Model:
        try:
            return read_model(model, answer, "answer")
        except MilepostError as error:
            raise self._unreachable(error.cause) from error

    def _check_order(self, numbers: list[int], after: int, limit: int) -> None:
        if len(numbers) > limit or any(low >= high for low, high in zip([after, *numbers], numbers, strict=False)):
            raise self._unreachable(f"expected at most {limit} items, numbered upwards from {after}")

    def _refusal(self, status: int, answer: dict[str, Any]) -> MilepostError:
        try:
            refusal = read_model(Refusal, answer, "refusal")
        except MilepostError as error:
            return self._unreachable(f"HTTP {status}: {error.cause}")
        if refusal.code not in RELAY_CODES:
            return self._unreachable(f"HTTP {status}: {shown(refusal.code)}: {shown(refusal.title, 300)}")
        return MilepostError(refusal.code, f"{self.url}: {shown(refusal.title, 300)}", cause=shown(refusal.detail, 600))

    def _unreachable(self, cause: str) -> MilepostError:
        return MilepostError("RELAY_UNREACHABLE", f"The relay {self.url} did not answer as a relay does", cause=cause)


@dataclass(frozen=True, slots=True)
class DocumentSearch:
    """What looking for one document on several relays found."""

    envelope: Envelope | None
    relay: str | None
    """URL of the relay that had it."""
    missing: tuple[str, ...]
    """Relays that answered that they do not have it."""
    failed: tuple[tuple[str, MilepostError], ...]
    """Relays that could not be asked, or lied, each with its reason. Only when there is none, absence is shown."""


def find_document(clients: list[RelayClient], name: bytes) -> DocumentSearch:
    """Ask each relay in turn for the document that hashes to `name`; the first true one ends the search."""
    missing: list[str] = []
    failed: list[tuple[str, MilepostError]] = []
    for client in clients:
        try:
            envelope = client.get_document(name)
        except MilepostError as error:
            if error.code == "NOT_FOUND":
                missing.append(client.url)
                continue
            failed.append((client.url, error))
            _log.warning(
                "document_not_had", relay=client.url, document=to_hex(name), code=error.code, cause=error.cause
            )
            continue
        return DocumentSearch(envelope, client.url, tuple(missing), tuple(failed))
    return DocumentSearch(None, None, tuple(missing), tuple(failed))


def _checked_url(url: str) -> str:
    """The URL without a slash at its end. What it holds is not repeated: it may be a password."""
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise MilepostError("USAGE", "The URL of a relay is wrong", cause="expected http://host:port or https://host")
    return url.rstrip("/")


def _in_words(error: Exception, timeout_s: float) -> str:
    """Why no answer came, for people."""
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {timeout_s:g} s"
    if isinstance(error, httpx.ConnectError) and "refused" in str(error).lower():
        return "cannot connect (connection refused)"
    return f"{type(error).__name__}: {shown(error, 200)}"
