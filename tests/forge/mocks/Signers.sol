// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A contract account that says yes to one digest
contract OneDigestAccount is IERC1271 {
    bytes32 public agreed;

    function agreeTo(bytes32 digest) external {
        agreed = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == agreed ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
