// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Native currency that waits for its owners
/// @notice Whatever is owed is kept here for its owner to take: nobody's wallet can stop anybody else's call.
interface INativeCredits {
    /// @notice `owner` may `withdraw` the amount, in wei.
    event Credited(address indexed owner, uint256 amount);
    /// @notice `owner` took the whole credit.
    event Withdrawn(address indexed owner, address to, uint256 amount);

    /// @notice The receiver is zero.
    error BadRecipient(address to);
    /// @notice There is no credit; `token` is 0, for the native currency.
    error NothingToWithdraw(address token, address owner);
    /// @notice The receiver refused; `token` is 0, for the native currency.
    error TransferFailed(address token, address to, uint256 amount);

    /// @notice Takes the caller's whole credit.
    /// @dev Emits `Withdrawn`. Reverts with `BadRecipient`, `NothingToWithdraw` or `TransferFailed`.
    /// @param to not zero
    /// @return amount wei
    /// @custom:caller the owner of the credit
    function withdraw(address to) external returns (uint256 amount);

    /// @notice What `owner` may `withdraw`, in wei.
    function credit(address owner) external view returns (uint256);
}
