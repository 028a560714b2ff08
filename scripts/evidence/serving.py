"""What both stand-in services share: read facts from a file at every request, answer GET with JSON, end on SIGTERM."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: a status, a JSON body and its media type."""

    status: int
    body: dict[str, Any]
    media_type: str


Route = Callable[[dict[str, Any], str, dict[str, list[str]]], Answer]
"""From the facts, the raw path and the decoded query to an answer."""


def serve(description: str, route: Route) -> None:
    """Run one service until SIGTERM or Ctrl-C: `FACTS.json [--port 0] [--host 127.0.0.1]`.

    The first line on stdout is `listening on http://HOST:PORT`. The facts are read again at each request, so editing
    the file makes the service say something else, and ending the process makes it silent.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("facts", type=Path, help="JSON file with the facts to tell; read at every request")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    try:
        server = ThreadingHTTPServer((options.host, options.port), _handler(options.facts, route))
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error.strerror}")
    server.daemon_threads = True
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on http://{options.host}:{server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()


def _handler(path: Path, route: Route) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            try:
                facts = json.loads(path.read_bytes())
            except (OSError, ValueError) as error:
                answer = Answer(503, {"message": f"no facts to tell: {error}"}, "application/json; charset=utf-8")
            else:
                answer = route(facts, url.path, parse_qs(url.query))
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Keep the terminal for the demo's own account."""

    return Handler
