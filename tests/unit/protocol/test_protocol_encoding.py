"""Ids and digests against eth_account's independent encoder, and the ABI tuples against eth_abi."""

import json
from dataclasses import fields, replace

import eth_abi
import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import DOMAIN, ESCROW, addresses, any_agreement, any_terms, bytes32, uint

from keeper.errors import MilepostError
from keeper.protocol import encoding as e
from keeper.protocol import offers
from keeper.protocol.abi import AMENDMENT_ABI, amendment_to_abi
from keeper.protocol.types import Amendment, Attestation, Part, Split

attestations = st.builds(Attestation, attempt=uint(16), deliverable=bytes32, payout_bps=uint(16))
splits = st.builds(Split, agreement=bytes32, milestone=uint(256), payee_bps=uint(16), as_of=uint(40), deadline=uint(40))
amendments = st.builds(Amendment, closes=uint(64), opens=uint(64), as_of=uint(40), deadline=uint(40))


def wallet_hash(typed_data):
    message = encode_typed_data(full_message=json.loads(json.dumps(typed_data)))
    return keccak(b"\x19" + message.version + message.header + message.body)


def test_terms_type_is_the_protocols_type_string():
    assert e.TERMS_TYPE == (
        "Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,"
        "bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,"
        "uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,"
        "Milestone[] milestones)Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)"
    )


def test_attestation_type_is_the_protocols_type_string():
    assert e.ATTESTATION_TYPE == (
        "Attestation(address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,"
        "bytes32 deliverable,uint16 payoutBps)"
    )


def test_what_both_sign_has_the_protocols_type_strings():
    assert offers.SPLIT_TYPE == (
        "Split(bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 asOf,uint40 deadline)"
    )
    assert (
        "Amendment(bytes32 from,uint64 closes,Terms to,uint64 opens,uint40 asOf,uint40 deadline)"
        + e.MILESTONE_TYPE
        + e.TERMS_TYPE.removesuffix(e.MILESTONE_TYPE)
    ) == offers.AMENDMENT_TYPE


@given(any_agreement, uint(256), addresses)
def test_agreement_id_is_the_hash_that_a_wallet_shows(agreement, chain_id, escrow):
    domain = e.escrow_domain(chain_id, escrow)

    id_ = e.agreement_id(domain, agreement.terms, agreement.milestones)

    assert id_ == wallet_hash(e.terms_typed_data(domain, agreement))


@given(any_agreement)
def test_every_part_hashes_to_the_agreement(agreement):
    id_ = e.agreement_id(DOMAIN, agreement.terms, agreement.milestones)

    for index in range(len(agreement.milestones)):
        assert e.agreement_id_of_part(DOMAIN, agreement.part(index)) == id_


@given(addresses, bytes32, bytes32, uint(256), attestations, addresses)
def test_attestation_digest_is_the_hash_that_a_wallet_shows(escrow, agreement, quorum, index, verdict, verifier):
    about = (e.verifier_domain(1, verifier), escrow, agreement, quorum, index, verdict)

    assert e.attestation_digest(*about) == wallet_hash(e.attestation_typed_data(*about))


@given(splits, uint(256), addresses)
def test_split_digest_is_the_hash_that_a_wallet_shows(split, chain_id, escrow):
    domain = e.escrow_domain(chain_id, escrow)

    assert offers.split_digest(domain, split) == wallet_hash(offers.split_typed_data(domain, split))


@given(bytes32, amendments, any_agreement)
def test_amendment_digest_is_the_hash_that_a_wallet_shows(source, amendment, target):
    about = (DOMAIN, source, amendment, target)

    assert offers.amendment_digest(*about) == wallet_hash(offers.amendment_typed_data(*about))


@given(splits, splits, st.data())
def test_changing_any_one_field_changes_a_split(split, other, data):
    name = data.draw(st.sampled_from([f.name for f in fields(Split)]))
    changed = replace(split, **{name: getattr(other, name)})

    digests = {offers.split_digest(DOMAIN, s) for s in (split, changed)}

    assert len(digests) == (1 if split == changed else 2)


@given(bytes32, bytes32, amendments, amendments, any_agreement, any_agreement, st.data())
def test_changing_anything_changes_an_amendment(source, other_source, amendment, other, target, other_target, data):
    name = data.draw(st.sampled_from([f.name for f in fields(Amendment)]))
    changed = replace(amendment, **{name: getattr(other, name)})

    about = {(source, amendment, target), (other_source, amendment, target)}
    about |= {(source, changed, target), (source, amendment, other_target)}

    assert len({offers.amendment_digest(DOMAIN, *what) for what in about}) == len(about)


@given(bytes32, uint(64), bytes32, uint(64))
def test_an_authorizations_nonce_names_the_agreement_and_the_milestones(agreement, mask, other, other_mask):
    nonce = offers.authorization_nonce(agreement, mask)

    assert nonce == keccak(eth_abi.encode(["bytes32", "uint256"], [agreement, mask]))
    assert (nonce == offers.authorization_nonce(other, other_mask)) == ((agreement, mask) == (other, other_mask))


@given(amendments)
def test_amendment_fits_the_abi(amendment):
    encoded = eth_abi.encode([AMENDMENT_ABI], [amendment_to_abi(amendment)])

    decoded = eth_abi.decode(["(uint64,uint64,uint40,uint40)"], encoded)[0]
    assert decoded == (amendment.closes, amendment.opens, amendment.as_of, amendment.deadline)


@given(any_agreement, any_terms, st.data())
def test_changing_any_one_field_changes_the_id(agreement, other, data):
    name = data.draw(st.sampled_from([f.name for f in fields(other)]))
    changed = replace(agreement.terms, **{name: getattr(other, name)})
    same = changed == agreement.terms

    ids = {e.agreement_id(DOMAIN, terms, agreement.milestones) for terms in (agreement.terms, changed)}

    assert len(ids) == (1 if same else 2)


@given(any_agreement, any_agreement)
def test_ids_are_equal_only_for_equal_agreements(one, other):
    ids = [e.agreement_id(DOMAIN, a.terms, a.milestones) for a in (one, other)]

    assert (ids[0] == ids[1]) == (one == other)


@given(any_agreement, st.data())
def test_part_survives_the_abi(agreement, data):
    part = agreement.part(data.draw(st.integers(0, len(agreement.milestones) - 1)))

    encoded = eth_abi.encode([e.PART_ABI], [e.part_to_abi(part)])

    assert e.part_from_abi(eth_abi.decode([e.PART_ABI], encoded)[0]) == part


@given(attestations)
def test_attestation_survives_the_abi(verdict):
    encoded = eth_abi.encode([e.ATTESTATION_ABI], [e.attestation_to_abi(verdict)])

    assert e.attestation_from_abi(eth_abi.decode([e.ATTESTATION_ABI], encoded)[0]) == verdict


def test_abi_types_are_in_the_protocols_order():
    assert e.TERMS_ABI == (
        "(address,address,address,address,bytes32,address,bool,uint32,uint32,uint32,"
        "uint16,uint16,uint16,address,uint96,bytes32,bytes32)"
    )
    assert e.MILESTONE_ABI == "(uint128,uint40,bytes32)"
    assert f"({e.TERMS_ABI},bytes32[],uint8,{e.MILESTONE_ABI})" == e.PART_ABI


@given(any_agreement.filter(lambda a: len(set(a.milestones)) > 1))
def test_part_with_a_milestone_that_is_not_its_leaf_is_refused(agreement):
    first = agreement.part(0)
    stranger = next(m for m in agreement.milestones if m != first.milestone)

    with pytest.raises(MilepostError, match="does not belong"):
        e.agreement_id_of_part(DOMAIN, Part(first.terms, first.leaves, 0, stranger))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tip", 2**96),
        ("tip", -1),
        ("review_window", True),
        ("salt", b"\x01" * 31),
        ("payer", ESCROW.lower().replace("e5c0", "E5c0")),
        ("arbiter_hook", 1),
    ],
)
@given(agreement=any_agreement)
def test_a_value_that_does_not_fit_its_type_is_refused(agreement, name, value):
    with pytest.raises(MilepostError, match="does not fit"):
        e.agreement_id(DOMAIN, replace(agreement.terms, **{name: value}), agreement.milestones)


@given(any_agreement)
def test_part_outside_the_schedule_is_an_index_error(agreement):
    with pytest.raises(IndexError):
        agreement.part(len(agreement.milestones))
    with pytest.raises(IndexError):
        agreement.part(-1)
