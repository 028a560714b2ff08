"""What a panel's member signs, against eth_account's independent encoder."""

import json
from dataclasses import fields, replace

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import ESCROW, STRANGER, addresses, bytes32, uint

from keeper.errors import MilepostError
from keeper.protocol.panel import VOTE_TYPE, Vote, panel_domain, vote_digest, vote_typed_data

PANEL = panel_domain(1, STRANGER)
votes = st.builds(
    Vote,
    member=addresses,
    escrow=addresses,
    agreement=bytes32,
    milestone=uint(256),
    payee_bps=uint(16),
    deadline=uint(40),
)


def test_vote_type_is_the_contracts_type_string():
    assert VOTE_TYPE == (
        "Vote(address member,address escrow,bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 deadline)"
    )


@given(votes, uint(256), addresses)
def test_vote_digest_is_the_hash_that_a_wallet_shows(vote, chain_id, panel):
    domain = panel_domain(chain_id, panel)

    message = encode_typed_data(full_message=json.loads(json.dumps(vote_typed_data(domain, vote))))

    assert vote_digest(domain, vote) == keccak(b"\x19" + message.version + message.header + message.body)


@given(votes, votes, st.data())
def test_changing_any_one_field_changes_a_vote(vote, other, data):
    name = data.draw(st.sampled_from([f.name for f in fields(Vote)]))
    changed = replace(vote, **{name: getattr(other, name)})

    assert len({vote_digest(PANEL, v) for v in (vote, changed)}) == (1 if vote == changed else 2)


@given(votes, uint(256), addresses)
def test_a_vote_counts_for_one_chain_and_one_panel(vote, chain_id, panel):
    domain = panel_domain(chain_id, panel)

    assert (vote_digest(PANEL, vote) == vote_digest(domain, vote)) == (domain == PANEL)


@pytest.mark.parametrize("wrong", [{"payee_bps": -1}, {"payee_bps": 1 << 16}, {"milestone": "1"}, {"member": "0x12"}])
def test_a_vote_that_does_not_fit_its_types_is_refused(wrong):
    vote = replace(Vote(STRANGER, ESCROW, bytes(32), 0, 0, 0), **wrong)

    with pytest.raises(MilepostError, match="TERMS_INVALID"):
        vote_digest(PANEL, vote)
