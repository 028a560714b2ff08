"""Random values for the protocol's properties: any terms that fit their types, and terms that funding accepts."""

from eth_utils.address import to_checksum_address
from hypothesis import strategies as st

from keeper.protocol.encoding import escrow_domain
from keeper.protocol.types import (
    MAX_WINDOW,
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Agreement,
    Milestone,
    Terms,
)

NOW = 1_799_020_800


def address_of(number: int) -> Address:
    return Address(to_checksum_address(number.to_bytes(20, "big")))


ESCROW = address_of(0xE5C0)
DOMAIN = escrow_domain(31337, ESCROW)
PAYER, PAYEE, ARBITER, FEE_TO, TOKEN, VERIFIER, STRANGER = (address_of(0xA000 + i) for i in range(7))

bytes32 = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20).map(lambda b: Address(to_checksum_address(b)))


def uint(bits):
    return st.integers(0, 2**bits - 1)


any_milestone = st.builds(Milestone, amount=uint(128), submit_by=uint(40), criteria=bytes32)
any_terms = st.builds(
    Terms,
    payer=addresses,
    payee=addresses,
    token=addresses,
    verifier=addresses,
    quorum=bytes32,
    arbiter=addresses,
    arbiter_hook=st.booleans(),
    review_window=uint(32),
    challenge_window=uint(32),
    ruling_window=uint(32),
    unreviewed_bps=uint(16),
    unruled_bps=uint(16),
    fee_bps=uint(16),
    fee_to=addresses,
    tip=uint(96),
    document=bytes32,
    salt=bytes32,
)
any_agreement = st.builds(Agreement, any_terms, st.lists(any_milestone, min_size=1, max_size=6).map(tuple))

_bps = st.one_of(st.integers(0, 10_000), st.sampled_from([0, 1, 9_999, 10_000]))
_window = st.one_of(st.integers(1, MAX_WINDOW), st.integers(1, 10))
_amount = st.one_of(st.integers(1, 2**128 - 1), st.integers(1, 50))


@st.composite
def accepted_agreements(draw, max_milestones=4):
    """Terms and schedules that funding at NOW accepts, with and without verifier and arbiter."""
    attested, arbitrated = draw(st.booleans()), draw(st.booleans())
    fee_bps = draw(_bps)
    milestones = draw(
        st.lists(
            st.builds(
                Milestone, _amount, st.integers(NOW + 1, NOW + 1000) | st.integers(NOW + 1, NOW + 10**8), bytes32
            ),
            min_size=1,
            max_size=max_milestones,
        )
    )
    smallest = min(m.amount for m in milestones)
    terms = Terms(
        payer=PAYER,
        payee=PAYEE,
        token=draw(st.sampled_from([TOKEN, ZERO_ADDRESS])),
        verifier=VERIFIER if attested else ZERO_ADDRESS,
        quorum=b"\x07" * 32 if attested else ZERO32,
        arbiter=ARBITER if arbitrated else ZERO_ADDRESS,
        arbiter_hook=arbitrated and draw(st.booleans()),
        review_window=draw(_window),
        challenge_window=draw(_window) if attested and arbitrated else 0,
        ruling_window=draw(_window) if arbitrated else 0,
        unreviewed_bps=draw(_bps) if arbitrated else 0,
        unruled_bps=draw(_bps) if arbitrated and not attested else 0,
        fee_bps=fee_bps,
        fee_to=FEE_TO if fee_bps else ZERO_ADDRESS,
        tip=draw(st.integers(0, min(smallest // 10, 2**96 - 1))),
        document=draw(bytes32),
        salt=draw(bytes32),
    )
    return Agreement(terms, tuple(milestones))
