"""Two verdicts that cannot both be honest (docs/protocol.md section 5, Equivocation)."""

from dataclasses import replace

import pytest
from eth_account import Account
from protocol_strategies import ESCROW, VERIFIER

from keeper.chain.abi import contract
from keeper.errors import MilepostError
from keeper.protocol.encoding import AgreementId, attestation_digest, verifier_domain
from keeper.protocol.equivocation import SignedVerdict, Subject, equivocation, subject_of
from keeper.protocol.quorum import Quorum, to_compact
from keeper.protocol.types import ZERO32, Attestation

ACCOUNTS = sorted((Account.from_key(bytes([i]) * 32) for i in range(1, 5)), key=lambda a: int(a.address, 16))
STRANGER = ACCOUNTS.pop()
QUORUM = Quorum(2, tuple(a.address for a in ACCOUNTS))
DOMAIN = verifier_domain(31337, VERIFIER)
AGREEMENT = AgreementId(b"\xa9" * 32)
WORK = b"\x0d" * 24 + bytes(8)
AWARD = Attestation(1, WORK, 7_000)
REJECTION = replace(AWARD, payout_bps=0)
ABOUT = (ESCROW, AGREEMENT, QUORUM.hash, 1)


def signed(verdict, account=ACCOUNTS[0], **changed):
    digest = attestation_digest(DOMAIN, *ABOUT, verdict)
    return SignedVerdict(replace(verdict, **changed), to_compact(account.unsafe_sign_hash(digest).signature))


def show(one, other):
    return equivocation(DOMAIN, QUORUM, ESCROW, AGREEMENT, 1, one, other)


def test_the_subject_is_everything_but_the_share_and_the_last_eight_bytes():
    verdict = Attestation(3, b"\x0d" * 32, 1)

    assert subject_of(*ABOUT, verdict) == Subject(ESCROW, AGREEMENT, QUORUM.hash, 1, 3, b"\x0d" * 24)
    assert subject_of(*ABOUT, replace(AWARD, payout_bps=1)) == subject_of(*ABOUT, AWARD)
    assert subject_of(*ABOUT, replace(AWARD, attempt=2)) != subject_of(*ABOUT, AWARD)


def test_two_shares_on_one_subject_name_the_member():
    assert show(signed(AWARD), signed(REJECTION)).member == ACCOUNTS[0].address


def test_deliverables_that_differ_in_the_low_eight_bytes_are_one_subject():
    full = Attestation(1, b"\x0d" * 32, 0)

    assert show(signed(AWARD), signed(full)).member == ACCOUNTS[0].address


def test_it_is_encoded_as_the_contract_takes_it():
    shown = show(signed(AWARD), signed(REJECTION))

    codec = contract("QuorumVerifier")
    calldata = codec.encode("proveEquivocation", 2, list(QUORUM.members), shown.to_abi(), STRANGER.address)
    name, values = codec.decode_input(calldata)

    assert name == "proveEquivocation"
    member, escrow, agreement, milestone, one, other = values["shown"]
    assert (member, escrow, agreement, milestone) == (ACCOUNTS[0].address, ESCROW, AGREEMENT, 1)
    assert one == ((1, WORK, 7_000), shown.one.signature[:32], shown.one.signature[32:])
    assert other[0] == (1, WORK, 0)


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (signed(AWARD), signed(AWARD), "two shares"),
        (signed(AWARD), signed(Attestation(2, WORK, 0)), "different attempts"),
        (signed(Attestation(1, ZERO32, 10_000)), signed(AWARD), "different attempts or deliverables"),
        (signed(AWARD), signed(REJECTION, ACCOUNTS[1]), "one signer"),
        (signed(AWARD), signed(REJECTION, payout_bps=1), "one signer"),
        (signed(AWARD, STRANGER), signed(REJECTION, STRANGER), "a member of the quorum"),
    ],
)
def test_what_an_honest_member_may_have_done_is_not_shown(one, other, words):
    with pytest.raises(MilepostError, match=words) as refused:
        show(one, other)

    assert refused.value.code == "ATTESTATION_REFUSED"
