"""Serving the relay from a thread of its owner's process (docs/keeper.md section 3, relay)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from keeper.errors import MilepostError
from keeper.relay.app import create_app
from keeper.relay.limits import Limits
from keeper.relay.listening import bind, parse_listen
from keeper.relay.patience import protocol
from keeper.store.engine import Store

START_S = 10.0
"""Seconds in which the server must be listening."""
DRAIN_S = 2
"""Seconds that requests under way have to end, once stopping."""
STOP_S = 4.5
"""Seconds after which a stop no longer waits for anybody."""

_log = structlog.get_logger(__name__)


class RelayServer:
    """A relay on one host and port, from `start` to `stop`."""

    def __init__(
        self,
        store: Store,
        listen: str,
        extra_routes: Sequence[BaseRoute] = (),
        limits: Limits | None = None,
    ) -> None:
        """`listen` is "host:port", port 0 for any free one. USAGE when it is not; nothing is bound before `start`."""
        self._host, self._port = parse_listen(listen)
        self._limits = limits or Limits()
        self._app = create_app(store, self._limits, extra_routes)
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it listens on; what `listen` named before `start`."""
        return self._port

    @property
    def url(self) -> str:
        """Where it is reached."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Listen, then return. PORT_TAKEN names a busy address, USAGE one that is not this machine's."""
        if self._thread is not None:
            raise RuntimeError("this relay server was started before")
        self._socket = bind(self._host, self._port, "relay")
        self._port = int(self._socket.getsockname()[1])
        self._server = uvicorn.Server(_config(self._app, self._limits))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="relay", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_S
        while not self._server.started:
            self._thread.join(0.005)
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise MilepostError(
                    "INTERNAL", "The relay did not start", cause=f"expected it to listen within {START_S:g} s"
                )
        _log.info("relay_listens", url=self.url)

    def stop(self) -> None:
        """Take no more requests, let those under way end, return within 5 s. Repeating is harmless."""
        if self._thread is None or self._server is None or self._socket is None:
            return
        self._server.should_exit = True
        self._thread.join(STOP_S - 1)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(1)
        self._socket.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _config(app: Starlette, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=protocol(limits.head_s),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=DRAIN_S,
    )
