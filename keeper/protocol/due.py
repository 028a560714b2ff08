"""The clocks of a milestone: when each window ends, and what time alone does next.

A window includes its last second; `settle` starts the second after (docs/protocol.md section 4). All times are unix
seconds.
"""

from __future__ import annotations

from keeper.protocol.payout import share_of
from keeper.protocol.types import (
    MAX_UINT40,
    ZERO_ADDRESS,
    Cause,
    Due,
    Milestone,
    MilestoneState,
    Status,
    Terms,
)

NOTHING_DUE = Due(Cause.NONE, 0, MAX_UINT40)
"""`due` of a milestone that is unfunded or settled (docs/protocol.md section 4, Views)."""


def review_end(terms: Terms, state: MilestoneState) -> int:
    """Last second for a verdict on a submission (docs/protocol.md section 4)."""
    return state.since + terms.review_window


def challenge_end(terms: Terms, state: MilestoneState) -> int:
    """Last second to dispute a verdict or a rejection (docs/protocol.md section 4)."""
    return state.since + terms.challenge_window


def silence_end(terms: Terms, state: MilestoneState) -> int:
    """Last second to dispute a submission that nobody reviewed (docs/protocol.md section 4)."""
    return review_end(terms, state) + (0 if terms.verifier == ZERO_ADDRESS else terms.challenge_window)


def ruling_end(terms: Terms, state: MilestoneState) -> int:
    """Last second for the arbiter to rule (docs/protocol.md section 4)."""
    return state.since + terms.ruling_window


def lapse(terms: Terms, milestone: Milestone, state: MilestoneState) -> int:
    """Last second before a milestone without an acceptable submission goes back (docs/protocol.md section 4).

    After a rejection the payee keeps its challenge window, even where submit_by has passed.
    """
    return max(milestone.submit_by, challenge_end(terms, state) if state.attempt > 0 else 0)


def due(terms: Terms, milestone: Milestone, state: MilestoneState | None) -> Due:
    """What `settle` pays and from when; None stands for unfunded or settled (docs/protocol.md section 4, Views).

    At any second a milestone has at most one permissionless outcome: this one.
    """
    if state is None:
        return NOTHING_DUE
    match state.status:
        case Status.FUNDED:
            return Due(Cause.LAPSED, 0, lapse(terms, milestone, state) + 1)
        case Status.SUBMITTED:
            share = share_of(milestone.amount, terms.unreviewed_bps)
            return Due(Cause.UNREVIEWED, share, silence_end(terms, state) + 1)
        case Status.ATTESTED:
            share = share_of(milestone.amount, state.standing_bps)
            return Due(Cause.ATTESTED, share, challenge_end(terms, state) + 1)
        case Status.DISPUTED:
            share = share_of(milestone.amount, state.standing_bps)
            return Due(Cause.UNRULED, share, ruling_end(terms, state) + 1)


def settle_bps(terms: Terms, state: MilestoneState) -> int:
    """The payee's share in 1/10000 that `settle` pays from this state (docs/protocol.md section 4)."""
    if state.status == Status.FUNDED:
        return 0
    return terms.unreviewed_bps if state.status == Status.SUBMITTED else state.standing_bps


def latest(terms: Terms, milestone: Milestone) -> int:
    """From this second on `settle` has been possible, whatever happened (docs/protocol.md section 4, Views)."""
    return milestone.submit_by + terms.review_window + terms.challenge_window + terms.ruling_window + 1
