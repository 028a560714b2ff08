// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { MockV3Aggregator } from "@chainlink/contracts/src/v0.8/tests/MockV3Aggregator.sol";
import { FeedVerifier } from "../../contracts/FeedVerifier.sol";
import { Cause, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { FeedCondition, IFeedVerifier } from "@interfaces/IFeedVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { ScriptedFeed } from "./mocks/ScriptedFeed.sol";
import { IAggregatorProxy, Published } from "./Published.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Which answer of a feed decides, and that no caller can choose another: docs/protocol.md section 5
/// @dev Aggregators are Chainlink's own mock, behind Chainlink's own proxy where phases matter.
contract FeedVerifierTest is Fixture {
    bytes32 private constant AGREEMENT = keccak256("agreement");
    uint40 private constant OBSERVE_AT = uint40(START + 10 days);
    uint32 private constant HEARTBEAT = 1 hours;
    uint256 private constant LAST_SECOND = uint256(OBSERVE_AT) + HEARTBEAT;
    uint8 private constant DECIMALS = 8;
    int256 private constant THRESHOLD = 2000e8;
    int256 private constant HIGH = 2500e8;
    int256 private constant LOW = 1500e8;
    uint16 private constant MET = 9000; // bps
    uint16 private constant UNMET = 1000; // bps

    FeedVerifier private feeds;
    MockV3Aggregator private first;
    IAggregatorProxy private proxy;

    function setUp() public override {
        super.setUp();
        feeds = new FeedVerifier();
        first = new MockV3Aggregator(DECIMALS, 1);
        proxy = Published.aggregatorProxy(address(first));
    }

    /* CONDITIONS AND ROUNDS */

    /// @dev On the aggregator itself.
    function _condition() private view returns (FeedCondition memory) {
        return FeedCondition(address(first), 0, DECIMALS, true, THRESHOLD, OBSERVE_AT, HEARTBEAT, MET, UNMET);
    }

    /// @dev On the proxy, from its first phase on.
    function _proxied() private view returns (FeedCondition memory condition) {
        condition = _condition();
        (condition.feed, condition.phase) = (address(proxy), 1);
    }

    function _scripted() private returns (FeedCondition memory condition, ScriptedFeed feed) {
        feed = new ScriptedFeed();
        condition = _condition();
        condition.feed = address(feed);
    }

    function _push(MockV3Aggregator aggregator, uint256 timestamp, int256 answer) private {
        vm.warp(timestamp);
        aggregator.updateAnswer(answer);
    }

    /// @dev Round 2 comes before the moment, round 3 decides, round 4 comes within the window too.
    function _history(int256 answer) private {
        _push(first, OBSERVE_AT - 1, LOW);
        _push(first, OBSERVE_AT, answer);
        _push(first, OBSERVE_AT + 10, HIGH);
    }

    function _newPhase() private returns (MockV3Aggregator next) {
        next = new MockV3Aggregator(DECIMALS, 1);
        _confirm(address(next));
    }

    function _confirm(address aggregator) private {
        proxy.proposeAggregator(aggregator);
        proxy.confirmAggregator(aggregator);
    }

    function _rounds(uint64 a) private pure returns (uint64[] memory rounds) {
        rounds = new uint64[](1);
        rounds[0] = a;
    }

    function _rounds(uint64 a, uint64 b) private pure returns (uint64[] memory rounds) {
        rounds = new uint64[](2);
        (rounds[0], rounds[1]) = (a, b);
    }

    function _rounds(uint64 a, uint64 b, uint64 c) private pure returns (uint64[] memory rounds) {
        rounds = new uint64[](3);
        (rounds[0], rounds[1], rounds[2]) = (a, b, c);
    }

    function _id(uint16 phase, uint64 number) private pure returns (uint80) {
        return uint80(uint256(phase) << 64 | number);
    }

    function _expect(FeedCondition memory condition, uint64[] memory rounds, uint16 want) private view {
        assertEq(feeds.outcome(condition, rounds), want, "share");
    }

    function _refuse(FeedCondition memory condition, uint64[] memory rounds, bytes memory want) private {
        vm.expectRevert(want);
        feeds.outcome(condition, rounds);
    }

    function _notFirst(uint80 id, uint256 before) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFeedVerifier.NotFirstRound.selector, id, before, OBSERVE_AT);
    }

    function _outside(uint80 id, uint256 updatedAt) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFeedVerifier.RoundOutsideWindow.selector, id, updatedAt, OBSERVE_AT, LAST_SECOND);
    }

    function _notOver(uint80 id, uint256 updatedAt) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFeedVerifier.PhaseNotOver.selector, id, updatedAt, LAST_SECOND);
    }

    /* QUORUMS */

    function _leaf(FeedCondition memory condition) private pure returns (bytes32) {
        return keccak256(abi.encode(condition));
    }

    function _leaves(FeedCondition[] memory conditions) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](conditions.length);
        for (uint256 i = 0; i < conditions.length; ++i) {
            leaves[i] = _leaf(conditions[i]);
        }
    }

    /// @dev The second milestone wants half the price, an hour earlier.
    function _two() private view returns (FeedCondition[] memory conditions) {
        conditions = new FeedCondition[](2);
        (conditions[0], conditions[1]) = (_condition(), _condition());
        conditions[1].threshold = THRESHOLD / 2;
        conditions[1].observeAt = OBSERVE_AT - 1 hours;
    }

    function _quorumOf(FeedCondition[] memory conditions) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(_leaves(conditions)));
    }

    function _verify(uint256 index, uint16 bps, FeedCondition[] memory conditions, FeedCondition memory condition)
        private
        view
        returns (bytes4)
    {
        bytes memory proof = abi.encode(_leaves(conditions), condition, _rounds(3));
        return feeds.verify(_quorumOf(_two()), AGREEMENT, index, Attestation(0, 0, bps), proof);
    }

    function test_announce_emits_the_conditions_and_returns_the_quorum_that_agreements_name() public {
        FeedCondition[] memory conditions = _two();
        vm.recordLogs();
        bytes32 have = feeds.announce(conditions);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(have, _quorumOf(conditions), "quorum");
        assertEq(log.topics[0], IFeedVerifier.ConditionsAnnounced.selector, "ConditionsAnnounced");
        assertEq(log.topics[1], have, "indexed quorum");
        assertEq(keccak256(log.data), keccak256(abi.encode(conditions)), "conditions");
    }

    function test_a_condition_on_an_account_without_code_is_refused() public {
        FeedCondition[] memory conditions = _two();
        conditions[1].feed = STRANGER;
        bytes memory want = abi.encodeWithSelector(IFeedVerifier.NoCode.selector, STRANGER);
        vm.expectRevert(want);
        feeds.announce(conditions);
        _history(HIGH);
        _refuse(conditions[1], _rounds(3), want);
    }

    function test_a_condition_with_a_share_above_the_whole_is_refused() public {
        bytes memory want = abi.encodeWithSelector(IFeedVerifier.BpsTooLarge.selector, 10_001);
        FeedCondition[] memory conditions = _two();
        conditions[1].metBps = 10_001;
        vm.expectRevert(want);
        feeds.announce(conditions);
        conditions[1].metBps = 10_000;
        conditions[1].unmetBps = 10_001;
        vm.expectRevert(want);
        feeds.announce(conditions);
        conditions[1].unmetBps = 10_000;
        feeds.announce(conditions);
    }

    function test_verify_accepts_the_feeds_share_and_no_other() public {
        _history(HIGH);
        assertEq(bytes32(_verify(0, MET, _two(), _two()[0])), bytes32(IVerifier.verify.selector), "magic answer");
        uint16[5] memory wrong = [0, UNMET, MET - 1, MET + 1, 10_000];
        for (uint256 i = 0; i < wrong.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IFeedVerifier.WrongShare.selector, wrong[i], MET));
            this.verifyExternally(0, wrong[i], _two(), _two()[0]);
        }
    }

    function test_leaves_of_another_quorum_are_refused() public {
        _history(HIGH);
        FeedCondition[] memory own = _two();
        own[0].threshold = 1;
        bytes memory want =
            abi.encodeWithSelector(IFeedVerifier.WrongQuorum.selector, _quorumOf(own), _quorumOf(_two()));
        vm.expectRevert(want);
        this.verifyExternally(0, MET, own, own[0]);
    }

    function test_a_callers_own_condition_is_refused() public {
        _history(LOW);
        FeedCondition memory own = _condition();
        own.threshold = 1;
        vm.expectRevert(abi.encodeWithSelector(IFeedVerifier.WrongCondition.selector, _leaf(own), _leaf(_condition())));
        this.verifyExternally(0, MET, _two(), own);
    }

    function test_another_milestones_condition_is_refused() public {
        _history(LOW);
        FeedCondition[] memory two = _two();
        vm.expectRevert(abi.encodeWithSelector(IFeedVerifier.WrongCondition.selector, _leaf(two[1]), _leaf(two[0])));
        this.verifyExternally(0, MET, two, two[1]);
    }

    function test_a_milestone_beyond_the_conditions_has_no_verdict() public {
        _history(HIGH);
        vm.expectRevert(abi.encodeWithSelector(IFeedVerifier.NoCondition.selector, 2, 2));
        this.verifyExternally(2, MET, _two(), _two()[1]);
    }

    function verifyExternally(
        uint256 index,
        uint16 bps,
        FeedCondition[] calldata conditions,
        FeedCondition calldata condition
    ) external view {
        _verify(index, bps, conditions, condition);
    }

    /* THE COMPARISON */

    function testFuzz_the_share_follows_the_comparison(int256 answer, int256 threshold, bool atLeast) public {
        vm.assume(answer > 0);
        _history(answer);
        FeedCondition memory condition = _condition();
        (condition.threshold, condition.atLeast) = (threshold, atLeast);
        bool met = atLeast ? answer >= threshold : answer <= threshold;
        _expect(condition, _rounds(3), met ? MET : UNMET);
    }

    function test_an_answer_at_the_threshold_meets_both_comparisons() public {
        _history(THRESHOLD);
        FeedCondition memory condition = _condition();
        _expect(condition, _rounds(3), MET);
        condition.atLeast = false;
        _expect(condition, _rounds(3), MET);
        condition.threshold = THRESHOLD - 1;
        _expect(condition, _rounds(3), UNMET);
        condition.atLeast = true;
        condition.threshold = THRESHOLD + 1;
        _expect(condition, _rounds(3), UNMET);
    }

    function test_an_answer_of_zero_or_less_is_no_verdict() public {
        FeedCondition memory condition = _condition();
        condition.atLeast = false;
        int256[3] memory bad = [int256(0), -1, type(int256).min];
        for (uint256 i = 0; i < bad.length; ++i) {
            uint80 id = uint80(2 + i);
            first.updateRoundData(id - 1, HIGH, OBSERVE_AT - 1, 0);
            first.updateRoundData(id, bad[i], OBSERVE_AT, 0);
            vm.warp(OBSERVE_AT);
            _refuse(
                condition, _rounds(uint64(id)), abi.encodeWithSelector(IFeedVerifier.BadAnswer.selector, id, bad[i])
            );
        }
    }

    function test_an_answer_carried_over_from_an_earlier_round_is_no_verdict() public {
        (FeedCondition memory condition, ScriptedFeed feed) = _scripted();
        vm.warp(OBSERVE_AT);
        feed.setRound(1, LOW, OBSERVE_AT - 1, 1);
        feed.setRound(2, HIGH, OBSERVE_AT, 1);
        _refuse(condition, _rounds(2), abi.encodeWithSelector(IFeedVerifier.IncompleteRound.selector, 2, 1));
        feed.setRound(2, HIGH, OBSERVE_AT, 2);
        _expect(condition, _rounds(2), MET);
    }

    function test_other_decimals_than_the_thresholds_are_no_verdict() public {
        (FeedCondition memory condition, ScriptedFeed feed) = _scripted();
        vm.warp(OBSERVE_AT);
        feed.setRound(1, HIGH, OBSERVE_AT, 1);
        _expect(condition, _rounds(1), MET);
        feed.setDecimals(18);
        _refuse(condition, _rounds(1), abi.encodeWithSelector(IFeedVerifier.WrongDecimals.selector, 18, DECIMALS));
    }

    /* THE MOMENT */

    function test_the_first_round_at_the_moment_decides_and_no_other() public {
        _history(LOW);
        FeedCondition memory condition = _condition();
        _expect(condition, _rounds(3), UNMET);
        _refuse(condition, _rounds(0), _notFirst(0, 0));
        _refuse(condition, _rounds(1), _outside(1, START));
        _refuse(condition, _rounds(2), _outside(2, OBSERVE_AT - 1));
        _refuse(condition, _rounds(4), _notFirst(4, OBSERVE_AT));
        _refuse(condition, _rounds(5), _notFirst(5, OBSERVE_AT + 10));
        _refuse(condition, _rounds(6), _notFirst(6, 0));
    }

    function test_a_round_in_the_last_second_of_the_heartbeat_decides() public {
        _push(first, LAST_SECOND, HIGH);
        _expect(_condition(), _rounds(2), MET);
    }

    function test_a_round_after_the_heartbeat_is_no_verdict() public {
        _push(first, LAST_SECOND + 1, HIGH);
        _refuse(_condition(), _rounds(2), _outside(2, LAST_SECOND + 1));
    }

    function test_a_round_that_does_not_exist_is_no_verdict() public {
        vm.warp(LAST_SECOND);
        _refuse(_condition(), _rounds(2), _outside(2, 0));
    }

    function test_a_proof_without_rounds_is_refused() public {
        _history(HIGH);
        _refuse(_condition(), new uint64[](0), abi.encodeWithSelector(IFeedVerifier.NoRounds.selector));
    }

    function test_nothing_is_decided_before_the_moment_even_if_the_feed_is_ahead() public {
        first.updateRoundData(2, HIGH, OBSERVE_AT, 0);
        vm.warp(OBSERVE_AT - 1);
        _refuse(
            _condition(),
            _rounds(2),
            abi.encodeWithSelector(IFeedVerifier.TooEarly.selector, OBSERVE_AT, OBSERVE_AT - 1)
        );
        vm.warp(OBSERVE_AT);
        _expect(_condition(), _rounds(2), MET);
    }

    function test_the_first_round_of_all_decides_when_it_comes_after_the_moment() public {
        vm.warp(OBSERVE_AT + 5);
        FeedCondition memory condition = _condition();
        condition.feed = address(new MockV3Aggregator(DECIMALS, HIGH));
        _expect(condition, _rounds(1), MET);
    }

    /// @dev An unseen round could hide before the gap: what follows it is not shown to be the first.
    function test_a_round_after_a_gap_is_not_shown_to_be_the_first() public {
        first.updateRoundData(3, HIGH, OBSERVE_AT, 0);
        vm.warp(OBSERVE_AT);
        _refuse(_condition(), _rounds(3), _notFirst(3, 0));
    }

    function test_the_verdict_stands_however_late_it_is_delivered() public {
        _history(HIGH);
        vm.warp(OBSERVE_AT + 3650 days);
        first.updateAnswer(LOW);
        _expect(_condition(), _rounds(3), MET);
    }

    /* PHASES */

    function test_a_proxys_rounds_are_read_in_their_phase() public {
        _history(HIGH);
        _expect(_proxied(), _rounds(3), MET);
        _refuse(_proxied(), _rounds(4), _notFirst(_id(1, 4), OBSERVE_AT));
        _refuse(_condition(), _rounds(3, 1), _notOver(3, OBSERVE_AT));
    }

    function test_a_phase_that_ended_before_the_moment_is_passed_over() public {
        _push(first, OBSERVE_AT - 100, LOW);
        MockV3Aggregator next = _newPhase();
        _push(next, OBSERVE_AT + 5, HIGH);
        vm.warp(LAST_SECOND + 1);
        _expect(_proxied(), _rounds(3, 2), MET);
        _refuse(_proxied(), _rounds(3), _outside(_id(1, 3), 0));
        _refuse(_proxied(), _rounds(2, 2), _notOver(_id(1, 2), OBSERVE_AT - 100));
    }

    function test_two_phases_that_ended_are_passed_over_and_a_new_phases_first_round_decides() public {
        _push(first, OBSERVE_AT - 100, LOW);
        vm.warp(OBSERVE_AT - 50);
        _newPhase();
        vm.warp(OBSERVE_AT + 7);
        _newPhase().updateAnswer(LOW);
        vm.warp(LAST_SECOND + 1);
        FeedCondition memory condition = _proxied();
        condition.threshold = 1;
        condition.atLeast = false;
        _expect(condition, _rounds(3, 2, 1), MET);
        _refuse(condition, _rounds(3, 2, 2), _notFirst(_id(3, 2), OBSERVE_AT + 7));
        _refuse(condition, _rounds(3, 1, 1), _notOver(_id(2, 1), OBSERVE_AT - 50));
    }

    function test_a_phase_is_not_over_while_it_may_still_get_a_round_in_the_window() public {
        MockV3Aggregator next = _newPhase();
        _push(next, OBSERVE_AT, HIGH);
        vm.warp(LAST_SECOND);
        _refuse(_proxied(), _rounds(2, 2), _notOver(_id(1, 2), 0));
        vm.warp(LAST_SECOND + 1);
        _expect(_proxied(), _rounds(2, 2), MET);
    }

    /// @dev The old aggregator goes on after the switch: the earliest phase with a round in the window decides.
    function test_of_two_phases_with_a_round_in_the_window_the_earlier_decides() public {
        MockV3Aggregator next = _newPhase();
        _push(next, OBSERVE_AT, HIGH);
        _push(first, OBSERVE_AT + 20, LOW);
        vm.warp(LAST_SECOND + 1);
        _expect(_proxied(), _rounds(2), UNMET);
        _refuse(_proxied(), _rounds(2, 2), _notOver(_id(1, 2), OBSERVE_AT + 20));
        _refuse(_proxied(), _rounds(3, 2), _notFirst(_id(1, 3), OBSERVE_AT + 20));
    }

    function test_a_round_in_the_last_second_of_the_window_keeps_its_phase() public {
        MockV3Aggregator next = _newPhase();
        _push(next, OBSERVE_AT, HIGH);
        _push(first, LAST_SECOND, LOW);
        vm.warp(LAST_SECOND + 1);
        _expect(_proxied(), _rounds(2), UNMET);
        _refuse(_proxied(), _rounds(2, 2), _notOver(_id(1, 2), LAST_SECOND));
    }

    function test_a_round_after_the_window_shows_that_its_phase_had_none_in_it() public {
        MockV3Aggregator next = _newPhase();
        _push(next, OBSERVE_AT, HIGH);
        _push(first, LAST_SECOND + 1, LOW);
        _expect(_proxied(), _rounds(2, 2), MET);
        _push(first, LAST_SECOND + 2, LOW);
        _refuse(_proxied(), _rounds(3, 2), _notFirst(_id(1, 3), LAST_SECOND + 1));
    }

    /// @dev A phase that shows no round may number its rounds otherwise, or be none.
    function test_a_phase_without_rounds_is_not_passed_over() public {
        FeedCondition memory condition = _proxied();
        condition.phase = 0;
        _push(first, OBSERVE_AT, HIGH);
        vm.warp(LAST_SECOND + 1);
        _refuse(condition, _rounds(1, 2), _notOver(_id(0, 1), 0));
        _refuse(condition, _rounds(2, 2), _notFirst(_id(0, 2), 0));
        _refuse(condition, _rounds(0, 2), _notFirst(_id(0, 0), 0));
    }

    function test_the_phases_do_not_wrap_around() public {
        FeedCondition memory condition = _proxied();
        ScriptedFeed feed = new ScriptedFeed();
        (condition.feed, condition.phase) = (address(feed), type(uint16).max);
        feed.setRound(_id(type(uint16).max, 1), LOW, OBSERVE_AT - 1, _id(type(uint16).max, 1));
        feed.setRound(_id(0, 1), HIGH, OBSERVE_AT, _id(0, 1));
        vm.warp(LAST_SECOND + 1);
        _refuse(condition, _rounds(2, 1), abi.encodeWithSignature("Panic(uint256)", 0x11));
    }

    function test_a_feed_may_revert_for_a_round_that_does_not_exist() public {
        (FeedCondition memory condition, ScriptedFeed feed) = _scripted();
        feed.setMissing(ScriptedFeed.Missing.Revert);
        feed.setRound(_id(0, 1), LOW, OBSERVE_AT - 1, _id(0, 1));
        feed.setRound(_id(1, 1), HIGH, OBSERVE_AT, _id(1, 1));
        vm.warp(LAST_SECOND + 1);
        _refuse(condition, _rounds(2), _outside(2, 0));
        _expect(condition, _rounds(2, 1), MET);
        feed.setMissing(ScriptedFeed.Missing.BurnGas);
        bytes memory call = abi.encodeCall(IFeedVerifier.outcome, (condition, _rounds(2, 1)));
        (bool worked, bytes memory answer) = address(feeds).staticcall{ gas: 500_000 }(call);
        assertTrue(worked && abi.decode(answer, (uint16)) == MET, "a feed burns its own share of gas only");
    }

    /// @dev Round 2 of the first phase is in the window: no gas limit makes it look missing.
    function test_no_gas_limit_makes_a_round_look_missing() public {
        MockV3Aggregator next = _newPhase();
        _push(first, OBSERVE_AT, LOW);
        _push(next, OBSERVE_AT, HIGH);
        vm.warp(LAST_SECOND + 1);
        bytes memory call = abi.encodeCall(IFeedVerifier.outcome, (_proxied(), _rounds(2, 2)));
        for (uint256 gasLimit = 5000; gasLimit < 700_000; gasLimit += 5000) {
            (bool worked,) = address(feeds).staticcall{ gas: gasLimit }(call);
            assertTrue(!worked, "passed over a round in the window");
        }
    }

    function test_too_little_gas_for_the_feed_is_named() public {
        _history(HIGH);
        bytes memory call = abi.encodeCall(IFeedVerifier.outcome, (_condition(), _rounds(3)));
        (bool worked, bytes memory answer) = address(feeds).staticcall{ gas: 160_000 }(call);
        assertTrue(!worked, "worked");
        assertEq(bytes32(bytes4(answer)), bytes32(IFeedVerifier.InsufficientGas.selector), "InsufficientGas");
        (worked,) = address(feeds).staticcall{ gas: 300_000 }(call);
        assertTrue(worked, "enough gas");
    }

    /* AT MOST ONE */

    uint256 private constant PHASES = 3;
    uint64 private constant MAX_ROUND = 3;

    bool private decided;
    uint16 private decision;

    /// @dev Invariant 20. Three phases with random histories around the window, each begun and confirmed at some moment, even
    /// after its rounds. Every proof there is, tried again while time goes on: whatever passes says the same.
    function testFuzz_at_most_one_share_ever_passes(uint256 seed) public {
        FeedCondition memory condition = _proxied();
        MockV3Aggregator[] memory aggregators = new MockV3Aggregator[](PHASES);
        aggregators[0] = first;
        uint256 confirmed = 1;
        uint256 timestamp = OBSERVE_AT - 2000;
        for (uint256 step = 1; step <= 9; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            timestamp += seed % 1100;
            vm.warp(timestamp);
            _advance(aggregators, (seed >> 32) % PHASES, (seed >> 64) % 2 == 0 ? HIGH : LOW);
            bool confirms = (seed >> 96) % 3 == 0 && confirmed < PHASES && address(aggregators[confirmed]) != address(0);
            if (confirms) _confirm(address(aggregators[confirmed++]));
            if (step % 3 == 0) _tryEveryProof(condition);
        }
        vm.warp(timestamp + LAST_SECOND);
        while (confirmed < PHASES && address(aggregators[confirmed]) != address(0)) {
            _confirm(address(aggregators[confirmed++]));
        }
        _tryEveryProof(condition);
    }

    function _advance(MockV3Aggregator[] memory aggregators, uint256 i, int256 answer) private {
        if (address(aggregators[i]) == address(0)) aggregators[i] = new MockV3Aggregator(DECIMALS, answer);
        else if (aggregators[i].latestRound() < MAX_ROUND) aggregators[i].updateAnswer(answer);
    }

    function _tryEveryProof(FeedCondition memory condition) private {
        for (uint64 a = 0; a <= MAX_ROUND + 1; ++a) {
            _try(condition, _rounds(a));
            for (uint64 b = 0; b <= MAX_ROUND + 1; ++b) {
                _try(condition, _rounds(a, b));
                for (uint64 c = 0; c <= MAX_ROUND + 1; ++c) {
                    _try(condition, _rounds(a, b, c));
                }
            }
        }
    }

    function _try(FeedCondition memory condition, uint64[] memory rounds) private {
        try feeds.outcome(condition, rounds) returns (uint16 bps) {
            assertTrue(!decided || decision == bps, "a second share passed");
            (decided, decision) = (true, bps);
        } catch { }
    }

    function test_the_property_of_at_most_one_share_is_not_empty() public {
        for (uint256 seed = 0; seed < 8 && !decided; ++seed) {
            testFuzz_at_most_one_share_ever_passes(seed);
        }
        assertTrue(decided, "no history decided anything");
    }

    /* IN AN AGREEMENT */

    function _fundOn(FeedCondition[] memory conditions) private returns (Part memory part, bytes32 id) {
        Terms memory terms = _termsWithoutArbiter();
        terms.verifier = address(feeds);
        terms.quorum = _quorumOf(conditions);
        terms.reviewWindow = 30 days;
        return _fund(terms, _schedule(2), 3);
    }

    function _deliver(Part memory part, FeedCondition[] memory conditions, uint16 attempt, bytes32 work, uint16 bps)
        private
    {
        bytes memory proof = abi.encode(_leaves(conditions), conditions[part.index], _rounds(3));
        vm.prank(KEEPER);
        escrow.attest(part, Attestation(attempt, work, bps), proof);
    }

    function test_a_feed_pays_a_milestone_that_nobody_submitted() public {
        FeedCondition[] memory conditions = _two();
        conditions[1] = _condition();
        conditions[1].threshold = HIGH + 1;
        (Part memory part, bytes32 id) = _fundOn(conditions);
        _history(HIGH);
        _deliver(part, conditions, 0, 0, MET);
        _expectSettled(id, 0);
        assertEq(play.balanceOf(PAYEE), AMOUNT * MET / 10_000, "met");
        (part.index, part.milestone) = (1, _schedule(2)[1]);
        _deliver(part, conditions, 0, 0, UNMET);
        assertEq(play.balanceOf(PAYEE), AMOUNT * (uint256(MET) + UNMET) / 10_000, "unmet");
    }

    function test_a_feed_rejects_every_submission_when_its_condition_was_not_met() public {
        FeedCondition[] memory conditions = _two();
        conditions[0].unmetBps = 0;
        (Part memory part, bytes32 id) = _fundOn(conditions);
        _submit(part);
        _history(LOW);
        _deliver(part, conditions, 0, WORK, 0);
        _expectStatus(id, 0, Status.Funded);
        _submit(part);
        vm.expectRevert(abi.encodeWithSelector(IFeedVerifier.WrongShare.selector, 1, 0));
        this.deliverExternally(part, conditions, 1, WORK, 1);
        _deliver(part, conditions, 1, WORK, 0);
        _expectStatus(id, 0, Status.Funded);
        vm.warp(SUBMIT_BY);
        _expectDue(part, Cause.Lapsed, 0, uint256(SUBMIT_BY) + 1);
    }

    function deliverExternally(
        Part calldata part,
        FeedCondition[] calldata conditions,
        uint16 attempt,
        bytes32 work,
        uint16 bps
    ) external {
        _deliver(part, conditions, attempt, work, bps);
    }

    function test_a_silent_feed_leaves_the_milestone_to_its_clock() public {
        FeedCondition[] memory conditions = _two();
        (Part memory part, bytes32 id) = _fundOn(conditions);
        _push(first, OBSERVE_AT - 1, HIGH);
        _push(first, LAST_SECOND + 1, HIGH);
        vm.expectRevert(_outside(3, LAST_SECOND + 1));
        this.deliverExternally(part, conditions, 0, 0, MET);
        vm.warp(uint256(SUBMIT_BY) + 1);
        escrow.settle(part);
        _expectSettled(id, 0);
        assertEq(play.balanceOf(PAYEE), 0, "lapsed");
    }
}
