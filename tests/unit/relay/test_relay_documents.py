"""Documents are believed only if they hash to their name, and cannot fill the disk."""

from __future__ import annotations

import pytest
import relay_world as world
from relay_world import OTHER, envelope

from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope
from keeper.protocol.types import MilestoneState, Status
from keeper.relay.documents import MAX_DOCUMENT, ROW_BYTES, DocumentLine, KeptDocument, find, keep, list_documents
from keeper.store.engine import Store


def put(store: Store, what: Envelope, *, max_total: int = 10_000) -> KeptDocument:
    with store.begin() as conn:
        return keep(conn, what.hash, what, max_total=max_total)


def test_a_document_comes_back_as_it_went_in(store: Store) -> None:
    put(store, envelope())

    with store.read() as conn:
        assert find(conn, envelope().hash) == envelope()
        assert list_documents(conn) == [DocumentLine(1, envelope().hash, len(envelope().content))]


def test_the_same_document_again_changes_nothing(store: Store) -> None:
    assert put(store, envelope()) == KeptDocument(1, known=False)
    assert put(store, envelope()) == KeptDocument(1, known=True)


def test_an_unknown_document_is_not_found(store: Store) -> None:
    with store.read() as conn:
        assert find(conn, OTHER) is None


def test_a_deliverable_is_found_by_the_24_bytes_that_the_chain_keeps(store: Store) -> None:
    put(store, envelope())
    put(store, envelope(b"another"))

    with store.read() as conn:
        assert find(conn, envelope().hash[:24] + bytes(8)) == envelope()
        assert find(conn, envelope().hash[:24] + bytes(7) + b"\x01") is None
        assert find(conn, OTHER[:24] + bytes(8)) is None
        assert find(conn, bytes(32)) is None


def test_a_document_is_never_kept_under_half_its_name(store: Store) -> None:
    with pytest.raises(MilepostError) as caught, store.begin() as conn:
        keep(conn, envelope().hash[:24] + bytes(8), envelope())
    assert caught.value.code == "DOCUMENT_INVALID"


def test_a_document_that_does_not_hash_to_its_name_is_refused_with_both_hashes(store: Store) -> None:
    with pytest.raises(MilepostError) as caught, store.begin() as conn:
        keep(conn, OTHER, envelope())

    assert caught.value.code == "DOCUMENT_INVALID"
    assert OTHER.hex() in caught.value.cause
    assert envelope().hash.hex() in caught.value.cause


def test_one_byte_above_the_limit_is_too_large(store: Store) -> None:
    put(store, envelope(bytes(MAX_DOCUMENT)), max_total=10**6)

    with pytest.raises(MilepostError) as caught:
        put(store, envelope(bytes(MAX_DOCUMENT + 1)), max_total=10**6)
    assert caught.value.code == "TOO_LARGE"


def test_a_full_relay_refuses_what_it_does_not_hold_yet(store: Store) -> None:
    limit = 100 + ROW_BYTES
    put(store, envelope(bytes(100)), max_total=limit)

    with pytest.raises(MilepostError) as caught:
        put(store, envelope(b""), max_total=limit)
    assert caught.value.code == "RELAY_FULL"
    assert put(store, envelope(bytes(100)), max_total=limit).known


def test_strangers_cannot_fill_a_relay_against_what_the_chain_names(store: Store) -> None:
    deliverable = envelope(b"deliverable")
    with store.begin() as conn:
        world.stand(conn, MilestoneState(Status.SUBMITTED, 0, 1, deliverable.hash[:24]))
    limit = 1_000
    put(store, envelope(bytes(limit - ROW_BYTES)), max_total=limit)

    assert not put(store, deliverable, max_total=limit).known
    assert not put(store, world.LEGAL_TEXT, max_total=limit).known


def test_the_room_for_what_the_chain_names_is_bounded_too(store: Store) -> None:
    deliverable = envelope(bytes(2_000))
    with store.begin() as conn:
        world.stand(conn, MilestoneState(Status.SUBMITTED, 0, 1, deliverable.hash[:24]))

    with pytest.raises(MilepostError) as caught:
        put(store, deliverable, max_total=1_000)
    assert caught.value.code == "RELAY_FULL"
