"""How a milestone ends, checked to the unit: it settles for a cause, or moves to another agreement."""

from __future__ import annotations

from dataclasses import replace

from keeper.ledger.events import Amended, Settled, StoredEvent, differs
from keeper.ledger.line import Folded, Line, expect, in_time, row_of, settles_at_once
from keeper.protocol.due import settle_bps
from keeper.protocol.machine import Action
from keeper.protocol.payout import payout
from keeper.protocol.types import ALL_BPS, Bps, Cause, MilestoneState, sum_of

_ACTION_OF = {
    Cause.ATTESTED: Action.SETTLE,
    Cause.LAPSED: Action.SETTLE,
    Cause.UNREVIEWED: Action.SETTLE,
    Cause.UNRULED: Action.SETTLE,
    Cause.APPROVED: Action.APPROVE,
    Cause.WAIVED: Action.WAIVE,
    Cause.AGREED: Action.AGREE,
    Cause.RULED: Action.RULE,
}
"""What `Settled` may say. Not Amended: what moves to another agreement is not paid out."""


def settle(folded: Folded, line: Line, event: StoredEvent, what: Settled) -> Line:
    """The line after its `Settled`; LEDGER_DIFFERS when cause, time or a single unit is not the protocol's."""
    terms, state = folded.agreement.terms, line.state
    action = _ACTION_OF.get(what.cause)
    if action is None:
        raise differs(event, "a cause that pays out", what.cause.name)
    row = row_of(event, state, action)
    if row.target != what.cause:
        raise differs(event, f"cause {row.target.name}", what.cause.name)
    if settles_at_once(folded, line):
        if event.tx_hash != line.changed.tx_hash:
            raise differs(event, "the settlement in the transaction of its verdict", "another transaction")
    else:
        in_time(folded, line, event, what.index, row)
    expect(event, "share", _bps(folded, state, what), what.payee_bps)
    milestone = folded.agreement.milestones[what.index]
    want = payout(milestone.amount, what.payee_bps, terms.fee_bps, terms.tip, with_tip=action is Action.SETTLE)
    have = (what.to_payee, what.to_payer, what.fee, what.tip)
    expect(event, "payout", (want.to_payee, want.to_payer, want.fee, want.tip), have)
    return replace(line, changed=event, end=what)


def amend(folded: Folded, event: StoredEvent, what: Amended) -> dict[int, Line]:
    """The lines that an `Amended` ends, by index.

    LEDGER_DIFFERS unless all of them are open. What became of them is checked against the other agreement.
    """
    still_open = folded.funded & ~folded.closed
    if what.closes == 0 or what.closes & ~still_open:
        raise differs(event, f"open milestones to end, out of {still_open:#x}", hex(what.closes))
    if what.moved > sum_of(folded.agreement.milestones, what.closes):
        raise differs(event, "at most what its milestones held", str(what.moved))
    ended = {i: line for i, line in folded.lines.items() if what.closes >> i & 1}
    if any(settles_at_once(folded, line) for line in ended.values()):
        raise differs(event, "a verdict that nobody may dispute to settle", "its milestone moved")
    return {i: replace(line, changed=event, end=what) for i, line in ended.items()}


def _bps(folded: Folded, state: MilestoneState, what: Settled) -> Bps:
    """The payee's share that the cause pays; what people chose is only bounded."""
    match what.cause:
        case Cause.APPROVED:
            return ALL_BPS
        case Cause.WAIVED:
            return 0
        case Cause.RULED | Cause.AGREED:
            return min(what.payee_bps, ALL_BPS)
        case _:
            return settle_bps(folded.agreement.terms, state)
