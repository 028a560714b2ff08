// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Attestation, IVerifier } from "./IVerifier.sol";

/// @notice A verdict, and one member's ECDSA signature of it.
struct SignedVerdict {
    Attestation attestation;
    bytes32 r;
    bytes32 vs; // EIP-2098: the top bit is v - 27, the rest is s
}

/// @notice Two verdicts of one member that cannot both be honest: one subject, two shares.
/// The subject is escrow, agreement, quorum, milestone, attempt and the first 24 bytes of the deliverable.
struct Equivocation {
    address member;
    address escrow;
    bytes32 agreement;
    uint256 milestone;
    SignedVerdict one;
    SignedVerdict other;
}

/// @title M of N attesters, proved in one call
/// @notice A quorum is `keccak256(abi.encodePacked(uint8 M, uint8 N, members))`, each member as 20 bytes: no set is
/// stored. A verdict passes when at least M distinct, active members signed the same digest. See docs/protocol.md
/// section 5.
///
/// The proof is M and N (1 byte each), the N members (20 bytes each), a bitmap (4 bytes big endian, bit i = member i), then
/// one signature for each set bit, in member order: 64 bytes `r, vs` (EIP-2098). `r = 0` announces an ERC-1271 signature:
/// `vs` is its length, and its bytes follow. The proof ends exactly after the last signature.
///
/// A member stops counting for ever when it resigns, or when anyone shows two verdicts of its key on one subject. It may
/// back its word with a bond in native currency, which it gets back 30 days after resigning unless it is shown to have
/// equivocated by then. A bond binds it to its key: from then on nothing that a contract says in its name counts, so that
/// whatever counts can be held against it. Each quorum is apart: neither marks nor bonds reach into another one.
///
/// Every function that takes `m` and `members` reverts with `BadQuorumSize` or `MembersNotAscending` when they are no
/// quorum, and, where it is about one member, with `NotMember` when that one is not in it.
interface IQuorumVerifier is IVerifier {
    /* EVENTS */

    /// @notice A quorum's members, published so that anyone can build its proofs.
    event Announced(bytes32 indexed quorum, uint8 m, address[] members);
    /// @notice A member added `amount` to its bond.
    event BondPosted(bytes32 indexed quorum, address indexed member, uint256 amount);
    /// @notice A member counts no longer. Its bond can be lost until `unbondingEnd` (included) and taken back after it.
    event Resigned(bytes32 indexed quorum, address indexed member, uint40 unbondingEnd);
    /// @notice A member resigned long ago and took its bond back.
    event BondWithdrawn(bytes32 indexed quorum, address indexed member, address to, uint256 amount);
    /// @notice A member gave two shares to one subject: it counts no longer, and its bond was `reward + burned`.
    event Equivocated(
        bytes32 indexed quorum,
        address indexed member,
        address escrow,
        bytes32 agreement,
        uint256 milestone,
        uint16 attempt,
        bytes24 deliverable,
        uint16 payoutBps,
        uint16 otherPayoutBps,
        address reporter,
        uint256 reward,
        uint256 burned
    );

    /* ERRORS */

    /// @notice M of N is no quorum: 1 <= N <= 32, M <= N and 2M > N are required, so that two conflicting quorums share a member.
    error BadQuorumSize(uint256 m, uint256 n);
    /// @notice Members must be nonzero and strictly ascending: nobody is listed twice.
    error MembersNotAscending(uint256 index, address member);
    /// @notice The proof is of another quorum than the agreement's.
    error WrongQuorum(bytes32 have, bytes32 want);
    /// @notice The proof is shorter than it says, or goes on after its last signature.
    error BadProofLength(uint256 have, uint256 want);
    /// @notice The bitmap names a member that does not exist.
    error BitmapBeyondMembers(uint32 bitmap, uint256 n);
    /// @notice An ECDSA signature has `s` in the upper half of the curve's order: it is a twin of another one.
    error MalleableSignature(address member);
    /// @notice An ECDSA signature is not this member's signature of this verdict.
    error BadSignature(address member, address recovered);
    /// @notice The call has too little gas left to give a contract member its fixed share.
    error InsufficientGas(uint256 have, uint256 want);
    /// @notice Fewer members than M count.
    error TooFewSignatures(uint256 have, uint256 want);
    /// @notice The account is not in this quorum.
    error NotMember(address account);
    /// @notice The member resigned or equivocated: that is for ever.
    error Inactive(bytes32 quorum, address member);
    /// @notice A contract has no key whose word a bond could stand for. (An account that delegates by EIP-7702 has one.)
    error NotAKey(address member);
    /// @notice No money came along.
    error ZeroBond();
    /// @notice There is nothing to take back: never posted, taken already, or lost.
    error NoBond(bytes32 quorum, address member);
    /// @notice A bond stays where it is until its member resigns.
    error NotResigned(bytes32 quorum, address member);
    /// @notice The unbonding has not ended.
    error TooEarly(uint256 firstSecond, uint256 timestamp);
    /// @notice The unbonding has ended: the bond is its member's again.
    error TooLate(uint256 lastSecond, uint256 timestamp);
    /// @notice Both verdicts give the same share: nobody is deceived.
    error SameVerdict(uint16 payoutBps);
    /// @notice The verdicts are about different submissions: an honest member may well have signed both.
    error DifferentSubjects(uint16 attempt, uint16 otherAttempt, bytes24 deliverable, bytes24 otherDeliverable);
    /// @notice Money is sent neither to zero nor to this contract.
    error BadRecipient(address to);
    /// @notice The receiver refuses the money; token 0 is the native currency. Nothing happened: name another receiver.
    error TransferFailed(address token, address to, uint256 amount);

    /* QUORUMS */

    /// @notice Publishes a quorum, after the checks that `verify` makes of it. Changes nothing: an unannounced quorum works too.
    /// @dev Emits `Announced`.
    /// @return quorum what agreements name in their terms
    /// @custom:caller anyone
    function announce(uint8 m, address[] calldata members) external returns (bytes32 quorum);

    /* BONDS */

    /// @notice Member: backs its word with `msg.value` wei more. From the first bond on only its key's signatures count in
    /// this quorum, no contract's.
    /// @dev Emits `BondPosted`. Reverts with `Inactive`, `NotAKey` or `ZeroBond`.
    /// @custom:caller the member, if it is a key
    function postBond(uint8 m, address[] calldata members) external payable returns (bytes32 quorum);

    /// @notice Member: "count me no longer", at once and for ever. Starts the 30 days after which its bond comes free.
    /// @dev Emits `Resigned`. Reverts with `Inactive`.
    /// @custom:caller the member
    function resign(uint8 m, address[] calldata members) external returns (bytes32 quorum);

    /// @notice Member: takes its whole bond back, once its unbonding has ended.
    /// @dev Emits `BondWithdrawn`. Reverts with `BadRecipient`, `NoBond`, `NotResigned`, `TooEarly` or `TransferFailed`.
    /// @custom:caller the member
    /// @param to neither zero nor this contract
    /// @return amount wei
    function withdrawBond(bytes32 quorum, address to) external returns (uint256 amount);

    /// @notice Anyone: shows that a member's key gave two shares to one subject. The member counts no longer. It loses its
    /// bond: a tenth goes to `to`, the rest stays here for ever, because no function pays it out. Works without a bond too, and
    /// on a member that resigned until its unbonding ends.
    /// @dev Whoever sees a proof can send it first and take the reward, the member itself included: nine tenths are lost
    /// all the same. Emits `Equivocated`. Reverts with `BadRecipient`, `SameVerdict`, `DifferentSubjects`, `Inactive` (shown
    /// before), `TooLate`, `MalleableSignature`, `BadSignature` or `TransferFailed`.
    /// @param to neither zero nor this contract
    /// @return reward wei
    function proveEquivocation(uint8 m, address[] calldata members, Equivocation calldata shown, address to)
        external
        returns (uint256 reward);

    /* VIEWS */

    /// @notice What a member signs: the EIP-712 hash of the verdict under this contract's domain, which is fixed at deployment.
    /// @dev Type `Attestation(address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps)`.
    function digest(address escrow, bytes32 agreement, bytes32 quorum, uint256 milestone, Attestation calldata a)
        external
        view
        returns (bytes32);

    /// @notice Which members stand out: bit i = member i.
    /// @return inactive resigned or equivocated: counts no longer
    /// @return bonded posted a bond at some time: only its key's signatures count
    function marks(bytes32 quorum) external view returns (uint32 inactive, uint32 bonded);

    /// @notice What a member has at stake in a quorum.
    /// @return amount wei
    /// @return unbondingEnd unix s: last second in which it can be lost; 0 unless the member resigned
    function bondOf(bytes32 quorum, address member) external view returns (uint256 amount, uint40 unbondingEnd);
}
