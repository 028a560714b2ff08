// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Erc8183Evaluator } from "../../contracts/Erc8183Evaluator.sol";
import { IErc8183 } from "@interfaces/IErc8183.sol";
import { IErc8183Evaluator, JobVerdict } from "@interfaces/IErc8183Evaluator.sol";
import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { Jobs, LyingJobs, ReentrantHook } from "./mocks/Jobs.sol";
import { StubVerifier } from "./mocks/Judges.sol";
import { Vm, vm } from "./Vm.sol";

/// @title A quorum as evaluator of ERC-8183 jobs: docs/protocol.md section 7
/// @dev The job contract is a test double, written from the ERC's text: its reference implementation is on no package registry.
contract Erc8183EvaluatorTest is Fixture {
    bytes32 private constant CRITERIA = keccak256("the criteria");
    uint48 private constant EXPIRES = uint48(START + 90 days);
    uint256 private constant BUDGET = 500e6;
    uint256 private constant FEE_BPS = 200;
    uint16 private constant COMPLETE = 10_000;

    Erc8183Evaluator private evaluator;
    Jobs private jobs;

    function setUp() public override {
        super.setUp();
        evaluator = new Erc8183Evaluator(verifier);
        jobs = new Jobs(play, FEE_BPS);
        vm.prank(PAYER);
        play.approve(address(jobs), type(uint256).max);
    }

    /* JOBS */

    function _heading() private view returns (string memory) {
        return evaluator.heading(quorum, CRITERIA);
    }

    function _funded(string memory description, address hook) private returns (uint256 jobId) {
        vm.startPrank(PAYER);
        jobId = jobs.createJob(PAYEE, address(evaluator), EXPIRES, description, hook);
        jobs.setBudget(jobId, BUDGET, "");
        jobs.fund(jobId, BUDGET, "");
        vm.stopPrank();
    }

    function _submitted(string memory description, address hook) private returns (uint256 jobId) {
        jobId = _funded(description, hook);
        vm.prank(PAYEE);
        jobs.submit(jobId, WORK, "");
    }

    function _submitted() private returns (uint256 jobId) {
        return _submitted(string.concat(_heading(), "\nTranslate ten pages."), address(0));
    }

    function _status(uint256 jobId) private view returns (IErc8183.JobStatus) {
        return IErc8183(address(jobs)).getJob(jobId).status;
    }

    function _expectJob(uint256 jobId, IErc8183.JobStatus want) private view {
        assertEq(uint256(_status(jobId)), uint256(want), "job's status");
    }

    /* VERDICTS */

    function _verdict(uint16 bps) private view returns (JobVerdict memory) {
        return JobVerdict(quorum, CRITERIA, WORK, bps);
    }

    function _subject(address where, uint256 jobId, IErc8183.Job memory job, bytes32 deliverable)
        private
        pure
        returns (bytes32)
    {
        bytes32 typehash = keccak256(
            "Job(address jobs,uint256 jobId,address client,address provider,address token,uint256 budget,bytes32 description,uint256 expiredAt,bytes32 deliverable)"
        );
        return keccak256(
            abi.encode(
                typehash,
                where,
                jobId,
                job.client,
                job.provider,
                job.paymentToken,
                job.budget,
                keccak256(bytes(job.description)),
                uint256(job.expiredAt),
                deliverable
            )
        );
    }

    /// @dev What attesters sign for the job as it stands.
    function _sign(uint256 jobId, uint16 bps) private view returns (bytes memory) {
        bytes32 subject = _subject(address(jobs), jobId, IErc8183(address(jobs)).getJob(jobId), WORK);
        return _signFor(subject, WORK, bps);
    }

    function _signFor(bytes32 subject, bytes32 deliverable, uint16 bps) private view returns (bytes memory proof) {
        bytes32 typehash = keccak256(
            "Attestation(address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps)"
        );
        bytes32 structHash = keccak256(
            abi.encode(typehash, address(evaluator), subject, quorum, uint256(0), uint16(0), deliverable, bps)
        );
        bytes32 digest = _typed("Milepost QuorumVerifier", address(verifier), structHash);
        proof = abi.encodePacked(_head(), uint32((1 << threshold) - 1));
        for (uint256 i = 0; i < threshold; ++i) {
            proof = abi.encodePacked(proof, _signature(keys[i], digest));
        }
    }

    function _evaluate(uint256 jobId, JobVerdict memory verdict, bytes memory proof) private {
        vm.prank(KEEPER);
        evaluator.evaluate(address(jobs), jobId, verdict, proof);
    }

    function _refuse(uint256 jobId, JobVerdict memory verdict, bytes memory proof, bytes memory want) private {
        vm.expectRevert(want);
        vm.prank(KEEPER);
        evaluator.evaluate(address(jobs), jobId, verdict, proof);
    }

    /// @dev A proof that is genuine, for something else.
    function _refuseProof(uint256 jobId, JobVerdict memory verdict, bytes memory proof) private {
        vm.expectPartialRevert(IQuorumVerifier.BadSignature.selector);
        vm.prank(KEEPER);
        evaluator.evaluate(address(jobs), jobId, verdict, proof);
    }

    /* GENUINE */

    function test_a_quorum_completes_a_submitted_job() public {
        uint256 jobId = _submitted();
        _evaluate(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE));
        _expectJob(jobId, IErc8183.JobStatus.Completed);
        uint256 fee = BUDGET * FEE_BPS / 10_000;
        assertEq(play.balanceOf(PAYEE), BUDGET - fee, "provider");
        assertEq(play.balanceOf(KEEPER), fee, "the evaluator's fee is the deliverer's");
        assertEq(play.balanceOf(address(evaluator)), 0, "the evaluator keeps nothing");
    }

    function test_a_quorum_rejects_a_submitted_job() public {
        uint256 before = play.balanceOf(PAYER);
        uint256 jobId = _submitted();
        _evaluate(jobId, _verdict(0), _sign(jobId, 0));
        _expectJob(jobId, IErc8183.JobStatus.Rejected);
        assertEq(play.balanceOf(PAYER), before, "client");
    }

    function test_a_verdict_is_announced_with_its_subject_as_the_jobs_reason() public {
        uint256 jobId = _submitted();
        bytes memory proof = _sign(jobId, COMPLETE);
        bytes32 subject = evaluator.subjectOf(address(jobs), jobId, WORK);
        vm.recordLogs();
        _evaluate(jobId, _verdict(COMPLETE), proof);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], IErc8183Evaluator.Evaluated.selector, "Evaluated");
        assertEq(logs[0].topics[1], bytes32(uint256(uint160(address(jobs)))), "jobs");
        assertEq(logs[0].topics[2], bytes32(jobId), "jobId");
        assertEq(logs[0].topics[3], subject, "subject");
        assertEq(keccak256(logs[0].data), keccak256(abi.encode(WORK, COMPLETE, KEEPER)), "data");
        bool told = false;
        for (uint256 i = 1; i < logs.length; ++i) {
            if (logs[i].topics[0] != Jobs.JobCompleted.selector) continue;
            assertEq(keccak256(logs[i].data), keccak256(abi.encode(evaluator, subject)), "reason");
            told = true;
        }
        assertTrue(told, "JobCompleted");
    }

    function test_the_subject_is_the_hash_of_what_the_job_says() public {
        uint256 jobId = _submitted();
        bytes32 want = _subject(address(jobs), jobId, IErc8183(address(jobs)).getJob(jobId), WORK);
        assertEq(evaluator.subjectOf(address(jobs), jobId, WORK), want, "subject");
    }

    function test_the_heading_is_text_that_a_person_can_copy() public view {
        bytes memory want =
            "milepost:1:0x00000000000000000000000000000000000000000000000000000000000000ff:0xabcdef00000000000000000000000000000000000000000000000000000000ff";
        bytes32 criteria = bytes32(uint256(0xabcdef << 232 | 0xff));
        assertEq(keccak256(bytes(evaluator.heading(bytes32(uint256(255)), criteria))), keccak256(want), "heading");
    }

    function test_one_evaluator_serves_any_job_contract() public {
        uint256 jobId = _submitted();
        _evaluate(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE));
        jobs = new Jobs(play, 0);
        vm.prank(PAYER);
        play.approve(address(jobs), type(uint256).max);
        jobId = _submitted(_heading(), address(0));
        _evaluate(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE));
        _expectJob(jobId, IErc8183.JobStatus.Completed);
        assertEq(evaluator.verifier(), address(verifier), "verifier");
    }

    /* THE JOB */

    function test_a_job_is_judged_only_after_its_submission() public {
        uint256 jobId = _funded(_heading(), address(0));
        uint16[2] memory shares = [uint16(0), COMPLETE];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory want = abi.encodeWithSelector(
                IErc8183Evaluator.NotSubmitted.selector, address(jobs), jobId, IErc8183.JobStatus.Funded
            );
            _refuse(jobId, _verdict(shares[i]), _sign(jobId, shares[i]), want);
        }
        vm.prank(PAYEE);
        jobs.submit(jobId, WORK, "");
        bytes memory proof = _sign(jobId, 0);
        _evaluate(jobId, _verdict(0), proof);
        bytes memory again = abi.encodeWithSelector(
            IErc8183Evaluator.NotSubmitted.selector, address(jobs), jobId, IErc8183.JobStatus.Rejected
        );
        _refuse(jobId, _verdict(0), proof, again);
    }

    function test_a_job_is_paid_as_a_whole_or_not() public {
        uint256 jobId = _submitted();
        uint16[4] memory bad = [uint16(1), 5000, COMPLETE - 1, COMPLETE + 1];
        for (uint256 i = 0; i < bad.length; ++i) {
            bytes memory want = abi.encodeWithSelector(IErc8183Evaluator.PartialPayout.selector, bad[i]);
            _refuse(jobId, _verdict(bad[i]), _sign(jobId, bad[i]), want);
        }
    }

    function test_a_description_must_begin_with_the_heading_and_a_new_line() public {
        bytes memory upper = bytes(_heading());
        for (uint256 i = 13; i < upper.length; ++i) {
            if (upper[i] >= "a" && upper[i] <= "f") upper[i] = bytes1(uint8(upper[i]) - 32);
        }
        string[7] memory bad = [
            "",
            "milepost:1:",
            string.concat(" ", _heading()),
            string.concat(_heading(), " "),
            string.concat(_heading(), "0\n"),
            string.concat("Translate ten pages.\n", _heading()),
            string(upper)
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            uint256 jobId = _submitted(bad[i], address(0));
            bytes memory want = abi.encodeWithSelector(IErc8183Evaluator.WrongHeading.selector, address(jobs), jobId);
            _refuse(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE), want);
        }
        string[3] memory good = [_heading(), string.concat(_heading(), "\n"), string.concat(_heading(), "\n\nwork\n")];
        for (uint256 i = 0; i < good.length; ++i) {
            uint256 jobId = _submitted(good[i], address(0));
            _evaluate(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE));
        }
    }

    function test_a_job_of_another_evaluator_is_refused_by_its_contract() public {
        vm.startPrank(PAYER);
        uint256 jobId = jobs.createJob(PAYEE, ARBITER, EXPIRES, _heading(), address(0));
        jobs.setBudget(jobId, BUDGET, "");
        jobs.fund(jobId, BUDGET, "");
        vm.stopPrank();
        vm.prank(PAYEE);
        jobs.submit(jobId, WORK, "");
        bytes memory want = abi.encodeWithSelector(Jobs.Unauthorized.selector, address(evaluator));
        _refuse(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE), want);
    }

    function test_a_silent_quorum_leaves_the_job_to_its_expiry() public {
        uint256 before = play.balanceOf(PAYER);
        uint256 jobId = _submitted();
        bytes memory proof = _sign(jobId, COMPLETE);
        vm.warp(EXPIRES);
        jobs.claimRefund(jobId);
        assertEq(play.balanceOf(PAYER), before, "refunded");
        bytes memory want = abi.encodeWithSelector(
            IErc8183Evaluator.NotSubmitted.selector, address(jobs), jobId, IErc8183.JobStatus.Expired
        );
        _refuse(jobId, _verdict(COMPLETE), proof, want);
    }

    /* FORGERY */

    function test_a_callers_own_quorum_or_criteria_are_refused() public {
        uint256 jobId = _submitted();
        bytes memory want = abi.encodeWithSelector(IErc8183Evaluator.WrongHeading.selector, address(jobs), jobId);
        JobVerdict memory verdict = _verdict(COMPLETE);
        verdict.criteria = keccak256("lower standards");
        _refuse(jobId, verdict, _sign(jobId, COMPLETE), want);
        _useQuorum(1, 1);
        _refuse(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE), want);
    }

    function test_another_deliverable_or_share_than_signed_is_refused() public {
        uint256 jobId = _submitted();
        bytes memory proof = _sign(jobId, COMPLETE);
        _refuseProof(jobId, _verdict(0), proof);
        JobVerdict memory verdict = _verdict(COMPLETE);
        verdict.deliverable = bytes32(uint256(WORK) ^ 1);
        _refuseProof(jobId, verdict, proof);
    }

    function test_a_proof_for_one_job_is_refused_for_its_twin() public {
        uint256 one = _submitted();
        uint256 twin = _submitted();
        bytes memory proof = _sign(one, COMPLETE);
        _refuseProof(twin, _verdict(COMPLETE), proof);
        Jobs other = jobs;
        jobs = new Jobs(play, FEE_BPS);
        vm.prank(PAYER);
        play.approve(address(jobs), type(uint256).max);
        assertEq(_submitted(), one, "the same number in another contract");
        _refuseProof(one, _verdict(COMPLETE), proof);
        jobs = other;
        _evaluate(one, _verdict(COMPLETE), proof);
    }

    function test_a_job_that_says_anything_else_than_signed_is_refused() public {
        IErc8183.Job memory signed = IErc8183(address(jobs)).getJob(_submitted());
        LyingJobs lying = new LyingJobs();
        lying.setJob(signed);
        bytes memory proof = _signFor(_subject(address(lying), 1, signed, WORK), WORK, COMPLETE);
        jobs = Jobs(address(lying));
        _evaluate(1, _verdict(COMPLETE), proof);
        for (uint256 field = 0; field < 6; ++field) {
            lying.setJob(_changed(signed, field));
            _refuseProof(1, _verdict(COMPLETE), proof);
        }
        _refuseProof(2, _verdict(COMPLETE), proof);
    }

    function _changed(IErc8183.Job memory signed, uint256 field) private pure returns (IErc8183.Job memory job) {
        job = abi.decode(abi.encode(signed), (IErc8183.Job));
        if (field == 0) job.client = STRANGER;
        if (field == 1) job.provider = STRANGER;
        if (field == 2) job.paymentToken = STRANGER;
        if (field == 3) job.budget += 1;
        if (field == 4) job.description = string.concat(job.description, ".");
        if (field == 5) job.expiredAt += 1;
    }

    function test_a_verifier_without_code_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IErc8183Evaluator.NoCode.selector, STRANGER));
        new Erc8183Evaluator(IVerifier(STRANGER));
    }

    function test_a_verifier_that_answers_otherwise_has_refused() public {
        StubVerifier stub = new StubVerifier(0xdeadbeef);
        evaluator = new Erc8183Evaluator(stub);
        uint256 jobId = _submitted();
        bytes memory want =
            abi.encodeWithSelector(IErc8183Evaluator.VerifierRefused.selector, address(stub), bytes4(0xdeadbeef));
        _refuse(jobId, _verdict(COMPLETE), "", want);
    }

    /* HOOKS AND FEES */

    function test_no_caller_speaks_to_a_jobs_hook() public {
        ReentrantHook hook = new ReentrantHook();
        uint256 jobId = _submitted(_heading(), address(hook));
        _evaluate(jobId, _verdict(COMPLETE), _sign(jobId, COMPLETE));
        bytes32 subject = evaluator.subjectOf(address(jobs), jobId, WORK);
        assertEq(keccak256(hook.data()), keccak256(abi.encode(subject, bytes(""))), "no parameters");
    }

    /// @dev The hook of the completed job has a quorum of its own, and a job in the same token: it would take the fee.
    function test_a_hook_cannot_take_the_deliverers_fee() public {
        ReentrantHook hook = new ReentrantHook();
        uint256 jobId = _submitted(_heading(), address(hook));
        bytes memory proof = _sign(jobId, COMPLETE);
        JobVerdict memory verdict = _verdict(COMPLETE);

        _useQuorum(1, 1);
        LyingJobs lying = new LyingJobs();
        IErc8183.Job memory own = IErc8183(address(jobs)).getJob(jobId);
        own.description = _heading();
        lying.setJob(own);
        bytes32 subject = _subject(address(lying), 1, own, WORK);
        bytes memory thief = abi.encodeCall(
            IErc8183Evaluator.evaluate, (address(lying), 1, _verdict(COMPLETE), _signFor(subject, WORK, COMPLETE))
        );
        hook.arm(evaluator, thief);

        _evaluate(jobId, verdict, proof);
        assertEq(keccak256(hook.answer()), keccak256(abi.encodePacked(IErc8183Evaluator.Reentered.selector)), "lock");
        assertEq(play.balanceOf(KEEPER), BUDGET * FEE_BPS / 10_000, "fee");
        (bool worked,) = address(evaluator).call(thief);
        assertTrue(worked, "outside of another evaluation it works");
    }

    function test_one_transaction_may_evaluate_several_jobs() public {
        (uint256 one, uint256 two) = (_submitted(), _submitted());
        this.evaluateBoth(one, _sign(one, COMPLETE), two, _sign(two, COMPLETE));
        _expectJob(two, IErc8183.JobStatus.Completed);
        assertEq(play.balanceOf(address(this)), 2 * BUDGET * FEE_BPS / 10_000, "fees");
    }

    function evaluateBoth(uint256 one, bytes calldata oneProof, uint256 two, bytes calldata twoProof) external {
        evaluator.evaluate(address(jobs), one, _verdict(COMPLETE), oneProof);
        evaluator.evaluate(address(jobs), two, _verdict(COMPLETE), twoProof);
    }

    function test_a_job_without_a_token_is_completed_too() public {
        IErc8183.Job memory job = IErc8183(address(jobs)).getJob(_submitted());
        (job.budget, job.paymentToken) = (0, address(0));
        LyingJobs free = new LyingJobs();
        free.setJob(job);
        jobs = Jobs(address(free));
        _evaluate(1, _verdict(COMPLETE), _signFor(_subject(address(free), 1, job, WORK), WORK, COMPLETE));
    }
}
