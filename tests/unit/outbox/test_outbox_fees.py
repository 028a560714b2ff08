"""What a transaction offers: ceilings, replacements, and saying why there is no offer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keeper.outbox.fees import FeeLimits, Market, Offer, Unaffordable, bumped, plan_fees

GWEI = 10**9
WIDE = FeeLimits(max_fee=500 * GWEI, max_tx=10**18, max_day=10**19)
MARKET = Market(base_fee=10 * GWEI, tip=GWEI, balance=10**18, spent_today=0)
AMOUNTS = st.integers(0, 10**20)
MARKETS = st.builds(Market, base_fee=st.integers(1, 10**13), tip=AMOUNTS, balance=AMOUNTS, spent_today=AMOUNTS)
LIMITS = st.builds(
    FeeLimits,
    max_fee=AMOUNTS,
    max_tx=AMOUNTS,
    max_day=AMOUNTS,
    replace_after_s=st.just(15.0),
    bump_bps=st.integers(1_250, 10_000),
)
GAS = st.integers(21_000, 2**24)


def test_a_first_offer_is_twice_the_base_fee_and_the_tip() -> None:
    assert plan_fees(MARKET, 100_000, WIDE) == Offer(21 * GWEI, GWEI)


def test_a_first_offer_is_cut_to_the_ceiling_as_long_as_it_covers_the_base_fee() -> None:
    assert plan_fees(MARKET, 100_000, FeeLimits(10 * GWEI, 10**18, 10**19)) == Offer(10 * GWEI, GWEI)
    assert plan_fees(MARKET, 100_000, FeeLimits(10 * GWEI - 1, 10**18, 10**19)) == Unaffordable(
        "100000 gas needs 10000000000 wei per gas, max_fee allows 9999999999", poor=False
    )


def test_a_replacement_offers_an_eighth_more_on_both_caps_even_when_gas_got_cheaper() -> None:
    assert plan_fees(MARKET, 100_000, WIDE, Offer(80 * GWEI, 8 * GWEI)) == Offer(90 * GWEI, 9 * GWEI)


def test_a_replacement_above_a_ceiling_is_unaffordable_instead_of_too_small_to_be_taken() -> None:
    assert isinstance(plan_fees(MARKET, 100_000, WIDE, Offer(480 * GWEI, GWEI)), Unaffordable)


def test_lack_of_money_is_told_apart_from_a_ceiling() -> None:
    poor = plan_fees(Market(10 * GWEI, GWEI, 1, 0), 100_000, WIDE)
    capped = plan_fees(Market(10 * GWEI, GWEI, 10**18, 10**19), 100_000, WIDE)

    assert isinstance(poor, Unaffordable)
    assert poor.poor
    assert isinstance(capped, Unaffordable)
    assert not capped.poor
    assert "max_day" in capped.reason


@given(MARKETS, GAS, LIMITS, st.none() | st.builds(Offer, AMOUNTS, AMOUNTS))
def test_no_offer_breaks_a_ceiling_and_no_replacement_is_too_small(
    market: Market, gas: int, limits: FeeLimits, replaces: Offer | None
) -> None:
    offer = plan_fees(market, gas, limits, replaces)

    if isinstance(offer, Unaffordable):
        return
    assert offer.max_fee <= limits.max_fee
    assert offer.max_fee * gas <= min(limits.max_tx, market.balance, limits.max_day - market.spent_today)
    assert 0 <= offer.max_priority_fee <= offer.max_fee
    if replaces is None:
        assert offer.max_fee >= market.base_fee
    else:
        assert 10_000 * offer.max_fee >= replaces.max_fee * (10_000 + limits.bump_bps)


@given(st.integers(0, 10**20), st.integers(1_250, 10_000))
def test_a_bump_is_at_least_its_share_and_at_least_a_wei(cap: int, bps: int) -> None:
    assert bumped(cap, bps) > cap
    assert bumped(cap, bps) * 10_000 >= cap * (10_000 + bps)
