"""Why the escrow refuses a call: every name in one place.

Names and arguments are those of the contract's custom errors (interfaces/IEscrow.sol); the fuzzer holds them equal call
by call, arguments included.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Name(StrEnum):
    """The contract's custom errors (docs/protocol.md sections 3 and 4), each with its arguments."""

    # funding, in the order in which it is checked
    WRONG_CHAIN = "WrongChain"
    """(have, want)"""
    BAD_MILESTONE_COUNT = "BadMilestoneCount"
    """(have)"""
    EMPTY_MASK = "EmptyMask"
    MASK_OUTSIDE_SCHEDULE = "MaskOutsideSchedule"
    """(mask, count)"""
    ZERO_AMOUNT = "ZeroAmount"
    """(index)"""
    TIP_TOO_LARGE = "TipTooLarge"
    """(have, limit)"""
    SUBMIT_BY_OUT_OF_RANGE = "SubmitByOutOfRange"
    """(index, submitBy)"""
    ALREADY_FUNDED = "AlreadyFunded"
    """(id, already)"""
    BPS_TOO_LARGE = "BpsTooLarge"
    """(have)"""
    FEE_MISMATCH = "FeeMismatch"
    """(feeBps, feeTo)"""
    UNREVIEWED_SHARE_WITHOUT_ARBITER = "UnreviewedShareWithoutArbiter"
    """(unreviewedBps)"""
    UNRULED_SHARE_NOT_APPLICABLE = "UnruledShareNotApplicable"
    """(unruledBps)"""
    BAD_PARTIES = "BadParties"
    """(payer, payee): one is zero, or both are the same"""
    FORBIDDEN_ADDRESS = "ForbiddenAddress"
    """(have): the escrow or the token, named as somebody"""
    VERIFIER_MISMATCH = "VerifierMismatch"
    """(verifier, quorum)"""
    NO_CODE = "NoCode"
    """(account): a verifier, an arbiter with a hook, or a token"""
    ZERO_REVIEW_WINDOW = "ZeroReviewWindow"
    RULING_WINDOW_MISMATCH = "RulingWindowMismatch"
    """(rulingWindow, arbiter)"""
    CHALLENGE_WINDOW_MISMATCH = "ChallengeWindowMismatch"
    """(challengeWindow, verifier, arbiter)"""
    WINDOW_TOO_LONG = "WindowTooLong"
    """(have, limit)"""
    ARBITER_NOT_INDEPENDENT = "ArbiterNotIndependent"
    """(arbiter)"""
    WRONG_VALUE = "WrongValue"
    """(have, want)"""
    TRANSFER_FROM_FAILED = "TransferFromFailed"
    """(token, from, amount)"""
    AUTHORIZATION_REFUSED = "AuthorizationRefused"
    """without arguments here: the reason is the token's own"""
    # moving along the table
    INDEX_OUTSIDE_SCHEDULE = "IndexOutsideSchedule"
    """(index, count)"""
    WRONG_MILESTONE = "WrongMilestone"
    """(index, have, want)"""
    WRONG_AGREEMENT = "WrongAgreement"
    """(have, want)"""
    NOT_FUNDED = "NotFunded"
    """(id, index)"""
    ALREADY_SETTLED = "AlreadySettled"
    """(id, index)"""
    WRONG_STATUS = "WrongStatus"
    """(id, index, have)"""
    NOT_PAYER = "NotPayer"
    """(caller, payer)"""
    NOT_PAYEE = "NotPayee"
    """(caller, payee)"""
    NOT_PARTY = "NotParty"
    """(caller)"""
    NOT_ARBITER = "NotArbiter"
    """(caller, arbiter)"""
    NO_VERIFIER = "NoVerifier"
    """(id)"""
    NO_ARBITER = "NoArbiter"
    """(id)"""
    TOO_LATE = "TooLate"
    """(lastSecond, now)"""
    TOO_EARLY = "TooEarly"
    """(firstSecond, now)"""
    ZERO_DELIVERABLE = "ZeroDeliverable"
    TOO_MANY_ATTEMPTS = "TooManyAttempts"
    """(attempt)"""
    WRONG_ATTEMPT = "WrongAttempt"
    """(have, want)"""
    WRONG_DELIVERABLE = "WrongDeliverable"
    """(have, want)"""
    # what both parties sign
    NOT_SIGNED_BY = "NotSignedBy"
    """(party)"""
    AS_OF_IN_FUTURE = "AsOfInFuture"
    """(asOf, now)"""
    STALE = "Stale"
    """(index, since, asOf)"""
    NOT_OPEN = "NotOpen"
    """(id, mask): what is not funded, or settled"""
    NOT_AN_AMENDMENT = "NotAnAmendment"
    """(from, to): other parties, or another token"""
    # what others said: without arguments here, since a verifier or a hook may revert with an error of its own
    VERIFIER_REFUSED = "VerifierRefused"
    ARBITER_REFUSED = "ArbiterRefused"
    # credits
    BAD_RECIPIENT = "BadRecipient"
    """(to)"""
    NOTHING_TO_WITHDRAW = "NothingToWithdraw"
    """(token, owner)"""
    TRANSFER_FAILED = "TransferFailed"
    """(token, to, amount)"""
    # not an error of the contract's: Solidity's empty revert where value is sent to a call that takes none
    NOT_PAYABLE = "NotPayable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that reverts: the error's name and the facts it carries, in the order of the contract's error."""

    name: Name
    args: tuple[Any, ...] = ()


class Refused(Exception):  # noqa: N818  control flow inside the model, never an error that a person meets
    """Carries a refusal out of the model's steps; `step` returns it as a value."""

    def __init__(self, name: Name, *args: Any) -> None:
        super().__init__(name, *args)
        self.refusal = Refusal(name, args)
