// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Bytes } from "@openzeppelin/contracts/utils/Bytes.sol";
import { Strings } from "@openzeppelin/contracts/utils/Strings.sol";
import { IErc8183 } from "@interfaces/IErc8183.sol";
import { IErc8183Evaluator, JobVerdict } from "@interfaces/IErc8183Evaluator.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";

/// @title A quorum as the evaluator of ERC-8183 jobs
/// @notice Formats and guarantees are in `IErc8183Evaluator`; the rules are docs/protocol.md section 7.
contract Erc8183Evaluator is IErc8183Evaluator {
    using SafeERC20 for IERC20;

    /* CONSTANTS */

    bytes32 private constant JOB_TYPEHASH = keccak256(
        "Job(address jobs,uint256 jobId,address client,address provider,address token,uint256 budget,bytes32 description,uint256 expiredAt,bytes32 deliverable)"
    );
    /// @dev Jobs are paid as a whole.
    uint16 private constant COMPLETE = 10_000; // bps
    uint16 private constant REJECT = 0;
    /// @dev A job is one milestone, submitted once.
    uint256 private constant MILESTONE = 0;
    uint16 private constant ATTEMPT = 0;
    uint256 private constant HASH_SIZE = 32; // bytes
    bytes1 private constant NEW_LINE = "\n";

    /* IMMUTABLES */

    IVerifier private immutable VERIFIER;

    /* STORAGE */

    bool private transient _locked;

    modifier lock() {
        if (_locked) revert Reentered();
        _locked = true;
        _;
        _locked = false;
    }

    constructor(IVerifier verifier_) {
        if (address(verifier_).code.length == 0) revert NoCode(address(verifier_));
        VERIFIER = verifier_;
    }

    /* VERDICTS */

    /// @inheritdoc IErc8183Evaluator
    function evaluate(address jobs, uint256 jobId, JobVerdict calldata verdict, bytes calldata proof) external lock {
        IErc8183.Job memory job = IErc8183(jobs).getJob(jobId);
        bool completes = verdict.payoutBps == COMPLETE;
        if (!completes && verdict.payoutBps != REJECT) revert PartialPayout(verdict.payoutBps);
        if (job.status != IErc8183.JobStatus.Submitted) revert NotSubmitted(jobs, jobId, job.status);
        if (!_begins(job.description, heading(verdict.quorum, verdict.criteria))) revert WrongHeading(jobs, jobId);
        bytes32 subject = _subject(jobs, jobId, job, verdict.deliverable);
        _requireProof(subject, verdict, proof);

        emit Evaluated(jobs, jobId, subject, verdict.deliverable, verdict.payoutBps, msg.sender);

        if (completes) {
            IErc8183(jobs).complete(jobId, subject, "");
            _passOn(job.paymentToken);
        } else {
            IErc8183(jobs).reject(jobId, subject, "");
        }
    }

    /* VIEWS */

    /// @inheritdoc IErc8183Evaluator
    function verifier() external view returns (address) {
        return address(VERIFIER);
    }

    /// @inheritdoc IErc8183Evaluator
    function subjectOf(address jobs, uint256 jobId, bytes32 deliverable) external view returns (bytes32) {
        return _subject(jobs, jobId, IErc8183(jobs).getJob(jobId), deliverable);
    }

    /// @inheritdoc IErc8183Evaluator
    function heading(bytes32 quorum, bytes32 criteria) public pure returns (string memory) {
        return string.concat(
            "milepost:1:",
            Strings.toHexString(uint256(quorum), HASH_SIZE),
            ":",
            Strings.toHexString(uint256(criteria), HASH_SIZE)
        );
    }

    /* INTERNALS */

    function _subject(address jobs, uint256 jobId, IErc8183.Job memory job, bytes32 deliverable)
        private
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                JOB_TYPEHASH,
                jobs,
                jobId,
                job.client,
                job.provider,
                job.paymentToken,
                job.budget,
                keccak256(bytes(job.description)),
                job.expiredAt,
                deliverable
            )
        );
    }

    /// @dev The text is the heading, or the heading and more lines.
    function _begins(string memory text, string memory head) private pure returns (bool) {
        bytes memory whole = bytes(text);
        uint256 size = bytes(head).length;
        if (keccak256(Bytes.slice(whole, 0, size)) != keccak256(bytes(head))) return false;
        return whole.length == size || whole[size] == NEW_LINE;
    }

    function _requireProof(bytes32 subject, JobVerdict calldata verdict, bytes calldata proof) private view {
        Attestation memory a = Attestation(ATTEMPT, verdict.deliverable, verdict.payoutBps);
        bytes4 answer = VERIFIER.verify(verdict.quorum, subject, MILESTONE, a, proof);
        if (answer != IVerifier.verify.selector) revert VerifierRefused(address(VERIFIER), answer);
    }

    /// @dev What the job contract paid its evaluator is the caller's tip. A job without a budget may name no token.
    function _passOn(address token) private {
        if (token.code.length == 0) return;
        uint256 fee = IERC20(token).balanceOf(address(this));
        if (fee > 0) IERC20(token).safeTransfer(msg.sender, fee);
    }
}
