"""When verdicts become a proof."""

from __future__ import annotations

from itertools import permutations

import pytest
import relay_world as world
from hypothesis import given, settings
from hypothesis import strategies as st
from relay_world import DELIVERABLE, MEMBERS, OTHER, QUORUM, message
from structlog.testing import capture_logs

from keeper.protocol.quorum import assemble_proof, recover
from keeper.protocol.types import ZERO32, Attestation, MilestoneState, Status
from keeper.relay.attestations import AttestationMessage, accept
from keeper.relay.proof import Proof, proof_for
from keeper.store.engine import Store, open_store


def push(store: Store, *messages: AttestationMessage, block: int = 10) -> None:
    with store.begin() as conn:
        world.follow(conn, block)
        for what in messages:
            accept(conn, what)


def proof(store: Store, *, spares: bool = False) -> Proof | None:
    with store.read() as conn:
        return proof_for(conn, world.view(conn), spares=spares)


def test_fewer_than_the_threshold_prove_nothing(store: Store) -> None:
    push(store, message(MEMBERS[2]))

    assert proof(store) is None


def test_the_threshold_proves_and_remembers_when_it_was_reached(store: Store) -> None:
    push(store, message(MEMBERS[2]), block=20)
    push(store, message(MEMBERS[0]), block=30)
    push(store, message(MEMBERS[1]), block=40)

    found = proof(store)
    signatures = {m.address: message(m).signature for m in MEMBERS[:2]}
    assert found == Proof(
        attestation=Attestation(0, DELIVERABLE, 10_000),
        proof=assemble_proof(QUORUM, signatures),
        signers=(MEMBERS[0].address, MEMBERS[1].address),
        complete_since=world.START + 12 * 30,
    )


def test_spares_put_every_signature_into_the_proof(store: Store) -> None:
    push(store, *(message(m) for m in MEMBERS))

    found = proof(store, spares=True)
    assert found is not None
    assert found.signers == QUORUM.members
    assert found.proof == assemble_proof(QUORUM, {m.address: message(m).signature for m in MEMBERS}, spares=True)


def test_one_member_counts_once_however_often_it_signs(store: Store) -> None:
    push(store, message(), message(deliverable=DELIVERABLE[:24] + bytes(8)), message(payout_bps=0))

    assert proof(store) is None


@pytest.mark.parametrize(
    "second", [{"payout_bps": 9_999}, {"deliverable": DELIVERABLE[:24] + bytes(8)}], ids=["share", "deliverable"]
)
def test_different_verdicts_are_not_added_up(store: Store, second: dict[str, object]) -> None:
    push(store, message(MEMBERS[0]), message(MEMBERS[1], **second))

    assert proof(store) is None


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        (MilestoneState(Status.FUNDED, 1, 1), True),
        (MilestoneState(Status.SUBMITTED, 1, 1, DELIVERABLE[:24]), True),
        (MilestoneState(Status.SUBMITTED, 0, 1, OTHER[:24]), True),
        (MilestoneState(Status.ATTESTED, 0, 1, standing_bps=10_000), True),
        (MilestoneState(Status.DISPUTED, 0, 1, standing_bps=10_000), True),
        (MilestoneState(Status.SUBMITTED, 0, 1, DELIVERABLE[:24]), False),
    ],
)
def test_verdicts_on_what_the_milestone_no_longer_is_prove_nothing(
    store: Store, state: MilestoneState, is_open: bool
) -> None:
    push(store, *(message(m) for m in MEMBERS))
    with store.begin() as conn:
        world.stand(conn, state, is_open=is_open)

    assert proof(store) is None


def test_an_award_without_submission_dies_with_the_submission(empty: Store) -> None:
    world.fill(empty, submitted=False)
    push(empty, *(message(m, deliverable=ZERO32) for m in MEMBERS))
    assert proof(empty) is not None

    with empty.begin() as conn:
        world.submit(conn)
    assert proof(empty) is None


def test_a_member_that_contradicts_itself_is_left_out_where_others_suffice(store: Store) -> None:
    push(store, *(message(m) for m in MEMBERS), message(MEMBERS[0], payout_bps=0))

    found = proof(store)
    assert found is not None
    assert found.signers == (MEMBERS[1].address, MEMBERS[2].address)


def test_a_member_that_contradicts_itself_still_counts_as_it_does_on_chain(store: Store) -> None:
    push(store, message(MEMBERS[0]), message(MEMBERS[1]), message(MEMBERS[0], payout_bps=0))

    found = proof(store)
    assert found is not None
    assert found.attestation.payout_bps == 10_000


@pytest.mark.parametrize("order", permutations(range(4)))
def test_two_contradicting_quorums_are_never_assembled(store: Store, order: tuple[int, ...]) -> None:
    said = [
        message(MEMBERS[0]),
        message(MEMBERS[1]),
        message(MEMBERS[1], payout_bps=0),
        message(MEMBERS[2], payout_bps=0),
    ]
    push(store, *(said[i] for i in order))

    with capture_logs() as logs:
        assert proof(store) is None
    assert [log["event"] for log in logs] == ["quorum_contradicts_itself"]


verdicts = st.tuples(
    st.sampled_from(MEMBERS),
    st.sampled_from([DELIVERABLE, DELIVERABLE[:24] + bytes(8)]),
    st.sampled_from([0, 5_000, 10_000]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(verdicts, max_size=8))
def test_a_proof_holds_m_distinct_members_that_signed_one_digest(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[world.Member, bytes, int]]
) -> None:
    store = open_store(tmp_path_factory.mktemp("relay") / "m.db")
    world.fill(store)
    push(store, *(message(m, deliverable=d, payout_bps=bps) for m, d, bps in said))

    found = proof(store)

    signers: dict[tuple[bytes, int], set[str]] = {}
    for member, deliverable, bps in said:
        signers.setdefault((deliverable, bps), set()).add(member.address)
    complete = {verdict for verdict, who in signers.items() if len(who) >= QUORUM.m}
    assert (found is not None) == (len({bps for _, bps in complete}) == 1)
    if found:
        verdict = found.attestation
        assert (verdict.deliverable, verdict.payout_bps) in complete
        digest = message(deliverable=verdict.deliverable, payout_bps=verdict.payout_bps).digest()
        body = found.proof[len(QUORUM.head()) + 4 :]
        assert tuple(recover(digest, body[i : i + 64]) for i in range(0, len(body), 64)) == found.signers
        assert len(set(found.signers)) == QUORUM.m
    store.close()
