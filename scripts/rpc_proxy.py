"""A JSON-RPC proxy that stands between a process and its node, and makes chosen things go wrong from outside.

The demo and the tests put it in front of a keeper: it forwards everything unchanged until a fault is armed. The process
behind it needs no hook for that, which is the point: what is tried is the very program that operators run.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit


@dataclass(slots=True)
class Kill:
    """Ends process `pid` with SIGKILL when it first asks for `method`; that request never reaches the node."""

    method: str
    pid: int
    done: threading.Event = field(default_factory=threading.Event)


class RpcProxy:
    """Forwards JSON-RPC over HTTP from a free port of this machine to `upstream` (an http:// URL of a node)."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.seen: Counter[str] = Counter()
        self._kills: list[Kill] = []
        self._refusing: set[str] = set()
        self._cut = False
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> RpcProxy:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> RpcProxy:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def kill_on(self, method: str, pid: int) -> Kill:
        """Arms a kill; wait on its `done` to learn that it happened."""
        kill = Kill(method, pid)
        with self._lock:
            self._kills.append(kill)
        return kill

    def disarm(self) -> None:
        """Takes back every fault that has not happened yet."""
        with self._lock:
            self._kills.clear()
            self._refusing.clear()
            self._cut = False

    def refuse(self, method: str) -> None:
        """Answers `method` with HTTP 503 until disarmed."""
        with self._lock:
            self._refusing.add(method)

    def cut(self) -> None:
        """Answers everything with HTTP 503, as a dead node's gateway does, until disarmed."""
        with self._lock:
            self._cut = True

    def _fault(self, methods: list[str]) -> str:
        """What happens to a request: "" to forward it, else "cut" or "kill"."""
        with self._lock:
            self.seen.update(methods)
            for kill in self._kills:
                if kill.method in methods:
                    self._kills.remove(kill)
                    os.kill(kill.pid, signal.SIGKILL)
                    kill.done.set()
                    return "kill"
            return "cut" if self._cut or self._refusing.intersection(methods) else ""

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=60)
        try:
            connection.request("POST", self.upstream.path or "/", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError as problem:
            return 502, json.dumps({"error": f"upstream: {problem}"}).encode()
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fault = proxy._fault(methods_in(body))
                if fault == "kill":
                    self.close_connection = True
                    return
                status, answer = (503, b"{}") if fault else proxy._forward(body)
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the process behind us ended: nobody is left to answer

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the base class's)
                """Quiet: the processes behind the proxy keep their own logs."""

        return Handler


def methods_in(body: bytes) -> list[str]:
    """The JSON-RPC methods that a request body asks for, one call or a batch; none if it is no JSON-RPC."""
    try:
        request = json.loads(body)
    except ValueError:
        return []
    calls = request if isinstance(request, list) else [request]
    return [str(call.get("method")) for call in calls if isinstance(call, dict)]
