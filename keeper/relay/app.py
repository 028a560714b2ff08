"""The relay's HTTP face: check, commit, and only then acknowledge (docs/keeper.md section 3, relay)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.protocol.documents import Envelope
from keeper.relay import attestations, documents
from keeper.relay.answers import AttestationItem, AttestationPage, DocumentItem, DocumentPage, PushAnswer
from keeper.relay.http import ERROR_HANDLERS, json_response, query_integer, query_of, read_body
from keeper.relay.limits import MAX_PAGE, Limits
from keeper.relay.message import AttestationMessage
from keeper.relay.wire import parse_hash, read_object, to_hex
from keeper.store.engine import Store

DEFAULT_PAGE = 100


def create_app(store: Store, limits: Limits | None = None, extra_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The relay as an ASGI application over one database; `extra_routes` come first."""
    relay = _Relay(store, limits or Limits())
    own = [
        Route("/v1/attestations", relay.push_attestation, methods=["POST"]),
        Route("/v1/attestations", relay.attestations, methods=["GET"]),
        Route("/v1/documents", relay.documents, methods=["GET"]),
        Route("/v1/documents/{hash}", relay.put_document, methods=["PUT"]),
        Route("/v1/documents/{hash}", relay.document, methods=["GET"]),
        Route("/health", relay.health, methods=["GET"]),
    ]
    return Starlette(routes=[*extra_routes, *own], exception_handlers=ERROR_HANDLERS)


class _Relay:
    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits

    async def push_attestation(self, request: Request) -> Response:
        body = await read_body(request, self._limits.attestation_body, self._limits.body_s)
        return await run_in_threadpool(self._accept, body)

    async def put_document(self, request: Request) -> Response:
        name = parse_hash(request.path_params["hash"], "document's name")
        body = await read_body(request, self._limits.document_body, self._limits.body_s)
        return await run_in_threadpool(self._keep, name, body)

    def attestations(self, request: Request) -> Response:
        query = query_of(request, "after", "limit", "agreement")
        agreement = parse_hash(query["agreement"], "agreement") if "agreement" in query else None
        after, limit = _page(query)
        with self._store.read() as conn:
            lines = attestations.list_attestations(conn, after=after, limit=limit, agreement=agreement)
            last = attestations.last_seq(conn)
        items = [AttestationItem(seq=line.seq, attestation=line.message) for line in lines]
        return _answer(AttestationPage(attestations=items, last=last))

    def documents(self, request: Request) -> Response:
        after, limit = _page(query_of(request, "after", "limit"))
        with self._store.read() as conn:
            lines = documents.list_documents(conn, after=after, limit=limit)
            last = documents.last_seq(conn)
        items = [DocumentItem(seq=line.seq, hash=line.hash, size=line.size) for line in lines]
        return _answer(DocumentPage(documents=items, last=last))

    def document(self, request: Request) -> Response:
        name = parse_hash(request.path_params["hash"], "document's name")
        with self._store.read() as conn:
            envelope = documents.find(conn, name)
        if envelope is None:
            raise MilepostError("NOT_FOUND", f"This relay does not hold the document {to_hex(name)}")
        return json_response(envelope.to_json())

    def health(self, request: Request) -> Response:
        with self._store.read() as conn:
            head = views.head(conn)
        seen = {"number": head.number, "hash": head.hash, "time": head.time} if head else None
        return json_response({"status": "ok", "head": seen})

    def _accept(self, body: bytes) -> Response:
        message = AttestationMessage.from_json(body)
        with self._store.begin() as conn:
            accepted = attestations.accept(conn, message)
        return _answer(PushAnswer(status="known" if accepted.known else "stored", seq=accepted.seq))

    def _keep(self, name: bytes, body: bytes) -> Response:
        envelope = Envelope.from_json(read_object(body, "document"))
        with self._store.begin() as conn:
            kept = documents.keep(conn, name, envelope, max_total=self._limits.documents_bytes)
        return _answer(PushAnswer(status="known" if kept.known else "stored", seq=kept.seq))


def _page(query: dict[str, str]) -> tuple[int, int]:
    after = query_integer(query, "after", 0, 0, 2**63 - 1)
    return after, query_integer(query, "limit", DEFAULT_PAGE, 1, MAX_PAGE)


def _answer(model: BaseModel) -> Response:
    return json_response(model.model_dump(mode="json", by_alias=True))
