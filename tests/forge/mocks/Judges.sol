// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IArbiter } from "@interfaces/IArbiter.sol";
import { IEscrow, Part } from "@interfaces/IEscrow.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";

/// @title A verifier that answers what it was told to
contract StubVerifier is IVerifier {
    bytes4 private immutable ANSWER;

    constructor(bytes4 answer) {
        ANSWER = answer;
    }

    function verify(bytes32, bytes32, uint256, Attestation calldata, bytes calldata) external view returns (bytes4) {
        return ANSWER;
    }
}

/// @title An arbiter with a hook, which remembers what it was told
contract HookArbiter is IArbiter {
    enum Mode {
        Accept,
        WrongAnswer,
        Refuse,
        RuleAtOnce
    }

    error Refused();

    Mode public mode;
    bytes32 public agreement;
    uint256 public milestone;
    address public by;
    uint128 public amount;
    uint40 public ruleBy;
    bytes public data;
    uint256 public value;
    bytes public answer;
    bytes private ruling;

    function setMode(Mode to) external {
        mode = to;
    }

    function setRuling(bytes calldata ruling_) external {
        ruling = ruling_;
    }

    function onDispute(
        bytes32 agreement_,
        uint256 milestone_,
        address by_,
        uint128 amount_,
        uint40 ruleBy_,
        bytes calldata data_
    ) external payable returns (bytes4) {
        if (mode == Mode.Refuse) revert Refused();
        if (mode == Mode.RuleAtOnce) (, answer) = msg.sender.call(ruling);
        (agreement, milestone, by, amount) = (agreement_, milestone_, by_, amount_);
        (ruleBy, data, value) = (ruleBy_, data_, msg.value);
        return mode == Mode.WrongAnswer ? bytes4(0xdeadbeef) : IArbiter.onDispute.selector;
    }

    function rule(IEscrow escrow, bytes32 id, Part calldata part, uint16 bps) external {
        escrow.rule(id, part, bps);
    }
}
