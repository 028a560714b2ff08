// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC5267 } from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import { MessageHashUtils } from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title An EIP-712 domain that stays as it was deployed
/// @notice Unlike OpenZeppelin's EIP712 this one does not follow a chain that is renumbered: an id that changed under its
/// owners would lose them their agreement.
abstract contract FixedDomain is IERC5267 {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    string private constant VERSION = "1";
    /// @dev ERC-5267: name, version, chainId and verifyingContract are used.
    bytes1 private constant FIELDS = 0x0f;

    uint256 internal immutable DEPLOYED_CHAIN_ID = block.chainid;
    bytes32 private immutable DOMAIN_SEPARATOR = keccak256(
        abi.encode(
            DOMAIN_TYPEHASH, keccak256(bytes(_domainName())), keccak256(bytes(VERSION)), block.chainid, address(this)
        )
    );

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (FIELDS, _domainName(), VERSION, DEPLOYED_CHAIN_ID, address(this), bytes32(0), new uint256[](0));
    }

    function _domainName() internal pure virtual returns (string memory);

    function _typedDataHash(bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(DOMAIN_SEPARATOR, structHash);
    }
}
