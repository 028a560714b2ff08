// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IVerifier } from "./IVerifier.sol";

/// @notice What one milestone's verdict hangs on: one answer of one feed.
struct FeedCondition {
    address feed; // a Chainlink AggregatorV3Interface: a proxy, or an aggregator itself
    uint16 phase; // the feed's phase when the terms were written, `roundId >> 64` of its latest round; 0 for an aggregator
    uint8 decimals; // what `threshold` is written in; must be the feed's own
    bool atLeast; // met by an answer >= threshold; else by an answer <= threshold
    int256 threshold;
    uint40 observeAt; // unix s: the first round updated at or after this second decides
    uint32 heartbeat; // s: and only if it was updated at most so much later
    uint16 metBps; // payee's share in 1/10000 if met
    uint16 unmetBps; // payee's share in 1/10000 if not met; 0 = a rejection
}

/// @title Verdicts read from a Chainlink feed
/// @notice A quorum is `keccak256(abi.encodePacked(leaves))`: one leaf, `keccak256(abi.encode(FeedCondition))`, for each
/// milestone of the schedule, in its order. Nobody signs. A milestone has at most one verdict ever: the share is fixed by
/// the first round updated at or after `observeAt`, and no caller can choose another. See docs/protocol.md section 5.
///
/// There is no verdict before `observeAt`, and none ever when that round came later than `heartbeat`, or has no answer above
/// zero, or was not completed: then the agreement's clocks decide. So write `submitBy` later than `observeAt + heartbeat`,
/// a review window that reaches from any submission to there, and `unreviewedBps` 0: the verdict does not depend on what was
/// submitted, and a submission whose review ends before the observation would escape it.
///
/// A round's number at a proxy is `phase << 64 | round`; each phase is one aggregator, which numbers its rounds from 1 without
/// gaps and in the order of time. Phases may overlap in time: the earliest phase that has a round in the window decides.
/// Rounds must not change once they were answered, as Chainlink's off-chain reporting aggregators do not, and the feed must
/// let this contract read it: some answer only to contracts on a list, and to anybody off chain.
///
/// The proof is `abi.encode(bytes32[] leaves, FeedCondition condition, uint64[] rounds)`: for each phase from `condition.phase`
/// on the number, within the phase, of its first round at or after `observeAt`. The last one decides. Each phase before it
/// must have had no round in the window: what is named there came later, or does not exist.
interface IFeedVerifier is IVerifier {
    /// @notice A quorum's conditions, published so that anyone can build its proofs.
    event ConditionsAnnounced(bytes32 indexed quorum, FeedCondition[] conditions);

    /// @notice The feed has no code.
    error NoCode(address account);
    /// @notice A share is above 10000.
    error BpsTooLarge(uint16 have);
    /// @notice The leaves are of another quorum than the agreement's.
    error WrongQuorum(bytes32 have, bytes32 want);
    /// @notice The quorum has no condition for this milestone.
    error NoCondition(uint256 milestone, uint256 count);
    /// @notice The condition is not the one that the quorum holds for this milestone.
    error WrongCondition(bytes32 have, bytes32 want);
    /// @notice Before the time of observation there is no verdict.
    error TooEarly(uint256 firstSecond, uint256 timestamp);
    /// @notice The feed answers in other decimals than the threshold is written in.
    error WrongDecimals(uint8 have, uint8 want);
    /// @notice The proof names no round.
    error NoRounds();
    /// @notice The round before this one does not exist (0), or was itself updated at or after `observeAt`.
    error NotFirstRound(uint80 round, uint256 previousUpdatedAt, uint256 observeAt);
    /// @notice A phase before the deciding one has, or may still get, a round in the window.
    error PhaseNotOver(uint80 round, uint256 updatedAt, uint256 lastSecond);
    /// @notice The deciding round does not exist (0), or was updated outside of the window.
    error RoundOutsideWindow(uint80 round, uint256 updatedAt, uint256 firstSecond, uint256 lastSecond);
    /// @notice The round carries an answer over from an earlier one.
    error IncompleteRound(uint80 round, uint80 answeredInRound);
    /// @notice The round has no answer above zero.
    error BadAnswer(uint80 round, int256 answer);
    /// @notice The verdict is another than the feed's.
    error WrongShare(uint16 have, uint16 want);
    /// @notice The call has too little gas left to give the feed its fixed share.
    error InsufficientGas(uint256 have, uint256 want);

    /// @notice Publishes a quorum, after the checks that `verify` makes of its conditions; anyone may. Changes nothing: an
    /// unannounced quorum works too.
    /// @dev Emits `ConditionsAnnounced`. Reverts with `NoCode` or `BpsTooLarge`.
    /// @param conditions one for each milestone of the schedule, in its order
    /// @return quorum what agreements name in their terms
    function announce(FeedCondition[] calldata conditions) external returns (bytes32 quorum);

    /// @notice The one share that `verify` accepts under a condition. Once it returned, it never returns another.
    /// @dev Reverts with `NoCode`, `BpsTooLarge`, `TooEarly`, `WrongDecimals`, `NoRounds`, `NotFirstRound`, `PhaseNotOver`,
    /// `RoundOutsideWindow`, `IncompleteRound`, `BadAnswer` or `InsufficientGas`. `verify` reverts with these and with
    /// `WrongQuorum`, `NoCondition`, `WrongCondition` and `WrongShare`.
    /// @param rounds as in a proof
    /// @return payoutBps payee's share in 1/10000
    function outcome(FeedCondition calldata condition, uint64[] calldata rounds)
        external
        view
        returns (uint16 payoutBps);
}
