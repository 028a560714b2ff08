// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Ownable, Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { IAttesterAccount } from "@interfaces/IAttesterAccount.sol";
import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";
import { FixedDomain } from "./libraries/FixedDomain.sol";

/// @title An attester whose keys change and whose address does not
/// @notice Guarantees and errors are in `IAttesterAccount`. Anyone may deploy one for its owner: the deployer has no part
/// in it.
contract AttesterAccount is IAttesterAccount, FixedDomain, Ownable2Step {
    /* CONSTANTS */

    bytes32 private constant MESSAGE_TYPEHASH = keccak256("AttesterMessage(bytes32 digest)");
    uint256 private constant SIGNATURE_SIZE = 64; // bytes
    /// @dev Anything but ERC-1271's magic value says no; this one is customary.
    bytes4 private constant NOT_SIGNED = 0xffffffff;

    /* STORAGE */

    /// @inheritdoc IAttesterAccount
    mapping(address key => uint40) public validUntil;

    /// @param owner_ appoints the keys; cold, best a Safe
    constructor(address owner_) Ownable(owner_) { }

    /* KEYS */

    /// @inheritdoc IAttesterAccount
    function addKey(address key, uint40 until) external onlyOwner {
        _add(key, until);
    }

    /// @inheritdoc IAttesterAccount
    function rotateKey(address from, address to, uint40 until) external onlyOwner {
        _revoke(from);
        _add(to, until);
    }

    /// @inheritdoc IAttesterAccount
    function revokeKey(address key) external onlyOwner {
        _revoke(key);
    }

    /* MEMBERSHIP */

    /// @inheritdoc IAttesterAccount
    function resign(IQuorumVerifier verifier, uint8 m, address[] calldata members)
        external
        onlyOwner
        returns (bytes32 quorum)
    {
        return verifier.resign(m, members);
    }

    /// @notice Refused: an account without an owner could never revoke a key.
    /// @dev Reverts with `OwnerNeeded`.
    function renounceOwnership() public pure override {
        revert OwnerNeeded();
    }

    /* VIEWS */

    /// @notice Whether an unexpired key signed `digest(hash)`: ERC-1271's word, or 0xffffffff.
    /// @dev A failed recovery gives the zero address, which is no key.
    /// @param signature 64 bytes `r, vs` (EIP-2098); another length, or a high `s`, is no signature
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != SIGNATURE_SIZE) return NOT_SIGNED;
        (address key,,) = ECDSA.tryRecover(digest(hash), bytes32(signature[:32]), bytes32(signature[32:]));
        return block.timestamp <= validUntil[key] ? IERC1271.isValidSignature.selector : NOT_SIGNED;
    }

    /// @inheritdoc IAttesterAccount
    function digest(bytes32 hash) public view returns (bytes32) {
        return _typedDataHash(keccak256(abi.encode(MESSAGE_TYPEHASH, hash)));
    }

    function _domainName() internal pure override returns (string memory) {
        return "Milepost AttesterAccount";
    }

    function _add(address key, uint40 until) private {
        if (key == address(0)) revert ZeroKey();
        if (until < block.timestamp) revert AlreadyExpired(until, block.timestamp);

        validUntil[key] = until;

        emit KeyAdded(key, until);
    }

    function _revoke(address key) private {
        if (validUntil[key] == 0) revert UnknownKey(key);

        delete validUntil[key];

        emit KeyRevoked(key);
    }
}
