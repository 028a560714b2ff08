// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ISafe } from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import { Enum } from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import { Parties } from "./Parties.sol";
import { vm } from "./Vm.sol";

/// @dev What the tests call of contracts that are deployed from the artifacts of Safe's own npm package.
interface ISafeProxyFactory {
    function createProxyWithNonce(address singleton, bytes memory initializer, uint256 saltNonce)
        external
        returns (address proxy);
}

interface ISafeMessages {
    function getMessageHashForSafe(address safe, bytes memory message) external view returns (bytes32);
    function signMessage(bytes calldata message) external;
}

interface IMultiSend {
    function multiSend(bytes memory transactions) external payable;
}

/// @dev What the owners of a Safe sign to have it do.
struct SafeCall {
    address to;
    uint256 value; // wei
    bytes data;
    Enum.Operation operation;
}

/// @title Real Safes, which act only as their owners sign
/// @notice Nobody here impersonates a Safe: what it does goes through `execTransaction` and what it says through its own
/// `isValidSignature`, each with its owners' ECDSA signatures. A stranger delivers them.
abstract contract Safes is Parties {
    string private constant ARTIFACTS = "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/";

    address private singleton;
    ISafeProxyFactory private factory;
    ISafeMessages internal handler; // the fallback handler that answers ERC-1271
    address private signLib;
    address private multiSend;

    mapping(ISafe => uint256[]) private ownerKeys; // by ascending address, as a Safe wants signatures
    uint256 private saltNonce;

    function setUp() public virtual override {
        super.setUp();
        singleton = _published("Safe.sol/Safe.json");
        factory = ISafeProxyFactory(_published("proxies/SafeProxyFactory.sol/SafeProxyFactory.json"));
        handler =
            ISafeMessages(_published("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json"));
        signLib = _published("libraries/SignMessageLib.sol/SignMessageLib.json");
        multiSend = _published("libraries/MultiSendCallOnly.sol/MultiSendCallOnly.json");
    }

    /// @dev A Safe of three owners, two of whom must sign.
    function _newSafe(string memory name) internal returns (ISafe) {
        return _newSafe(name, 3, 2, address(handler));
    }

    /// @dev Equal names have equal owners.
    function _newSafe(string memory name, uint256 owners, uint256 threshold, address fallbackHandler)
        internal
        returns (ISafe safe)
    {
        uint256[] memory sorted = _sortedKeys(name, owners);
        address[] memory accounts = new address[](owners);
        for (uint256 i = 0; i < owners; ++i) {
            accounts[i] = vm.addr(sorted[i]);
        }
        bytes memory setup = abi.encodeCall(
            ISafe.setup, (accounts, threshold, address(0), "", fallbackHandler, address(0), 0, payable(0))
        );
        safe = ISafe(payable(factory.createProxyWithNonce(singleton, setup, ++saltNonce)));
        ownerKeys[safe] = sorted;
        assertEq(safe.getThreshold(), threshold, "threshold");
    }

    /* WHAT A SAFE DOES */

    function _do(ISafe safe, address to, bytes memory data) internal {
        _do(safe, SafeCall(to, 0, data, Enum.Operation.Call));
    }

    function _do(ISafe safe, SafeCall memory what) internal {
        bytes memory signatures = _signedCall(safe, what);
        vm.prank(STRANGER);
        assertTrue(_execute(safe, what, signatures), "executed");
    }

    /// @dev Two calls in one transaction of the Safe.
    function _doBoth(ISafe safe, address to, bytes memory data, address thenTo, bytes memory thenData) internal {
        bytes memory batch = bytes.concat(_inBatch(to, data), _inBatch(thenTo, thenData));
        bytes memory both = abi.encodeCall(IMultiSend.multiSend, (batch));
        _do(safe, SafeCall(multiSend, 0, both, Enum.Operation.DelegateCall));
    }

    function _doRefused(ISafe safe, address to, bytes memory data, bytes memory reason) internal {
        SafeCall memory what = SafeCall(to, 0, data, Enum.Operation.Call);
        bytes memory signatures = _signedCall(safe, what);
        vm.expectRevert(reason);
        vm.prank(STRANGER);
        _execute(safe, what, signatures);
    }

    /* WHAT A SAFE SAYS */

    /// @dev As many owners' signatures as the Safe wants, over its message for this digest.
    function _says(ISafe safe, bytes32 digest) internal view returns (bytes memory) {
        return _says(safe, digest, safe.getThreshold());
    }

    function _says(ISafe safe, bytes32 digest, uint256 owners) internal view returns (bytes memory) {
        return _signedBy(safe, handler.getMessageHashForSafe(address(safe), abi.encode(digest)), owners);
    }

    /// @dev The same on chain: from then on the empty signature stands for the Safe's.
    function _saysOnChain(ISafe safe, bytes32 digest) internal {
        bytes memory data = abi.encodeCall(ISafeMessages.signMessage, (abi.encode(digest)));
        _do(safe, SafeCall(signLib, 0, data, Enum.Operation.DelegateCall));
    }

    function _signedBy(ISafe safe, bytes32 hash, uint256 owners) internal view returns (bytes memory signatures) {
        for (uint256 i = 0; i < owners; ++i) {
            signatures = abi.encodePacked(signatures, _long(ownerKeys[safe][i], hash));
        }
    }

    /* HOW */

    function _published(string memory artifact) private returns (address deployed) {
        bytes memory code = vm.getCode(string.concat(ARTIFACTS, artifact));
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        assertTrue(deployed != address(0), artifact);
    }

    function _signedCall(ISafe safe, SafeCall memory what) private view returns (bytes memory) {
        uint256 nonce = safe.nonce();
        bytes32 hash = safe.getTransactionHash(
            what.to, what.value, what.data, what.operation, 0, 0, 0, address(0), address(0), nonce
        );
        return _signedBy(safe, hash, safe.getThreshold());
    }

    function _execute(ISafe safe, SafeCall memory what, bytes memory signatures) private returns (bool) {
        return safe.execTransaction(
            what.to, what.value, what.data, what.operation, 0, 0, 0, address(0), payable(0), signatures
        );
    }

    function _inBatch(address to, bytes memory data) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(Enum.Operation.Call), to, uint256(0), data.length, data);
    }

    function _sortedKeys(string memory name, uint256 count) private pure returns (uint256[] memory sorted) {
        sorted = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = uint256(keccak256(abi.encode("owner", name, i)));
            uint256 place = i;
            for (; place > 0 && vm.addr(sorted[place - 1]) > vm.addr(key); --place) {
                sorted[place] = sorted[place - 1];
            }
            sorted[place] = key;
        }
    }
}
