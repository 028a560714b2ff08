// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { ISafe } from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import { Part } from "@interfaces/IEscrow.sol";
import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Safes } from "./Safes.sol";
import { vm } from "./Vm.sol";

/// @title A Safe sits in a quorum: 2 of 3, the other two are keys
contract SafeMemberTest is Safes {
    Attestation private award = Attestation(0, 0, 10_000);

    function setUp() public override {
        super.setUp();
        _useQuorum(2, 2); // two keys, before the Safe joins them
    }

    /// @dev The Safe's place among the members, which ascend.
    function _join(ISafe safe) private returns (uint256 place) {
        members.push();
        keys.push();
        place = 2;
        for (; place > 0 && members[place - 1] > address(safe); --place) {
            (members[place], keys[place]) = (members[place - 1], keys[place - 1]);
        }
        (members[place], keys[place]) = (address(safe), 0);
        quorum = keccak256(_head());
    }

    function _funded() private returns (Part memory part, bytes32 id) {
        (part, id) = _fund(_termsWithoutArbiter());
    }

    /// @dev One key's signature and the Safe's; `said` is what is offered as the latter.
    function _proofWith(uint256 place, bytes32 digest, bytes memory said) private view returns (bytes memory proof) {
        uint256 key = place == 0 ? 1 : 0;
        bytes memory ofKey = _signature(keys[key], digest);
        bytes memory ofSafe = abi.encodePacked(uint256(0), said.length, said);
        proof = abi.encodePacked(_head(), uint32(1 << key | 1 << place));
        return key < place ? bytes.concat(proof, ofKey, ofSafe) : bytes.concat(proof, ofSafe, ofKey);
    }

    function test_a_safe_counts_as_a_member_by_its_owners_signatures() public {
        ISafe safe = _newSafe("member");
        uint256 place = _join(safe);
        (Part memory part, bytes32 id) = _funded();
        bytes32 digest = _digest(id, 0, award);
        bytes memory proof = _proofWith(place, digest, _says(safe, digest));
        vm.prank(KEEPER);
        escrow.attest(part, award, proof);
        _expectSettled(id, 0);
    }

    function test_a_safe_member_with_one_owners_signature_does_not_count() public {
        ISafe safe = _newSafe("member");
        uint256 place = _join(safe);
        (Part memory part, bytes32 id) = _funded();
        bytes32 digest = _digest(id, 0, award);
        bytes memory proof = _proofWith(place, digest, _says(safe, digest, 1));
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 1, 2));
        escrow.attest(part, award, proof);
    }

    /// @dev Its owners' signatures over another verdict, or offered for another Safe of theirs.
    function test_a_safe_members_signatures_count_for_one_verdict_and_one_safe() public {
        ISafe safe = _newSafe("member");
        uint256 place = _join(safe);
        (Part memory part, bytes32 id) = _funded();
        bytes32 digest = _digest(id, 0, award);
        bytes memory twins = _proofWith(place, digest, _says(_newSafe("member"), digest));
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 1, 2));
        escrow.attest(part, award, twins);

        bytes memory other = _proofWith(place, digest, _says(safe, _digest(id, 1, award)));
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 1, 2));
        escrow.attest(part, award, other);
    }

    /// @dev A member's check has 150,000 gas; a Safe's takes 19,250, and 6,065 for each owner who must sign.
    function test_a_safe_member_may_need_twenty_owners_signatures() public {
        (Part memory part, bytes32 id, bytes memory proof) = _provenByASafeOf(20);
        escrow.attest(part, award, proof);
        _expectSettled(id, 0);
    }

    function test_a_safe_member_that_needs_more_than_twenty_does_not_count() public {
        (Part memory part,, bytes memory proof) = _provenByASafeOf(21);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 1, 2));
        escrow.attest(part, award, proof);
    }

    function _provenByASafeOf(uint256 owners) private returns (Part memory part, bytes32 id, bytes memory proof) {
        ISafe safe = _newSafe("large", owners, owners, address(handler));
        uint256 place = _join(safe);
        (part, id) = _funded();
        bytes32 digest = _digest(id, 0, award);
        proof = _proofWith(place, digest, _says(safe, digest));
    }
}
