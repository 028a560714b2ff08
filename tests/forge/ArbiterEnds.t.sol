// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { SimpleCentralizedArbitrator } from "@kleros/erc-792/contracts/examples/SimpleCentralizedArbitrator.sol";
import { Erc792Arbiter } from "../../contracts/Erc792Arbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { Amendment, IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { PanelFixture } from "./PanelFixture.sol";
import { vm } from "./Vm.sol";

/// @title Parties that end a disputed milestone by their signatures, while a panel or a court has the case
contract ArbiterEndsTest is PanelFixture {
    bytes32 private constant SPLIT =
        keccak256("Split(bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 asOf,uint40 deadline)");
    bytes32 private constant AMENDMENT = keccak256(
        "Amendment(bytes32 from,uint64 closes,Terms to,uint64 opens,uint40 asOf,uint40 deadline)Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,Milestone[] milestones)"
    );
    bytes32 private constant TERMS = keccak256(
        "Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,Milestone[] milestones)Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)"
    );
    uint256 private constant PAYER_KEY = uint256(keccak256("payer"));

    address private payer;

    function setUp() public override {
        super.setUp();
        payer = vm.addr(PAYER_KEY);
        vm.deal(payer, 100 ether);
    }

    function _signedTerms() private view returns (Terms memory terms) {
        terms = _panelTerms();
        terms.payer = payer;
    }

    /// @dev The payee calls, with the payer's signature.
    function _agree(Part memory part, uint16 bps) private {
        (uint40 asOf, uint40 deadline) = (uint40(vm.getBlockTimestamp()), uint40(RULE_BY));
        bytes32 structHash = keccak256(abi.encode(SPLIT, _id(part), part.index, bps, asOf, deadline));
        bytes memory signature = _signature(PAYER_KEY, _typed("Milepost", address(escrow), structHash));
        vm.prank(PAYEE);
        escrow.agree(part, bps, asOf, deadline, signature, "");
    }

    /// @dev The disputed milestone's money goes on to a schedule of one, under terms without an arbiter.
    function _amend(Part memory part) private returns (bytes32 to) {
        Terms memory target = _termsWithoutArbiter();
        target.payer = payer;
        Milestone[] memory schedule = _schedule(1);
        Amendment memory a = Amendment(1, 1, uint40(vm.getBlockTimestamp()), uint40(RULE_BY));
        bytes32 targetHash = keccak256(abi.encode(TERMS, target, keccak256(abi.encodePacked(_leaf(schedule[0])))));
        bytes32 structHash =
            keccak256(abi.encode(AMENDMENT, _id(part), a.closes, targetHash, a.opens, a.asOf, a.deadline));
        bytes memory signature = _signature(PAYER_KEY, _typed("Milepost", address(escrow), structHash));
        vm.prank(PAYEE);
        return escrow.amend(a, part.terms, _schedule(3), target, schedule, signature, "");
    }

    /// @dev The panel ruled and the payee appealed; the appeal panel may vote.
    function _appealedBySignedParties() private returns (Part memory part, Case memory c) {
        (part, c) = _disputed(_signedTerms(), payer);
        _ruled(c, 4000, 4000);
        vm.warp(VOTING_END + 1);
        _appeal(c, part, PAYEE);
    }

    function _expectEverythingBack(Part memory part, Case memory c) private {
        vm.warp(APPEAL_VOTING_END + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, c.agreement, 0));
        _execute(c, part);
        panel.conclude(c);
        _expectCredit(PAYEE, TO_APPEAL, "the appeal's fees, and the bond");
        _expectCredit(payer, FEE, "the fee of the member that did not vote");
    }

    function test_panel_dispute_that_both_split_gives_everything_back() public {
        (Part memory part, Case memory c) = _appealedBySignedParties();
        _agree(part, 5500);
        _expectPaid(5500);
        _expectEverythingBack(part, c);
    }

    function test_panel_dispute_that_both_amend_gives_everything_back() public {
        (Part memory part, Case memory c) = _appealedBySignedParties();
        bytes32 to = _amend(part);
        _expectOpen(to, 0);
        _expectPaid(0);
        _expectEverythingBack(part, c);
        _expectOpen(to, 0);
    }

    /// @dev A court that rules after both ended the case rules on nothing, and its adapter holds nothing.
    function test_court_dispute_that_both_end_is_over() public {
        SimpleCentralizedArbitrator court = new SimpleCentralizedArbitrator();
        Erc792Arbiter adapter = new Erc792Arbiter(court, "", 11, "");
        for (uint256 i = 0; i < 2; ++i) {
            Terms memory terms = _signedTerms();
            terms.arbiter = address(adapter);
            terms.salt = bytes32(i);
            (Part memory part, bytes32 id) = _fund(terms);
            _award(part, AWARDED);
            _disputeWith(part, payer, 0.1 ether);
            vm.warp(vm.getBlockTimestamp() + 1);
            if (i == 0) _agree(part, 5500);
            else _amend(part);
            court.rule(i, 11);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, id, 0));
            adapter.execute(address(escrow), id, part);
            _expectPaid(5500);
        }
        assertEq(address(adapter).balance, 0, "nothing stays");
    }
}
