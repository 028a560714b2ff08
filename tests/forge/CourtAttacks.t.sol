// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IArbitrator } from "@kleros/erc-792/contracts/IArbitrator.sol";
import { SimpleCentralizedArbitrator } from "@kleros/erc-792/contracts/examples/SimpleCentralizedArbitrator.sol";
import { Erc792Arbiter } from "../../contracts/Erc792Arbiter.sol";
import { IArbiter } from "@interfaces/IArbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { IErc792Arbiter } from "@interfaces/IErc792Arbiter.sol";
import { IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { CourtFixture } from "./CourtFixture.sol";
import { vm } from "./Vm.sol";
import { HostileCourt } from "./mocks/Courts.sol";
import { FakeEscrow } from "./mocks/Pretenders.sol";

/// @title Ways to steal through a court's adapter or to jam it, and what stops each
contract CourtAttacksTest is CourtFixture {
    /* FAILURES OF OTHERS (docs/protocol.md section 8) */

    /// @dev Court and adapter are fixed for a dispute: no later one rules on it.
    function test_court_arbitrator_replaced_in_mid_dispute() public {
        (Part memory part, Case memory c) = _disputed();
        HostileCourt other = new HostileCourt();
        Erc792Arbiter otherAdapter = _adapterTo(other, 11);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotCourt.selector, address(other), address(court)));
        vm.prank(address(other));
        adapter.rule(0, 11);
        vm.expectRevert(_about(IErc792Arbiter.NoDispute.selector, c));
        otherAdapter.execute(c.escrow, c.agreement, part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotArbiter.selector, address(court), address(adapter)));
        vm.prank(address(court));
        escrow.rule(c.agreement, part, 10_000);
        _ruled(4);
        _execute(c, part);
        _expectPaid(3000);
    }

    function test_court_funds_locked_when_the_resolver_vanishes() public {
        (Part memory part, Case memory c) = _disputed();
        vm.etch(address(court), "");
        vm.warp(START + RULING);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 0));
        _execute(c, part);
        vm.etch(address(adapter), "");
        vm.warp(START + RULING + 1);
        escrow.settle(part);
        _expectPaid(AWARDED);
        assertEq(play.balanceOf(address(escrow)), 2 * uint256(AMOUNT), "the other milestones, and nothing of this");
    }

    function testFuzz_court_ruling_that_burns_a_unit(uint128 amount, uint8 choice) public {
        Milestone[] memory milestones = _schedule(1);
        milestones[0].amount = amount % (type(uint128).max - 1) + 1;
        (Part memory part,) = _fund(_courtTerms(), milestones, 1);
        _award(part, AWARDED);
        _disputeWith(part, PAYER, PRICE);
        _ruled(uint256(choice) % 11 + 1);
        _execute(_caseOf(part), part);

        uint256 paid = play.balanceOf(PAYEE);
        assertEq(paid, uint256(milestones[0].amount) * (uint256(choice) % 11) / 10, "the share, to the unit");
        assertEq(play.balanceOf(PAYER), type(uint128).max - paid, "the rest");
        assertEq(play.balanceOf(address(escrow)), 0, "nothing stays");
    }

    function test_court_re_dispute_that_restarts_the_clock() public {
        (Part memory part, Case memory c) = _disputed();
        vm.warp(START + 4 days);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongStatus.selector, c.agreement, 0, Status.Disputed));
        _disputeWith(part, PAYEE, PRICE);

        // Even where the caller is no escrow that would refuse it.
        FakeEscrow fake = new FakeEscrow();
        fake.open{ value: PRICE }(adapter, c.agreement, 0, PAYER, uint40(START + 20 days));
        vm.expectRevert(_about(IErc792Arbiter.AlreadyDisputed.selector, Case(address(fake), c.agreement, 0)));
        fake.open{ value: PRICE }(adapter, c.agreement, 0, PAYEE, uint40(START + 40 days));
    }

    /* COURTS THAT MISBEHAVE */

    /// @dev A ruling before the dispute has a number is a ruling on nothing, whether the court insists on it or not.
    function test_court_that_rules_inside_createDispute_rules_on_nothing() public {
        HostileCourt hostile = _hostile();
        (Part memory part, Case memory c) = _awarded();
        bytes memory ruling = abi.encodeCall(adapter.rule, (0, 11));
        hostile.arm(address(adapter), ruling, true);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.UnknownCourtDispute.selector, 0));
        _disputeWith(part, PAYER, 0);
        _expectStatus(c.agreement, 0, Status.Attested);

        hostile.arm(address(adapter), ruling, false);
        _disputeWith(part, PAYER, 0);
        (,, bool ruled,) = adapter.disputeOf(c);
        assertTrue(!ruled, "nothing was ruled");
        hostile.give(0, 4);
        _execute(c, part);
        _expectPaid(3000);
    }

    /// @dev Neither does it get through to a case that is only being brought.
    function test_court_that_delivers_inside_createDispute_delivers_nothing() public {
        HostileCourt hostile = _hostile();
        (Part memory part, Case memory c) = _awarded();
        hostile.arm(address(adapter), abi.encodeCall(adapter.execute, (c.escrow, c.agreement, part)), false);
        _disputeWith(part, PAYER, 0);
        assertEq(bytes32(hostile.answer()), bytes32(IErc792Arbiter.NotRuledYet.selector), "not ruled");
        _expectOpen(c.agreement, 0);
    }

    function test_court_that_rules_twice_is_heard_once() public {
        HostileCourt hostile = _hostile();
        (Part memory part, Case memory c) = _awarded();
        _disputeWith(part, PAYER, 0);
        hostile.give(0, 4);
        for (uint256 ruling = 0; ruling <= 11; ++ruling) {
            vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.AlreadyRuled.selector, 0));
            hostile.give(0, ruling);
        }
        _execute(c, part);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.AlreadyRuled.selector, 0));
        hostile.give(0, 11);
        _expectPaid(3000);
    }

    function test_court_that_never_rules_leaves_what_stands() public {
        HostileCourt hostile = _hostile();
        (Part memory part, Case memory c) = _awarded();
        _disputeWith(part, PAYER, 0);
        vm.warp(START + RULING + 1);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 0));
        _execute(c, part);
        escrow.settle(part);
        _expectPaid(AWARDED);
        hostile.give(0, 11); // too late to matter
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, c.agreement, 0));
        _execute(c, part);
    }

    /// @dev Two cases under one number: a ruling on the one could be taken for a ruling on the other.
    function test_court_that_gives_a_number_twice_gets_no_second_case() public {
        HostileCourt hostile = _hostile();
        (Part memory part0, Case memory c0) = _awarded();
        _disputeWith(part0, PAYER, 0);
        Part memory part1 = _part(part0.terms, _schedule(3), 1);
        _award(part1, AWARDED);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.CourtDisputeReused.selector, 0));
        _disputeWith(part1, PAYER, 0);
        hostile.give(0, 1);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.CourtDisputeReused.selector, 0));
        _disputeWith(part1, PAYER, 0);
        hostile.setNext(1);
        _disputeWith(part1, PAYER, 0);
        _execute(c0, part0);
        _expectOpen(c0.agreement, 1);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 1));
        _execute(_caseOf(part1), part1);
    }

    /// @dev The same with a case that is brought while another is: the number goes to whoever has it first, and the outer
    /// case is refused as a whole.
    function test_court_that_brings_a_case_inside_another_gets_one_number_for_one_case() public {
        HostileCourt hostile = _hostile();
        (Part memory part, Case memory c) = _awarded();
        bytes memory nested =
            abi.encodeCall(IArbiter.onDispute, (c.agreement, 0, STRANGER, 1, uint40(START + RULING), ""));
        hostile.arm(address(adapter), nested, true);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.CourtDisputeReused.selector, 0));
        _disputeWith(part, PAYER, 0);
        _expectStatus(c.agreement, 0, Status.Attested);
        (bool opened,,,) = adapter.disputeOf(Case(address(hostile), c.agreement, 0));
        assertTrue(!opened, "nor the inner one");
    }

    /// @dev A caller that brings the same case while it is being brought would leave two numbers for one case.
    function test_court_case_is_not_brought_twice_from_within() public {
        HostileCourt hostile = _hostile();
        FakeEscrow fake = new FakeEscrow();
        bytes memory again = abi.encodeCall(fake.open, (IArbiter(address(adapter)), 0, 0, STRANGER, uint40(START)));
        hostile.arm(address(fake), again, true);
        vm.expectRevert(_about(IErc792Arbiter.AlreadyDisputed.selector, Case(address(fake), 0, 0)));
        fake.open(adapter, 0, 0, STRANGER, uint40(START));
    }

    /// @dev A court can take no more than it said, and no more than the call carries.
    function test_court_takes_nothing_of_another_disputes_money() public {
        HostileCourt hostile = _hostile();
        (Part memory part,) = _awarded();
        hostile.setPrice(2 ether);
        vm.deal(address(adapter), 5 ether); // as if credits of others were waiting
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.TooLittleValue.selector, 1 ether, 2 ether));
        _disputeWith(part, PAYER, 1 ether);
        _disputeWith(part, PAYER, 3 ether);
        assertEq(address(hostile).balance, 2 ether, "its price");
        assertEq(address(adapter).balance, 5 ether, "the others'");
    }

    /* CRAFTED PARTS AND FAKE ESCROWS */

    function test_court_ruling_moves_no_other_milestone_whatever_part_is_given() public {
        (Part memory part, Case memory c) = _disputed();
        Part memory second = _part(part.terms, _schedule(3), 1);
        _award(second, AWARDED);
        _disputeWith(second, PAYER, PRICE);
        Terms memory terms = _courtTerms();
        terms.salt = "another";
        (Part memory foreign, bytes32 other) = _fund(terms);
        _award(foreign, AWARDED);
        _disputeWith(foreign, PAYER, PRICE);
        _ruled(1);

        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 1));
        adapter.execute(address(escrow), c.agreement, second);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 2));
        adapter.execute(address(escrow), other, part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAgreement.selector, other, c.agreement));
        adapter.execute(address(escrow), c.agreement, foreign);
        second.index = 0;
        bytes32 leaf = _leaf(second.milestone);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongMilestone.selector, 0, leaf, second.leaves[0]));
        adapter.execute(address(escrow), c.agreement, second);
        adapter.execute(address(escrow), c.agreement, part);
        _expectSettled(c.agreement, 0);
        _expectOpen(c.agreement, 1);
        _expectOpen(other, 0);
    }

    /// @dev A fake's dispute gets a number of its own; its ruling reaches the fake only.
    function test_court_is_not_made_to_rule_at_a_real_escrow_by_a_fake_one() public {
        (Part memory part, Case memory c) = _disputed();
        FakeEscrow fake = new FakeEscrow();
        fake.open{ value: PRICE }(adapter, c.agreement, 0, STRANGER, uint40(START + RULING));
        court.rule(1, 11);
        vm.expectRevert(abi.encodeWithSelector(IErc792Arbiter.NotRuledYet.selector, 0));
        _execute(c, part);
        fake.arm(address(adapter), abi.encodeCall(adapter.execute, (c.escrow, c.agreement, part)));
        adapter.execute(address(fake), c.agreement, part);
        assertEq(fake.rulings(), 1, "the fake was told, and that is all");
        assertEq(bytes32(fake.answer()), bytes32(IErc792Arbiter.NotRuledYet.selector), "also from within");
        _expectOpen(c.agreement, 0);
    }

    /// @dev Value that nobody owes it is refused, so nothing is ever stuck.
    function test_court_adapter_takes_no_plain_value() public {
        vm.deal(address(this), 1 ether);
        (bool worked,) = address(adapter).call{ value: 1 ether }("");
        assertTrue(!worked, "refused");
    }
}
