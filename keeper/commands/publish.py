"""Documents to the relays before the chain names them, and back by hash (docs/protocol.md section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.commands.context import Progress, Session
from keeper.commands.plan import Publication
from keeper.commands.words import hex0x, sentence
from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope
from keeper.relay import documents as kept
from keeper.relay.client import RelayClient, find_document

RELAY_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Published:
    """One document on one relay."""

    document: str
    """0x hash."""
    title: str
    relay: str
    status: str
    """`stored` or `known`."""


def publish(session: Session, documents: Sequence[Publication], progress: Progress) -> tuple[Published, ...]:
    """Put every document on every relay of the settings; returns when each has acknowledged.

    They are kept in the party's own database first. RELAY_UNREACHABLE or the relay's refusal names the relay; nothing
    has been sent to the chain then, and repeating is safe.
    """
    keep(session, documents)
    if not documents:
        return ()
    if not session.settings.relays:
        raise MilepostError(
            "SETTINGS_INVALID",
            "The settings name no relay to put the documents on",
            cause="attesters and the other party fetch documents from relays; expected at least one under `relays`",
            hint="add `relays: [URL]`, or use --no-relay and hand the documents over yourself",
        )
    done: list[Published] = []
    for url in session.settings.relays:
        with RelayClient(url, RELAY_TIMEOUT_S) as client:
            for item in documents:
                progress(f"putting {item.title} on {url}")
                answer = _put(client, item)
                done.append(Published(hex0x(item.envelope.hash), item.title, url, answer))
    return tuple(done)


def keep(session: Session, documents: Sequence[Publication]) -> None:
    """Record documents in the party's own database, so that no salt is ever lost."""
    with session.store.begin() as conn:
        for item in documents:
            kept.keep(conn, item.envelope.hash, item.envelope)


def document(session: Session, name: bytes) -> Envelope | None:
    """The document that hashes to `name`, from the own database or any relay; None when nobody has it now."""
    with session.store.read() as conn:
        own = kept.find(conn, name)
    if own is not None or not session.settings.relays:
        return own
    clients = [RelayClient(url, RELAY_TIMEOUT_S) for url in session.settings.relays]
    try:
        return find_document(clients, name).envelope
    finally:
        for client in clients:
            client.close()


def _put(client: RelayClient, item: Publication) -> str:
    try:
        return client.put_document(item.envelope).status
    except MilepostError as error:
        raise MilepostError(
            error.code,
            f"{sentence(item.title)} could not be put on {client.url}",
            cause=error.cause or error.title,
            hint="mend or remove that relay and repeat: repeating is safe. --no-relay goes on without",
        ) from error
