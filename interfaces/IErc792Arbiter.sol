// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IArbitrable } from "@kleros/erc-792/contracts/IArbitrable.sol";
import { IArbitrator } from "@kleros/erc-792/contracts/IArbitrator.sol";
import { IEvidence } from "@kleros/erc-792/contracts/erc-1497/IEvidence.sol";
import { IArbiter } from "./IArbiter.sol";
import { Case } from "./Case.sol";
import { Milestone, Part, Terms } from "./IEscrow.sol";
import { INativeCredits } from "./INativeCredits.sol";

/// @title An ERC-792 court that rules on disputed milestones
/// @notice An agreement names this contract as its arbiter, with `arbiterHook`. It serves any escrow, and keeps what any
/// two escrows tell it apart. Court, extra data and choices are fixed at deployment, so they are those of every dispute
/// for all its life; nobody administers anything. The rules are docs/protocol.md section 6.
///
/// **What the court is asked.** Choice i of `choices` gives the payee (i - 1) / (choices - 1) of the milestone: with 2 all or
/// nothing, which suits courts whose jurors are paid for voting alike; with 11 steps of a tenth. The court's 0, "refused to
/// arbitrate", is never delivered: what stood before stands.
///
/// **Who pays.** The disputer pays what the court then costs, and what he sent above that comes back, or waits as his credit
/// if he cannot receive it. An appellant pays the court for the appeal. Nothing else is ever kept here, so nothing can be
/// stuck here.
///
/// **When.** A court has its own clock. A ruling that comes after the escrow's `ruleBy` cannot be delivered: choose a
/// rulingWindow that leaves time for the court's appeals.
///
/// ERC-1497: meta-evidence 0 is emitted at deployment; a dispute's evidence group is its case, as a number.
interface IErc792Arbiter is IArbiter, IArbitrable, IEvidence, INativeCredits {
    /// @notice The court has the case.
    event Referred(
        address indexed escrow,
        bytes32 indexed agreement,
        uint256 milestone,
        address by,
        uint256 indexed courtDispute,
        uint256 cost,
        uint40 ruleBy
    );

    /// @notice The number of choices must be at least 2, and 10000 divisible by one less.
    error BadChoices(uint256 choices);
    /// @notice There is no contract at the court's address.
    error NoCode(address account);
    /// @notice This milestone was disputed before: its clock does not start again.
    error AlreadyDisputed(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice Nobody disputed this milestone before this contract.
    error NoDispute(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice The court asks for more than the call carries.
    error TooLittleValue(uint256 have, uint256 want);
    /// @notice The court gave a dispute the number of an older one.
    error CourtDisputeReused(uint256 courtDispute);
    /// @notice Only the court rules.
    error NotCourt(address caller, address court);
    /// @notice The court gave no dispute of this contract that number.
    error UnknownCourtDispute(uint256 courtDispute);
    /// @notice The court ruled beyond its choices.
    error BadRuling(uint256 have, uint256 choices);
    /// @notice The court has ruled, for good.
    error AlreadyRuled(uint256 courtDispute);
    /// @notice The court has not ruled, or its ruling can still be appealed.
    error NotRuledYet(uint256 courtDispute);
    /// @notice The court refused to arbitrate: what stands at the escrow, stands.
    error CourtRefused(uint256 courtDispute);
    /// @notice The terms and milestones are another agreement than the one named.
    error WrongAgreement(bytes32 have, bytes32 want);
    /// @notice The caller is neither payer nor payee.
    error NotParty(address caller);

    /// @notice A party shows the court something, until it has ruled.
    /// @dev Emits `Evidence`. Reverts with `NoDispute`, `AlreadyRuled`, `WrongAgreement` or `NotParty`.
    /// @param terms the agreement's, with all its `milestones`: they show who the parties are
    /// @param evidence URI of an ERC-1497 evidence document; not looked at
    /// @custom:caller the payer or the payee
    function submitEvidence(
        Case calldata c,
        Terms calldata terms,
        Milestone[] calldata milestones,
        string calldata evidence
    ) external;

    /// @notice Appeals the court's ruling, before it is final, in the name of this contract: many courts take appeals from
    /// nobody else. Anyone may who pays for it. The call's whole value goes to the court and nothing comes back: carry what
    /// the court wants, which `costToAppeal` asks it.
    /// @dev Reverts with `NoDispute`, `AlreadyRuled` or the court's own error.
    /// @custom:caller anyone, with his own money
    function appeal(Case calldata c) external payable;

    /// @notice Delivers the court's ruling to the escrow; anyone may, until the escrow's `ruleBy`.
    /// @dev Reverts with `NoDispute`, `NotRuledYet`, `CourtRefused` or the escrow's own error.
    /// @param part the milestone at the escrow
    /// @custom:caller anyone
    function execute(address escrow, bytes32 agreement, Part calldata part) external;

    /// @notice Who judges, by which extra data, among how many choices; the same for every dispute.
    function court() external view returns (IArbitrator arbitrator, bytes memory extraData, uint256 choices);

    /// @notice What a dispute costs now, in wei: less is refused, more comes back.
    function costToDispute() external view returns (uint256);

    /// @notice What an appeal costs now, in wei, by the court's word. Reverts with `NoDispute`, or as the court does.
    function costToAppeal(Case calldata c) external view returns (uint256);

    /// @notice How a case stands.
    /// @return opened whether the court has it
    /// @return courtDispute its number there
    /// @return ruled whether the court ruled
    /// @return ruling the court's choice, 0 = refused to arbitrate
    function disputeOf(Case calldata c)
        external
        view
        returns (bool opened, uint256 courtDispute, bool ruled, uint256 ruling);

    /// @notice The payee's share in 1/10000 that a choice stands for; reverts with `BadRuling` unless 1 <= choice <= choices.
    function shareOf(uint256 choice) external view returns (uint16 payeeBps);
}
