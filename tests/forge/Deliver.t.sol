// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IEscrow, Part, Terms } from "@interfaces/IEscrow.sol";
import { Fixture } from "./Fixture.sol";
import { HostileToken } from "./mocks/HostileToken.sol";
import { MomentPicker, Splitter } from "./mocks/Splitter.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Credits of owners that call nobody
contract DeliverTest is Fixture {
    Splitter private splitter;
    HostileToken private token;

    function setUp() public override {
        super.setUp();
        splitter = new Splitter();
        token = new HostileToken();
        token.mint(PAYER, AMOUNT);
        vm.prank(PAYER);
        token.approve(address(escrow), type(uint256).max);
    }

    /// @dev The splitter's share becomes a credit, because somebody settled while it was busy.
    function _creditNative() private {
        Terms memory terms = _terms();
        (terms.token, terms.payee) = (address(0), address(splitter));
        vm.deal(PAYER, AMOUNT);
        vm.prank(PAYER);
        escrow.fund{ value: AMOUNT }(terms, _schedule(1), 1);
        Part memory part = _part(terms, _schedule(1), 0);
        _attest(part, 0, 0, 10_000);
        vm.warp(START + CHALLENGE + 1);
        MomentPicker picker = new MomentPicker(escrow);
        vm.prank(STRANGER);
        picker.attack(splitter, part);
    }

    /// @dev The same, because the token did not transfer at that moment.
    function _creditToken() private {
        Terms memory terms = _terms();
        (terms.token, terms.payee) = (address(token), address(splitter));
        (Part memory part,) = _fund(terms, _schedule(1), 1);
        _attest(part, 0, 0, 10_000);
        vm.warp(START + CHALLENGE + 1);
        token.setMode(HostileToken.Mode.ReturnFalse);
        vm.prank(STRANGER);
        escrow.settle(part);
    }

    function test_deliver_pays_what_somebody_settled_at_the_moment_when_it_could_not_be_received() public {
        _creditNative();
        assertEq(escrow.credit(address(0), address(splitter)), AMOUNT, "credited");
        vm.recordLogs();
        vm.prank(STRANGER);
        uint256 amount = escrow.deliver(address(0), address(splitter));
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(amount, AMOUNT, "returned");
        assertEq(address(splitter).balance, AMOUNT, "owner");
        assertEq(STRANGER.balance, 0, "caller");
        assertEq(escrow.credit(address(0), address(splitter)), 0, "credit");
        assertEq(log.topics[0], IEscrow.Withdrawn.selector, "Withdrawn");
        assertEq(keccak256(log.data), keccak256(abi.encode(address(splitter), AMOUNT)), "to its owner");
    }

    function test_deliver_pays_what_somebody_settled_while_the_token_stood_still() public {
        _creditToken();
        token.setMode(HostileToken.Mode.Honest);
        vm.prank(STRANGER);
        escrow.deliver(address(token), address(splitter));
        assertEq(token.balanceOf(address(splitter)), AMOUNT, "owner");
    }

    function test_deliver_that_fails_keeps_the_credit() public {
        _creditToken();
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.TransferFailed.selector, address(token), address(splitter), AMOUNT)
        );
        escrow.deliver(address(token), address(splitter));
        assertEq(escrow.credit(address(token), address(splitter)), AMOUNT, "credit");
    }

    function test_deliver_pays_once() public {
        _creditNative();
        escrow.deliver(address(0), address(splitter));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, address(0), address(splitter)));
        escrow.deliver(address(0), address(splitter));
    }

    function test_deliver_is_locked_while_money_moves() public {
        _creditNative();
        Terms memory terms = _terms();
        Deliverer greedy = new Deliverer(escrow, address(splitter));
        (terms.token, terms.payee) = (address(0), address(greedy));
        vm.deal(PAYER, AMOUNT);
        vm.warp(START);
        vm.prank(PAYER);
        escrow.fund{ value: AMOUNT }(terms, _schedule(1), 1);
        vm.prank(PAYER);
        escrow.approve(_part(terms, _schedule(1), 0));
        assertEq(escrow.credit(address(0), address(splitter)), AMOUNT, "untouched");
        assertEq(escrow.credit(address(0), address(greedy)), AMOUNT, "its own push failed");
    }
}

/// @title Delivers somebody's credit when it is paid itself
contract Deliverer {
    IEscrow private immutable ESCROW;
    address private immutable OWNER;

    constructor(IEscrow escrow, address owner) {
        (ESCROW, OWNER) = (escrow, owner);
    }

    receive() external payable {
        ESCROW.deliver(address(0), OWNER);
    }
}
