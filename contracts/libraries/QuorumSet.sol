// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";

/// @title Reads what a quorum is the hash of
/// @notice The format and the checks are those of `IQuorumVerifier`.
library QuorumSet {
    uint256 private constant MAX_MEMBERS = 32;
    // Places in a quorum's preimage, in bytes.
    uint256 private constant HEAD_SIZE = 2;
    uint256 private constant MEMBER_SIZE = 20;

    /// @notice M and the members, strictly ascending and nonzero, of the quorum that `preimage` hashes to.
    function read(bytes32 quorum, bytes calldata preimage) internal pure returns (uint256 m, address[] memory members) {
        bytes32 have = keccak256(preimage);
        if (have != quorum) revert IQuorumVerifier.WrongQuorum(have, quorum);
        if (preimage.length < HEAD_SIZE) revert IQuorumVerifier.BadProofLength(preimage.length, HEAD_SIZE);
        m = uint8(preimage[0]);
        uint256 n = uint8(preimage[1]);
        if (n > MAX_MEMBERS || m > n || 2 * m <= n) revert IQuorumVerifier.BadQuorumSize(m, n);
        uint256 size = HEAD_SIZE + n * MEMBER_SIZE;
        if (preimage.length != size) revert IQuorumVerifier.BadProofLength(preimage.length, size);

        members = new address[](n);
        address previous = address(0);
        for (uint256 i = 0; i < n; ++i) {
            uint256 start = HEAD_SIZE + i * MEMBER_SIZE;
            address member = address(bytes20(preimage[start:start + MEMBER_SIZE]));
            if (member <= previous) revert IQuorumVerifier.MembersNotAscending(i, member);
            members[i] = member;
            previous = member;
        }
    }
}
