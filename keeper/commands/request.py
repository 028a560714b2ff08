"""What is asked, as a value: the same request has the same run id through every door (docs/keeper.md section 7)."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from keeper.protocol.canonical import canonical_json


class Request(BaseModel):
    """One command in canonical form. Arguments are text, integers, booleans, null and lists of them; never floats."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    command: Annotated[str, Field(pattern=r"^[a-z][a-z -]*$")]
    arguments: dict[str, str | int | bool | list[int] | None]
    chain_id: int
    escrow: str
    """EIP-55 address of the contract that is called, or asked about."""
    caller: str | None = None
    """Who acts: the account that sends, or none for a reader."""
    payer: str | None = None
    """Who pays, where the command knows an agreement."""
    principal: str | None = None
    """On whose behalf; the caller, unless somebody else's agent acts."""
    deadline: int | None = None
    """Unix seconds after which the request is void; None: the contract's own clocks decide."""

    @property
    def run_id(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785) of all fields, as 0x hex."""
        fields: dict[str, Any] = self.model_dump()
        return "0x" + hashlib.sha256(canonical_json(fields)).hexdigest()
