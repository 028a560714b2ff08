// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { Amendment, Cause, IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Parties } from "./Parties.sol";
import { Vm, vm } from "./Vm.sol";

/// @title From one agreement to another, as both parties signed
/// @notice The old agreement has three milestones of 1,000 each, all funded; the first is closed where nothing else is said.
contract AmendTest is Parties {
    Terms private from;
    Terms private to;
    Milestone[] private fromSchedule;
    Milestone[] private toSchedule;
    bytes32 private fromId;
    bytes32 private toId;

    function setUp() public override {
        super.setUp();
        from = _signedTerms();
        to = _signedTerms();
        to.salt = keccak256("amended");
        to.reviewWindow = 7 days;
        _setFrom(_schedule(3));
        _setTo(_schedule(1));
        (, fromId) = _fundSigned(from, fromSchedule, 7);
    }

    function _setFrom(Milestone[] memory milestones) private {
        delete fromSchedule;
        for (uint256 i = 0; i < milestones.length; ++i) {
            fromSchedule.push(milestones[i]);
        }
    }

    function _setTo(Milestone[] memory milestones) private {
        delete toSchedule;
        for (uint256 i = 0; i < milestones.length; ++i) {
            toSchedule.push(milestones[i]);
        }
        toId = escrow.agreementId(to, milestones);
    }

    function _one(uint128 amount) private pure returns (Milestone[] memory milestones) {
        milestones = _schedule(1);
        milestones[0].amount = amount;
    }

    function _amendment(uint64 closes, uint64 opens) private pure returns (Amendment memory) {
        return Amendment(closes, opens, NOW, DEADLINE);
    }

    function _sigs(Amendment memory a) private view returns (bytes memory payerSig, bytes memory payeeSig) {
        bytes32 digest = _amendmentDigest(a, fromId, to, toSchedule);
        return (_long(PAYER_KEY, digest), _long(PAYEE_KEY, digest));
    }

    /// @dev The payer calls, with the payee's signature.
    function _amend(Amendment memory a) private {
        (, bytes memory payeeSig) = _sigs(a);
        vm.prank(payer);
        escrow.amend(a, from, fromSchedule, to, toSchedule, "", payeeSig);
    }

    /// @dev Whatever is refused before signatures are looked at.
    function _refuse(Amendment memory a, bytes memory reason) private {
        vm.expectRevert(reason);
        escrow.amend(a, from, fromSchedule, to, toSchedule, "", "");
    }

    /// @dev What is refused although both signed.
    function _refuseSigned(Amendment memory a, bytes memory reason) private {
        (bytes memory payerSig, bytes memory payeeSig) = _sigs(a);
        vm.expectRevert(reason);
        vm.prank(STRANGER);
        escrow.amend(a, from, fromSchedule, to, toSchedule, payerSig, payeeSig);
    }

    /* MONEY */

    function test_amend_moves_an_equal_sum_without_any_transfer() public {
        uint256 before = play.balanceOf(address(escrow));
        uint256 payerBefore = play.balanceOf(payer);
        (bytes memory payerSig, bytes memory payeeSig) = _sigs(_amendment(1, 1));
        vm.recordLogs();
        vm.prank(STRANGER);
        escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, payerSig, payeeSig);
        assertEq(vm.getRecordedLogs().length, 2, "Funded and Amended, no Transfer");
        assertEq(play.balanceOf(address(escrow)), before, "escrow");
        assertEq(play.balanceOf(payer), payerBefore, "payer");
        (uint64 funded, uint64 closed) = escrow.state(fromId);
        assertEq(funded, 7, "old funded");
        assertEq(closed, 1, "old closed");
        (funded, closed) = escrow.state(toId);
        assertEq(funded, 1, "new funded");
        assertEq(closed, 0, "new closed");
    }

    function test_amend_announces_the_new_terms_and_what_moved() public {
        _setTo(_one(400_000_000));
        vm.recordLogs();
        _amend(_amendment(3, 1));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], IEscrow.Funded.selector, "first Funded");
        assertEq(logs[0].topics[1], toId, "new id");
        assertEq(keccak256(logs[0].data), keccak256(abi.encode(payer, uint64(1), to, toSchedule)), "whole terms");
        assertEq(logs[1].topics[0], IEscrow.Amended.selector, "then Amended");
        assertEq(logs[1].topics[1], fromId, "from");
        assertEq(logs[1].topics[2], toId, "to");
        assertEq(keccak256(logs[1].data), keccak256(abi.encode(uint64(3), uint64(1), 400_000_000)), "what moved");
    }

    function test_amend_returns_the_new_id() public {
        (, bytes memory payeeSig) = _sigs(_amendment(1, 1));
        vm.prank(payer);
        assertEq(escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, "", payeeSig), toId, "id");
    }

    function test_amend_gives_an_excess_to_the_payer_whoever_calls() public {
        _setTo(_one(400_000_000));
        uint256 before = play.balanceOf(payer);
        (bytes memory payerSig, bytes memory payeeSig) = _sigs(_amendment(3, 1));
        vm.prank(STRANGER);
        escrow.amend(_amendment(3, 1), from, fromSchedule, to, toSchedule, payerSig, payeeSig);
        assertEq(play.balanceOf(payer) - before, 1_600_000_000, "excess");
        assertEq(play.balanceOf(STRANGER), 0, "caller");
    }

    function test_amend_takes_a_shortfall_from_the_caller() public {
        _setTo(_one(1_500_000_000));
        _give(STRANGER, 500_000_000);
        uint256 before = play.balanceOf(payer);
        (bytes memory payerSig, bytes memory payeeSig) = _sigs(_amendment(1, 1));
        vm.prank(STRANGER);
        escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, payerSig, payeeSig);
        assertEq(play.balanceOf(STRANGER), 0, "caller");
        assertEq(play.balanceOf(payer), before, "payer");
        assertEq(play.balanceOf(address(escrow)), 3_500_000_000, "escrow");
    }

    function test_amend_refuses_a_shortfall_that_nobody_pays() public {
        _setTo(_one(1_500_000_000));
        _refuseSigned(
            _amendment(1, 1),
            abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, address(play), STRANGER, 500_000_000)
        );
    }

    function test_amend_in_native_currency_takes_exactly_the_shortfall() public {
        (from.token, to.token) = (address(0), address(0));
        vm.deal(payer, 10_000_000_000);
        vm.prank(payer);
        fromId = escrow.fund{ value: 3_000_000_000 }(from, fromSchedule, 7);
        _setTo(_one(1_500_000_000));
        (, bytes memory payeeSig) = _sigs(_amendment(1, 1));

        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongValue.selector, 499_999_999, 500_000_000));
        vm.prank(payer);
        escrow.amend{ value: 499_999_999 }(_amendment(1, 1), from, fromSchedule, to, toSchedule, "", payeeSig);
        vm.prank(payer);
        escrow.amend{ value: 500_000_000 }(_amendment(1, 1), from, fromSchedule, to, toSchedule, "", payeeSig);
        assertEq(address(escrow).balance, 3_500_000_000, "escrow");
        assertEq(payer.balance, 6_500_000_000, "payer");
    }

    function test_amend_in_native_currency_gives_the_excess_back() public {
        (from.token, to.token) = (address(0), address(0));
        vm.deal(payer, 3_000_000_000);
        vm.prank(payer);
        fromId = escrow.fund{ value: 3_000_000_000 }(from, fromSchedule, 7);
        _setTo(_one(400_000_000));
        _amend(_amendment(1, 1));
        assertEq(payer.balance, 600_000_000, "payer");
        assertEq(address(escrow).balance, 2_400_000_000, "escrow");
    }

    function test_amend_refuses_value_where_a_token_pays() public {
        vm.deal(payer, 1);
        (, bytes memory payeeSig) = _sigs(_amendment(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongValue.selector, 1, 0));
        vm.prank(payer);
        escrow.amend{ value: 1 }(_amendment(1, 1), from, fromSchedule, to, toSchedule, "", payeeSig);
    }

    function test_amend_opens_what_can_then_be_paid_out_to_the_unit() public {
        _setTo(_one(1_000_000_000));
        _amend(_amendment(1, 1));
        Part memory part = _part(to, toSchedule, 0);
        vm.prank(payer);
        escrow.approve(part);
        assertEq(play.balanceOf(payee), 1_000_000_000, "payee");
        assertEq(play.balanceOf(address(escrow)), 2_000_000_000, "the other two");
    }

    function test_amend_closes_for_good() public {
        _amend(_amendment(1, 1));
        Part memory part = _part(from, fromSchedule, 0);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, fromId, 0));
        vm.prank(payer);
        escrow.approve(part);
        vm.warp(uint256(SUBMIT_BY) + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, fromId, 0));
        escrow.settle(part);
        _expectDue(part, Cause.None, 0, type(uint40).max);
    }

    function test_amend_leaves_the_other_milestones_alone() public {
        _amend(_amendment(1, 1));
        _expectOpen(fromId, 1);
        Part memory part = _part(from, fromSchedule, 2);
        vm.prank(payer);
        escrow.approve(part);
        assertEq(play.balanceOf(payee), 1_000_000_000, "payee");
    }

    function test_amend_may_close_a_disputed_milestone() public {
        Part memory part = _part(from, fromSchedule, 0);
        _award(part, 5000);
        _dispute(part, payer);
        vm.warp(START + 1);
        _amend(Amendment(1, 1, NOW + 1, DEADLINE));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, fromId, 0));
        vm.prank(ARBITER);
        escrow.rule(fromId, part, 10_000);
    }

    function test_amend_may_go_on_from_an_amended_agreement() public {
        _amend(_amendment(1, 1));
        (Terms memory second, Milestone[] memory schedule) = (to, toSchedule);
        (from, fromId) = (second, toId);
        _setFrom(schedule);
        to.salt = keccak256("amended again");
        _setTo(_schedule(1));
        _amend(_amendment(1, 1));
        (uint64 funded, uint64 closed) = escrow.state(fromId);
        assertEq(funded & closed, 1, "second closed");
        _expectOpen(toId, 0);
    }

    /* WHAT IS REFUSED */

    function test_amend_refuses_other_parties_or_another_token() public {
        Terms memory same = to;
        for (uint256 i = 0; i < 3; ++i) {
            to = same;
            if (i == 0) to.payer = STRANGER;
            if (i == 1) to.payee = STRANGER;
            if (i == 2) to.token = address(verifier);
            _setTo(_schedule(1));
            _refuse(_amendment(1, 1), abi.encodeWithSelector(IEscrow.NotAnAmendment.selector, fromId, toId));
        }
    }

    function test_amend_refuses_to_close_nothing() public {
        _refuse(_amendment(0, 1), abi.encodeWithSelector(IEscrow.EmptyMask.selector));
    }

    function test_amend_refuses_to_open_nothing() public {
        _refuseSigned(_amendment(1, 0), abi.encodeWithSelector(IEscrow.EmptyMask.selector));
    }

    function test_amend_refuses_to_close_what_is_not_open() public {
        _refuse(_amendment(1 << 3, 1), abi.encodeWithSelector(IEscrow.NotOpen.selector, fromId, 1 << 3));
        _refuse(_amendment(1 << 63, 1), abi.encodeWithSelector(IEscrow.NotOpen.selector, fromId, uint64(1 << 63)));
        Part memory part = _part(from, fromSchedule, 1);
        vm.prank(payer);
        escrow.approve(part);
        _refuse(_amendment(3, 1), abi.encodeWithSelector(IEscrow.NotOpen.selector, fromId, 2));
    }

    function test_amend_refuses_an_agreement_that_was_never_funded() public {
        from.salt = keccak256("never");
        fromId = escrow.agreementId(from, fromSchedule);
        _refuse(_amendment(1, 1), abi.encodeWithSelector(IEscrow.NotOpen.selector, fromId, 1));
    }

    function test_amend_refuses_terms_of_which_anything_was_funded() public {
        _setTo(_schedule(2));
        _give(STRANGER, AMOUNT);
        vm.prank(STRANGER);
        escrow.fund(to, toSchedule, 2);
        _refuse(_amendment(1, 1), abi.encodeWithSelector(IEscrow.AlreadyFunded.selector, toId, 2));
    }

    function test_amend_refuses_to_move_an_agreement_into_itself() public {
        to = from;
        _setTo(fromSchedule);
        _refuse(_amendment(1, 1), abi.encodeWithSelector(IEscrow.AlreadyFunded.selector, fromId, 7));
    }

    function test_amend_refuses_the_same_amendment_twice() public {
        _amend(_amendment(1, 1));
        _refuse(_amendment(1, 1), abi.encodeWithSelector(IEscrow.NotOpen.selector, fromId, 1));
    }

    function test_amend_checks_the_new_terms_like_a_funding() public {
        to.reviewWindow = 0;
        _setTo(_schedule(1));
        _refuseSigned(_amendment(1, 1), abi.encodeWithSelector(IEscrow.ZeroReviewWindow.selector));
        to.reviewWindow = 1;
        _setTo(_schedule(1));
        _refuseSigned(_amendment(1, 2), abi.encodeWithSelector(IEscrow.MaskOutsideSchedule.selector, 2, 1));
        Milestone[] memory late = _schedule(1);
        late[0].submitBy = NOW;
        _setTo(late);
        _refuseSigned(_amendment(1, 1), abi.encodeWithSelector(IEscrow.SubmitByOutOfRange.selector, 0, NOW));
    }

    function test_amend_refuses_a_missing_signature_of_either() public {
        (bytes memory payerSig, bytes memory payeeSig) = _sigs(_amendment(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payer));
        escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, "", payeeSig);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
        escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, payerSig, "");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
        vm.prank(payer);
        escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, "", "");
    }

    function test_amend_takes_the_payee_as_caller() public {
        (bytes memory payerSig,) = _sigs(_amendment(1, 1));
        vm.prank(payee);
        escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, payerSig, "");
        _expectOpen(toId, 0);
    }

    function test_amend_refuses_what_was_signed_for_anything_else() public {
        Amendment memory signed = _amendment(1, 1);
        (bytes memory payerSig, bytes memory payeeSig) = _sigs(signed);
        Amendment[4] memory others = [
            _amendment(2, 1), _amendment(1, 1), Amendment(1, 1, NOW - 1, DEADLINE), Amendment(1, 1, NOW, DEADLINE + 1)
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            if (i == 1) to.document = keccak256("another text");
            vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payer));
            escrow.amend(others[i], from, fromSchedule, to, toSchedule, payerSig, payeeSig);
        }
    }

    function test_amend_stands_until_its_deadline() public {
        (bytes memory payerSig, bytes memory payeeSig) = _sigs(_amendment(1, 1));
        vm.warp(DEADLINE + 1);
        _refuse(_amendment(1, 1), abi.encodeWithSelector(IEscrow.TooLate.selector, DEADLINE, DEADLINE + 1));
        vm.warp(DEADLINE);
        escrow.amend(_amendment(1, 1), from, fromSchedule, to, toSchedule, payerSig, payeeSig);
    }

    function test_amend_refuses_an_offer_from_the_future() public {
        Amendment memory a = Amendment(1, 1, NOW + 1, DEADLINE);
        _refuse(a, abi.encodeWithSelector(IEscrow.AsOfInFuture.selector, NOW + 1, NOW));
    }

    function test_amend_dies_when_one_that_it_closes_moves() public {
        vm.warp(START + 10);
        _submit(_part(from, fromSchedule, 1));
        _refuse(_amendment(3, 1), abi.encodeWithSelector(IEscrow.Stale.selector, 1, START + 10, START));
        _amend(_amendment(1, 1));
    }

    function test_amend_dies_when_one_that_it_closes_moves_in_the_second_that_was_read() public {
        _submit(_part(from, fromSchedule, 0));
        _refuse(_amendment(1, 1), abi.encodeWithSelector(IEscrow.Stale.selector, 0, START, START));
    }

    function test_amend_stops_on_a_renumbered_chain() public {
        vm.chainId(DEPLOYED_CHAIN + 1);
        _refuse(
            _amendment(1, 1), abi.encodeWithSelector(IEscrow.WrongChain.selector, DEPLOYED_CHAIN + 1, DEPLOYED_CHAIN)
        );
    }

    /// @dev Whatever closes and opens: what went in equals what is open, what went back and what was added.
    function test_amend_keeps_every_unit(uint8 closesSeed, uint128 a, uint128 b) public {
        uint64 closes = uint64(closesSeed % 7) + 1;
        Milestone[] memory two = _schedule(2);
        (two[0].amount, two[1].amount) = (uint128(a % 1e20) + 1, uint128(b % 1e20) + 1);
        _setTo(two);
        uint256 closing = uint256(closes & 1) + uint256((closes >> 1) & 1) + uint256((closes >> 2) & 1);
        closing *= AMOUNT;
        uint256 opening = uint256(two[0].amount) + two[1].amount;
        uint256 payerBefore = play.balanceOf(payer);
        _amend(_amendment(closes, 3));
        assertEq(play.balanceOf(address(escrow)), 3 * uint256(AMOUNT) - closing + opening, "escrow");
        assertEq(play.balanceOf(payer), payerBefore + closing - opening, "payer");
    }
}
