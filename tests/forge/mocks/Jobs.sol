// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuard } from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import { IErc8183 } from "@interfaces/IErc8183.sol";
import { IErc8183Evaluator, JobVerdict } from "@interfaces/IErc8183Evaluator.sol";

/// @dev The ERC's hook, called around each call but `claimRefund`.
interface IJobHook {
    function beforeAction(uint256 jobId, bytes4 selector, bytes calldata data) external;
    function afterAction(uint256 jobId, bytes4 selector, bytes calldata data) external;
}

/// @title A job contract written from the text of ERC-8183
/// @notice States, roles, calls, hooks and events are the ERC's. What its text leaves open is done as in the reference
/// implementation, which is not on any package registry: `getJob` and its fields, an evaluator's fee on completion.
contract Jobs is ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @dev The reference's fields, with the two that it has appended since.
    struct Job {
        address client;
        IErc8183.JobStatus status;
        address provider;
        uint48 expiredAt;
        address evaluator;
        uint48 submittedAt;
        uint256 budget;
        address hook;
        address paymentToken;
        uint256 providerAgentId;
        string description;
        uint256 settledAmount;
        address payoutReceiver;
    }

    event JobCreated(uint256 indexed jobId, address client, address provider, address evaluator, uint256 expiredAt);
    event ProviderSet(uint256 indexed jobId, address provider);
    event BudgetSet(uint256 indexed jobId, uint256 amount);
    event JobFunded(uint256 indexed jobId, address client, uint256 amount);
    event JobSubmitted(uint256 indexed jobId, address provider, bytes32 deliverable);
    event JobCompleted(uint256 indexed jobId, address evaluator, bytes32 reason);
    event JobRejected(uint256 indexed jobId, address rejector, bytes32 reason);
    event JobExpired(uint256 indexed jobId);
    event PaymentReleased(uint256 indexed jobId, address provider, uint256 amount);
    event Refunded(uint256 indexed jobId, address client, uint256 amount);

    error WrongJobStatus(uint256 jobId, IErc8183.JobStatus status);
    error Unauthorized(address caller);
    error BadJob();

    IERC20 public immutable TOKEN;
    uint256 public immutable EVALUATOR_FEE_BPS;
    uint256 public jobCount;
    mapping(uint256 jobId => Job) private _jobs;

    constructor(IERC20 token, uint256 evaluatorFeeBps) {
        TOKEN = token;
        EVALUATOR_FEE_BPS = evaluatorFeeBps;
    }

    modifier hooked(uint256 jobId, bytes memory data) {
        address hook = _jobs[jobId].hook;
        if (hook != address(0)) IJobHook(hook).beforeAction(jobId, msg.sig, data);
        _;
        if (hook != address(0)) IJobHook(hook).afterAction(jobId, msg.sig, data);
    }

    function createJob(address provider, address evaluator, uint48 expiredAt, string calldata description, address hook)
        external
        returns (uint256 jobId)
    {
        if (evaluator == address(0) || expiredAt <= block.timestamp) revert BadJob();
        jobId = ++jobCount;
        Job storage job = _jobs[jobId];
        (job.client, job.provider, job.evaluator) = (msg.sender, provider, evaluator);
        (job.expiredAt, job.description, job.hook) = (expiredAt, description, hook);
        job.paymentToken = address(TOKEN);
        emit JobCreated(jobId, msg.sender, provider, evaluator, expiredAt);
    }

    function setProvider(uint256 jobId, address provider, bytes calldata optParams)
        external
        hooked(jobId, abi.encode(provider, optParams))
    {
        Job storage job = _jobs[jobId];
        _requireStatus(jobId, IErc8183.JobStatus.Open);
        _requireCaller(job.client);
        if (job.provider != address(0) || provider == address(0)) revert BadJob();
        job.provider = provider;
        emit ProviderSet(jobId, provider);
    }

    function setBudget(uint256 jobId, uint256 amount, bytes calldata optParams)
        external
        hooked(jobId, abi.encode(amount, optParams))
    {
        Job storage job = _jobs[jobId];
        _requireStatus(jobId, IErc8183.JobStatus.Open);
        if (msg.sender != job.client && msg.sender != job.provider) revert Unauthorized(msg.sender);
        job.budget = amount;
        emit BudgetSet(jobId, amount);
    }

    function fund(uint256 jobId, uint256 expectedBudget, bytes calldata optParams)
        external
        nonReentrant
        hooked(jobId, optParams)
    {
        Job storage job = _jobs[jobId];
        _requireStatus(jobId, IErc8183.JobStatus.Open);
        _requireCaller(job.client);
        if (job.provider == address(0) || job.budget == 0 || job.budget != expectedBudget) revert BadJob();
        job.status = IErc8183.JobStatus.Funded;
        TOKEN.safeTransferFrom(job.client, address(this), job.budget);
        emit JobFunded(jobId, job.client, job.budget);
    }

    function submit(uint256 jobId, bytes32 deliverable, bytes calldata optParams)
        external
        hooked(jobId, abi.encode(deliverable, optParams))
    {
        Job storage job = _jobs[jobId];
        _requireStatus(jobId, IErc8183.JobStatus.Funded);
        _requireCaller(job.provider);
        (job.status, job.submittedAt) = (IErc8183.JobStatus.Submitted, uint48(block.timestamp));
        emit JobSubmitted(jobId, job.provider, deliverable);
    }

    function complete(uint256 jobId, bytes32 reason, bytes calldata optParams)
        external
        nonReentrant
        hooked(jobId, abi.encode(reason, optParams))
    {
        Job storage job = _jobs[jobId];
        _requireStatus(jobId, IErc8183.JobStatus.Submitted);
        _requireCaller(job.evaluator);
        job.status = IErc8183.JobStatus.Completed;
        uint256 fee = job.budget * EVALUATOR_FEE_BPS / 10_000;
        if (fee > 0) TOKEN.safeTransfer(job.evaluator, fee);
        TOKEN.safeTransfer(job.provider, job.budget - fee);
        emit JobCompleted(jobId, job.evaluator, reason);
        emit PaymentReleased(jobId, job.provider, job.budget - fee);
    }

    function reject(uint256 jobId, bytes32 reason, bytes calldata optParams)
        external
        nonReentrant
        hooked(jobId, abi.encode(reason, optParams))
    {
        Job storage job = _jobs[jobId];
        IErc8183.JobStatus was = job.status;
        if (was > IErc8183.JobStatus.Submitted) revert WrongJobStatus(jobId, was);
        _requireCaller(was == IErc8183.JobStatus.Open ? job.client : job.evaluator);
        job.status = IErc8183.JobStatus.Rejected;
        if (was != IErc8183.JobStatus.Open) _refund(jobId, job);
        emit JobRejected(jobId, msg.sender, reason);
    }

    function claimRefund(uint256 jobId) external nonReentrant {
        Job storage job = _jobs[jobId];
        bool refundable = job.status == IErc8183.JobStatus.Funded || job.status == IErc8183.JobStatus.Submitted;
        if (!refundable || block.timestamp < job.expiredAt) revert WrongJobStatus(jobId, job.status);
        job.status = IErc8183.JobStatus.Expired;
        _refund(jobId, job);
        emit JobExpired(jobId);
    }

    function getJob(uint256 jobId) external view returns (Job memory) {
        return _jobs[jobId];
    }

    function _refund(uint256 jobId, Job storage job) private {
        TOKEN.safeTransfer(job.client, job.budget);
        emit Refunded(jobId, job.client, job.budget);
    }

    function _requireStatus(uint256 jobId, IErc8183.JobStatus want) private view {
        if (_jobs[jobId].status != want) revert WrongJobStatus(jobId, _jobs[jobId].status);
    }

    function _requireCaller(address want) private view {
        if (msg.sender != want) revert Unauthorized(msg.sender);
    }
}

/// @title A job contract that says whatever it was told
/// @notice Its `complete` calls whoever it was told to call first.
contract LyingJobs {
    IErc8183.Job private _job;

    function setJob(IErc8183.Job calldata job) external {
        _job = job;
    }

    function getJob(uint256) external view returns (IErc8183.Job memory) {
        return _job;
    }

    function complete(uint256, bytes32, bytes calldata) external { }
    function reject(uint256, bytes32, bytes calldata) external { }
}

/// @title A hook that evaluates another job while a job is completed, and notes what it is told
contract ReentrantHook is IJobHook {
    IErc8183Evaluator public evaluator;
    bytes public call;
    bytes public answer;
    bytes public data; // of the last action

    function arm(IErc8183Evaluator evaluator_, bytes calldata call_) external {
        (evaluator, call) = (evaluator_, call_);
    }

    function beforeAction(uint256, bytes4, bytes calldata data_) external {
        data = data_;
    }

    function afterAction(uint256, bytes4 selector, bytes calldata) external {
        if (selector != IErc8183.complete.selector || call.length == 0) return;
        bool worked;
        (worked, answer) = address(evaluator).call(call);
        if (worked) answer = "worked";
    }
}
