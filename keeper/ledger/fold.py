"""From the events of one agreement to where it stands: pure and total.

Every event must be one that docs/protocol.md section 4 allows at that moment. An event that is not shows that the
events are incomplete or that the contract is another: LEDGER_DIFFERS names it, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from keeper.ledger.endings import amend, settle
from keeper.ledger.events import (
    Amended,
    Attested,
    Disputed,
    Funded,
    Rejected,
    Settled,
    StoredEvent,
    Submitted,
    decode,
    differs,
)
from keeper.ledger.line import Folded, Line, expect, in_time, row_of, settles_at_once
from keeper.protocol.encoding import agreement_id
from keeper.protocol.machine import Action, standing_after_dispute
from keeper.protocol.types import ALL_BPS, UNTOUCHED, ZERO24, ZERO32, Domain, MilestoneState, Status

__all__ = ["Folded", "Line", "fold"]


def fold(domain: Domain, events: Iterable[StoredEvent]) -> Folded | None:
    """Fold the events of one agreement, in the order of the chain; None when there are none.

    `domain` is the escrow's: the terms of every Funded event must hash to the agreement's id under it. LEDGER_DIFFERS
    names the first event that does not fit.
    """
    folded: Folded | None = None
    for event in events:
        folded = _apply(domain, folded, event)
    if folded:
        _check_pairs(folded)
    return folded


def _apply(domain: Domain, folded: Folded | None, event: StoredEvent) -> Folded:
    what = decode(event)
    if isinstance(what, Funded):
        return _fund(domain, folded, event, what)
    if folded is None:
        raise differs(event, "Funded first", event.name)
    if isinstance(what, Amended):
        return replace(folded, lines={**folded.lines, **amend(folded, event, what)})
    if not isinstance(what, Submitted | Attested | Rejected | Disputed | Settled):
        raise differs(event, "an event of an agreement", event.name)
    line = folded.lines.get(what.index)
    if line is None or line.end:
        raise differs(event, f"milestone {what.index} open", "it ended before" if line else "it was never funded")
    moved = settle(folded, line, event, what) if isinstance(what, Settled) else _move(folded, line, event, what)
    return replace(folded, lines={**folded.lines, what.index: moved})


def _fund(domain: Domain, folded: Folded | None, event: StoredEvent, what: Funded) -> Folded:
    found = "0x" + agreement_id(domain, what.agreement.terms, what.agreement.milestones).hex()
    if found != event.subject:
        raise differs(event, "terms that hash to the agreement's id", f"the hash {found}")
    before = folded or Folded(event, what.agreement)
    count = len(what.agreement.milestones)
    if what.mask == 0 or what.mask >> count:
        raise differs(event, f"a mask of milestones inside the schedule of {count}", hex(what.mask))
    if what.mask & before.funded:
        raise differs(event, "each milestone funded once", f"mask {what.mask:#x} over {before.funded:#x}")
    added = {i: Line(UNTOUCHED, event) for i in range(count) if what.mask >> i & 1}
    return replace(before, lines={**before.lines, **added})


def _move(folded: Folded, line: Line, event: StoredEvent, what: Submitted | Attested | Rejected | Disputed) -> Line:
    terms, state = folded.agreement.terms, line.state
    if not isinstance(what, Disputed):
        expect(event, "attempt", state.attempt, what.attempt)
    match what:
        case Submitted():
            if what.deliverable[:24] == ZERO24 or what.deliverable[24:] != bytes(8):
                raise differs(event, "24 bytes of a deliverable, then zeros", what.deliverable.hex())
            action = Action.SUBMIT
            after = MilestoneState(Status.SUBMITTED, state.attempt, event.time, what.deliverable[:24])
        case Attested():
            _expect_deliverable(event, state, what.deliverable)
            if not 0 < what.payout_bps <= ALL_BPS:
                raise differs(event, "a share of 1 to 10000", str(what.payout_bps))
            action = Action.AWARD
            after = MilestoneState(Status.ATTESTED, state.attempt, event.time, ZERO24, what.payout_bps)
        case Rejected():
            _expect_deliverable(event, state, what.deliverable)
            action = Action.REJECT
            after = MilestoneState(Status.FUNDED, state.attempt + 1, event.time)
        case Disputed():
            expect(event, "standing share", standing_after_dispute(terms, state), what.standing_bps)
            action = Action.DISPUTE
            after = MilestoneState(Status.DISPUTED, state.attempt, event.time, ZERO24, what.standing_bps)
    in_time(folded, line, event, what.index, row_of(event, state, action))
    return Line(after, event)


def _expect_deliverable(event: StoredEvent, state: MilestoneState, deliverable: bytes) -> None:
    want = state.deliverable24 + bytes(8) if state.status is Status.SUBMITTED else ZERO32
    expect(event, "deliverable", want.hex(), deliverable.hex())


def _check_pairs(folded: Folded) -> None:
    for index, line in folded.lines.items():
        if line.end is None and settles_at_once(folded, line):
            raise differs(line.changed, f"milestone {index} settled with its verdict", "no Settled event")
