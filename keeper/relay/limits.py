"""What one relay takes from strangers."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.relay.documents import MAX_DOCUMENT, MAX_TOTAL

MAX_PAGE = 500
"""Lines of a list in one answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of one relay."""

    documents_bytes: int = MAX_TOTAL
    """All documents together; those that the chain names have as much again."""
    attestation_body: int = 4 * 1024
    """Bytes of one pushed attestation: it is under 1 KiB."""
    document_body: int = MAX_DOCUMENT * 4 // 3 + 1024
    """Bytes of one pushed document: base64 and a small frame."""
    head_s: float = 10.0
    """Seconds of wall clock in which a request's first lines must have arrived."""
    body_s: float = 10.0
    """Seconds of wall clock in which a body must have arrived."""
    connections: int = 256
    """Requests at once; further ones are answered 503."""
