// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title A party that is a contract: it signs with its owner's key, and takes native currency as its mood is
contract MoodyWallet is IERC1271 {
    enum Mood {
        Glad, // takes it
        Reject,
        BurnGas, // all that it is given
        Bomb, // refuses with a megabyte of revert data
        Reenter, // calls back, and takes it whatever comes of that
        PassOn // calls back, and fails as that fails
    }

    address private immutable OWNER;

    Mood public mood;
    address private target;
    bytes private call;
    /// @notice A call back that the target took, if it ever took one.
    bool public reentered;

    constructor(address owner) {
        OWNER = owner;
    }

    receive() external payable {
        if (mood == Mood.Reject) revert("not now");
        if (mood == Mood.BurnGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (mood == Mood.Bomb) {
            assembly ("memory-safe") {
                revert(0, 100000)
            }
        }
        if (mood == Mood.Reenter || mood == Mood.PassOn) _callBack();
    }

    function setMood(Mood to, address target_, bytes calldata call_) external {
        (mood, target, call) = (to, target_, call_);
    }

    function execute(address to, uint256 value, bytes calldata data) external payable {
        (bool worked, bytes memory answer) = to.call{ value: value }(data);
        if (worked) {
            assembly ("memory-safe") {
                return(add(answer, 0x20), mload(answer))
            }
        }
        _fail(answer);
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        return signer == OWNER ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    function _callBack() private {
        (bool worked, bytes memory answer) = target.call(call);
        if (worked) reentered = true;
        else if (mood == Mood.PassOn) _fail(answer);
    }

    function _fail(bytes memory answer) private pure {
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }
}
