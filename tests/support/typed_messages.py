"""Every message that people sign, once: how a wallet gets it, its digest by our own code, and values to try it with.

A new message is a new entry of `MESSAGES`; the tests take it from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from keeper.protocol.attester_account import account_digest, account_domain, account_typed_data
from keeper.protocol.encoding import (
    agreement_id,
    attestation_digest,
    attestation_typed_data,
    escrow_domain,
    terms_typed_data,
    verifier_domain,
)
from keeper.protocol.fields import (
    ATTESTATION_FIELDS,
    CALLED_AMENDMENT_FIELDS,
    MILESTONE_FIELDS,
    SPLIT_FIELDS,
    TERMS_FIELDS,
    VOTE_FIELDS,
    Field,
)
from keeper.protocol.offers import amendment_digest, amendment_typed_data, split_digest, split_typed_data
from keeper.protocol.panel import Vote, panel_domain, vote_digest, vote_typed_data
from keeper.protocol.types import (
    MAX_MILESTONES,
    Address,
    Agreement,
    Amendment,
    Attestation,
    Domain,
    Milestone,
    Split,
    Terms,
)


@dataclass(frozen=True)
class Struct:
    """A dataclass of the protocol, and the fields that it is made of."""

    make: Callable[..., Any]
    fields: tuple[Field, ...]


TERMS = Struct(Terms, TERMS_FIELDS)
MILESTONE = Struct(Milestone, MILESTONE_FIELDS)
AGREEMENT = "agreement"
"""Terms with their schedule."""

What = str | Struct
"""What a value is: a Solidity type, a struct, or an agreement."""


@dataclass(frozen=True)
class Message:
    """One EIP-712 message."""

    domain: Callable[[int, Address], Domain]
    typed_data: Callable[..., dict[str, Any]]
    digest: Callable[..., bytes]
    takes: tuple[What, ...]
    """What `typed_data` and `digest` take after the domain."""


MESSAGES = {
    "Terms": Message(
        escrow_domain,
        terms_typed_data,
        lambda domain, agreement: agreement_id(domain, agreement.terms, agreement.milestones),
        (AGREEMENT,),
    ),
    "Split": Message(escrow_domain, split_typed_data, split_digest, (Struct(Split, SPLIT_FIELDS),)),
    "Amendment": Message(
        escrow_domain,
        amendment_typed_data,
        amendment_digest,
        ("bytes32", Struct(Amendment, CALLED_AMENDMENT_FIELDS), AGREEMENT),
    ),
    "Attestation": Message(
        verifier_domain,
        attestation_typed_data,
        attestation_digest,
        ("address", "bytes32", "bytes32", "uint256", Struct(Attestation, ATTESTATION_FIELDS)),
    ),
    "AttesterMessage": Message(account_domain, account_typed_data, account_digest, ("bytes32",)),
    "Vote": Message(panel_domain, vote_typed_data, vote_digest, (Struct(Vote, VOTE_FIELDS),)),
}


def any_of(what: What) -> SearchStrategy[Any]:
    """Any value, the edges often."""
    if isinstance(what, Struct):
        return st.builds(what.make, **{field.attribute: any_of(field.kind) for field in what.fields})
    if what == AGREEMENT:
        schedules = st.lists(any_of(MILESTONE), min_size=1, max_size=4).map(tuple)
        return st.builds(Agreement, any_of(TERMS), schedules)
    if what == "bool":
        return st.booleans()
    if what == "address":
        return st.binary(min_size=20, max_size=20).map(_address)
    if what == "bytes32":
        return st.binary(min_size=32, max_size=32)
    return st.sampled_from([lowest(what), highest(what)]) | st.integers(lowest(what), highest(what))


def lowest(what: What) -> Any:
    """Every field zero, and a single milestone."""
    if isinstance(what, Struct):
        return what.make(**{field.attribute: lowest(field.kind) for field in what.fields})
    if what == AGREEMENT:
        return Agreement(lowest(TERMS), (lowest(MILESTONE),))
    return {"bool": False, "address": _address(bytes(20)), "bytes32": bytes(32)}.get(what, 0)


def highest(what: What) -> Any:
    """Every field at its type's last value, and as many milestones as there may be."""
    if isinstance(what, Struct):
        return what.make(**{field.attribute: highest(field.kind) for field in what.fields})
    if what == AGREEMENT:
        return Agreement(highest(TERMS), (highest(MILESTONE),) * MAX_MILESTONES)
    fixed = {"bool": True, "address": _address(b"\xff" * 20), "bytes32": b"\xff" * 32}
    return fixed[what] if what in fixed else 2 ** int(what.removeprefix("uint")) - 1


def _address(raw: bytes) -> Address:
    return Address(to_checksum_address(raw))
