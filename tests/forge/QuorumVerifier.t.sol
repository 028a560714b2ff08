// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { QuorumVerifier } from "../../contracts/QuorumVerifier.sol";
import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { ContractMember } from "./mocks/Members.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Which proofs count, and which forgeries do not: docs/protocol.md section 5
contract QuorumVerifierTest is Fixture {
    bytes32 private constant AGREEMENT = keccak256("agreement");
    uint256 private constant INDEX = 2;
    /// @dev secp256k1's order.
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function _verdict() private pure returns (Attestation memory) {
        return Attestation(1, WORK, 7000);
    }

    function _good(uint32 bitmap) private view returns (bytes memory) {
        return _proof(AGREEMENT, INDEX, _verdict(), bitmap);
    }

    function _verify(bytes memory proof) private {
        vm.prank(address(escrow));
        bytes4 answer = verifier.verify(quorum, AGREEMENT, INDEX, _verdict(), proof);
        assertEq(bytes32(answer), bytes32(IVerifier.verify.selector), "magic answer");
    }

    function _refuse(bytes memory proof, bytes memory want) private {
        vm.expectRevert(want);
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, _verdict(), proof);
    }

    function _refuseAny(bytes memory proof) private {
        vm.prank(address(escrow));
        (bool worked,) =
            address(verifier).call(abi.encodeCall(IVerifier.verify, (quorum, AGREEMENT, INDEX, _verdict(), proof)));
        assertTrue(!worked, "a forgery was believed");
    }

    function _sign(uint256 i) private view returns (bytes memory) {
        return _signature(keys[i], _digest(AGREEMENT, INDEX, _verdict()));
    }

    /* GENUINE */

    function test_verify_accepts_every_choice_of_enough_members() public {
        for (uint32 bitmap = 0; bitmap < 32; ++bitmap) {
            uint256 count;
            for (uint256 i = 0; i < 5; ++i) {
                if (bitmap & (1 << i) != 0) ++count;
            }
            if (count >= 3) _verify(_good(bitmap));
            else _refuse(_good(bitmap), abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, count, 3));
        }
    }

    function test_verify_accepts_one_of_one_and_32_of_32() public {
        _useQuorum(1, 1);
        _verify(_good(1));
        _useQuorum(32, 32);
        _verify(_good(type(uint32).max));
        _useQuorum(17, 32);
        _verify(_good(0x1ffff));
    }

    function test_digest_is_the_typed_data_hash_that_wallets_compute() public view {
        bytes32 have = verifier.digest(address(escrow), AGREEMENT, quorum, INDEX, _verdict());
        assertEq(have, _digest(AGREEMENT, INDEX, _verdict()), "digest");
    }

    function test_the_verifiers_domain_stays_when_the_chain_is_renumbered() public {
        bytes32 before = verifier.digest(address(escrow), AGREEMENT, quorum, INDEX, _verdict());
        vm.chainId(99);
        assertEq(verifier.digest(address(escrow), AGREEMENT, quorum, INDEX, _verdict()), before, "digest");
        (, string memory name,, uint256 chainId, address where,,) = verifier.eip712Domain();
        assertEq(keccak256(bytes(name)), keccak256("Milepost QuorumVerifier"), "name");
        assertEq(chainId, 31_337, "as deployed");
        assertEq(where, address(verifier), "contract");
    }

    /* THE SET */

    function _setOf(uint8 m, address[] memory list) private {
        threshold = m;
        members = list;
        quorum = keccak256(_head());
    }

    function _refuseSet(uint8 m, address[] memory list, bytes memory want) private {
        _setOf(m, list);
        _refuse(abi.encodePacked(_head(), uint32(0)), want);
        vm.expectRevert(want);
        verifier.announce(m, list);
    }

    function _list(uint256 n) private pure returns (address[] memory list) {
        list = new address[](n);
        for (uint256 i = 0; i < n; ++i) {
            list[i] = address(uint160(i + 1));
        }
    }

    function test_a_quorum_needs_a_majority_of_1_to_32_members() public {
        uint8[2][8] memory bad = [[0, 0], [1, 0], [0, 1], [2, 1], [1, 2], [2, 4], [16, 32], [17, 33]];
        for (uint256 i = 0; i < bad.length; ++i) {
            bytes memory want = abi.encodeWithSelector(IQuorumVerifier.BadQuorumSize.selector, bad[i][0], bad[i][1]);
            _refuseSet(bad[i][0], _list(bad[i][1]), want);
        }
    }

    function test_one_address_listed_three_times_in_a_quorum_is_refused() public {
        address[] memory list = _list(3);
        (list[1], list[2]) = (list[0], list[0]);
        _refuseSet(2, list, abi.encodeWithSelector(IQuorumVerifier.MembersNotAscending.selector, 1, list[0]));
    }

    function test_unsorted_or_zero_members_are_refused() public {
        address[] memory list = _list(3);
        (list[1], list[2]) = (list[2], list[1]);
        _refuseSet(2, list, abi.encodeWithSelector(IQuorumVerifier.MembersNotAscending.selector, 2, list[2]));
        list = _list(3);
        list[0] = address(0);
        _refuseSet(2, list, abi.encodeWithSelector(IQuorumVerifier.MembersNotAscending.selector, 0, address(0)));
    }

    function test_announce_emits_the_quorum_that_agreements_name() public {
        vm.recordLogs();
        bytes32 have = verifier.announce(threshold, members);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(have, quorum, "quorum");
        assertEq(log.topics[0], IQuorumVerifier.Announced.selector, "Announced");
        assertEq(log.topics[1], quorum, "indexed quorum");
        (uint8 m, address[] memory list) = abi.decode(log.data, (uint8, address[]));
        assertEq(m, 3, "m");
        assertEq(keccak256(abi.encode(list)), keccak256(abi.encode(members)), "members");
    }

    function test_a_set_taken_from_the_callers_calldata_is_another_quorum() public {
        bytes32 agreed = quorum;
        _useQuorum(1, 1);
        bytes32 own = quorum;
        bytes memory proof = _good(1);
        quorum = agreed;
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.WrongQuorum.selector, own, agreed));
    }

    /* FORGERY */

    function test_a_signature_counted_twice_is_refused() public {
        // The same member's signature in the places of three members.
        bytes memory proof = abi.encodePacked(_head(), uint32(7), _sign(0), _sign(0), _sign(0));
        bytes memory want = abi.encodeWithSelector(IQuorumVerifier.BadSignature.selector, members[1], members[0]);
        _refuse(proof, want);
    }

    function test_signatures_out_of_member_order_are_refused() public {
        bytes memory proof = abi.encodePacked(_head(), uint32(7), _sign(0), _sign(2), _sign(1));
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.BadSignature.selector, members[1], members[2]));
    }

    function test_a_malleable_twin_of_a_signature_is_refused() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[0], _digest(AGREEMENT, INDEX, _verdict()));
        // The high s needs the top bit, which EIP-2098 has no room for unless s is below 2^255.
        uint256 high = ORDER - uint256(s);
        bytes32 vs = bytes32((high & (type(uint256).max >> 1)) | (uint256(28 - v) << 255));
        bytes memory proof = abi.encodePacked(_head(), uint32(7), r, vs, _sign(1), _sign(2));
        _refuseAny(proof);

        vs = bytes32(type(uint256).max >> 1);
        proof = abi.encodePacked(_head(), uint32(7), r, vs, _sign(1), _sign(2));
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.MalleableSignature.selector, members[0]));
    }

    function test_the_boundary_of_s_is_half_the_order() public {
        bytes memory tail = abi.encodePacked(_sign(1), _sign(2));
        bytes memory proof = abi.encodePacked(_head(), uint32(7), bytes32(uint256(1)), bytes32(ORDER / 2), tail);
        vm.expectPartialRevert(IQuorumVerifier.BadSignature.selector);
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, _verdict(), proof);
        proof = abi.encodePacked(_head(), uint32(7), bytes32(uint256(1)), bytes32(ORDER / 2 + 1), tail);
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.MalleableSignature.selector, members[0]));
    }

    function test_a_signature_that_recovers_nobody_is_refused() public {
        bytes memory proof = abi.encodePacked(_head(), uint32(7), bytes32(ORDER), bytes32(0), _sign(1), _sign(2));
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.BadSignature.selector, members[0], address(0)));
    }

    function test_a_bad_signature_is_refused_even_when_the_others_suffice() public {
        bytes memory proof = abi.encodePacked(_head(), uint32(15), _sign(0), _sign(1), _sign(2), _sign(4));
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.BadSignature.selector, members[3], members[4]));
    }

    function test_bitmap_bits_beyond_the_members_are_refused() public {
        bytes memory proof = abi.encodePacked(_head(), uint32(7 | 32), _sign(0), _sign(1), _sign(2), _sign(3));
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.BitmapBeyondMembers.selector, 7 | 32, 5));
        proof = abi.encodePacked(_head(), uint32(7 | 1 << 31), _sign(0), _sign(1), _sign(2));
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.BitmapBeyondMembers.selector, 7 | 1 << 31, 5));
    }

    function test_trailing_bytes_are_refused() public {
        _refuse(
            abi.encodePacked(_good(7), uint8(0)), abi.encodeWithSelector(IQuorumVerifier.BadProofLength.selector, 1, 0)
        );
        _refuse(
            abi.encodePacked(_good(7), _sign(3)), abi.encodeWithSelector(IQuorumVerifier.BadProofLength.selector, 64, 0)
        );
    }

    function test_every_truncation_is_refused() public {
        bytes memory proof = _good(7);
        for (uint256 length = 0; length < proof.length; ++length) {
            bytes memory short = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                short[i] = proof[i];
            }
            _refuseAny(short);
        }
    }

    function testFuzz_every_changed_bit_is_refused(uint256 place) public {
        bytes memory proof = _good(7);
        place %= proof.length * 8;
        proof[place / 8] ^= bytes1(uint8(1 << (place % 8)));
        _refuseAny(proof);
    }

    function test_a_verdict_counts_for_one_subject_only() public {
        bytes memory proof = _good(7);
        Attestation memory a = _verdict();
        _refuseFor(address(this), AGREEMENT, INDEX, a, proof, "another escrow");
        _refuseFor(address(escrow), keccak256("other"), INDEX, a, proof, "another agreement");
        _refuseFor(address(escrow), AGREEMENT, INDEX + 1, a, proof, "another milestone");
        a.attempt += 1;
        _refuseFor(address(escrow), AGREEMENT, INDEX, a, proof, "another attempt");
        a = _verdict();
        a.deliverable = ~a.deliverable;
        _refuseFor(address(escrow), AGREEMENT, INDEX, a, proof, "another deliverable");
        a = _verdict();
        a.payoutBps += 1;
        _refuseFor(address(escrow), AGREEMENT, INDEX, a, proof, "another share");
    }

    function _refuseFor(
        address caller,
        bytes32 agreement,
        uint256 index,
        Attestation memory a,
        bytes memory proof,
        string memory what
    ) private {
        vm.prank(caller);
        (bool worked,) = address(verifier).call(abi.encodeCall(IVerifier.verify, (quorum, agreement, index, a, proof)));
        assertTrue(!worked, what);
    }

    function test_a_verdict_for_one_quorum_does_not_count_for_another_of_the_same_members() public {
        bytes memory signatures = abi.encodePacked(_sign(0), _sign(1), _sign(2), _sign(3));
        threshold = 4;
        quorum = keccak256(_head());
        _refuseAny(abi.encodePacked(_head(), uint32(15), signatures));
    }

    /// @dev A set without a member is another quorum: neither his old vote nor a new one counts there.
    function test_stale_votes_of_a_removed_member_do_not_count() public {
        bytes memory old = abi.encodePacked(_sign(0), _sign(1), _sign(2));
        uint256 removed = keys[2];
        (keys[2], keys[3], members[2], members[3]) = (keys[3], keys[4], members[3], members[4]);
        keys.pop();
        members.pop();
        quorum = keccak256(_head());
        _verify(_good(7));

        _refuseAny(abi.encodePacked(_head(), uint32(7), old));
        bytes memory late = _signature(removed, _digest(AGREEMENT, INDEX, _verdict()));
        _refuseAny(abi.encodePacked(_head(), uint32(7), _sign(0), _sign(1), late));
    }

    function test_a_verdict_of_another_deployment_is_refused() public {
        bytes memory proof = _good(7);
        verifier = new QuorumVerifier();
        _refuseAny(proof);
    }

    /* CONTRACT MEMBERS */

    /// @dev 2 of 3: two keys and a contract, whose place in the order is returned.
    function _withContract() private returns (ContractMember member, uint256 place, bytes memory proof) {
        _useQuorum(2, 2);
        member = new ContractMember();
        uint256[] memory twoKeys = keys;
        address[] memory two = members;
        delete keys;
        delete members;
        bool placed;
        for (uint256 i = 0; i < 2; ++i) {
            if (!placed && address(member) < two[i]) {
                (place, placed) = (members.length, true);
                members.push(address(member));
                keys.push(0);
            }
            members.push(two[i]);
            keys.push(twoKeys[i]);
        }
        if (!placed) {
            place = 2;
            members.push(address(member));
            keys.push(0);
        }
        quorum = keccak256(_head());
        proof = _proofWith(place, 7, abi.encodePacked(bytes32(0), uint256(5), "hello"));
    }

    function _proofWith(uint256 place, uint32 bitmap, bytes memory contractSignature)
        private
        view
        returns (bytes memory proof)
    {
        proof = abi.encodePacked(_head(), bitmap);
        for (uint256 i = 0; i < 3; ++i) {
            if (bitmap & (1 << i) == 0) continue;
            proof = abi.encodePacked(proof, i == place ? contractSignature : _sign(i));
        }
    }

    /// @dev The contract and one key, so that the contract's word decides.
    function _needed(uint256 place) private pure returns (uint32) {
        return uint32((1 << place) | (1 << ((place + 1) % 3)));
    }

    function test_a_contract_member_counts_when_it_accepts() public {
        (, uint256 place,) = _withContract();
        _verify(_proofWith(place, _needed(place), abi.encodePacked(bytes32(0), uint256(5), "hello")));
    }

    function test_a_contract_member_that_fails_is_not_counted_but_kills_no_proof_with_spares() public {
        (ContractMember member, uint256 place, bytes memory spares) = _withContract();
        bytes memory word = abi.encodePacked(bytes32(0), uint256(5), "hello");
        bytes memory tooFew = abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 1, 2);
        ContractMember.Mode[4] memory modes = [
            ContractMember.Mode.Refuse,
            ContractMember.Mode.Revert,
            ContractMember.Mode.BurnGas,
            ContractMember.Mode.Dirty
        ];
        for (uint256 i = 0; i < modes.length; ++i) {
            member.setMode(modes[i]);
            _refuse(_proofWith(place, _needed(place), word), tooFew);
            _verify(spares);
        }
    }

    function test_a_contract_members_huge_answer_is_not_copied() public {
        (ContractMember member,, bytes memory spares) = _withContract();
        member.setMode(ContractMember.Mode.Bomb);
        _verify(spares);
    }

    function test_a_key_cannot_pose_as_a_contract() public {
        (, uint256 place,) = _withContract();
        uint256 key = (place + 1) % 3;
        bytes memory word = abi.encodePacked(bytes32(0), uint256(5), "hello");
        bytes memory proof = abi.encodePacked(_head(), _needed(place), word, word);
        assertTrue(keys[key] != 0, "a key");
        _refuse(proof, abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 1, 2));
    }

    function test_a_contract_signature_longer_than_the_proof_is_refused() public {
        _withContract();
        uint256[3] memory lengths = [uint256(6), type(uint256).max, type(uint256).max - 63];
        for (uint256 i = 0; i < 3; ++i) {
            _refuseAny(_proofWith(0, 1, abi.encodePacked(bytes32(0), lengths[i], "hello")));
        }
        _refuse(
            _proofWith(0, 1, abi.encodePacked(bytes32(0), uint256(6), "hello")),
            abi.encodeWithSelector(IQuorumVerifier.BadProofLength.selector, 5, 6)
        );
    }

    function test_too_little_gas_for_a_contract_member_is_named() public {
        (,, bytes memory spares) = _withContract();
        vm.expectPartialRevert(IQuorumVerifier.InsufficientGas.selector);
        vm.prank(address(escrow));
        verifier.verify{ gas: 120_000 }(quorum, AGREEMENT, INDEX, _verdict(), spares);
    }
}
