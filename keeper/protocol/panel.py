"""What a member of a `PanelArbiter` signs, so that anyone may deliver the vote (docs/protocol.md section 6).

Tests hold the hash against eth_account's own encoder and against the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from keeper.protocol.eip712 import digest_of, json_struct, json_type, typed_data, words
from keeper.protocol.encoding import VERSION
from keeper.protocol.fields import VOTE_FIELDS, VOTE_TYPE
from keeper.protocol.types import Address, AgreementId, Bps, Domain

__all__ = ["PANEL_NAME", "VOTE_TYPE", "Vote", "panel_domain", "vote_digest", "vote_typed_data"]

PANEL_NAME = "Milepost PanelArbiter"

_VOTE_HASH = keccak(text=VOTE_TYPE)


@dataclass(frozen=True, slots=True)
class Vote:
    """One member's say on one disputed milestone. It is final: the first vote of a member that arrives counts."""

    member: Address
    escrow: Address
    """Where the dispute is: a vote counts for no other escrow."""
    agreement: AgreementId
    milestone: int
    payee_bps: Bps
    """The payee's share that the member finds right, 0..10000."""
    deadline: int
    """Unix seconds: last second in which somebody may deliver the vote."""


def panel_domain(chain_id: int, panel: Address) -> Domain:
    """The panel's domain as deployed: a vote counts on no other chain and at no other panel."""
    return Domain(PANEL_NAME, VERSION, chain_id, panel)


def vote_digest(domain: Domain, vote: Vote) -> bytes:
    """The 32 bytes that the member signs, under the panel's domain; TERMS_INVALID if a field does not fit."""
    return digest_of(domain, keccak(_VOTE_HASH + words(vote, VOTE_FIELDS)))


def vote_typed_data(domain: Domain, vote: Vote) -> dict[str, Any]:
    """The vote as EIP-712 JSON, for any wallet's `eth_signTypedData_v4`; its hash is `vote_digest`."""
    return typed_data(domain, "Vote", {"Vote": json_type(VOTE_FIELDS)}, json_struct(vote, VOTE_FIELDS))
