"""Other keepers' relays, read now and then: what was pushed to them counts here as well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from keeper.errors import MilepostError
from keeper.relay.client import RelayClient
from keeper.relay.pull import pull_once
from keeper.store.engine import Store

log = structlog.get_logger("keeper")

EVERY_S = 5.0
"""Seconds of wall clock between two readings of a relay that answers."""
LONGEST_S = 60.0
"""The same for one that does not: doubled from `EVERY_S` up to this, so that it does not hold up everything else."""
TIMEOUT_S = 3.0


@dataclass(slots=True)
class Peer:
    """One relay, and when it is to be read again (monotonic seconds)."""

    client: RelayClient
    next_at: float = 0.0
    wait_s: float = EVERY_S
    silent: bool = False


class Peers:
    """The relays that the settings name as peers."""

    def __init__(self, store: Store, urls: Sequence[str]) -> None:
        self._store = store
        self._peers = [Peer(RelayClient(url, TIMEOUT_S)) for url in urls]

    def pull(self) -> None:
        """Read each peer whose turn has come; one that does not answer is logged once and asked less often."""
        for peer in self._peers:
            if time.monotonic() >= peer.next_at:
                self._read(peer)

    def _read(self, peer: Peer) -> None:
        url = peer.client.url
        try:
            pulled = pull_once(self._store, peer.client, url)
        except MilepostError as error:
            if error.code != "RELAY_UNREACHABLE":
                raise
            if not peer.silent:
                log.warning("peer does not answer", relay=url, cause=error.cause)
            peer.silent = True
            peer.wait_s = min(2 * peer.wait_s, LONGEST_S)
        else:
            if peer.silent:
                log.info("peer answers again", relay=url)
            if pulled.attestations or pulled.documents:
                log.info("pulled", relay=url, attestations=pulled.attestations, documents=pulled.documents)
            peer.silent, peer.wait_s = False, EVERY_S
        peer.next_at = time.monotonic() + peer.wait_s
