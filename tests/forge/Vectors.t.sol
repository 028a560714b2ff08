// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { AttesterAccount } from "../../contracts/AttesterAccount.sol";
import { QuorumVerifier } from "../../contracts/QuorumVerifier.sol";
import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { Equivocation, IQuorumVerifier, SignedVerdict } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { Assert } from "./Assert.sol";
import { vm } from "./Vm.sol";

/// @title The contracts say what the published vectors say
/// @notice `interfaces/vectors` is written by the executable specification in Python. The contracts stand here at the
/// addresses of the vectors, on their chain.
contract VectorsTest is Assert {
    string private constant FOLDER = "interfaces/vectors/";
    uint40 private constant UNTIL = 4_000_000_000;

    function _read(string memory name) private view returns (string memory) {
        return vm.readFile(string.concat(FOLDER, name, ".json"));
    }

    function _case(uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(i), "]", field);
    }

    function _has(string memory json, uint256 i) private view returns (bool) {
        return vm.keyExistsJson(json, _case(i, ""));
    }

    /// @dev Runs a constructor at a place of one's choice.
    function _placeAt(address where, bytes memory creation) private {
        vm.etch(where, creation);
        (bool worked, bytes memory code) = where.call("");
        assertTrue(worked, "constructed");
        vm.etch(where, code);
    }

    function _verifier(string memory json) private returns (QuorumVerifier) {
        address where = vm.parseJsonAddress(json, ".verifier");
        _placeAt(where, type(QuorumVerifier).creationCode);
        return QuorumVerifier(where);
    }

    function _attestation(string memory json, string memory at_) private pure returns (Attestation memory) {
        return Attestation(
            uint16(vm.parseJsonUint(json, string.concat(at_, ".attempt"))),
            vm.parseJsonBytes32(json, string.concat(at_, ".deliverable")),
            uint16(vm.parseJsonUint(json, string.concat(at_, ".payoutBps")))
        );
    }

    function _verify(QuorumVerifier verifier, string memory json, bytes32 quorum, bytes memory proof) private {
        bytes32 agreement = vm.parseJsonBytes32(json, ".agreement");
        uint256 milestone = vm.parseJsonUint(json, ".milestone");
        Attestation memory a = _attestation(json, ".attestation");
        vm.prank(vm.parseJsonAddress(json, ".escrow"));
        bytes4 answer = verifier.verify(quorum, agreement, milestone, a, proof);
        assertEq(bytes32(answer), bytes32(IVerifier.verify.selector), "magic answer");
    }

    function test_the_verifier_makes_every_digest_of_the_vectors() public {
        string memory json = _read("attestation");
        QuorumVerifier verifier = _verifier(_read("quorum"));
        uint256 i = 0;
        for (; _has(json, i); ++i) {
            string memory message = _case(i, ".typedData.message");
            bytes32 have = verifier.digest(
                vm.parseJsonAddress(json, string.concat(message, ".escrow")),
                vm.parseJsonBytes32(json, string.concat(message, ".agreement")),
                vm.parseJsonBytes32(json, string.concat(message, ".quorum")),
                vm.parseJsonUint(json, string.concat(message, ".milestone")),
                _attestation(json, message)
            );
            assertEq(have, vm.parseJsonBytes32(json, _case(i, ".digest")), "digest");
        }
        assertTrue(i > 0, "cases");
    }

    function test_the_verifier_believes_every_proof_of_the_vectors() public {
        string memory json = _read("quorum");
        QuorumVerifier verifier = _verifier(json);
        uint256 i = 0;
        for (; _has(json, i); ++i) {
            bytes32 quorum = vm.parseJsonBytes32(json, _case(i, ".hash"));
            address[] memory members = vm.parseJsonAddressArray(json, _case(i, ".members"));
            assertEq(verifier.announce(uint8(vm.parseJsonUint(json, _case(i, ".m"))), members), quorum, "quorum");
            _verify(verifier, json, quorum, vm.parseJsonBytes(json, _case(i, ".proof")));
        }
        assertTrue(i > 0, "cases");
    }

    function test_the_account_signs_every_message_of_the_vectors() public {
        string memory json = _read("attester_account");
        address where = vm.parseJsonAddress(json, ".account");
        _placeAt(where, abi.encodePacked(type(AttesterAccount).creationCode, abi.encode(address(this))));
        AttesterAccount account = AttesterAccount(where);
        account.addKey(vm.parseJsonAddress(json, ".key"), UNTIL);
        uint256 i = 0;
        for (; _has(json, i); ++i) {
            bytes32 hash = vm.parseJsonBytes32(json, _case(i, ".digest"));
            assertEq(account.digest(hash), vm.parseJsonBytes32(json, _case(i, ".accountDigest")), "digest");
            bytes4 answer = account.isValidSignature(hash, vm.parseJsonBytes(json, _case(i, ".signature")));
            assertEq(bytes32(answer), bytes32(IERC1271.isValidSignature.selector), "signed");
        }
        assertTrue(i > 0, "cases");
        _verify(_verifier(json), json, vm.parseJsonBytes32(json, ".quorum"), vm.parseJsonBytes(json, ".proof"));
    }

    function test_the_verifier_judges_every_pair_of_the_vectors() public {
        string memory json = _read("equivocation");
        address[] memory members = vm.parseJsonAddressArray(json, ".members");
        uint8 m = uint8(vm.parseJsonUint(json, ".m"));
        QuorumVerifier verifier = _verifier(json);
        uint256 i = 0;
        for (; _has(json, i); ++i) {
            string memory refusal = vm.parseJsonString(json, _case(i, ".refusal"));
            Equivocation memory shown = Equivocation(
                vm.parseJsonAddress(json, _case(i, ".member")),
                vm.parseJsonAddress(json, ".escrow"),
                vm.parseJsonBytes32(json, ".agreement"),
                vm.parseJsonUint(json, ".milestone"),
                _signed(json, _case(i, ".one")),
                _signed(json, _case(i, ".other"))
            );
            uint256 snapshot = vm.snapshotState();
            if (bytes(refusal).length > 0) vm.expectPartialRevert(_selector(refusal));
            verifier.proveEquivocation(m, members, shown, address(0x9E9));
            vm.revertToState(snapshot);
        }
        assertTrue(i > 0, "cases");
    }

    function _signed(string memory json, string memory at_) private pure returns (SignedVerdict memory) {
        bytes memory signature = vm.parseJsonBytes(json, string.concat(at_, ".signature"));
        (bytes32 r, bytes32 vs) = abi.decode(signature, (bytes32, bytes32));
        return SignedVerdict(_attestation(json, at_), r, vs);
    }

    function _selector(string memory refusal) private pure returns (bytes4) {
        bytes32 name = keccak256(bytes(refusal));
        if (name == keccak256("SameVerdict")) return IQuorumVerifier.SameVerdict.selector;
        if (name == keccak256("DifferentSubjects")) return IQuorumVerifier.DifferentSubjects.selector;
        assertEq(name, keccak256("NotMember"), "an error that this test knows");
        return IQuorumVerifier.NotMember.selector;
    }
}
