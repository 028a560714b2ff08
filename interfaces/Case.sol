// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice What an arbiter contract is asked about: one milestone, of one agreement, at one escrow.
struct Case {
    address escrow; // who called `onDispute`
    bytes32 agreement; // the agreement's id there
    uint256 milestone; // the milestone's index in the schedule
}
