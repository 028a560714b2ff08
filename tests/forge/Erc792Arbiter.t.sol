// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IArbitrable } from "@kleros/erc-792/contracts/IArbitrable.sol";
import { IArbitrator } from "@kleros/erc-792/contracts/IArbitrator.sol";
import { IEvidence } from "@kleros/erc-792/contracts/erc-1497/IEvidence.sol";
import {
    CentralizedArbitratorWithAppeal
} from "@kleros/erc-792/contracts/examples/CentralizedArbitratorWithAppeal.sol";
import { Erc792Arbiter } from "../../contracts/Erc792Arbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { IErc792Arbiter } from "@interfaces/IErc792Arbiter.sol";
import { IEscrow, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { INativeCredits } from "@interfaces/INativeCredits.sol";
import { CourtFixture } from "./CourtFixture.sol";
import { Vm, vm } from "./Vm.sol";
import { HostileCourt } from "./mocks/Courts.sol";
import { Rejecter } from "./mocks/Pretenders.sol";

/// @title Disputes before a real ERC-792 court, from the dispute to the delivered ruling
contract Erc792ArbiterTest is CourtFixture {
    /* THE COURT */

    function test_court_and_question_are_fixed_at_deployment() public {
        vm.recordLogs();
        adapter = _adapterTo(court, 2);
        Vm.Log memory log = _last(IEvidence.MetaEvidence.selector);
        assertEq(log.topics[1], bytes32(0), "number");
        assertEq(keccak256(log.data), keccak256(abi.encode("ipfs://question")), "document");
        (IArbitrator arbitrator, bytes memory extraData, uint256 choices) = adapter.court();
        assertEq(address(arbitrator), address(court), "court");
        assertEq(keccak256(extraData), keccak256(EXTRA_DATA), "extra data");
        assertEq(choices, 2, "choices");
        assertEq(adapter.costToDispute(), PRICE, "price");
    }

    function test_court_is_a_contract() public {
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NoCode.selector, STRANGER));
        _adapterTo(IArbitrator(STRANGER), 2);
    }

    function test_court_chooses_among_shares_without_a_remainder() public {
        uint256[6] memory bad = [uint256(0), 1, 4, 8, 10_000, 10_002];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.BadChoices.selector, bad[i]));
            _adapterTo(court, bad[i]);
        }
        uint256[6] memory good = [uint256(2), 3, 5, 11, 101, 10_001];
        for (uint256 i = 0; i < good.length; ++i) {
            adapter = _adapterTo(court, good[i]);
            assertEq(adapter.shareOf(1), 0, "the first choice: nothing");
            assertEq(adapter.shareOf(good[i]), 10_000, "the last choice: all");
            assertEq(adapter.shareOf(2), 10_000 / (good[i] - 1), "steps are even");
            _expectBadRuling(0, good[i]);
            adapter.shareOf(0);
            _expectBadRuling(good[i] + 1, good[i]);
            adapter.shareOf(good[i] + 1);
        }
    }

    function _expectBadRuling(uint256 have, uint256 choices) private {
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.BadRuling.selector, have, choices));
    }

    /* DISPUTES */

    function test_court_is_paid_its_price_and_what_is_above_comes_back() public {
        (Part memory part, Case memory c) = _awarded();
        uint256 before = PAYER.balance;
        vm.recordLogs();
        _disputeWith(part, PAYER, PRICE + 5);

        assertEq(before - PAYER.balance, PRICE, "the payer paid the price");
        assertEq(address(court).balance, PRICE, "the court has it");
        assertEq(address(adapter).balance, 0, "nothing stays");
        (bool opened, uint256 courtDispute, bool ruled,) = adapter.disputeOf(c);
        assertTrue(opened && courtDispute == 0 && !ruled, "as it stands");
        _expectReferred(c);
        (IArbitrable arbitrated, uint256 choices,,) = court.disputes(0);
        assertEq(address(arbitrated), address(adapter), "brought by the adapter");
        assertEq(choices, 11, "choices");
    }

    function _expectReferred(Case memory c) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory referred = logs[logs.length - 2];
        Vm.Log memory dispute = logs[logs.length - 1];
        assertEq(referred.topics[0], IErc792Arbiter.Referred.selector, "referred");
        assertEq(referred.topics[2], c.agreement, "the agreement");
        assertEq(referred.topics[3], bytes32(0), "the court's number");
        assertEq(keccak256(referred.data), keccak256(abi.encode(0, PAYER, PRICE, START + RULING)), "what it says");
        assertEq(dispute.topics[0], IEvidence.Dispute.selector, "ERC-1497");
        assertEq(dispute.topics[1], bytes32(uint256(uint160(address(court)))), "court");
        assertEq(keccak256(dispute.data), keccak256(abi.encode(0, uint256(keccak256(abi.encode(c))))), "group");
    }

    function test_court_that_is_paid_too_little_takes_no_dispute() public {
        (Part memory part, Case memory c) = _awarded();
        uint256[2] memory values = [0, PRICE - 1];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.TooLittleValue.selector, values[i], PRICE));
            _disputeWith(part, PAYER, values[i]);
        }
        _expectStatus(c.agreement, 0, Status.Attested);
        vm.warp(START + CHALLENGE + 1);
        escrow.settle(part);
        _expectPaid(AWARDED);
    }

    function test_court_refund_that_the_disputer_cannot_receive_waits_for_him() public {
        Rejecter rejecter = new Rejecter();
        Terms memory terms = _courtTerms();
        terms.payer = address(rejecter);
        (Part memory part,) = _fund(terms);
        _award(part, AWARDED);
        vm.deal(address(rejecter), 1 ether);
        rejecter.call(address(escrow), PRICE + 5, abi.encodeCall(escrow.dispute, (part, "")));

        _expectStatus(_id(part), 0, Status.Disputed);
        assertEq(adapter.credit(address(rejecter)), 5, "credit");
        rejecter.call(address(adapter), 0, abi.encodeCall(adapter.withdraw, (KEEPER)));
        assertEq(KEEPER.balance, 5, "taken");
        assertEq(address(adapter).balance, 0, "nothing stays");
        vm.expectRevert(abi.encodeWithSelector(INativeCredits.NothingToWithdraw.selector, address(0), STRANGER));
        vm.prank(STRANGER);
        adapter.withdraw(STRANGER);
    }

    function test_court_that_refuses_a_case_leaves_verdict_and_clock() public {
        HostileCourt hostile = _hostile();
        hostile.setClosed(true);
        (Part memory part, Case memory c) = _awarded();
        vm.expectRevert(abi.encodeWithSelector(HostileCourt.Closed.selector));
        _disputeWith(part, PAYER, 0);
        _expectStatus(c.agreement, 0, Status.Attested);
    }

    function test_court_has_each_of_two_disputes_under_its_own_number() public {
        (Part memory part0, Case memory c0) = _disputed();
        Part memory part1 = _part(part0.terms, _schedule(3), 1);
        _award(part1, AWARDED);
        _disputeWith(part1, PAYEE, PRICE);
        Case memory c1 = _caseOf(part1);
        court.rule(1, 11);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 0));
        _execute(c0, part0);
        _execute(c1, part1);
        _expectPaid(10_000);
        _expectOpen(c0.agreement, 0);
        court.rule(0, 1);
        _execute(c0, part0);
        _expectPaid(10_000);
        _expectSettled(c0.agreement, 0);
    }

    /* EVIDENCE */

    function _show(Case memory c, Part memory part, address who) private {
        vm.prank(who);
        adapter.submitEvidence(c, part.terms, _schedule(3), "ipfs://evidence");
    }

    function test_court_is_shown_evidence_of_the_parties_until_it_has_ruled() public {
        (Part memory part, Case memory c) = _disputed();
        _show(c, part, PAYER);
        vm.recordLogs();
        _show(c, part, PAYEE);
        Vm.Log memory log = _last(IEvidence.Evidence.selector);
        assertEq(log.topics[1], bytes32(uint256(uint160(address(court)))), "court");
        assertEq(log.topics[2], keccak256(abi.encode(c)), "group");
        assertEq(log.topics[3], bytes32(uint256(uint160(PAYEE))), "party");
        assertEq(keccak256(log.data), keccak256(abi.encode("ipfs://evidence")), "what");
        _ruled(3);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.AlreadyRuled.selector, 0));
        _show(c, part, PAYEE);
    }

    function test_court_is_shown_nothing_by_others() public {
        (Part memory part, Case memory c) = _disputed();
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotParty.selector, STRANGER));
        _show(c, part, STRANGER);
        part.terms.payer = STRANGER;
        bytes32 other = escrow.agreementId(part.terms, _schedule(3));
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.WrongAgreement.selector, other, c.agreement));
        _show(c, part, STRANGER);
    }

    /* RULINGS */

    function test_court_ruling_is_kept_and_announced() public {
        (, Case memory c) = _disputed();
        vm.recordLogs();
        _ruled(4);
        Vm.Log memory log = _last(IArbitrable.Ruling.selector);
        assertEq(log.topics[1], bytes32(uint256(uint160(address(court)))), "court");
        assertEq(log.topics[2], bytes32(0), "number");
        assertEq(keccak256(log.data), keccak256(abi.encode(4)), "ruling");
        (,, bool ruled, uint256 ruling) = adapter.disputeOf(c);
        assertTrue(ruled && ruling == 4, "kept");
        _expectOpen(c.agreement, 0);
    }

    function test_court_ruling_comes_from_the_court() public {
        _disputed();
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotCourt.selector, STRANGER, address(court)));
        vm.prank(STRANGER);
        adapter.rule(0, 4);
    }

    function test_court_ruling_is_about_a_dispute_that_it_has() public {
        HostileCourt hostile = _hostile();
        (Part memory part,) = _awarded();
        hostile.setNext(7);
        _disputeWith(part, PAYER, 0);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.UnknownCourtDispute.selector, 0));
        hostile.give(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.BadRuling.selector, 12, 11));
        hostile.give(7, 12);
        hostile.give(7, 11);
    }

    function test_court_ruling_of_each_choice_is_delivered_as_its_share() public {
        for (uint256 choice = 1; choice <= 11; ++choice) {
            Terms memory terms = _courtTerms();
            terms.salt = bytes32(choice);
            (Part memory part, bytes32 id) = _fund(terms);
            _award(part, AWARDED);
            _disputeWith(part, PAYER, PRICE);
            court.rule(choice - 1, choice);
            uint256 before = play.balanceOf(PAYEE);
            _execute(_caseOf(part), part);
            assertEq(play.balanceOf(PAYEE) - before, uint256(AMOUNT) * (choice - 1) / 10, "share");
            _expectSettled(id, 0);
        }
    }

    function test_court_that_refuses_to_arbitrate_leaves_what_stands() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(0);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.CourtRefused.selector, 0));
        _execute(c, part);
        vm.warp(START + RULING + 1);
        escrow.settle(part);
        _expectPaid(AWARDED);
    }

    function test_court_ruling_is_delivered_once_and_not_before_it_is_there() public {
        (Part memory part, Case memory c) = _disputed();
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 0));
        _execute(c, part);
        _ruled(4);
        _execute(c, part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, c.agreement, 0));
        _execute(c, part);
        _expectPaid(3000);
    }

    function test_court_ruling_is_delivered_until_the_last_second() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(4);
        vm.warp(START + RULING + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TooLate.selector, START + RULING, START + RULING + 1));
        _execute(c, part);
        vm.warp(START + RULING);
        _execute(c, part);
        _expectPaid(3000);
    }

    function test_court_ruling_after_the_parties_agreed_changes_nothing() public {
        (Part memory part, Case memory c) = _disputed();
        vm.prank(PAYER);
        escrow.approve(part);
        _ruled(1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, c.agreement, 0));
        _execute(c, part);
        _expectPaid(10_000);
        assertEq(address(adapter).balance, 0, "nothing to release");
    }

    function test_court_knows_nothing_of_a_case_that_nobody_brought() public {
        (Part memory part, Case memory c) = _awarded();
        bytes memory want = _about(IErc792Arbiter.NoDispute.selector, c);
        vm.expectRevert(want);
        _execute(c, part);
        vm.expectRevert(want);
        _show(c, part, PAYER);
        vm.expectRevert(want);
        adapter.appeal(c);
        vm.expectRevert(want);
        adapter.costToAppeal(c);
        (bool opened,,,) = adapter.disputeOf(c);
        assertTrue(!opened, "not opened");
    }

    /* APPEALS */

    /// @dev Kleros's court with appeals; this test is its judge, and it ruled 2 (10 %) at START.
    function _appealable() private returns (CentralizedArbitratorWithAppeal appeals, Part memory part, Case memory c) {
        appeals = new CentralizedArbitratorWithAppeal();
        adapter = _adapterTo(appeals, 11);
        (part, c) = _awarded();
        _disputeWith(part, PAYER, 1 ether);
        appeals.giveRuling(0, 2);
    }

    function test_court_ruling_that_can_be_appealed_is_not_delivered() public {
        (CentralizedArbitratorWithAppeal appeals, Part memory part, Case memory c) = _appealable();
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 0));
        _execute(c, part);
        vm.warp(START + 3 minutes + 1);
        appeals.executeRuling(0);
        _execute(c, part);
        _expectPaid(1000);
    }

    /// @dev Kleros's example counts the appeal before it asks its own price, and so wants twice what it says: what the caller
    /// sends is what the court gets.
    function test_court_appeal_is_paid_by_its_caller_and_gives_the_case_a_second_ruling() public {
        (CentralizedArbitratorWithAppeal appeals, Part memory part, Case memory c) = _appealable();
        assertEq(adapter.costToAppeal(c), 1e15, "what the court says");
        vm.expectRevert(
            abi.encodeWithSelector(CentralizedArbitratorWithAppeal.InsufficientPayment.selector, 1e15, 2e15)
        );
        vm.prank(PAYEE);
        adapter.appeal{ value: 1e15 }(c);
        vm.prank(PAYEE);
        adapter.appeal{ value: 2e15 }(c);
        assertEq(address(appeals).balance, 3e15, "dispute and appeal");
        assertEq(address(adapter).balance, 0, "nothing stays");

        appeals.giveRuling(0, 10);
        vm.warp(START + 3 minutes + 1);
        appeals.executeRuling(0);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.AlreadyRuled.selector, 0));
        adapter.appeal(c);
        _execute(c, part);
        _expectPaid(9000);
    }

    function test_court_decides_itself_what_may_be_appealed() public {
        (, Case memory c) = _disputed();
        vm.expectRevert();
        vm.prank(PAYEE);
        adapter.appeal{ value: 1 ether }(c);
    }

    /* LOGS */

    function _last(bytes32 topic) private returns (Vm.Log memory found) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic && logs[i].emitter == address(adapter)) found = logs[i];
        }
        assertEq(found.emitter, address(adapter), "emitted");
    }
}
