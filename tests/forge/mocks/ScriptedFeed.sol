// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { AggregatorV3Interface } from "@chainlink/contracts/src/v0.8/interfaces/AggregatorV3Interface.sol";

/// @title A feed that answers what it was told, and speaks of missing rounds in each way that feeds do
contract ScriptedFeed is AggregatorV3Interface {
    enum Missing {
        Zeros,
        Revert,
        BurnGas
    }

    struct Scripted {
        int256 answer;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    uint8 public decimals = 8;
    Missing public missing;
    mapping(uint80 id => Scripted) private _rounds;

    function setDecimals(uint8 to) external {
        decimals = to;
    }

    function setMissing(Missing to) external {
        missing = to;
    }

    function setRound(uint80 id, int256 answer, uint256 updatedAt, uint80 answeredInRound) external {
        _rounds[id] = Scripted(answer, updatedAt, answeredInRound);
    }

    function getRoundData(uint80 id) public view returns (uint80, int256, uint256, uint256, uint80) {
        Scripted memory round = _rounds[id];
        if (round.updatedAt == 0 && missing == Missing.Revert) revert("No data present");
        if (round.updatedAt == 0 && missing == Missing.BurnGas) while (true) { }
        return (id, round.answer, round.updatedAt, round.updatedAt, round.answeredInRound);
    }

    function latestRoundData() external pure returns (uint80, int256, uint256, uint256, uint80) {
        revert("not read");
    }

    function description() external pure returns (string memory) {
        return "scripted";
    }

    function version() external pure returns (uint256) {
        return 0;
    }
}
