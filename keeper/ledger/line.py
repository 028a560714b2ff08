"""One funded milestone as its events tell it, and what may be expected of the next one."""

from __future__ import annotations

from dataclasses import dataclass, field

from keeper.ledger.events import Amended, Settled, StoredEvent, differs
from keeper.protocol.due import due
from keeper.protocol.machine import Action, Transition, transition
from keeper.protocol.types import Agreement, Due, MilestoneState, Status


@dataclass(frozen=True, slots=True)
class Line:
    """Where one funded milestone stands; after its end the state is the last one before it."""

    state: MilestoneState
    changed: StoredEvent
    """The event that last moved it."""
    end: Settled | Amended | None = None
    """How its money left; None while it is open."""


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
        """Bit i is set when milestone i has settled, or was moved to another agreement."""
        return sum(1 << i for i, line in self.lines.items() if line.end)

    def due(self, index: int) -> Due:
        """What `settle` would pay for milestone `index`, and from when (docs/protocol.md section 4, Views)."""
        line = self.lines.get(index)
        state = line.state if line and line.end is None else None
        return due(self.agreement.terms, self.agreement.milestones[index], state)


def expect(event: StoredEvent, name: str, want: object, have: object) -> None:
    """LEDGER_DIFFERS unless the event says what it must."""
    if want != have:
        raise differs(event, f"{name} {want}", str(have))


def row_of(event: StoredEvent, state: MilestoneState, action: Action) -> Transition:
    """The row of the protocol's table that the event walked; LEDGER_DIFFERS when there is none."""
    row = transition(state, action)
    if row is None:
        raise differs(event, f"what may follow status {state.status.name}", action.value)
    return row


def in_time(folded: Folded, line: Line, event: StoredEvent, index: int, row: Transition) -> None:
    """LEDGER_DIFFERS unless the event's block lies in the row's window."""
    clock = (folded.agreement.terms, folded.agreement.milestones[index], line.state)
    opens, closes = row.opens(*clock), row.closes(*clock)
    if not opens <= event.time <= closes:
        raise differs(event, f"{row.action.value} from second {opens} to {closes}", f"a block of {event.time}")


def settles_at_once(folded: Folded, line: Line) -> bool:
    """A verdict without a challenge window settles in its own transaction (docs/protocol.md section 4)."""
    return line.state.status is Status.ATTESTED and folded.agreement.terms.challenge_window == 0
