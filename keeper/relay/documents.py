"""Documents by their hash: believed only if they hash to it (docs/protocol.md section 3, Documents)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope, document_hash
from keeper.relay.wire import to_hex
from keeper.store.schema import agreement, milestone
from keeper.store.schema import document as table

MAX_DOCUMENT = 64 * 1024
"""Bytes of one document's content."""
MAX_MEDIA_TYPE = 128
MAX_TOTAL = 64 * 1024 * 1024
"""Bytes that all documents together may take, if the operator sets nothing else."""
ROW_BYTES = 256
"""What one document costs besides its content, so that a million empty ones are not free."""

CHAIN_BYTES = 24
"""Bytes of a deliverable's hash that the chain keeps (docs/protocol.md section 3, State)."""


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """Where a document stands in this relay's list; `known` when it stood there before."""

    seq: int
    known: bool


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of this relay's list of documents."""

    seq: int
    hash: bytes
    size: int
    """Bytes of content."""


def keep(conn: Connection, name: bytes, envelope: Envelope, *, max_total: int = MAX_TOTAL) -> KeptDocument:
    """Keep a document under the hash that names it, in the caller's transaction; a repeat changes nothing.

    Documents that the chain names have as much room again behind `max_total`, so that strangers cannot fill a relay
    against a deliverable. Raises DOCUMENT_INVALID, TOO_LARGE, RELAY_FULL.
    """
    check_envelope(name, envelope)
    known = conn.execute(select(table.c.seq).where(table.c.hash == to_hex(name))).scalar()
    if known is not None:
        return KeptDocument(known, known=True)
    _check_room(conn, name, len(envelope.content) + ROW_BYTES, max_total)
    row = {
        "hash": to_hex(name),
        "salt": to_hex(envelope.salt),
        "media_type": envelope.media_type,
        "content": envelope.content,
    }
    key = conn.execute(insert(table).values(row)).inserted_primary_key
    assert key is not None
    return KeptDocument(key[0], known=False)


def find(conn: Connection, name: bytes) -> Envelope | None:
    """The document that `name` stands for, if this relay holds it.

    Of a submitted deliverable the chain tells only the first 24 bytes, the rest zero (docs/protocol.md section 4,
    Events): such a name stands for the document whose hash begins with them.
    """
    query = select(table).where(table.c.hash == to_hex(name))
    if is_short(name):
        start = to_hex(name[:CHAIN_BYTES])
        query = select(table).where(table.c.hash.between(start + "0" * 16, start + "f" * 16)).order_by(table.c.seq)
    row = conn.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    return Envelope(salt=bytes.fromhex(row.salt[2:]), media_type=row.media_type, content=row.content)


def list_documents(conn: Connection, *, after: int = 0, limit: int = 100) -> list[DocumentLine]:
    """The documents behind `after` in the order they were kept, without their content."""
    size = func.length(table.c.content)
    query = select(table.c.seq, table.c.hash, size).where(table.c.seq > after).order_by(table.c.seq).limit(limit)
    return [DocumentLine(seq, bytes.fromhex(name[2:]), length) for seq, name, length in conn.execute(query)]


def is_short(name: bytes) -> bool:
    """Whether `name` is a deliverable as the chain tells it: 24 bytes of a hash, and zeros."""
    return name[CHAIN_BYTES:] == bytes(32 - CHAIN_BYTES)


def check_named(name: bytes, envelope: Envelope) -> None:
    """As `check_envelope`, for a name that may be a deliverable as the chain tells it."""
    found = envelope.hash
    check_envelope(found if is_short(name) and found[:CHAIN_BYTES] == name[:CHAIN_BYTES] else name, envelope)


def last_seq(conn: Connection) -> int:
    """The highest number in this relay's list; 0 while it is empty."""
    return int(conn.execute(select(func.coalesce(func.max(table.c.seq), 0))).scalar_one())


def check_envelope(name: bytes, envelope: Envelope) -> None:
    """TOO_LARGE or DOCUMENT_INVALID unless this is the document of that name."""
    if len(envelope.content) > MAX_DOCUMENT:
        raise MilepostError(
            "TOO_LARGE",
            f"The document {to_hex(name)} is too large",
            cause=f"expected at most {MAX_DOCUMENT} bytes, found {len(envelope.content)}",
        )
    if len(envelope.media_type) > MAX_MEDIA_TYPE:
        raise MilepostError(
            "DOCUMENT_INVALID",
            f"The media type of {to_hex(name)} is too long",
            cause=f"expected at most {MAX_MEDIA_TYPE} characters, found {len(envelope.media_type)}",
        )
    found = document_hash(envelope.salt, envelope.content)
    if found != name:
        raise MilepostError(
            "DOCUMENT_INVALID",
            f"The document does not hash to its name {to_hex(name)}",
            cause=f"expected {to_hex(name)}, found {to_hex(found)}",
        )


def _check_room(conn: Connection, name: bytes, size: int, max_total: int) -> None:
    taken = conn.execute(select(func.coalesce(func.sum(func.length(table.c.content) + ROW_BYTES), 0))).scalar_one()
    if taken + size <= max_total or (taken + size <= 2 * max_total and _named_on_chain(conn, name)):
        return
    raise MilepostError(
        "RELAY_FULL",
        f"This relay has no room for the document {to_hex(name)}",
        cause=f"{taken} of {max_total} bytes are taken, and the document needs {size}",
    )


def _named_on_chain(conn: Connection, name: bytes) -> bool:
    """Whether a submission or an agreement that the ledger knows carries this hash; looked up only when full."""
    text = to_hex(name)
    submitted = select(milestone.c.index).where(milestone.c.deliverable == to_hex(name[:CHAIN_BYTES]))
    agreed = select(agreement.c.id).where(agreement.c.terms.contains(text[2:]))
    return any(conn.execute(query.limit(1)).first() is not None for query in (submitted, agreed))
