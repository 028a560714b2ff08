// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title A token that moves on its owner's signature: ERC-2612 and ERC-3009, the latter in both forms that USDC has
contract SigningToken is ERC20("Signing", "SIGN"), ERC20Permit("Signing") {
    error WrongReceiver(address caller, address to);
    error NotYetValid(uint256 validAfter);
    error Expired(uint256 validBefore);
    error AuthorizationUsed(address authorizer, bytes32 nonce);
    error NotAuthorized(address authorizer);

    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationUsedUp(address indexed authorizer, bytes32 indexed nonce);

    bytes32 private constant RECEIVE_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 private constant CANCEL_TYPEHASH = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        _check(to, validAfter, validBefore);
        bytes32 digest = _receiveDigest(from, to, value, validAfter, validBefore, nonce);
        (address signer,,) = ECDSA.tryRecover(digest, v, r, s);
        if (signer != from) revert NotAuthorized(from);
        _take(from, to, value, nonce);
    }

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        _check(to, validAfter, validBefore);
        bytes32 digest = _receiveDigest(from, to, value, validAfter, validBefore, nonce);
        if (!SignatureChecker.isValidSignatureNow(from, digest, signature)) revert NotAuthorized(from);
        _take(from, to, value, nonce);
    }

    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external {
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(CANCEL_TYPEHASH, authorizer, nonce)));
        if (!SignatureChecker.isValidSignatureNow(authorizer, digest, signature)) revert NotAuthorized(authorizer);
        _use(authorizer, nonce);
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function _receiveDigest(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) private view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(abi.encode(RECEIVE_TYPEHASH, from, to, value, validAfter, validBefore, nonce))
        );
    }

    function _check(address to, uint256 validAfter, uint256 validBefore) private view {
        if (to != msg.sender) revert WrongReceiver(msg.sender, to);
        if (block.timestamp <= validAfter) revert NotYetValid(validAfter);
        if (block.timestamp >= validBefore) revert Expired(validBefore);
    }

    function _take(address from, address to, uint256 value, bytes32 nonce) private {
        _use(from, nonce);
        emit AuthorizationUsedUp(from, nonce);
        _transfer(from, to, value);
    }

    function _use(address authorizer, bytes32 nonce) private {
        if (authorizationState[authorizer][nonce]) revert AuthorizationUsed(authorizer, nonce);
        authorizationState[authorizer][nonce] = true;
    }
}
