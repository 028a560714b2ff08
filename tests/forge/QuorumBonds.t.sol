// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { QuorumVerifier } from "../../contracts/QuorumVerifier.sol";
import { Part } from "@interfaces/IEscrow.sol";
import { Equivocation, IQuorumVerifier, SignedVerdict } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { ContractMember } from "./mocks/Members.sol";
import { ReenteringReceiver, RefusingReceiver } from "./mocks/Receivers.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Bonds, resignation and equivocation: docs/protocol.md section 5
contract QuorumBondsTest is Fixture {
    bytes32 private constant AGREEMENT = keccak256("agreement");
    uint256 private constant INDEX = 2;
    uint256 private constant BOND = 10 ether;
    uint256 private constant UNBONDING_END = START + 30 days;
    address private constant REPORTER = address(0x9E9);
    /// @dev The first 24 bytes of WORK, as the escrow emits and attesters sign it.
    bytes32 private constant WORK24 = bytes32(bytes24(WORK));

    /* DOING */

    function _post(uint256 i, uint256 amount) private {
        vm.deal(members[i], amount);
        vm.prank(members[i]);
        verifier.postBond{ value: amount }(threshold, members);
    }

    function _resign(uint256 i) private {
        vm.prank(members[i]);
        verifier.resign(threshold, members);
    }

    function _verdict(uint16 bps) private pure returns (Attestation memory) {
        return Attestation(1, WORK24, bps);
    }

    function _signed(uint256 i, Attestation memory a) private view returns (SignedVerdict memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[i], _digest(AGREEMENT, INDEX, a));
        return SignedVerdict(a, r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    function _shown(uint256 i, Attestation memory one, Attestation memory other)
        private
        view
        returns (Equivocation memory)
    {
        return Equivocation(members[i], address(escrow), AGREEMENT, INDEX, _signed(i, one), _signed(i, other));
    }

    /// @dev Member i gave 7,000 and 3,000 to one subject.
    function _flip(uint256 i) private view returns (Equivocation memory) {
        return _shown(i, _verdict(7000), _verdict(3000));
    }

    function _prove(Equivocation memory shown) private returns (uint256) {
        vm.prank(REPORTER);
        return verifier.proveEquivocation(threshold, members, shown, REPORTER);
    }

    function _refuse(Equivocation memory shown, bytes memory want) private {
        vm.expectRevert(want);
        vm.prank(REPORTER);
        verifier.proveEquivocation(threshold, members, shown, REPORTER);
    }

    function _verify(uint32 bitmap) private {
        vm.prank(address(escrow));
        bytes4 answer =
            verifier.verify(quorum, AGREEMENT, INDEX, _verdict(7000), _proof(AGREEMENT, INDEX, _verdict(7000), bitmap));
        assertEq(bytes32(answer), bytes32(IVerifier.verify.selector), "magic answer");
    }

    function _tooFew(uint32 bitmap, uint256 counted) private {
        bytes memory proof = _proof(AGREEMENT, INDEX, _verdict(7000), bitmap);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, counted, threshold));
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, _verdict(7000), proof);
    }

    /* EXPECTING */

    function _expectBond(uint256 i, uint256 wantAmount, uint256 wantEnd) private view {
        (uint256 amount, uint40 unbondingEnd) = verifier.bondOf(quorum, members[i]);
        assertEq(amount, wantAmount, "bond");
        assertEq(unbondingEnd, wantEnd, "unbonding end");
    }

    function _expectMarks(uint256 wantInactive, uint256 wantBonded) private view {
        (uint32 inactive, uint32 bonded) = verifier.marks(quorum);
        assertEq(inactive, wantInactive, "inactive");
        assertEq(bonded, wantBonded, "bonded");
    }

    function _inactive(uint256 i) private view returns (bytes memory) {
        return abi.encodeWithSelector(IQuorumVerifier.Inactive.selector, quorum, members[i]);
    }

    function _onlyLog() private returns (Vm.Log memory) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one event");
        return logs[0];
    }

    function _expectLog(Vm.Log memory log, bytes32 topic, uint256 i, bytes memory data) private view {
        assertEq(log.topics[0], topic, "event");
        assertEq(log.topics[1], quorum, "quorum");
        assertEq(log.topics[2], bytes32(uint256(uint160(members[i]))), "member");
        assertEq(keccak256(log.data), keccak256(data), "data");
    }

    /* EVERY SET */

    function _everySetIsRefused(address[] memory set, bytes memory want) private {
        vm.expectRevert(want);
        verifier.announce(2, set);
        vm.deal(set[0], 1);
        vm.expectRevert(want);
        vm.prank(set[0]);
        verifier.postBond{ value: 1 }(2, set);
        vm.expectRevert(want);
        vm.prank(set[0]);
        verifier.resign(2, set);
        Equivocation memory shown = _flip(0);
        vm.expectRevert(want);
        verifier.proveEquivocation(2, set, shown, REPORTER);
        bytes memory proof = abi.encodePacked(uint8(2), uint8(set.length));
        for (uint256 i = 0; i < set.length; ++i) {
            proof = abi.encodePacked(proof, set[i]);
        }
        bytes32 hash = keccak256(proof);
        vm.expectRevert(want);
        verifier.verify(hash, AGREEMENT, INDEX, _verdict(7000), abi.encodePacked(proof, uint32(0)));
    }

    function test_one_address_three_times_in_a_set_is_refused_everywhere() public {
        address[] memory set = new address[](3);
        (set[0], set[1], set[2]) = (members[0], members[0], members[0]);
        _everySetIsRefused(set, abi.encodeWithSelector(IQuorumVerifier.MembersNotAscending.selector, 1, members[0]));
    }

    function test_a_set_without_a_majority_is_refused_everywhere() public {
        address[] memory set = new address[](4);
        for (uint256 i = 0; i < 4; ++i) {
            set[i] = members[i];
        }
        _everySetIsRefused(set, abi.encodeWithSelector(IQuorumVerifier.BadQuorumSize.selector, 2, 4));
    }

    function test_a_stranger_has_neither_bond_nor_resignation_nor_equivocation() public {
        bytes memory want = abi.encodeWithSelector(IQuorumVerifier.NotMember.selector, STRANGER);
        vm.deal(STRANGER, 1);
        vm.expectRevert(want);
        vm.prank(STRANGER);
        verifier.postBond{ value: 1 }(threshold, members);
        vm.expectRevert(want);
        vm.prank(STRANGER);
        verifier.resign(threshold, members);
        Equivocation memory shown = _flip(0);
        shown.member = STRANGER;
        _refuse(shown, want);
    }

    /* POSTING */

    function test_postBond_adds_to_the_members_bond() public {
        vm.recordLogs();
        _post(1, 1 ether);
        _expectLog(_onlyLog(), IQuorumVerifier.BondPosted.selector, 1, abi.encode(1 ether));
        _post(1, 2 ether);
        _post(4, 5 ether);

        _expectBond(1, 3 ether, 0);
        _expectBond(4, 5 ether, 0);
        _expectBond(0, 0, 0);
        _expectMarks(0, 1 << 1 | 1 << 4);
        assertEq(address(verifier).balance, 8 ether, "held");
    }

    function test_postBond_returns_the_quorum_and_leaves_its_proofs_valid() public {
        vm.deal(members[0], 1);
        vm.prank(members[0]);
        bytes32 have = verifier.postBond{ value: 1 }(threshold, members);
        assertEq(have, quorum, "quorum");
        _verify(7);
    }

    function test_postBond_refuses_a_bond_of_nothing() public {
        vm.expectRevert(IQuorumVerifier.ZeroBond.selector);
        vm.prank(members[0]);
        verifier.postBond(threshold, members);
    }

    function test_postBond_refuses_a_member_that_resigned() public {
        _resign(0);
        vm.deal(members[0], 1);
        vm.expectRevert(_inactive(0));
        vm.prank(members[0]);
        verifier.postBond{ value: 1 }(threshold, members);
    }

    function test_postBond_refuses_a_member_that_equivocated() public {
        _prove(_flip(0));
        vm.deal(members[0], 1);
        vm.expectRevert(_inactive(0));
        vm.prank(members[0]);
        verifier.postBond{ value: 1 }(threshold, members);
    }

    /// @dev Whoever is not a key says what it likes and cannot be shown to have said it.
    function test_postBond_refuses_a_contract() public {
        vm.etch(members[3], address(new ContractMember()).code);
        vm.deal(members[3], 1);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.NotAKey.selector, members[3]));
        vm.prank(members[3]);
        verifier.postBond{ value: 1 }(threshold, members);
    }

    function test_postBond_takes_the_bond_of_a_key_that_delegates_by_eip_7702() public {
        vm.etch(members[3], abi.encodePacked(hex"ef0100", address(escrow)));
        _post(3, BOND);
        _expectBond(3, BOND, 0);
    }

    /// @dev Else a bonded key could delegate to code, or an address be deployed to later, and say by ERC-1271 what its
    /// bond does not answer for.
    function test_what_a_contract_says_for_a_bonded_member_does_not_count() public {
        bytes memory head = abi.encodePacked(_head(), uint32(7));
        bytes memory keysWord = abi.encodePacked(_sig(0), _sig(1), _sig(2));
        bytes memory codesWord = abi.encodePacked(_sig(0), _sig(1), bytes32(0), uint256(5), "hello");
        vm.etch(members[2], address(new ContractMember()).code);
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, _verdict(7000), abi.encodePacked(head, codesWord));
        vm.etch(members[2], "");
        _post(2, 1);
        vm.etch(members[2], address(new ContractMember()).code);

        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, _verdict(7000), abi.encodePacked(head, keysWord));
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 2, 3));
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, _verdict(7000), abi.encodePacked(head, codesWord));
    }

    function _sig(uint256 i) private view returns (bytes memory) {
        return _signature(keys[i], _digest(AGREEMENT, INDEX, _verdict(7000)));
    }

    /* RESIGNING */

    function test_resign_stops_counting_at_once_and_starts_the_unbonding() public {
        _post(2, BOND);
        _verify(7);
        vm.recordLogs();
        vm.prank(members[2]);
        bytes32 have = verifier.resign(threshold, members);

        assertEq(have, quorum, "quorum");
        _expectLog(_onlyLog(), IQuorumVerifier.Resigned.selector, 2, abi.encode(UNBONDING_END));
        _expectMarks(1 << 2, 1 << 2);
        _expectBond(2, BOND, UNBONDING_END);
        _tooFew(7, 2);
        _verify(15);
    }

    function test_resign_needs_no_bond() public {
        _resign(4);
        _expectMarks(1 << 4, 0);
        _expectBond(4, 0, UNBONDING_END);
    }

    /// @dev Else a member could push the end of its unbonding, or a shown equivocator look like one that left.
    function test_resign_is_possible_once() public {
        _resign(0);
        vm.warp(START + 1 days);
        vm.expectRevert(_inactive(0));
        vm.prank(members[0]);
        verifier.resign(threshold, members);
        _expectBond(0, 0, UNBONDING_END);

        _prove(_flip(1));
        vm.expectRevert(_inactive(1));
        vm.prank(members[1]);
        verifier.resign(threshold, members);
    }

    function test_marks_and_bonds_of_one_quorum_do_not_reach_into_another_of_the_same_members() public {
        _post(0, BOND);
        _resign(0);
        _prove(_flip(1));
        bytes32 first = quorum;
        threshold = 4;
        quorum = keccak256(_head());

        assertTrue(first != quorum, "another quorum");
        _expectMarks(0, 0);
        _expectBond(0, 0, 0);
        _verify(15);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.NoBond.selector, quorum, members[0]));
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, members[0]);
    }

    function test_a_resigned_contract_is_not_asked() public {
        ContractMember code = new ContractMember();
        vm.etch(members[1], address(code).code);
        ContractMember(members[1]).setMode(ContractMember.Mode.BurnGas);
        _resign(1);
        bytes memory word = abi.encodePacked(bytes32(0), uint256(0));
        bytes memory proof = abi.encodePacked(_head(), uint32(15), _sig(0), word, _sig(2), _sig(3));
        vm.prank(address(escrow));
        verifier.verify{ gas: 100_000 }(quorum, AGREEMENT, INDEX, _verdict(7000), proof);
    }

    function test_a_bad_signature_of_an_inactive_member_is_refused_all_the_same() public {
        _resign(1);
        bytes memory proof = abi.encodePacked(_head(), uint32(15), _sig(0), _sig(0), _sig(2), _sig(3));
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.BadSignature.selector, members[1], members[0]));
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, _verdict(7000), proof);
    }

    /// @dev Through the escrow, where it matters. A proof without spares is what the member could kill.
    function _lastBlock(bool flips) private {
        (Part memory part, bytes32 id) = _fund(_terms());
        _submit(part);
        Attestation memory a = Attestation(0, WORK24, 7000);
        bytes memory bare = _proof(id, 0, a, 7);
        bytes memory withSpare = _proof(id, 0, a, 15);
        vm.warp(START + REVIEW);
        if (flips) _prove(_flip(1));
        else _resign(1);

        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 2, 3));
        vm.prank(KEEPER);
        escrow.attest(part, a, bare);
        vm.prank(KEEPER);
        escrow.attest(part, a, withSpare);
    }

    function test_a_member_that_resigns_in_the_last_block_does_not_kill_a_proof_with_spares() public {
        _lastBlock(false);
    }

    function test_a_member_that_flips_in_the_last_block_does_not_kill_a_proof_with_spares() public {
        _lastBlock(true);
    }

    /* TAKING A BOND BACK */

    function _expectTooEarly(uint256 timestamp) private {
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooEarly.selector, UNBONDING_END + 1, timestamp));
    }

    function test_withdrawBond_pays_the_whole_bond_the_second_after_unbonding() public {
        _post(0, BOND);
        _resign(0);
        _expectTooEarly(START);
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, REPORTER);
        vm.warp(UNBONDING_END);
        _expectTooEarly(UNBONDING_END);
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, REPORTER);

        vm.warp(UNBONDING_END + 1);
        vm.recordLogs();
        vm.prank(members[0]);
        uint256 amount = verifier.withdrawBond(quorum, REPORTER);

        _expectLog(_onlyLog(), IQuorumVerifier.BondWithdrawn.selector, 0, abi.encode(REPORTER, BOND));
        assertEq(amount, BOND, "amount");
        assertEq(REPORTER.balance, BOND, "paid");
        assertEq(address(verifier).balance, 0, "nothing stays");
        _expectBond(0, 0, UNBONDING_END);
        _noBond(members[0]);
    }

    function _noBond(address who) private {
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.NoBond.selector, quorum, who));
        vm.prank(who);
        verifier.withdrawBond(quorum, REPORTER);
    }

    function test_withdrawBond_is_the_members_only() public {
        _post(0, BOND);
        _resign(0);
        vm.warp(UNBONDING_END + 1);
        _noBond(members[1]);
        _noBond(STRANGER);
    }

    function test_there_is_no_unbonding_without_resigning() public {
        _post(0, BOND);
        vm.warp(START + 3650 days);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.NotResigned.selector, quorum, members[0]));
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, REPORTER);
    }

    function test_a_lost_bond_is_not_withdrawn() public {
        _post(0, BOND);
        _resign(0);
        _prove(_flip(0));
        vm.warp(UNBONDING_END + 1);
        _noBond(members[0]);
    }

    function test_neither_bond_nor_reward_goes_to_nobody_or_to_the_verifier() public {
        _post(0, BOND);
        _resign(0);
        vm.warp(UNBONDING_END + 1);
        Equivocation memory shown = _flip(1);
        address[2] memory bad = [address(0), address(verifier)];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory want = abi.encodeWithSelector(IQuorumVerifier.BadRecipient.selector, bad[i]);
            vm.expectRevert(want);
            vm.prank(members[0]);
            verifier.withdrawBond(quorum, bad[i]);
            vm.expectRevert(want);
            verifier.proveEquivocation(threshold, members, shown, bad[i]);
        }
    }

    function test_withdrawBond_to_a_receiver_that_refuses_changes_nothing() public {
        _post(0, BOND);
        _resign(0);
        vm.warp(UNBONDING_END + 1);
        address refuser = address(new RefusingReceiver());
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TransferFailed.selector, address(0), refuser, BOND));
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, refuser);
        _expectBond(0, BOND, UNBONDING_END);
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, REPORTER);
        assertEq(REPORTER.balance, BOND, "paid");
    }

    /// @dev The receiver is the member itself, so that its own second call is the one that could take twice.
    function test_withdrawBond_pays_once_to_a_receiver_that_calls_back() public {
        _post(1, BOND);
        _post(0, BOND);
        _resign(0);
        vm.warp(UNBONDING_END + 1);
        ReenteringReceiver receiver = _reentering(members[0], abi.encodeCall(verifier.withdrawBond, (quorum, REPORTER)));
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, members[0]);
        assertTrue(receiver.reached() && !receiver.worked(), "called back in vain");
        assertEq(members[0].balance, BOND, "once");
        assertEq(address(verifier).balance, BOND, "another's bond stays");
    }

    function _reentering(address where, bytes memory call) private returns (ReenteringReceiver receiver) {
        vm.etch(where, address(new ReenteringReceiver()).code);
        receiver = ReenteringReceiver(payable(where));
        receiver.arm(call);
    }

    /* EQUIVOCATION */

    function test_proveEquivocation_disables_the_member_and_takes_its_bond() public {
        _post(0, BOND);
        _post(1, BOND);
        vm.recordLogs();
        uint256 reward = _prove(_flip(0));

        bytes memory subject = abi.encode(address(escrow), AGREEMENT, INDEX, uint16(1), bytes24(WORK));
        bytes memory rest = abi.encode(uint16(7000), uint16(3000), REPORTER, BOND / 10, BOND - BOND / 10);
        bytes32 topic = IQuorumVerifier.Equivocated.selector;
        _expectLog(_onlyLog(), topic, 0, abi.encodePacked(subject, rest));
        assertEq(reward, BOND / 10, "a tenth");
        assertEq(REPORTER.balance, BOND / 10, "paid");
        assertEq(address(verifier).balance, 2 * BOND - BOND / 10, "the rest stays");
        _expectMarks(1, 3);
        _expectBond(0, 0, 0);
        _expectBond(1, BOND, 0);
        _tooFew(7, 2);
        _verify(15);
    }

    /// @dev Whatever is called by whomever, the burned part stays: only what is left of the other bonds can be paid.
    function test_what_is_burned_stays_for_ever() public {
        _post(0, BOND);
        _post(1, 1 ether);
        _prove(_flip(0));
        _resign(1);
        vm.warp(UNBONDING_END + 1);
        vm.prank(members[1]);
        verifier.withdrawBond(quorum, REPORTER);
        _noBond(members[0]);
        _noBond(members[1]);
        assertEq(address(verifier).balance, BOND - BOND / 10, "burned");
    }

    function test_proveEquivocation_works_without_a_bond() public {
        uint256 reward = _prove(_flip(3));
        assertEq(reward, 0, "no reward");
        _expectMarks(1 << 3, 0);
    }

    /// @dev 9 wei have no whole tenth: nobody is called.
    function test_a_reward_of_nothing_is_not_sent() public {
        _post(0, 9);
        address refuser = address(new RefusingReceiver());
        uint256 reward = verifier.proveEquivocation(threshold, members, _flip(0), refuser);
        assertEq(reward, 0, "rounded down");
        assertEq(address(verifier).balance, 9, "burned");
    }

    function testFuzz_the_reward_is_at_most_a_tenth(uint96 bond) public {
        if (bond == 0) return;
        _post(0, bond);
        uint256 reward = _prove(_flip(0));
        assertTrue(reward <= uint256(bond) / 10, "at most a tenth");
        assertEq(REPORTER.balance + address(verifier).balance, bond, "every wei");
    }

    /// @dev 24 bytes of the deliverable count; whoever varies the rest still speaks of the same work.
    function test_full_deliverables_that_differ_in_the_low_8_bytes_are_one_subject() public {
        _prove(_shown(0, Attestation(1, WORK, 7000), Attestation(1, WORK24, 3000)));
        _prove(_shown(1, Attestation(1, WORK24 | bytes32(uint256(1)), 0), Attestation(1, WORK24, 1)));
        _expectMarks(3, 0);
    }

    function test_an_award_and_a_rejection_of_one_submission_contradict_each_other() public {
        _prove(_shown(0, _verdict(0), _verdict(10_000)));
        _expectMarks(1, 0);
    }

    function test_the_same_verdict_signed_twice_is_no_equivocation() public {
        bytes memory want = abi.encodeWithSelector(IQuorumVerifier.SameVerdict.selector, 7000);
        _refuse(_shown(0, _verdict(7000), _verdict(7000)), want);
        _refuse(_shown(0, Attestation(1, WORK, 7000), _verdict(7000)), want);
    }

    function _refuseAsDifferent(Attestation memory one, Attestation memory other) private {
        bytes memory want = abi.encodeWithSelector(
            IQuorumVerifier.DifferentSubjects.selector,
            one.attempt,
            other.attempt,
            bytes24(one.deliverable),
            bytes24(other.deliverable)
        );
        _refuse(_shown(0, one, other), want);
    }

    /// @dev The quorum awards an unsubmitted milestone; the payee submits first; the quorum signs again, for that.
    function test_front_run_submission_does_not_make_an_honest_member_slashable() public {
        _post(0, BOND);
        _refuseAsDifferent(Attestation(0, 0, 10_000), Attestation(0, WORK24, 7000));
        _expectBond(0, BOND, 0);
        _expectMarks(0, 1);
    }

    /// @dev A reorg can put another submission under the same attempt's number, or a rejection before it.
    function test_a_reorg_does_not_make_an_honest_member_slashable() public {
        bytes32 other = WORK24 ^ bytes32(uint256(1) << 64);
        _refuseAsDifferent(Attestation(0, WORK24, 7000), Attestation(0, other, 0));
        _refuseAsDifferent(Attestation(0, WORK24, 0), Attestation(1, WORK24, 7000));
    }

    /// @dev Verdicts on two subjects, dressed up as one: the signature does not follow.
    function test_a_verdict_on_another_subject_proves_nothing() public {
        Equivocation memory honest = _flip(0);
        Equivocation memory forged = _flip(0);
        forged.escrow = address(this);
        _refuseForged(forged);
        forged = _flip(0);
        forged.agreement = keccak256("other");
        _refuseForged(forged);
        forged = _flip(0);
        forged.milestone += 1;
        _refuseForged(forged);
        forged = _flip(0);
        forged.other.attestation.payoutBps += 1;
        _refuseForged(forged);
        forged = _flip(0);
        forged.member = members[1];
        _refuseForged(forged);
        threshold = 4;
        quorum = keccak256(_head());
        _refuseForged(honest);
    }

    function _refuseForged(Equivocation memory forged) private {
        vm.expectPartialRevert(IQuorumVerifier.BadSignature.selector);
        verifier.proveEquivocation(threshold, members, forged, REPORTER);
    }

    function test_two_members_that_disagree_are_no_equivocation() public {
        Equivocation memory shown = _flip(0);
        shown.other = _signed(1, _verdict(3000));
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.BadSignature.selector, members[0], members[1]));
        verifier.proveEquivocation(threshold, members, shown, REPORTER);
    }

    function test_a_malleable_or_empty_signature_proves_nothing() public {
        Equivocation memory shown = _flip(0);
        shown.one.vs = bytes32(type(uint256).max >> 1);
        _refuse(shown, abi.encodeWithSelector(IQuorumVerifier.MalleableSignature.selector, members[0]));
        (shown.one.r, shown.one.vs) = (0, 0);
        _refuse(shown, abi.encodeWithSelector(IQuorumVerifier.BadSignature.selector, members[0], address(0)));
    }

    function test_an_equivocation_is_shown_once() public {
        _post(0, BOND);
        _prove(_flip(0));
        _refuse(_flip(0), _inactive(0));
        vm.warp(START + 3650 days);
        _refuse(_shown(0, _verdict(1), _verdict(2)), _inactive(0));
    }

    /* RESIGN THEN PROVE */

    function test_resign_then_prove_takes_the_bond_until_the_last_second_of_unbonding() public {
        _post(0, BOND);
        _resign(0);
        vm.warp(UNBONDING_END);
        uint256 reward = _prove(_flip(0));
        assertEq(reward, BOND / 10, "reward");
        _expectBond(0, 0, 0);
        _expectMarks(1, 1);
        _refuse(_flip(0), _inactive(0));
        vm.warp(UNBONDING_END + 1);
        _noBond(members[0]);
    }

    function test_resign_then_prove_comes_too_late_the_second_after() public {
        _post(0, BOND);
        _resign(0);
        vm.warp(UNBONDING_END + 1);
        bytes memory want = abi.encodeWithSelector(IQuorumVerifier.TooLate.selector, UNBONDING_END, UNBONDING_END + 1);
        _refuse(_flip(0), want);
        vm.prank(members[0]);
        verifier.withdrawBond(quorum, members[0]);
        _refuse(_flip(0), want);
        assertEq(members[0].balance, BOND, "its own again");
    }

    /// @dev In one block the member leaves in front of the proof: it saves nothing.
    function test_resign_then_prove_in_one_block() public {
        _post(0, BOND);
        Equivocation memory shown = _flip(0);
        _resign(0);
        _prove(shown);
        _expectBond(0, 0, 0);
    }

    /* REPORTERS */

    function test_a_reporter_that_cannot_be_paid_stops_only_itself() public {
        _post(0, BOND);
        address refuser = address(new RefusingReceiver());
        Equivocation memory shown = _flip(0);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TransferFailed.selector, address(0), refuser, BOND / 10));
        vm.prank(refuser);
        verifier.proveEquivocation(threshold, members, shown, refuser);
        _expectBond(0, BOND, 0);
        vm.prank(refuser);
        verifier.proveEquivocation(threshold, members, shown, REPORTER);
        assertEq(REPORTER.balance, BOND / 10, "paid elsewhere");
    }

    function test_a_reporter_that_calls_back_is_paid_once() public {
        _post(0, BOND);
        _post(1, BOND);
        address greedy = address(0x4EE);
        Equivocation memory shown = _flip(0);
        bytes memory again = abi.encodeCall(verifier.proveEquivocation, (threshold, members, shown, greedy));
        ReenteringReceiver receiver = _reentering(greedy, again);
        verifier.proveEquivocation(threshold, members, shown, greedy);
        assertTrue(receiver.reached() && !receiver.worked(), "called back in vain");
        assertEq(greedy.balance, BOND / 10, "once");
        _expectBond(1, BOND, 0);
    }

    function test_a_member_that_reports_itself_loses_nine_tenths_all_the_same() public {
        _post(0, BOND);
        Equivocation memory shown = _flip(0);
        vm.prank(members[0]);
        verifier.proveEquivocation(threshold, members, shown, members[0]);
        assertEq(members[0].balance, BOND / 10, "a tenth saved");
        _expectMarks(1, 1);
    }

    /* BOOKS */

    uint256 private posted;
    uint256 private burned;
    uint256 private paid;

    /// @dev Whatever members and reporters do in whatever order, the verifier holds exactly the bonds and what it burned,
    /// and a mark once set stays.
    function testFuzz_the_verifier_holds_every_bond_and_what_it_burned(uint256[24] calldata moves) public {
        for (uint256 i = 0; i < moves.length; ++i) {
            (uint32 inactive, uint32 bonded) = verifier.marks(quorum);
            _move(moves[i]);
            (uint32 inactiveAfter, uint32 bondedAfter) = verifier.marks(quorum);
            assertEq(inactive & ~inactiveAfter, 0, "inactive stays");
            assertEq(bonded & ~bondedAfter, 0, "bonded stays");

            uint256 bonds;
            for (uint256 member = 0; member < 2; ++member) {
                bonds += _bond(member);
            }
            assertEq(address(verifier).balance, bonds + burned, "held");
            assertEq(posted, bonds + burned + paid, "every wei");
        }
    }

    function _bond(uint256 i) private view returns (uint256 amount) {
        (amount,) = verifier.bondOf(quorum, members[i]);
    }

    /// @dev One random call by, or about, one of two members, or a step in time; many calls are refused.
    function _move(uint256 random) private {
        uint256 i = random % 2;
        uint256 what = (random >> 8) % 5;
        uint256 value = what == 0 ? uint80(random >> 16) : 0;
        if (what == 4) vm.warp(vm.getBlockTimestamp() + (random >> 16) % 40 days);
        if (what == 4) return;
        bytes[4] memory calls = [
            abi.encodeCall(verifier.postBond, (threshold, members)),
            abi.encodeCall(verifier.resign, (threshold, members)),
            abi.encodeCall(verifier.withdrawBond, (quorum, REPORTER)),
            abi.encodeCall(verifier.proveEquivocation, (threshold, members, _flip(i), REPORTER))
        ];
        uint256 bond = _bond(i);
        uint256 had = REPORTER.balance;
        vm.deal(members[i], value);
        vm.prank(members[i]);
        (bool worked,) = address(verifier).call{ value: value }(calls[what]);
        if (!worked) return;
        posted += value;
        paid += REPORTER.balance - had;
        if (what == 2) assertEq(REPORTER.balance - had, bond, "the whole bond");
        if (what == 3) assertEq(REPORTER.balance - had, bond / 10, "a tenth");
        if (what == 3) burned += bond - bond / 10;
    }

    /* GAS */

    /// @dev A quorum with bonds and a resigned member costs its proofs nothing that one without does not pay.
    function test_marks_cost_a_proof_one_word() public {
        _verify(7);
        uint256 plain = vm.lastCallGas().gasTotalUsed;
        _post(0, BOND);
        _resign(4);
        _verify(7);
        assertTrue(vm.lastCallGas().gasTotalUsed <= plain + 100, "no dearer");
    }
}
