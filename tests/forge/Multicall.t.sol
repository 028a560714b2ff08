// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Parties } from "./Parties.sol";
import { vm } from "./Vm.sol";

/// @title Calls the escrow again when native currency arrives
contract MulticallReceiver {
    Escrow private immutable ESCROW;
    bytes[] private calls;
    bool public arrived;

    constructor(Escrow escrow) {
        ESCROW = escrow;
    }

    function plan(bytes calldata data) external {
        calls.push(data);
    }

    receive() external payable {
        ESCROW.multicall(calls);
        arrived = true;
    }
}

/// @title Several calls in one
contract MulticallTest is Parties {
    bytes[] private calls;

    function test_multicall_makes_all_calls_in_the_callers_name() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        Part memory second = _part(part.terms, _schedule(3), 1);
        calls.push(abi.encodeCall(Escrow.approve, (part)));
        calls.push(abi.encodeCall(Escrow.approve, (second)));
        vm.prank(payer);
        escrow.multicall(calls);
        _expectSettled(id, 0);
        _expectSettled(id, 1);
    }

    function test_multicall_returns_what_each_call_returned() public {
        calls.push(abi.encodeCall(Escrow.agreementId, (_signedTerms(), _schedule(3))));
        calls.push(abi.encodeCall(Escrow.fund, (_signedTerms(), _schedule(3), 7)));
        vm.prank(payer);
        bytes[] memory results = escrow.multicall(calls);
        assertEq(abi.decode(results[0], (bytes32)), abi.decode(results[1], (bytes32)), "the id, twice");
    }

    function test_multicall_undoes_all_when_one_fails_and_tells_its_error() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        calls.push(abi.encodeCall(Escrow.approve, (part)));
        calls.push(abi.encodeCall(Escrow.approve, (part)));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, id, 0));
        vm.prank(payer);
        escrow.multicall(calls);
        _expectOpen(id, 0);
    }

    function test_multicall_carries_no_value() public {
        Terms memory terms = _signedTerms();
        terms.token = address(0);
        calls.push(abi.encodeCall(Escrow.fund, (terms, _schedule(1), 1)));
        vm.deal(payer, AMOUNT);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongValue.selector, 0, AMOUNT));
        vm.prank(payer);
        escrow.multicall(calls);

        vm.prank(payer);
        (bool worked,) = address(escrow).call{ value: AMOUNT }(abi.encodeCall(Escrow.multicall, (calls)));
        assertTrue(!worked, "value refused");
    }

    function test_multicall_pays_the_tip_to_its_caller() public {
        Terms memory terms = _signedTerms();
        terms.tip = 7;
        (Part memory part,) = _fundSigned(terms);
        _award(part, 10_000);
        vm.warp(START + CHALLENGE + 1);
        calls.push(abi.encodeCall(Escrow.settle, (part)));
        vm.prank(KEEPER);
        escrow.multicall(calls);
        assertEq(play.balanceOf(KEEPER), 7, "tip");
    }

    function test_multicall_opens_no_way_around_the_lock() public {
        MulticallReceiver receiver = new MulticallReceiver(escrow);
        Terms memory terms = _signedTerms();
        (terms.token, terms.payee) = (address(0), address(receiver));
        vm.deal(payer, 3 * uint256(AMOUNT));
        vm.prank(payer);
        escrow.fund{ value: 3 * uint256(AMOUNT) }(terms, _schedule(3), 7);
        receiver.plan(abi.encodeCall(Escrow.waive, (_part(terms, _schedule(3), 1))));
        Part memory part = _part(terms, _schedule(3), 0);
        vm.prank(payer);
        escrow.approve(part);
        assertTrue(!receiver.arrived(), "the push failed");
        assertEq(escrow.credit(address(0), address(receiver)), AMOUNT, "credited");
        _expectOpen(_id(part), 1);
    }
}
