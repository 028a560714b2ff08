// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC777Recipient } from "@openzeppelin/contracts/interfaces/IERC777Recipient.sol";
import { IERC777Sender } from "@openzeppelin/contracts/interfaces/IERC777Sender.sol";

/// @title A party that is a contract and can be told what to do when money comes or goes
/// @notice Tests put its code at a party's address. It acts on native currency and on ERC-777's hooks alike.
contract Actor is IERC777Sender, IERC777Recipient {
    enum Mode {
        Accept,
        Reject,
        BurnGas,
        Bomb, // refuses with as much revert data as a push can pay for, about
        Shout, // accepts, and returns as much
        Hungry, // refuses native currency unless it comes with all the gas that a push promises
        Greedy, // refuses unless it is given more than a push ever gives
        Replay, // makes its call, swallows what comes back
        PassOn // makes its call, passes a revert on
    }

    uint256 private constant PUSH_GAS = 150_000;
    uint256 private constant STIPEND = 2300; // comes with native currency
    uint256 private constant DISPATCH = 500; // more than it takes to get to where gas is looked at
    uint256 private constant BOMB = 200_000; // bytes: 95,000 gas to have, 114,000 more to copy

    Mode public mode;
    address public target;
    uint96 public value; // sent along with the call
    address public script; // the call's data, as this account's code: cheap to read inside a push
    uint256 public acted;
    bytes4 public answer; // of the last call: its error, or 0xffffffff if it worked

    function setMode(Mode to) external {
        mode = to;
    }

    function plan(Mode mode_, address target_, address script_, uint96 value_) external {
        (mode, target, script, value) = (mode_, target_, script_, value_);
        (acted, answer) = (0, bytes4(0));
    }

    /// @dev Calls with just so much gas; a revert is passed on.
    function forward(address to, bytes calldata data, uint256 gas_) external returns (bool worked, bytes memory back) {
        return to.call{ gas: gas_ }(data);
    }

    receive() external payable {
        _act();
    }

    function tokensToSend(address, address, address, uint256, bytes calldata, bytes calldata) external {
        _act();
    }

    function tokensReceived(address, address, address, uint256, bytes calldata, bytes calldata) external {
        _act();
    }

    function _act() private {
        uint256 given = gasleft();
        Mode now_ = mode;
        if (now_ == Mode.Accept) return;
        require(now_ != Mode.Reject, "rejected");
        if (now_ == Mode.BurnGas) while (true) { }
        if (now_ == Mode.Bomb) {
            assembly ("memory-safe") {
                revert(0, BOMB)
            }
        }
        if (now_ == Mode.Shout) {
            assembly ("memory-safe") {
                return(0, BOMB)
            }
        }
        if (now_ == Mode.Hungry) require(given > PUSH_GAS + STIPEND - DISPATCH, "starved");
        else if (now_ == Mode.Greedy) require(given > 2 * PUSH_GAS, "not enough");
        else _replay(now_);
    }

    function _replay(Mode now_) private {
        (bool worked, bytes memory back) = target.call{ value: value }(script.code);
        ++acted;
        answer = worked ? bytes4(0xffffffff) : bytes4(back);
        require(worked || now_ != Mode.PassOn, "passed on");
    }
}
