"""The calls that change the escrow, as values (docs/protocol.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, Union

from keeper.protocol.types import (
    Address,
    AgreementId,
    Amendment,
    Attestation,
    Bps,
    Milestone,
    Part,
    Terms,
)


class Consent(StrEnum):
    """A party's signature, as far as the escrow looks at it (docs/protocol.md section 4).

    Which bytes are a party's signature (ECDSA in 65 or 64 bytes, else ERC-1271) is decided outside of the model.
    """

    SIGNED = "signed"
    """The party's own, over just this."""
    EMPTY = "empty"
    """No bytes at all: enough where the caller is the party."""
    FALSE = "false"
    """Anything else."""


@dataclass(frozen=True, slots=True)
class Fund:
    """`fund(terms, milestones, mask)`."""

    terms: Terms
    milestones: tuple[Milestone, ...]
    mask: int


@dataclass(frozen=True, slots=True)
class FundWithAuthorization:
    """`fundWithAuthorization(terms, milestones, mask, validAfter, validBefore, v, r, s)`, or with `signature`.

    `authorized` says whether the token accepts it as the payer's, for this nonce and at this time (ERC-3009).
    """

    terms: Terms
    milestones: tuple[Milestone, ...]
    mask: int
    authorized: bool


@dataclass(frozen=True, slots=True)
class FundWithPermit:
    """`fundWithPermit(terms, milestones, mask, deadline, v, r, s)`: the permit may fail, the allowance decides."""

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


@dataclass(frozen=True, slots=True)
class Deliver:
    """`deliver(token, owner)`: anybody sends a credit to whom it belongs."""

    token: Address
    owner: Address


@dataclass(frozen=True, slots=True)
class Agree:
    """`agree(part, payeeBps, asOf, deadline, payerSig, payeeSig)`."""

    part: Part
    payee_bps: Bps
    as_of: int
    deadline: int
    payer: Consent
    payee: Consent


@dataclass(frozen=True, slots=True)
class Amend:
    """`amend(amendment, fromTerms, fromMilestones, toTerms, toMilestones, payerSig, payeeSig)`."""

    amendment: Amendment
    from_terms: Terms
    from_milestones: tuple[Milestone, ...]
    to_terms: Terms
    to_milestones: tuple[Milestone, ...]
    payer: Consent
    payee: Consent


@dataclass(frozen=True, slots=True)
class Accept:
    """`accept(terms, milestones, sig)`."""

    terms: Terms
    milestones: tuple[Milestone, ...]
    payee: Consent


@dataclass(frozen=True, slots=True)
class Multicall:
    """`multicall(calls)`: each by the same caller, in order, all or none."""

    calls: tuple[Call, ...]


Call: TypeAlias = Union[  # noqa: UP007 - `|` cannot name `Call` before it is there
    Fund,
    FundWithAuthorization,
    FundWithPermit,
    Submit,
    Attest,
    Approve,
    Waive,
    Agree,
    Amend,
    Accept,
    Dispute,
    Rule,
    Settle,
    SettleMany,
    Withdraw,
    Deliver,
    Multicall,
]
