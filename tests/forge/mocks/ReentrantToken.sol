// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that calls back while it moves
/// @notice Before each transfer it makes the armed calls against their target and remembers what came back.
contract ReentrantToken is ERC20("Reentrant", "LOOP") {
    address public target;
    bool public passRevertOn;
    bytes[] public calls;
    bytes[] public answers;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function arm(address target_, bytes[] calldata calls_, bool passRevertOn_) external {
        target = target_;
        delete calls;
        for (uint256 i = 0; i < calls_.length; ++i) {
            calls.push(calls_[i]);
        }
        passRevertOn = passRevertOn_;
        delete answers;
    }

    function answerCount() external view returns (uint256) {
        return answers.length;
    }

    function _update(address from, address to, uint256 amount) internal override {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool worked, bytes memory answer) = target.call(calls[i]);
            require(worked || !passRevertOn, "passed on");
            answers.push(worked ? bytes("worked") : answer);
        }
        super._update(from, to, amount);
    }
}
