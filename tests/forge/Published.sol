// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IEAS } from "@ethereum-attestation-service/eas-contracts/contracts/IEAS.sol";
import { vm } from "./Vm.sol";

/// @dev What the tests use of Chainlink's AggregatorProxy, which is written for an older compiler.
interface IAggregatorProxy {
    function proposeAggregator(address aggregator) external;
    function confirmAggregator(address aggregator) external;
    function latestRound() external view returns (uint256);
}

/// @title Deploys the contracts of others as they were published
library Published {
    error NotDeployed(string artifact);

    string private constant EAS_ARTIFACTS =
        "node_modules/@ethereum-attestation-service/eas-contracts/artifacts/contracts/";

    function eas() internal returns (IEAS) {
        address registry = _deploy(string.concat(EAS_ARTIFACTS, "SchemaRegistry.sol/SchemaRegistry.json"), "");
        return IEAS(_deploy(string.concat(EAS_ARTIFACTS, "EAS.sol/EAS.json"), abi.encode(registry)));
    }

    /// @notice Chainlink's proxy, owned by the caller, open to all readers, with `aggregator` as its phase 1.
    function aggregatorProxy(address aggregator) internal returns (IAggregatorProxy) {
        bytes memory args = abi.encode(aggregator, address(0));
        return IAggregatorProxy(_deploy("tests/forge/artifacts/EACAggregatorProxy.json", args));
    }

    function _deploy(string memory artifact, bytes memory args) private returns (address deployed) {
        bytes memory code = abi.encodePacked(vm.getCode(artifact), args);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        if (deployed == address(0)) revert NotDeployed(artifact);
    }
}
