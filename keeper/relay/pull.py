"""Reading other relays: what they hold is checked like a push, because they are strangers too."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace

import structlog
from sqlalchemy import Connection, delete, insert, select

from keeper.errors import MilepostError
from keeper.relay.answers import AttestationItem, DocumentItem
from keeper.relay.attestations import accept
from keeper.relay.client import RelayClient
from keeper.relay.documents import MAX_TOTAL, find, keep
from keeper.store.engine import Store
from keeper.store.schema import pulled as table

PAGE = 100
MAX_PAGES = 10
"""Pages of one list that one pull reads, so that no peer holds up its caller."""
PATIENCE_S = 86_400
"""Seconds of wall clock for which an early attestation is asked for again, before it is skipped."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull brought."""

    attestations: int
    """New ones."""
    documents: int
    """New ones."""
    early: int
    """Ahead of this ledger: read again next time."""
    refused: int
    """Skipped for good, each with a log line."""


@dataclass(slots=True)
class _Tally:
    new: int = 0
    early: int = 0
    refused: int = 0
    first_early: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a relay has been read."""

    attestations: int = 0
    documents: int = 0
    waiting_seq: int | None = None
    """The last number read when the reading began to hang on an early attestation."""
    waiting_since: int | None = None
    """Wall clock, unix seconds, when it began."""


def pull_once(store: Store, client: RelayClient, url: str, *, max_total: int = MAX_TOTAL) -> Pulled:
    """Read what the relay `url` has new, check it and keep it; progress commits together with the items.

    An attestation ahead of the ledger holds the mark back, not the items behind it, for `PATIENCE_S`. Raises
    RELAY_UNREACHABLE with all earlier pages kept; the caller goes on with the next relay.
    """
    said = _pull_attestations(store, client, url)
    kept = _pull_documents(store, client, url, max_total)
    return Pulled(said.new, kept.new, said.early, said.refused + kept.refused)


def progress(conn: Connection, url: str) -> Progress:
    """How far the relay `url` has been read."""
    row = conn.execute(select(table).where(table.c.relay == url)).one_or_none()
    return Progress() if row is None else Progress(*row[1:])


def _pull_attestations(store: Store, client: RelayClient, url: str) -> _Tally:
    with store.read() as conn:
        start = progress(conn, url)
    tally = _Tally()
    position = start.attestations
    for _ in range(MAX_PAGES):
        page = client.attestations(after=position, limit=PAGE)
        if page.last < position:
            position = _start_again(url, "attestations", position, page.last)
            continue
        if not page.attestations:
            break
        position = page.attestations[-1].seq
        with store.begin() as conn:
            for item in page.attestations:
                _take(conn, item, url, start, tally)
            _save(conn, url, _marked(replace(start, documents=progress(conn, url).documents), position, tally))
    return tally


def _take(conn: Connection, item: AttestationItem, url: str, start: Progress, tally: _Tally) -> None:
    """Check one line as if it had been pushed; what is early and still waited for holds the mark back."""
    try:
        tally.new += not accept(conn, item.attestation).known
    except MilepostError as error:
        if error.code not in ("ATTESTATION_EARLY", "ATTESTATION_REFUSED", "NOT_A_MEMBER"):
            raise
        if error.code == "ATTESTATION_EARLY" and not _waited_enough(item.seq, start):
            tally.early += 1
            tally.first_early = tally.first_early or item.seq
            return
        tally.refused += 1
        _log.warning("pulled_attestation_skipped", relay=url, seq=item.seq, code=error.code, cause=error.cause)


def _waited_enough(seq: int, start: Progress) -> bool:
    if start.waiting_seq is None or start.waiting_since is None or seq > start.waiting_seq:
        return False
    return time.time() - start.waiting_since > PATIENCE_S


def _marked(start: Progress, position: int, tally: _Tally) -> Progress:
    """The progress after reading up to `position`: the mark stays before the first early line."""
    first = tally.first_early
    if first is None:
        return replace(start, attestations=position, waiting_seq=None, waiting_since=None)
    if start.waiting_seq is not None and first <= start.waiting_seq:
        return replace(start, attestations=first - 1)
    return replace(start, attestations=first - 1, waiting_seq=position, waiting_since=int(time.time()))


def _pull_documents(store: Store, client: RelayClient, url: str, max_total: int) -> _Tally:
    with store.read() as conn:
        position = progress(conn, url).documents
    tally = _Tally()
    for _ in range(MAX_PAGES):
        page = client.documents(after=position, limit=PAGE)
        if page.last < position:
            position = _start_again(url, "documents", position, page.last)
            continue
        if not page.documents:
            break
        for item in page.documents:
            if not _take_document(store, client, url, item, max_total, tally):
                return tally
            position = item.seq
    return tally


def _take_document(
    store: Store, client: RelayClient, url: str, item: DocumentItem, max_total: int, tally: _Tally
) -> bool:
    """Fetch and keep one document and move the mark behind it; False when there is no room for it."""
    with store.read() as conn:
        envelope = find(conn, item.hash)
    try:
        fetched = envelope or client.get_document(item.hash)
        with store.begin() as conn:
            tally.new += not keep(conn, item.hash, fetched, max_total=max_total).known
            _save(conn, url, replace(progress(conn, url), documents=item.seq))
    except MilepostError as error:
        if error.code not in ("DOCUMENT_INVALID", "NOT_FOUND", "TOO_LARGE", "RELAY_FULL"):
            raise
        _log.warning("pulled_document_skipped", relay=url, seq=item.seq, code=error.code, cause=error.cause)
        tally.refused += 1
        if error.code == "RELAY_FULL":
            return False
        with store.begin() as conn:
            _save(conn, url, replace(progress(conn, url), documents=item.seq))
    return True


def _start_again(url: str, which: str, position: int, last: int) -> int:
    """A relay whose list is shorter than what was read of it has begun a new one: read that from its start."""
    _log.warning("relay_began_anew", relay=url, list=which, read=position, last=last)
    return 0


def _save(conn: Connection, url: str, progress: Progress) -> None:
    conn.execute(delete(table).where(table.c.relay == url))
    conn.execute(insert(table).values(relay=url, **asdict(progress)))
