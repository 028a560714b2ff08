// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title What an arbiter contract may be told of a dispute
/// @notice Called only where the terms say `arbiterHook`, and only by `dispute`: nothing else in an agreement's life
/// calls an arbiter. See docs/protocol.md section 6.
interface IArbiter {
    /// @notice Tells the arbiter that a milestone is disputed. Comes with the disputer's whole `msg.value`: a fee or bond
    /// is the hook's business.
    /// @dev The caller claims to be an escrow; a hook that serves some escrows only checks `msg.sender`. The escrow is
    /// locked during the hook: rule in a later call. A hook refuses a dispute by reverting; then verdicts and clocks stand.
    /// @param agreement the agreement's id at the calling escrow
    /// @param milestone the milestone's index in the schedule
    /// @param by the party that disputes
    /// @param amount the milestone's whole amount, in token units
    /// @param ruleBy unix s: the last second in which `rule` is accepted
    /// @param data what the disputer wants to say, unchecked
    /// @return `IArbiter.onDispute.selector`
    /// @custom:caller an escrow, when a party disputes
    function onDispute(
        bytes32 agreement,
        uint256 milestone,
        address by,
        uint128 amount,
        uint40 ruleBy,
        bytes calldata data
    ) external payable returns (bytes4);
}
