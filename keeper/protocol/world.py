"""What the model is made of: the escrow's state, the calls it takes, the events and movements it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from keeper.protocol.types import (
    UNTOUCHED,
    Address,
    Agreement,
    AgreementId,
    Attestation,
    Bps,
    Domain,
    Milestone,
    MilestoneState,
    Part,
    Terms,
)


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
        if not (self.funded & ~self.closed) >> index & 1:
            return None
        return self.states.get(index, UNTOUCHED)

    def open_amount(self) -> int:
        """Token units of the milestones that are funded and not settled."""
        bits = self.funded & ~self.closed
        return sum(m.amount for i, m in enumerate(self.agreement.milestones) if bits >> i & 1)


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
    native: bool = True
    """Whether the escrow serves the native currency (token 0)."""


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
    """(token, receiver) of transfers that fail."""
    hook_accepts: bool = True
    """Whether an arbiter's hook returns its selector."""
    chain_id: int | None = None
    """The chain's id where it is no longer the deployed one."""


@dataclass(frozen=True, slots=True)
class Fund:
    """`fund(terms, milestones, mask)`."""

    terms: Terms
    milestones: tuple[Milestone, ...]
    mask: int


@dataclass(frozen=True, slots=True)
class Submit:
    """`submit(part, deliverable)`."""

    part: Part
    deliverable: bytes


@dataclass(frozen=True, slots=True)
class Attest:
    """`attest(part, attestation, proof)`; `proven` says whether M active members signed just this."""

    part: Part
    attestation: Attestation
    proven: bool


@dataclass(frozen=True, slots=True)
class Approve:
    """`approve(part)`."""

    part: Part


@dataclass(frozen=True, slots=True)
class Waive:
    """`waive(part)`."""

    part: Part


@dataclass(frozen=True, slots=True)
class Dispute:
    """`dispute(part, data)`."""

    part: Part
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Rule:
    """`rule(agreement, part, payeeBps)`."""

    agreement: AgreementId
    part: Part
    payee_bps: Bps


@dataclass(frozen=True, slots=True)
class Settle:
    """`settle(part)`."""

    part: Part


@dataclass(frozen=True, slots=True)
class SettleMany:
    """`settleMany(parts)`."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Withdraw:
    """`withdraw(token, to)`."""

    token: Address
    to: Address


Call: TypeAlias = Fund | Submit | Attest | Approve | Waive | Dispute | Rule | Settle | SettleMany | Withdraw


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
