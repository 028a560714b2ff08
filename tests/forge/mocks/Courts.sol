// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IArbitrable } from "@kleros/erc-792/contracts/IArbitrable.sol";
import { IArbitrator } from "@kleros/erc-792/contracts/IArbitrator.sol";

/// @title An ERC-792 court that can be told to misbehave
contract HostileCourt is IArbitrator {
    error Closed();
    error TooDear();

    uint256 public price;
    uint256 public next; // the number of the next dispute
    bool public closed;
    IArbitrable public client;

    address private _target;
    bytes private _call;
    bool private _passOn;
    bytes public answer;

    function setPrice(uint256 to) external {
        price = to;
    }

    function setNext(uint256 to) external {
        next = to;
    }

    function setClosed(bool to) external {
        closed = to;
    }

    /// @dev What it calls before it gives a dispute its number, and whether it passes a revert on.
    function arm(address target, bytes calldata call_, bool passOn) external {
        (_target, _call, _passOn) = (target, call_, passOn);
    }

    function give(uint256 courtDispute, uint256 ruling) external {
        client.rule(courtDispute, ruling);
    }

    function createDispute(uint256, bytes calldata) external payable returns (uint256) {
        if (closed) revert Closed();
        if (msg.value != price) revert TooDear();
        client = IArbitrable(msg.sender);
        address target = _target;
        _target = address(0);
        if (target != address(0)) {
            bool worked;
            (worked, answer) = target.call(_call);
            bytes memory why = answer;
            if (!worked && _passOn) {
                assembly ("memory-safe") {
                    revert(add(why, 0x20), mload(why))
                }
            }
        }
        return next;
    }

    function arbitrationCost(bytes calldata) external view returns (uint256) {
        return price;
    }

    function appeal(uint256, bytes calldata) external payable { }

    function appealCost(uint256, bytes calldata) external view returns (uint256) {
        return price;
    }

    function appealPeriod(uint256) external pure returns (uint256, uint256) {
        return (0, 0);
    }

    function disputeStatus(uint256) external pure returns (DisputeStatus) {
        return DisputeStatus.Waiting;
    }

    function currentRuling(uint256) external pure returns (uint256) {
        return 0;
    }
}
