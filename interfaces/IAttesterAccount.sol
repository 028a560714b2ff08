// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { IQuorumVerifier } from "./IQuorumVerifier.sol";

/// @title An attester whose keys change and whose address does not
/// @notice A member of quorums that is a contract: a cold owner (any account, a Safe too) appoints hot keys, each until a
/// second of its own. Whatever an unexpired key signed counts as signed by the account, by ERC-1271.
///
/// A key signs not the verdict's digest but `AttesterMessage(bytes32 digest)` under the account's own EIP-712 domain (name
/// `Milepost AttesterAccount`, version `1`), which is fixed at deployment. So no signature counts for two members: not for
/// two accounts behind one key, nor for a key that is a member itself. (One key may still sit behind two accounts: a quorum
/// is chosen for independence.) ERC-7739 would show a wallet's user what the digest stands for; these keys belong to
/// programs that make the digest themselves, so the plain wrapping is all that is needed.
///
/// The account cannot be shown to equivocate: it posts no bond, see `IQuorumVerifier`.
interface IAttesterAccount is IERC1271 {
    /// @notice `key` signs for the account until `validUntil` (included).
    event KeyAdded(address indexed key, uint40 validUntil);
    /// @notice `key` signs for the account no longer.
    event KeyRevoked(address indexed key);

    /// @notice No key has this address: nothing recovers to zero.
    error ZeroKey();
    /// @notice The key would have expired already. Times are in seconds.
    error AlreadyExpired(uint40 validUntil, uint256 timestamp);
    /// @notice This key was never added, or was revoked.
    error UnknownKey(address key);
    /// @notice An account without an owner could never revoke a key. Transfer it instead.
    error OwnerNeeded();

    /// @notice Owner: appoints a key, or gives one that is there another end.
    /// @dev Emits `KeyAdded`. Reverts with OpenZeppelin's `OwnableUnauthorizedAccount`, `ZeroKey` or `AlreadyExpired`.
    /// @param until unix s: last second in which the key's signatures count
    function addKey(address key, uint40 until) external;

    /// @notice Owner: puts one key in another's place, in one step.
    /// @dev Emits `KeyRevoked` and `KeyAdded`. Reverts with `OwnableUnauthorizedAccount`, `UnknownKey`, `ZeroKey` or
    /// `AlreadyExpired`.
    /// @param from the key whose word is taken back
    /// @param to the key that takes its place
    /// @param until unix s: last second in which that one's signatures count
    function rotateKey(address from, address to, uint40 until) external;

    /// @notice Owner: takes a key's word back, at once. What it signed and is not on chain yet counts no longer.
    /// @dev Emits `KeyRevoked`. Reverts with `OwnableUnauthorizedAccount` or `UnknownKey`.
    function revokeKey(address key) external;

    /// @notice Owner: resigns the account's membership in one quorum, for ever.
    /// @dev Reverts with `OwnableUnauthorizedAccount`, or as `IQuorumVerifier.resign` does.
    function resign(IQuorumVerifier verifier, uint8 m, address[] calldata members) external returns (bytes32 quorum);

    /// @notice Until when a key signs for the account: unix s, last second; 0 = it does not.
    function validUntil(address key) external view returns (uint40);

    /// @notice What a key signs, as 64 bytes `r, vs` (EIP-2098), so that the account signs `hash`.
    function digest(bytes32 hash) external view returns (bytes32);
}
