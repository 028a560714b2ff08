// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Safe } from "@safe-global/safe-smart-account/contracts/Safe.sol";
import {
    CompatibilityFallbackHandler
} from "@safe-global/safe-smart-account/contracts/handler/CompatibilityFallbackHandler.sol";
import { ISafe } from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import { Enum } from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import { SafeProxyFactory } from "@safe-global/safe-smart-account/contracts/proxies/SafeProxyFactory.sol";
import { PanelArbiter } from "../../contracts/PanelArbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { Part, Terms } from "@interfaces/IEscrow.sol";
import { Ballot, IPanelArbiter, Round } from "@interfaces/IPanelArbiter.sol";
import { PanelFixture } from "./PanelFixture.sol";
import { vm } from "./Vm.sol";

/// @title Real Safes, two owners who must both sign, as a member of a panel and as the party that pays it
contract PanelSafeTest is PanelFixture {
    Safe private safe;
    uint256[] private ownerKeys; // in the order of their addresses

    function setUp() public override {
        super.setUp();
        ownerKeys = _people("owner", 2);
        safe = _newSafe();
    }

    function _newSafe() private returns (Safe) {
        address[] memory owners = _addresses(ownerKeys);
        address handler = address(new CompatibilityFallbackHandler());
        bytes memory setup =
            abi.encodeCall(Safe.setup, (owners, 2, address(0), "", handler, address(0), 0, payable(address(0))));
        return Safe(payable(address(new SafeProxyFactory().createProxyWithNonce(address(new Safe()), setup, 0))));
    }

    function _signedBy(bytes32 digest, uint256 owners) private view returns (bytes memory signatures) {
        for (uint256 i = 0; i < owners; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(ownerKeys[i], digest);
            signatures = abi.encodePacked(signatures, r, s, v);
        }
    }

    /// @dev A transaction of the Safe, signed by both owners and sent by a stranger.
    function _exec(address to, uint256 value, bytes memory data) private {
        bytes32 digest = safe.getTransactionHash(
            to, value, data, Enum.Operation.Call, 0, 0, 0, address(0), address(0), safe.nonce()
        );
        bytes memory signatures = _signedBy(digest, 2);
        vm.prank(STRANGER);
        bool worked = safe.execTransaction(
            to, value, data, Enum.Operation.Call, 0, 0, 0, address(0), payable(address(0)), signatures
        );
        assertTrue(worked, "executed");
    }

    /// @dev A panel of one, the Safe, and a dispute before it.
    function _disputedBeforeTheSafe() private returns (Part memory part, Case memory c) {
        address[] memory one = new address[](1);
        one[0] = address(safe);
        panel = new PanelArbiter(one, _addresses(appealKeys), FEE, BOND);
        (part,) = _fund(_panelTerms());
        _award(part, AWARDED);
        _disputeWith(part, PAYER, FEE);
        c = _caseOf(part);
        vm.warp(EVIDENCE_END + 1);
    }

    function _ballotOfSafe(Case memory c, uint256 owners) private view returns (Ballot[] memory) {
        bytes32 digest = panel.digest(c, address(safe), 4000, uint40(RULE_BY));
        bytes32 message = CompatibilityFallbackHandler(address(safe))
            .getMessageHashForSafe(ISafe(payable(address(safe))), abi.encode(digest));
        return _one(Ballot(address(safe), 4000, uint40(RULE_BY), _signedBy(message, owners)));
    }

    function test_panel_counts_the_signed_vote_of_a_safe() public {
        (, Case memory c) = _disputedBeforeTheSafe();
        Ballot[] memory half = _ballotOfSafe(c, 1);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotSignedBy.selector, address(safe)));
        panel.deliverVotes(c, half);
        assertEq(panel.deliverVotes(c, _ballotOfSafe(c, 2)), 1, "counted");
        (, bool decided, uint16 bps) = panel.tally(c, Round.First);
        assertTrue(decided, "decided");
        assertEq(bps, 4000, "as it signed");
    }

    function test_panel_counts_the_vote_that_a_safe_sends() public {
        (, Case memory c) = _disputedBeforeTheSafe();
        _exec(address(panel), 0, abi.encodeCall(panel.vote, (c, 4000)));
        _exec(address(panel), 0, abi.encodeCall(panel.withdraw, (address(safe))));
        assertEq(address(safe).balance, FEE, "and it takes its fee");
    }

    function test_panel_is_paid_by_a_safe_that_disputes_and_appeals() public {
        Terms memory terms = _panelTerms();
        terms.payer = address(safe);
        (Part memory part,) = _fund(terms);
        _award(part, AWARDED);
        vm.deal(address(safe), 10 ether);
        _exec(address(escrow), TO_DISPUTE, abi.encodeCall(escrow.dispute, (part, "")));
        Case memory c = _caseOf(part);
        _ruled(c, 9000, 9000);
        vm.warp(VOTING_END + 1);
        _exec(address(panel), TO_APPEAL, abi.encodeCall(panel.appeal, (c, terms, _schedule(3))));
        _exec(address(panel), 0, abi.encodeCall(panel.submitEvidence, (c, terms, _schedule(3), "ipfs://evidence")));
        vm.warp(APPEAL_EVIDENCE_END + 1);
        _voteOnAppeal(c, 5, 2000);
        _execute(c, part);
        _expectPaid(2000);
        _exec(address(panel), 0, abi.encodeCall(panel.withdraw, (address(safe))));
        // It paid for two votes of the first panel and for five on appeal, and has its bond again.
        assertEq(address(safe).balance, 10 ether - 7 * uint256(FEE), "all but the fees that were earned");
    }
}
