"""What a transaction offers for gas, as a pure function (EIP-1559; docs/keeper.md section 5). All amounts in wei."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.config.settings import FeeSettings
from keeper.protocol.types import ALL_BPS


@dataclass(frozen=True, slots=True)
class FeeLimits:
    """The operator's ceilings. Gas money only: what a transaction itself pays is not counted."""

    max_fee: int
    """Wei per gas, the most that any transaction offers."""
    max_tx: int
    """Wei, the most that one transaction may burn: gas limit times offer."""
    max_day: int
    """Wei, the most that one day of chain time may burn."""
    replace_after_s: float = 15
    """Seconds of wall clock after which an unmined transaction is offered again, for more."""
    bump_bps: int = 1_250
    """How much more a replacement offers, in 1/10000, on both caps; nodes refuse less than 1000."""

    @classmethod
    def of(cls, settings: FeeSettings) -> FeeLimits:
        """The ceilings that the settings name under `fees`."""
        return cls(
            max_fee=settings.max_fee,
            max_tx=settings.max_tx,
            max_day=settings.max_day,
            replace_after_s=settings.replace_after_s,
            bump_bps=settings.bump_bps,
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """The two caps of an EIP-1559 transaction, wei per gas."""

    max_fee: int
    max_priority_fee: int


@dataclass(frozen=True, slots=True)
class Market:
    """What the chain charges and what is left to spend."""

    base_fee: int
    """Wei per gas, of the head."""
    tip: int
    """Wei per gas that the node suggests for the block's author."""
    balance: int
    """Wei that the sender can still spend: its balance less its other live transactions and the value sent along."""
    spent_today: int
    """Wei burnt or offered since the day of chain time began, without the transaction planned here."""


@dataclass(frozen=True, slots=True)
class Unaffordable:
    """Why there is no offer; `poor` when the account lacks the money, else a ceiling of the settings forbids it."""

    reason: str
    poor: bool


def plan_fees(market: Market, gas: int, limits: FeeLimits, replaces: Offer | None = None) -> Offer | Unaffordable:
    """The offer for a transaction of `gas`, or why there is none.

    Twice the base fee plus the tip survives six full blocks in a row. A replacement offers at least `bump_bps` more on
    both caps, rounded up. A first offer is cut down to the ceilings as long as it still covers the base fee; a
    replacement that breaks one is unaffordable, and its predecessor is broadcast again instead.
    """
    want = Offer(2 * market.base_fee + market.tip, market.tip)
    if replaces is not None:
        want = Offer(
            max(want.max_fee, bumped(replaces.max_fee, limits.bump_bps)),
            max(want.max_priority_fee, bumped(replaces.max_priority_fee, limits.bump_bps)),
        )
    ceilings = (
        ("max_fee allows", limits.max_fee, False),
        ("max_tx allows", limits.max_tx // gas, False),
        (f"max_day allows after {market.spent_today} wei today", (limits.max_day - market.spent_today) // gas, False),
        (f"a balance of {market.balance} wei pays for", market.balance // gas, True),
    )
    name, cap, poor = min(ceilings, key=lambda ceiling: ceiling[1])
    floor = market.base_fee if replaces is None else want.max_fee
    if cap < max(floor, 1):
        return Unaffordable(f"{gas} gas needs {max(floor, 1)} wei per gas, {name} {max(cap, 0)}", poor)
    max_fee = min(want.max_fee, cap)
    return Offer(max_fee, min(want.max_priority_fee, max_fee))


def bumped(cap: int, bump_bps: int) -> int:
    """`cap` raised by `bump_bps`/10000, rounded up and by at least one wei."""
    return max(cap + 1, -(-cap * (ALL_BPS + bump_bps) // ALL_BPS))
