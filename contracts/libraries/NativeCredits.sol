// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LowLevelCall } from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import { INativeCredits } from "@interfaces/INativeCredits.sol";

/// @title Native currency that waits for its owners
abstract contract NativeCredits is INativeCredits {
    mapping(address owner => uint256) private _credits; // wei

    /// @inheritdoc INativeCredits
    function withdraw(address to) external returns (uint256 amount) {
        amount = _credits[msg.sender];
        if (to == address(0)) revert BadRecipient(to);
        if (amount == 0) revert NothingToWithdraw(address(0), msg.sender);

        _credits[msg.sender] = 0;

        emit Withdrawn(msg.sender, to, amount);

        if (!LowLevelCall.callNoReturn(to, amount, "")) revert TransferFailed(address(0), to, amount);
    }

    /// @inheritdoc INativeCredits
    function credit(address owner) external view returns (uint256) {
        return _credits[owner];
    }

    function _credit(address owner, uint256 amount) internal {
        if (amount == 0) return;
        _credits[owner] += amount;

        emit Credited(owner, amount);
    }
}
