// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Play money for demos and tests
/// @notice Worth nothing: anyone can mint any amount to anyone. Never accept it as payment, never deploy it as a currency.
contract PlayDollar is ERC20("Play Dollar", "PLAY") {
    /// @notice A faucet, open to all.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Like most dollar tokens: 6.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
