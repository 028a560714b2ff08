// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { IArbiter } from "@interfaces/IArbiter.sol";
import { Cause, IEscrow, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { vm } from "./Vm.sol";
import { HookArbiter } from "./mocks/Judges.sol";
import { BurningHook } from "./mocks/Pretenders.sol";

/// @title What a hostile hook can do to a dispute, and what it cannot
contract ArbiterHookTest is Fixture {
    function _awardedWith(address hook) private returns (Part memory part, bytes32 id) {
        Terms memory terms = _terms();
        terms.arbiter = hook;
        terms.arbiterHook = true;
        (part, id) = _fund(terms);
        _award(part, 7000);
    }

    /// @dev It costs the disputer gas, and nobody anything else.
    function test_hook_that_burns_all_gas_refuses_the_dispute_and_harms_nothing() public {
        (Part memory part, bytes32 id) = _awardedWith(address(new BurningHook()));
        vm.deal(PAYER, 1 ether);
        vm.prank(PAYER);
        (bool worked,) =
            address(escrow).call{ value: 1 ether, gas: 5_000_000 }(abi.encodeCall(IEscrow.dispute, (part, "")));

        assertTrue(!worked, "refused");
        assertEq(PAYER.balance, 1 ether, "the value is back");
        _expectStatus(id, 0, Status.Attested);
        vm.warp(START + CHALLENGE + 1);
        escrow.settle(part);
        assertEq(play.balanceOf(PAYEE), uint256(AMOUNT) * 7 / 10, "the verdict stands");
    }

    /// @dev Every door is locked while it is told, for any milestone.
    function test_hook_that_reenters_finds_every_door_locked() public {
        HookArbiter hook = new HookArbiter();
        hook.setMode(HookArbiter.Mode.RuleAtOnce);
        Part[] memory one = new Part[](1);
        bytes[] memory doors = new bytes[](9);
        for (uint256 i = 0; i < doors.length; ++i) {
            Terms memory terms = _terms();
            terms.arbiter = address(hook);
            terms.arbiterHook = true;
            terms.salt = bytes32(i);
            (Part memory part, bytes32 id) = _fund(terms);
            _award(part, 7000);
            one[0] = part;
            doors[0] = abi.encodeCall(Escrow.fund, (terms, _schedule(3), 1));
            doors[1] = abi.encodeCall(Escrow.submit, (part, WORK));
            doors[2] = abi.encodeCall(Escrow.attest, (part, Attestation(0, 0, 1), ""));
            doors[3] = abi.encodeCall(Escrow.approve, (part));
            doors[4] = abi.encodeCall(Escrow.dispute, (part, ""));
            doors[5] = abi.encodeCall(Escrow.rule, (id, part, 10_000));
            doors[6] = abi.encodeCall(Escrow.settle, (part));
            doors[7] = abi.encodeCall(Escrow.settleMany, (one));
            doors[8] = abi.encodeCall(Escrow.withdraw, (address(play), STRANGER));
            hook.setRuling(doors[i]);
            _dispute(part, PAYER);
            assertEq(bytes32(hook.answer()), bytes32(IEscrow.Reentered.selector), "locked");
            _expectStatus(id, 0, Status.Disputed);
        }
    }

    /// @dev A party's value goes to the hook or comes back; the escrow keeps none.
    function test_hook_that_answers_wrongly_returns_the_value() public {
        HookArbiter hook = new HookArbiter();
        (Part memory part, bytes32 id) = _awardedWith(address(hook));
        vm.deal(PAYER, 1 ether);
        HookArbiter.Mode[2] memory modes = [HookArbiter.Mode.WrongAnswer, HookArbiter.Mode.Refuse];
        for (uint256 i = 0; i < 2; ++i) {
            hook.setMode(modes[i]);
            vm.prank(PAYER);
            (bool worked,) = address(escrow).call{ value: 1 ether }(abi.encodeCall(IEscrow.dispute, (part, "")));
            assertTrue(!worked, "refused");
            assertEq(PAYER.balance, 1 ether, "the value is back");
        }
        _expectStatus(id, 0, Status.Attested);
        _expectDue(part, Cause.Attested, uint256(AMOUNT) * 7 / 10, START + CHALLENGE + 1);
    }
}
