"""Names that the chain does not know: a milestone's title, from a terms file or from its criteria document."""

from __future__ import annotations

from collections.abc import Callable

from keeper.commands.context import Session
from keeper.commands.publish import document
from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope, parse_criteria
from keeper.protocol.types import Agreement
from keeper.relay import documents as kept

Find = Callable[[bytes], Envelope | None]


def titles_of(session: Session, agreement: Agreement, *, ask_relays: bool = False) -> tuple[str, ...]:
    """The criteria's titles by milestone, empty where the document is unknown or is no criteria document."""

    def own(name: bytes) -> Envelope | None:
        with session.store.read() as conn:
            return kept.find(conn, name)

    find: Find = (lambda name: document(session, name)) if ask_relays else own
    known = {name: title_of(find(name)) for name in {m.criteria for m in agreement.milestones}}
    return tuple(known[m.criteria] for m in agreement.milestones)


def title_of(envelope: Envelope | None) -> str:
    """The title of a criteria document; empty for none, and for a document of another kind."""
    if envelope is None:
        return ""
    try:
        return parse_criteria(envelope.content).title
    except MilepostError:
        return ""  # anyone may hash anything: a document of another kind has no title that we know
