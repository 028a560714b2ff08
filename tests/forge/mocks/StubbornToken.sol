// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that refuses to change one allowance into another, without a reason, as USDT does
/// @dev Told to forget, it says yes to every approval and keeps none.
contract StubbornToken is ERC20("Stubborn", "STUB") {
    bool public forgets;

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setForgets(bool to) external {
        forgets = to;
    }

    function approve(address spender, uint256 value) public override returns (bool) {
        if (value != 0 && allowance(msg.sender, spender) != 0) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        if (!forgets) _approve(msg.sender, spender, value);
        return true;
    }
}
