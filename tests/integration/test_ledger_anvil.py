"""The ledger on a real chain: real events, real reorganisations, a node that dies, a process that is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chainlab import KEYS, Deployed
from coincurve import PrivateKey
from eth_utils import keccak
from sqlalchemy import select

from keeper.chain.abi import contract
from keeper.chain.blocks import head
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.ledger.follow import Follower, Step
from keeper.ledger.rebuild import forget, rebuild
from keeper.ledger.selfcheck import self_check
from keeper.protocol.abi import amendment_to_abi, attestation_to_abi
from keeper.protocol.encoding import (
    agreement_id,
    attestation_digest,
    escrow_domain,
    milestone_to_abi,
    part_to_abi,
    terms_to_abi,
    verifier_domain,
)
from keeper.protocol.offers import amendment_digest, split_digest
from keeper.protocol.quorum import Quorum, assemble_proof, to_compact
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Agreement,
    AgreementId,
    Amendment,
    Attestation,
    Cause,
    Milestone,
    Split,
    Status,
    Terms,
)
from keeper.store import schema
from keeper.store.engine import Store, open_store

WORK = keccak(b"work")
FOLDED = (schema.event, schema.agreement, schema.milestone, schema.settlement, schema.quorum)


@dataclass
class Stage:
    """A funded agreement of three milestones on a chain of its own, and a ledger that follows it."""

    chain: Deployed
    store: Store
    follower: Follower
    agreement: Agreement
    quorum: Quorum

    @property
    def id(self) -> AgreementId:
        return agreement_id(escrow_domain(31337, self.chain.escrow), self.agreement.terms, self.agreement.milestones)

    def call(self, sender: str, name: str, *args: object, value: int = 0) -> str:
        """Send a call of the escrow; returns the transaction's hash."""
        receipt = self.chain.anvil.send(sender, self.chain.escrow, contract("Escrow").encode(name, *args), value)
        return str(receipt["transactionHash"])

    def signed_by(self, account: int, digest: bytes) -> bytes:
        """65 bytes r, s, v of anvil's account."""
        signature = PrivateKey(bytes.fromhex(KEYS[account][2:])).sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])

    def both_signed(self, digest: bytes) -> tuple[bytes, bytes]:
        """Payer and payee."""
        return self.signed_by(1, digest), self.signed_by(2, digest)

    def part(self, index: int) -> tuple[object, ...]:
        return part_to_abi(self.agreement.part(index))

    def follow(self) -> Step:
        step = self.follower.follow()
        assert step.caught_up
        assert (step.head.number, step.head.hash) == (
            head(self.chain.anvil.rpc).number,
            head(self.chain.anvil.rpc).hash,
        )
        return step

    def milestone(self, index: int) -> views.MilestoneView:
        with self.store.read() as conn:
            found = views.milestone_view(conn, self.id, index)
        assert found
        return found

    def dump(self, *tables: object) -> dict[str, list[tuple[object, ...]]]:
        with self.store.read() as conn:
            return {
                t.name: [tuple(row) for row in conn.execute(select(t).order_by(*t.primary_key.columns))]
                for t in (tables or schema.CACHE)
            }

    def check(self, agreements: int = 1) -> None:
        assert self_check(self.chain.anvil.rpc, self.store).agreements == agreements


def _mint(chain: Deployed, who: str, units: int) -> None:
    words = bytes(12) + bytes.fromhex(who[2:]) + units.to_bytes(32, "big")
    chain.anvil.send(who, chain.token, keccak(text="mint(address,uint256)")[:4] + words)


def _quorum(chain: Deployed) -> Quorum:
    return Quorum(2, tuple(sorted(chain.anvil.accounts[5:8], key=lambda a: int(a, 16))))


def _agreement(chain: Deployed, quorum: Quorum) -> Agreement:
    accounts, now = chain.anvil.accounts, head(chain.anvil.rpc).time
    terms = Terms(
        payer=accounts[1], payee=accounts[2], token=chain.token, verifier=chain.verifier, quorum=quorum.hash,
        arbiter=accounts[3], arbiter_hook=False, review_window=600, challenge_window=300, ruling_window=900,
        unreviewed_bps=2500, unruled_bps=0, fee_bps=100, fee_to=accounts[4], tip=7, document=ZERO32, salt=ZERO32,
    )  # fmt: skip
    return Agreement(terms, tuple(Milestone(1_000_000 * (i + 1), now + 5000, keccak(bytes([i]))) for i in range(3)))


@pytest.fixture
def stage(own_chain: Deployed, tmp_path: Path) -> Iterator[Stage]:
    anvil, payer = own_chain.anvil, own_chain.anvil.accounts[1]
    quorum = _quorum(own_chain)
    agreement = _agreement(own_chain, quorum)
    total = sum(m.amount for m in agreement.milestones)
    _mint(own_chain, payer, total)
    anvil.send(payer, own_chain.token, contract("ERC20").encode("approve", own_chain.escrow, total))
    anvil.send(payer, own_chain.verifier, contract("QuorumVerifier").encode("announce", quorum.m, list(quorum.members)))
    store = open_store(tmp_path / "m.db")
    made = Stage(own_chain, store, Follower(anvil.rpc, store, own_chain.deployment), agreement, quorum)
    made.call(payer, "fund", terms_to_abi(agreement.terms), [milestone_to_abi(m) for m in agreement.milestones], 0b111)
    yield made
    store.close()


def _attest(stage: Stage, index: int, attestation: Attestation) -> None:
    domain = verifier_domain(31337, stage.chain.verifier)
    digest = attestation_digest(domain, stage.chain.escrow, stage.id, stage.quorum.hash, index, attestation)
    keys = dict(zip(stage.chain.anvil.accounts, KEYS, strict=True))
    signatures = {
        member: to_compact(PrivateKey(bytes.fromhex(keys[member][2:])).sign_recoverable(digest, hasher=None))
        for member in stage.quorum.members
    }
    proof = assemble_proof(stage.quorum, signatures)
    stage.call(stage.chain.anvil.accounts[9], "attest", stage.part(index), attestation_to_abi(attestation), proof)


def test_a_whole_life_is_shown_as_the_contract_says_it(stage: Stage) -> None:
    payer, payee, arbiter = stage.chain.anvil.accounts[1:4]
    stage.follow()
    stage.check()
    with stage.store.read() as conn:
        assert views.quorum_of(conn, stage.chain.verifier, stage.quorum.hash) == stage.quorum

    stage.call(payee, "submit", stage.part(0), WORK)
    _attest(stage, 0, Attestation(0, WORK, 0))
    stage.follow()
    stage.check()
    assert (stage.milestone(0).state.status, stage.milestone(0).state.attempt) == (Status.FUNDED, 1)

    stage.call(payee, "submit", stage.part(0), WORK)
    _attest(stage, 0, Attestation(1, WORK, 8000))
    stage.call(payer, "dispute", stage.part(0), b"not quite")
    stage.follow()
    stage.check()
    assert stage.milestone(0).state.standing_bps == 8000

    stage.call(arbiter, "rule", stage.id, stage.part(0), 4000)
    stage.call(payer, "approve", stage.part(1))
    stage.chain.anvil.warp(6000)
    stage.follow()
    with stage.store.read() as conn:
        now = stage.follower.step().head.time
        assert [view.index for view in views.due_before(conn, now)] == [2]
    stage.call(arbiter, "settleMany", [stage.part(2)])
    stage.follow()
    stage.check()

    with stage.store.read() as conn:
        view = views.agreement_view(conn, stage.id)
        assert view
        causes = {index: settlement.cause for index, settlement in view.settlements.items()}
        assert [event.name for event in views.events_of(conn, stage.id)][:3] == ["Funded", "Submitted", "Rejected"]
    assert causes == {0: Cause.RULED, 1: Cause.APPROVED, 2: Cause.LAPSED}
    assert (view.funded, view.closed) == (0b111, 0b111)
    assert view.settlements[0].to_payee == 396_000
    assert view.settlements[0].to_payer == 600_000


def _successor(stage: Stage, first: int) -> Agreement:
    """Other terms of the same parties, the first milestone of another amount."""
    terms = replace(stage.agreement.terms, salt=b"\x01" * 32, verifier=ZERO_ADDRESS, quorum=ZERO32, challenge_window=0)
    milestones = stage.agreement.milestones
    return Agreement(terms, (replace(milestones[0], amount=first), *milestones[1:]))


def _amend(stage: Stage, target: Agreement, closes: int, opens: int, sender: str, value: int = 0) -> AgreementId:
    """Both sign as of the head, anybody sends; the other agreement's id."""
    now, source = head(stage.chain.anvil.rpc).time, stage.agreement
    domain = escrow_domain(31337, stage.chain.escrow)
    what = Amendment(closes, opens, now, now + 1000)
    both = [(terms_to_abi(a.terms), [milestone_to_abi(m) for m in a.milestones]) for a in (source, target)]
    signatures = stage.both_signed(amendment_digest(domain, stage.id, what, target))
    arguments = (amendment_to_abi(what), *both[0], *both[1], *signatures)
    stage.call(sender, "amend", *arguments, value=value)
    return agreement_id(domain, target.terms, target.milestones)


def test_what_parties_sign_is_shown_as_the_contract_says_it(stage: Stage) -> None:
    anvil, token = stage.chain.anvil, stage.chain.token
    payer, payee, stranger = anvil.accounts[1], anvil.accounts[2], anvil.accounts[9]
    terms, milestones = stage.agreement.terms, [milestone_to_abi(m) for m in stage.agreement.milestones]
    stage.call(stranger, "accept", terms_to_abi(terms), milestones, stage.signed_by(2, stage.id))
    stage.call(payee, "submit", stage.part(0), WORK)
    now = anvil.warp(5).time
    split = Split(stage.id, 0, 2500, now, now + 1000)
    digest = split_digest(escrow_domain(31337, stage.chain.escrow), split)
    stage.call(stranger, "agree", stage.part(0), 2500, now, now + 1000, *stage.both_signed(digest))
    stage.follow()
    stage.check()

    target = _successor(stage, 1_500_000)
    _mint(stage.chain, payer, 2_000_000)
    anvil.send(payer, token, contract("ERC20").encode("approve", stage.chain.escrow, 2_000_000))
    opened = _amend(stage, target, 0b110, 0b111, payer)
    stage.follow()
    stage.check(agreements=2)

    with stage.store.read() as conn:
        before, after = views.agreement_view(conn, stage.id), views.agreement_view(conn, opened)
    assert before
    assert after
    assert before.accepted
    assert before.accepted.by == payee
    assert (before.settlements[0].cause, before.settlements[0].to_payee) == (Cause.AGREED, 247_500)
    assert {before.settlements[i].cause for i in (1, 2)} == {Cause.AMENDED}
    assert {before.settlements[i].executor for i in (1, 2)} == {payer}
    assert before.amendments == (after.opened_by,)
    assert after.opened_by
    assert (after.opened_by.closes, after.opened_by.opens, after.opened_by.moved) == (0b110, 0b111, 5_000_000)
    assert (after.funded, after.closed) == (0b111, 0)


def test_a_reorganisation_takes_an_amendment_back_on_both_sides(stage: Stage) -> None:
    stage.chain.anvil.mine(2)
    opened = _amend(stage, _successor(stage, 1_000_000), 0b111, 0b001, stage.chain.anvil.accounts[9])
    stage.follow()
    stage.check(agreements=2)

    stage.chain.anvil.reorg(1)
    stage.follow()

    with stage.store.read() as conn:
        assert views.agreement_view(conn, opened) is None
    assert all(stage.milestone(index).open for index in range(3))
    stage.check()
    before = stage.dump()
    rebuild(stage.store)
    assert stage.dump() == before


def test_an_agreement_in_native_currency_is_followed_like_any_other(stage: Stage) -> None:
    anvil, payer = stage.chain.anvil, stage.chain.anvil.accounts[1]
    stage.agreement = Agreement(replace(stage.agreement.terms, token=ZERO_ADDRESS), stage.agreement.milestones)
    whole = (terms_to_abi(stage.agreement.terms), [milestone_to_abi(m) for m in stage.agreement.milestones])
    stage.call(payer, "fund", *whole, 0b011, value=3_000_000)
    target = _successor(stage, 500_000)
    _amend(stage, target, 0b001, 0b010, payer, value=1_000_000)
    stage.call(payer, "approve", stage.part(1))

    stage.follow()

    stage.check(agreements=3)
    assert int(anvil.rpc.call("eth_getBalance", stage.chain.escrow, "latest"), 16) == 2_000_000


def test_a_reorganisation_takes_a_submission_back(stage: Stage) -> None:
    payee = stage.chain.anvil.accounts[2]
    stage.chain.anvil.mine(2)
    stage.call(payee, "submit", stage.part(0), WORK)
    stage.follow()
    assert stage.milestone(0).state.status is Status.SUBMITTED

    stage.chain.anvil.reorg(1)
    step = stage.follow()

    assert (step.reorg_depth, step.removed) == (1, 1)
    assert stage.milestone(0).state.status is Status.FUNDED
    stage.check()


def test_a_settlement_that_a_reorganisation_removed_happens_again_on_the_new_branch(stage: Stage) -> None:
    payer = stage.chain.anvil.accounts[1]
    stage.chain.anvil.mine(2)
    stage.call(payer, "approve", stage.part(1))
    stage.chain.anvil.mine()
    stage.follow()
    assert not stage.milestone(1).open

    stage.chain.anvil.reorg(2)
    stage.follow()
    assert stage.milestone(1).open
    stage.check()

    again = stage.call(payer, "approve", stage.part(1))
    stage.follow()
    with stage.store.read() as conn:
        settlement = views.settlement_of(conn, stage.id, 1)
    assert settlement
    assert settlement.tx_hash == again
    stage.check()


def test_a_reorganisation_through_a_final_block_halts_until_the_cache_is_forgotten(stage: Stage) -> None:
    stage.chain.anvil.mine(10)
    stage.follow()
    before = stage.dump()
    stage.chain.anvil.reorg(6)

    with pytest.raises(MilepostError) as caught:
        stage.follower.step()
    assert caught.value.code == "DEEP_REORG"
    assert stage.dump() == before

    forget(stage.store)
    stage.follow()
    stage.check()


def test_rebuilding_from_events_and_from_the_chain_ends_byte_equal(stage: Stage) -> None:
    payer, payee = stage.chain.anvil.accounts[1:3]
    for index in (0, 2):
        stage.call(payee, "submit", stage.part(index), WORK)
        stage.follow()
        stage.chain.anvil.reorg(1)
        stage.follow()
    stage.call(payer, "approve", stage.part(1))
    stage.chain.anvil.mine(5)
    stage.follow()
    before = stage.dump()

    rebuild(stage.store)
    assert stage.dump() == before

    forget(stage.store)
    stage.follow()
    assert stage.dump() == before


def test_a_node_that_dies_is_named_and_nothing_is_lost(stage: Stage) -> None:
    stage.follow()
    before = stage.dump()
    stage.chain.anvil.process.terminate()
    stage.chain.anvil.process.wait(10)

    with pytest.raises(MilepostError) as caught:
        stage.follower.step()
    assert caught.value.code == "RPC_UNREACHABLE"
    assert stage.dump() == before


def test_a_contract_that_says_something_else_is_reported_by_the_self_check(stage: Stage) -> None:
    stage.follow()
    with stage.store.begin() as conn:
        conn.execute(schema.milestone.update().where(schema.milestone.c.index == 1).values(attempt=3, since=99))
    with pytest.raises(MilepostError, match="differs from the contract") as caught:
        stage.check()
    assert caught.value.code == "LEDGER_DIFFERS"


def test_a_follower_killed_while_it_works_resumes(stage: Stage) -> None:
    payee = stage.chain.anvil.accounts[2]
    program = f"""
from pathlib import Path
from keeper.chain.deployment import load_deployment
from keeper.chain.rpc import Rpc
from keeper.ledger.follow import Follower
from keeper.store.engine import open_store
rpc, store = Rpc([{stage.chain.anvil.url!r}]), open_store({str(stage.store.path)!r})
follower = Follower(rpc, store, load_deployment(Path({str(stage.chain.path)!r})))
print("stepping", flush=True)
while True:
    follower.step()
    print("stepped", flush=True)
"""
    for round_ in range(3):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout
            assert process.stdout.readline() == "stepping\n"
            stage.chain.anvil.mine(3 * round_)
            if round_ == 1:
                stage.call(payee, "submit", stage.part(0), WORK)
            assert process.stdout.readline() == "stepped\n"
        finally:
            process.kill()
            process.communicate()
    stage.follow()
    assert stage.milestone(0).state.status is Status.SUBMITTED
    stage.check()
