"""Everything that a decision rests on, as values: what was stored can be decided again, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

import rfc8785

from keeper.protocol.types import Address

Action = Literal["attest", "settle"]
Level = Literal["latest", "safe", "finalized"]
Serve = Literal["tipped", "all"] | tuple[Address, ...]

_WIDE = frozenset({"tip", "spent_today"})
"""Amounts: decimal text in JSON, because they outgrow what other JSON readers hold."""


class Outcome(StrEnum):
    """What a rule, or a whole decision, says."""

    ALLOW = "allow"
    HOLD = "hold"
    """Not now; decided again at the next block."""
    DENY = "deny"
    """Not as long as these inputs stand."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's settings that rules read."""

    serve: Serve = "tipped"
    """Whose milestones are poked: those that pay a tip, all, or those that pay a tip and those of these payers."""
    finality: Level = "latest"
    """How certain the block must be that made the milestone due."""
    stagger_s: int = 2
    """Seconds of chain time between two ranks."""
    stagger_slots: int = 2
    """How many ranks there are."""
    max_day: int = 10**18
    """Wei of gas money for a day of chain time."""
    max_in_flight: int = 500
    """Unfinished intents at a time."""


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """One milestone, one action, one moment. Times are unix seconds of block timestamps."""

    action: Action
    agreement: str
    """0x hex."""
    milestone: int
    account: Address
    """Who would send it."""
    payer: Address
    open: bool
    """Funded and not settled."""
    cause: int
    """What `settle` would settle it for, 0 for nothing; for `attest` as well."""
    since: int
    """First second at which the action was possible: readyAt, or when the proof was complete."""
    last_second: int
    """Last second at which it still is."""
    head_time: int
    changed_number: int
    """Block that last moved the milestone."""
    changed_hash: str
    certain_number: int
    """Newest block that is as certain as the policy wants."""
    signatures: int
    """In the proof; 0 for `settle`."""
    tip: int
    """Token units that the sender would receive at once."""
    spent_today: int
    """Wei of gas money, mined or offered, in this day of chain time."""
    in_flight: int
    """Intents of this account that are not finished."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as it is stored with the decision."""
        return {name: str(value) if name in _WIDE else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PolicyInput:
        """The inputs of a stored decision; KeyError or ValueError when it is none of this version."""
        values: dict[str, Any] = {f.name: stored[f.name] for f in fields(cls)}
        return cls(**values | {name: int(values[name]) for name in _WIDE})


def digest(value: Any) -> str:
    """SHA-256 over the canonical JSON (RFC 8785) of `value`, as 0x hex."""
    return "0x" + sha256(rfc8785.dumps(value)).hexdigest()
