// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IArbiter } from "@interfaces/IArbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Ballot, Clocks, Dispute, IPanelArbiter, Round } from "@interfaces/IPanelArbiter.sol";
import { Cases } from "./libraries/Cases.sol";
import { FixedDomain } from "./libraries/FixedDomain.sol";
import { NativeCredits } from "./libraries/NativeCredits.sol";
import { Offers } from "./libraries/Offers.sol";
import { Votes } from "./libraries/Votes.sol";

/// @title A panel of people that rules on disputed milestones, and a larger one to appeal to
/// @notice What is voted, what wins, when, and where the money goes is in `IPanelArbiter`.
contract PanelArbiter is IPanelArbiter, FixedDomain, NativeCredits {
    using Cases for Case;
    using Votes for uint256;

    /// @dev Where a member sits.
    struct Seat {
        Round round;
        uint8 index;
    }

    /* CONSTANTS */

    bytes32 private constant VOTE_TYPEHASH = keccak256(
        "Vote(address member,address escrow,bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 deadline)"
    );
    uint256 private constant BPS = 10_000;
    /// @dev What a word of votes has room for, made odd.
    uint256 private constant MAX_PANEL = 15;
    /// @dev Leaves people a day for each evidence period and votes, and half a day for appeal and for delivery.
    uint256 private constant MIN_RULING_WINDOW = 5 days;

    // Where each period ends, in tenths of the time from dispute to `ruleBy`.
    uint256 private constant TENTHS = 10;
    uint256 private constant EVIDENCE_END = 2;
    uint256 private constant VOTING_END = 5;
    uint256 private constant APPEAL_END = 6;
    uint256 private constant APPEAL_EVIDENCE_END = 7;
    uint256 private constant APPEAL_VOTING_END = 9;

    uint256 private immutable FEE; // wei a seat
    uint256 private immutable BOND; // wei

    /* STORAGE */

    // Set once, in the constructor.
    address[] private _firstPanel;
    address[] private _appealPanel;
    mapping(address member => Seat) private _seats;

    mapping(bytes32 key => Dispute) private _disputes;

    /* PANELS */

    /// @param first the first panel, by ascending address; an odd number
    /// @param onAppeal the appeal panel: the same, larger, and others
    /// @param fee wei for each vote that counts
    /// @param bond wei that an appellant risks
    constructor(address[] memory first, address[] memory onAppeal, uint128 fee, uint128 bond) {
        if (onAppeal.length <= first.length) revert AppealPanelNotLarger(onAppeal.length, first.length);
        _seat(first, Round.First);
        _seat(onAppeal, Round.Appeal);
        _firstPanel = first;
        _appealPanel = onAppeal;
        FEE = fee;
        BOND = bond;
    }

    /* DISPUTE */

    /// @inheritdoc IArbiter
    /// @dev Emits `Opened`. Reverts with `AlreadyDisputed`, `RulingWindowTooShort` or `WrongValue`.
    function onDispute(bytes32 agreement, uint256 milestone, address by, uint128 amount, uint40 ruleBy, bytes calldata)
        external
        payable
        returns (bytes4)
    {
        Dispute storage dispute = _disputes[Case(msg.sender, agreement, milestone).key()];
        if (dispute.openedAt != 0) revert AlreadyDisputed(msg.sender, agreement, milestone);
        uint256 window = ruleBy > block.timestamp ? ruleBy - block.timestamp : 0;
        if (window < MIN_RULING_WINDOW) revert RulingWindowTooShort(window, MIN_RULING_WINDOW);
        _requireValue(_costToDispute());

        (dispute.by, dispute.openedAt, dispute.ruleBy) = (by, uint40(block.timestamp), ruleBy);

        emit Opened(msg.sender, agreement, milestone, by, amount, ruleBy);

        return IArbiter.onDispute.selector;
    }

    /// @inheritdoc IPanelArbiter
    function submitEvidence(Case calldata c, Terms calldata terms, Milestone[] calldata milestones, string calldata uri)
        external
    {
        Dispute storage dispute = _live(c);
        c.requireParty(terms, milestones, msg.sender);
        _requireNotAfter(_end(dispute, dispute.appellant == address(0) ? EVIDENCE_END : APPEAL_EVIDENCE_END));

        emit Evidence(c.escrow, c.agreement, c.milestone, msg.sender, uri);
    }

    /* VOTES */

    /// @inheritdoc IPanelArbiter
    function vote(Case calldata c, uint16 payeeBps) external {
        Dispute storage dispute = _live(c);
        if (_hasVoted(dispute, msg.sender)) revert AlreadyVoted(msg.sender);

        _count(c, dispute, msg.sender, payeeBps);
    }

    /// @inheritdoc IPanelArbiter
    function deliverVotes(Case calldata c, Ballot[] calldata ballots) external returns (uint256 counted) {
        if (block.chainid != DEPLOYED_CHAIN_ID) revert WrongChain(block.chainid, DEPLOYED_CHAIN_ID);
        Dispute storage dispute = _live(c);

        for (uint256 i = 0; i < ballots.length; ++i) {
            Ballot calldata ballot = ballots[i];
            if (_hasVoted(dispute, ballot.member)) continue;
            _requireNotAfter(ballot.deadline);
            bytes32 signed = digest(c, ballot.member, ballot.payeeBps, ballot.deadline);
            Offers.requireSigned(ballot.member, signed, ballot.signature);

            _count(c, dispute, ballot.member, ballot.payeeBps);
            ++counted;
        }
    }

    /* APPEAL */

    /// @inheritdoc IPanelArbiter
    function appeal(Case calldata c, Terms calldata terms, Milestone[] calldata milestones) external payable {
        Dispute storage dispute = _live(c);
        if (dispute.appellant != address(0)) revert AlreadyAppealed(c.escrow, c.agreement, c.milestone);
        _requireWithin(dispute, VOTING_END, APPEAL_END);
        c.requireParty(terms, milestones, msg.sender);
        _requireValue(_costToAppeal());

        bool byPayee = msg.sender == terms.payee;
        uint16 appealedBps = _appealed(c, dispute);
        (dispute.appellant, dispute.opponent) = (msg.sender, byPayee ? terms.payer : terms.payee);
        (dispute.payeeAppealed, dispute.appealedBps) = (byPayee, appealedBps);

        emit Appealed(c.escrow, c.agreement, c.milestone, msg.sender, appealedBps);
    }

    /* RULING */

    /// @inheritdoc IPanelArbiter
    function execute(address escrow, bytes32 agreement, Part calldata part) external {
        Case memory c = Case(escrow, agreement, part.index);
        Dispute storage dispute = _unconcluded(c);
        (uint256 readyAt, bool decided, uint16 payeeBps) = _outcome(dispute);
        if (block.timestamp < readyAt) revert TooEarly(readyAt, block.timestamp);
        if (!decided) revert NoRuling(escrow, agreement, part.index);

        emit Executed(escrow, agreement, part.index, payeeBps);
        _conclude(c, dispute);

        IEscrow(escrow).rule(agreement, part, payeeBps);
    }

    /// @inheritdoc IPanelArbiter
    function conclude(Case calldata c) external {
        Dispute storage dispute = _unconcluded(c);
        bool over = block.timestamp > dispute.ruleBy || c.isSettled();
        if (!over) revert NotOver(dispute.ruleBy, block.timestamp);

        _conclude(c, dispute);
    }

    /* VIEWS */

    /// @inheritdoc IPanelArbiter
    function panels() external view returns (address[] memory first, address[] memory onAppeal) {
        return (_firstPanel, _appealPanel);
    }

    /// @inheritdoc IPanelArbiter
    function costs() external view returns (uint256 toDispute, uint256 toAppeal) {
        return (_costToDispute(), _costToAppeal());
    }

    /// @inheritdoc IPanelArbiter
    function disputeOf(Case calldata c) external view returns (Dispute memory) {
        return _disputes[c.key()];
    }

    /// @inheritdoc IPanelArbiter
    function clocks(Case calldata c) external view returns (Clocks memory) {
        Dispute storage dispute = _existing(c);
        return Clocks(
            uint40(_end(dispute, EVIDENCE_END)),
            uint40(_end(dispute, VOTING_END)),
            uint40(_end(dispute, APPEAL_END)),
            uint40(_end(dispute, APPEAL_EVIDENCE_END)),
            uint40(_end(dispute, APPEAL_VOTING_END)),
            dispute.ruleBy
        );
    }

    /// @inheritdoc IPanelArbiter
    function tally(Case calldata c, Round round) external view returns (uint256 votes, bool decided, uint16 payeeBps) {
        Dispute storage dispute = _existing(c);
        votes = _votes(dispute, round).count(_size(round));
        (decided, payeeBps) = _median(dispute, round);
    }

    /// @inheritdoc IPanelArbiter
    function outcome(Case calldata c) external view returns (uint256 readyAt, bool decided, uint16 payeeBps) {
        return _outcome(_existing(c));
    }

    /// @inheritdoc IPanelArbiter
    function digest(Case calldata c, address member, uint16 payeeBps, uint40 deadline) public view returns (bytes32) {
        return _typedDataHash(
            keccak256(abi.encode(VOTE_TYPEHASH, member, c.escrow, c.agreement, c.milestone, payeeBps, deadline))
        );
    }

    /* WHO SITS WHERE */

    function _domainName() internal pure override returns (string memory) {
        return "Milepost PanelArbiter";
    }

    function _seat(address[] memory members, Round round) private {
        uint256 size = members.length;
        if (size > MAX_PANEL || size % 2 == 0) revert BadPanelSize(size);
        address previous = address(0);
        for (uint256 i = 0; i < size; ++i) {
            address member = members[i];
            if (member <= previous) revert MembersNotAscending(i, member);
            if (_seats[member].round != Round.None) revert SeatedTwice(member);
            _seats[member] = Seat(round, uint8(i));
            previous = member;
        }
    }

    function _size(Round round) private view returns (uint256) {
        return round == Round.Appeal ? _appealPanel.length : _firstPanel.length;
    }

    /* WHICH DISPUTE */

    function _existing(Case memory c) private view returns (Dispute storage dispute) {
        dispute = _disputes[c.key()];
        if (dispute.openedAt == 0) revert NoDispute(c.escrow, c.agreement, c.milestone);
    }

    function _unconcluded(Case memory c) private view returns (Dispute storage dispute) {
        dispute = _existing(c);
        if (dispute.concluded) revert AlreadyConcluded(c.escrow, c.agreement, c.milestone);
    }

    /// @dev A dispute that still needs a ruling: no fee is earned, and no bond risked, for one that the parties ended.
    function _live(Case memory c) private view returns (Dispute storage dispute) {
        dispute = _unconcluded(c);
        if (c.isSettled()) revert AlreadySettled(c.agreement, uint8(c.milestone));
    }

    /* WHEN */

    /// @dev The last second of the period that ends after so many tenths.
    function _end(Dispute storage dispute, uint256 tenths) private view returns (uint256) {
        uint256 openedAt = dispute.openedAt;
        return openedAt + (dispute.ruleBy - openedAt) * tenths / TENTHS;
    }

    function _requireWithin(Dispute storage dispute, uint256 after_, uint256 until) private view {
        uint256 firstSecond = _end(dispute, after_) + 1;
        if (block.timestamp < firstSecond) revert TooEarly(firstSecond, block.timestamp);
        _requireNotAfter(_end(dispute, until));
    }

    function _requireNotAfter(uint256 lastSecond) private view {
        if (block.timestamp > lastSecond) revert TooLate(lastSecond, block.timestamp);
    }

    /* WHAT WAS DECIDED */

    function _votes(Dispute storage dispute, Round round) private view returns (uint256) {
        return round == Round.Appeal ? dispute.appealVotes : dispute.votes;
    }

    function _hasVoted(Dispute storage dispute, address member) private view returns (bool) {
        Seat memory seat = _seats[member];
        return seat.round != Round.None && _votes(dispute, seat.round).has(seat.index);
    }

    function _count(Case calldata c, Dispute storage dispute, address member, uint16 payeeBps) private {
        Seat memory seat = _seats[member];
        if (seat.round == Round.None) revert NotOnPanel(member);
        if (payeeBps > BPS) revert BpsTooLarge(payeeBps);

        if (seat.round == Round.First) {
            _requireWithin(dispute, EVIDENCE_END, VOTING_END);
            dispute.votes = dispute.votes.add(seat.index, payeeBps);
        } else {
            if (dispute.appellant == address(0)) revert NotAppealed(c.escrow, c.agreement, c.milestone);
            _requireWithin(dispute, APPEAL_EVIDENCE_END, APPEAL_VOTING_END);
            dispute.appealVotes = dispute.appealVotes.add(seat.index, payeeBps);
        }

        emit Voted(c.escrow, c.agreement, c.milestone, member, payeeBps);
        _credit(member, FEE);
    }

    function _median(Dispute storage dispute, Round round) private view returns (bool decided, uint16 payeeBps) {
        return _votes(dispute, round).median(_size(round));
    }

    /// @dev An appeal panel's ruling is final once the missing votes cannot change it, for no vote can be taken back. The first
    /// panel's must wait until nobody can appeal any more, or the appeal has come to nothing.
    function _outcome(Dispute storage dispute) private view returns (uint256 readyAt, bool decided, uint16 payeeBps) {
        bool appealed = dispute.appellant != address(0);
        if (appealed) (decided, payeeBps) = _median(dispute, Round.Appeal);
        if (decided) return (0, true, payeeBps);

        readyAt = _end(dispute, appealed ? APPEAL_VOTING_END : APPEAL_END) + 1;
        (decided, payeeBps) = _median(dispute, Round.First);
    }

    /// @dev What an appeal is against: the first panel's ruling, or without one the share that stands.
    function _appealed(Case calldata c, Dispute storage dispute) private view returns (uint16) {
        (bool decided, uint16 payeeBps) = _median(dispute, Round.First);
        if (decided) return payeeBps;
        (,,,, uint16 standingBps) = IEscrow(c.escrow).milestone(c.agreement, uint8(c.milestone));
        return standingBps;
    }

    /* MONEY */

    function _costToDispute() private view returns (uint256) {
        return FEE * _size(Round.First);
    }

    function _costToAppeal() private view returns (uint256) {
        return FEE * _size(Round.Appeal) + BOND;
    }

    function _requireValue(uint256 want) private view {
        if (msg.value != want) revert WrongValue(msg.value, want);
    }

    /// @dev Each wei that a dispute brought in leaves it by the end: fees as votes came, here the rest and the bond.
    function _conclude(Case memory c, Dispute storage dispute) private {
        dispute.concluded = true;

        emit Concluded(c.escrow, c.agreement, c.milestone);
        _credit(dispute.by, _unearned(dispute, Round.First));
        if (dispute.appellant == address(0)) return;
        _credit(dispute.appellant, _unearned(dispute, Round.Appeal));
        _credit(_appealLost(dispute) ? dispute.opponent : dispute.appellant, BOND);
    }

    function _unearned(Dispute storage dispute, Round round) private view returns (uint256) {
        uint256 size = _size(round);
        return FEE * (size - _votes(dispute, round).count(size));
    }

    function _appealLost(Dispute storage dispute) private view returns (bool) {
        (bool decided, uint16 payeeBps) = _median(dispute, Round.Appeal);
        if (!decided) return false;
        return dispute.payeeAppealed ? payeeBps <= dispute.appealedBps : payeeBps >= dispute.appealedBps;
    }
}
