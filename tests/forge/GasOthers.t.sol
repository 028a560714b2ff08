// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {
    AttestationRequest,
    AttestationRequestData,
    IEAS
} from "@ethereum-attestation-service/eas-contracts/contracts/IEAS.sol";
import { ISchemaRegistry } from "@ethereum-attestation-service/eas-contracts/contracts/ISchemaRegistry.sol";
import { ISchemaResolver } from "@ethereum-attestation-service/eas-contracts/contracts/resolver/ISchemaResolver.sol";
import { ISafe } from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import { Enum } from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import { Fixture } from "./Fixture.sol";
import { vm } from "./Vm.sol";

/// @title What comparable operations of others cost, measured just as `GasTest` measures ours
/// @notice The counterparts are the bytecode that their own npm packages ship. `scripts/gas.py` reads the file that this
/// writes; interfaces/gas.others.json says what stands beside which figure of ours.
contract GasOthersTest is Fixture {
    string private constant REPORT = "build/gas-others.json";
    string private constant EAS =
        "node_modules/@ethereum-attestation-service/eas-contracts/artifacts/contracts/EAS.sol/EAS.json";
    string private constant SCHEMAS =
        "node_modules/@ethereum-attestation-service/eas-contracts/artifacts/contracts/SchemaRegistry.sol/SchemaRegistry.json";
    string private constant SAFE =
        "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/Safe.sol/Safe.json";
    string private constant SAFE_PROXY =
        "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts/proxies/SafeProxy.sol/SafeProxy.json";

    string private report;

    function setUp() public override {
        super.setUp();
        play.mint(PAYEE, 1);
    }

    function test_gas_of_others() public {
        _measureTransfer();
        _measureSafe();
        _measureEas();
        vm.writeJson(report, REPORT);
    }

    /// @dev The floor of every payment: a plain transfer between balances that are not zero.
    function _measureTransfer() private {
        vm.prank(PAYER);
        play.transfer(PAYEE, AMOUNT);
        _note("erc20_transfer");
    }

    /// @dev Owners of a Safe pay an ERC-20: three of five, then four of five.
    function _measureSafe() private {
        address singleton = _published(SAFE, "");
        uint256 three = _payFromSafe(singleton, 3);
        uint256 four = _payFromSafe(singleton, 4);
        report = vm.serializeUint("others", "safe_pay_3of5", three);
        report = vm.serializeUint("others", "safe_per_signature", four - three);
    }

    /// @dev The second payment is measured: the first makes the Safe's nonce nonzero.
    function _payFromSafe(address singleton, uint256 signatures) private returns (uint256 used) {
        ISafe safe = ISafe(payable(_published(SAFE_PROXY, abi.encode(singleton))));
        safe.setup(members, signatures, address(0), "", address(0), address(0), 0, payable(0));
        play.mint(address(safe), 3 * uint256(AMOUNT));
        bytes memory pay = abi.encodeCall(play.transfer, (PAYEE, AMOUNT));
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory signed = _safeSignatures(safe, pay, signatures);
            vm.prank(KEEPER);
            safe.execTransaction(address(play), 0, pay, Enum.Operation.Call, 0, 0, 0, address(0), payable(0), signed);
            used = vm.lastCallGas().gasTotalUsed;
        }
        assertEq(play.balanceOf(address(safe)), AMOUNT, "paid twice of three");
    }

    function _safeSignatures(ISafe safe, bytes memory pay, uint256 count) private view returns (bytes memory all) {
        bytes32 digest = safe.getTransactionHash(
            address(play), 0, pay, Enum.Operation.Call, 0, 0, 0, address(0), address(0), safe.nonce()
        );
        for (uint256 i = 0; i < count; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[i], digest);
            all = abi.encodePacked(all, r, s, v);
        }
    }

    /// @dev One verdict as an on-chain attestation, with the fields that our attesters sign.
    function _measureEas() private {
        ISchemaRegistry schemas = ISchemaRegistry(_published(SCHEMAS, ""));
        IEAS eas = IEAS(_published(EAS, abi.encode(schemas)));
        bytes32 schema = schemas.register(
            "address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps",
            ISchemaResolver(address(0)),
            false
        );
        uint256 total;
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(members[i]);
            eas.attest(AttestationRequest(schema, _verdict()));
            total += vm.lastCallGas().gasTotalUsed;
        }
        report = vm.serializeUint("others", "eas_attest_3", total);
    }

    function _verdict() private view returns (AttestationRequestData memory) {
        bytes memory data =
            abi.encode(address(escrow), keccak256("agreement"), quorum, uint256(1), uint16(1), WORK, uint16(10_000));
        return AttestationRequestData(address(escrow), 0, false, 0, data, 0);
    }

    /* MEASURING */

    function _note(string memory name) private {
        report = vm.serializeUint("others", name, vm.lastCallGas().gasTotalUsed);
    }

    function _published(string memory artifact, bytes memory args) private returns (address deployed) {
        bytes memory code = abi.encodePacked(vm.getCode(artifact), args);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        assertTrue(deployed != address(0), artifact);
    }
}
