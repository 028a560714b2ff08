// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Votes } from "../../contracts/libraries/Votes.sol";
import { Assert } from "./Assert.sol";

/// @title What a panel's votes decide, held against the plain meaning of the words
contract VotesTest is Assert {
    using Votes for uint256;

    uint256 private constant MISSING = type(uint256).max;

    function _word(uint256[] memory votes) private pure returns (uint256 word) {
        for (uint256 i = 0; i < votes.length; ++i) {
            if (votes[i] != MISSING) word = word.add(i, uint16(votes[i]));
        }
    }

    /// @dev The median, where whoever is missing voted for `missing`: the vote with at most half of the panel on each side.
    function _medianIf(uint256[] memory votes, uint256 missing) private pure returns (uint256) {
        for (uint256 i = 0; i < votes.length; ++i) {
            uint256 candidate = votes[i] == MISSING ? missing : votes[i];
            uint256 below = 0;
            uint256 above = 0;
            for (uint256 k = 0; k < votes.length; ++k) {
                uint256 other = votes[k] == MISSING ? missing : votes[k];
                if (other < candidate) ++below;
                if (other > candidate) ++above;
            }
            if (below <= votes.length / 2 && above <= votes.length / 2) return candidate;
        }
        revert("no median");
    }

    function _some(uint256 seed, uint256 seats, uint256 values) private pure returns (uint256[] memory votes) {
        votes = new uint256[](seats);
        for (uint256 i = 0; i < seats; ++i) {
            uint256 roll = uint256(keccak256(abi.encode(seed, i)));
            votes[i] = roll % 3 == 0 ? MISSING : (roll >> 8) % values * (10_000 / (values - 1));
        }
    }

    /// @dev Decided exactly when the missing votes can change nothing, and then with the median that there will be.
    function testFuzz_votes_decide_what_the_missing_cannot_change(uint256 seed, uint8 half, uint8 spread) public pure {
        uint256 seats = uint256(half % 8) * 2 + 1;
        uint256[] memory votes = _some(seed, seats, uint256(spread % 5) + 2);

        (bool decided, uint16 bps) = _word(votes).median(seats);

        uint256 least = _medianIf(votes, 0);
        uint256 most = _medianIf(votes, 10_000);
        assertTrue(decided == (least == most), "decided");
        assertEq(bps, decided ? least : 0, "median");
    }

    /// @dev A majority that votes alike wins, whatever the others do.
    function testFuzz_votes_of_a_majority_that_agrees_decide(uint256 seed, uint8 half, uint16 bps) public pure {
        uint256 seats = uint256(half % 8) * 2 + 1;
        uint256[] memory votes = _some(seed, seats, 5);
        for (uint256 i = 0; i <= seats / 2; ++i) {
            votes[(i * 2) % seats] = bps % 10_001;
        }

        (bool decided, uint16 have) = _word(votes).median(seats);

        assertTrue(decided, "decided");
        assertEq(have, bps % 10_001, "what the majority said");
    }

    /// @dev A complete panel always rules, and no vote, once it decided, could have undone that.
    function testFuzz_votes_of_a_complete_panel_decide_and_nothing_undoes_a_decision(uint256 seed, uint8 half)
        public
        pure
    {
        uint256 seats = uint256(half % 8) * 2 + 1;
        uint256[] memory votes = _some(seed, seats, 11);
        (bool before, uint16 bps) = _word(votes).median(seats);
        for (uint256 i = 0; i < seats; ++i) {
            if (votes[i] == MISSING) votes[i] = uint256(keccak256(abi.encode(seed, "late", i))) % 10_001;
        }

        (bool decided, uint16 final_) = _word(votes).median(seats);

        assertTrue(decided, "decided");
        if (before) assertEq(final_, bps, "as before");
    }

    /// @dev No member gains by saying more than it means: whatever it says, the outcome is never nearer to its wish.
    function testFuzz_votes_that_exaggerate_gain_nothing(uint256 seed, uint8 half, uint16 wish, uint16 said)
        public
        pure
    {
        uint256 seats = uint256(half % 8) * 2 + 1;
        uint256[] memory votes = new uint256[](seats);
        for (uint256 i = 0; i < seats; ++i) {
            votes[i] = uint256(keccak256(abi.encode(seed, i))) % 10_001;
        }
        votes[0] = wish % 10_001;
        (, uint16 honest) = _word(votes).median(seats);
        votes[0] = said % 10_001;
        (, uint16 other) = _word(votes).median(seats);

        assertTrue(_distance(other, wish % 10_001) >= _distance(honest, wish % 10_001), "no nearer");
    }

    function test_votes_fill_a_word_without_touching_each_other() public pure {
        uint256 word = 0;
        for (uint256 seat = 0; seat < 15; ++seat) {
            assertTrue(!word.has(seat), "empty");
            word = word.add(seat, seat % 2 == 0 ? 10_000 : 0);
            assertTrue(word.has(seat), "a vote for nothing is a vote");
            assertEq(word.count(15), seat + 1, "count");
        }
        (bool decided, uint16 bps) = word.median(15);
        assertTrue(decided, "decided");
        assertEq(bps, 10_000, "8 of 15");
    }

    function _distance(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }
}
