// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title What an evaluator needs of an ERC-8183 job contract
/// @notice The ERC names states, roles and calls, but no way to read a job: `getJob` and the order of its fields are those of the
/// reference implementation that it points to. Fields that an implementation appends to these are not read.
interface IErc8183 {
    enum JobStatus {
        Open,
        Funded,
        Submitted,
        Completed,
        Rejected,
        Expired
    }

    struct Job {
        address client;
        JobStatus status;
        address provider;
        uint48 expiredAt; // unix s
        address evaluator;
        uint48 submittedAt; // unix s
        uint256 budget; // units of paymentToken
        address hook;
        address paymentToken;
        uint256 providerAgentId;
        string description;
    }

    /// @notice Evaluator: pays the provider of a submitted job. `optParams` are for the job's hook.
    /// @custom:caller the job's evaluator
    function complete(uint256 jobId, bytes32 reason, bytes calldata optParams) external;

    /// @notice Evaluator: gives the client of a funded or submitted job his money back.
    /// @custom:caller the job's evaluator
    function reject(uint256 jobId, bytes32 reason, bytes calldata optParams) external;

    /// @notice A job as it stands.
    function getJob(uint256 jobId) external view returns (Job memory);
}
