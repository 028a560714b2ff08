// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Attestation, IVerifier } from "./IVerifier.sol";

/// @title M of N attesters, proved in one call
/// @notice A quorum is `keccak256(abi.encodePacked(uint8 M, uint8 N, members))`, each member as 20 bytes: no set is
/// stored. A verdict passes when at least M distinct members signed the same digest. See docs/protocol.md section 5.
///
/// The proof is M and N (1 byte each), the N members (20 bytes each), a bitmap (4 bytes big endian, bit i = member i), then
/// one signature for each set bit, in member order: 64 bytes `r, vs` (EIP-2098). `r = 0` announces an ERC-1271 signature:
/// `vs` is its length, and its bytes follow. The proof ends exactly after the last signature.
interface IQuorumVerifier is IVerifier {
    /// @notice A quorum's members, published so that anyone can build its proofs.
    event Announced(bytes32 indexed quorum, uint8 m, address[] members);

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

    /// @notice Publishes a quorum, after the checks that `verify` makes of it. Changes nothing: an unannounced quorum works too.
    /// @dev Emits `Announced`. Reverts with `BadQuorumSize` or `MembersNotAscending`.
    /// @return quorum what agreements name in their terms
    /// @custom:caller anyone
    function announce(uint8 m, address[] calldata members) external returns (bytes32 quorum);

    /// @notice What a member signs: the EIP-712 hash of the verdict under this contract's domain, which is fixed at deployment.
    /// @dev Type `Attestation(address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps)`.
    function digest(address escrow, bytes32 agreement, bytes32 quorum, uint256 milestone, Attestation calldata a)
        external
        view
        returns (bytes32);
}
