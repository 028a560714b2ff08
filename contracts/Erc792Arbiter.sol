// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IArbitrable } from "@kleros/erc-792/contracts/IArbitrable.sol";
import { IArbitrator } from "@kleros/erc-792/contracts/IArbitrator.sol";
import { LowLevelCall } from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import { IArbiter } from "@interfaces/IArbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { IErc792Arbiter } from "@interfaces/IErc792Arbiter.sol";
import { IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Cases } from "./libraries/Cases.sol";
import { NativeCredits } from "./libraries/NativeCredits.sol";

/// @title An ERC-792 court that rules on disputed milestones
/// @notice What the court is asked, who pays and when is in `IErc792Arbiter`.
contract Erc792Arbiter is IErc792Arbiter, NativeCredits {
    using Cases for Case;

    struct Proceeding {
        bool opened;
        bool ruled;
        uint16 ruling; // the court's choice
        uint256 courtDispute;
    }

    /* CONSTANTS */

    uint256 private constant BPS = 10_000;
    uint256 private constant META_EVIDENCE = 0;

    IArbitrator private immutable COURT;
    uint256 private immutable CHOICES;

    /* STORAGE */

    bytes private _extraData; // set once, in the constructor

    mapping(bytes32 key => Proceeding) private _proceedings;
    mapping(uint256 courtDispute => bytes32 key) private _keyOf;

    /// @param arbitrator the court
    /// @param extraData what the court wants to know of every dispute, such as subcourt and number of jurors
    /// @param choices how many shares it may choose from, as `IErc792Arbiter` says
    /// @param metaEvidence URI of the ERC-1497 document that puts the question and names the choices
    constructor(IArbitrator arbitrator, bytes memory extraData, uint256 choices, string memory metaEvidence) {
        if (address(arbitrator).code.length == 0) revert NoCode(address(arbitrator));
        if (choices < 2 || BPS % (choices - 1) != 0) revert BadChoices(choices);
        COURT = arbitrator;
        CHOICES = choices;
        _extraData = extraData;

        emit MetaEvidence(META_EVIDENCE, metaEvidence);
    }

    /* DISPUTE */

    /// @inheritdoc IArbiter
    /// @dev Emits `Referred` and ERC-1497's `Dispute`. Reverts with `AlreadyDisputed`, `TooLittleValue`, `CourtDisputeReused`
    /// or the court's own error.
    function onDispute(bytes32 agreement, uint256 milestone, address by, uint128, uint40 ruleBy, bytes calldata)
        external
        payable
        returns (bytes4)
    {
        bytes32 key = Case(msg.sender, agreement, milestone).key();
        Proceeding storage proceeding = _proceedings[key];
        if (proceeding.opened) revert AlreadyDisputed(msg.sender, agreement, milestone);
        uint256 cost = COURT.arbitrationCost(_extraData);
        if (msg.value < cost) revert TooLittleValue(msg.value, cost);

        proceeding.opened = true;
        uint256 courtDispute = COURT.createDispute{ value: cost }(CHOICES, _extraData);
        if (_keyOf[courtDispute] != 0) revert CourtDisputeReused(courtDispute);
        proceeding.courtDispute = courtDispute;
        _keyOf[courtDispute] = key;

        emit Referred(msg.sender, agreement, milestone, by, courtDispute, cost, ruleBy);
        emit Dispute(COURT, courtDispute, META_EVIDENCE, uint256(key));

        _refund(by, msg.value - cost);
        return IArbiter.onDispute.selector;
    }

    /// @inheritdoc IErc792Arbiter
    function submitEvidence(
        Case calldata c,
        Terms calldata terms,
        Milestone[] calldata milestones,
        string calldata evidence
    ) external {
        _unruled(c);
        c.requireParty(terms, milestones, msg.sender);

        emit Evidence(COURT, uint256(c.key()), msg.sender, evidence);
    }

    /// @inheritdoc IErc792Arbiter
    function appeal(Case calldata c) external payable {
        COURT.appeal{ value: msg.value }(_unruled(c).courtDispute, _extraData);
    }

    /* RULING */

    /// @notice The court rules, once. What it says is kept for `execute`: the milestone may be settled by now, and that is
    /// no concern of the court's.
    /// @dev Emits `Ruling`. Reverts with `NotCourt`, `UnknownCourtDispute`, `AlreadyRuled` or `BadRuling`. A court that
    /// rules before `createDispute` returned a number rules on nothing.
    /// @custom:caller the court
    /// @inheritdoc IArbitrable
    function rule(uint256 courtDispute, uint256 ruling) external {
        Proceeding storage proceeding = _proceedings[_keyOf[courtDispute]];
        if (msg.sender != address(COURT)) revert NotCourt(msg.sender, address(COURT));
        if (!proceeding.opened) revert UnknownCourtDispute(courtDispute);
        if (proceeding.ruled) revert AlreadyRuled(courtDispute);
        if (ruling > CHOICES) revert BadRuling(ruling, CHOICES);

        (proceeding.ruled, proceeding.ruling) = (true, uint16(ruling));

        emit Ruling(COURT, courtDispute, ruling);
    }

    /// @inheritdoc IErc792Arbiter
    function execute(address escrow, bytes32 agreement, Part calldata part) external {
        Proceeding storage proceeding = _existing(Case(escrow, agreement, part.index));
        if (!proceeding.ruled) revert NotRuledYet(proceeding.courtDispute);
        if (proceeding.ruling == 0) revert CourtRefused(proceeding.courtDispute);

        IEscrow(escrow).rule(agreement, part, shareOf(proceeding.ruling));
    }

    /* VIEWS */

    /// @inheritdoc IErc792Arbiter
    function court() external view returns (IArbitrator arbitrator, bytes memory extraData, uint256 choices) {
        return (COURT, _extraData, CHOICES);
    }

    /// @inheritdoc IErc792Arbiter
    function costToDispute() external view returns (uint256) {
        return COURT.arbitrationCost(_extraData);
    }

    /// @inheritdoc IErc792Arbiter
    function costToAppeal(Case calldata c) external view returns (uint256) {
        return COURT.appealCost(_existing(c).courtDispute, _extraData);
    }

    /// @inheritdoc IErc792Arbiter
    function disputeOf(Case calldata c)
        external
        view
        returns (bool opened, uint256 courtDispute, bool ruled, uint256 ruling)
    {
        Proceeding memory proceeding = _proceedings[c.key()];
        return (proceeding.opened, proceeding.courtDispute, proceeding.ruled, proceeding.ruling);
    }

    /// @inheritdoc IErc792Arbiter
    function shareOf(uint256 choice) public view returns (uint16 payeeBps) {
        if (choice == 0 || choice > CHOICES) revert BadRuling(choice, CHOICES);
        return uint16((choice - 1) * BPS / (CHOICES - 1));
    }

    /* WHICH DISPUTE */

    function _existing(Case memory c) private view returns (Proceeding storage proceeding) {
        proceeding = _proceedings[c.key()];
        if (!proceeding.opened) revert NoDispute(c.escrow, c.agreement, c.milestone);
    }

    function _unruled(Case memory c) private view returns (Proceeding storage proceeding) {
        proceeding = _existing(c);
        if (proceeding.ruled) revert AlreadyRuled(proceeding.courtDispute);
    }

    /* MONEY */

    /// @dev Sends, or credits when sending fails.
    function _refund(address to, uint256 amount) private {
        if (amount == 0 || LowLevelCall.callNoReturn(to, amount, "")) return;
        _credit(to, amount);
    }
}
