// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { vm } from "./Vm.sol";

/// @title What each operation costs, as a whole transaction
/// @notice Steady state: every balance and the allowance are nonzero before, a plain OpenZeppelin ERC-20, each call in a
/// transaction of its own (`isolate` in foundry.toml), intrinsic gas and calldata included, refunds taken off. No fee and
/// no tip, awards of 100 %. `scripts/gas.py` reads the file that `test_gas` writes.
contract GasTest is Fixture {
    string private constant REPORT = "build/gas-raw.json";
    uint256 private constant DISTINCT = 7;

    string private report;
    uint256 private saltCounter;

    function setUp() public override {
        super.setUp();
        // A finite allowance: each funding writes it, as with a token that approves exact amounts.
        vm.prank(PAYER);
        play.approve(address(escrow), type(uint128).max);
        play.mint(PAYEE, 1);
        play.mint(KEEPER, 1);
        play.mint(address(escrow), 1);
    }

    function test_gas() public {
        _intrinsicGasIsCounted();
        _measureFunding();
        _measureSingleMilestone();
        _measureDisputes();
        _measureLives();
        report = vm.serializeUint("code", "Escrow", address(escrow).code.length);
        report = vm.serializeUint("code", "QuorumVerifier", address(verifier).code.length);
        vm.writeJson(_wrap(), REPORT);
    }

    /// @dev A transfer that costs less than 21,000 gas would show that only execution is measured.
    function _intrinsicGasIsCounted() private {
        vm.prank(PAYER);
        play.transfer(PAYEE, 1);
        assertTrue(vm.lastCallGas().gasTotalUsed > 30_000, "intrinsic gas");
    }

    function _measureFunding() private {
        _fundFresh(_terms(), 1);
        _note("fund_1", 4 + 32 * (17 + 3 + 1 + 3));
        _fundFresh(_terms(), 10);
        _note("fund_10", 4 + 32 * (17 + 3 + 1 + 30));
    }

    function _measureSingleMilestone() private {
        Part memory part = _fundFresh(_termsWithoutArbiter(), 3);
        _submit(part);
        _note("submit", _size(abi.encodeCall(Escrow.submit, (part, WORK))));
        _attestNoted(part, 7, "attest_settle_3of5");

        part = _fundFresh(_termsWithoutArbiter(), 3);
        _submit(part);
        uint256 three = _gasOfAttest(part, 7);
        part = _fundFresh(_termsWithoutArbiter(), 3);
        _submit(part);
        uint256 four = _gasOfAttest(part, 15);
        _record("per_signature", four - three, 64);

        part = _fundFresh(_terms(), 3);
        _submit(part);
        _attestNoted(part, 7, "attest_3of5");
        vm.warp(vm.getBlockTimestamp() + CHALLENGE + 1);
        vm.prank(KEEPER);
        escrow.settle(part);
        _note("settle", _size(abi.encodeCall(Escrow.settle, (part))));
        vm.warp(START);

        part = _fundFresh(_terms(), 3);
        vm.prank(PAYER);
        escrow.approve(part);
        _note("approve", _size(abi.encodeCall(Escrow.approve, (part))));

        part = _fundFresh(_terms(), 3);
        vm.warp(SUBMIT_BY + 1);
        vm.prank(KEEPER);
        escrow.settle(part);
        _note("clock_refund", _size(abi.encodeCall(Escrow.settle, (part))));
        vm.warp(START);
    }

    function _measureDisputes() private {
        Part memory part = _fundFresh(_terms(), 3);
        _award(part, 10_000);
        _dispute(part, PAYER);
        _note("dispute", _size(abi.encodeCall(Escrow.dispute, (part, ""))));
        bytes32 id = _id(part);
        vm.prank(ARBITER);
        escrow.rule(id, part, 10_000);
        _note("rule", _size(abi.encodeCall(Escrow.rule, (id, part, 10_000))));
    }

    /// @dev Three milestones funded at once; submitted by the payee and attested in the two quorum lives.
    function _measureLives() private {
        Part memory part = _fundFresh(_terms(), 3);
        uint256 total = vm.lastCallGas().gasTotalUsed;
        for (uint8 i = 0; i < 3; ++i) {
            part.index = i;
            part.milestone = _schedule(3)[i];
            vm.prank(PAYER);
            escrow.approve(part);
            total += vm.lastCallGas().gasTotalUsed;
        }
        _record("life_3_approved", total, 0);

        _record("life_3_3of5", _quorumLife(7), 0);
        _useQuorum(1, 1);
        _record("life_3_single", _quorumLife(1), 0);
        _useQuorum(3, 5);
    }

    function _quorumLife(uint32 signers) private returns (uint256 total) {
        Part memory part = _fundFresh(_termsWithoutArbiter(), 3);
        total = vm.lastCallGas().gasTotalUsed;
        for (uint8 i = 0; i < 3; ++i) {
            part.index = i;
            part.milestone = _schedule(3)[i];
            total += _gasOfDirectAttest(part, signers);
        }
    }

    /* MEASURING */

    function _fundFresh(Terms memory terms, uint256 count) private returns (Part memory part) {
        terms.salt = keccak256(abi.encode(++saltCounter));
        Milestone[] memory milestones = _schedule(count);
        part = _part(terms, milestones, 0);
        vm.prank(PAYER);
        escrow.fund(terms, milestones, uint64((1 << count) - 1));
    }

    function _attestNoted(Part memory part, uint32 bitmap, string memory name) private {
        Attestation memory a = Attestation(0, WORK, 10_000);
        bytes memory proof = _proof(_id(part), part.index, a, bitmap);
        vm.prank(KEEPER);
        escrow.attest(part, a, proof);
        _note(name, _size(abi.encodeCall(Escrow.attest, (part, a, proof))));
    }

    function _gasOfAttest(Part memory part, uint32 bitmap) private returns (uint256) {
        return _gasOf(part, Attestation(0, WORK, 10_000), bitmap);
    }

    function _gasOfDirectAttest(Part memory part, uint32 bitmap) private returns (uint256) {
        return _gasOf(part, Attestation(0, 0, 10_000), bitmap);
    }

    function _gasOf(Part memory part, Attestation memory a, uint32 bitmap) private returns (uint256) {
        bytes memory proof = _proof(_id(part), part.index, a, bitmap);
        vm.prank(KEEPER);
        escrow.attest(part, a, proof);
        return vm.lastCallGas().gasTotalUsed;
    }

    function _size(bytes memory data) private pure returns (uint256) {
        return data.length;
    }

    function _note(string memory name, uint256 calldataBytes) private {
        _record(name, vm.lastCallGas().gasTotalUsed, calldataBytes);
    }

    string private gasJson;
    string private sizeJson;

    function _record(string memory name, uint256 gasUsed, uint256 calldataBytes) private {
        gasJson = vm.serializeUint("gas", name, gasUsed);
        sizeJson = vm.serializeUint("calldata", name, calldataBytes);
    }

    function _wrap() private view returns (string memory) {
        return string.concat('{"gas":', gasJson, ',"calldata_bytes":', sizeJson, ',"code_size":', report, "}");
    }
}
