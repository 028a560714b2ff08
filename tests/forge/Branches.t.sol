// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { HostileToken } from "./mocks/HostileToken.sol";
import { vm } from "./Vm.sol";

/// @title The branches that the tests by theme leave out
/// @notice tests/forge/trees names, for each function, the test that shows each of its branches.
contract BranchesTest is Fixture {
    function _terms(uint256 salt) private view returns (Terms memory terms) {
        terms = _terms();
        terms.salt = bytes32(salt);
    }

    function _hostile() private returns (HostileToken token) {
        token = new HostileToken();
        token.mint(PAYER, 100 * uint256(AMOUNT));
        vm.prank(PAYER);
        token.approve(address(escrow), type(uint256).max);
    }

    function _inToken(HostileToken token, uint256 salt) private view returns (Terms memory terms) {
        terms = _terms(salt);
        terms.token = address(token);
    }

    function _approve(Part memory part) private {
        vm.prank(PAYER);
        escrow.approve(part);
    }

    /* SUBMIT, ATTEST, RULE */

    function test_submit_comes_too_late_after_an_award_or_a_dispute() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _award(part, 7000);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongStatus.selector, id, 0, Status.Attested));
        _submit(part);
        _dispute(part, PAYER);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongStatus.selector, id, 0, Status.Disputed));
        _submit(part);
    }

    function test_attest_passes_on_the_verifiers_own_error() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        Attestation memory a = Attestation(0, 0, 10_000);
        bytes memory proof = _proof(id, 0, a, 3); // two of the three that are needed
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 2, 3));
        escrow.attest(part, a, proof);
        _expectStatus(id, 0, Status.Funded);
    }

    function test_a_rejection_and_an_award_into_a_window_move_no_money() public {
        Terms memory terms = _terms();
        terms.tip = 100;
        (Part memory part,) = _fund(terms);
        _submit(part);
        _attest(part, 0, WORK, 0);
        _submit(part);
        _attest(part, 1, WORK, 10_000);
        assertEq(play.balanceOf(address(escrow)), 3 * uint256(AMOUNT), "all is still here");
        assertEq(play.balanceOf(KEEPER), 0, "no tip");
    }

    function test_rule_may_give_one_side_everything() public {
        for (uint256 i = 0; i < 2; ++i) {
            (Part memory part, bytes32 id) = _fund(_terms(i));
            _award(part, 5000);
            _dispute(part, PAYER);
            (uint256 payer, uint256 payee) = (play.balanceOf(PAYER), play.balanceOf(PAYEE));

            vm.prank(ARBITER);
            escrow.rule(id, part, i == 0 ? 0 : 10_000);

            assertEq(play.balanceOf(PAYER) - payer, i == 0 ? AMOUNT : 0, "payer");
            assertEq(play.balanceOf(PAYEE) - payee, i == 0 ? 0 : AMOUNT, "payee");
        }
    }

    /* SETTLE MANY */

    function _two() private returns (Part[] memory parts) {
        Terms memory terms = _terms();
        terms.unreviewedBps = 10_000;
        terms.tip = 100;
        Milestone[] memory milestones = _schedule(2);
        _fund(terms, milestones, 3);
        parts = new Part[](2);
        for (uint8 i = 0; i < 2; ++i) {
            parts[i] = _part(terms, milestones, i);
            _submit(parts[i]);
        }
        vm.warp(START + REVIEW + CHALLENGE + 1);
    }

    function test_settle_many_of_nothing_does_nothing() public {
        assertEq(escrow.settleMany(new Part[](0)).length, 0, "answers");
    }

    function test_settle_many_refuses_a_part_that_contradicts_itself() public {
        Part[] memory parts = _two();
        bytes32 want = parts[1].leaves[1];
        parts[1].milestone.amount += 1;
        bytes32 have = _leaf(parts[1].milestone);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongMilestone.selector, 1, have, want));
        escrow.settleMany(parts);
        parts[1].index = 2;
        vm.expectRevert(abi.encodeWithSelector(IEscrow.IndexOutsideSchedule.selector, 2, 2));
        escrow.settleMany(parts);
    }

    function test_settle_many_pays_its_caller_each_tip() public {
        Part[] memory parts = _two();
        vm.prank(KEEPER);
        escrow.settleMany(parts);
        assertEq(play.balanceOf(KEEPER), 200, "tips");
        assertEq(play.balanceOf(PAYEE), 2 * uint256(AMOUNT) - 200, "payee");
    }

    function test_settle_many_names_too_little_gas() public {
        Part[] memory parts = _two();
        vm.expectPartialRevert(IEscrow.InsufficientGas.selector);
        escrow.settleMany{ gas: 200_000 }(parts);
        _expectOpen(_id(parts[0]), 0);
    }

    /* VIEWS */

    function test_latest_answers_before_anything_is_funded() public view {
        Part memory part = _part(_termsWithoutArbiter(), _schedule(1), 0);
        assertEq(escrow.latest(part), uint256(SUBMIT_BY) + REVIEW + 1, "latest");
    }

    function test_views_of_an_unknown_agreement_are_empty() public {
        (, bytes32 id) = _fund(_terms());
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 asked = i == 0 ? keccak256("nobody's") : id;
            (Status status, uint16 attempt, uint40 since, bytes24 deliverable, uint16 standing) =
                escrow.milestone(asked, i == 0 ? 0 : 64);
            assertEq(uint256(status), uint256(Status.Funded), "status");
            assertEq(uint256(attempt) + since + standing, 0, "attempt, since, standing");
            assertEq(bytes32(deliverable), 0, "deliverable");
        }
        (uint64 funded, uint64 closed) = escrow.state(keccak256("nobody's"));
        assertEq(funded | closed, 0, "sets");
    }

    function test_milestone_tells_where_it_stood_when_it_was_settled() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _award(part, 6000);
        _approve(part);
        (Status status,, uint40 since,, uint16 standing) = escrow.milestone(id, 0);
        assertEq(uint256(status), uint256(Status.Attested), "status");
        assertEq(since, START, "since");
        assertEq(standing, 6000, "standing");
    }

    function test_credits_add_up_and_are_kept_apart() public {
        HostileToken token = _hostile();
        for (uint256 i = 0; i < 2; ++i) {
            (Part memory part,) = _fund(_inToken(token, i));
            if (i == 0) _approve(part);
            token.setBlocked(PAYEE, true);
            part = _part(part.terms, _schedule(3), 1);
            _approve(part);
            token.setBlocked(PAYEE, false);
        }
        (Part memory inPlay,) = _fund(_terms());
        _approve(inPlay);

        assertEq(escrow.credit(address(token), PAYEE), 2 * uint256(AMOUNT), "two failed pushes");
        assertEq(token.balanceOf(PAYEE), AMOUNT, "one that worked");
        assertEq(escrow.credit(address(token), PAYER), 0, "another owner");
        assertEq(escrow.credit(address(play), PAYEE), 0, "another token");
    }

    function test_play_money_counts_like_most_dollars() public view {
        assertEq(play.decimals(), 6, "decimals");
    }

    /* THE ID */

    function test_every_change_of_the_schedule_changes_the_id() public view {
        Milestone[] memory milestones = _schedule(3);
        bytes32[6] memory ids;
        ids[0] = escrow.agreementId(_terms(), milestones);
        milestones[1].amount += 1;
        ids[1] = escrow.agreementId(_terms(), milestones);
        milestones = _schedule(3);
        milestones[1].submitBy += 1;
        ids[2] = escrow.agreementId(_terms(), milestones);
        milestones = _schedule(3);
        milestones[1].criteria = 0;
        ids[3] = escrow.agreementId(_terms(), milestones);
        milestones = _schedule(3);
        (milestones[0], milestones[1]) = (milestones[1], milestones[0]);
        ids[4] = escrow.agreementId(_terms(), milestones);
        ids[5] = escrow.agreementId(_terms(), _schedule(2));
        for (uint256 i = 0; i < 6; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(ids[i] != ids[j], "two schedules, one id");
            }
        }
    }

    function test_agreement_id_stays_when_the_chain_is_renumbered() public {
        bytes32 before = escrow.agreementId(_terms(), _schedule(3));
        vm.chainId(99);
        assertEq(escrow.agreementId(_terms(), _schedule(3)), before, "id");
        assertEq(escrow.agreementId(_terms(), _schedule(3)), _hashed(31_337), "of the chain it was deployed on");
    }

    /// @dev The id worked out here, for a chain of one's choice.
    function _hashed(uint256 chainId) private returns (bytes32) {
        vm.chainId(chainId);
        return _id(_part(_terms(), _schedule(3), 0));
    }
}
