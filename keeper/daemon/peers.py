"""Other keepers' relays, read now and then: what was pushed to them counts here as well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from keeper.attester.workers import Done, Workers
from keeper.errors import MilepostError
from keeper.relay.client import RelayClient
from keeper.relay.pull import Pulled, pull_once
from keeper.store.engine import Store

log = structlog.get_logger("keeper")

EVERY_S = 5.0
"""Seconds of wall clock between two readings of a relay that answers."""
LONGEST_S = 60.0
"""The same for one that does not: doubled from `EVERY_S` up to this."""
TIMEOUT_S = 3.0


@dataclass(slots=True)
class Peer:
    """One relay, and when it is to be read again (monotonic seconds)."""

    client: RelayClient
    next_at: float = 0.0
    wait_s: float = EVERY_S
    silent: bool = False


class Peers:
    """The relays that the settings name as peers, each read beside the loop: they are strangers, and may be slow."""

    def __init__(self, store: Store, urls: Sequence[str]) -> None:
        self._store = store
        self._peers = {url: Peer(RelayClient(url, TIMEOUT_S)) for url in urls}
        self._workers: Workers[Pulled] = Workers(len(self._peers))

    @property
    def reading(self) -> bool:
        """Whether a reading is under way, or has ended and was not looked at."""
        return any(self._workers.busy(url) for url in self._peers)

    def pull(self) -> None:
        """Begin to read each peer whose turn has come, and look at what has ended; never waits for a peer.

        One that does not answer is logged once and asked less often. Raises what else a reading ended with.
        """
        for done in self._workers.collect():
            self._note(done)
        for url, peer in self._peers.items():
            if time.monotonic() >= peer.next_at:
                self._workers.start(url, partial(pull_once, self._store, peer.client, url))

    def _note(self, done: Done[Pulled]) -> None:
        url = str(done.key)
        peer, error, pulled = self._peers[url], done.error, done.result
        if error is not None:
            if not isinstance(error, MilepostError) or error.code != "RELAY_UNREACHABLE":
                raise error
            if not peer.silent:
                log.warning("peer does not answer", relay=url, cause=error.cause)
            peer.silent = True
            peer.wait_s = min(2 * peer.wait_s, LONGEST_S)
        else:
            if peer.silent:
                log.info("peer answers again", relay=url)
            if pulled and (pulled.attestations or pulled.documents):
                log.info("pulled", relay=url, attestations=pulled.attestations, documents=pulled.documents)
            peer.silent, peer.wait_s = False, EVERY_S
        peer.next_at = time.monotonic() + peer.wait_s
