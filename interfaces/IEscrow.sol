// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC5267 } from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import { Attestation } from "./IVerifier.sol";

/// @notice One line of an agreement's schedule.
struct Milestone {
    uint128 amount; // token units, > 0
    uint40 submitBy; // unix s: last second to submit, or to be attested without a submission
    bytes32 criteria; // hash of the acceptance criteria that attesters judge by
}

/// @notice What both sides agreed to. Never stored: the agreement's id is its hash.
struct Terms {
    address payer;
    address payee;
    address token; // an ERC-20
    address verifier; // who checks verdicts; 0 together with quorum: approval, clocks and arbiter only
    bytes32 quorum; // the verifier's commitment to who attests
    address arbiter; // 0 = no disputes
    bool arbiterHook; // the arbiter is a contract, to be called on dispute
    uint32 reviewWindow; // s after a submission in which a verdict must come
    uint32 challengeWindow; // s after a verdict, or after a review nobody gave, in which it may be disputed
    uint32 rulingWindow; // s after a dispute in which the arbiter may rule
    uint16 unreviewedBps; // payee's share in 1/10000 if submitted and never reviewed
    uint16 unruledBps; // agreements without a verifier: payee's share in 1/10000 if disputed and never ruled
    uint16 feeBps; // integrator's fee in 1/10000 of the payee's share
    address feeTo; // who receives the fee
    uint96 tip; // token units, out of the payee's share, to the caller of the attest or settle that pays out
    bytes32 document; // hash of the legal text
    bytes32 salt;
}

/// @notice One milestone, and what shows that it belongs to an agreement.
struct Part {
    Terms terms;
    bytes32[] leaves; // EIP-712 hash of each milestone of the schedule
    uint8 index; // the place of `milestone` in the schedule
    Milestone milestone;
}

/// @notice Where a funded, unsettled milestone stands.
enum Status {
    Funded,
    Submitted,
    Attested,
    Disputed
}

/// @notice Why a milestone's money left.
enum Cause {
    None,
    Attested,
    Approved,
    Waived,
    Agreed,
    Ruled,
    Lapsed,
    Unreviewed,
    Unruled,
    Amended
}

/// @title Milestone escrow
/// @notice A payer locks funds for a payee against a schedule of milestones. A milestone's money leaves once, through one
/// door, for one `Cause`. Every clock has an outcome in the terms, so time alone can always empty an agreement. No owner,
/// no proxy, no pause. The rules are docs/protocol.md; section 4 there is the state machine.
///
/// Shares are in 1/10000 (bps), amounts in token units, times in unix seconds. A window includes its last second.
/// Every state-changing function holds one lock; views do not. `Reentered` is possible in each of the former.
///
/// Every function that takes a `Part` reverts with `IndexOutsideSchedule` or `WrongMilestone` when the part contradicts
/// itself; every state-changing one except `settleMany` with `NotFunded` or `AlreadySettled` unless the milestone is open.
interface IEscrow is IERC5267 {
    /* EVENTS */

    /// @notice The milestones in `mask` are funded. Terms and schedule are complete, so anyone can build every `Part`.
    event Funded(
        bytes32 indexed id,
        address indexed payer,
        address indexed payee,
        address funder,
        uint64 mask,
        Terms terms,
        Milestone[] milestones
    );
    /// @notice The payee submitted. Of `deliverable` the first 24 bytes are stored and emitted, the last 8 are zero; the
    /// same holds in `Attested` and `Rejected`.
    event Submitted(bytes32 indexed id, uint8 index, uint16 attempt, bytes32 deliverable);
    /// @notice The quorum awarded a share. Followed by `Settled` in the same call where nobody may dispute it.
    event Attested(bytes32 indexed id, uint8 index, uint16 attempt, bytes32 deliverable, uint16 payoutBps);
    /// @notice The quorum rejected submission number `attempt`.
    event Rejected(bytes32 indexed id, uint8 index, uint16 attempt, bytes32 deliverable);
    /// @notice A party disputed; `standingBps` is the payee's share if nobody rules.
    event Disputed(bytes32 indexed id, uint8 index, address by, uint16 standingBps, bytes data);
    /// @notice The milestone's money left. `toPayee + toPayer + fee + tip` is the milestone's amount; the tip is `executor`'s.
    event Settled(
        bytes32 indexed id,
        uint8 index,
        Cause cause,
        uint16 payeeBps,
        uint128 toPayee,
        uint128 toPayer,
        uint128 fee,
        uint128 tip,
        address executor
    );
    /// @notice A push failed; `owner` may `withdraw` the amount.
    event Credited(address indexed token, address indexed owner, uint256 amount);
    /// @notice `owner` took a whole credit.
    event Withdrawn(address indexed token, address indexed owner, address to, uint256 amount);

    /* ERRORS OF FUNDING, IN THE ORDER IN WHICH THEY ARE CHECKED */

    error WrongChain(uint256 have, uint256 want);
    error BadMilestoneCount(uint256 have);
    error ZeroAmount(uint256 index);
    error BpsTooLarge(uint16 have);
    error BadParties(address payer, address payee);
    /// @notice A payer, payee, feeTo or arbiter is the escrow or the token.
    error ForbiddenAddress(address have);
    /// @notice The arbiter is a party or takes the fee.
    error ArbiterNotIndependent(address arbiter);
    /// @notice feeTo must be nonzero exactly when feeBps is.
    error FeeMismatch(uint16 feeBps, address feeTo);
    /// @notice Verifier and quorum must both be given, or neither.
    error VerifierMismatch(address verifier, bytes32 quorum);
    /// @notice A verifier, an arbiter with a hook, or a token has no code.
    error NoCode(address account);
    error ZeroReviewWindow();
    /// @notice rulingWindow must be nonzero exactly when there is an arbiter.
    error RulingWindowMismatch(uint32 rulingWindow, address arbiter);
    /// @notice challengeWindow must be nonzero exactly when there are both a verifier and an arbiter.
    error ChallengeWindowMismatch(uint32 challengeWindow, address verifier, address arbiter);
    error UnreviewedShareWithoutArbiter(uint16 unreviewedBps);
    /// @notice unruledBps is for agreements that have an arbiter and no verifier.
    error UnruledShareNotApplicable(uint16 unruledBps);
    error WindowTooLong(uint32 have, uint256 limit);
    /// @notice The tip may be at most a tenth of the smallest amount.
    error TipTooLarge(uint96 have, uint256 limit);
    /// @notice The native currency (token 0) is not served by this version.
    error NativeNotSupported();
    error EmptyMask();
    error MaskOutsideSchedule(uint64 mask, uint256 count);
    error AlreadyFunded(bytes32 id, uint64 already);
    /// @notice A milestone to be funded must have now < submitBy <= now + 10 years.
    error SubmitByOutOfRange(uint256 index, uint40 submitBy);
    error WrongValue(uint256 have, uint256 want);
    error TransferFromFailed(address token, address from, uint256 amount);
    /// @notice Another amount arrived than was to be funded: a token that takes a fee or rebases.
    error WrongAmountReceived(uint256 have, uint256 want);

    /* ERRORS OF THE REST OF AN AGREEMENT'S LIFE */

    error Reentered();
    error IndexOutsideSchedule(uint8 index, uint256 count);
    /// @notice The part's milestone does not hash to the leaf at its index.
    error WrongMilestone(uint8 index, bytes32 have, bytes32 want);
    error WrongAgreement(bytes32 have, bytes32 want);
    error NotFunded(bytes32 id, uint8 index);
    error AlreadySettled(bytes32 id, uint8 index);
    error WrongStatus(bytes32 id, uint8 index, Status have);
    error NotPayer(address caller, address payer);
    error NotPayee(address caller, address payee);
    error NotParty(address caller);
    error NotArbiter(address caller, address arbiter);
    error NoVerifier(bytes32 id);
    error NoArbiter(bytes32 id);
    error TooLate(uint256 lastSecond, uint256 timestamp);
    error TooEarly(uint256 firstSecond, uint256 timestamp);
    /// @notice The first 24 bytes of a submitted deliverable must not all be zero: zero stands for "not submitted".
    error ZeroDeliverable();
    error TooManyAttempts(uint16 attempt);
    error WrongAttempt(uint16 have, uint16 want);
    error WrongDeliverable(bytes32 have, bytes32 want);
    error VerifierRefused(address verifier, bytes4 answer);
    error ArbiterRefused(address arbiter, bytes4 answer);
    /// @notice Too little gas is left to give a transfer its fixed share. Call again with more.
    error InsufficientGas(uint256 have, uint256 want);
    error NothingToWithdraw(address token, address owner);
    error BadRecipient(address to);
    error TransferFailed(address token, address to, uint256 amount);

    /* AN AGREEMENT'S LIFE */

    /// @notice Pays for the milestones in `mask`, in full, out of the caller's allowance. Anyone may pay; the money is the
    /// payer's and payee's from then on. An agreement exists from its first funding.
    /// @dev Emits `Funded`. Reverts with the errors of funding, in their order; the rules are docs/protocol.md section 3.
    /// @param mask bit i = milestone i; none may have been funded before
    /// @return id the agreement's id
    function fund(Terms calldata terms, Milestone[] calldata milestones, uint64 mask)
        external
        payable
        returns (bytes32 id);

    /// @notice Payee: "this is my work", until `submitBy`. Starts the review window.
    /// @dev Emits `Submitted`. Reverts with `NotPayee`, `WrongStatus`, `TooLate`, `ZeroDeliverable` or, after 255
    /// rejections, `TooManyAttempts`.
    /// @param deliverable hash of the deliverable document; its first 24 bytes are what counts and must not be zero
    function submit(Part calldata part, bytes32 deliverable) external;

    /// @notice Delivers the quorum's verdict; anyone who holds the proof may. An award opens the challenge window, or pays at
    /// once where there is none. A rejection gives the milestone back to the payee until `submitBy`.
    /// @dev Emits `Attested` or `Rejected`, and `Settled` when it pays; a tip goes to the caller then. Reverts with
    /// `WrongChain`, `NoVerifier`, `BpsTooLarge`, `WrongAttempt`, `WrongStatus`, `TooLate`, `WrongDeliverable`,
    /// `VerifierRefused` or the verifier's own error.
    function attest(Part calldata part, Attestation calldata a, bytes calldata proof) external;

    /// @notice Payer: "pay it all", at any time before settlement.
    /// @dev Emits `Settled`. Reverts with `NotPayer`.
    function approve(Part calldata part) external;

    /// @notice Payee: "give it all back", at any time before settlement.
    /// @dev Emits `Settled`. Reverts with `NotPayee`.
    function waive(Part calldata part) external;

    /// @notice A party takes a verdict, a rejection (payee only) or a review that nobody gave to the arbiter. Without a
    /// verifier: a submission, within its review window. A milestone can be disputed once.
    /// @dev Emits `Disputed`, then calls the arbiter's hook, with the whole `msg.value`, if the terms say so. Reverts with
    /// `NoArbiter`, `NotParty`, `NotPayee`, `WrongStatus`, `TooEarly`, `TooLate`, `WrongValue` (without a hook),
    /// `ArbiterRefused` or the hook's own error.
    /// @param data what the disputer wants to say, passed on unchecked
    function dispute(Part calldata part, bytes calldata data) external payable;

    /// @notice Arbiter: decides one disputed milestone, within the ruling window.
    /// @dev Emits `Settled`. Reverts with `WrongAgreement`, `NotArbiter`, `WrongStatus`, `TooLate` or `BpsTooLarge`.
    /// @param agreement the id that the part must hash to
    function rule(bytes32 agreement, Part calldata part, uint16 payeeBps) external;

    /// @notice Pays out a milestone whose clock has run out; anyone may call and earns the tip. See `due`.
    /// @dev Emits `Settled`. Reverts with `TooEarly` or `InsufficientGas`; once due, with nothing else.
    function settle(Part calldata part) external;

    /// @notice Settles what is due and skips what is not, not funded or settled already. Give it gas for the worst case, not
    /// the estimate: 4 x 150,000 a milestone and the rest.
    /// @dev Emits `Settled` for each. Reverts with `NotFunded` on a part of an agreement of which nothing was ever funded,
    /// and with `InsufficientGas`.
    /// @return settled for each part, whether this call settled it
    function settleMany(Part[] calldata parts) external returns (bool[] memory settled);

    /// @notice Takes the caller's whole credit in `token`.
    /// @dev Emits `Withdrawn`. Reverts with `BadRecipient`, `NothingToWithdraw` or `TransferFailed`.
    /// @param to neither zero nor the escrow
    /// @return amount token units
    function withdraw(address token, address to) external returns (uint256 amount);

    /* VIEWS */

    /// @notice What time alone will do to a milestone, if nobody acts. Ready means that `settle` does just this.
    /// @return cause why, or `None` when unfunded or settled
    /// @return share payee's share before fee and tip, token units
    /// @return readyAt first second at which `settle` succeeds; the type's maximum when unfunded or settled
    function due(Part calldata part) external view returns (Cause cause, uint128 share, uint40 readyAt);

    /// @notice A second from which on `settle` is possible, whatever happened before.
    function latest(Part calldata part) external view returns (uint40);

    /// @notice Which milestones were ever funded, and which of them are settled: bit i = milestone i.
    function state(bytes32 id) external view returns (uint64 funded, uint64 closed);

    /// @notice Where a milestone stands, or stood when it was settled; whether it is open tells `state`.
    /// @return status `Funded` also for one that was never funded
    /// @return attempt how many submissions were rejected
    /// @return since unix s of the last step; 0 before the first
    /// @return deliverable first 24 bytes of the submitted hash, while `Submitted`
    /// @return standingBps payee's share if nobody disputes or rules, while `Attested` or `Disputed`
    function milestone(bytes32 id, uint8 index)
        external
        view
        returns (Status status, uint16 attempt, uint40 since, bytes24 deliverable, uint16 standingBps);

    /// @notice What `owner` may `withdraw`, token units.
    function credit(address token, address owner) external view returns (uint256);

    /// @notice The agreement's id: the EIP-712 hash of the terms with their schedule, under this contract's domain as
    /// deployed. What a wallet shows and signs is what is enforced.
    function agreementId(Terms calldata terms, Milestone[] calldata milestones) external view returns (bytes32);
}
