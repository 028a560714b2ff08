// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { Cause, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { HookArbiter, StubVerifier } from "./mocks/Judges.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Every row of the state machine, to the second: docs/protocol.md section 4
contract LifeTest is Fixture {
    uint256 private constant REVIEW_END = START + REVIEW;
    uint256 private constant SILENCE_END = REVIEW_END + CHALLENGE;

    function _expect(bytes4 selector, uint256 a, uint256 b) private {
        vm.expectRevert(abi.encodeWithSelector(selector, a, b));
    }

    function _expectTooLate(uint256 last, uint256 timestamp) private {
        _expect(IEscrow.TooLate.selector, last, timestamp);
    }

    function _expectTooEarly(uint256 first, uint256 timestamp) private {
        _expect(IEscrow.TooEarly.selector, first, timestamp);
    }

    function _expectWrongStatus(bytes32 id, Status have) private {
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongStatus.selector, id, 0, have));
    }

    /// @dev The milestone's outcome as its event tells it.
    function _lastSettled() private returns (Cause cause, uint16 bps, uint128 toPayee, uint128 toPayer) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IEscrow.Settled.selector) continue;
            (, cause, bps, toPayee, toPayer,,,) =
                abi.decode(logs[i].data, (uint8, Cause, uint16, uint128, uint128, uint128, uint128, address));
        }
    }

    /// @dev Not ready the second before, ready at `readyAt`, and then `settle` does what `due` said.
    function _settleExactlyAt(Part memory part, uint256 readyAt, Cause cause, uint16 bps) private {
        _expectDue(part, cause, uint256(AMOUNT) * bps / 10_000, readyAt);
        vm.warp(readyAt - 1);
        _expectTooEarly(readyAt, readyAt - 1);
        escrow.settle(part);

        vm.warp(readyAt);
        vm.recordLogs();
        vm.prank(KEEPER);
        escrow.settle(part);

        (Cause haveCause, uint16 haveBps, uint128 toPayee, uint128 toPayer) = _lastSettled();
        assertEq(uint256(haveCause), uint256(cause), "cause");
        assertEq(haveBps, bps, "bps");
        assertEq(toPayee, uint256(AMOUNT) * bps / 10_000, "to payee");
        assertEq(uint256(toPayee) + toPayer, AMOUNT, "everything");
        _expectDue(part, Cause.None, 0, type(uint40).max);
        assertTrue(escrow.latest(part) >= readyAt, "latest is no promise");
    }

    /* SUBMIT */

    function test_submit_starts_the_review_until_the_last_second() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        vm.warp(SUBMIT_BY);
        _submit(part);

        (Status status, uint16 attempt, uint40 since, bytes24 deliverable, uint16 standing) = escrow.milestone(id, 0);
        assertEq(uint256(status), uint256(Status.Submitted), "status");
        assertEq(attempt, 0, "attempt");
        assertEq(since, SUBMIT_BY, "since");
        assertEq(bytes32(deliverable), bytes32(bytes24(WORK)), "deliverable");
        assertEq(standing, 0, "standing");
    }

    function test_submit_reverts_the_second_after_the_deadline() public {
        (Part memory part,) = _fund(_terms());
        vm.warp(uint256(SUBMIT_BY) + 1);
        _expectTooLate(SUBMIT_BY, uint256(SUBMIT_BY) + 1);
        _submit(part);
    }

    function test_submit_is_the_payees() public {
        (Part memory part,) = _fund(_terms());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotPayee.selector, PAYER, PAYEE));
        vm.prank(PAYER);
        escrow.submit(part, WORK);
    }

    function test_submit_refuses_a_deliverable_that_reads_as_nothing() public {
        (Part memory part,) = _fund(_terms());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.ZeroDeliverable.selector));
        vm.prank(PAYEE);
        escrow.submit(part, bytes32(uint256(type(uint64).max)));
    }

    function test_submit_cannot_replace_a_submission() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _submit(part);
        _expectWrongStatus(id, Status.Submitted);
        _submit(part);
    }

    function test_submit_stops_at_255_so_that_every_rejection_can_be_stored() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        for (uint16 attempt = 0; attempt < 255; ++attempt) {
            _submit(part);
            _attest(part, attempt, WORK, 0);
        }
        (, uint16 rejected,,,) = escrow.milestone(id, 0);
        assertEq(rejected, 255, "rejections");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TooManyAttempts.selector, 255));
        _submit(part);
        _attest(part, 255, 0, 10_000); // an award is still possible
        _expectStatus(id, 0, Status.Attested);
    }

    function test_events_carry_the_stored_24_bytes() public {
        (Part memory part,) = _fund(_terms());
        vm.recordLogs();
        _award(part, 7000);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (uint8 index, uint16 attempt, bytes32 deliverable) = abi.decode(logs[0].data, (uint8, uint16, bytes32));
        assertEq(logs[0].topics[0], IEscrow.Submitted.selector, "Submitted");
        assertEq(index + attempt, 0, "index, attempt");
        assertEq(deliverable, bytes32(bytes24(WORK)), "deliverable");
        uint16 bps;
        (index, attempt, deliverable, bps) = abi.decode(logs[1].data, (uint8, uint16, bytes32, uint16));
        assertEq(logs[1].topics[0], IEscrow.Attested.selector, "Attested");
        assertEq(deliverable, bytes32(bytes24(WORK)), "deliverable");
        assertEq(bps, 7000, "bps");
    }

    /* ATTEST, UNSUBMITTED */

    function test_attest_awards_an_unsubmitted_milestone_until_the_last_second() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        vm.warp(SUBMIT_BY);
        _attest(part, 0, 0, 1);
        _expectStatus(id, 0, Status.Attested);
    }

    function test_attest_reverts_on_an_unsubmitted_milestone_after_the_deadline() public {
        (Part memory part,) = _fund(_terms());
        vm.warp(uint256(SUBMIT_BY) + 1);
        Attestation memory a = Attestation(0, 0, 1);
        bytes memory proof = _proof(_id(part), 0, a, 7);
        _expectTooLate(SUBMIT_BY, uint256(SUBMIT_BY) + 1);
        escrow.attest(part, a, proof);
    }

    function test_attest_cannot_reject_what_was_not_submitted() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        Attestation memory a = Attestation(0, 0, 0);
        bytes memory proof = _proof(_id(part), 0, a, 7);
        _expectWrongStatus(id, Status.Funded);
        escrow.attest(part, a, proof);
    }

    function test_attest_of_an_unsubmitted_milestone_needs_all_32_bytes_zero() public {
        (Part memory part,) = _fund(_terms());
        Attestation memory a = Attestation(0, bytes32(uint256(1)), 10_000);
        bytes memory proof = _proof(_id(part), 0, a, 7);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongDeliverable.selector, bytes32(uint256(1)), 0));
        escrow.attest(part, a, proof);
    }

    /* ATTEST, SUBMITTED */

    function test_attest_awards_until_the_last_second_of_the_review() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _submit(part);
        vm.warp(REVIEW_END);
        _attest(part, 0, WORK, 6000);
        (Status status,, uint40 since,, uint16 standing) = escrow.milestone(id, 0);
        assertEq(uint256(status), uint256(Status.Attested), "status");
        assertEq(since, REVIEW_END, "since");
        assertEq(standing, 6000, "standing");
    }

    function test_attest_reverts_the_second_after_the_review() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        vm.warp(REVIEW_END + 1);
        uint16[2] memory shares = [0, 10_000];
        for (uint256 i = 0; i < 2; ++i) {
            Attestation memory a = Attestation(0, WORK, shares[i]);
            bytes memory proof = _proof(_id(part), 0, a, 7);
            _expectTooLate(REVIEW_END, REVIEW_END + 1);
            escrow.attest(part, a, proof);
        }
    }

    function test_a_rejection_gives_the_milestone_back_to_the_payee() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _submit(part);
        vm.warp(REVIEW_END);
        vm.recordLogs();
        _attest(part, 0, WORK, 0);

        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], IEscrow.Rejected.selector, "Rejected");
        (, uint16 rejected,) = abi.decode(logs[0].data, (uint8, uint16, bytes32));
        assertEq(rejected, 0, "the attempt that was rejected");
        (Status status, uint16 attempt, uint40 since, bytes24 deliverable, uint16 standing) = escrow.milestone(id, 0);
        assertEq(uint256(status), uint256(Status.Funded), "status");
        assertEq(attempt, 1, "attempt");
        assertEq(since, REVIEW_END, "since");
        assertEq(uint256(uint192(deliverable)) + standing, 0, "rest");
        _submit(part);
        _expectStatus(id, 0, Status.Submitted);
    }

    function test_attest_refuses_another_attempt_or_deliverable_or_share() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        bytes memory proof = _proof(_id(part), 0, Attestation(1, WORK, 10_000), 7);
        _expect(IEscrow.WrongAttempt.selector, 1, 0);
        escrow.attest(part, Attestation(1, WORK, 10_000), proof);

        bytes32 other = WORK ^ bytes32(uint256(1) << 64);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongDeliverable.selector, other, bytes32(bytes24(WORK))));
        escrow.attest(part, Attestation(0, other, 10_000), proof);

        vm.expectRevert(abi.encodeWithSelector(IEscrow.BpsTooLarge.selector, 10_001));
        escrow.attest(part, Attestation(0, WORK, 10_001), proof);
    }

    function test_attest_needs_a_verifier_and_the_deployed_chain() public {
        (Part memory part, bytes32 id) = _fund(_termsWithoutVerifier());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NoVerifier.selector, id));
        escrow.attest(part, Attestation(0, 0, 10_000), "");
        vm.chainId(99);
        _expect(IEscrow.WrongChain.selector, 99, 31_337);
        escrow.attest(part, Attestation(0, 0, 10_000), "");
    }

    function test_attest_needs_the_verifiers_magic_answer() public {
        StubVerifier stub = new StubVerifier(0x00000001);
        Terms memory terms = _terms();
        terms.verifier = address(stub);
        (Part memory part,) = _fund(terms);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.VerifierRefused.selector, address(stub), bytes4(0x00000001)));
        escrow.attest(part, Attestation(0, 0, 10_000), "");
    }

    function test_attest_cannot_speak_twice_or_into_a_dispute() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _award(part, 5000);
        Attestation memory a = Attestation(0, WORK, 10_000);
        bytes memory proof = _proof(id, 0, a, 7);
        _expectWrongStatus(id, Status.Attested);
        escrow.attest(part, a, proof);
        _dispute(part, PAYER);
        _expectWrongStatus(id, Status.Disputed);
        escrow.attest(part, a, proof);
    }

    function test_attest_settles_at_once_where_nobody_may_dispute() public {
        (Part memory part, bytes32 id) = _fund(_termsWithoutArbiter());
        _submit(part);
        vm.recordLogs();
        _attest(part, 0, WORK, 10_000);

        (Cause cause,, uint128 toPayee,) = _lastSettled();
        assertEq(uint256(cause), uint256(Cause.Attested), "cause");
        assertEq(toPayee, AMOUNT, "to payee");
        _expectSettled(id, 0);
    }

    /* CLOCKS */

    function test_clock_lapses_after_the_deadline_without_a_submission() public {
        (Part memory part,) = _fund(_terms());
        _settleExactlyAt(part, uint256(SUBMIT_BY) + 1, Cause.Lapsed, 0);
    }

    function test_clock_lapses_after_the_deadline_when_the_rejection_is_old() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        _attest(part, 0, WORK, 0);
        _settleExactlyAt(part, uint256(SUBMIT_BY) + 1, Cause.Lapsed, 0);
    }

    function test_clock_waits_for_the_dispute_of_a_late_rejection() public {
        (Part memory part,) = _fund(_terms());
        vm.warp(SUBMIT_BY);
        _submit(part);
        _attest(part, 0, WORK, 0);
        _settleExactlyAt(part, uint256(SUBMIT_BY) + CHALLENGE + 1, Cause.Lapsed, 0);
    }

    function test_clock_lapses_the_second_after_a_late_rejection_that_nobody_may_dispute() public {
        (Part memory part,) = _fund(_termsWithoutArbiter());
        vm.warp(SUBMIT_BY);
        _submit(part);
        vm.warp(uint256(SUBMIT_BY) + REVIEW);
        _attest(part, 0, WORK, 0);
        _settleExactlyAt(part, uint256(SUBMIT_BY) + REVIEW + 1, Cause.Lapsed, 0);
    }

    function test_clock_unreviewed_with_a_verifier_waits_for_the_challenge_window() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        _settleExactlyAt(part, SILENCE_END + 1, Cause.Unreviewed, 2500);
    }

    function test_clock_unreviewed_without_a_verifier_does_not() public {
        (Part memory part,) = _fund(_termsWithoutVerifier());
        _submit(part);
        _settleExactlyAt(part, REVIEW_END + 1, Cause.Unreviewed, 2500);
    }

    function test_settle_reverts_inside_the_challenge_window() public {
        (Part memory part,) = _fund(_terms());
        _award(part, 7000);
        _settleExactlyAt(part, START + CHALLENGE + 1, Cause.Attested, 7000);
    }

    function test_clock_unruled_pays_the_award() public {
        (Part memory part,) = _fund(_terms());
        _award(part, 7000);
        vm.warp(START + CHALLENGE);
        _dispute(part, PAYER);
        _settleExactlyAt(part, START + CHALLENGE + RULING + 1, Cause.Unruled, 7000);
    }

    function test_silence_neutral_unruled_pays_what_undisputed_silence_pays() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        vm.warp(SILENCE_END);
        _dispute(part, PAYEE);
        _settleExactlyAt(part, SILENCE_END + RULING + 1, Cause.Unruled, 2500);
    }

    function test_clock_unruled_of_a_rejection_refunds() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        _attest(part, 0, WORK, 0);
        _dispute(part, PAYEE);
        _settleExactlyAt(part, START + RULING + 1, Cause.Unruled, 0);
    }

    function test_clock_unruled_without_a_verifier_pays_the_agreed_share() public {
        (Part memory part,) = _fund(_termsWithoutVerifier());
        _submit(part);
        _dispute(part, PAYER);
        _settleExactlyAt(part, START + RULING + 1, Cause.Unruled, 4000);
    }

    function test_latest_is_reached_by_the_slowest_life() public {
        (Part memory part,) = _fund(_terms());
        vm.warp(SUBMIT_BY);
        _submit(part);
        vm.warp(uint256(SUBMIT_BY) + REVIEW + CHALLENGE);
        _dispute(part, PAYER);
        assertEq(escrow.latest(part), uint256(SUBMIT_BY) + REVIEW + CHALLENGE + RULING + 1, "latest");
        _settleExactlyAt(part, escrow.latest(part), Cause.Unruled, 2500);
    }

    /* DISPUTE */

    function test_dispute_of_an_award_until_the_last_second_by_either_party() public {
        address[2] memory parties = [PAYER, PAYEE];
        for (uint256 i = 0; i < 2; ++i) {
            Terms memory terms = _terms();
            terms.salt = bytes32(i);
            vm.warp(START);
            (Part memory part, bytes32 id) = _fund(terms);
            _award(part, 7000);
            vm.warp(START + CHALLENGE);
            vm.recordLogs();
            _dispute(part, parties[i]);

            Vm.Log[] memory logs = vm.getRecordedLogs();
            (, address by, uint16 standing,) = abi.decode(logs[0].data, (uint8, address, uint16, bytes));
            assertEq(by, parties[i], "by");
            assertEq(standing, 7000, "standing");
            _expectStatus(id, 0, Status.Disputed);
        }
    }

    function test_dispute_of_an_award_reverts_the_second_after() public {
        (Part memory part,) = _fund(_terms());
        _award(part, 7000);
        vm.warp(START + CHALLENGE + 1);
        _expectTooLate(START + CHALLENGE, START + CHALLENGE + 1);
        _dispute(part, PAYER);
    }

    function test_dispute_of_a_rejection_until_the_last_second_is_the_payees() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _submit(part);
        _attest(part, 0, WORK, 0);
        vm.warp(START + CHALLENGE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotPayee.selector, PAYER, PAYEE));
        _dispute(part, PAYER);
        _dispute(part, PAYEE);
        (Status status, uint16 attempt,,, uint16 standing) = escrow.milestone(id, 0);
        assertEq(uint256(status), uint256(Status.Disputed), "status");
        assertEq(attempt, 1, "attempt never falls");
        assertEq(standing, 0, "standing");
    }

    function test_dispute_of_a_rejection_reverts_the_second_after() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        _attest(part, 0, WORK, 0);
        vm.warp(START + CHALLENGE + 1);
        _expectTooLate(START + CHALLENGE, START + CHALLENGE + 1);
        _dispute(part, PAYEE);
    }

    function test_dispute_never_takes_a_submission_from_its_quorum() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        vm.warp(REVIEW_END);
        _expectTooEarly(REVIEW_END + 1, REVIEW_END);
        _dispute(part, PAYER);
        vm.warp(REVIEW_END + 1);
        _dispute(part, PAYER);
    }

    function test_dispute_of_silence_reverts_the_second_after_it_ends() public {
        (Part memory part,) = _fund(_terms());
        _submit(part);
        vm.warp(SILENCE_END + 1);
        _expectTooLate(SILENCE_END, SILENCE_END + 1);
        _dispute(part, PAYEE);
    }

    function test_dispute_without_a_verifier_lasts_exactly_the_review_window() public {
        (Part memory part, bytes32 id) = _fund(_termsWithoutVerifier());
        _submit(part);
        vm.warp(REVIEW_END + 1);
        _expectTooLate(REVIEW_END, REVIEW_END + 1);
        _dispute(part, PAYER);
        vm.warp(REVIEW_END);
        _dispute(part, PAYER);
        (,,,, uint16 standing) = escrow.milestone(id, 0);
        assertEq(standing, 4000, "standing");
    }

    function test_dispute_needs_something_to_dispute() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _expectWrongStatus(id, Status.Funded);
        _dispute(part, PAYEE);
    }

    function test_a_second_dispute_cannot_restart_the_clock() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _award(part, 7000);
        _dispute(part, PAYER);
        _expectWrongStatus(id, Status.Disputed);
        _dispute(part, PAYEE);
    }

    function test_dispute_is_the_parties() public {
        (Part memory part,) = _fund(_terms());
        _award(part, 7000);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotParty.selector, STRANGER));
        _dispute(part, STRANGER);
    }

    function test_dispute_needs_an_arbiter() public {
        (Part memory part, bytes32 id) = _fund(_termsWithoutArbiter());
        _submit(part);
        vm.warp(REVIEW_END + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NoArbiter.selector, id));
        _dispute(part, PAYER);
    }

    function test_dispute_without_a_hook_takes_no_value() public {
        (Part memory part,) = _fund(_terms());
        _award(part, 7000);
        vm.deal(PAYER, 1);
        _expect(IEscrow.WrongValue.selector, 1, 0);
        vm.prank(PAYER);
        escrow.dispute{ value: 1 }(part, "");
    }

    /* HOOK */

    function _withHook() private returns (HookArbiter hook, Part memory part, bytes32 id) {
        hook = new HookArbiter();
        Terms memory terms = _terms();
        terms.arbiter = address(hook);
        terms.arbiterHook = true;
        (part, id) = _fund(terms);
        _award(part, 7000);
    }

    function test_hook_is_told_everything_and_given_the_whole_value() public {
        (HookArbiter hook, Part memory part, bytes32 id) = _withHook();
        vm.deal(PAYER, 5);
        vm.prank(PAYER);
        escrow.dispute{ value: 5 }(part, "why");

        assertEq(hook.agreement(), id, "agreement");
        assertEq(hook.milestone(), 0, "milestone");
        assertEq(hook.by(), PAYER, "by");
        assertEq(hook.amount(), AMOUNT, "amount");
        assertEq(hook.ruleBy(), START + RULING, "ruleBy");
        assertEq(keccak256(hook.data()), keccak256("why"), "data");
        assertEq(hook.value(), 5, "value");
        assertEq(address(escrow).balance, 0, "nothing stays");
    }

    function test_hook_may_refuse_and_then_verdict_and_clock_stand() public {
        (HookArbiter hook, Part memory part, bytes32 id) = _withHook();
        hook.setMode(HookArbiter.Mode.Refuse);
        vm.expectRevert(abi.encodeWithSelector(HookArbiter.Refused.selector));
        _dispute(part, PAYER);
        hook.setMode(HookArbiter.Mode.WrongAnswer);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.ArbiterRefused.selector, address(hook), bytes4(0xdeadbeef)));
        _dispute(part, PAYER);
        _expectStatus(id, 0, Status.Attested);
        _settleExactlyAt(part, START + CHALLENGE + 1, Cause.Attested, 7000);
    }

    function test_hook_finds_the_escrow_locked_and_rules_in_a_later_call() public {
        (HookArbiter hook, Part memory part, bytes32 id) = _withHook();
        hook.setMode(HookArbiter.Mode.RuleAtOnce);
        hook.setRuling(abi.encodeCall(Escrow.rule, (id, part, 10_000)));
        _dispute(part, PAYER);
        assertEq(bytes32(hook.answer()), bytes32(IEscrow.Reentered.selector), "locked");
        _expectOpen(id, 0);
        hook.rule(escrow, id, part, 10_000);
        _expectSettled(id, 0);
    }

    /* RULE */

    function _disputed() private returns (Part memory part, bytes32 id) {
        (part, id) = _fund(_terms());
        _award(part, 7000);
        _dispute(part, PAYER);
    }

    function test_rule_until_the_last_second() public {
        (Part memory part, bytes32 id) = _disputed();
        vm.warp(START + RULING);
        vm.recordLogs();
        vm.prank(ARBITER);
        escrow.rule(id, part, 3333);
        (Cause cause, uint16 bps, uint128 toPayee, uint128 toPayer) = _lastSettled();
        assertEq(uint256(cause), uint256(Cause.Ruled), "cause");
        assertEq(bps, 3333, "bps");
        assertEq(toPayee, uint256(AMOUNT) * 3333 / 10_000, "to payee");
        assertEq(uint256(toPayee) + toPayer, AMOUNT, "a ruling burns no unit");
    }

    function test_rule_reverts_the_second_after() public {
        (Part memory part, bytes32 id) = _disputed();
        vm.warp(START + RULING + 1);
        _expectTooLate(START + RULING, START + RULING + 1);
        vm.prank(ARBITER);
        escrow.rule(id, part, 3333);
    }

    function test_rule_is_the_arbiters() public {
        (Part memory part, bytes32 id) = _disputed();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotArbiter.selector, PAYER, ARBITER));
        vm.prank(PAYER);
        escrow.rule(id, part, 0);
    }

    function test_rule_names_the_agreement_that_the_part_hashes_to() public {
        (Part memory part, bytes32 id) = _disputed();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAgreement.selector, id, bytes32(uint256(1))));
        vm.prank(ARBITER);
        escrow.rule(bytes32(uint256(1)), part, 0);
    }

    function test_rule_needs_a_dispute_and_a_share_of_at_most_the_whole() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _award(part, 7000);
        _expectWrongStatus(id, Status.Attested);
        vm.prank(ARBITER);
        escrow.rule(id, part, 0);
        _dispute(part, PAYER);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.BpsTooLarge.selector, 10_001));
        vm.prank(ARBITER);
        escrow.rule(id, part, 10_001);
    }

    function test_an_arbiter_replaced_in_mid_dispute_rules_nothing() public {
        (Part memory part, bytes32 id) = _disputed();
        Part memory swapped = _part(_terms(), _schedule(3), 0);
        swapped.terms.arbiter = STRANGER;
        bytes memory want = abi.encodeWithSelector(IEscrow.NotFunded.selector, _id(swapped), 0);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(want);
            vm.prank(STRANGER);
            escrow.rule(i == 0 ? id : _id(swapped), swapped, 0);
        }
        vm.prank(ARBITER);
        escrow.rule(id, part, 7000);
        _expectSettled(id, 0);
    }

    /* CONSENT */

    function _inEveryStatus(uint256 which) private returns (Part memory part, bytes32 id) {
        Terms memory terms = _terms();
        terms.salt = bytes32(which);
        (part, id) = _fund(terms);
        if (which > 0) _submit(part);
        if (which > 1) _attest(part, 0, WORK, 7000);
        if (which > 2) _dispute(part, PAYEE);
        _expectStatus(id, 0, Status(which));
    }

    function test_approve_pays_everything_from_every_open_status() public {
        for (uint256 i = 0; i < 4; ++i) {
            (Part memory part,) = _inEveryStatus(i);
            uint256 before = play.balanceOf(PAYEE);
            vm.prank(PAYER);
            escrow.approve(part);
            assertEq(play.balanceOf(PAYEE) - before, AMOUNT, "paid");
        }
    }

    function test_waive_refunds_everything_from_every_open_status() public {
        for (uint256 i = 0; i < 4; ++i) {
            (Part memory part,) = _inEveryStatus(i);
            uint256 before = play.balanceOf(PAYER);
            vm.prank(PAYEE);
            escrow.waive(part);
            assertEq(play.balanceOf(PAYER) - before, AMOUNT, "refunded");
        }
    }

    function test_approve_is_the_payers_and_waive_the_payees() public {
        (Part memory part,) = _fund(_terms());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotPayer.selector, PAYEE, PAYER));
        vm.prank(PAYEE);
        escrow.approve(part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotPayee.selector, PAYER, PAYEE));
        vm.prank(PAYER);
        escrow.waive(part);
    }

    /* OPEN OR NOT */

    /// @dev Each state-changing call on a part, with the caller that it needs.
    function _calls(Part memory part, bytes32 id) private pure returns (bytes[] memory calls, address[] memory by) {
        calls = new bytes[](7);
        by = new address[](7);
        (calls[0], by[0]) = (abi.encodeCall(Escrow.submit, (part, WORK)), PAYEE);
        (calls[1], by[1]) = (abi.encodeCall(Escrow.attest, (part, Attestation(0, 0, 1), "")), KEEPER);
        (calls[2], by[2]) = (abi.encodeCall(Escrow.approve, (part)), PAYER);
        (calls[3], by[3]) = (abi.encodeCall(Escrow.waive, (part)), PAYEE);
        (calls[4], by[4]) = (abi.encodeCall(Escrow.dispute, (part, "")), PAYER);
        (calls[5], by[5]) = (abi.encodeCall(Escrow.rule, (id, part, 0)), ARBITER);
        (calls[6], by[6]) = (abi.encodeCall(Escrow.settle, (part)), KEEPER);
    }

    function _everyCallReverts(Part memory part, bytes32 id, bytes memory want) private {
        (bytes[] memory calls, address[] memory by) = _calls(part, id);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(by[i]);
            (bool worked, bytes memory answer) = address(escrow).call(calls[i]);
            assertTrue(!worked, "worked");
            assertEq(keccak256(answer), keccak256(want), "error");
        }
    }

    function test_nothing_happens_to_a_milestone_that_was_never_funded() public {
        (Part memory part, bytes32 id) = _fund(_terms(), _schedule(3), 6);
        vm.warp(uint256(SUBMIT_BY) * 2);
        _everyCallReverts(part, id, abi.encodeWithSelector(IEscrow.NotFunded.selector, id, 0));
        _expectDue(part, Cause.None, 0, type(uint40).max);
    }

    function test_nothing_happens_twice() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        vm.prank(PAYEE);
        escrow.waive(part);
        _everyCallReverts(part, id, abi.encodeWithSelector(IEscrow.AlreadySettled.selector, id, 0));
    }

    function test_a_part_that_contradicts_itself_is_refused() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        bytes32 want = part.leaves[0];
        part.milestone.amount += 1;
        bytes memory want_ = abi.encodeWithSelector(IEscrow.WrongMilestone.selector, 0, _leaf(part.milestone), want);
        _everyCallReverts(part, id, want_);
        vm.expectRevert(want_);
        escrow.due(part);
        vm.expectRevert(want_);
        escrow.latest(part);
        part.index = 3;
        _everyCallReverts(part, id, abi.encodeWithSelector(IEscrow.IndexOutsideSchedule.selector, 3, 3));
    }

    function test_a_part_of_other_terms_is_another_agreement() public {
        (Part memory part,) = _fund(_terms());
        part.terms.payee = STRANGER;
        bytes32 other = _id(part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotFunded.selector, other, 0));
        vm.prank(STRANGER);
        escrow.waive(part);
    }

    /// @dev A dispute that nobody can rule, a submission that nobody can judge, and one that never came.
    function test_no_money_is_locked_when_verifier_and_arbiter_vanish() public {
        (HookArbiter hook, Part memory disputed, bytes32 id) = _withHook();
        Part memory submitted = _part(disputed.terms, _schedule(3), 1);
        Part memory untouched = _part(disputed.terms, _schedule(3), 2);
        _dispute(disputed, PAYER);
        _submit(submitted);
        vm.etch(address(hook), "");
        vm.etch(address(verifier), "");

        vm.warp(escrow.latest(untouched));
        escrow.settle(disputed);
        escrow.settle(submitted);
        escrow.settle(untouched);

        (, uint64 closed) = escrow.state(id);
        assertEq(closed, 7, "all settled");
        assertEq(play.balanceOf(PAYEE), uint256(AMOUNT) * (7000 + 2500) / 10_000, "the award and the agreed silence");
        assertEq(play.balanceOf(address(escrow)), 0, "nothing stays");
    }

    /// @dev 64 milestones fit the sets; a longer list of leaves is no agreement, whatever index it claims.
    function test_an_index_beyond_the_sets_is_never_funded() public {
        _fund(_terms(), _schedule(64), type(uint64).max);
        uint8[3] memory indexes = [64, 128, 255];
        for (uint256 i = 0; i < 3; ++i) {
            Part memory part = _part(_terms(), _schedule(256), indexes[i]);
            bytes32 id = _id(part);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.NotFunded.selector, id, indexes[i]));
            vm.prank(PAYER);
            escrow.approve(part);
        }
    }

    function test_milestones_of_one_agreement_do_not_touch_each_other() public {
        Milestone[] memory milestones = _schedule(3);
        (Part memory first, bytes32 id) = _fund(_terms(), milestones, 7);
        Part memory second = _part(_terms(), milestones, 1);
        _award(first, 7000);
        _dispute(first, PAYER);

        _expectDue(second, Cause.Lapsed, 0, uint256(SUBMIT_BY) + 1);
        vm.prank(PAYER);
        escrow.approve(second);
        _expectStatus(id, 0, Status.Disputed);
        _expectOpen(id, 0);
        _expectOpen(id, 2);
    }

    function test_everything_but_funding_and_verdicts_goes_on_after_the_chain_is_renumbered() public {
        (Part memory part, bytes32 id) = _fund(_terms());
        vm.chainId(99);
        _submit(part);
        vm.warp(SILENCE_END + 1);
        escrow.settle(part);
        _expectSettled(id, 0);
    }

    /* MANY */

    function test_settle_many_settles_what_is_due_and_skips_the_rest() public {
        Milestone[] memory milestones = _schedule(4);
        milestones[1].submitBy = SUBMIT_BY + 1;
        (, bytes32 id) = _fund(_terms(), milestones, 7);
        Part[] memory parts = new Part[](5);
        parts[0] = _part(_terms(), milestones, 0);
        parts[1] = _part(_terms(), milestones, 1); // due a second later
        parts[2] = _part(_terms(), milestones, 3); // never funded
        parts[3] = _part(_terms(), milestones, 0); // the same again
        parts[4] = _part(_terms(), milestones, 2);
        vm.warp(uint256(SUBMIT_BY) + 1);

        bool[] memory settled = escrow.settleMany(parts);

        assertTrue(settled[0] && !settled[1] && !settled[2] && !settled[3] && settled[4], "which");
        (, uint64 closed) = escrow.state(id);
        assertEq(closed, 5, "closed");
    }

    function test_settle_many_survives_a_rival_that_came_first() public {
        Milestone[] memory milestones = _schedule(2);
        _fund(_terms(), milestones, 3);
        Part[] memory parts = new Part[](2);
        parts[0] = _part(_terms(), milestones, 0);
        parts[1] = _part(_terms(), milestones, 1);
        vm.warp(uint256(SUBMIT_BY) + 1);
        escrow.settle(parts[0]);

        bool[] memory settled = escrow.settleMany(parts);

        assertTrue(!settled[0] && settled[1], "which");
    }

    function test_settle_many_refuses_a_part_that_hashes_to_nothing() public {
        (Part memory part,) = _fund(_terms());
        Part[] memory parts = new Part[](1);
        parts[0] = part;
        part.terms.salt = 0;
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotFunded.selector, _id(part), 0));
        escrow.settleMany(parts);
    }

    /* DUE AND SETTLE AGREE */

    /// @dev Whatever happened and whenever one looks: ready means settle pays just that, not ready means it reverts.
    function testFuzz_due_and_settle_agree(uint256 path, uint32 wait1, uint32 wait2, uint32 wait3, uint16 bps) public {
        Terms memory terms = path % 3 == 0 ? _terms() : path % 3 == 1 ? _termsWithoutArbiter() : _termsWithoutVerifier();
        (Part memory part, bytes32 id) = _fund(terms);
        vm.warp(START + wait1 % 40 days);
        vm.prank(PAYEE);
        (bool ignored,) = address(escrow).call(abi.encodeCall(Escrow.submit, (part, WORK)));
        vm.warp(START + wait1 % 40 days + wait2 % 8 days);
        Attestation memory a = Attestation(0, WORK, bps % 10_001);
        bytes memory proof = _proof(id, 0, a, 7);
        if (path / 3 % 2 == 0) (ignored,) = address(escrow).call(abi.encodeCall(Escrow.attest, (part, a, proof)));
        vm.prank(PAYEE);
        if (path / 6 % 2 == 0) (ignored,) = address(escrow).call(abi.encodeCall(Escrow.dispute, (part, "")));
        uint256 nowIs = START + wait1 % 40 days + wait2 % 8 days + wait3 % 30 days;
        vm.warp(nowIs);

        (Cause cause, uint128 share, uint40 readyAt) = escrow.due(part);
        uint256 payeeBefore = play.balanceOf(PAYEE);
        (bool worked,) = address(escrow).call(abi.encodeCall(Escrow.settle, (part)));

        assertTrue(worked == (nowIs >= readyAt), "ready");
        assertEq(play.balanceOf(PAYEE) - payeeBefore, worked ? share : 0, "share");
        if (worked) assertTrue(cause != Cause.None, "cause");
        (, uint64 closed) = escrow.state(id);
        if (closed == 0) assertTrue(readyAt <= escrow.latest(part), "latest");
    }
}
