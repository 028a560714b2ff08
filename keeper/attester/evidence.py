"""What one source says about one deliverable, as a value that can be stored and judged again."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

KEEP_BYTES = 64 * 1024
"""Answers shorter than this are kept whole beside the verdict; of longer ones only the hash."""


class Says(StrEnum):
    """The meaning of an answer. Only the first two are statements; the others show nothing."""

    SATISFIED = "satisfied"
    FAILED = "failed"
    """The source knows the outcome, and it is not what the criteria ask for."""
    PENDING = "pending"
    """The source does not know the outcome yet: look again later."""
    UNCLEAR = "unclear"
    """An answer that means neither, contradicts itself, or is about something else."""
    SILENT = "silent"
    """No usable answer: not reached, too slow, too large, malformed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One source's answer, what it means and why."""

    source: str
    kind: str
    says: Says
    reason: str
    """In words, naming what was found; never empty."""
    url: str = ""
    body: bytes = b""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What was read out of the answer, by the names that its format uses."""

    def record(self) -> dict[str, Any]:
        """The form in which it is stored with a verdict, so that the verdict can be checked again."""
        stored: dict[str, Any] = {
            "name": self.source,
            "kind": self.kind,
            "says": self.says.value,
            "reason": self.reason,
            "url": self.url,
            "sha256": "0x" + hashlib.sha256(self.body).hexdigest(),
            "facts": dict(self.facts),
        }
        if len(self.body) < KEEP_BYTES:
            stored["bytes"] = base64.b64encode(self.body).decode()
        return stored
