"""Where a server listens: the address as it is written, and the socket, with words for what can go wrong."""

from __future__ import annotations

import errno
import socket

from keeper.errors import MilepostError
from keeper.relay.wire import shown

BACKLOG = 128


def parse_listen(listen: str) -> tuple[str, int]:
    """Host and port of "host:port" ("[::1]:8000" for IPv6); USAGE says what is wrong."""
    host, mark, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not mark or not host or not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) < 2**16):
        raise MilepostError(
            "USAGE",
            f"{shown(listen)} is no address to listen on",
            cause="expected host:port with a port from 0 to 65535",
            hint="set `listen` to an address such as 127.0.0.1:8411",
        )
    return host, int(port)


def bind(host: str, port: int, what: str) -> socket.socket:
    """A socket that listens there, port 0 for any free one.

    PORT_TAKEN when another program does, USAGE when the address is not this machine's; `what` names who listens.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _not_bound(host, port, what, error) from error
    return listener


def _not_bound(host: str, port: int, what: str, error: OSError) -> MilepostError:
    if error.errno == errno.EADDRINUSE:
        return MilepostError(
            "PORT_TAKEN",
            f"The {what} cannot listen on {host}:{port}",
            cause="expected a free port, and another program listens there",
        )
    return MilepostError(
        "USAGE",
        f"The {what} cannot listen on {host}:{port}",
        cause=error.strerror or str(error),
        hint="name an address of this machine that this user may listen on, such as 127.0.0.1:7545",
    )
