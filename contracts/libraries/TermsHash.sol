// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Milestone, Terms } from "@interfaces/IEscrow.sol";

/// @title EIP-712 struct hashes of an agreement
/// @notice The type strings are docs/protocol.md section 3. Both structs are static, so that `abi.encode` lays them out
/// exactly as EIP-712's `encodeData` does.
library TermsHash {
    bytes32 internal constant MILESTONE_TYPEHASH =
        keccak256("Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)");
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,Milestone[] milestones)Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)"
    );

    /// @notice One milestone's hash.
    function leaf(Milestone calldata item) internal pure returns (bytes32) {
        return keccak256(abi.encode(MILESTONE_TYPEHASH, item));
    }

    /// @notice Each milestone's hash, in order.
    function leaves(Milestone[] calldata milestones) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](milestones.length);
        for (uint256 i = 0; i < milestones.length; ++i) {
            hashes[i] = leaf(milestones[i]);
        }
    }

    /// @notice The terms' hash; `milestonesHash` is the hash of the concatenated leaves.
    function hash(Terms calldata terms, bytes32 milestonesHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(TERMS_TYPEHASH, terms, milestonesHash));
    }
}
