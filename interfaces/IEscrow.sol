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
    address token; // an ERC-20, or 0 = the chain's native currency
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
    uint96 tip; // token units, out of the payee's share, all of it if need be, to the caller of the attest or settle that pays out
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

/// @notice What both parties sign to go on under other terms, beside the agreements themselves. Sets: bit i = milestone i.
struct Amendment {
    uint64 closes; // milestones of the old agreement that end unpaid
    uint64 opens; // milestones of the new agreement that their money funds
    uint40 asOf; // unix s: time of the block that the signers read; every one of `closes` must have moved before it
    uint40 deadline; // unix s: last second in which the offer stands
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
    Amended // never in `Settled`: the event `Amended` says it
}

/// @title Milestone escrow
/// @notice A payer locks funds for a payee against a schedule of milestones. A milestone's money leaves once, through one
/// door, for one `Cause`. Every clock has an outcome in the terms, so time alone can always empty an agreement. No owner,
/// no proxy, no pause. The rules are docs/protocol.md; section 4 there is the state machine.
///
/// Shares are in 1/10000 (bps), amounts in token units, times in unix seconds. A window includes its last second.
/// Every state-changing function but `multicall`, whose calls each do, holds one lock; views do not. `Reentered` is possible
/// in each of the former, and `InsufficientGas` in each that pays out.
///
/// Every function that takes a `Part` reverts with `IndexOutsideSchedule` or `WrongMilestone` when the part contradicts
/// itself; every state-changing one except `settleMany` with `NotFunded` or `AlreadySettled` unless the milestone is open.
interface IEscrow is IERC5267 {
    /* EVENTS */

    /// @notice The milestones in `mask` are funded, by `funder`, who in an amendment may have paid nothing. Terms and schedule are complete, so anyone can build every `Part`.
    event Funded(
        bytes32 indexed id,
        address indexed payer,
        address indexed payee,
        address funder,
        uint64 mask,
        Terms terms,
        Milestone[] milestones
    );
    /// @notice `by`, the payee, accepted these terms in writing. Changes nothing on chain.
    event Accepted(bytes32 indexed id, address by);
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
    /// @notice The milestones `closes` of `from` ended without `Settled`, and `opens` of `to` are funded (`Funded` comes
    /// just before). `moved` token units went over; an excess went to the payer, a shortfall came from the caller.
    event Amended(bytes32 indexed from, bytes32 indexed to, uint64 closes, uint64 opens, uint256 moved);
    /// @notice A push failed; `owner` may `withdraw` the amount.
    event Credited(address indexed token, address indexed owner, uint256 amount);
    /// @notice `owner` took a whole credit.
    event Withdrawn(address indexed token, address indexed owner, address to, uint256 amount);

    /* ERRORS OF FUNDING, IN THE ORDER IN WHICH THEY ARE CHECKED */

    /// @notice The chain was renumbered since deployment: funding, verdicts and signatures need the chain id as
    /// deployed.
    error WrongChain(uint256 have, uint256 want);
    /// @notice A schedule has 1 to 64 milestones.
    error BadMilestoneCount(uint256 have);
    /// @notice No milestone is named.
    error EmptyMask();
    /// @notice The mask names a milestone that the schedule of `count` milestones does not have.
    error MaskOutsideSchedule(uint64 mask, uint256 count);
    /// @notice A milestone's amount is zero, whether it is to be funded now or not.
    error ZeroAmount(uint256 index);
    /// @notice The tip may be at most a tenth of the smallest amount.
    error TipTooLarge(uint96 have, uint256 limit);
    /// @notice A milestone to be funded must have now < submitBy <= now + 10 years.
    error SubmitByOutOfRange(uint256 index, uint40 submitBy);
    /// @notice The milestones in `already` were funded before, and perhaps settled: none is paid for twice.
    error AlreadyFunded(bytes32 id, uint64 already);
    /// @notice A share or fee is above the whole, 10,000.
    error BpsTooLarge(uint16 have);
    /// @notice feeTo must be nonzero exactly when feeBps is.
    error FeeMismatch(uint16 feeBps, address feeTo);
    /// @notice Silence may pay the payee only where an arbiter can be asked.
    error UnreviewedShareWithoutArbiter(uint16 unreviewedBps);
    /// @notice unruledBps is for agreements that have an arbiter and no verifier.
    error UnruledShareNotApplicable(uint16 unruledBps);
    /// @notice Payer and payee must be two different accounts, neither of them zero.
    error BadParties(address payer, address payee);
    /// @notice A payer, payee, feeTo or arbiter is the escrow or the token.
    error ForbiddenAddress(address have);
    /// @notice Verifier and quorum must both be given, or neither.
    error VerifierMismatch(address verifier, bytes32 quorum);
    /// @notice A verifier, an arbiter with a hook, or a token has no code.
    error NoCode(address account);
    /// @notice There is no time for a review.
    error ZeroReviewWindow();
    /// @notice rulingWindow must be nonzero exactly when there is an arbiter.
    error RulingWindowMismatch(uint32 rulingWindow, address arbiter);
    /// @notice challengeWindow must be nonzero exactly when there are both a verifier and an arbiter.
    error ChallengeWindowMismatch(uint32 challengeWindow, address verifier, address arbiter);
    /// @notice A window is longer than 365 days.
    error WindowTooLong(uint32 have, uint256 limit);
    /// @notice The arbiter is a party or takes the fee.
    error ArbiterNotIndependent(address arbiter);
    /// @notice The call must carry exactly what it pays in native currency, and nothing where it pays in a token.
    error WrongValue(uint256 have, uint256 want);
    /// @notice The token refused to take `amount` from `from`: too little balance or allowance, or a token of another
    /// kind.
    error TransferFromFailed(address token, address from, uint256 amount);
    /// @notice The token refused the payer's ERC-3009 authorization; `reason` is the token's own error.
    error AuthorizationRefused(address token, bytes reason);
    /// @notice Another amount arrived than was to be funded: a token that takes a fee or rebases.
    error WrongAmountReceived(uint256 have, uint256 want);

    /* ERRORS OF THE REST OF AN AGREEMENT'S LIFE */

    /// @notice A token, receiver or arbiter called the escrow while one of its calls was running.
    error Reentered();
    /// @notice The part's index is beyond its leaves.
    error IndexOutsideSchedule(uint8 index, uint256 count);
    /// @notice The part's milestone does not hash to the leaf at its index.
    error WrongMilestone(uint8 index, bytes32 have, bytes32 want);
    /// @notice The part hashes to another agreement than the one named.
    error WrongAgreement(bytes32 have, bytes32 want);
    /// @notice The milestone of this agreement was never funded. Other terms than those funded are another agreement.
    error NotFunded(bytes32 id, uint8 index);
    /// @notice The milestone's money has left: settled, or moved by an amendment.
    error AlreadySettled(bytes32 id, uint8 index);
    /// @notice The milestone does not stand where this call could take it on.
    error WrongStatus(bytes32 id, uint8 index, Status have);
    /// @notice Only the payer may do this.
    error NotPayer(address caller, address payer);
    /// @notice Only the payee may do this.
    error NotPayee(address caller, address payee);
    /// @notice Only the payer and the payee may do this.
    error NotParty(address caller);
    /// @notice Only the arbiter may do this.
    error NotArbiter(address caller, address arbiter);
    /// @notice The agreement has no verifier, so nobody attests.
    error NoVerifier(bytes32 id);
    /// @notice The agreement has no arbiter, so nothing is disputed.
    error NoArbiter(bytes32 id);
    /// @notice The window's last second, `lastSecond`, has passed.
    error TooLate(uint256 lastSecond, uint256 timestamp);
    /// @notice This is possible from `firstSecond` on.
    error TooEarly(uint256 firstSecond, uint256 timestamp);
    /// @notice The first 24 bytes of a submitted deliverable must not all be zero: zero stands for "not submitted".
    error ZeroDeliverable();
    /// @notice After 255 rejections there is no further submission.
    error TooManyAttempts(uint16 attempt);
    /// @notice The verdict is on another submission than the current one.
    error WrongAttempt(uint16 have, uint16 want);
    /// @notice The verdict is on another deliverable than the submitted one; zero where nothing was submitted.
    error WrongDeliverable(bytes32 have, bytes32 want);
    /// @notice The verifier answered something else than its selector.
    error VerifierRefused(address verifier, bytes4 answer);
    /// @notice The arbiter's hook answered something else than its selector.
    error ArbiterRefused(address arbiter, bytes4 answer);
    /// @notice Too little gas is left to give a transfer its fixed share. Call again with more.
    error InsufficientGas(uint256 have, uint256 want);
    /// @notice Neither the party's key nor its contract (ERC-1271) signed this, and it is not the caller.
    error NotSignedBy(address party);
    /// @notice The milestone moved in the second that the signers had read, or after it: look and sign anew.
    error Stale(uint256 index, uint256 since, uint256 asOf);
    /// @notice The offer names the time of a block that does not exist yet.
    error AsOfInFuture(uint256 asOf, uint256 timestamp);
    /// @notice Some of the milestones that an amendment closes are not open.
    error NotOpen(bytes32 id, uint64 milestones);
    /// @notice An amendment keeps payer, payee and token.
    error NotAnAmendment(bytes32 from, bytes32 to);
    /// @notice The caller has no credit in that token.
    error NothingToWithdraw(address token, address owner);
    /// @notice The receiver is zero or the escrow itself.
    error BadRecipient(address to);
    /// @notice The token refused to send the credit, which stays.
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

    /// @notice `fund` for the caller's ERC-2612 permit over exactly the sum. Where the permit fails, because somebody used it
    /// first or the token has none, the allowance decides.
    /// @dev As `fund`.
    /// @param deadline of the permit, unix s
    /// @custom:caller anyone, with his own money
    function fundWithPermit(
        Terms calldata terms,
        Milestone[] calldata milestones,
        uint64 mask,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bytes32 id);

    /// @notice `fund` with the payer's money by his ERC-3009 authorization to receive, made out to this contract and delivered by anyone.
    /// Its nonce is `keccak256(abi.encode(id, uint256(mask)))`: one signature pays for these milestones of these terms, and
    /// for nothing else, once.
    /// @dev As `fund`, with the payer as funder; reverts with `NoCode` for native currency and with `AuthorizationRefused`.
    /// @param validAfter unix s: of the authorization, exclusive
    /// @param validBefore unix s: of the authorization, exclusive
    function fundWithAuthorization(
        Terms calldata terms,
        Milestone[] calldata milestones,
        uint64 mask,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bytes32 id);

    /// @notice The same, by anyone, for tokens that take a signature as bytes, as of a payer that is a contract.
    function fundWithAuthorization(
        Terms calldata terms,
        Milestone[] calldata milestones,
        uint64 mask,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external returns (bytes32 id);

    /// @notice Records that the payee accepted these terms, at any time, funded or not. Anyone who holds the signature may.
    /// @dev Emits `Accepted`. Reverts with `WrongChain` or `NotSignedBy`.
    /// @param signature the payee's over the id; empty when the payee calls
    /// @return id the agreement's id
    function accept(Terms calldata terms, Milestone[] calldata milestones, bytes calldata signature)
        external
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

    /// @notice Shares an open milestone as both parties signed; anyone who holds both signatures may call.
    /// @dev Typed data `Split(bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 asOf,uint40 deadline)` under this
    /// contract's domain. Emits `Settled`. Reverts with `WrongChain`, `BpsTooLarge`, `TooLate`, `AsOfInFuture`, `Stale` or
    /// `NotSignedBy`.
    /// @param asOf unix s: time of the block that the signers read; the milestone must have moved before it, not in that
    /// second: a chain may have several blocks a second
    /// @param deadline unix s: last second in which the offer stands
    /// @param payerSig empty when the payer calls
    /// @param payeeSig empty when the payee calls
    function agree(
        Part calldata part,
        uint16 payeeBps,
        uint40 asOf,
        uint40 deadline,
        bytes calldata payerSig,
        bytes calldata payeeSig
    ) external;

    /// @notice Ends open milestones of one agreement and funds milestones of another, of the same payer, payee and token, as
    /// both signed; anyone who holds both signatures may call. What is left over goes to the payer; what is missing comes
    /// from the caller, as in `fund`.
    /// @dev Typed data `Amendment(bytes32 from,uint64 closes,Terms to,uint64 opens,uint40 asOf,uint40 deadline)` under this
    /// contract's domain. Emits `Funded`, then `Amended`. Reverts with `WrongChain`, `TooLate`, `AsOfInFuture`,
    /// `NotAnAmendment`, `EmptyMask`, `NotOpen`, `Stale`, `AlreadyFunded` where anything of the new agreement was ever funded,
    /// `NotSignedBy`, and the errors of funding for the new agreement. An outsider who funds a milestone of it first makes
    /// both sign anew.
    /// @param payerSig empty when the payer calls
    /// @param payeeSig empty when the payee calls
    /// @return to the new agreement's id
    function amend(
        Amendment calldata a,
        Terms calldata fromTerms,
        Milestone[] calldata fromMilestones,
        Terms calldata toTerms,
        Milestone[] calldata toMilestones,
        bytes calldata payerSig,
        bytes calldata payeeSig
    ) external payable returns (bytes32 to);

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
    /// @custom:caller anyone
    function settleMany(Part[] calldata parts) external returns (bool[] memory settled);

    /// @notice Sends a whole credit to its owner; anyone may: a receiver that calls nobody gets what a passing failure kept.
    /// @dev Emits `Withdrawn`. Reverts with `NothingToWithdraw`, or with `TransferFailed`, and the credit stays.
    /// @return amount token units
    function deliver(address token, address owner) external returns (uint256 amount);

    /// @notice Takes the caller's whole credit in `token`.
    /// @dev Emits `Withdrawn`. Reverts with `BadRecipient`, `NothingToWithdraw` or `TransferFailed`.
    /// @param to neither zero nor the escrow
    /// @return amount token units
    /// @custom:caller the owner of the credit
    function withdraw(address token, address to) external returns (uint256 amount);

    /* SEVERAL CALLS IN ONE */

    /// @notice Makes several calls of this contract in the caller's name, all or none; anyone may. Carries no value.
    /// @dev Reverts with the error of the call that failed.
    /// @param data each call's calldata
    /// @return results each call's return data
    function multicall(bytes[] calldata data) external returns (bytes[] memory results);

    /* VIEWS */

    /// @notice What time alone will do to a milestone, if nobody acts. Ready means that `settle` does just this.
    /// @return cause why, or `None` when unfunded or settled
    /// @return share payee's share before fee and tip, token units
    /// @return readyAt first second at which `settle` succeeds; the type's maximum when unfunded or settled
    function due(Part calldata part) external view returns (Cause cause, uint128 share, uint40 readyAt);

    /// @notice A second from which on `settle` is possible, whatever happened before.
    function latest(Part calldata part) external view returns (uint40);

    /// @notice Which milestones were ever funded, and which of them are closed, settled or amended: bit i = milestone i.
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
