"""Documents that the chain names: kept here once found, else looked for on every relay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from keeper.attester.decide import Search
from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope
from keeper.relay import documents
from keeper.relay.client import RelayClient, find_document
from keeper.relay.wire import to_hex
from keeper.store.engine import Store

MAX_TOTAL = 1 << 40
"""Bytes: no limit in practice, because only documents named by funded agreements of this attester come here."""
NOT_THE_DOCUMENT = "DOCUMENT_INVALID"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A document, or what came of looking for it."""

    envelope: Envelope | None
    search: Search
    reason: str = ""
    """Which relays did not have it, in words."""


class Library:
    """The documents of one attester; safe to use from several threads."""

    def __init__(self, store: Store, relays: Sequence[RelayClient]) -> None:
        self._store = store
        self._relays = list(relays)

    def find(self, name: bytes) -> Found:
        """The document that hashes to `name` (32 bytes, or a deliverable's 24 and zeros).

        A relay that sends something else has it as little as one that says no. Raises DATABASE_FAILED only.
        """
        with self._store.read() as conn:
            kept = documents.find(conn, name)
        if kept is not None:
            return Found(kept, Search(0, 0))
        search = find_document(self._relays, name)
        if search.envelope is not None:
            with self._store.begin() as conn:
                documents.keep(conn, search.envelope.hash, search.envelope, max_total=MAX_TOTAL)
            self._share(search.envelope, search.relay)
            return Found(search.envelope, Search(0, 0))
        liars = [url for url, error in search.failed if error.code == NOT_THE_DOCUMENT]
        silent = [f"{url} ({error.cause})" for url, error in search.failed if error.code != NOT_THE_DOCUMENT]
        parts = {
            "not on": search.missing,
            "another document on": liars,
            "no answer from": silent,
        }
        reason = "; ".join(f"{words} {', '.join(urls)}" for words, urls in parts.items() if urls)
        return Found(None, Search(len(search.missing) + len(liars), len(silent)), reason)

    def _share(self, envelope: Envelope, origin: str | None) -> None:
        """Hand a found document to the other relays: shown to one attester, it is shown to all.

        Once per document and as a favour: a relay that does not take it is no reason to wait.
        """
        for relay in self._relays:
            if relay.url == origin:
                continue
            try:
                relay.put_document(envelope)
            except MilepostError as error:
                _log.info("document_not_shared", relay=relay.url, document=to_hex(envelope.hash), cause=error.cause)
