"""Why the escrow refuses a call: every name in one place.

Names are those of the contract's custom errors. A test of the ABI may compare this list; nothing else spells a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Name(StrEnum):
    """The contract's custom errors (docs/protocol.md sections 3 and 4)."""

    # the schedule
    BAD_MILESTONE_COUNT = "BadMilestoneCount"
    ZERO_AMOUNT = "ZeroAmount"
    BAD_BPS = "BadBps"
    # the parties
    ZERO_PARTY = "ZeroParty"
    SAME_PARTY = "SameParty"
    RESERVED_ADDRESS = "ReservedAddress"
    ARBITER_NOT_INDEPENDENT = "ArbiterNotIndependent"
    FEE_WITHOUT_RECEIVER = "FeeWithoutReceiver"
    # judges and clocks
    VERIFIER_WITHOUT_QUORUM = "VerifierWithoutQuorum"
    VERIFIER_WITHOUT_CODE = "VerifierWithoutCode"
    HOOK_WITHOUT_CODE = "HookWithoutCode"
    BAD_REVIEW_WINDOW = "BadReviewWindow"
    BAD_CHALLENGE_WINDOW = "BadChallengeWindow"
    BAD_RULING_WINDOW = "BadRulingWindow"
    WINDOW_TOO_LONG = "WindowTooLong"
    BAD_UNREVIEWED_SHARE = "BadUnreviewedShare"
    BAD_UNRULED_SHARE = "BadUnruledShare"
    TIP_TOO_HIGH = "TipTooHigh"
    # money in
    BAD_MASK = "BadMask"
    ALREADY_FUNDED = "AlreadyFunded"
    BAD_DEADLINE = "BadDeadline"
    WRONG_VALUE = "WrongValue"
    TRANSFER_FAILED = "TransferFailed"
    WRONG_CHAIN = "WrongChain"
    # moving along the table
    BAD_PART = "BadPart"
    NOT_FUNDED = "NotFunded"
    ALREADY_SETTLED = "AlreadySettled"
    NO_VERIFIER = "NoVerifier"
    NO_ARBITER = "NoArbiter"
    WRONG_STATUS = "WrongStatus"
    WRONG_CALLER = "WrongCaller"
    TOO_EARLY = "TooEarly"
    TOO_LATE = "TooLate"
    NOT_DUE = "NotDue"
    EMPTY_DELIVERABLE = "EmptyDeliverable"
    WRONG_DELIVERABLE = "WrongDeliverable"
    WRONG_ATTEMPT = "WrongAttempt"
    TOO_MANY_ATTEMPTS = "TooManyAttempts"
    BAD_PROOF = "BadProof"
    HOOK_REFUSED = "HookRefused"
    # credits
    NO_CREDIT = "NoCredit"
    BAD_RECEIVER = "BadReceiver"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that reverts: the error's name and the facts it carries."""

    name: Name
    args: tuple[Any, ...] = ()


class Refused(Exception):  # noqa: N818  control flow inside the model, never an error that a person meets
    """Carries a refusal out of the model's steps; `step` returns it as a value."""

    def __init__(self, name: Name, *args: Any) -> None:
        super().__init__(name, *args)
        self.refusal = Refusal(name, args)
