// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { Amendment, Cause, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Paths } from "./Paths.sol";
import { Actor } from "./mocks/Actor.sol";
import { HookArbiter } from "./mocks/Judges.sol";
import { Vm, vm } from "./Vm.sol";

/// @title An agreement's whole life in native currency: docs/protocol.md section 4, Payout
contract NativeTest is Paths {
    uint256 private constant CALLS = 17; // functions that change state
    uint256 private constant GAS_BEFORE_PUSH = 192_380; // PUSH_GAS * 64 / 63 + 40,000

    function setUp() public override {
        super.setUp();
        vm.deal(payer, type(uint128).max);
    }

    /// @dev Fee and tip, so that four are paid.
    function _native(Path path, uint16 bps) private view returns (Terms memory terms) {
        terms = _termsFor(path, NATIVE, bps);
        (terms.feeBps, terms.feeTo, terms.tip) = (250, FEE_TO, uint96(AMOUNT / 100));
        terms.salt = bytes32(uint256(path));
    }

    function _fundNative(Terms memory terms, Milestone[] memory milestones) private returns (Part memory part) {
        uint256 sum;
        for (uint256 i = 0; i < milestones.length; ++i) {
            sum += milestones[i].amount;
        }
        vm.prank(payer);
        escrow.fund{ value: sum }(terms, milestones, uint64((1 << milestones.length) - 1));
        return _part(terms, milestones, 0);
    }

    /// @dev One milestone at a time, from a fresh start.
    function _begin(Path path, uint16 bps) private returns (Part memory part) {
        vm.warp(START);
        return _fundNative(_native(path, bps), _one(AMOUNT));
    }

    function _arm(address who, Actor.Mode mode) private returns (Actor actor) {
        vm.etch(who, type(Actor).runtimeCode);
        actor = Actor(payable(who));
        actor.setMode(mode);
    }

    function _armAll(Actor.Mode mode) private {
        _arm(payer, mode);
        _arm(payee, mode);
        _arm(FEE_TO, mode);
        _arm(KEEPER, mode);
    }

    function _wrongValue(uint256 have, uint256 want) private {
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongValue.selector, have, want));
    }

    /* MONEY IN */

    function test_native_fund_takes_exactly_the_value() public {
        uint256 sum = 3 * uint256(AMOUNT);
        uint256 before = payer.balance;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 wrong = i == 0 ? 0 : i == 1 ? sum - 1 : sum + 1;
            _wrongValue(wrong, sum);
            vm.prank(payer);
            escrow.fund{ value: wrong }(_native(Path.Approved, 0), _schedule(3), 7);
        }
        Part memory part = _fundNative(_native(Path.Approved, 0), _schedule(3));
        assertEq(address(escrow).balance, sum, "held");
        assertEq(before - payer.balance, sum, "paid");
        (uint64 funded,) = escrow.state(_id(part));
        assertEq(funded, 7, "funded");
    }

    function test_native_fund_pays_for_the_mask_only() public {
        vm.prank(payer);
        escrow.fund{ value: AMOUNT }(_native(Path.Approved, 0), _schedule(3), 4);
        _wrongValue(AMOUNT, 2 * uint256(AMOUNT));
        vm.prank(payer);
        escrow.fund{ value: AMOUNT }(_native(Path.Approved, 0), _schedule(3), 3);
    }

    function test_the_escrow_takes_no_money_but_in_payment() public {
        vm.deal(STRANGER, 10);
        bytes[4] memory calls = [
            bytes(""),
            hex"12345678",
            abi.encodeCall(Escrow.settle, (_part(_native(Path.Lapsed, 0), _schedule(1), 0))),
            abi.encodeCall(Escrow.withdraw, (NATIVE, STRANGER))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(STRANGER);
            (bool worked,) = address(escrow).call{ value: 1 }(calls[i]);
            assertTrue(!worked, "taken");
        }
        assertEq(address(escrow).balance, 0, "nothing came");
    }

    function test_nobody_can_fund_in_native_currency_out_of_what_the_escrow_holds() public {
        _begin(Path.Approved, 0);
        Terms memory terms = _native(Path.Waived, 0);
        _wrongValue(0, AMOUNT);
        vm.prank(STRANGER);
        escrow.fund(terms, _one(AMOUNT), 1);
    }

    /* EVERY WAY OUT */

    function test_native_pays_to_the_unit_on_every_path() public {
        for (uint256 i = 0; i < PATHS; ++i) {
            _settleExactly(Path(i), _begin(Path(i), 3333), 3333);
            assertEq(_credited(NATIVE), 0, "all pushed");
            assertEq(address(escrow).balance, 0, "nothing stays");
        }
    }

    /// @dev Receivers that refuse in every way stop nothing on any path: what is theirs is credited, to the unit.
    function test_native_receivers_that_reject_burn_or_bomb_stop_nothing() public {
        Actor.Mode[3] memory modes = [Actor.Mode.Reject, Actor.Mode.BurnGas, Actor.Mode.Bomb];
        for (uint256 i = 0; i < PATHS; ++i) {
            for (uint256 j = 0; j < modes.length; ++j) {
                Part memory part = _part(_native(Path(i), 3333), _one(AMOUNT), 0);
                part.terms.salt = keccak256(abi.encode(i, j));
                vm.warp(START);
                _armAll(Actor.Mode.Accept);
                _fundNative(part.terms, _one(AMOUNT));
                _armAll(modes[j]);
                uint256 before = _credited(NATIVE);

                _settleExactly(Path(i), part, 3333);

                assertEq(_credited(NATIVE) - before, AMOUNT, "credited");
                assertEq(address(escrow).balance, _credited(NATIVE), "held for them");
            }
        }
        _withdrawEverything(PATHS * modes.length * AMOUNT);
    }

    /// @dev Each takes his credit once, to an address that accepts it.
    function _withdrawEverything(uint256 sum) private {
        address[4] memory owners = [payer, payee, FEE_TO, KEEPER];
        uint256 taken;
        for (uint256 i = 0; i < owners.length; ++i) {
            uint256 owed = escrow.credit(NATIVE, owners[i]);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFailed.selector, NATIVE, owners[i], owed));
            vm.prank(owners[i]);
            escrow.withdraw(NATIVE, owners[i]);

            vm.prank(owners[i]);
            assertEq(escrow.withdraw(NATIVE, STRANGER), owed, "the whole credit");
            taken += owed;
            assertEq(STRANGER.balance, taken, "arrived");

            vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, NATIVE, owners[i]));
            vm.prank(owners[i]);
            escrow.withdraw(NATIVE, STRANGER);
        }
        assertEq(taken, sum, "all of it");
        assertEq(address(escrow).balance, 0, "nothing stays");
    }

    /// @dev What the words cost is inside their receiver's share of gas: 95,000. Copying them would cost as much again.
    function test_a_receivers_words_good_or_bad_cost_no_more_than_his_share_of_gas() public {
        uint256[3] memory used;
        Actor.Mode[3] memory modes = [Actor.Mode.Reject, Actor.Mode.Shout, Actor.Mode.Bomb];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 snapshot = vm.snapshotState();
            Part memory part = _begin(Path.Approved, 0);
            _arm(payee, modes[i]);
            vm.prank(payer);
            escrow.approve(part);
            used[i] = vm.lastCallGas().gasTotalUsed;
            assertEq(payee.balance > 0 ? 1 : 0, i == 1 ? 1 : 0, "the one who accepts is paid");
            vm.revertToState(snapshot);
        }
        assertTrue(used[1] < used[0] + 100_000, "shouted");
        assertTrue(used[2] < used[0] + 100_000, "bombed");
    }

    function test_one_receivers_refusal_is_nobody_elses() public {
        address[4] memory four = [payer, payee, FEE_TO, KEEPER];
        for (uint256 i = 0; i < four.length; ++i) {
            Path path = Path.AttestedAfterWindow;
            Part memory part = _part(_native(path, 5000), _one(AMOUNT), 0);
            part.terms.salt = keccak256(abi.encode(i));
            vm.warp(START);
            _armAll(Actor.Mode.Accept);
            _fundNative(part.terms, _one(AMOUNT));
            _arm(four[i], Actor.Mode.BurnGas);
            uint256 before = _credited(NATIVE);
            uint256 his = escrow.credit(NATIVE, four[i]);

            _settleExactly(path, part, 5000);

            uint256 credited = escrow.credit(NATIVE, four[i]) - his;
            assertTrue(credited > 0, "he is credited");
            assertEq(_credited(NATIVE) - before, credited, "he alone");
        }
    }

    /// @dev The caller who earns a tip and cannot take it is credited like any receiver.
    function test_a_tips_caller_that_rejects_is_credited() public {
        Part memory part = _begin(Path.Unreviewed, 10_000);
        _prepare(Path.Unreviewed, part, 10_000);
        _arm(KEEPER, Actor.Mode.Reject);
        vm.prank(KEEPER);
        escrow.settle(part);
        assertEq(escrow.credit(NATIVE, KEEPER), AMOUNT / 100, "tip");
        vm.prank(KEEPER);
        escrow.withdraw(NATIVE, STRANGER);
        assertEq(STRANGER.balance, AMOUNT / 100, "taken");
    }

    function test_the_miner_and_precompiles_are_receivers_like_others() public {
        Part memory part = _begin(Path.Approved, 0);
        vm.coinbase(payee);
        vm.prank(payer);
        escrow.approve(part);
        assertEq(payee.balance, AMOUNT - AMOUNT * 250 / 10_000, "miner");

        // identity takes money, blake2f refuses a call without its input
        for (uint160 precompile = 4; precompile <= 9; precompile += 5) {
            Terms memory terms = _native(Path.Approved, 0);
            terms.payee = address(precompile);
            part = _fundNative(terms, _one(AMOUNT));
            uint256 before = address(precompile).balance;
            vm.prank(payer);
            escrow.approve(part);
            uint256 want = AMOUNT - AMOUNT * 250 / 10_000;
            assertEq(address(precompile).balance - before, precompile == 4 ? want : 0, "pushed");
            assertEq(escrow.credit(NATIVE, address(precompile)), precompile == 4 ? 0 : want, "credited");
        }
    }

    function test_native_amendment_credits_a_payer_that_rejects_the_excess() public {
        Part memory part = _begin(Path.Approved, 0);
        Terms memory to = _amended(part.terms);
        Milestone[] memory less = _one(AMOUNT / 4);
        Amendment memory a = Amendment(1, 1, NOW, DEADLINE);
        bytes32 digest = _amendmentDigest(a, _id(part), to, less);
        bytes memory payeeSig = _long(PAYEE_KEY, digest);
        _arm(payer, Actor.Mode.BurnGas);

        vm.prank(payer);
        escrow.amend(a, part.terms, _one(AMOUNT), to, less, "", payeeSig);

        assertEq(escrow.credit(NATIVE, payer), AMOUNT - AMOUNT / 4, "excess");
        assertEq(address(escrow).balance, AMOUNT, "held");
    }

    /* CREDITS */

    function test_native_withdrawal_refuses_zero_and_the_escrow() public {
        Part memory part = _begin(Path.Approved, 0);
        _arm(payee, Actor.Mode.Reject);
        vm.prank(payer);
        escrow.approve(part);
        address[2] memory bad = [address(0), address(escrow)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IEscrow.BadRecipient.selector, bad[i]));
            vm.prank(payee);
            escrow.withdraw(NATIVE, bad[i]);
        }
    }

    function test_a_native_credit_is_no_credit_in_a_token() public {
        Part memory part = _begin(Path.Approved, 0);
        _arm(payee, Actor.Mode.Reject);
        vm.prank(payer);
        escrow.approve(part);
        play.mint(address(escrow), AMOUNT);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, address(play), payee));
        vm.prank(payee);
        escrow.withdraw(address(play), payee);
    }

    /// @dev A push has a fixed share of gas, a withdrawal all that its owner gives.
    function test_a_receiver_that_needs_more_than_a_push_gives_withdraws() public {
        Part memory part = _begin(Path.Approved, 0);
        _arm(payee, Actor.Mode.Greedy);
        vm.prank(payer);
        escrow.approve(part);
        uint256 owed = escrow.credit(NATIVE, payee);
        assertEq(owed, AMOUNT - AMOUNT * 250 / 10_000, "credited");
        vm.prank(payee);
        escrow.withdraw(NATIVE, payee);
        assertEq(payee.balance, owed, "paid");
    }

    /* RE-ENTRANCY */

    /// @dev Every function that changes state, each a call that would succeed if it were not locked, or about.
    function _everyCall(Part memory part) private view returns (bytes[] memory calls) {
        bytes32 id = _id(part);
        Milestone[] memory all = _schedule(3);
        Terms memory to = _amended(part.terms);
        Part[] memory parts = new Part[](1);
        parts[0] = part;
        calls = new bytes[](CALLS);
        calls[0] = abi.encodeCall(Escrow.fund, (to, all, 1));
        calls[1] = abi.encodeCall(Escrow.fundWithPermit, (to, all, 1, START, 27, 0, 0));
        calls[2] = _authorizationCall("uint8,bytes32,bytes32", abi.encode(to, all, 1, 0, START, 27, 0, 0));
        calls[3] = _authorizationCall("bytes", abi.encode(to, all, 1, 0, START, ""));
        calls[4] = abi.encodeCall(Escrow.accept, (part.terms, all, ""));
        calls[5] = abi.encodeCall(Escrow.submit, (part, WORK));
        calls[6] = abi.encodeCall(Escrow.attest, (part, Attestation(0, 0, 1), ""));
        calls[7] = abi.encodeCall(Escrow.approve, (part));
        calls[8] = abi.encodeCall(Escrow.waive, (part));
        calls[9] = abi.encodeCall(Escrow.agree, (part, 1, NOW, DEADLINE, "", ""));
        calls[10] = abi.encodeCall(Escrow.amend, (Amendment(2, 1, NOW, DEADLINE), part.terms, all, to, all, "", ""));
        calls[11] = abi.encodeCall(Escrow.dispute, (part, ""));
        calls[12] = abi.encodeCall(Escrow.rule, (id, part, 1));
        calls[13] = abi.encodeCall(Escrow.settle, (part));
        calls[14] = abi.encodeCall(Escrow.settleMany, (parts));
        calls[15] = abi.encodeCall(Escrow.withdraw, (NATIVE, STRANGER));
        bytes[] memory inner = new bytes[](1);
        inner[0] = calls[13];
        calls[16] = abi.encodeCall(Escrow.multicall, (inner));
    }

    /// @dev A copy with another salt.
    function _amended(Terms memory terms) private pure returns (Terms memory to) {
        to = abi.decode(abi.encode(terms), (Terms));
        to.salt = keccak256("amended");
    }

    function _authorizationCall(string memory signature, bytes memory arguments) private pure returns (bytes memory) {
        string memory terms =
            "(address,address,address,address,bytes32,address,bool,uint32,uint32,uint32,uint16,uint16,uint16,address,uint96,bytes32,bytes32)";
        bytes memory name = abi.encodePacked(
            "fundWithAuthorization(", terms, ",(uint128,uint40,bytes32)[],uint64,uint256,uint256,", signature, ")"
        );
        return bytes.concat(bytes4(keccak256(name)), arguments);
    }

    function _takesValue(bytes memory call_) private pure returns (bool) {
        bytes4 selector = bytes4(call_);
        return
            selector == Escrow.fund.selector || selector == Escrow.amend.selector || selector == Escrow.dispute.selector;
    }

    function _plan(Actor actor, Actor.Mode mode, bytes memory call_, uint96 value_) private {
        address script = address(0x5C21);
        vm.etch(script, call_);
        actor.plan(mode, address(escrow), script, value_);
    }

    /// @dev `fund`, `amend` and `dispute` are called with value too, as they must be in earnest.
    function test_native_receiver_can_reenter_nothing_during_a_push() public {
        Actor actor = _arm(payee, Actor.Mode.Accept);
        for (uint256 i = 0; i < CALLS; ++i) {
            Terms memory terms = _native(Path.Approved, 0);
            terms.salt = bytes32(i);
            Part memory part = _fundNative(terms, _schedule(3));
            bytes memory call_ = _everyCall(_part(terms, _schedule(3), 1))[i];
            _plan(actor, Actor.Mode.Replay, call_, _takesValue(call_) ? uint96(AMOUNT) : 0);
            vm.deal(payee, AMOUNT);
            uint256 before = payee.balance;

            vm.prank(payer);
            escrow.approve(part);

            assertEq(actor.acted(), 1, "it called");
            assertEq(actor.answer(), IEscrow.Reentered.selector, "locked");
            assertEq(payee.balance - before, AMOUNT - AMOUNT * 250 / 10_000, "paid once");
            _expectOpen(_id(part), 1);
        }
    }

    function test_native_receiver_that_passes_the_lock_on_is_credited_and_can_reenter_nothing_when_it_withdraws()
        public
    {
        Actor actor = _arm(payee, Actor.Mode.Accept);
        Terms memory terms = _native(Path.Approved, 0);
        Part memory part = _fundNative(terms, _schedule(3));
        bytes[] memory calls = _everyCall(_part(terms, _schedule(3), 1));
        _plan(actor, Actor.Mode.PassOn, calls[13], 0);
        vm.prank(payer);
        escrow.approve(part);
        uint256 owed = AMOUNT - AMOUNT * 250 / 10_000;
        assertEq(escrow.credit(NATIVE, payee), owed, "credited");

        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            _plan(actor, Actor.Mode.Replay, calls[i], 0);
            vm.prank(payee);
            escrow.withdraw(NATIVE, payee);
            assertEq(actor.answer(), IEscrow.Reentered.selector, "locked");
            assertEq(payee.balance, owed, "paid once");
            assertEq(address(escrow).balance, 2 * uint256(AMOUNT), "the other milestones");
            assertTrue(vm.revertToState(snapshot), "back");
        }
    }

    /// @dev A receiver that does not swallow the lock's error stops its own withdrawal and keeps its credit.
    function test_a_native_withdrawal_that_reenters_and_passes_it_on_reverts_whole() public {
        Actor actor = _arm(payee, Actor.Mode.Reject);
        Part memory part = _begin(Path.Approved, 0);
        vm.prank(payer);
        escrow.approve(part);
        _plan(actor, Actor.Mode.PassOn, abi.encodeCall(Escrow.withdraw, (NATIVE, payee)), 0);
        uint256 owed = escrow.credit(NATIVE, payee);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFailed.selector, NATIVE, payee, owed));
        vm.prank(payee);
        escrow.withdraw(NATIVE, payee);
        assertEq(escrow.credit(NATIVE, payee), owed, "credit");
    }

    /* GAS */

    /// @dev Four receivers that burn everything, and a caller who is one of them.
    function _burning() private returns (Part memory part, Actor keeper) {
        part = _begin(Path.AttestedAfterWindow, 5000);
        _prepare(Path.AttestedAfterWindow, part, 5000);
        _armAll(Actor.Mode.BurnGas);
        keeper = Actor(payable(KEEPER));
    }

    function test_settle_of_four_burning_receivers_needs_no_more_than_its_rule() public {
        (Part memory part, Actor keeper) = _burning();
        bytes memory data = abi.encodeCall(Escrow.settle, (part));
        uint256 least = _least(keeper, data, 3_000_000);
        assertTrue(least <= SETTLE_BASE + 4 * PUSH_GAS, vm.toString(least));

        (bool worked, bytes memory back) = _try(keeper, data, least - 1);
        assertTrue(!worked && bytes4(back) == IEscrow.InsufficientGas.selector, "one unit less is refused by name");
        _expectOpen(_id(part), 0);
        assertEq(_credited(NATIVE), 0, "and credits nobody");

        (worked,) = _try(keeper, data, least);
        assertTrue(worked, "enough");
        Split memory want = _splitOf(Path.AttestedAfterWindow, part, 5000);
        assertEq(escrow.credit(NATIVE, payee), want.toPayee, "payee");
        assertEq(escrow.credit(NATIVE, payer), want.toPayer, "payer");
        assertEq(escrow.credit(NATIVE, FEE_TO), want.fee, "fee");
        assertEq(escrow.credit(NATIVE, KEEPER), want.tip, "tip");
    }

    /// @dev Agreements that share nobody, so that each credit is a new one: the dearest case.
    function test_settle_many_of_burning_receivers_needs_no_more_than_its_rule_for_each() public {
        Part[] memory four = new Part[](4);
        for (uint160 i = 0; i < 4; ++i) {
            Terms memory terms = _native(Path.AttestedAfterWindow, 5000);
            (terms.payer, terms.payee, terms.feeTo) = (address(0xF100 + i), address(0xF200 + i), address(0xF300 + i));
            four[i] = _fundNative(terms, _one(AMOUNT));
            _attest(four[i], 0, 0, 5000);
            _arm(terms.payer, Actor.Mode.BurnGas);
            _arm(terms.payee, Actor.Mode.BurnGas);
            _arm(terms.feeTo, Actor.Mode.BurnGas);
        }
        vm.warp(START + CHALLENGE + 1);
        _expectWithinTheRule(_arm(KEEPER, Actor.Mode.BurnGas), four);
    }

    /// @dev Precompiles that refuse empty input burn all they are given and, where they never had money, cost what a new
    /// account costs as well: 0x09 and 0x0a, beside two contracts that burn. No receiver is dearer.
    function test_settle_of_the_dearest_receivers_needs_no_more_than_its_rule() public {
        Terms memory terms = _native(Path.AttestedAfterWindow, 5000);
        (terms.payer, terms.payee) = (address(9), address(10));
        Part memory part = _fundNative(terms, _one(AMOUNT));
        _attest(part, 0, 0, 5000);
        vm.warp(START + CHALLENGE + 1);
        _arm(FEE_TO, Actor.Mode.BurnGas);
        Actor keeper = _arm(KEEPER, Actor.Mode.BurnGas);
        uint256 least = _least(keeper, abi.encodeCall(Escrow.settle, (part)), 3_000_000);
        assertTrue(least <= SETTLE_BASE + 4 * PUSH_GAS, vm.toString(least));
    }

    function test_what_must_be_left_before_a_push_is_named() public {
        Part memory part = _begin(Path.Approved, 0);
        Actor relay = _arm(payer, Actor.Mode.Accept);
        (bool worked, bytes memory back) =
            relay.forward(address(escrow), abi.encodeCall(Escrow.approve, (part)), 150_000);
        assertTrue(!worked, "too little");
        assertEq(bytes32(bytes4(back)), bytes32(IEscrow.InsufficientGas.selector), "error");
        assertEq(_word(back, 4 + 32), GAS_BEFORE_PUSH, "what it wants");
    }

    function _word(bytes memory data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }

    /// @dev The least gas with which a payment succeeds gives even a receiver with code its whole share.
    function test_a_native_push_gets_its_whole_share_of_gas_or_the_call_reverts() public {
        Part memory part = _begin(Path.Waived, 0);
        _arm(payee, Actor.Mode.Accept);
        _arm(payer, Actor.Mode.Hungry);
        bytes memory data = abi.encodeCall(Escrow.waive, (part));
        uint256 least = _least(Actor(payable(payee)), data, 1_000_000);
        (bool worked,) = Actor(payable(payee)).forward(address(escrow), data, least);
        assertTrue(worked, "works");
        assertEq(escrow.credit(NATIVE, payer), 0, "not starved");
    }

    /// @dev Money for an account that does not exist yet costs 25,000 more.
    function test_new_accounts_are_paid_with_the_least_gas_that_works() public {
        Terms memory terms = _native(Path.AttestedAfterWindow, 5000);
        (terms.payer, terms.payee, terms.feeTo) = (address(0xF1), address(0xF2), address(0xF3));
        Part memory part = _fundNative(terms, _one(AMOUNT));
        _attest(part, 0, 0, 5000); // unsubmitted: the payee has never sent anything either
        vm.warp(START + CHALLENGE + 1);
        Actor relay = new Actor();
        bytes memory data = abi.encodeCall(Escrow.settle, (part));
        uint256 least = _least(relay, data, 1_000_000);

        (bool worked,) = _try(relay, data, least);

        assertTrue(worked, "works");
        Split memory want = _splitOf(Path.AttestedAfterWindow, part, 5000);
        assertEq(terms.payee.balance, want.toPayee, "payee");
        assertEq(terms.payer.balance, want.toPayer, "payer");
        assertEq(terms.feeTo.balance, want.fee, "fee");
        assertEq(address(relay).balance, want.tip, "tip");
        assertEq(address(escrow).balance, 0, "no credit");
    }

    function test_no_gas_turns_a_native_payment_into_a_credit() public {
        Part memory part = _begin(Path.AttestedAfterWindow, 5000);
        _prepare(Path.AttestedAfterWindow, part, 5000);
        Actor relay = new Actor();
        bool worked;
        uint256 failures;
        for (uint256 gas_ = 30_000; gas_ < 600_000 && !worked; gas_ += 2000) {
            (worked,) = _try(relay, abi.encodeCall(Escrow.settle, (part)), gas_);
            assertEq(_credited(NATIVE) + escrow.credit(NATIVE, address(relay)), 0, "credit");
            if (!worked) ++failures;
        }
        assertTrue(worked && failures > 50, "from too little to enough");
    }

    /* MONEY THAT NOBODY PAID */

    function test_forced_ether_disturbs_nothing_and_is_nobodys() public {
        Part memory part = _begin(Path.AttestedAfterWindow, 3333);
        vm.deal(address(this), 1_000_000);
        _force(7);
        assertEq(address(escrow).balance, uint256(AMOUNT) + 7, "forced");
        Terms memory terms = _native(Path.Approved, 0);
        _wrongValue(uint256(AMOUNT) - 7, AMOUNT);
        vm.prank(payer);
        escrow.fund{ value: AMOUNT - 7 }(terms, _one(AMOUNT), 1);

        _settleExactly(Path.AttestedAfterWindow, part, 3333);

        assertEq(address(escrow).balance, 7, "what was forced stays");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, NATIVE, STRANGER));
        vm.prank(STRANGER);
        escrow.withdraw(NATIVE, STRANGER);
    }

    /// @dev A contract that destroys itself sends what it has past every check of the receiver.
    function _force(uint256 amount) private {
        bytes memory selfdestructing = abi.encodePacked(hex"73", escrow, hex"ff");
        address made;
        assembly ("memory-safe") {
            made := create(amount, add(selfdestructing, 0x20), mload(selfdestructing))
        }
        assertTrue(made != address(0), "made");
    }

    /// @dev A block's reward or a withdrawal of stake is credited to an account without any call.
    function test_a_block_reward_to_the_escrow_disturbs_nothing() public {
        Part memory part = _begin(Path.Agreed, 1);
        vm.coinbase(address(escrow));
        vm.deal(address(escrow), address(escrow).balance + 5);
        _settleExactly(Path.Agreed, part, 1);
        assertEq(address(escrow).balance, 5, "the reward stays");
    }

    /* DISPUTES WITH VALUE */

    function _withHook() private returns (Part memory part, HookArbiter arbiter) {
        arbiter = new HookArbiter();
        Terms memory terms = _native(Path.Ruled, 5000);
        (terms.arbiter, terms.arbiterHook) = (address(arbiter), true);
        part = _fundNative(terms, _one(AMOUNT));
        _award(part, 10_000);
    }

    function test_a_hooks_value_and_the_milestones_money_are_kept_apart() public {
        (Part memory part, HookArbiter arbiter) = _withHook();
        vm.prank(payer);
        escrow.dispute{ value: 55 }(part, "");
        assertEq(address(arbiter).balance, 55, "the hook's");
        assertEq(address(escrow).balance, AMOUNT, "the milestone's");

        Split memory before = _owned(NATIVE);
        arbiter.rule(escrow, _id(part), part, 4000);
        _expectGained(NATIVE, before, _splitOf(Path.Ruled, part, 4000));
        assertEq(address(escrow).balance, 0, "nothing stays");
    }

    function test_a_hook_that_refuses_gives_the_value_back() public {
        (Part memory part, HookArbiter arbiter) = _withHook();
        arbiter.setMode(HookArbiter.Mode.Refuse);
        uint256 before = payer.balance;
        vm.expectRevert(abi.encodeWithSelector(HookArbiter.Refused.selector));
        vm.prank(payer);
        escrow.dispute{ value: 55 }(part, "");
        assertEq(payer.balance, before, "payer");
        _expectStatus(_id(part), 0, Status.Attested);
    }

    function test_a_native_dispute_without_a_hook_takes_no_value() public {
        Part memory part = _begin(Path.Ruled, 5000);
        _award(part, 10_000);
        _wrongValue(55, 0);
        vm.prank(payer);
        escrow.dispute{ value: 55 }(part, "");
    }

    /// @dev The hook holds the disputer's value and the floor, and can still fund nothing.
    function test_a_hook_with_value_can_reenter_nothing() public {
        HookActor arbiter = new HookActor();
        Terms memory terms = _native(Path.Ruled, 5000);
        (terms.arbiter, terms.arbiterHook) = (address(arbiter), true);
        Part memory part = _fundNative(terms, _one(AMOUNT));
        _award(part, 10_000);
        bytes[] memory calls = _everyCall(part);
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            arbiter.plan(address(escrow), calls[i], _takesValue(calls[i]) ? AMOUNT : 0);
            vm.prank(payer);
            escrow.dispute{ value: AMOUNT }(part, "");
            assertEq(arbiter.answer(), IEscrow.Reentered.selector, "locked");
            assertEq(address(escrow).balance, AMOUNT, "escrow");
            assertTrue(vm.revertToState(snapshot), "back");
        }
    }

    /* NATIVE AND TOKENS */

    function test_native_and_token_agreements_are_kept_apart() public {
        Part memory part = _begin(Path.AttestedAfterWindow, 5000);
        Terms memory terms = _amended(part.terms);
        terms.token = address(play);
        (Part memory inPlay,) = _fundSigned(terms, _one(AMOUNT), 1);
        _prepare(Path.AttestedAfterWindow, part, 5000);
        vm.warp(START);
        _award(inPlay, 5000);
        vm.warp(START + CHALLENGE + 1);
        _armAll(Actor.Mode.BurnGas);
        Split memory before = _owned(address(play));
        Part[] memory parts = new Part[](2);
        (parts[0], parts[1]) = (part, inPlay);

        vm.prank(KEEPER);
        bool[] memory settled = escrow.settleMany(parts);

        assertTrue(settled[0] && settled[1], "both");
        assertEq(_credited(NATIVE), AMOUNT, "native is credited");
        assertEq(_credited(address(play)), 0, "play money is paid");
        _expectGained(address(play), before, _splitOf(Path.AttestedAfterWindow, inPlay, 5000));
    }
}

/// @title An arbiter's hook that makes a call
contract HookActor {
    address private target;
    bytes private call;
    uint256 private value;
    bytes4 public answer;

    function plan(address target_, bytes calldata call_, uint256 value_) external {
        (target, call, value) = (target_, call_, value_);
    }

    function onDispute(bytes32, uint256, address, uint128, uint40, bytes calldata) external payable returns (bytes4) {
        (bool worked, bytes memory back) = target.call{ value: value }(call);
        answer = worked ? bytes4(0xffffffff) : bytes4(back);
        return this.onDispute.selector;
    }
}
