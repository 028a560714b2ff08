// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Arrays } from "@openzeppelin/contracts/utils/Arrays.sol";

/// @title A panel's votes in one word, and what they decide
/// @notice 16 bits a seat, the lowest seat in the lowest bits: 0 = no vote yet, else the share in bps + 1.
library Votes {
    uint256 private constant BITS = 16;
    uint256 private constant MASK = type(uint16).max;

    /// @notice Whether the seat voted.
    function has(uint256 votes, uint256 seat) internal pure returns (bool) {
        return _at(votes, seat) != 0;
    }

    /// @notice The votes with one more, on a seat that had none.
    function add(uint256 votes, uint256 seat, uint16 bps) internal pure returns (uint256) {
        return votes | ((uint256(bps) + 1) << (seat * BITS));
    }

    /// @notice How many of the first `seats` seats voted.
    function count(uint256 votes, uint256 seats) internal pure returns (uint256 cast) {
        for (uint256 seat = 0; seat < seats; ++seat) {
            if (has(votes, seat)) ++cast;
        }
    }

    /// @notice The median of an odd number of seats, if the votes still missing cannot change it.
    function median(uint256 votes, uint256 seats) internal pure returns (bool decided, uint16 bps) {
        uint256[] memory cast = _sorted(votes, seats);
        uint256 majority = seats / 2 + 1;
        if (cast.length < majority) return (false, 0);

        uint256 least = cast[cast.length - majority]; // the median, if whoever is missing voted for nothing
        uint256 most = cast[majority - 1]; // and if they voted for everything
        return least == most ? (true, uint16(least)) : (false, 0);
    }

    function _sorted(uint256 votes, uint256 seats) private pure returns (uint256[] memory cast) {
        cast = new uint256[](count(votes, seats));
        uint256 i = 0;
        for (uint256 seat = 0; seat < seats; ++seat) {
            if (!has(votes, seat)) continue;
            cast[i] = _at(votes, seat) - 1;
            ++i;
        }
        return Arrays.sort(cast);
    }

    function _at(uint256 votes, uint256 seat) private pure returns (uint256) {
        return (votes >> (seat * BITS)) & MASK;
    }
}
