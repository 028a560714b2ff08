"""What a key signs for an attester that is a contract (docs/protocol.md section 5)."""

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from protocol_strategies import address_of, addresses, bytes32

from keeper.errors import MilepostError
from keeper.protocol.attester_account import account_digest, account_domain, account_typed_data


@given(addresses, bytes32)
def test_the_digest_is_the_one_that_a_wallet_computes(account, digest):
    domain = account_domain(31337, account)

    message = encode_typed_data(full_message=account_typed_data(domain, digest))

    assert account_digest(domain, digest) == keccak(b"\x19" + message.version + message.header + message.body)


def test_one_verdict_is_another_message_for_each_account_chain_and_verdict():
    digest, one = b"\x01" * 32, account_domain(31337, address_of(1))

    assert account_digest(one, digest) != account_digest(account_domain(31337, address_of(2)), digest)
    assert account_digest(one, digest) != account_digest(account_domain(1, address_of(1)), digest)
    assert account_digest(one, digest) != account_digest(one, b"\x02" * 32)
    assert account_digest(one, digest) != digest


def test_a_digest_of_another_length_is_refused():
    with pytest.raises(MilepostError, match="digest does not fit"):
        account_digest(account_domain(31337, address_of(1)), b"\x01" * 31)
