// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IEscrow, Terms } from "@interfaces/IEscrow.sol";
import { Parties } from "./Parties.sol";
import { Vm, vm } from "./Vm.sol";

/// @title The payee's acceptance in writing
contract AcceptTest is Parties {
    function _expectAccepted(Vm.Log[] memory logs, bytes32 id) private view {
        assertEq(logs.length, 1, "one event");
        assertEq(logs[0].topics[0], IEscrow.Accepted.selector, "Accepted");
        assertEq(logs[0].topics[1], id, "id");
        assertEq(keccak256(logs[0].data), keccak256(abi.encode(payee)), "by");
    }

    function test_accept_records_the_payees_signature_over_the_id() public {
        bytes32 id = escrow.agreementId(_signedTerms(), _schedule(3));
        vm.recordLogs();
        bytes32 accepted = escrow.accept(_signedTerms(), _schedule(3), _long(PAYEE_KEY, id));
        _expectAccepted(vm.getRecordedLogs(), id);
        assertEq(accepted, id, "returned");
    }

    function test_accept_takes_the_payee_as_caller() public {
        vm.recordLogs();
        vm.prank(payee);
        escrow.accept(_signedTerms(), _schedule(3), "");
        _expectAccepted(vm.getRecordedLogs(), escrow.agreementId(_signedTerms(), _schedule(3)));
    }

    function test_accept_changes_nothing_and_can_be_repeated() public {
        (, bytes32 id) = _fundSigned(_signedTerms());
        bytes memory signature = _long(PAYEE_KEY, id);
        escrow.accept(_signedTerms(), _schedule(3), signature);
        escrow.accept(_signedTerms(), _schedule(3), signature);
        (uint64 funded, uint64 closed) = escrow.state(id);
        assertEq(funded, 7, "funded");
        assertEq(closed, 0, "closed");
    }

    function test_accept_refuses_anyone_elses_signature() public {
        bytes32 id = escrow.agreementId(_signedTerms(), _schedule(3));
        bytes memory payerSig = _long(PAYER_KEY, id);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
        escrow.accept(_signedTerms(), _schedule(3), payerSig);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
        vm.prank(payer);
        escrow.accept(_signedTerms(), _schedule(3), "");
    }

    function test_accept_refuses_a_signature_over_other_terms() public {
        bytes memory signature = _long(PAYEE_KEY, escrow.agreementId(_signedTerms(), _schedule(2)));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
        escrow.accept(_signedTerms(), _schedule(3), signature);
    }

    /// @dev A signature that recovers to nobody must not count for terms whose payee is nobody.
    function test_accept_refuses_a_broken_signature_for_a_zero_payee() public {
        Terms memory terms = _signedTerms();
        terms.payee = address(0);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, address(0)));
        escrow.accept(terms, _schedule(3), new bytes(65));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, address(0)));
        escrow.accept(terms, _schedule(3), new bytes(64));
    }

    function test_accept_stops_on_a_renumbered_chain() public {
        vm.chainId(DEPLOYED_CHAIN + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongChain.selector, DEPLOYED_CHAIN + 1, DEPLOYED_CHAIN));
        vm.prank(payee);
        escrow.accept(_signedTerms(), _schedule(3), "");
    }
}
