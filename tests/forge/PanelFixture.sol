// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { PanelArbiter } from "../../contracts/PanelArbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Ballot, IPanelArbiter } from "@interfaces/IPanelArbiter.sol";
import { Fixture } from "./Fixture.sol";
import { vm } from "./Vm.sol";

/// @title What the panel's tests start from
/// @notice A panel of 3 with an appeal panel of 5, as the arbiter of the fixture's agreement.
abstract contract PanelFixture is Fixture {
    uint128 internal constant FEE = 0.01 ether;
    uint128 internal constant BOND = 1 ether;
    uint256 internal constant TO_DISPUTE = 3 * uint256(FEE);
    uint256 internal constant TO_APPEAL = 5 * uint256(FEE) + BOND;
    uint16 internal constant AWARDED = 7000; // what stands if the panel does not rule

    // The periods of a dispute at START, from RULING = 10 days.
    uint256 internal constant EVIDENCE_END = START + 2 days;
    uint256 internal constant VOTING_END = START + 5 days;
    uint256 internal constant APPEAL_END = START + 6 days;
    uint256 internal constant APPEAL_EVIDENCE_END = START + 7 days;
    uint256 internal constant APPEAL_VOTING_END = START + 9 days;
    uint256 internal constant RULE_BY = START + 10 days;

    PanelArbiter internal panel;
    uint256[] internal firstKeys; // in member order
    uint256[] internal appealKeys;

    function setUp() public virtual override {
        super.setUp();
        firstKeys = _people("panelist", 3);
        appealKeys = _people("appeal panelist", 5);
        panel = _newPanel();
        vm.deal(PAYER, 100 ether);
        vm.deal(PAYEE, 100 ether);
    }

    /* PEOPLE */

    /// @dev Keys in the order of their addresses.
    function _people(string memory label, uint256 count) internal pure returns (uint256[] memory people) {
        people = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = uint256(keccak256(abi.encode(label, i)));
            uint256 place = i;
            while (place > 0 && vm.addr(people[place - 1]) > vm.addr(key)) {
                people[place] = people[place - 1];
                --place;
            }
            people[place] = key;
        }
    }

    function _addresses(uint256[] memory people) internal pure returns (address[] memory addresses) {
        addresses = new address[](people.length);
        for (uint256 i = 0; i < people.length; ++i) {
            addresses[i] = vm.addr(people[i]);
        }
    }

    function _newPanel() internal returns (PanelArbiter) {
        return new PanelArbiter(_addresses(firstKeys), _addresses(appealKeys), FEE, BOND);
    }

    function _first(uint256 i) internal view returns (address) {
        return vm.addr(firstKeys[i]);
    }

    function _onAppeal(uint256 i) internal view returns (address) {
        return vm.addr(appealKeys[i]);
    }

    /* DOING */

    function _panelTerms() internal view returns (Terms memory terms) {
        terms = _terms();
        terms.arbiter = address(panel);
        terms.arbiterHook = true;
    }

    function _caseOf(Part memory part) internal view returns (Case memory) {
        return Case(address(escrow), _id(part), part.index);
    }

    /// @dev Awarded 70 %, and disputed by the payer.
    function _disputed() internal returns (Part memory part, Case memory c) {
        return _disputed(_panelTerms(), PAYER);
    }

    function _disputed(Terms memory terms, address by) internal returns (Part memory part, Case memory c) {
        (part,) = _fund(terms);
        _award(part, AWARDED);
        _disputeWith(part, by, TO_DISPUTE);
        c = _caseOf(part);
    }

    function _disputeWith(Part memory part, address by, uint256 value) internal {
        vm.prank(by);
        escrow.dispute{ value: value }(part, "");
    }

    function _vote(Case memory c, address member, uint16 bps) internal {
        vm.prank(member);
        panel.vote(c, bps);
    }

    /// @dev The first panel votes, as soon as it may.
    function _ruled(Case memory c, uint16 bps0, uint16 bps1) internal {
        vm.warp(EVIDENCE_END + 1);
        _vote(c, _first(0), bps0);
        _vote(c, _first(1), bps1);
    }

    function _appeal(Case memory c, Part memory part, address by) internal {
        vm.prank(by);
        panel.appeal{ value: TO_APPEAL }(c, part.terms, _schedule(part.leaves.length));
    }

    /// @dev The first panel ruled, somebody appealed, and the appeal panel may vote.
    function _appealed(uint16 bps, address by) internal returns (Part memory part, Case memory c) {
        (part, c) = _disputed();
        _ruled(c, bps, bps);
        vm.warp(VOTING_END + 1);
        _appeal(c, part, by);
        vm.warp(APPEAL_EVIDENCE_END + 1);
    }

    function _voteOnAppeal(Case memory c, uint256 votes, uint16 bps) internal {
        for (uint256 i = 0; i < votes; ++i) {
            _vote(c, _onAppeal(i), bps);
        }
    }

    function _execute(Case memory c, Part memory part) internal {
        vm.prank(KEEPER);
        panel.execute(c.escrow, c.agreement, part);
    }

    function _ballot(PanelArbiter panel_, Case memory c, uint256 key, uint16 bps, uint40 deadline)
        internal
        view
        returns (Ballot memory)
    {
        bytes32 digest = panel_.digest(c, vm.addr(key), bps, deadline);
        return Ballot(vm.addr(key), bps, deadline, _signature(key, digest));
    }

    function _ballots(Case memory c, uint256[] memory people, uint256 count, uint16 bps)
        internal
        view
        returns (Ballot[] memory ballots)
    {
        ballots = new Ballot[](count);
        for (uint256 i = 0; i < count; ++i) {
            ballots[i] = _ballot(panel, c, people[i], bps, uint40(RULE_BY));
        }
    }

    function _one(Ballot memory ballot) internal pure returns (Ballot[] memory ballots) {
        ballots = new Ballot[](1);
        ballots[0] = ballot;
    }

    /* EXPECTING */

    /// @dev An error that names the case.
    function _about(bytes4 error_, Case memory c) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(error_, c.escrow, c.agreement, c.milestone);
    }

    function _expectTooEarly(uint256 firstSecond) internal {
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.TooEarly.selector, firstSecond, vm.getBlockTimestamp()));
    }

    function _expectTooLate(uint256 lastSecond) internal {
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.TooLate.selector, lastSecond, vm.getBlockTimestamp()));
    }

    function _expectOutcome(Case memory c, uint256 wantReadyAt, bool wantDecided, uint16 wantBps) internal view {
        (uint256 readyAt, bool decided, uint16 bps) = panel.outcome(c);
        assertEq(readyAt, wantReadyAt, "readyAt");
        assertTrue(decided == wantDecided, "decided");
        assertEq(bps, wantBps, "bps");
    }

    /// @dev Whatever came in and was not withdrawn is somebody's.
    function _expectCredit(address who, uint256 want, string memory what) internal view {
        assertEq(panel.credit(who), want, what);
    }

    /// @dev The payee's part of a milestone.
    function _expectPaid(uint16 bps) internal view {
        assertEq(play.balanceOf(PAYEE), uint256(AMOUNT) * bps / 10_000, "paid to the payee");
    }
}
