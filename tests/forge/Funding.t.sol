// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { PlayDollar } from "../../contracts/demo/PlayDollar.sol";
import { Cause, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Fixture } from "./Fixture.sol";
import { HostileToken } from "./mocks/HostileToken.sol";
import { Vm, vm } from "./Vm.sol";

/// @title What funding accepts, refuses and records: docs/protocol.md section 3
contract FundingTest is Fixture {
    function _refuse(Terms memory terms, bytes memory want) private {
        _refuse(terms, _schedule(3), 7, want);
    }

    function _refuse(Terms memory terms, Milestone[] memory milestones, uint64 mask, bytes memory want) private {
        uint256 before = play.balanceOf(PAYER);
        vm.expectRevert(want);
        vm.prank(PAYER);
        escrow.fund(terms, milestones, mask);
        assertEq(play.balanceOf(PAYER), before, "payer keeps his money");
    }

    function _error(bytes4 selector, uint256 a) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a);
    }

    function _error(bytes4 selector, uint256 a, uint256 b) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b);
    }

    /* WHAT IT DOES */

    function test_fund_takes_exactly_the_sum_of_the_mask() public {
        Milestone[] memory milestones = _schedule(3);
        milestones[0].amount = 100;
        milestones[1].amount = 20;
        milestones[2].amount = 3;
        uint256 before = play.balanceOf(PAYER);

        (, bytes32 id) = _fund(_terms(), milestones, 5);

        assertEq(before - play.balanceOf(PAYER), 103, "paid");
        assertEq(play.balanceOf(address(escrow)), 103, "held");
        (uint64 funded, uint64 closed) = escrow.state(id);
        assertEq(funded, 5, "funded");
        assertEq(closed, 0, "closed");
    }

    function test_fund_announces_complete_terms_and_schedule() public {
        vm.recordLogs();
        (Part memory part, bytes32 id) = _fund(_terms());

        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory log = logs[0];
        assertEq(log.topics[0], IEscrow.Funded.selector, "event");
        assertEq(log.topics[1], id, "id");
        assertEq(address(uint160(uint256(log.topics[2]))), PAYER, "payer");
        assertEq(address(uint160(uint256(log.topics[3]))), PAYEE, "payee");
        (address funder, uint64 mask, Terms memory terms, Milestone[] memory milestones) =
            abi.decode(log.data, (address, uint64, Terms, Milestone[]));
        assertEq(funder, PAYER, "funder");
        assertEq(mask, 7, "mask");
        assertEq(_id(_part(terms, milestones, 0)), _id(part), "the part rebuilt from the event");
    }

    function test_fund_of_the_rest_joins_the_same_agreement() public {
        (, bytes32 first) = _fund(_terms(), _schedule(3), 1);
        (, bytes32 second) = _fund(_terms(), _schedule(3), 6);

        (uint64 funded,) = escrow.state(first);
        assertEq(first, second, "id");
        assertEq(funded, 7, "funded");
    }

    function test_anyone_may_fund_with_his_own_money() public {
        _give(STRANGER, 3 * AMOUNT);
        uint256 payerBefore = play.balanceOf(PAYER);

        vm.prank(STRANGER);
        escrow.fund(_terms(), _schedule(3), 7);

        assertEq(play.balanceOf(STRANGER), 0, "stranger paid");
        assertEq(play.balanceOf(PAYER), payerBefore, "payer did not, whatever he allowed");
    }

    function test_fund_accepts_64_milestones_and_the_highest_bit() public {
        Milestone[] memory milestones = _schedule(64);
        (Part memory part, bytes32 id) = _fund(_terms(), milestones, uint64(1) << 63);
        part.index = 63;
        part.milestone = milestones[63];

        vm.prank(PAYER);
        escrow.approve(part);

        _expectSettled(id, 63);
    }

    function test_fund_accepts_a_token_that_returns_nothing() public {
        HostileToken token = new HostileToken();
        token.mint(PAYER, AMOUNT);
        vm.prank(PAYER);
        token.approve(address(escrow), AMOUNT);
        token.setMode(HostileToken.Mode.ReturnNothing);
        Terms memory terms = _terms();
        terms.token = address(token);

        _fund(terms, _schedule(1), 1);

        assertEq(token.balanceOf(address(escrow)), AMOUNT, "held");
    }

    /* STRUCTURE */

    function test_fund_refuses_an_empty_schedule() public {
        _refuse(_terms(), new Milestone[](0), 1, _error(IEscrow.BadMilestoneCount.selector, 0));
    }

    function test_fund_refuses_65_milestones() public {
        _refuse(_terms(), _schedule(65), 1, _error(IEscrow.BadMilestoneCount.selector, 65));
    }

    function test_fund_refuses_a_zero_amount_even_outside_the_mask() public {
        Milestone[] memory milestones = _schedule(3);
        milestones[2].amount = 0;
        _refuse(_terms(), milestones, 1, _error(IEscrow.ZeroAmount.selector, 2));
    }

    function test_fund_refuses_shares_above_the_whole() public {
        Terms memory terms = _terms();
        terms.unreviewedBps = 10_001;
        _refuse(terms, _error(IEscrow.BpsTooLarge.selector, 10_001));
        terms = _termsWithoutVerifier();
        terms.unruledBps = 10_002;
        _refuse(terms, _error(IEscrow.BpsTooLarge.selector, 10_002));
        terms = _terms();
        (terms.feeBps, terms.feeTo) = (10_003, FEE_TO);
        _refuse(terms, _error(IEscrow.BpsTooLarge.selector, 10_003));
    }

    function test_fund_refuses_missing_or_equal_parties() public {
        Terms memory terms = _terms();
        terms.payer = address(0);
        _refuse(terms, abi.encodeWithSelector(IEscrow.BadParties.selector, address(0), PAYEE));
        terms.payer = PAYEE;
        _refuse(terms, abi.encodeWithSelector(IEscrow.BadParties.selector, PAYEE, PAYEE));
        (terms.payer, terms.payee) = (PAYER, address(0));
        _refuse(terms, abi.encodeWithSelector(IEscrow.BadParties.selector, PAYER, address(0)));
    }

    function test_fund_refuses_the_escrow_and_the_token_in_every_role() public {
        address[2] memory forbidden = [address(escrow), address(play)];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory want = abi.encodeWithSelector(IEscrow.ForbiddenAddress.selector, forbidden[i]);
            Terms memory terms = _terms();
            terms.payer = forbidden[i];
            _refuse(terms, want);
            terms = _terms();
            terms.payee = forbidden[i];
            _refuse(terms, want);
            terms = _terms();
            terms.arbiter = forbidden[i];
            _refuse(terms, want);
            terms = _terms();
            (terms.feeTo, terms.feeBps) = (forbidden[i], 1);
            _refuse(terms, want);
        }
    }

    function test_fund_refuses_an_arbiter_with_an_interest() public {
        address[3] memory interested = [PAYER, PAYEE, FEE_TO];
        for (uint256 i = 0; i < 3; ++i) {
            Terms memory terms = _terms();
            (terms.feeTo, terms.feeBps) = (FEE_TO, 1);
            terms.arbiter = interested[i];
            _refuse(terms, abi.encodeWithSelector(IEscrow.ArbiterNotIndependent.selector, interested[i]));
        }
    }

    function test_fund_refuses_a_fee_for_nobody_and_a_receiver_of_no_fee() public {
        Terms memory terms = _terms();
        terms.feeBps = 5;
        _refuse(terms, abi.encodeWithSelector(IEscrow.FeeMismatch.selector, 5, address(0)));
        (terms.feeBps, terms.feeTo) = (0, FEE_TO);
        _refuse(terms, abi.encodeWithSelector(IEscrow.FeeMismatch.selector, 0, FEE_TO));
    }

    function test_fund_refuses_half_a_verifier() public {
        Terms memory terms = _terms();
        terms.quorum = 0;
        _refuse(terms, abi.encodeWithSelector(IEscrow.VerifierMismatch.selector, address(verifier), 0));
        terms = _terms();
        terms.verifier = address(0);
        _refuse(terms, abi.encodeWithSelector(IEscrow.VerifierMismatch.selector, address(0), quorum));
    }

    function test_fund_refuses_a_verifier_without_code() public {
        Terms memory terms = _terms();
        terms.verifier = STRANGER;
        _refuse(terms, abi.encodeWithSelector(IEscrow.NoCode.selector, STRANGER));
    }

    function test_fund_refuses_no_review_window() public {
        Terms memory terms = _terms();
        terms.reviewWindow = 0;
        _refuse(terms, abi.encodeWithSelector(IEscrow.ZeroReviewWindow.selector));
    }

    function test_fund_refuses_a_ruling_window_exactly_where_it_does_not_fit() public {
        Terms memory terms = _terms();
        terms.rulingWindow = 0;
        _refuse(terms, abi.encodeWithSelector(IEscrow.RulingWindowMismatch.selector, 0, ARBITER));
        terms = _termsWithoutArbiter();
        terms.rulingWindow = 1;
        _refuse(terms, abi.encodeWithSelector(IEscrow.RulingWindowMismatch.selector, 1, address(0)));
    }

    function test_fund_refuses_a_challenge_window_exactly_where_it_does_not_fit() public {
        bytes4 selector = IEscrow.ChallengeWindowMismatch.selector;
        Terms memory terms = _terms();
        terms.challengeWindow = 0;
        _refuse(terms, abi.encodeWithSelector(selector, 0, address(verifier), ARBITER));
        terms = _termsWithoutArbiter();
        terms.challengeWindow = 1;
        _refuse(terms, abi.encodeWithSelector(selector, 1, address(verifier), address(0)));
        terms = _termsWithoutVerifier();
        terms.challengeWindow = 1;
        _refuse(terms, abi.encodeWithSelector(selector, 1, address(0), ARBITER));
    }

    function test_fund_refuses_a_hook_without_code() public {
        Terms memory terms = _terms();
        terms.arbiterHook = true;
        _refuse(terms, abi.encodeWithSelector(IEscrow.NoCode.selector, ARBITER));
        terms = _termsWithoutArbiter();
        terms.arbiterHook = true;
        _refuse(terms, abi.encodeWithSelector(IEscrow.NoCode.selector, address(0)));
    }

    function test_fund_refuses_paid_silence_without_an_arbiter() public {
        Terms memory terms = _termsWithoutArbiter();
        terms.unreviewedBps = 1;
        _refuse(terms, _error(IEscrow.UnreviewedShareWithoutArbiter.selector, 1));
    }

    function test_fund_refuses_an_unruled_share_unless_arbiter_and_no_verifier() public {
        Terms memory terms = _terms();
        terms.unruledBps = 1;
        _refuse(terms, _error(IEscrow.UnruledShareNotApplicable.selector, 1));
        terms = _termsWithoutArbiter();
        terms.unruledBps = 1;
        _refuse(terms, _error(IEscrow.UnruledShareNotApplicable.selector, 1));
    }

    function test_fund_refuses_windows_over_a_year_and_accepts_a_year() public {
        Terms memory terms = _terms();
        terms.reviewWindow = 365 days + 1;
        _refuse(terms, _error(IEscrow.WindowTooLong.selector, 365 days + 1, 365 days));
        terms = _terms();
        terms.challengeWindow = 365 days + 1;
        _refuse(terms, _error(IEscrow.WindowTooLong.selector, 365 days + 1, 365 days));
        terms = _terms();
        terms.rulingWindow = 365 days + 1;
        _refuse(terms, _error(IEscrow.WindowTooLong.selector, 365 days + 1, 365 days));

        terms = _terms();
        (terms.reviewWindow, terms.challengeWindow, terms.rulingWindow) = (365 days, 365 days, 365 days);
        (, bytes32 id) = _fund(terms);
        _expectOpen(id, 0);
    }

    function test_fund_refuses_a_tip_over_a_tenth_of_the_smallest_amount() public {
        Milestone[] memory milestones = _schedule(3);
        milestones[1].amount = 109;
        Terms memory terms = _terms();
        terms.tip = 11;
        _refuse(terms, milestones, 1, _error(IEscrow.TipTooLarge.selector, 11, 10));

        terms.tip = 10;
        (, bytes32 id) = _fund(terms, milestones, 1);
        _expectOpen(id, 0);
    }

    function test_fund_refuses_a_token_without_code() public {
        Terms memory terms = _terms();
        terms.token = STRANGER;
        _refuse(terms, abi.encodeWithSelector(IEscrow.NoCode.selector, STRANGER));
    }

    /* MASK */

    function test_fund_refuses_an_empty_mask() public {
        _refuse(_terms(), _schedule(3), 0, abi.encodeWithSelector(IEscrow.EmptyMask.selector));
    }

    function test_fund_refuses_a_mask_beyond_the_schedule() public {
        _refuse(_terms(), _schedule(3), 9, _error(IEscrow.MaskOutsideSchedule.selector, 9, 3));
        uint64 top = uint64(1) << 63;
        _refuse(_terms(), _schedule(63), top, _error(IEscrow.MaskOutsideSchedule.selector, top, 63));
    }

    function test_a_token_swapped_between_view_and_fund_pays_for_another_agreement() public {
        bytes32 seen = escrow.agreementId(_terms(), _schedule(3));
        Terms memory swapped = _terms();
        swapped.token = address(new PlayDollar());
        PlayDollar(swapped.token).mint(STRANGER, 3 * uint256(AMOUNT));
        vm.prank(STRANGER);
        PlayDollar(swapped.token).approve(address(escrow), type(uint256).max);

        vm.prank(STRANGER);
        bytes32 id = escrow.fund(swapped, _schedule(3), 7);

        assertTrue(id != seen, "another agreement");
        (uint64 funded,) = escrow.state(seen);
        assertEq(funded, 0, "what was seen is still unpaid");
    }

    function test_fund_refuses_to_take_money_twice() public {
        (, bytes32 id) = _fund(_terms(), _schedule(3), 2);
        _refuse(_terms(), _schedule(3), 7, abi.encodeWithSelector(IEscrow.AlreadyFunded.selector, id, 2));
    }

    function test_fund_refuses_a_settled_milestone_again() public {
        (Part memory part, bytes32 id) = _fund(_terms(), _schedule(3), 1);
        vm.prank(PAYER);
        escrow.approve(part);
        _refuse(_terms(), _schedule(3), 1, abi.encodeWithSelector(IEscrow.AlreadyFunded.selector, id, 1));
    }

    function test_fund_refuses_a_deadline_that_is_now_and_accepts_the_next_second() public {
        Milestone[] memory milestones = _schedule(1);
        milestones[0].submitBy = uint40(START);
        _refuse(_terms(), milestones, 1, _error(IEscrow.SubmitByOutOfRange.selector, 0, START));

        milestones[0].submitBy = uint40(START + 1);
        (, bytes32 id) = _fund(_terms(), milestones, 1);
        _expectOpen(id, 0);
    }

    function test_fund_refuses_a_deadline_after_ten_years_and_accepts_ten_years() public {
        Milestone[] memory milestones = _schedule(1);
        milestones[0].submitBy = uint40(START + 3650 days + 1);
        bytes memory want = _error(IEscrow.SubmitByOutOfRange.selector, 0, START + 3650 days + 1);
        _refuse(_terms(), milestones, 1, want);

        milestones[0].submitBy = uint40(START + 3650 days);
        (, bytes32 id) = _fund(_terms(), milestones, 1);
        _expectOpen(id, 0);
    }

    function test_fund_ignores_deadlines_outside_the_mask() public {
        Milestone[] memory milestones = _schedule(2);
        milestones[1].submitBy = 1;
        (, bytes32 id) = _fund(_terms(), milestones, 1);
        _expectOpen(id, 0);
    }

    /* MONEY */

    function test_fund_refuses_native_value_for_a_token() public {
        vm.deal(PAYER, 1);
        vm.expectRevert(_error(IEscrow.WrongValue.selector, 1, 0));
        vm.prank(PAYER);
        escrow.fund{ value: 1 }(_terms(), _schedule(3), 7);
    }

    function test_fund_refuses_what_the_caller_did_not_allow() public {
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, address(play), STRANGER, 3 * AMOUNT)
        );
        vm.prank(STRANGER);
        escrow.fund(_terms(), _schedule(3), 7);
    }

    function test_fund_refuses_tokens_that_fail_without_reverting_or_take_a_fee() public {
        HostileToken token = new HostileToken();
        token.mint(PAYER, 3 * AMOUNT);
        vm.prank(PAYER);
        token.approve(address(escrow), type(uint256).max);
        Terms memory terms = _terms();
        terms.token = address(token);
        bytes memory failed =
            abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, address(token), PAYER, 3 * AMOUNT);

        token.setMode(HostileToken.Mode.ReturnFalse);
        _refuse(terms, failed);
        token.setMode(HostileToken.Mode.ReturnTwo);
        _refuse(terms, failed);
        token.setMode(HostileToken.Mode.ReturnByte);
        _refuse(terms, failed);
        token.setMode(HostileToken.Mode.Bomb);
        _refuse(terms, failed);
        token.setMode(HostileToken.Mode.TakeFee);
        uint256 arrived = 3 * AMOUNT - 3 * AMOUNT / 10;
        _refuse(terms, _error(IEscrow.WrongAmountReceived.selector, arrived, 3 * AMOUNT));
    }

    function test_fund_refuses_a_renumbered_chain() public {
        uint256 deployed = 31_337; // anvil's; the optimizer may read block.chainid after the cheatcode
        vm.chainId(99);
        _refuse(_terms(), _error(IEscrow.WrongChain.selector, 99, deployed));
    }

    /* HASHING */

    function test_agreement_id_is_the_typed_data_hash_that_wallets_compute() public view {
        Milestone[] memory milestones = _schedule(3);
        assertEq(escrow.agreementId(_terms(), milestones), _id(_part(_terms(), milestones, 0)), "id");
    }

    function testFuzz_every_field_changes_the_id(uint8 field, uint256 word) public view {
        Milestone[] memory milestones = _schedule(3);
        bytes memory packed = abi.encode(_terms());
        uint256 place = 32 + 32 * (uint256(field) % 17);
        uint256 have;
        assembly ("memory-safe") {
            have := mload(add(packed, place))
        }
        uint256 flipped = have ^ (word % 2 == 0 ? 1 : (have < 2 ? 1 : 2));
        if (field % 17 == 6) flipped = have ^ 1;
        assembly ("memory-safe") {
            mstore(add(packed, place), flipped)
        }
        Terms memory changed = abi.decode(packed, (Terms));
        assertTrue(
            escrow.agreementId(changed, milestones) != escrow.agreementId(_terms(), milestones), "another agreement"
        );
    }

    /// @dev Hashing reads calldata as it stands: a second spelling of the same terms must not be fundable.
    function testFuzz_fund_refuses_excess_high_bits_in_every_narrow_field(uint8 field) public {
        bytes memory call_ = abi.encodeCall(escrow.fund, (_terms(), _schedule(3), 7));
        uint256 spot = uint256(field) % 17;
        if (spot == 4 || spot >= 15) return; // quorum, document and salt fill their words
        call_[4 + 32 * spot] = 0x01;
        vm.prank(PAYER);
        (bool worked,) = address(escrow).call(call_);
        assertTrue(!worked, "a second spelling was funded");
    }

    function test_fund_refuses_excess_high_bits_in_every_milestone_field() public {
        uint256 first = 4 + 32 * (17 + 2 + 1);
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 spot = 0; spot < 2; ++spot) {
                bytes memory call_ = abi.encodeCall(escrow.fund, (_terms(), _schedule(3), 1));
                call_[first + 32 * (3 * i + spot)] = 0x01;
                vm.prank(PAYER);
                (bool worked,) = address(escrow).call(call_);
                assertTrue(!worked, "a second spelling was funded");
            }
        }
    }

    function test_domain_is_the_one_deployed() public {
        uint256 deployed = 31_337; // anvil's; the optimizer may read block.chainid after the cheatcode
        vm.chainId(99);
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address where,,) =
            escrow.eip712Domain();
        assertEq(uint8(fields), 0x0f, "fields");
        assertEq(keccak256(bytes(name)), keccak256("Milepost"), "name");
        assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        assertEq(chainId, deployed, "chain id");
        assertEq(where, address(escrow), "contract");
        (, name,,,,,) = verifier.eip712Domain();
        assertEq(keccak256(bytes(name)), keccak256("Milepost QuorumVerifier"), "verifier's name");
    }
}
