"""Unit tests open no sockets: one that reaches or serves a network fails here and belongs to tests/integration."""

from __future__ import annotations

import socket
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to connect or bind over IP; pairs of sockets inside the process stay possible."""

    def refused(name: str) -> Any:
        real = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                raise AssertionError(f"a unit test called {name}({address!r}): tests/integration is the place for that")
            return real(self, address)

        return guarded

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, refused(name))
