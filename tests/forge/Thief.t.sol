// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { Amendment, Cause, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Parties } from "./Parties.sol";
import { CallingToken, GenerousSender, HungryReceiver, Onlooker, PhantomToken } from "./mocks/Accomplices.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Attacks that an hour's thief tried
contract ThiefTest is Parties {
    /* CALLDATA THAT IS NOT WHAT IT SEEMS */

    /// @dev One word of honest calldata replaced: by a small offset, a negative one, dirty high bits or anything.
    function _bent(bytes memory honest, uint256 place, uint256 word) private pure returns (bytes memory) {
        uint256 words = (honest.length - 4) / 32;
        uint256 at = 36 + 32 * (place % words);
        uint256 kind = word % 5;
        uint256 old;
        assembly ("memory-safe") {
            old := mload(add(honest, at))
        }
        uint256 small = (word >> 8) % (4 * words) * 8;
        unchecked {
            if (kind == 0) word = small;
            if (kind == 1) word = 0 - small;
            if (kind == 2) word = old ^ (1 << (word >> 8) % 256);
            if (kind == 3) word = old + small; // else anything
        }
        assembly ("memory-safe") {
            mstore(add(honest, at), word)
        }
        return honest;
    }

    function testFuzz_bent_calldata_pays_only_what_stands_in_the_agreement(uint256 place, uint256 word) public {
        (Part memory part, bytes32 id) = _fund(_terms());
        bytes memory call = _bent(abi.encodeCall(Escrow.approve, (part)), place, word);

        vm.prank(PAYER);
        (bool worked,) = address(escrow).call(call);

        (, uint64 closed) = escrow.state(id);
        assertEq(closed, worked ? 1 : 0, "closed");
        assertEq(play.balanceOf(PAYEE), worked ? AMOUNT : 0, "paid");
    }

    function testFuzz_bent_calldata_settles_a_batch_only_once(uint256 place, uint256 word) public {
        (Part memory part, bytes32 id) = _fund(_terms());
        Part[] memory parts = new Part[](3);
        for (uint8 i = 0; i < 3; ++i) {
            parts[i] = _part(part.terms, _schedule(3), i);
        }
        bytes memory call = _bent(abi.encodeCall(Escrow.settleMany, (parts)), place, word);
        vm.warp(uint256(SUBMIT_BY) + 1);
        uint256 before = play.balanceOf(PAYER);

        (bool worked,) = address(escrow).call(call);

        (, uint64 closed) = escrow.state(id);
        uint256 count = (closed & 1) + ((closed >> 1) & 1) + ((closed >> 2) & 1);
        assertTrue(worked || closed == 0, "closed");
        assertEq(play.balanceOf(PAYER) - before, count * AMOUNT, "paid");
    }

    /// @dev What bent calldata funds is in the event as it is in the id, and time empties it.
    function testFuzz_bent_calldata_funds_only_what_time_can_empty(uint256 place, uint256 word) public {
        bytes memory call = _bent(abi.encodeCall(Escrow.fund, (_terms(), _schedule(3), 7)), place, word);
        vm.recordLogs();
        vm.prank(PAYER);
        (bool worked, bytes memory answer) = address(escrow).call(call);
        if (!worked) return;
        bytes32 id = abi.decode(answer, (bytes32));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (, uint64 mask, Terms memory terms, Milestone[] memory milestones) =
            abi.decode(logs[0].data, (address, uint64, Terms, Milestone[]));
        assertEq(escrow.agreementId(terms, milestones), id, "id");
        assertEq(logs[0].topics[1], id, "topic");
        for (uint8 i = 0; i < milestones.length; ++i) {
            if (mask & (1 << i) == 0) continue;
            Part memory part = _part(terms, milestones, i);
            vm.warp(uint256(milestones[i].submitBy) + 1);
            escrow.settle(part);
        }
        assertEq(play.balanceOf(address(escrow)), 0, "nothing stays");
    }

    function testFuzz_bent_calldata_amends_nothing_else_than_signed(uint256 place, uint256 word) public {
        Terms memory from = _signedTerms();
        (, bytes32 fromId) = _fundSigned(from);
        Terms memory to = _signedTerms();
        to.salt = keccak256("amended");
        Amendment memory a = Amendment(1, 1, NOW, DEADLINE);
        bytes32 digest = _amendmentDigest(a, fromId, to, _schedule(1));
        bytes memory call = abi.encodeCall(
            Escrow.amend, (a, from, _schedule(3), to, _schedule(1), _long(PAYER_KEY, digest), _long(PAYEE_KEY, digest))
        );
        (bool worked,) = address(escrow).call(_bent(call, place, word));
        (, uint64 closed) = escrow.state(fromId);
        (uint64 opened,) = escrow.state(escrow.agreementId(to, _schedule(1)));
        assertEq(closed, worked ? 1 : 0, "closed");
        assertEq(opened, worked ? 1 : 0, "opened");
        assertEq(play.balanceOf(address(escrow)), 3 * uint256(AMOUNT), "held");
    }

    function testFuzz_bent_calldata_carries_no_other_verdict(uint256 place, uint256 word) public {
        (Part memory part, bytes32 id) = _fund(_terms());
        _submit(part);
        Attestation memory a = Attestation(0, WORK, 7000);
        bytes memory call = abi.encodeCall(Escrow.attest, (part, a, _proof(id, 0, a, 7)));
        (bool worked,) = address(escrow).call(_bent(call, place, word));
        (Status status,,,, uint16 bps) = escrow.milestone(id, 0);
        assertEq(uint256(status), uint256(worked ? Status.Attested : Status.Submitted), "status");
        assertEq(bps, worked ? 7000 : 0, "bps");
    }

    /// @dev Old and new schedule are the same bytes of calldata, and the payee's empty signature lies in the old terms.
    function test_an_amendment_whose_arguments_share_their_bytes_moves_what_it_says() public {
        Terms memory from = _signedTerms();
        (, bytes32 fromId) = _fundSigned(from);
        Terms memory to = _signedTerms();
        to.salt = keccak256("amended");
        Amendment memory a = Amendment(7, 7, NOW, DEADLINE);
        bytes32 digest = _amendmentDigest(a, fromId, to, _schedule(3));
        uint256 schedule = 42 * 32;
        uint256 zero = (4 + 13) * 32; // the old terms' feeTo: an empty signature of the payee, who calls
        bytes memory signature = _long(PAYER_KEY, digest);
        bytes memory heads =
            bytes.concat(abi.encode(a, from, schedule, to), abi.encode(schedule, schedule + 10 * 32, zero));
        bytes memory shared =
            bytes.concat(heads, _withoutOffset(abi.encode(_schedule(3))), abi.encode(signature.length), signature);
        vm.prank(payee);
        (bool worked,) = address(escrow).call(bytes.concat(Escrow.amend.selector, shared));
        assertTrue(worked, "worked");
        bytes32 toId = escrow.agreementId(to, _schedule(3));
        (uint64 funded,) = escrow.state(toId);
        (, uint64 closed) = escrow.state(fromId);
        assertEq(funded, 7, "opened");
        assertEq(closed, 7, "closed");
    }

    function _withoutOffset(bytes memory whole) private pure returns (bytes memory rest) {
        rest = new bytes(whole.length - 32);
        for (uint256 i = 0; i < rest.length; ++i) {
            rest[i] = whole[i + 32];
        }
    }

    /* GAS */

    function test_a_native_push_gets_its_whole_share_of_gas_or_the_call_reverts() public {
        Terms memory terms = _terms();
        (terms.token, terms.payer) = (address(0), address(new HungryReceiver()));
        vm.deal(PAYER, AMOUNT);
        vm.prank(PAYER);
        escrow.fund{ value: AMOUNT }(terms, _schedule(1), 1);
        Part memory part = _part(terms, _schedule(1), 0);
        vm.warp(uint256(SUBMIT_BY) + 1);
        bool worked;
        for (uint256 gas_ = 150_000; gas_ < 400_000 && !worked; gas_ += 100) {
            (worked,) = address(escrow).call{ gas: gas_ }(abi.encodeCall(Escrow.settle, (part)));
        }
        assertTrue(worked, "settled");
        assertEq(escrow.credit(address(0), terms.payer), 0, "no credit");
        assertEq(terms.payer.balance, AMOUNT, "paid");
    }

    /* TOKENS AND HOOKS */

    function _phantom() private returns (PhantomToken token, Terms memory terms) {
        token = new PhantomToken();
        terms = _signedTerms();
        terms.token = address(token);
        token.mint(payer, 10 * AMOUNT);
        vm.prank(payer);
        token.approve(address(escrow), type(uint256).max);
    }

    /// @dev Neither a permit nor an authorization that the token never heard of takes what its owner allowed.
    function test_a_token_that_swallows_unknown_calls_takes_nobodys_allowance() public {
        (PhantomToken token, Terms memory terms) = _phantom();
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, 0, AMOUNT));
        vm.prank(STRANGER);
        escrow.fundWithAuthorization(terms, _schedule(1), 1, 0, type(uint256).max, 27, bytes32(0), bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, 0, AMOUNT));
        vm.prank(STRANGER);
        escrow.fundWithAuthorization(terms, _schedule(1), 1, 0, type(uint256).max, "");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, address(token), STRANGER, AMOUNT));
        vm.prank(STRANGER);
        escrow.fundWithPermit(terms, _schedule(1), 1, type(uint256).max, 27, bytes32(0), bytes32(0));
        assertEq(token.balanceOf(payer), 10 * uint256(AMOUNT), "payer");
    }

    /// @dev The arbiter is a token in which the escrow holds money, and the dispute's value would be a deposit.
    function test_a_token_named_as_arbiter_is_no_hook() public {
        (PhantomToken token, Terms memory terms) = _phantom();
        _fundSigned(terms, _schedule(1), 1);
        (terms.token, terms.arbiter, terms.arbiterHook) = (address(play), address(token), true);
        (Part memory part, bytes32 id) = _fundSigned(terms, _schedule(1), 1);
        vm.prank(payee);
        escrow.submit(part, WORK);
        _attest(part, 0, WORK, 1);
        vm.deal(payee, 1 ether);
        vm.expectRevert();
        vm.prank(payee);
        escrow.dispute{ value: 1 ether }(part, "");
        _expectStatus(id, 0, Status.Attested);
        assertEq(token.balanceOf(address(escrow)), AMOUNT, "escrow");
        assertEq(payee.balance, 1 ether, "payee");
    }

    /// @dev What a sender's hook slips in is not counted for him, and refused rather than kept.
    function test_a_senders_hook_cannot_make_more_arrive_than_is_funded() public {
        CallingToken token = new CallingToken();
        GenerousSender thief = new GenerousSender(escrow, token);
        token.mint(address(thief), 10 * AMOUNT);
        Terms memory terms = _terms();
        terms.token = address(token);
        thief.setGift(1);
        vm.expectRevert(
            abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, uint256(AMOUNT) + 1, uint256(AMOUNT))
        );
        thief.fund(terms, _schedule(1), 1);
        thief.setGift(0);
        thief.fund(terms, _schedule(1), 1);
        assertEq(token.balanceOf(address(escrow)), AMOUNT, "escrow");
    }

    /* WHAT OTHERS READ */

    /// @dev Views are not locked, and need not be.
    function test_who_is_being_paid_reads_that_nothing_is_left_to_pay() public {
        Onlooker onlooker = new Onlooker(escrow);
        Terms memory terms = _terms();
        (terms.token, terms.payee) = (address(0), address(onlooker));
        vm.deal(PAYER, AMOUNT);
        vm.prank(PAYER);
        bytes32 id = escrow.fund{ value: AMOUNT }(terms, _schedule(1), 1);
        Part memory part = _part(terms, _schedule(1), 0);
        onlooker.lookAt(id, part);
        vm.warp(uint256(SUBMIT_BY) - 1);
        vm.prank(PAYER);
        escrow.approve(part);
        assertEq(address(onlooker).balance, AMOUNT, "paid");
        assertEq(onlooker.closed(), 1, "closed");
        assertEq(uint256(onlooker.cause()), uint256(Cause.None), "nothing due");
        assertEq(onlooker.held(), 0, "nothing held");
    }
}
