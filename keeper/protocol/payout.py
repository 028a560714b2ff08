"""What each receives when a milestone settles (docs/protocol.md section 4, Payout)."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.protocol.types import ALL_BPS, Bps


@dataclass(frozen=True, slots=True)
class Payout:
    """The four shares of a milestone's amount, in token units; they always sum to the amount."""

    to_payee: int
    to_payer: int
    fee: int
    tip: int


def share_of(amount: int, bps: Bps) -> int:
    """The payee's gross share, rounded down (docs/protocol.md section 4, Payout)."""
    return amount * bps // ALL_BPS


def payout(amount: int, payee_bps: Bps, fee_bps: Bps, tip: int, with_tip: bool) -> Payout:
    """Split `amount` as the escrow does (docs/protocol.md section 4, Payout).

    Fee and tip come out of the payee's share; the tip is cut to what the fee leaves and is paid only for `attest`,
    `settle` and `settleMany` (`with_tip`). Each division rounds down and no unit is lost.
    """
    share = share_of(amount, payee_bps)
    fee = share_of(share, fee_bps)
    paid_tip = min(tip, share - fee) if with_tip else 0
    return Payout(to_payee=share - fee - paid_tip, to_payer=amount - share, fee=fee, tip=paid_tip)
