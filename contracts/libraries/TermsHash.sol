// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Milestone, Terms } from "@interfaces/IEscrow.sol";

/// @title EIP-712 struct hashes of an agreement
/// @notice The type strings are docs/protocol.md section 3. Both structs are static and their fields stand in the order of
/// the types, so that calldata already is EIP-712's `encodeData`: it is hashed as it stands, which saves 2,000 gas a call
/// and 1,000 bytes of code over `abi.encode`.
/// @dev What stands in calldata is not checked here for excess high bits. It need not be: such words give another hash,
/// under which nothing can be funded, because `fund` decodes every field strictly for the `Funded` event.
library TermsHash {
    bytes32 internal constant MILESTONE_TYPEHASH =
        keccak256("Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)");
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,Milestone[] milestones)Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)"
    );

    /// @notice One milestone's hash.
    function leaf(Milestone calldata item) internal pure returns (bytes32 result) {
        bytes32 typehash = MILESTONE_TYPEHASH;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, typehash)
            calldatacopy(add(buffer, 0x20), item, 0x60) // 3 words
            result := keccak256(buffer, 0x80)
        }
    }

    /// @notice The terms' hash; `milestonesHash` is the hash of the concatenated leaves.
    function hash(Terms calldata terms, bytes32 milestonesHash) internal pure returns (bytes32 result) {
        bytes32 typehash = TERMS_TYPEHASH;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, typehash)
            calldatacopy(add(buffer, 0x20), terms, 0x220) // 17 words
            mstore(add(buffer, 0x240), milestonesHash)
            result := keccak256(buffer, 0x260)
        }
    }

    /// @notice The hash of the concatenated leaves of a whole schedule.
    function hashAll(Milestone[] calldata milestones) internal pure returns (bytes32 result) {
        bytes32[] memory leaves = new bytes32[](milestones.length);
        for (uint256 i = 0; i < milestones.length; ++i) {
            leaves[i] = leaf(milestones[i]);
        }
        assembly ("memory-safe") {
            result := keccak256(add(leaves, 0x20), shl(5, mload(leaves)))
        }
    }
}
