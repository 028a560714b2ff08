"""How an attester stands, as JSON at GET /status of its own port, if the operator wants one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import structlog
from sqlalchemy import Connection, and_, func, select

from keeper.attester.case import membership
from keeper.attester.guard import Subject
from keeper.config.settings import Listen
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.protocol.types import Address
from keeper.relay.listening import bind
from keeper.store.schema import pushed, signed

SCHEMA = "milepost.attester-status/1"
_log = structlog.get_logger("attester")


def attester_status(
    conn: Connection, address: Address, relays: Sequence[str], abstaining: Mapping[Subject, str]
) -> dict[str, Any]:
    """Place on the chain, quorums, signatures, what each relay has of them, and why the rest waits."""
    place = views.place(conn)
    own = signed.c.member == address.lower()
    return {
        "schema": SCHEMA,
        "address": address,
        "cursor": {"number": place.head.number, "time": place.head.time} if place else None,
        "quorums": ["0x" + quorum.hash.hex() for _, quorum in membership(conn, address)],
        "signed": conn.execute(select(func.count()).select_from(signed).where(own)).scalar_one(),
        "relays": [_relay(conn, address, url) for url in relays],
        "abstaining": [{"subject": str(subject), "reason": reason} for subject, reason in abstaining.items()],
    }


class StatusPage:
    """A small server of one page, from `start` to `stop`; it only ever reads."""

    def __init__(self, listen: Listen, read: Callable[[], dict[str, Any]]) -> None:
        """PORT_TAKEN names a busy address, USAGE one that is not this machine's."""
        listener = bind(listen.host, listen.port, "status page")
        self._url = f"http://{Listen(listen.host, int(listener.getsockname()[1]))}/status"
        # Not bound by the server itself: it knows only IPv4, and asks a name server for its own name.
        self._server = ThreadingHTTPServer(listen, _handler(read), bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="status", daemon=True)

    def start(self) -> None:
        """Serve from a thread, and say where."""
        self._thread.start()
        _log.info("status listens", url=self._url)

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


def _relay(conn: Connection, address: Address, url: str) -> dict[str, Any]:
    """How many signatures one relay acknowledged, refused, or has not been given yet."""
    joined = signed.outerjoin(pushed, and_(pushed.c.signed == signed.c.seq, pushed.c.relay == url))
    query = select(pushed.c.answer).select_from(joined).where(signed.c.member == address.lower())
    answers = conn.execute(query).scalars().all()
    refused = sum(answer is not None and answer.startswith("refused") for answer in answers)
    waiting = sum(answer is None for answer in answers)
    return {"url": url, "acknowledged": len(answers) - refused - waiting, "refused": refused, "waiting": waiting}


def _handler(read: Callable[[], dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            status, body = 404, {"code": "NOT_FOUND"}
            if self.path in ("/status", "/health"):
                try:
                    status, body = 200, read() if self.path == "/status" else {"status": "ok"}
                except MilepostError as error:
                    status, body = 503, {"code": error.code, "title": error.title}
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Requests are no events of the attester."""

    return Handler
