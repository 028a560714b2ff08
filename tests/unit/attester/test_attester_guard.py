"""Sign once: whatever happens in between, one key gives one verdict on one subject."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import relay_world as world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from keeper.attester.guard import Guard, Subject, subject_of
from keeper.errors import MilepostError
from keeper.protocol.quorum import recover
from keeper.protocol.types import Address
from keeper.relay.message import AttestationMessage
from keeper.store.engine import Store, open_store
from keeper.store.schema import signed

SUBJECT = Subject(world.CHAIN, world.VERIFIER, world.ESCROW, world.ID, world.QUORUM.hash, 0, 0, world.DELIVERABLE[:24])


class Pen:
    """A signer that counts, and that can be struck by lightning before it signs."""

    def __init__(self, member: world.Member = world.MEMBERS[0], *, struck: bool = False) -> None:
        self.member, self.struck, self.digests = member, struck, list[bytes]()

    @property
    def address(self) -> Address:
        return self.member.address

    def sign_digest(self, digest: bytes) -> bytes:
        if self.struck:
            raise KeyboardInterrupt
        self.digests.append(digest)
        return self.member.sign(digest)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "attester.db")
    yield opened
    opened.close()


def test_a_verdict_is_signed_by_the_key_over_exactly_what_it_says(store: Store) -> None:
    pen = Pen()
    message = Guard(store, pen).sign(SUBJECT, 10_000, {"why": "evidence"}).message
    assert subject_of(message) == SUBJECT
    assert message.deliverable == world.DELIVERABLE[:24] + bytes(8)
    assert recover(message.digest(), message.signature) == pen.address == message.signer
    with store.read() as conn:
        assert conn.execute(select(signed.c.evidence)).scalar_one() == {"why": "evidence"}


def test_the_same_verdict_again_returns_the_stored_signature(store: Store) -> None:
    pen = Pen()
    guard = Guard(store, pen)
    assert guard.sign(SUBJECT, 10_000, {}) == guard.sign(SUBJECT, 10_000, {"other": "evidence"})
    assert len(pen.digests) == 1


@pytest.mark.parametrize(("first", "second"), [(10_000, 0), (0, 10_000), (10_000, 9_999)])
def test_another_verdict_on_the_same_subject_is_refused(store: Store, first: int, second: int) -> None:
    pen = Pen()
    Guard(store, pen).sign(SUBJECT, first, {})
    with pytest.raises(MilepostError) as caught:
        Guard(store, pen).sign(SUBJECT, second, {})
    assert caught.value.code == "SIGN_ONCE"
    assert len(pen.digests) == 1


def test_the_verdict_is_committed_before_the_key_is_used(store: Store) -> None:
    seen: list[int] = []

    class Watching(Pen):
        def sign_digest(self, digest: bytes) -> bytes:
            with Store(store.path).read() as conn:  # a connection of its own sees only what is committed
                seen.append(conn.execute(select(signed.c.payout_bps)).scalar_one())
            return super().sign_digest(digest)

    Guard(store, Watching()).sign(SUBJECT, 10_000, {})
    assert seen == [10_000]


def test_after_a_crash_before_signing_the_written_verdict_is_signed_and_no_other(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        Guard(store, Pen(struck=True)).sign(SUBJECT, 10_000, {})
    after = Guard(store, Pen())
    with pytest.raises(MilepostError) as caught:
        after.sign(SUBJECT, 0, {})
    assert caught.value.code == "SIGN_ONCE"
    (resumed,) = after.resume()
    assert resumed.message.payout_bps == 10_000
    resumed.message.check_signature()
    assert after.resume() == []


def test_a_row_that_was_changed_in_the_database_is_not_signed(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        Guard(store, Pen(struck=True)).sign(SUBJECT, 10_000, {})
    with store.begin() as conn:
        conn.execute(update(signed).values(payout_bps=1))
    pen = Pen()
    with pytest.raises(MilepostError) as caught:
        Guard(store, pen).resume()
    assert caught.value.code == "DATABASE_FAILED"
    assert pen.digests == []


def test_two_keys_on_one_database_do_not_answer_for_each_other(store: Store) -> None:
    first = Guard(store, Pen(world.MEMBERS[0])).sign(SUBJECT, 10_000, {})
    second = Guard(store, Pen(world.MEMBERS[1])).sign(SUBJECT, 0, {})
    assert first.message.signer != second.message.signer
    second.message.check_signature()


def test_what_a_relay_shows_of_this_key_binds_it_after_its_database_is_lost(store: Store) -> None:
    pen = Pen()
    guard = Guard(store, pen)
    guard.adopt(world.message(world.MEMBERS[0], payout_bps=0))
    with pytest.raises(MilepostError) as caught:
        guard.sign(SUBJECT, 10_000, {})
    assert caught.value.code == "SIGN_ONCE"
    assert guard.sign(SUBJECT, 0, {}).message == world.message(world.MEMBERS[0], payout_bps=0)
    assert pen.digests == []


def test_a_signature_of_somebody_else_or_a_false_one_is_not_adopted(store: Store) -> None:
    guard = Guard(store, Pen())
    false = world.message(world.MEMBERS[1]).model_copy(update={"signer": world.MEMBERS[0].address})
    for message in (world.message(world.MEMBERS[1]), false):
        with pytest.raises(MilepostError) as caught:
            guard.adopt(message)
        assert caught.value.code == "ATTESTATION_REFUSED"
    with store.read() as conn:
        assert guard.find(conn, SUBJECT) is None


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tries=st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 5_000, 10_000]), st.booleans()), max_size=12))
def test_no_sequence_of_asking_crashing_and_restarting_gives_two_verdicts(
    tmp_path_factory: pytest.TempPathFactory, tries: list[tuple[int, int, bool]]
) -> None:
    store = open_store(tmp_path_factory.mktemp("guard") / "attester.db")
    given_out: list[AttestationMessage] = []
    for attempt, payout_bps, struck in tries:
        subject = Subject(**{name: getattr(SUBJECT, name) for name in SUBJECT.__slots__} | {"attempt": attempt})
        try:
            given_out.append(Guard(store, Pen(struck=struck)).sign(subject, payout_bps, {}).message)
        except (MilepostError, KeyboardInterrupt):
            given_out += [one.message for one in Guard(store, Pen()).resume()]
    verdicts: dict[Subject, set[int]] = {}
    for message in given_out:
        message.check_signature()
        verdicts.setdefault(subject_of(message), set()).add(message.payout_bps)
    assert all(len(given) == 1 for given in verdicts.values())
    store.close()
