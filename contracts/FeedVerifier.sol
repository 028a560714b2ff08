// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { AggregatorV3Interface } from "@chainlink/contracts/src/v0.8/interfaces/AggregatorV3Interface.sol";
import { FeedCondition, IFeedVerifier } from "@interfaces/IFeedVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";

/// @title Verdicts read from a Chainlink feed
/// @notice Proof format and guarantees are in `IFeedVerifier`; the rules are docs/protocol.md section 5. Attempt and deliverable
/// of a verdict are whatever the escrow requires: the verdict does not depend on them.
contract FeedVerifier is IFeedVerifier {
    /// @dev What of a round counts; all 0 for a round that does not exist.
    struct Round {
        int256 answer;
        uint256 updatedAt; // unix s
        uint80 answeredInRound;
    }

    /* CONSTANTS */

    uint256 private constant BPS = 10_000;
    /// @dev A proxy's round id is the phase, then 64 bits of the aggregator's round id.
    uint256 private constant PHASE_OFFSET = 64;
    /// @dev The number of a phase's first round.
    uint64 private constant FIRST_ROUND = 1;
    /// @dev Gas for reading a round, so that what counts as missing does not depend on the caller's gas.
    uint256 private constant ROUND_GAS = 150_000;
    /// @dev What must be left for a feed to be given ROUND_GAS: a call passes on at most 63/64, after its own cost.
    uint256 private constant GAS_BEFORE_ROUND = ROUND_GAS * 64 / 63 + 10_000;

    /* CONDITIONS */

    /// @inheritdoc IFeedVerifier
    function announce(FeedCondition[] calldata conditions) external returns (bytes32 quorum) {
        bytes32[] memory leaves = new bytes32[](conditions.length);
        for (uint256 i = 0; i < conditions.length; ++i) {
            _requireSound(conditions[i]);
            leaves[i] = _leaf(conditions[i]);
        }
        quorum = _quorumOf(leaves);

        emit ConditionsAnnounced(quorum, conditions);
    }

    /* VERDICTS */

    /// @inheritdoc IVerifier
    function verify(bytes32 quorum, bytes32, uint256 milestone, Attestation calldata a, bytes calldata proof)
        external
        view
        returns (bytes4)
    {
        (bytes32[] memory leaves, FeedCondition memory condition, uint64[] memory rounds) =
            abi.decode(proof, (bytes32[], FeedCondition, uint64[]));
        _requireCondition(quorum, milestone, leaves, condition);

        uint16 want = outcome(condition, rounds);
        if (a.payoutBps != want) revert WrongShare(a.payoutBps, want);
        return IVerifier.verify.selector;
    }

    /// @inheritdoc IFeedVerifier
    function outcome(FeedCondition memory condition, uint64[] memory rounds) public view returns (uint16 payoutBps) {
        _requireSound(condition);
        if (block.timestamp < condition.observeAt) revert TooEarly(condition.observeAt, block.timestamp);
        uint8 decimals = AggregatorV3Interface(condition.feed).decimals();
        if (decimals != condition.decimals) revert WrongDecimals(decimals, condition.decimals);
        if (rounds.length == 0) revert NoRounds();

        uint16 phase = condition.phase;
        uint256 last = rounds.length - 1;
        for (uint256 i = 0; i < last; ++i) {
            _requirePhaseOver(condition, phase, rounds[i]);
            ++phase;
        }
        int256 answer = _observe(condition, phase, rounds[last]);

        bool met = condition.atLeast ? answer >= condition.threshold : answer <= condition.threshold;
        return met ? condition.metBps : condition.unmetBps;
    }

    /* WHICH CONDITION */

    function _requireSound(FeedCondition memory condition) private view {
        if (condition.feed.code.length == 0) revert NoCode(condition.feed);
        if (condition.metBps > BPS) revert BpsTooLarge(condition.metBps);
        if (condition.unmetBps > BPS) revert BpsTooLarge(condition.unmetBps);
    }

    function _requireCondition(
        bytes32 quorum,
        uint256 milestone,
        bytes32[] memory leaves,
        FeedCondition memory condition
    ) private pure {
        bytes32 have = _quorumOf(leaves);
        if (have != quorum) revert WrongQuorum(have, quorum);
        if (milestone >= leaves.length) revert NoCondition(milestone, leaves.length);
        bytes32 leaf = _leaf(condition);
        if (leaf != leaves[milestone]) revert WrongCondition(leaf, leaves[milestone]);
    }

    function _leaf(FeedCondition memory condition) private pure returns (bytes32) {
        return keccak256(abi.encode(condition));
    }

    function _quorumOf(bytes32[] memory leaves) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(leaves));
    }

    /* WHICH ROUND */

    /// @dev The answer of the phase's first round at or after the moment.
    function _observe(FeedCondition memory condition, uint16 phase, uint64 number)
        private
        view
        returns (int256 answer)
    {
        _requireFirst(condition, phase, number);
        uint80 id = _roundId(phase, number);
        Round memory round = _read(condition.feed, id);
        (uint256 firstSecond, uint256 lastSecond) = (condition.observeAt, _lastSecond(condition));
        if (round.updatedAt < firstSecond || round.updatedAt > lastSecond) {
            revert RoundOutsideWindow(id, round.updatedAt, firstSecond, lastSecond);
        }
        if (round.answeredInRound < id) revert IncompleteRound(id, round.answeredInRound);
        if (round.answer <= 0) revert BadAnswer(id, round.answer);
        return round.answer;
    }

    /// @dev A phase had no round in the window, and gets none any more: its first round at or after the moment came too late,
    /// or the window is past and there is none yet. A phase that shows no round at all may count otherwise: it is not over.
    function _requirePhaseOver(FeedCondition memory condition, uint16 phase, uint64 number) private view {
        _requireFirst(condition, phase, number);
        uint80 id = _roundId(phase, number);
        uint256 updatedAt = _read(condition.feed, id).updatedAt;
        uint256 lastSecond = _lastSecond(condition);
        bool ended = updatedAt == 0 && number > FIRST_ROUND && block.timestamp > lastSecond;
        if (!ended && updatedAt <= lastSecond) revert PhaseNotOver(id, updatedAt, lastSecond);
    }

    /// @dev No round of the phase before this one was updated at or after the moment.
    function _requireFirst(FeedCondition memory condition, uint16 phase, uint64 number) private view {
        if (number == FIRST_ROUND) return;
        uint256 before = number == 0 ? 0 : _read(condition.feed, _roundId(phase, number - 1)).updatedAt;
        if (before == 0 || before >= condition.observeAt) {
            revert NotFirstRound(_roundId(phase, number), before, condition.observeAt);
        }
    }

    /// @dev Feeds tell of a round that does not exist by reverting, or by zeros.
    function _read(address feed, uint80 id) private view returns (Round memory) {
        if (gasleft() < GAS_BEFORE_ROUND) revert InsufficientGas(gasleft(), GAS_BEFORE_ROUND);
        try AggregatorV3Interface(feed).getRoundData{ gas: ROUND_GAS }(id) returns (
            uint80, int256 answer, uint256, uint256 updatedAt, uint80 answeredInRound
        ) {
            return Round(answer, updatedAt, answeredInRound);
        } catch {
            return Round(0, 0, 0);
        }
    }

    function _lastSecond(FeedCondition memory condition) private pure returns (uint256) {
        return uint256(condition.observeAt) + condition.heartbeat;
    }

    function _roundId(uint16 phase, uint64 number) private pure returns (uint80) {
        return uint80(uint256(phase) << PHASE_OFFSET | number);
    }
}
