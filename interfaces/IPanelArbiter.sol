// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC5267 } from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import { IArbiter } from "./IArbiter.sol";
import { Case } from "./Case.sol";
import { Milestone, Part, Terms } from "./IEscrow.sol";
import { INativeCredits } from "./INativeCredits.sol";

/// @notice Which panel sits.
enum Round {
    None,
    First,
    Appeal
}

/// @notice A member's vote that somebody else delivers.
struct Ballot {
    address member;
    uint16 payeeBps; // payee's share in 1/10000
    uint40 deadline; // unix s: last second in which it may be delivered
    bytes signature; // the member's, over `digest`
}

/// @notice One dispute. Votes: 16 bits a seat, lowest seat in the lowest bits, 0 = none yet, else the share in bps + 1.
struct Dispute {
    address by; // who disputed, and paid the first panel
    uint40 openedAt; // unix s; 0 = no such dispute
    uint40 ruleBy; // unix s: last second in which the escrow takes a ruling
    bool concluded; // its money is paid out
    address appellant; // who appealed, and paid for it; 0 = nobody
    uint16 appealedBps; // what the appeal is against: the first panel's ruling, or without one the share that stands
    bool payeeAppealed;
    address opponent; // the other party
    uint256 votes; // of the first panel
    uint256 appealVotes; // of the appeal panel
}

/// @notice The last second of each period, unix s. A period begins the second after the one before it.
struct Clocks {
    uint40 evidenceEnd;
    uint40 votingEnd;
    uint40 appealEnd; // until here a party may appeal; without an appeal the ruling may be executed from the next second
    uint40 appealEvidenceEnd;
    uint40 appealVotingEnd;
    uint40 ruleBy;
}

/// @title A panel of people that rules on disputed milestones, and a larger one to appeal to
/// @notice An agreement names this contract as its arbiter, with `arbiterHook`. It serves any escrow, and keeps what any
/// two escrows tell it apart. Panels, fee and bond are fixed at deployment; nobody administers anything. The rules are
/// docs/protocol.md section 6.
///
/// **What is voted, and what wins.** A vote is the payee's share, any value from 0 to 10000 bps. Votes are public and
/// final: the first one of a member that arrives counts. The ruling is the median of the whole panel's votes, and there
/// is one as soon as the votes still missing cannot change it. So a majority that votes alike decides, whatever the rest
/// do or do not do; a panel that votes completely always decides (panels are odd); and nobody moves the median his way by
/// exaggerating. In any other case, a tie or too many no-shows, there is no ruling, and what stood before stands.
///
/// **When.** Tenths of the time from the dispute to `ruleBy`: evidence 2, voting 3, appeal 1, and if there is one, evidence
/// 1 and voting 2; the last tenth is left for delivery. See `clocks`. A dispute with less than 5 days until `ruleBy` is
/// refused.
///
/// **Who delivers.** Anyone, with `execute`. Whoever the ruling favours has the reason to.
///
/// **Money.** All in native currency. The disputer pays `fee` for each seat of the first panel, an appellant `fee` for each
/// seat of the appeal panel and a bond. A vote that counts earns its member the fee, whatever it says. Fees not earned go
/// back. The bond goes back too, unless the appeal panel rules no better for the appellant than what he appealed against:
/// then it is the other party's. Everything becomes a credit of its owner (`withdraw`).
interface IPanelArbiter is IArbiter, IERC5267, INativeCredits {
    /* EVENTS */

    /// @notice A dispute begins; what the disputer said is in the escrow's `Disputed`.
    event Opened(
        address indexed escrow, bytes32 indexed agreement, uint256 milestone, address by, uint128 amount, uint40 ruleBy
    );
    /// @notice A party shows something.
    event Evidence(
        address indexed escrow, bytes32 indexed agreement, uint256 milestone, address indexed party, string uri
    );
    /// @notice A vote counts.
    event Voted(
        address indexed escrow, bytes32 indexed agreement, uint256 milestone, address indexed member, uint16 payeeBps
    );
    /// @notice A party appealed against `appealedBps`: the first ruling, or without one the share that stands.
    event Appealed(
        address indexed escrow,
        bytes32 indexed agreement,
        uint256 milestone,
        address indexed appellant,
        uint16 appealedBps
    );
    /// @notice The ruling was delivered to the escrow.
    event Executed(address indexed escrow, bytes32 indexed agreement, uint256 milestone, uint16 payeeBps);
    /// @notice The dispute is over; its fees and bond became credits.
    event Concluded(address indexed escrow, bytes32 indexed agreement, uint256 milestone);

    /* ERRORS */

    /// @notice A panel needs an odd number of members, from 1 to 15.
    error BadPanelSize(uint256 size);
    /// @notice Members must be nonzero and strictly ascending: nobody is listed twice.
    error MembersNotAscending(uint256 index, address member);
    /// @notice An appeal goes to more people than judged first.
    error AppealPanelNotLarger(uint256 have, uint256 first);
    /// @notice Nobody sits in both panels: an appeal is judged by others.
    error SeatedTwice(address member);

    /// @notice This milestone was disputed before: its clock does not start again.
    error AlreadyDisputed(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice Nobody disputed this milestone before this contract.
    error NoDispute(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice The dispute is over, and its money paid out.
    error AlreadyConcluded(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice The milestone is settled at its escrow: nothing remains to be ruled.
    error AlreadySettled(bytes32 id, uint8 index);
    /// @notice The time until `ruleBy` is too short for evidence, votes and an appeal.
    error RulingWindowTooShort(uint256 have, uint256 want);
    /// @notice The call must carry exactly the fees, and for an appeal the bond.
    error WrongValue(uint256 have, uint256 want);
    /// @notice The terms and milestones are another agreement than the one named.
    error WrongAgreement(bytes32 have, bytes32 want);
    /// @notice The caller is neither payer nor payee.
    error NotParty(address caller);
    /// @notice The period for this has not begun.
    error TooEarly(uint256 firstSecond, uint256 timestamp);
    /// @notice The period for this, or the ballot's deadline, is over.
    error TooLate(uint256 lastSecond, uint256 timestamp);

    /// @notice This account sits on neither panel.
    error NotOnPanel(address who);
    /// @notice The appeal panel votes only after an appeal.
    error NotAppealed(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice There is one appeal, and it decides anew for either party.
    error AlreadyAppealed(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice The member voted: its first vote is final.
    error AlreadyVoted(address member);
    /// @notice A share is above the whole, 10,000.
    error BpsTooLarge(uint16 have);
    /// @notice Signed votes count only on the chain that the contract was deployed on.
    error WrongChain(uint256 have, uint256 want);
    /// @notice Neither the member's key nor its contract (ERC-1271) signed this.
    error NotSignedBy(address party);
    /// @notice The panel did not come to a ruling: what stands at the escrow, stands.
    error NoRuling(address escrow, bytes32 agreement, uint256 milestone);
    /// @notice The milestone is still open at its escrow, and may be ruled until `ruleBy`.
    error NotOver(uint40 ruleBy, uint256 timestamp);

    /* A DISPUTE'S LIFE */

    /// @notice A party shows the panel something: in the evidence period, and again in the appeal's.
    /// @dev Emits `Evidence`. Reverts with `NoDispute`, `AlreadyConcluded`, `AlreadySettled`, `WrongAgreement`, `NotParty` or
    /// `TooLate`.
    /// @param terms the agreement's, with all its `milestones`: they show who the parties are
    /// @param uri where the evidence is, or the evidence itself; not looked at
    /// @custom:caller the payer or the payee
    function submitEvidence(Case calldata c, Terms calldata terms, Milestone[] calldata milestones, string calldata uri)
        external;

    /// @notice A member votes, in its panel's voting period. No vote can be changed.
    /// @dev Emits `Voted` and `Credited`. Reverts with `NoDispute`, `AlreadyConcluded`, `AlreadySettled`, `NotOnPanel`,
    /// `BpsTooLarge`, `NotAppealed`, `TooEarly`, `TooLate` or `AlreadyVoted`.
    /// @param payeeBps payee's share in 1/10000
    /// @custom:caller a member of the panel that sits
    function vote(Case calldata c, uint16 payeeBps) external;

    /// @notice Anyone delivers votes that members signed. Votes of members that voted already are skipped, so that nobody
    /// can spoil a delivery by coming first with a part of it. A member that is a contract can spoil one: deliver its vote
    /// by itself.
    /// @dev Emits and reverts as `vote`, and with `WrongChain`, `TooLate` (a ballot's deadline) or `NotSignedBy`.
    /// @return counted how many votes counted now
    /// @custom:caller anyone, with what members signed
    function deliverVotes(Case calldata c, Ballot[] calldata ballots) external returns (uint256 counted);

    /// @notice A party takes the case to the appeal panel, once, in the appeal period: against the ruling, or because there
    /// is none. Costs what `costs` says.
    /// @dev Emits `Appealed`. Reverts with `NoDispute`, `AlreadyConcluded`, `AlreadySettled`, `AlreadyAppealed`, `TooEarly`,
    /// `TooLate`, `WrongAgreement`, `NotParty` or `WrongValue`.
    /// @param terms the agreement's, with all its `milestones`: they show who the parties are
    /// @custom:caller the payer or the payee
    function appeal(Case calldata c, Terms calldata terms, Milestone[] calldata milestones) external payable;

    /// @notice Delivers the ruling to the escrow, and concludes; anyone may, until `ruleBy`. The appeal panel's ruling as soon
    /// as it is decided; the first panel's once nobody appealed in time, or the appeal came to nothing.
    /// @dev Emits `Executed` and `Concluded`. Reverts with `NoDispute`, `AlreadyConcluded`, `TooEarly`, `NoRuling`, or the
    /// escrow's own error: after `AlreadySettled` and `TooLate` there is `conclude`.
    /// @param part the milestone at the escrow
    /// @custom:caller anyone
    function execute(address escrow, bytes32 agreement, Part calldata part) external;

    /// @notice Ends a dispute that is over at the escrow without a ruling of this panel, because the parties agreed or time ran
    /// out; anyone may.
    /// @dev Emits `Concluded`. Reverts with `NoDispute`, `AlreadyConcluded` or `NotOver`.
    /// @custom:caller anyone
    function conclude(Case calldata c) external;

    /* VIEWS */

    /// @notice Both panels, each by ascending address.
    function panels() external view returns (address[] memory first, address[] memory onAppeal);

    /// @notice What a dispute and an appeal cost, in wei: the call must carry exactly that.
    function costs() external view returns (uint256 toDispute, uint256 toAppeal);

    /// @notice All that is known of a dispute; zero where there is none.
    function disputeOf(Case calldata c) external view returns (Dispute memory);

    /// @notice The dispute's periods; reverts with `NoDispute`.
    function clocks(Case calldata c) external view returns (Clocks memory);

    /// @notice How a panel stands.
    /// @return votes how many counted
    /// @return decided whether the votes still missing can change nothing
    /// @return payeeBps the ruling, if decided
    function tally(Case calldata c, Round round) external view returns (uint256 votes, bool decided, uint16 payeeBps);

    /// @notice What `execute` would deliver; reverts with `NoDispute`.
    /// @return readyAt first second at which it may be executed, unix s; 0 once the appeal panel decided
    /// @return decided whether there is a ruling, as things stand
    /// @return payeeBps the ruling, if decided
    function outcome(Case calldata c) external view returns (uint256 readyAt, bool decided, uint16 payeeBps);

    /// @notice What a member signs: the EIP-712 hash of its vote under this contract's domain, which is fixed at deployment.
    /// @dev Type `Vote(address member,address escrow,bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 deadline)`.
    function digest(Case calldata c, address member, uint16 payeeBps, uint40 deadline) external view returns (bytes32);
}
