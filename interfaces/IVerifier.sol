// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice One verdict on one milestone: what attesters say, and an escrow acts on.
struct Attestation {
    uint16 attempt; // which submission is judged; equals the milestone's current attempt
    bytes32 deliverable; // what was judged: the submitted hash (its first 24 bytes count), or 0 for an unsubmitted milestone
    uint16 payoutBps; // payee's share in 1/10000; 0 = a rejection
}

/// @title Decides whether a verdict may be believed
/// @notice An escrow asks before it acts on an `Attestation` and trusts nothing else about the verifier.
/// See docs/protocol.md section 5.
interface IVerifier {
    /// @notice Vouches for every field of `a`, for the calling escrow (`msg.sender`) and no other.
    /// @dev A verifier must check each field or force it: a caller who can choose one is a vulnerability. It is called
    /// with STATICCALL. It refuses by reverting, or by answering anything else than its selector.
    /// @param quorum the commitment in the agreement's terms to who, or what, decides
    /// @param agreement the agreement's id at the calling escrow
    /// @param milestone the milestone's index in the schedule
    /// @param a the verdict
    /// @param proof in the verifier's own format
    /// @return `IVerifier.verify.selector`, if and only if the verdict is genuine
    function verify(bytes32 quorum, bytes32 agreement, uint256 milestone, Attestation calldata a, bytes calldata proof)
        external
        view
        returns (bytes4);
}
