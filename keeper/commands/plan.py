"""A command that writes, before anything is sent: what it will do, in words and as calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from keeper.outbox.intents import IntentRequest
from keeper.protocol.documents import Envelope
from keeper.protocol.types import ZERO32


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction of a plan."""

    title: str
    """What it does, in the imperative: `lock 3,000.00 PLAY in the escrow`."""
    request: IntentRequest
    may_refuse: frozenset[str] = frozenset()
    """Contract errors that a simulation may meet only because an earlier call of this plan is not on chain yet; ""
    stands for a refusal without a reason."""
    comes_after: str = ""
    """What a person is told then: `the allowance comes first`."""
    ready: Callable[[], None] | None = None
    """Called just before it is sent: raises what is wrong when the earlier calls did not bring about what it needs."""
    moves: bool = False
    """Whether money moves when it is on chain."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person reads before money moves: a headline and labelled facts, in order."""

    headline: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """A document that has to be on the relays before the calls are sent, and what it is."""

    title: str
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a writing command is about to do."""

    command: str
    run_id: str
    sender: str
    """EIP-55 address of the account that sends."""
    chain_id: int
    preview: Preview
    question: str
    """What a person is asked before anything is sent; empty: nothing to confirm."""
    calls: tuple[Call, ...]
    head_number: int
    """The block at which the chain was read to make this plan."""
    documents: tuple[Publication, ...] = ()
    agreement: bytes = ZERO32
    index: int | None = None
    done: str = ""
    """Why nothing is left to do, in words; then `calls` is empty."""
    facts: dict[str, object] = field(default_factory=dict)
    """What JSON says about the plan beside the calls."""
