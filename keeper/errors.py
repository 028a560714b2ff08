"""The one registry of what can go wrong, shared by contracts, command line and relay.

Every error a person or a machine can meet has a stable code, a retry class, an exit code and one sentence that says
what to do. Contract errors are listed here under their Solidity names; a test holds the list against the ABIs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Retry(StrEnum):
    """Whether the same request may be made again."""

    RETRY = "retry"
    """A passing fault: try again later, unchanged."""
    SAME_ID_ONLY = "same-id-only"
    """The outcome is unknown: only a repeat under the same id is safe."""
    NEVER = "never"
    """The request itself is wrong: change it first."""
    ASK_HUMAN = "ask-human"
    """A person has to look."""


class Exit(IntEnum):
    """Exit codes of every command; the same number stands in the JSON."""

    DONE = 0
    FAILED = 1
    """Failed, nothing moved."""
    USAGE = 2
    """Usage or settings."""
    REFUSED = 3
    """Refused by policy, or held."""
    NOT_AUTHORISED = 4
    UNREACHABLE = 5
    """Chain, RPC or relay unreachable."""
    UNKNOWN = 6
    """Sent, outcome not known yet: do not resend."""
    MISMATCH = 7
    """Verification found a difference."""
    PENDING = 8
    INTERRUPTED = 130


class Moved(StrEnum):
    """What is known about money after an error."""

    NONE = "none"
    UNKNOWN = "unknown"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One line of the registry: what a code means for whoever meets it."""

    retry: Retry
    exit: Exit
    fix: str


class MilepostError(Exception):
    """An error with a code of the registry and words for the person who meets it.

    `title` says what happened to which object; `cause` what was expected and what was found; `money` what did and did
    not move; `hint` is one thing that helps (default: the registry's sentence).
    """

    def __init__(
        self,
        code: str,
        title: str,
        *,
        cause: str = "",
        money: str = "",
        hint: str = "",
        moved: Moved = Moved.NONE,
    ) -> None:
        spec = REGISTRY[code]
        self.code = code
        self.title = title
        self.cause = cause
        self.moved = moved
        self.money = money or MONEY[moved]
        self.hint = hint or spec.fix
        self.retry = spec.retry
        self.exit = spec.exit
        super().__init__(f"{code}: {title}" + (f" ({cause})" if cause else ""))


MONEY = {
    Moved.NONE: "nothing moved",
    Moved.UNKNOWN: "a transaction was sent and its outcome is not known yet",
    Moved.YES: "money moved",
}

_R, _S, _N, _H = Retry.RETRY, Retry.SAME_ID_ONLY, Retry.NEVER, Retry.ASK_HUMAN

OFF_CHAIN: dict[str, ErrorSpec] = {
    # settings and input
    "SETTINGS_INVALID": ErrorSpec(_N, Exit.USAGE, "mend the settings named above and run `milepost doctor`"),
    "USAGE": ErrorSpec(_N, Exit.USAGE, "run the command with --help for an example"),
    "TERMS_INVALID": ErrorSpec(_N, Exit.USAGE, "mend the file and run `milepost terms check FILE`"),
    "DOCUMENT_INVALID": ErrorSpec(_N, Exit.USAGE, "publish the document with the salt and the bytes that were hashed"),
    "KEY_INVALID": ErrorSpec(_N, Exit.USAGE, "set the key to a keystore file or to 32 bytes of hex in the environment"),
    "CONFIRMATION_NEEDED": ErrorSpec(_N, Exit.USAGE, "repeat with --yes, or see --dry-run first"),
    # identity and authority
    "WRONG_CHAIN": ErrorSpec(_N, Exit.USAGE, "point `rpc` at the chain that the settings name"),
    "WRONG_CONTRACT": ErrorSpec(_N, Exit.USAGE, "check the address against deployments/<chain>.json"),
    "NOT_AUTHORISED": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the key of the party that may do this"),
    "NOT_A_MEMBER": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the key of a member of the agreement's quorum"),
    # reaching others
    "RPC_UNREACHABLE": ErrorSpec(_R, Exit.UNREACHABLE, "check that the node runs and that `rpc` names it"),
    "RPC_REFUSED": ErrorSpec(_R, Exit.UNREACHABLE, "the node answered with an error: read its words above"),
    "RPC_INCONSISTENT": ErrorSpec(
        _R, Exit.UNREACHABLE, "the node contradicts itself: ask another; nothing was recorded"
    ),
    "RELAY_UNREACHABLE": ErrorSpec(_R, Exit.UNREACHABLE, "check the relay's address; repeating is safe"),
    "SOURCE_UNREACHABLE": ErrorSpec(_R, Exit.UNREACHABLE, "check the evidence source; the attester tries again"),
    # what the chain shows
    "NOT_FOUND": ErrorSpec(_R, Exit.FAILED, "check the id; `milepost list` shows what this escrow holds"),
    "NOT_DUE": ErrorSpec(_R, Exit.PENDING, "`milepost show ID` tells when it is due"),
    "INSUFFICIENT_FUNDS": ErrorSpec(_N, Exit.FAILED, "top up the account and repeat"),
    "INSUFFICIENT_ALLOWANCE": ErrorSpec(
        _N, Exit.FAILED, "repeat `milepost fund FILE`: it allows exactly what is missing"
    ),
    "REVERTED": ErrorSpec(_N, Exit.FAILED, "read the contract's reason above"),
    "OUTCOME_UNKNOWN": ErrorSpec(_S, Exit.UNKNOWN, "do not resend: repeat the very same command to look again"),
    "RUN_ID_CONFLICT": ErrorSpec(_N, Exit.FAILED, "let the first request end, or change what you ask for"),
    "FEES_TOO_HIGH": ErrorSpec(_R, Exit.REFUSED, "wait for cheaper gas or raise the ceilings under `fees`"),
    # relay
    "ATTESTATION_REFUSED": ErrorSpec(_N, Exit.FAILED, "sign for the current attempt and deliverable"),
    "QUORUM_INCOMPLETE": ErrorSpec(_R, Exit.PENDING, "wait for more attesters; `milepost show ID` tells until when"),
    "ATTESTATION_EARLY": ErrorSpec(_R, Exit.PENDING, "the relay has not seen that on chain yet: push again"),
    "REQUEST_INVALID": ErrorSpec(_N, Exit.USAGE, "mend the request as the detail says"),
    "TOO_LARGE": ErrorSpec(_N, Exit.USAGE, "send less: the detail names the limit"),
    "PORT_TAKEN": ErrorSpec(_N, Exit.USAGE, "stop the program that listens there, or name another port"),
    "RELAY_FULL": ErrorSpec(_R, Exit.FAILED, "name another relay, or ask its operator to make room"),
    # records
    "DEEP_REORG": ErrorSpec(_H, Exit.FAILED, "the chain left a block it called final: compare nodes, then restart"),
    "LEDGER_DIFFERS": ErrorSpec(_H, Exit.MISMATCH, "stop, keep the database, and compare with another node"),
    "ALREADY_RUNNING": ErrorSpec(_N, Exit.USAGE, "stop the other process, or give this one its own `database`"),
    "DATABASE_FAILED": ErrorSpec(_H, Exit.FAILED, "check the disk and the database path; nothing was half-written"),
    "SIGN_ONCE": ErrorSpec(_N, Exit.REFUSED, "this subject was signed before with another verdict: nothing to do"),
    "VERIFY_MISMATCH": ErrorSpec(_H, Exit.MISMATCH, "do not use this deployment until the difference is explained"),
    "INTERRUPTED": ErrorSpec(_R, Exit.INTERRUPTED, "repeat the command"),
    "INTERNAL": ErrorSpec(_H, Exit.FAILED, "repeat with -vv and report what it prints"),
}

CONTRACT: dict[str, ErrorSpec] = {
    # the schedule and the terms, refused at funding
    "WrongChain": ErrorSpec(_N, Exit.USAGE, "use the chain that the contract was deployed on"),
    "BadMilestoneCount": ErrorSpec(_N, Exit.USAGE, "write 1 to 64 milestones"),
    "ZeroAmount": ErrorSpec(_N, Exit.USAGE, "give every milestone an amount above 0"),
    "BpsTooLarge": ErrorSpec(_N, Exit.USAGE, "give shares of at most 100 %"),
    "BadParties": ErrorSpec(_N, Exit.USAGE, "name a payer and a payee who are two different accounts"),
    "ForbiddenAddress": ErrorSpec(_N, Exit.USAGE, "name no party that is the escrow or the token"),
    "ArbiterNotIndependent": ErrorSpec(_N, Exit.USAGE, "choose an arbiter who is no party and takes no fee"),
    "FeeMismatch": ErrorSpec(_N, Exit.USAGE, "give both a fee and its receiver, or neither"),
    "VerifierMismatch": ErrorSpec(_N, Exit.USAGE, "give both a verifier and a quorum, or neither"),
    "NoCode": ErrorSpec(_N, Exit.USAGE, "check that address: a contract is needed there"),
    "ZeroReviewWindow": ErrorSpec(_N, Exit.USAGE, "give a review window of at least a second"),
    "RulingWindowMismatch": ErrorSpec(_N, Exit.USAGE, "give a ruling window exactly where there is an arbiter"),
    "ChallengeWindowMismatch": ErrorSpec(
        _N, Exit.USAGE, "give a challenge window exactly where there are both a verifier and an arbiter"
    ),
    "UnreviewedShareWithoutArbiter": ErrorSpec(_N, Exit.USAGE, "set the unreviewed share to 0, or name an arbiter"),
    "UnruledShareNotApplicable": ErrorSpec(
        _N, Exit.USAGE, "set the unruled share to 0: it is for agreements with an arbiter and no verifier"
    ),
    "WindowTooLong": ErrorSpec(_N, Exit.USAGE, "give windows of at most 365 days"),
    "TipTooLarge": ErrorSpec(_N, Exit.USAGE, "give a tip of at most a tenth of the smallest amount"),
    # money in
    "EmptyMask": ErrorSpec(_N, Exit.USAGE, "choose at least one milestone to fund"),
    "MaskOutsideSchedule": ErrorSpec(_N, Exit.USAGE, "fund only milestones that the schedule has"),
    "AlreadyFunded": ErrorSpec(_N, Exit.FAILED, "fund only what is not funded yet: `milepost show ID` lists it"),
    "SubmitByOutOfRange": ErrorSpec(_N, Exit.USAGE, "choose a date after now and within ten years"),
    "WrongValue": ErrorSpec(
        _N, Exit.USAGE, "send exactly the native currency that the call costs, nothing where a token pays"
    ),
    "TransferFromFailed": ErrorSpec(_N, Exit.FAILED, "check balance and allowance of the account that funds"),
    "AuthorizationRefused": ErrorSpec(
        _N, Exit.FAILED, "the token's own reason says why: sign anew, or fund out of an allowance"
    ),
    "WrongAmountReceived": ErrorSpec(_N, Exit.FAILED, "choose a token that takes no fee and does not rebase"),
    # the part that a call carries
    "IndexOutsideSchedule": ErrorSpec(_N, Exit.USAGE, "name a milestone that the schedule has"),
    "WrongMilestone": ErrorSpec(_N, Exit.USAGE, "take the terms that were funded: `milepost show ID` has them"),
    "WrongAgreement": ErrorSpec(_N, Exit.USAGE, "take the terms of that very agreement"),
    # where the milestone stands
    "NotFunded": ErrorSpec(_R, Exit.FAILED, "fund the milestone first"),
    "AlreadySettled": ErrorSpec(_N, Exit.FAILED, "nothing to do: `milepost show ID` tells how it was settled"),
    "WrongStatus": ErrorSpec(_N, Exit.FAILED, "`milepost show ID` tells what can be done now"),
    "NoVerifier": ErrorSpec(_N, Exit.FAILED, "this agreement has no attesters: the payer approves, or its clocks run"),
    "NoArbiter": ErrorSpec(_N, Exit.FAILED, "this agreement has no disputes: its clocks run"),
    "TooLate": ErrorSpec(_N, Exit.FAILED, "`milepost show ID` tells what happens instead"),
    "TooEarly": ErrorSpec(_R, Exit.PENDING, "`milepost show ID` tells when: repeat then"),
    # who may do it
    "NotPayer": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the payer's key"),
    "NotPayee": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the payee's key"),
    "NotParty": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the payer's or the payee's key"),
    "NotArbiter": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the arbiter's key"),
    # what both parties sign
    "NotSignedBy": ErrorSpec(_N, Exit.NOT_AUTHORISED, "have that party sign exactly this, or send it itself"),
    "Stale": ErrorSpec(_N, Exit.FAILED, "the milestone moved meanwhile: look at it and sign anew"),
    "AsOfInFuture": ErrorSpec(_R, Exit.FAILED, "name the time of a block that exists, or wait for it"),
    "NotOpen": ErrorSpec(_N, Exit.FAILED, "close only milestones that are open: `milepost show ID` lists them"),
    "NotAnAmendment": ErrorSpec(_N, Exit.USAGE, "keep payer, payee and token, or settle and fund a new agreement"),
    # several calls in one
    "FailedCall": ErrorSpec(_N, Exit.FAILED, "make the calls one by one to see which of them fails"),
    "AddressEmptyCode": ErrorSpec(_N, Exit.FAILED, "check that address: a contract is needed there"),
    # submissions and verdicts
    "ZeroDeliverable": ErrorSpec(_N, Exit.USAGE, "submit the hash of a deliverable document"),
    "TooManyAttempts": ErrorSpec(_N, Exit.FAILED, "agree with the payer, or let the clocks run"),
    "WrongAttempt": ErrorSpec(_N, Exit.FAILED, "have the current attempt attested"),
    "WrongDeliverable": ErrorSpec(_N, Exit.FAILED, "have the deliverable attested that was submitted"),
    "VerifierRefused": ErrorSpec(_N, Exit.FAILED, "check the verifier that the terms name"),
    "ArbiterRefused": ErrorSpec(_N, Exit.FAILED, "ask the arbiter contract's operator why it refuses disputes"),
    # money out
    "NothingToWithdraw": ErrorSpec(_N, Exit.FAILED, "nothing to do: this account has no credit in that token"),
    "BadRecipient": ErrorSpec(_N, Exit.USAGE, "name a receiver that is neither zero nor the contract itself"),
    "TransferFailed": ErrorSpec(_R, Exit.FAILED, "token or receiver refused: name another receiver, or try later"),
    "Reentered": ErrorSpec(_R, Exit.FAILED, "call the escrow outside of its own transfers"),
    "InsufficientGas": ErrorSpec(_R, Exit.FAILED, "repeat with a higher gas limit"),
    # the quorum's proof
    "BadQuorumSize": ErrorSpec(_N, Exit.USAGE, "choose 1 to 32 members and a threshold of more than half"),
    "MembersNotAscending": ErrorSpec(_N, Exit.USAGE, "list the members by ascending address, each once"),
    "WrongQuorum": ErrorSpec(_N, Exit.FAILED, "prove with the quorum that the terms name"),
    "BadProofLength": ErrorSpec(_N, Exit.FAILED, "assemble the proof again from the signatures"),
    "BitmapBeyondMembers": ErrorSpec(_N, Exit.FAILED, "assemble the proof again from the signatures"),
    "MalleableSignature": ErrorSpec(_N, Exit.FAILED, "ask that attester for a signature with low s"),
    "BadSignature": ErrorSpec(_N, Exit.FAILED, "leave that signature out: it is not this member's of this verdict"),
    "TooFewSignatures": ErrorSpec(_R, Exit.PENDING, "wait for more attestations"),
    # a feed's answer as the verdict
    "NoCondition": ErrorSpec(_N, Exit.FAILED, "the quorum has no condition for this milestone: its clocks run"),
    "WrongCondition": ErrorSpec(_N, Exit.FAILED, "prove with the condition that the quorum holds for this milestone"),
    "WrongDecimals": ErrorSpec(
        _H, Exit.FAILED, "the feed changed its decimals: the agreement's clocks decide, or amend it"
    ),
    "NoRounds": ErrorSpec(_N, Exit.FAILED, "name the feed's first round at or after the time of observation"),
    "NotFirstRound": ErrorSpec(_N, Exit.FAILED, "name the feed's first round at or after the time of observation"),
    "PhaseNotOver": ErrorSpec(
        _R, Exit.PENDING, "an earlier phase of the feed has its round, or its window is still open: prove that, or wait"
    ),
    "RoundOutsideWindow": ErrorSpec(
        _R, Exit.PENDING, "wait for the feed's round; if it came after the heartbeat, the agreement's clocks decide"
    ),
    "IncompleteRound": ErrorSpec(_N, Exit.FAILED, "the feed has no answer of that time: the agreement's clocks decide"),
    "BadAnswer": ErrorSpec(_N, Exit.FAILED, "the feed has no answer of that time: the agreement's clocks decide"),
    "WrongShare": ErrorSpec(_N, Exit.FAILED, "deliver the share that the feed's answer gives: ask `outcome`"),
    # attestations in the Ethereum Attestation Service
    "AccessDenied": ErrorSpec(_N, Exit.NOT_AUTHORISED, "attest at the service: only it reports attestations"),
    "WrongSchema": ErrorSpec(_N, Exit.FAILED, "attest under the verifier's own schema: ask `schema`"),
    "Expires": ErrorSpec(_N, Exit.FAILED, "attest without an expiration time"),
    "BadDataLength": ErrorSpec(_N, Exit.FAILED, "encode the schema's seven fields and nothing else"),
    "WrongRecipient": ErrorSpec(_N, Exit.FAILED, "name the escrow as the attestation's recipient"),
    "AlreadyAttested": ErrorSpec(_N, Exit.FAILED, "nothing to do: this attester has spoken on this submission"),
    "TooFewAttestations": ErrorSpec(_R, Exit.PENDING, "wait for more attestations"),
    "InvalidEAS": ErrorSpec(_N, Exit.USAGE, "name the attestation service that the verifier is to read"),
    "InvalidLength": ErrorSpec(_N, Exit.FAILED, "attest at the service: it gives one value for each attestation"),
    "InsufficientValue": ErrorSpec(_N, Exit.FAILED, "send no native currency with an attestation"),
    "NotPayable": ErrorSpec(_N, Exit.FAILED, "send no native currency with an attestation"),
    # ERC-8183 jobs
    "PartialPayout": ErrorSpec(_N, Exit.FAILED, "a job is paid as a whole or not: 0 or 10000"),
    "NotSubmitted": ErrorSpec(_N, Exit.FAILED, "only a submitted job is judged: look at the job's status"),
    "WrongHeading": ErrorSpec(_N, Exit.FAILED, "name the quorum and criteria with which the job's description begins"),
    "SafeERC20FailedOperation": ErrorSpec(_R, Exit.FAILED, "the job's token refused the caller: let another deliver"),
    "StringsInsufficientHexLength": ErrorSpec(_H, Exit.FAILED, "report this: a hash always fits its 64 digits"),
    # panels and courts
    "BadPanelSize": ErrorSpec(_N, Exit.USAGE, "seat an odd number of members, 1 to 15"),
    "AppealPanelNotLarger": ErrorSpec(_N, Exit.USAGE, "seat more members on appeal than in the first panel"),
    "SeatedTwice": ErrorSpec(_N, Exit.USAGE, "seat others on appeal than in the first panel"),
    "RulingWindowTooShort": ErrorSpec(_N, Exit.FAILED, "agree on a ruling window of at least five days next time"),
    "AlreadyDisputed": ErrorSpec(_N, Exit.FAILED, "nothing to do: this dispute runs already"),
    "NoDispute": ErrorSpec(_N, Exit.FAILED, "check escrow, agreement and milestone: this arbiter was never asked"),
    "AlreadyConcluded": ErrorSpec(_N, Exit.FAILED, "nothing to do: this dispute is over; take what is yours"),
    "NotOver": ErrorSpec(_R, Exit.PENDING, "wait until the milestone is settled or its ruling window is over"),
    "NotOnPanel": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the account of a member of that panel"),
    "AlreadyVoted": ErrorSpec(_N, Exit.FAILED, "nothing to do: this member's first vote counts, and is final"),
    "NotAppealed": ErrorSpec(_N, Exit.FAILED, "nothing to do: nobody appealed, so the first panel's ruling counts"),
    "AlreadyAppealed": ErrorSpec(_N, Exit.FAILED, "nothing to do: the appeal panel judges anew, for either side"),
    "NoRuling": ErrorSpec(_N, Exit.FAILED, "let the clock run: what stood before the dispute stands"),
    "BadChoices": ErrorSpec(_N, Exit.USAGE, "choose 2, 3, 5, 6, 11 or another number n where n - 1 divides 10000"),
    "TooLittleValue": ErrorSpec(_N, Exit.FAILED, "send what the court costs now: `costToDispute` tells"),
    "CourtDisputeReused": ErrorSpec(_H, Exit.FAILED, "do not use this court: it gives one number to two disputes"),
    "NotCourt": ErrorSpec(_N, Exit.NOT_AUTHORISED, "let the court rule: nobody else can"),
    "UnknownCourtDispute": ErrorSpec(_N, Exit.FAILED, "check the number: the court has no such dispute from here"),
    "BadRuling": ErrorSpec(_N, Exit.FAILED, "rule for one of the choices, or 0 to refuse"),
    "AlreadyRuled": ErrorSpec(_N, Exit.FAILED, "nothing to do: the court has ruled; deliver it with `execute`"),
    "NotRuledYet": ErrorSpec(_R, Exit.PENDING, "wait for the court's final ruling"),
    "CourtRefused": ErrorSpec(_N, Exit.FAILED, "let the clock run: what stood before the dispute stands"),
    # the quorum's members: bonds, resignation, equivocation
    "NotMember": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use a member's account, and M and members as announced"),
    "Inactive": ErrorSpec(_N, Exit.FAILED, "nothing to do: this member resigned or equivocated, which is for ever"),
    "NotAKey": ErrorSpec(_N, Exit.NOT_AUTHORISED, "post no bond: only what a key signed can be held against it"),
    "ZeroBond": ErrorSpec(_N, Exit.USAGE, "send the bond along as native currency"),
    "NoBond": ErrorSpec(_N, Exit.FAILED, "nothing to do: this account has no bond in that quorum"),
    "NotResigned": ErrorSpec(_N, Exit.FAILED, "resign first; the bond comes free 30 days later"),
    "SameVerdict": ErrorSpec(_N, Exit.USAGE, "show two verdicts that give different shares"),
    "DifferentSubjects": ErrorSpec(_N, Exit.USAGE, "show two verdicts on one attempt and one deliverable"),
    # an attester's account and its owner (Ownable)
    "ZeroKey": ErrorSpec(_N, Exit.USAGE, "name a key that is not zero"),
    "AlreadyExpired": ErrorSpec(_N, Exit.USAGE, "give a time to come, in unix seconds"),
    "UnknownKey": ErrorSpec(_N, Exit.USAGE, "check the key's address: this one signs for nobody here"),
    "OwnerNeeded": ErrorSpec(_N, Exit.USAGE, "transfer the account to another owner instead"),
    "OwnableUnauthorizedAccount": ErrorSpec(_N, Exit.NOT_AUTHORISED, "use the owner's account"),
    "OwnableInvalidOwner": ErrorSpec(_N, Exit.USAGE, "name an owner that is not zero"),
    # the token (ERC-6093)
    "ERC20InsufficientAllowance": ErrorSpec(_N, Exit.FAILED, "approve the exact amount first"),
    "ERC20InsufficientBalance": ErrorSpec(_N, Exit.FAILED, "top up the account and repeat"),
    "ERC20InvalidApprover": ErrorSpec(_N, Exit.USAGE, "approve from an account that is not zero"),
    "ERC20InvalidReceiver": ErrorSpec(_N, Exit.USAGE, "name a receiver that is not zero"),
    "ERC20InvalidSender": ErrorSpec(_N, Exit.USAGE, "send from an account that is not zero"),
    "ERC20InvalidSpender": ErrorSpec(_N, Exit.USAGE, "approve a spender that is not zero"),
}
"""Custom errors of the contracts by their Solidity names: exactly those of the committed ABIs."""

REGISTRY: dict[str, ErrorSpec] = {**OFF_CHAIN, **CONTRACT}
