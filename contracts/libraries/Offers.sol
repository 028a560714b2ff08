// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { Amendment, IEscrow } from "@interfaces/IEscrow.sol";

/// @title What both parties sign
/// @notice The type strings, and when an offer still stands, are docs/protocol.md section 4.
library Offers {
    bytes32 private constant SPLIT_TYPEHASH =
        keccak256("Split(bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 asOf,uint40 deadline)");
    bytes32 private constant AMENDMENT_TYPEHASH = keccak256(
        "Amendment(bytes32 from,uint64 closes,Terms to,uint64 opens,uint40 asOf,uint40 deadline)Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,Milestone[] milestones)"
    );
    /// @dev A signature as EIP-2098 packs it: r, and s with the recovery bit on top.
    uint256 private constant COMPACT_LENGTH = 64;

    /// @notice The EIP-712 hash of an offer to share one milestone.
    function hashSplit(bytes32 agreement, uint8 milestone, uint16 payeeBps, uint40 asOf, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(SPLIT_TYPEHASH, agreement, milestone, payeeBps, asOf, deadline));
    }

    /// @notice The EIP-712 hash of an offer to go on under other terms; `toTerms` is their hash.
    function hashAmendment(Amendment calldata a, bytes32 from, bytes32 toTerms) internal pure returns (bytes32) {
        return keccak256(abi.encode(AMENDMENT_TYPEHASH, from, a.closes, toTerms, a.opens, a.asOf, a.deadline));
    }

    /// @notice An offer stands from the block that its signers read until its deadline.
    function requireStanding(uint40 asOf, uint40 deadline) internal view {
        if (block.timestamp > deadline) revert IEscrow.TooLate(deadline, block.timestamp);
        if (asOf > block.timestamp) revert IEscrow.AsOfInFuture(asOf, block.timestamp);
    }

    /// @notice A party consents by calling, then its signature is empty, or by a signature: of its key, else of its contract.
    /// @dev The key first: an account may have both (EIP-7702).
    function requireSigned(address party, bytes32 digest, bytes calldata signature) internal view {
        if (signature.length == 0 && msg.sender == party) return;
        if (_signedByKey(party, digest, signature)) return;
        if (SignatureChecker.isValidERC1271SignatureNowCalldata(party, digest, signature)) return;
        revert IEscrow.NotSignedBy(party);
    }

    function _signedByKey(address party, bytes32 digest, bytes calldata signature) private pure returns (bool) {
        (address recovered, ECDSA.RecoverError failed,) = signature.length == COMPACT_LENGTH
            ? ECDSA.tryRecover(digest, bytes32(signature[:32]), bytes32(signature[32:]))
            : ECDSA.tryRecoverCalldata(digest, signature);
        return failed == ECDSA.RecoverError.NoError && recovered == party;
    }
}
