// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IArbiter } from "@interfaces/IArbiter.sol";
import { Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";

/// @title Says that it is an escrow, and answers what suits its owner
contract FakeEscrow {
    uint64 public closed;
    uint16 public standingBps;
    bytes32 public id;
    uint256 public rulings;

    address private _target;
    bytes private _call;
    bytes public answer;

    function setClosed(uint64 to) external {
        closed = to;
    }

    function setStanding(uint16 to) external {
        standingBps = to;
    }

    function setId(bytes32 to) external {
        id = to;
    }

    /// @dev What it calls while it is told a ruling.
    function arm(address target, bytes calldata call_) external {
        (_target, _call) = (target, call_);
    }

    function open(IArbiter arbiter, bytes32 agreement, uint256 milestone_, address by, uint40 ruleBy) external payable {
        arbiter.onDispute{ value: msg.value }(agreement, milestone_, by, 1, ruleBy, "");
    }

    function state(bytes32) external view returns (uint64, uint64) {
        return (type(uint64).max, closed);
    }

    function milestone(bytes32, uint8) external view returns (Status, uint16, uint40, bytes24, uint16) {
        return (Status.Disputed, 0, 0, 0, standingBps);
    }

    function agreementId(Terms calldata, Milestone[] calldata) external view returns (bytes32) {
        return id;
    }

    function rule(bytes32, Part calldata, uint16) external {
        ++rulings;
        if (_target != address(0)) (, answer) = _target.call(_call);
    }
}

/// @title A hook that never ends
contract BurningHook is IArbiter {
    function onDispute(bytes32, uint256, address, uint128, uint40, bytes calldata) external payable returns (bytes4) {
        while (true) { }
        return IArbiter.onDispute.selector;
    }
}

/// @title A party that takes no native currency
contract Rejecter {
    error Rejected();

    receive() external payable {
        revert Rejected();
    }

    function call(address target, uint256 value, bytes calldata data) external payable returns (bytes memory) {
        (bool worked, bytes memory answer) = target.call{ value: value }(data);
        if (!worked) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        return answer;
    }
}
