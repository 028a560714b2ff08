"""The worst cases as formulas, worked out by hand from docs/protocol.md sections 2 to 4: what playing must find."""

from keeper.protocol.due import latest
from keeper.protocol.payout import payout
from keeper.protocol.types import ZERO_ADDRESS
from keeper.protocol.worst_case import Assumption, Role


def silent_share(terms, role):
    """The payee's share when no judge speaks: with a verifier no dispute changes it.

    With an arbiter alone whoever gains by it disputes, so both can count on the unruled share only; where the arbiter
    is called it may refuse one side, and each can count on the worse of the two.
    """
    if terms.verifier != ZERO_ADDRESS or terms.arbiter == ZERO_ADDRESS:
        return terms.unreviewed_bps
    if not terms.arbiter_hook:
        return terms.unruled_bps
    worse = max if role == Role.PAYER else min
    return worse(terms.unreviewed_bps, terms.unruled_bps)


def payer_floor(terms, milestone, assumption):
    judged = terms.verifier != ZERO_ADDRESS or terms.arbiter != ZERO_ADDRESS
    match assumption:
        case Assumption.ALL_HOSTILE | Assumption.ARBITER_HOSTILE:
            return 0 if judged else milestone.amount
        case Assumption.QUORUM_HOSTILE | Assumption.ARBITER_ABSENT:
            return milestone.amount
        case Assumption.JUDGES_SILENT:
            return payout(milestone.amount, silent_share(terms, Role.PAYER), 0, 0, with_tip=False).to_payer


def payee_floor(terms, milestone, assumption, deserved):
    def paid(bps, *, with_tip):
        return payout(milestone.amount, bps, terms.fee_bps, terms.tip, with_tip).to_payee

    match assumption:
        case Assumption.ALL_HOSTILE | Assumption.ARBITER_HOSTILE:
            return 0
        case Assumption.QUORUM_HOSTILE:
            return paid(deserved, with_tip=False)
        case Assumption.ARBITER_ABSENT:
            return paid(deserved, with_tip=True)
        case Assumption.JUDGES_SILENT:
            return paid(silent_share(terms, Role.PAYEE), with_tip=True)


def floor(terms, milestone, role, assumption, deserved):
    if role == Role.PAYER:
        return payer_floor(terms, milestone, assumption)
    return payee_floor(terms, milestone, assumption, deserved)


def open_until(terms, milestone):
    return latest(terms, milestone) - 1
