"""The attester's status page on real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from structlog.testing import capture_logs

from keeper.config.settings import Listen
from keeper.daemon.attester_status import StatusPage
from keeper.errors import MilepostError


@contextmanager
def served(host: str) -> Iterator[str]:
    page = StatusPage(Listen(host, 0), lambda: {"signed": 3})
    with capture_logs() as logs:
        page.start()
    try:
        yield logs[0]["url"]
    finally:
        page.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_it_serves_where_it_says(host: str) -> None:
    with served(host) as url:
        assert host in url
        assert httpx.get(url, trust_env=False).json() == {"signed": 3}
        assert httpx.get(url.replace("/status", "/other"), trust_env=False).status_code == 404


def test_what_keeps_it_from_listening_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy, pytest.raises(MilepostError) as caught:
        StatusPage(Listen("127.0.0.1", busy.getsockname()[1]), dict)
    assert caught.value.code == "PORT_TAKEN"
    with pytest.raises(MilepostError, match=r"192\.0\.2\.1") as caught:
        StatusPage(Listen("192.0.2.1", 0), dict)
    assert caught.value.code == "USAGE"
