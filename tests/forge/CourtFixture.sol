// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IArbitrator } from "@kleros/erc-792/contracts/IArbitrator.sol";
import { SimpleCentralizedArbitrator } from "@kleros/erc-792/contracts/examples/SimpleCentralizedArbitrator.sol";
import { Erc792Arbiter } from "../../contracts/Erc792Arbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { Part, Terms } from "@interfaces/IEscrow.sol";
import { Fixture } from "./Fixture.sol";
import { vm } from "./Vm.sol";
import { HostileCourt } from "./mocks/Courts.sol";

/// @title What the tests of ERC-792 courts start from
/// @notice Kleros's own simple court, behind an adapter with steps of a tenth, as the arbiter of the fixture's agreement.
abstract contract CourtFixture is Fixture {
    uint256 internal constant PRICE = 0.1 ether; // the simple court's
    uint16 internal constant AWARDED = 7000; // what stands if the court does not rule
    bytes internal constant EXTRA_DATA = hex"0102";

    SimpleCentralizedArbitrator internal court; // this test is its judge
    Erc792Arbiter internal adapter;

    function setUp() public virtual override {
        super.setUp();
        court = new SimpleCentralizedArbitrator();
        adapter = _adapterTo(court, 11);
        vm.deal(PAYER, 100 ether);
        vm.deal(PAYEE, 100 ether);
    }

    function _adapterTo(IArbitrator to, uint256 choices) internal returns (Erc792Arbiter) {
        return new Erc792Arbiter(to, EXTRA_DATA, choices, "ipfs://question");
    }

    function _courtTerms() internal view returns (Terms memory terms) {
        terms = _terms();
        terms.arbiter = address(adapter);
        terms.arbiterHook = true;
    }

    function _caseOf(Part memory part) internal view returns (Case memory) {
        return Case(address(escrow), _id(part), part.index);
    }

    function _awarded() internal returns (Part memory part, Case memory c) {
        (part,) = _fund(_courtTerms());
        _award(part, AWARDED);
        c = _caseOf(part);
    }

    /// @dev Awarded 70 %, and disputed by the payer.
    function _disputed() internal returns (Part memory part, Case memory c) {
        (part, c) = _awarded();
        _disputeWith(part, PAYER, PRICE);
    }

    function _disputeWith(Part memory part, address by, uint256 value) internal {
        vm.prank(by);
        escrow.dispute{ value: value }(part, "");
    }

    /// @dev The simple court rules on the fixture's first dispute: its number is 0.
    function _ruled(uint256 choice) internal {
        court.rule(0, choice);
    }

    function _execute(Case memory c, Part memory part) internal {
        vm.prank(KEEPER);
        adapter.execute(c.escrow, c.agreement, part);
    }

    /// @dev A court that does as it is told, behind an adapter of its own; disputes cost nothing there.
    function _hostile() internal returns (HostileCourt hostile) {
        hostile = new HostileCourt();
        adapter = _adapterTo(hostile, 11);
    }

    function _about(bytes4 error_, Case memory c) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(error_, c.escrow, c.agreement, c.milestone);
    }

    function _expectPaid(uint16 bps) internal view {
        assertEq(play.balanceOf(PAYEE), uint256(AMOUNT) * bps / 10_000, "paid to the payee");
    }
}
