// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { Cause, IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { HostileToken } from "./mocks/HostileToken.sol";
import { ReentrantToken } from "./mocks/ReentrantToken.sol";
import { Vm, vm } from "./Vm.sol";

/// @title How money leaves: docs/protocol.md section 4, Payout
contract PayoutTest is Fixture {
    uint256 private constant PUSH_GAS = 150_000;

    HostileToken private token;

    function setUp() public override {
        super.setUp();
        token = new HostileToken();
        token.mint(PAYER, type(uint128).max);
        vm.prank(PAYER);
        token.approve(address(escrow), type(uint256).max);
    }

    function _hostileTerms() private view returns (Terms memory terms) {
        terms = _terms();
        terms.token = address(token);
        terms.feeBps = 100;
        terms.feeTo = FEE_TO;
        terms.tip = uint96(AMOUNT / 100);
    }

    function _approve(Part memory part) private {
        vm.prank(PAYER);
        escrow.approve(part);
    }

    /* ARITHMETIC */

    struct Case {
        uint128 amount;
        uint16 bps;
        uint16 feeBps;
        uint96 tip;
    }

    /// @dev No combination that funding accepts can revert, and every unit is accounted for.
    function testFuzz_payout_accounts_for_every_unit(Case memory c) public {
        Terms memory terms = _terms();
        Milestone[] memory milestones = _schedule(1);
        milestones[0].amount = c.amount == 0 ? 1 : c.amount / 2 + 1;
        uint256 amount = milestones[0].amount;
        c.bps = c.bps % 10_000 + 1;
        terms.feeBps = c.feeBps % 10_001;
        terms.feeTo = terms.feeBps > 0 ? FEE_TO : address(0);
        terms.tip = uint96(c.tip % (amount / 10 + 1));
        (Part memory part,) = _fund(terms, milestones, 1);
        _award(part, c.bps);
        vm.warp(START + CHALLENGE + 1);
        uint256 payerBefore = play.balanceOf(PAYER);

        vm.prank(KEEPER);
        escrow.settle(part);

        uint256 share = amount * c.bps / 10_000;
        uint256 fee = share * terms.feeBps / 10_000;
        uint256 tip = terms.tip < share - fee ? terms.tip : share - fee;
        assertEq(play.balanceOf(PAYEE), share - fee - tip, "payee");
        assertEq(play.balanceOf(PAYER) - payerBefore, amount - share, "payer");
        assertEq(play.balanceOf(FEE_TO), fee, "fee");
        assertEq(play.balanceOf(KEEPER), tip, "tip");
        assertEq(play.balanceOf(address(escrow)), 0, "nothing stays");
    }

    function test_tip_and_fee_larger_than_a_partial_share_leave_the_payee_zero_and_revert_nothing() public {
        Terms memory terms = _terms();
        (terms.feeBps, terms.feeTo, terms.tip) = (9000, FEE_TO, uint96(AMOUNT / 10));
        (Part memory part,) = _fund(terms);
        _award(part, 1);
        vm.warp(START + CHALLENGE + 1);
        vm.prank(KEEPER);
        escrow.settle(part);
        uint256 share = AMOUNT / 10_000;
        assertEq(play.balanceOf(FEE_TO), share * 9 / 10, "fee");
        assertEq(play.balanceOf(KEEPER), share / 10, "tip");
        assertEq(play.balanceOf(PAYEE), 0, "payee");
    }

    /// @dev Amounts that no share divides.
    function test_a_ruling_burns_no_unit() public {
        uint128[3] memory amounts = [uint128(1), 7, 9999];
        uint16[3] memory shares = [uint16(1), 3333, 9999];
        for (uint256 i = 0; i < 9; ++i) {
            Terms memory terms = _terms();
            (terms.salt, terms.feeBps, terms.feeTo) = (bytes32(i), 3333, FEE_TO);
            Milestone[] memory milestones = _schedule(1);
            milestones[0].amount = amounts[i / 3];
            (Part memory part, bytes32 id) = _fund(terms, milestones, 1);
            _award(part, 5000);
            _dispute(part, PAYER);
            vm.prank(ARBITER);
            escrow.rule(id, part, shares[i % 3]);
            assertEq(play.balanceOf(address(escrow)), 0, "a unit stays");
        }
    }

    function test_the_largest_amount_can_be_paid() public {
        Milestone[] memory milestones = _schedule(1);
        milestones[0].amount = type(uint128).max;
        (Part memory part,) = _fund(_hostileTerms(), milestones, 1);
        _award(part, 9999);
        vm.warp(START + CHALLENGE + 1);
        escrow.settle(part);
        assertEq(token.balanceOf(address(escrow)), 0, "nothing stays");
    }

    function test_tip_is_paid_only_by_attest_and_settle() public {
        Terms memory terms = _terms();
        terms.tip = 100;
        (Part memory part, bytes32 id) = _fund(terms);
        vm.recordLogs();
        _approve(part);
        (,,,,,, uint128 tip, address executor) = abi.decode(
            vm.getRecordedLogs()[0].data, (uint8, Cause, uint16, uint128, uint128, uint128, uint128, address)
        );
        assertEq(tip, 0, "no tip for the payer");
        assertEq(executor, PAYER, "executor");

        part = _part(terms, _schedule(3), 1);
        _award(part, 10_000);
        _dispute(part, PAYER);
        vm.prank(ARBITER);
        escrow.rule(id, part, 10_000);
        assertEq(play.balanceOf(ARBITER), 0, "no tip for the arbiter");

        Terms memory atOnce = _termsWithoutArbiter();
        atOnce.tip = 100;
        (part,) = _fund(atOnce);
        _award(part, 10_000);
        assertEq(play.balanceOf(KEEPER), 100, "tip for the bearer of the verdict");
    }

    function test_fee_is_taken_on_every_cause_that_pays_the_payee() public {
        Terms memory terms = _terms();
        (terms.feeBps, terms.feeTo) = (250, FEE_TO);
        (Part memory part,) = _fund(terms);
        _approve(part);
        assertEq(play.balanceOf(FEE_TO), AMOUNT * 250 / 10_000, "fee of an approval");
        part = _part(terms, _schedule(3), 1);
        vm.prank(PAYEE);
        escrow.waive(part);
        assertEq(play.balanceOf(FEE_TO), AMOUNT * 250 / 10_000, "no fee of a refund");
    }

    /* PUSH, THEN CREDIT */

    function test_blocked_payee_is_credited_and_blocks_nobody() public {
        (Part memory part,) = _fund(_hostileTerms());
        _award(part, 5000);
        token.setBlocked(PAYEE, true);
        vm.warp(START + CHALLENGE + 1);
        uint256 payerBefore = token.balanceOf(PAYER);
        vm.recordLogs();

        vm.prank(KEEPER);
        escrow.settle(part);

        uint256 share = AMOUNT / 2;
        uint256 toPayee = share - share / 100 - AMOUNT / 100;
        assertEq(escrow.credit(address(token), PAYEE), toPayee, "credit");
        assertEq(token.balanceOf(PAYER) - payerBefore, AMOUNT - share, "payer");
        assertEq(token.balanceOf(FEE_TO), share / 100, "fee");
        assertEq(token.balanceOf(KEEPER), AMOUNT / 100, "tip");
        Vm.Log memory log = vm.getRecordedLogs()[1];
        assertEq(log.topics[0], IEscrow.Credited.selector, "Credited");
        assertEq(address(uint160(uint256(log.topics[2]))), PAYEE, "owner");
    }

    function test_withdraw_takes_the_whole_credit_once_to_where_its_owner_says() public {
        (Part memory part,) = _fund(_hostileTerms());
        token.setBlocked(PAYEE, true);
        _approve(part);
        uint256 credit = AMOUNT - AMOUNT / 100;

        vm.prank(PAYEE);
        uint256 taken = escrow.withdraw(address(token), STRANGER);

        assertEq(taken, credit, "amount");
        assertEq(token.balanceOf(STRANGER), credit, "received");
        assertEq(escrow.credit(address(token), PAYEE), 0, "nothing left");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, address(token), PAYEE));
        vm.prank(PAYEE);
        escrow.withdraw(address(token), STRANGER);
    }

    function test_withdraw_that_fails_keeps_the_credit() public {
        (Part memory part,) = _fund(_hostileTerms());
        token.setBlocked(PAYEE, true);
        _approve(part);
        uint256 credit = escrow.credit(address(token), PAYEE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFailed.selector, address(token), PAYEE, credit));
        vm.prank(PAYEE);
        escrow.withdraw(address(token), PAYEE);
        assertEq(escrow.credit(address(token), PAYEE), credit, "credit");
    }

    function test_withdraw_refuses_zero_and_the_escrow_and_strangers() public {
        (Part memory part,) = _fund(_hostileTerms());
        token.setBlocked(PAYEE, true);
        _approve(part);
        address[2] memory bad = [address(0), address(escrow)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IEscrow.BadRecipient.selector, bad[i]));
            vm.prank(PAYEE);
            escrow.withdraw(address(token), bad[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, address(token), STRANGER));
        vm.prank(STRANGER);
        escrow.withdraw(address(token), STRANGER);
    }

    /// @dev Whatever the token does, the milestone ends and what was not sent is credited.
    function test_settle_survives_every_hostile_answer() public {
        HostileToken.Mode[5] memory modes = [
            HostileToken.Mode.ReturnFalse,
            HostileToken.Mode.ReturnTwo,
            HostileToken.Mode.ReturnByte,
            HostileToken.Mode.Bomb,
            HostileToken.Mode.BurnGas
        ];
        for (uint256 i = 0; i < modes.length; ++i) {
            Terms memory terms = _hostileTerms();
            terms.salt = bytes32(i);
            token.setMode(HostileToken.Mode.Honest);
            vm.warp(START);
            (Part memory part, bytes32 id) = _fund(terms);
            _award(part, 5000);
            vm.warp(START + CHALLENGE + 1);
            token.setMode(modes[i]);
            uint256 before = escrow.credit(address(token), PAYEE) + escrow.credit(address(token), PAYER)
                + escrow.credit(address(token), FEE_TO) + escrow.credit(address(token), KEEPER);

            vm.prank(KEEPER);
            escrow.settle{ gas: 1_000_000 }(part);

            _expectSettled(id, 0);
            uint256 credited = escrow.credit(address(token), PAYEE) + escrow.credit(address(token), PAYER)
                + escrow.credit(address(token), FEE_TO) + escrow.credit(address(token), KEEPER) - before;
            assertEq(credited, AMOUNT, "credits");
        }
    }

    function test_settle_pays_in_a_token_that_returns_nothing() public {
        (Part memory part,) = _fund(_hostileTerms());
        token.setMode(HostileToken.Mode.ReturnNothing);
        _approve(part);
        assertEq(token.balanceOf(PAYEE), AMOUNT - AMOUNT / 100, "payee");
    }

    /// @dev One byte over the word 1 that the transfer before left in memory must not read as 1.
    function test_a_short_answer_is_not_completed_from_the_answer_before_it() public {
        (Part memory part,) = _fund(_hostileTerms());
        token.setAnswersShort(FEE_TO);
        _approve(part);
        assertEq(escrow.credit(address(token), PAYEE), 0, "the payee was paid");
        assertEq(escrow.credit(address(token), FEE_TO), AMOUNT / 100, "the fee was not, by its answer");
    }

    function test_settle_credits_when_the_tokens_code_is_gone() public {
        (Part memory part, bytes32 id) = _fund(_hostileTerms());
        vm.etch(address(token), "");
        _approve(part);
        _expectSettled(id, 0);
        assertEq(escrow.credit(address(token), PAYEE), AMOUNT - AMOUNT / 100, "credit");
    }

    function test_a_poor_caller_cannot_turn_a_payment_into_a_credit() public {
        (Part memory part, bytes32 id) = _fund(_hostileTerms());
        vm.warp(uint256(SUBMIT_BY) + 1);
        uint256 failed;
        for (uint256 gas_ = 30_000; gas_ < 400_000; gas_ += 5000) {
            vm.prank(KEEPER);
            (bool worked,) = address(escrow).call{ gas: gas_ }(abi.encodeCall(Escrow.settle, (part)));
            assertEq(escrow.credit(address(token), PAYER), 0, "credit");
            if (worked) break;
            ++failed;
        }
        assertTrue(failed > 0, "too little gas is refused");
        _expectSettled(id, 0);
    }

    /// @dev The least gas that a call succeeds with gives even the dearest transfer its whole share.
    function test_a_push_gets_its_whole_share_of_gas_or_the_call_reverts() public {
        (Part memory part, bytes32 id) = _fund(_hostileTerms());
        token.setMode(HostileToken.Mode.Hungry);
        vm.warp(uint256(SUBMIT_BY) + 1);
        bool worked;
        for (uint256 gas_ = 150_000; gas_ < 300_000 && !worked; gas_ += 250) {
            vm.prank(KEEPER);
            (worked,) = address(escrow).call{ gas: gas_ }(abi.encodeCall(Escrow.settle, (part)));
        }
        _expectSettled(id, 0);
        assertEq(escrow.credit(address(token), PAYER), 0, "credit");
    }

    function test_insufficient_gas_is_named() public {
        (Part memory part,) = _fund(_hostileTerms());
        vm.expectPartialRevert(IEscrow.InsufficientGas.selector);
        vm.prank(PAYER);
        escrow.approve{ gas: PUSH_GAS }(part);
    }

    /* RE-ENTRANCY */

    function _loop() private returns (ReentrantToken loop, Part memory part, Terms memory terms) {
        loop = new ReentrantToken();
        loop.mint(PAYER, 100 * AMOUNT);
        vm.prank(PAYER);
        loop.approve(address(escrow), type(uint256).max);
        terms = _terms();
        terms.token = address(loop);
        part = _part(terms, _schedule(3), 0);
    }

    function _everyCall(Part memory part, bytes32 id) private pure returns (bytes[] memory calls) {
        calls = new bytes[](10);
        Part[] memory parts = new Part[](1);
        parts[0] = part;
        calls[0] = abi.encodeCall(Escrow.fund, (part.terms, _schedule(3), 4));
        calls[1] = abi.encodeCall(Escrow.submit, (part, WORK));
        calls[2] = abi.encodeCall(Escrow.attest, (part, Attestation(0, 0, 1), ""));
        calls[3] = abi.encodeCall(Escrow.approve, (part));
        calls[4] = abi.encodeCall(Escrow.waive, (part));
        calls[5] = abi.encodeCall(Escrow.dispute, (part, ""));
        calls[6] = abi.encodeCall(Escrow.rule, (id, part, 0));
        calls[7] = abi.encodeCall(Escrow.settle, (part));
        calls[8] = abi.encodeCall(Escrow.settleMany, (parts));
        calls[9] = abi.encodeCall(Escrow.withdraw, (part.terms.token, address(1)));
    }

    function _expectAllLocked(ReentrantToken loop, uint256 want) private view {
        assertEq(loop.answerCount(), want, "calls made");
        for (uint256 i = 0; i < want; ++i) {
            assertEq(keccak256(loop.answers(i)), keccak256(abi.encodePacked(IEscrow.Reentered.selector)), "locked");
        }
    }

    function test_every_state_changing_call_is_locked_during_funding() public {
        (ReentrantToken loop, Part memory part, Terms memory terms) = _loop();
        loop.arm(address(escrow), _everyCall(part, _id(part)), false);

        _fund(terms, _schedule(3), 3);

        _expectAllLocked(loop, 10);
        assertEq(loop.balanceOf(address(escrow)), 2 * AMOUNT, "funded once");
    }

    function test_every_state_changing_call_is_locked_during_a_payment() public {
        (ReentrantToken loop, Part memory part, Terms memory terms) = _loop();
        _fund(terms, _schedule(3), 3);
        bytes[] memory calls = _everyCall(_part(terms, _schedule(3), 1), _id(part));
        for (uint256 i = 0; i < calls.length; ++i) {
            // one at a time: a push has gas for few
            bytes[] memory one = new bytes[](1);
            one[0] = calls[i];
            loop.arm(address(0), new bytes[](0), false);
            part = _part(terms, _schedule(3), 0);
            part.terms.salt = bytes32(i);
            vm.prank(PAYER);
            (bool funded,) = address(escrow).call(abi.encodeCall(Escrow.fund, (part.terms, _schedule(3), 1)));
            assertTrue(funded, "funded");
            loop.arm(address(escrow), one, false);

            _approve(part);

            _expectAllLocked(loop, 1);
        }
    }

    function test_every_state_changing_call_is_locked_during_a_withdrawal() public {
        (ReentrantToken loop, Part memory part, Terms memory terms) = _loop();
        _fund(terms, _schedule(3), 3);
        loop.arm(address(escrow), _everyCall(_part(terms, _schedule(3), 1), _id(part)), true);
        _approve(part);
        assertEq(escrow.credit(address(loop), PAYEE), AMOUNT, "a receiver that passes the revert on is credited");

        loop.arm(address(escrow), _everyCall(_part(terms, _schedule(3), 1), _id(part)), false);
        vm.prank(PAYEE);
        escrow.withdraw(address(loop), PAYEE);

        _expectAllLocked(loop, 10);
        assertEq(loop.balanceOf(PAYEE), AMOUNT, "paid once");
    }

    function test_the_lock_opens_again_after_each_call() public {
        (ReentrantToken loop, Part memory part, Terms memory terms) = _loop();
        _fund(terms, _schedule(3), 3);
        _submit(part);
        _attest(part, 0, WORK, 0);
        _submit(part);
        _approve(part);
        assertEq(loop.balanceOf(PAYEE), AMOUNT, "paid");
    }

    /* MONEY OF OTHERS */

    function test_a_hostile_agreement_moves_nothing_of_another_in_the_same_token() public {
        (Part memory mine,) = _fund(_hostileTerms());
        Terms memory terms = _hostileTerms();
        terms.salt = 0;
        (Part memory theirs,) = _fund(terms);
        token.setBlocked(PAYEE, true);
        _approve(theirs);
        token.setBlocked(PAYEE, false);
        _approve(mine);
        vm.prank(PAYEE);
        escrow.withdraw(address(token), PAYEE);
        assertEq(token.balanceOf(PAYEE), 2 * (AMOUNT - AMOUNT / 100), "both");
        assertEq(token.balanceOf(address(escrow)), 4 * AMOUNT, "the other milestones");
    }

    function test_a_donation_is_nobodys() public {
        (Part memory part,) = _fund(_hostileTerms());
        token.mint(address(escrow), 5);
        _approve(part);
        assertEq(token.balanceOf(PAYEE), AMOUNT - AMOUNT / 100, "payee");
        assertEq(token.balanceOf(address(escrow)), 2 * AMOUNT + 5, "the rest and the donation");
    }
}
