// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IErc8183 } from "./IErc8183.sol";

/// @notice What a quorum says of a submitted job.
struct JobVerdict {
    bytes32 quorum; // as in the job's description
    bytes32 criteria; // as in the job's description: hash of what attesters judge by
    bytes32 deliverable; // what was judged: the hash in the job's `JobSubmitted`
    uint16 payoutBps; // 10000 completes the job, 0 rejects it
}

/// @title A quorum as the evaluator of ERC-8183 jobs
/// @notice To be named as `evaluator` of any job, in any job contract that can be read as `IErc8183` says; it serves all of
/// them and keeps nothing of any. The job's description must begin with the `heading` of its quorum and criteria, and end there or
/// go on in a new line. See docs/protocol.md section 7.
///
/// The quorum's verdict is an `Attestation` to one verifier: escrow = this contract, agreement = the job's subject,
/// milestone 0, attempt 0, the whole deliverable, payoutBps 0 or 10000. The subject is
/// `keccak256(abi.encode(typehash, jobs, jobId, client, provider, token, budget, keccak256(description), expiredAt, deliverable))`,
/// read from the job during the call, with the typehash of
/// `Job(address jobs,uint256 jobId,address client,address provider,address token,uint256 budget,bytes32 description,uint256 expiredAt,bytes32 deliverable)`.
///
/// A job contract emits the deliverable and keeps it nowhere. So it comes from the caller, and the quorum alone vouches for
/// it: attesters read it from `JobSubmitted` in a finalized block, and sign for such jobs only then. A job can be submitted
/// once. What else a job contract does (its hooks, fees, upgrades) is between client and provider. A verifier without signers
/// vouches for no deliverable: it has no place here.
interface IErc8183Evaluator {
    /// @notice A job was completed (10000) or rejected (0). `executor` delivered the verdict.
    event Evaluated(
        address indexed jobs,
        uint256 indexed jobId,
        bytes32 indexed subject,
        bytes32 deliverable,
        uint16 payoutBps,
        address executor
    );

    /// @notice Called from within another evaluation, by a job's hook or token.
    error Reentered();
    /// @notice The verifier has no code.
    error NoCode(address account);
    /// @notice A job is completed or rejected as a whole: 10000 or 0.
    error PartialPayout(uint16 payoutBps);
    /// @notice Only submitted jobs are judged, for rejections too.
    error NotSubmitted(address jobs, uint256 jobId, IErc8183.JobStatus status);
    /// @notice The job's description does not begin with the verdict's heading.
    error WrongHeading(address jobs, uint256 jobId);
    /// @notice The verifier did not answer with its selector.
    error VerifierRefused(address verifier, bytes4 answer);

    /// @notice Delivers a quorum's verdict on a submitted job; anyone who holds the proof may. The job's `reason` is its subject,
    /// its hook gets no parameters. What the job contract pays its evaluator on completion goes to the caller.
    /// @dev Emits `Evaluated`. Reverts with `Reentered`, `PartialPayout`, `NotSubmitted`, `WrongHeading`, `VerifierRefused`,
    /// the verifier's own error, or the job contract's own: it refuses when this contract is not the job's evaluator.
    /// @param jobs the job contract
    /// @param proof in the verifier's format
    function evaluate(address jobs, uint256 jobId, JobVerdict calldata verdict, bytes calldata proof) external;

    /// @notice The verifier that all quorums are proved to.
    function verifier() external view returns (address);

    /// @notice What attesters sign as the agreement, for the job as it stands now.
    function subjectOf(address jobs, uint256 jobId, bytes32 deliverable) external view returns (bytes32);

    /// @notice How a job's description must begin: `milepost:1:<quorum>:<criteria>`, both as 0x and 64 lower-case hex digits.
    function heading(bytes32 quorum, bytes32 criteria) external pure returns (string memory);
}
