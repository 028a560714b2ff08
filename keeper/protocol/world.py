"""What the model is made of: the escrow's state, the calls it takes, the events and movements it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from keeper.protocol.calls import (
    Accept,
    Agree,
    Amend,
    Approve,
    Attest,
    Call,
    Consent,
    Deliver,
    Dispute,
    Fund,
    FundWithAuthorization,
    FundWithPermit,
    Multicall,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
)
from keeper.protocol.types import (
    UNTOUCHED,
    Address,
    Agreement,
    AgreementId,
    Domain,
    MilestoneState,
    sum_of,
)

__all__ = [
    "Accept",
    "Agree",
    "AgreementState",
    "Amend",
    "Approve",
    "Attest",
    "Call",
    "Consent",
    "Ctx",
    "Deliver",
    "Dispute",
    "Event",
    "Flow",
    "Fund",
    "FundWithAuthorization",
    "FundWithPermit",
    "Movement",
    "Multicall",
    "Outcome",
    "Rule",
    "Settle",
    "SettleMany",
    "Submit",
    "Waive",
    "Withdraw",
    "World",
]


@dataclass(frozen=True, slots=True)
class AgreementState:
    """An agreement that was funded at least in part; bit i of a bitmap is milestone i."""

    agreement: Agreement
    funded: int = 0
    closed: int = 0
    states: Mapping[int, MilestoneState] = field(default_factory=dict)
    """Only milestones to which more than funding and settlement happened."""

    def open_state(self, index: int) -> MilestoneState | None:
        """The state of an open milestone; None when it is unfunded or settled."""
        if not self.open_bits >> index & 1:
            return None
        return self.states.get(index, UNTOUCHED)

    @property
    def open_bits(self) -> int:
        """The milestones that are funded and not settled."""
        return self.funded & ~self.closed

    def open_amount(self) -> int:
        """Token units of the milestones that are funded and not settled."""
        return sum_of(self.agreement.milestones, self.open_bits)


@dataclass(frozen=True, slots=True)
class World:
    """The escrow at one moment."""

    domain: Domain
    contracts: frozenset[Address] = frozenset()
    """Addresses with code."""
    agreements: Mapping[AgreementId, AgreementState] = field(default_factory=dict)
    credits: Mapping[tuple[Address, Address], int] = field(default_factory=dict)
    """Token units by (token, owner): pushes that failed."""
    held: Mapping[Address, int] = field(default_factory=dict)
    """The escrow's balance by token, in token units."""


@dataclass(frozen=True, slots=True)
class Ctx:
    """Who calls, when, and how the world around the escrow behaves during the call."""

    caller: Address
    now: int
    """Unix seconds: the block's timestamp."""
    value: int = 0
    """Native currency sent along."""
    pays: bool = True
    """Whether the token lets the escrow pull from the caller (balance and allowance suffice)."""
    refuses: frozenset[tuple[Address, Address]] = frozenset()
    """(token, receiver) of transfers that fail; of the native currency, calls that fail."""
    hook_accepts: bool = True
    """Whether an arbiter's hook returns its selector."""
    chain_id: int | None = None
    """The chain's id where it is no longer the deployed one."""


@dataclass(frozen=True, slots=True)
class Event:
    """One log, by its name and arguments in the order of docs/protocol.md section 4, Events."""

    name: str
    args: tuple[object, ...]


class Flow(StrEnum):
    """How money moved: into the escrow, out to a receiver, or into a credit inside it."""

    PULL = "pull"
    PUSH = "push"
    CREDIT = "credit"
    HOOK = "hook"
    """The value of a dispute, passed whole to the arbiter's hook."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Token units from or to `who`."""

    flow: Flow
    token: Address
    who: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call that succeeded: the world after it, its events and movements in order, and what it returned."""

    world: World
    events: tuple[Event, ...] = ()
    movements: tuple[Movement, ...] = ()
    returned: object = None
