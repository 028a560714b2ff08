"""Which verdicts a relay takes in, against what its ledger shows."""

from __future__ import annotations

import pytest
import relay_world as world
from relay_world import DELIVERABLE, ID, MEMBERS, OTHER, STRANGER, message
from sqlalchemy import delete
from structlog.testing import capture_logs

from keeper.errors import MilepostError
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, MilestoneState, Status
from keeper.relay.attestations import MAX_VERDICTS, Accepted, AttestationMessage, accept, list_attestations
from keeper.store import schema
from keeper.store.engine import Store


def push(store: Store, what: AttestationMessage) -> Accepted:
    with store.begin() as conn:
        return accept(conn, what)


def refused(store: Store, what: AttestationMessage) -> MilepostError:
    with pytest.raises(MilepostError) as caught:
        push(store, what)
    with store.read() as conn:
        assert list_attestations(conn) == []
    return caught.value


def test_a_fitting_verdict_is_kept_as_it_was_signed(store: Store) -> None:
    accepted = push(store, message())

    with store.read() as conn:
        (kept,) = list_attestations(conn)
    assert accepted == Accepted(kept.seq, known=False)
    assert kept.message == message()


def test_the_same_verdict_again_changes_nothing(store: Store) -> None:
    first = push(store, message())

    assert push(store, message()) == Accepted(first.seq, known=True)
    with store.read() as conn:
        assert len(list_attestations(conn)) == 1


def test_a_known_verdict_stays_known_when_the_ledger_has_forgotten_its_agreement(store: Store) -> None:
    push(store, message())
    with store.begin() as conn:
        conn.execute(delete(schema.agreement))

    assert push(store, message()).known


def test_a_verdict_is_early_before_the_ledger_has_followed_anything(empty: Store) -> None:
    assert refused(empty, message()).code == "ATTESTATION_EARLY"


def test_a_verdict_on_an_agreement_that_the_ledger_has_not_seen_is_early(store: Store) -> None:
    assert refused(store, message(agreement=OTHER)).code == "ATTESTATION_EARLY"


def test_a_verdict_for_another_escrow_is_refused_even_if_its_agreement_is_unknown(store: Store) -> None:
    for what in (message(chain_id=1), message(escrow=STRANGER.address, agreement=OTHER)):
        error = refused(store, what)
        assert error.code == "ATTESTATION_REFUSED"
        assert world.ESCROW in error.cause


@pytest.mark.parametrize("other", [{"verifier": STRANGER.address}, {"quorum": OTHER}])
def test_a_verdict_under_other_terms_is_refused_with_both(store: Store, other: dict[str, object]) -> None:
    error = refused(store, message(**other))

    assert error.code == "ATTESTATION_REFUSED"
    assert world.VERIFIER in error.cause


def test_a_verdict_beyond_the_schedule_is_refused(store: Store) -> None:
    error = refused(store, message(milestone=2))

    assert (error.code, error.cause) == ("ATTESTATION_REFUSED", "expected an index from 0 to 1")


def test_a_verdict_is_early_until_the_quorum_is_announced(store: Store) -> None:
    with store.begin() as conn:
        conn.execute(delete(schema.quorum))

    assert refused(store, message()).code == "ATTESTATION_EARLY"


def test_a_stranger_is_told_who_the_members_are(store: Store) -> None:
    error = refused(store, message(STRANGER))

    assert error.code == "NOT_A_MEMBER"
    assert all(member.address in error.cause for member in MEMBERS)


def test_a_signature_by_somebody_else_is_refused(store: Store) -> None:
    forged = message(STRANGER).model_copy(update={"signer": MEMBERS[0].address})

    error = refused(store, forged)
    assert error.code == "ATTESTATION_REFUSED"
    assert MEMBERS[0].address in error.cause


@pytest.mark.parametrize(
    "change", [{"payout_bps": 9_999}, {"milestone": 1}, {"signature": bytes(64)}, {"signature": b"\xff" * 64}]
)
def test_a_verdict_changed_after_signing_is_refused_or_early(store: Store, change: dict[str, object]) -> None:
    with store.begin() as conn:
        world.submit(conn, index=1)

    assert refused(store, message().model_copy(update=change)).code == "ATTESTATION_REFUSED"


def test_a_verdict_on_a_later_attempt_is_early(store: Store) -> None:
    assert refused(store, message(attempt=1)).code == "ATTESTATION_EARLY"


def test_a_verdict_on_a_submission_that_the_ledger_has_not_seen_is_early(empty: Store) -> None:
    world.fill(empty, submitted=False)

    assert refused(empty, message()).code == "ATTESTATION_EARLY"


def test_a_verdict_on_another_deliverable_is_refused_with_both(store: Store) -> None:
    error = refused(store, message(deliverable=OTHER))

    assert error.code == "ATTESTATION_REFUSED"
    assert DELIVERABLE[:24].hex() in error.cause
    assert OTHER.hex() in error.cause


def test_the_last_8_bytes_of_a_deliverable_are_the_attesters_word(store: Store) -> None:
    assert not push(store, message(deliverable=DELIVERABLE[:24] + bytes(8))).known


def test_an_award_without_submission_is_kept_and_a_rejection_of_nothing_is_not(empty: Store) -> None:
    world.fill(empty, submitted=False)

    assert refused(empty, message(deliverable=ZERO32, payout_bps=0)).code == "ATTESTATION_REFUSED"
    assert not push(empty, message(deliverable=ZERO32)).known


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (MilestoneState(Status.ATTESTED, 0, 1, standing_bps=10_000), True),
        (MilestoneState(Status.DISPUTED, 0, 1, standing_bps=10_000), True),
        (MilestoneState(Status.FUNDED, 1, 1), True),
        (MilestoneState(Status.SUBMITTED, 0, 1, DELIVERABLE[:24]), False),
    ],
)
def test_a_late_verdict_on_what_was_submitted_is_kept(store: Store, state: MilestoneState, is_open: bool) -> None:
    with store.begin() as conn:
        world.stand(conn, state, is_open=is_open)

    assert not push(store, message()).known


def test_a_late_verdict_on_what_was_never_submitted_is_refused(store: Store) -> None:
    with store.begin() as conn:
        world.submit(conn, OTHER, attempt=1)

    assert refused(store, message(deliverable=OTHER, attempt=0)).code == "ATTESTATION_REFUSED"


def test_an_unfunded_milestone_is_early(store: Store) -> None:
    with store.begin() as conn:
        conn.execute(delete(schema.milestone).where(schema.milestone.c.index == 1))

    assert refused(store, message(milestone=1)).code == "ATTESTATION_EARLY"


def test_terms_without_a_verifier_take_no_verdict(store: Store) -> None:
    zero = message(verifier=ZERO_ADDRESS, quorum=ZERO32)

    assert refused(store, zero).code == "ATTESTATION_REFUSED"


def test_contradicting_verdicts_of_one_signer_are_both_kept_and_said_loudly(store: Store) -> None:
    push(store, message())
    with capture_logs() as logs:
        push(store, message(payout_bps=0))

    with store.read() as conn:
        kept = list_attestations(conn, agreement=ID)
    assert [line.message.payout_bps for line in kept] == [10_000, 0]
    assert [(log["event"], log["log_level"], log["signer"]) for log in logs] == [
        ("attester_contradicts_itself", "error", MEMBERS[0].address)
    ]


def test_one_signer_cannot_fill_the_relay_with_verdicts_on_one_subject(store: Store) -> None:
    for bps in range(MAX_VERDICTS):
        push(store, message(payout_bps=bps))

    with pytest.raises(MilepostError, match="too many verdicts") as caught:
        push(store, message(payout_bps=10_000))
    assert caught.value.code == "ATTESTATION_REFUSED"
    assert not push(store, message(MEMBERS[1])).known


def test_lists_go_on_behind_a_number_and_by_agreement(store: Store) -> None:
    with store.begin() as conn:
        second = world.fund(conn, world.agreement(salt=OTHER))
    push(store, message())
    push(store, message(deliverable=ZERO32, agreement=second))
    push(store, message(MEMBERS[1]))

    with store.read() as conn:
        assert [line.seq for line in list_attestations(conn, after=1)] == [2, 3]
        assert [line.seq for line in list_attestations(conn, limit=1)] == [1]
        assert [line.seq for line in list_attestations(conn, agreement=second)] == [2]
