"""Quorums, proofs and signatures (docs/protocol.md section 5)."""

from itertools import combinations

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import address_of, bytes32

from keeper.errors import MilepostError
from keeper.protocol.quorum import Quorum, assemble_proof, contract_signature, recover, to_compact

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ACCOUNTS = sorted((Account.from_key(bytes([i]) * 32) for i in range(1, 6)), key=lambda a: int(a.address, 16))
MEMBERS = tuple(a.address for a in ACCOUNTS)
DIGEST = keccak(b"digest")
SIGNATURES = {a.address: to_compact(a.unsafe_sign_hash(DIGEST).signature) for a in ACCOUNTS}


def test_hash_is_over_threshold_size_and_packed_members():
    packed = bytes([3, 5]) + b"".join(bytes.fromhex(a[2:]) for a in MEMBERS)

    assert Quorum(3, MEMBERS).hash == keccak(packed)


@pytest.mark.parametrize(
    ("m", "members", "words"),
    [
        (1, (), "1 to 32 members"),
        (17, tuple(address_of(i) for i in range(1, 34)), "1 to 32 members"),
        (4, MEMBERS[:3], "at most the number"),
        (1, MEMBERS[:2], "majority"),
        (2, MEMBERS[:4], "majority"),
        (0, MEMBERS[:1], "majority"),
        (2, (MEMBERS[1], MEMBERS[0]), "strictly ascending"),
        (2, (MEMBERS[0], MEMBERS[0], MEMBERS[1]), "strictly ascending"),
        (1, (address_of(0),), "zero address"),
        (1, (MEMBERS[0].lower(),), "EIP-55"),
    ],
)
def test_a_quorum_that_breaks_a_rule_is_refused_by_name(m, members, words):
    with pytest.raises(MilepostError, match=words) as refused:
        Quorum(m, members).check()

    assert refused.value.code == "TERMS_INVALID"


@given(bytes32, st.integers(1, ORDER - 1))
def test_recover_names_the_signer(digest, key):
    account = Account.from_key(key.to_bytes(32, "big"))

    signature = to_compact(account.unsafe_sign_hash(digest).signature)

    assert recover(digest, signature) == account.address


def test_high_s_is_refused_in_both_forms():
    signature = ACCOUNTS[0].unsafe_sign_hash(DIGEST).signature
    s = ORDER - int.from_bytes(signature[32:64], "big")
    flipped = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])

    with pytest.raises(MilepostError, match="lower half"):
        to_compact(flipped)
    if s < 1 << 255:
        with pytest.raises(MilepostError, match="lower half"):
            recover(DIGEST, signature[:32] + s.to_bytes(32, "big"))


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, b"\x01" * 63, bytes(32) + b"\x01" * 32])
def test_what_does_not_recover_is_refused(signature):
    with pytest.raises(MilepostError):
        recover(DIGEST, signature)


@pytest.mark.parametrize("v", [2, 26, 29, 255])
def test_an_unknown_recovery_byte_is_refused(v):
    with pytest.raises(MilepostError):
        to_compact(b"\x01" * 64 + bytes([v]))


def test_parity_byte_0_and_27_are_the_same():
    signature = ACCOUNTS[0].unsafe_sign_hash(DIGEST).signature

    assert to_compact(signature[:64] + bytes([signature[64] - 27])) == to_compact(signature)


@pytest.mark.parametrize("signers", [c for n in (3, 4, 5) for c in combinations(range(5), n)])
def test_proof_carries_exactly_the_lowest_signers_in_member_order(signers):
    quorum = Quorum(3, MEMBERS)
    held = {MEMBERS[i]: SIGNATURES[MEMBERS[i]] for i in reversed(signers)}

    proof = assemble_proof(quorum, held)

    head, bitmap, rest = proof[:102], int.from_bytes(proof[102:106], "big"), proof[106:]
    assert keccak(head) == quorum.hash
    assert bitmap == sum(1 << i for i in signers[:3])
    assert rest == b"".join(SIGNATURES[MEMBERS[i]] for i in signers[:3])


def test_proof_with_spares_carries_all_signers():
    proof = assemble_proof(Quorum(3, MEMBERS), SIGNATURES, spares=True)

    assert proof[102:106] == (31).to_bytes(4, "big")
    assert len(proof) == 106 + 5 * 64


def test_signatures_of_strangers_do_not_count():
    held = {MEMBERS[0]: SIGNATURES[MEMBERS[0]], address_of(9): b"\x01" * 64}

    with pytest.raises(MilepostError, match="at least 2"):
        assemble_proof(Quorum(2, MEMBERS[:3]), held)


def test_a_signature_of_65_bytes_is_refused_in_a_proof():
    with pytest.raises(MilepostError, match="64 bytes"):
        assemble_proof(Quorum(1, MEMBERS[:1]), {MEMBERS[0]: b"\x01" * 65})


def test_a_contract_s_signature_stands_in_a_proof_with_its_length():
    held = {MEMBERS[0]: contract_signature(b"hello"), MEMBERS[1]: SIGNATURES[MEMBERS[1]]}

    proof = assemble_proof(Quorum(2, MEMBERS[:3]), held)

    assert proof[66:] == bytes(32) + (5).to_bytes(32, "big") + b"hello" + SIGNATURES[MEMBERS[1]]


@pytest.mark.parametrize(
    "signature",
    [
        bytes(63),
        bytes(32) + (1).to_bytes(32, "big"),
        contract_signature(b"hello") + b"!",
        contract_signature(b"a")[:-1],
    ],
)
def test_a_contract_s_signature_of_another_length_than_it_says_is_refused_in_a_proof(signature):
    with pytest.raises(MilepostError, match="with its length"):
        assemble_proof(Quorum(1, MEMBERS[:1]), {MEMBERS[0]: signature})


def test_a_contract_that_signs_with_nothing_has_a_proof_too():
    assert assemble_proof(Quorum(1, MEMBERS[:1]), {MEMBERS[0]: contract_signature(b"")})[26:] == bytes(64)
