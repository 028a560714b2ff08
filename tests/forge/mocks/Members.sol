// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title A contract member of a quorum, with one answer for every signature
contract ContractMember is IERC1271 {
    enum Mode {
        Accept,
        Refuse,
        Revert,
        BurnGas,
        Bomb, // a huge answer that begins with the right word
        Dirty // the right four bytes, then garbage
    }

    Mode public mode;

    function setMode(Mode to) external {
        mode = to;
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        if (mode == Mode.Revert) revert("no");
        if (mode == Mode.BurnGas) while (true) { }
        if (mode == Mode.Bomb) {
            bytes4 magic = IERC1271.isValidSignature.selector;
            assembly ("memory-safe") {
                mstore(0, magic)
                return(0, 20000)
            }
        }
        if (mode == Mode.Dirty) {
            bytes4 magic = IERC1271.isValidSignature.selector;
            assembly ("memory-safe") {
                mstore(0, or(magic, 1))
                return(0, 32)
            }
        }
        if (mode == Mode.Refuse) return 0xffffffff;
        return signature.length == 5 ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}
