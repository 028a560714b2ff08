// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title Assertions that say what was found and what was expected
/// @dev forge counts a revert as a failure.
abstract contract Assert {
    error NotEqual(string what, uint256 have, uint256 want);
    error NotTrue(string what);

    function assertEq(uint256 have, uint256 want, string memory what) internal pure {
        if (have != want) revert NotEqual(what, have, want);
    }

    function assertEq(bytes32 have, bytes32 want, string memory what) internal pure {
        if (have != want) revert NotEqual(what, uint256(have), uint256(want));
    }

    function assertEq(address have, address want, string memory what) internal pure {
        if (have != want) revert NotEqual(what, uint160(have), uint160(want));
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }
}
