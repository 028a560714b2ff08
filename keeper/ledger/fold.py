"""From the events of one agreement to where it stands: pure and total.

Every event must be one that docs/protocol.md section 4 allows at that moment. An event that is not shows that the
events are incomplete or that the contract is another: LEDGER_DIFFERS names it, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from keeper.ledger.events import (
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
from keeper.protocol.due import due, settle_bps
from keeper.protocol.encoding import agreement_id
from keeper.protocol.machine import Action, Transition, standing_after_dispute, transition
from keeper.protocol.payout import payout
from keeper.protocol.types import (
    ALL_BPS,
    UNTOUCHED,
    ZERO24,
    ZERO32,
    Agreement,
    Bps,
    Cause,
    Domain,
    Due,
    MilestoneState,
    Status,
)


@dataclass(frozen=True, slots=True)
class Line:
    """Where one funded milestone stands; after settlement the state is the last one before it."""

    state: MilestoneState
    changed: StoredEvent
    """The event that last moved it."""
    settled: Settled | None = None


@dataclass(frozen=True, slots=True)
class Folded:
    """One agreement as its events tell it. `first` is its first Funded event: terms and milestones are in its data."""

    first: StoredEvent
    agreement: Agreement
    lines: dict[int, Line] = field(default_factory=dict)
    """Funded milestones by index."""

    @property
    def funded(self) -> int:
        """Bit i is set when milestone i was funded."""
        return sum(1 << i for i in self.lines)

    @property
    def closed(self) -> int:
        """Bit i is set when milestone i has settled."""
        return sum(1 << i for i, line in self.lines.items() if line.settled)

    def due(self, index: int) -> Due:
        """What `settle` would pay for milestone `index`, and from when (docs/protocol.md section 4, Views)."""
        line = self.lines.get(index)
        state = line.state if line and line.settled is None else None
        return due(self.agreement.terms, self.agreement.milestones[index], state)


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
    if not isinstance(what, Submitted | Attested | Rejected | Disputed | Settled):
        raise differs(event, "an event of an agreement", event.name)
    line = folded.lines.get(what.index)
    if line is None or line.settled:
        raise differs(event, f"milestone {what.index} open", "it settled before" if line else "it was never funded")
    moved = _settle(folded, line, event, what) if isinstance(what, Settled) else _move(folded, line, event, what)
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
        _expect(event, "attempt", state.attempt, what.attempt)
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
            _expect(event, "standing share", standing_after_dispute(terms, state), what.standing_bps)
            action = Action.DISPUTE
            after = MilestoneState(Status.DISPUTED, state.attempt, event.time, ZERO24, what.standing_bps)
    _in_time(folded, line, event, what.index, _row(event, state, action))
    return Line(after, event)


_CAUSE_OF = {
    Cause.ATTESTED: Action.SETTLE,
    Cause.LAPSED: Action.SETTLE,
    Cause.UNREVIEWED: Action.SETTLE,
    Cause.UNRULED: Action.SETTLE,
    Cause.APPROVED: Action.APPROVE,
    Cause.WAIVED: Action.WAIVE,
    Cause.RULED: Action.RULE,
}


def _settle(folded: Folded, line: Line, event: StoredEvent, what: Settled) -> Line:
    terms, state = folded.agreement.terms, line.state
    action = _CAUSE_OF.get(what.cause)
    if action is None:
        raise differs(event, "a cause of this version", what.cause.name)
    row = _row(event, state, action)
    if row.target != what.cause:
        raise differs(event, f"cause {row.target.name}", what.cause.name)
    if _at_once(folded, line):
        if event.tx_hash != line.changed.tx_hash:
            raise differs(event, "the settlement in the transaction of its verdict", "another transaction")
    else:
        _in_time(folded, line, event, what.index, row)
    _expect(event, "share", _bps(folded, state, what), what.payee_bps)
    milestone = folded.agreement.milestones[what.index]
    want = payout(milestone.amount, what.payee_bps, terms.fee_bps, terms.tip, with_tip=action is Action.SETTLE)
    have = (what.to_payee, what.to_payer, what.fee, what.tip)
    _expect(event, "payout", (want.to_payee, want.to_payer, want.fee, want.tip), have)
    return replace(line, changed=event, settled=what)


def _bps(folded: Folded, state: MilestoneState, what: Settled) -> Bps:
    match what.cause:
        case Cause.APPROVED:
            return ALL_BPS
        case Cause.WAIVED:
            return 0
        case Cause.RULED:
            return min(what.payee_bps, ALL_BPS)
        case _:
            return settle_bps(folded.agreement.terms, state)


def _row(event: StoredEvent, state: MilestoneState, action: Action) -> Transition:
    row = transition(state, action)
    if row is None:
        raise differs(event, f"what may follow status {state.status.name}", action.value)
    return row


def _at_once(folded: Folded, line: Line) -> bool:
    """A verdict without a challenge window settles in its own transaction (docs/protocol.md section 4)."""
    return line.state.status is Status.ATTESTED and folded.agreement.terms.challenge_window == 0


def _in_time(folded: Folded, line: Line, event: StoredEvent, index: int, row: Transition) -> None:
    clock = (folded.agreement.terms, folded.agreement.milestones[index], line.state)
    opens, closes = row.opens(*clock), row.closes(*clock)
    if not opens <= event.time <= closes:
        raise differs(event, f"{row.action.value} from second {opens} to {closes}", f"a block of {event.time}")


def _expect_deliverable(event: StoredEvent, state: MilestoneState, deliverable: bytes) -> None:
    want = state.deliverable24 + bytes(8) if state.status is Status.SUBMITTED else ZERO32
    _expect(event, "deliverable", want.hex(), deliverable.hex())


def _expect(event: StoredEvent, name: str, want: object, have: object) -> None:
    if want != have:
        raise differs(event, f"{name} {want}", str(have))


def _check_pairs(folded: Folded) -> None:
    for index, line in folded.lines.items():
        if line.settled is None and _at_once(folded, line):
            raise differs(line.changed, f"milestone {index} settled with its verdict", "no Settled event")
