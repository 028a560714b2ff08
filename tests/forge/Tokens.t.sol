// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import { Escrow } from "../../contracts/Escrow.sol";
import { IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Paths } from "./Paths.sol";
import { Actor } from "./mocks/Actor.sol";
import { HostileToken } from "./mocks/HostileToken.sol";
import {
    HookedToken,
    LoudToken,
    LyingToken,
    NativeTwin,
    RebasingToken,
    SurchargeToken,
    TwinLedger,
    TwinToken
} from "./mocks/OddTokens.sol";
import { UsdcLike } from "./mocks/UsdcLike.sol";
import { UsdtLike } from "./mocks/UsdtLike.sol";
import { Vm, vm } from "./Vm.sol";

/// @title What an escrow assumes of tokens, and what happens when it does not hold: SECURITY.md, Tokens
contract TokensTest is Paths {
    uint256 private constant SUM = 3 * uint256(AMOUNT);

    /// @dev Fee and tip, so that four are paid.
    function _in(address token) private view returns (Terms memory terms) {
        terms = _termsFor(Path.AttestedAfterWindow, token, 0);
        (terms.feeBps, terms.feeTo, terms.tip) = (250, FEE_TO, uint96(AMOUNT / 100));
    }

    /// @dev Approves just the sum and funds three milestones. Low-level: USDT's approve returns nothing.
    function _fundIn(address token) private returns (Part memory part) {
        return _fundIn(token, 0);
    }

    function _fundIn(address token, uint256 salt) private returns (Part memory part) {
        Terms memory terms = _in(token);
        terms.salt = bytes32(salt);
        _allow(token, SUM);
        vm.prank(payer);
        escrow.fund(terms, _schedule(3), 7);
        return _part(terms, _schedule(3), 0);
    }

    function _allow(address token, uint256 amount) private {
        vm.prank(payer);
        (bool worked,) = token.call(abi.encodeCall(IERC20.approve, (address(escrow), amount)));
        assertTrue(worked, "approved");
    }

    function _refuseFunding(address token, bytes memory reason) private {
        _allow(token, SUM);
        vm.expectRevert(reason);
        vm.prank(payer);
        escrow.fund(_in(token), _schedule(3), 7);
        (uint64 funded,) = escrow.state(_id(_part(_in(token), _schedule(3), 0)));
        assertEq(funded, 0, "nothing is recorded");
    }

    function _failed(address token) private view returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, token, payer, SUM);
    }

    function _wrongAmount(uint256 have) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, have, SUM);
    }

    function _at(Part memory part, uint8 index) private pure returns (Part memory) {
        return _part(part.terms, _schedule(3), index);
    }

    function _approve(Part memory part) private {
        vm.prank(payer);
        escrow.approve(part);
    }

    /// @dev Half to the payee, so that all four get something.
    function _settleHalf(Part memory part) private {
        vm.warp(START);
        _award(part, 5000);
        vm.warp(START + CHALLENGE + 1);
        vm.prank(KEEPER);
        escrow.settle(part);
    }

    function _half(Part memory part) private pure returns (Split memory) {
        return _splitOf(Path.AttestedAfterWindow, part, 5000);
    }

    /// @dev Every credit of the four is refused for now, and stays.
    function _expectWithdrawalsFail(address token) private {
        address[4] memory owners = [payer, payee, FEE_TO, KEEPER];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 owed = escrow.credit(token, owners[i]);
            if (owed == 0) continue;
            vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFailed.selector, token, owners[i], owed));
            vm.prank(owners[i]);
            escrow.withdraw(token, owners[i]);
            assertEq(escrow.credit(token, owners[i]), owed, "the credit stays");
        }
    }

    /// @dev Every credit of the four is taken, once.
    function _withdrawAll(address token) private returns (uint256 taken) {
        address[4] memory owners = [payer, payee, FEE_TO, KEEPER];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 owed = escrow.credit(token, owners[i]);
            if (owed == 0) continue;
            uint256 before = _held(token, owners[i]);
            vm.prank(owners[i]);
            taken += escrow.withdraw(token, owners[i]);
            assertEq(_held(token, owners[i]) - before, owed, "received");
            vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, token, owners[i]));
            vm.prank(owners[i]);
            escrow.withdraw(token, owners[i]);
        }
    }

    /* EXACT TO THE UNIT */

    struct Case {
        uint8 path;
        uint128 amount;
        uint16 bps;
        uint16 feeBps;
        uint96 tip;
        bool native;
        uint8 edge; // pulls amount and rates to their extremes
    }

    /// @dev Any path, any terms that funding accepts, native currency or a token: nothing reverts, every unit is accounted
    /// for, in balances and in the event.
    function testFuzz_every_path_pays_to_the_unit_whatever_the_terms(Case memory c) public {
        Path path = Path(c.path % PATHS);
        if (c.amount == 0 || c.edge & 3 == 0) c.amount = type(uint128).max - c.amount % 3;
        if (c.edge & 3 == 1) c.amount = c.amount % 10_001 + 1;
        uint16 feeBps = c.edge & 4 != 0 ? (c.feeBps % 2) * 10_000 : c.feeBps % 10_001;
        uint16 bps = c.edge & 8 != 0 ? (c.bps % 2) * 10_000 : c.bps % 10_001;
        if (bps == 0 && _awards(path)) bps = 1;
        uint256 most = c.amount / 10 < type(uint96).max ? c.amount / 10 : type(uint96).max;
        uint96 tip = uint96(c.edge & 16 != 0 ? most : c.tip % (most + 1));
        _settleFresh(path, c.native ? NATIVE : address(play), c.amount, bps, feeBps, tip);
    }

    function _settleFresh(Path path, address token, uint128 amount, uint16 bps, uint16 feeBps, uint96 tip) private {
        Terms memory terms = _termsFor(path, token, bps);
        (terms.feeBps, terms.tip, terms.salt) = (feeBps, tip, keccak256(abi.encode(amount, bps, feeBps, tip)));
        terms.feeTo = feeBps > 0 ? FEE_TO : address(0);
        vm.warp(START);
        _give(payer, amount);
        vm.deal(payer, payer.balance + amount);
        vm.prank(payer);
        escrow.fund{ value: token == NATIVE ? amount : 0 }(terms, _one(amount), 1);
        _settleExactly(path, _part(terms, _one(amount), 0), bps);
        assertEq(_held(token, address(escrow)), 0, "nothing stays");
    }

    /// @dev Amounts around what a share of 1/10000 rounds at, and the largest; every rate at its ends.
    function test_every_extreme_of_the_terms_pays_to_the_unit() public {
        uint128[8] memory amounts = [uint128(1), 2, 9999, 10_000, 10_001, 99_999_999, 1 << 127, type(uint128).max];
        uint16[4] memory rates = [uint16(0), 1, 9999, 10_000];
        for (uint256 i = 0; i < amounts.length; ++i) {
            uint256 tenth = amounts[i] / 10;
            uint96 most = tenth < type(uint96).max ? uint96(tenth) : type(uint96).max;
            for (uint256 j = 0; j < 16; ++j) {
                (uint16 bps, uint16 fee) = (rates[j % 4], rates[j / 4]);
                _settleFresh(Path.Unreviewed, address(play), amounts[i], bps, fee, most);
                _settleFresh(Path.UnruledWithoutVerifier, NATIVE, amounts[i], bps, fee, 0);
            }
        }
    }

    /// @dev 64 times the largest amount, in one agreement.
    function test_the_largest_schedule_of_the_largest_amounts_is_paid_to_the_unit() public {
        uint256 total = 64 * uint256(type(uint128).max);
        play.mint(payer, total);
        Milestone[] memory milestones = _schedule(64);
        for (uint256 i = 0; i < 64; ++i) {
            milestones[i].amount = type(uint128).max;
        }
        Terms memory terms = _in(address(play));
        terms.tip = type(uint96).max;
        vm.prank(payer);
        escrow.fund(terms, milestones, type(uint64).max);
        assertEq(play.balanceOf(address(escrow)), total, "held");
        uint256 before = play.balanceOf(payer);
        Part[] memory parts = new Part[](64);
        for (uint8 i = 0; i < 64; ++i) {
            parts[i] = _part(terms, milestones, i);
            if (i % 2 == 0) _award(parts[i], 3333);
        }
        vm.warp(uint256(SUBMIT_BY) + 1);

        vm.prank(KEEPER);
        escrow.settleMany(parts);

        Split memory each = _splitOf(Path.AttestedAfterWindow, parts[0], 3333);
        assertEq(play.balanceOf(address(escrow)), 0, "nothing stays");
        assertEq(play.balanceOf(payee), 32 * each.toPayee, "payee");
        assertEq(play.balanceOf(FEE_TO), 32 * each.fee, "fee");
        assertEq(play.balanceOf(KEEPER), 32 * each.tip, "tips");
        assertEq(play.balanceOf(payer) - before, 32 * each.toPayer + total / 2, "payer");
    }

    /// @dev A share, fee or tip of nothing is not sent: some tokens refuse zero.
    function test_nothing_is_sent_to_who_gets_nothing() public {
        LoudToken loud = new LoudToken();
        loud.mint(payer, SUM);
        Part memory part = _fundIn(address(loud));
        vm.recordLogs();
        vm.prank(payee);
        escrow.waive(part);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2, "Settled and one Transfer");
        assertEq(logs[0].topics[0], IEscrow.Settled.selector, "Settled");
        assertEq(logs[1].topics[0], IERC20.Transfer.selector, "Transfer");
        assertEq(loud.balanceOf(payer), AMOUNT, "payer");
    }

    /* USDT */

    function _usdt() private returns (UsdtLike usdt, Part memory part) {
        usdt = new UsdtLike();
        usdt.issue(payer, 2 * SUM);
        part = _fundIn(address(usdt));
    }

    function test_usdt_returns_nothing_and_is_taken_and_paid_exactly() public {
        (UsdtLike usdt, Part memory part) = _usdt();
        assertEq(usdt.balanceOf(address(escrow)), SUM, "held");
        _settleHalf(part);
        Split memory want = _half(part);
        assertEq(usdt.balanceOf(payee), want.toPayee, "payee");
        assertEq(usdt.balanceOf(payer), SUM + want.toPayer, "payer");
        assertEq(usdt.balanceOf(FEE_TO), want.fee, "fee");
        assertEq(usdt.balanceOf(KEEPER), want.tip, "tip");
        assertEq(_credited(address(usdt)), 0, "no credit");
    }

    function test_usdt_that_was_not_approved_is_refused() public {
        UsdtLike usdt = new UsdtLike();
        usdt.issue(payer, SUM);
        vm.expectRevert(_failed(address(usdt)));
        vm.prank(payer);
        escrow.fund(_in(address(usdt)), _schedule(3), 7);
    }

    /// @dev An exact approval is used up by a funding, so that USDT lets the next one be given.
    function test_usdt_can_be_approved_exactly_again_and_again() public {
        (UsdtLike usdt,) = _usdt();
        assertEq(usdt.allowance(payer, address(escrow)), 0, "used up");
        _fundIn(address(usdt), 1);
        assertEq(usdt.balanceOf(address(escrow)), 2 * SUM, "held");
    }

    function test_usdt_with_its_fee_on_cannot_be_funded() public {
        UsdtLike usdt = new UsdtLike();
        usdt.issue(payer, SUM);
        usdt.setParams(19, 49);
        _refuseFunding(address(usdt), _wrongAmount(SUM - usdt.feeOf(SUM)));
    }

    /// @dev The escrow is debited what it sends, so what the fee costs is the receiver's loss and nobody else's: every
    /// milestone of every agreement is still paid, without a credit.
    function test_usdt_with_its_fee_switched_on_later_costs_receivers_the_fee_and_nobody_else() public {
        (UsdtLike usdt, Part memory part) = _usdt();
        Part memory second = _fundIn(address(usdt), 1);
        usdt.setParams(19, 49);
        for (uint8 i = 0; i < 3; ++i) {
            _approve(_at(part, i));
            _approve(_at(second, i));
        }
        uint256 each = AMOUNT - AMOUNT * 250 / 10_000;
        assertEq(usdt.balanceOf(payee), 6 * (each - usdt.feeOf(each)), "payee gets less");
        assertEq(usdt.balanceOf(address(escrow)), 0, "to the unit");
        assertEq(_credited(address(usdt)), 0, "no credit");
    }

    /// @dev USDT asks about the sender only: the escrow is blocked, its receivers are not.
    function test_usdt_that_blocks_the_escrow_turns_everything_into_credits_until_it_unblocks() public {
        (UsdtLike usdt, Part memory part) = _usdt();
        usdt.setBlackListed(payee, true);
        _approve(_at(part, 2));
        assertEq(usdt.balanceOf(payee), AMOUNT - AMOUNT * 250 / 10_000, "a blocked receiver receives");

        usdt.setBlackListed(address(escrow), true);
        _settleHalf(part);
        assertEq(_credited(address(usdt)), AMOUNT, "credited");
        _expectWithdrawalsFail(address(usdt));

        usdt.setBlackListed(address(escrow), false);
        assertEq(_withdrawAll(address(usdt)), AMOUNT, "withdrawn");
        assertEq(usdt.balanceOf(address(escrow)), AMOUNT, "the last milestone");
    }

    function test_usdt_that_destroys_the_escrows_balance_stops_no_settlement_and_no_other_token() public {
        (UsdtLike usdt, Part memory part) = _usdt();
        (Part memory inPlay,) = _fundSigned(_in(address(play)));
        usdt.setBlackListed(address(escrow), true);
        usdt.destroyBlackFunds(address(escrow));
        usdt.setBlackListed(address(escrow), false);
        _settleHalf(part);
        assertEq(_credited(address(usdt)), AMOUNT, "credited");
        _expectWithdrawalsFail(address(usdt));
        _approve(inPlay);
        assertEq(play.balanceOf(payee), AMOUNT - AMOUNT * 250 / 10_000, "other tokens");
    }

    function test_usdt_paused_is_credited_and_paid_later() public {
        (UsdtLike usdt, Part memory part) = _usdt();
        usdt.setPaused(true);
        _settleHalf(part);
        _expectWithdrawalsFail(address(usdt));
        usdt.setPaused(false);
        assertEq(_withdrawAll(address(usdt)), AMOUNT, "withdrawn");
    }

    /* USDC */

    function _usdc() private returns (UsdcLike usdc, Part memory part) {
        usdc = new UsdcLike();
        usdc.mint(payer, 2 * SUM);
        part = _fundIn(address(usdc));
    }

    /// @dev Each of the four in turn: the others are paid, he is credited and takes it once when he may.
    function test_usdc_that_blocks_one_of_the_four_pays_the_others() public {
        address[4] memory four = [payer, payee, FEE_TO, KEEPER];
        for (uint256 i = 0; i < 4; ++i) {
            (UsdcLike usdc, Part memory part) = _usdc();
            usdc.setBlacklisted(four[i], true);
            Split memory before = _owned(address(usdc));
            _settleHalf(part);
            uint256 owed = escrow.credit(address(usdc), four[i]);
            assertEq(_credited(address(usdc)), owed, "he alone is credited");
            assertTrue(owed > 0, "credited");
            _expectGained(address(usdc), before, _half(part));
            _expectWithdrawalsFail(address(usdc));
            usdc.setBlacklisted(four[i], false);
            assertEq(_withdrawAll(address(usdc)), owed, "withdrawn");
            assertEq(usdc.balanceOf(address(escrow)), 2 * uint256(AMOUNT), "the other milestones");
        }
    }

    /// @dev The token's rules are the token's: it asks about the escrow and where the money goes, not whose it was.
    function test_a_blocked_party_can_take_its_credit_to_another_address() public {
        (UsdcLike usdc, Part memory part) = _usdc();
        usdc.setBlacklisted(payee, true);
        _approve(part);
        uint256 owed = escrow.credit(address(usdc), payee);
        vm.prank(payee);
        escrow.withdraw(address(usdc), STRANGER);
        assertEq(usdc.balanceOf(STRANGER), owed, "taken");
    }

    function test_usdc_that_blocks_the_escrow_or_is_paused_stops_no_settlement_and_no_other_token() public {
        for (uint256 i = 0; i < 2; ++i) {
            (UsdcLike usdc, Part memory part) = _usdc();
            Terms memory terms = _in(address(play));
            terms.salt = bytes32(i);
            vm.warp(START);
            (Part memory inPlay,) = _fundSigned(terms);
            Part[] memory parts = new Part[](2);
            (parts[0], parts[1]) = (part, inPlay);
            _award(part, 5000);
            _award(inPlay, 5000);
            vm.warp(START + CHALLENGE + 1);
            if (i == 0) usdc.setBlacklisted(address(escrow), true);
            else usdc.setPaused(true);
            Split memory before = _owned(address(play));

            vm.prank(KEEPER);
            bool[] memory settled = escrow.settleMany(parts);

            assertTrue(settled[0] && settled[1], "both");
            assertEq(_credited(address(usdc)), AMOUNT, "credited in dollars");
            _expectGained(address(play), before, _half(inPlay));
            assertEq(_credited(address(play)), 0, "paid in play money");
            _expectWithdrawalsFail(address(usdc));
            if (i == 0) usdc.setBlacklisted(address(escrow), false);
            else usdc.setPaused(false);
            assertEq(_withdrawAll(address(usdc)), AMOUNT, "withdrawn");
        }
    }

    /* FEES, REBASES AND OTHER BALANCES THAT MOVE BY THEMSELVES */

    /// @dev A tenth on top of each transfer, switched on when 6,000 are held for two agreements. Each payment of 1,000
    /// takes 1,100: five are paid in full, the sixth is credited whole against the 500 that are left. First come, first
    /// served; whoever sends the missing 600 to the escrow makes the last one whole.
    function test_a_fee_on_top_that_comes_later_is_borne_by_the_last_claim_alone() public {
        SurchargeToken token = new SurchargeToken();
        token.mint(payer, 2 * SUM);
        Part memory part = _plain(address(token), 0);
        Part memory second = _plain(address(token), 1);
        token.setBps(1000);

        for (uint8 i = 0; i < 3; ++i) {
            _approve(_at(part, i));
            if (i < 2) _approve(_at(second, i));
        }
        assertEq(token.balanceOf(payee), 5 * uint256(AMOUNT), "five in full");
        assertEq(token.balanceOf(address(escrow)), uint256(AMOUNT) / 2, "what is left");

        _approve(_at(second, 2));
        assertEq(escrow.credit(address(token), payee), AMOUNT, "the sixth, whole");
        _expectWithdrawalsFail(address(token));
        token.mint(address(escrow), uint256(AMOUNT) * 6 / 10 - 1);
        _expectWithdrawalsFail(address(token));
        token.mint(address(escrow), 1);
        assertEq(_withdrawAll(address(token)), AMOUNT, "made whole");
        assertEq(token.balanceOf(address(escrow)), 0, "nothing stays");
    }

    /// @dev Neither fee nor tip, funded by `payer`.
    function _plain(address token, uint256 salt) private returns (Part memory part) {
        Terms memory terms = _in(token);
        (terms.feeBps, terms.feeTo, terms.tip, terms.salt) = (0, address(0), 0, bytes32(salt));
        _allow(token, SUM);
        vm.prank(payer);
        escrow.fund(terms, _schedule(3), 7);
        return _part(terms, _schedule(3), 0);
    }

    function test_a_fee_on_top_is_not_noticed_at_funding_because_the_payer_bears_it() public {
        SurchargeToken token = new SurchargeToken();
        token.mint(payer, 2 * SUM);
        token.setBps(1000);
        _plain(address(token), 0);
        assertEq(token.balanceOf(address(escrow)), SUM, "held");
        assertEq(token.balanceOf(payer), SUM - SUM / 10, "payer");
    }

    function _rebasing() private returns (RebasingToken token) {
        token = new RebasingToken();
        token.mint(payer, 4 * SUM);
        token.mint(STRANGER, 4 * SUM);
    }

    /// @dev A pool of 7/3: rounding takes two units on the way, as stETH's does.
    function test_a_rebasing_token_that_loses_units_on_the_way_is_refused() public {
        RebasingToken token = _rebasing();
        token.setPool(8 * SUM * 7 / 3);
        _refuseFunding(address(token), _wrongAmount(SUM - 2));
    }

    function test_a_rebase_upwards_pays_what_was_agreed_and_leaves_the_surplus_to_nobody() public {
        RebasingToken token = _rebasing();
        Part memory part = _plain(address(token), 0);
        token.setPool(16 * SUM);
        for (uint8 i = 0; i < 3; ++i) {
            _approve(_at(part, i));
        }
        assertEq(token.balanceOf(payee), SUM, "payee");
        assertEq(token.balanceOf(address(escrow)), SUM, "surplus");
        assertEq(_credited(address(token)), 0, "no credit");
    }

    /// @dev A tenth less: two of three are paid in full, the third is credited whole against the 700 that are left.
    function test_a_rebase_downwards_is_borne_by_the_last_claim_alone() public {
        RebasingToken token = _rebasing();
        Part memory part = _plain(address(token), 0);
        token.setPool(8 * SUM * 9 / 10);
        _approve(_at(part, 0));
        _approve(_at(part, 1));
        assertEq(token.balanceOf(payee), 2 * uint256(AMOUNT) - 1, "two, but for what rounding took on the way");
        _approve(_at(part, 2));
        assertEq(escrow.credit(address(token), payee), AMOUNT, "the third, whole");
        _expectWithdrawalsFail(address(token));

        token.setPool(8 * SUM);
        uint256 held = token.balanceOf(address(escrow));
        assertTrue(held < AMOUNT, "the old pool does not make it whole: shares have left");
        vm.prank(STRANGER);
        token.transfer(address(escrow), AMOUNT - held);
        vm.prank(payee);
        escrow.withdraw(address(token), payee);
        assertEq(escrow.credit(address(token), payee), 0, "made whole");
    }

    /* TOKENS THAT CALL THE PARTIES */

    function _hooked() private returns (HookedToken token, Actor actor) {
        token = new HookedToken();
        token.mint(payer, 2 * SUM);
        actor = new Actor();
    }

    function _plan(Actor actor, Actor.Mode mode, address target, bytes memory call_) private {
        address script = address(0x5C21);
        vm.etch(script, call_);
        actor.plan(mode, target, script, 0);
    }

    /// @dev ERC-777 asks the payer before it takes. He can call back and is refused, whether he swallows it or not.
    function test_a_payers_hook_can_reenter_nothing_while_he_pays() public {
        (HookedToken token, Actor actor) = _hooked();
        token.register(payer, address(actor));
        Terms memory terms = _in(address(token));
        _plan(actor, Actor.Mode.PassOn, address(escrow), abi.encodeCall(Escrow.fund, (terms, _schedule(3), 4)));
        _refuseFunding(address(token), _failed(address(token)));

        _plan(actor, Actor.Mode.Replay, address(escrow), abi.encodeCall(Escrow.fund, (terms, _schedule(3), 4)));
        Part memory part = _fundIn(address(token));
        assertEq(actor.answer(), IEscrow.Reentered.selector, "locked");
        assertEq(token.balanceOf(address(escrow)), SUM, "paid once");
        (uint64 funded,) = escrow.state(_id(part));
        assertEq(funded, 7, "funded once");
    }

    /// @dev A payer's hook that sends more to the escrow while he pays stops his own funding, to the unit.
    function test_a_payers_hook_cannot_slip_money_into_his_funding() public {
        (HookedToken token, Actor actor) = _hooked();
        token.mint(address(actor), 5);
        token.register(payer, address(actor));
        _plan(actor, Actor.Mode.Replay, address(token), abi.encodeCall(IERC20.transfer, (address(escrow), 5)));
        _refuseFunding(address(token), _wrongAmount(SUM + 5));
    }

    function test_a_receivers_hook_can_reenter_nothing_and_is_credited_if_it_passes_that_on() public {
        (HookedToken token, Actor actor) = _hooked();
        Part memory part = _fundIn(address(token));
        token.register(payee, address(actor));
        bytes memory again = abi.encodeCall(Escrow.approve, (_at(part, 1)));
        uint256 each = AMOUNT - AMOUNT * 250 / 10_000;

        _plan(actor, Actor.Mode.Replay, address(escrow), again);
        _approve(part);
        assertEq(actor.answer(), IEscrow.Reentered.selector, "locked");
        assertEq(token.balanceOf(payee), each, "paid");

        _plan(actor, Actor.Mode.PassOn, address(escrow), again);
        _approve(_at(part, 1));
        assertEq(escrow.credit(address(token), payee), each, "credited");

        _plan(actor, Actor.Mode.Replay, address(escrow), abi.encodeCall(Escrow.withdraw, (address(token), payee)));
        assertEq(_withdrawAll(address(token)), each, "withdrawn once");
        assertEq(actor.answer(), IEscrow.Reentered.selector, "locked");
        assertEq(token.balanceOf(address(escrow)), AMOUNT, "the third milestone");
    }

    function test_a_receivers_hook_that_rejects_burns_or_bombs_harms_only_its_owner() public {
        Actor.Mode[3] memory modes = [Actor.Mode.Reject, Actor.Mode.BurnGas, Actor.Mode.Bomb];
        (HookedToken token, Actor actor) = _hooked();
        Part memory part = _fundIn(address(token));
        token.register(payee, address(actor));
        for (uint8 i = 0; i < 3; ++i) {
            actor.setMode(modes[i]);
            Split memory before = _owned(address(token));
            uint256 owed = escrow.credit(address(token), payee);
            _settleHalf(_at(part, i));
            _expectGained(address(token), before, _half(part));
            assertEq(escrow.credit(address(token), payee) - owed, _half(part).toPayee, "credited");
            assertEq(_credited(address(token)), escrow.credit(address(token), payee), "he alone");
        }
        actor.setMode(Actor.Mode.Accept);
        assertEq(_withdrawAll(address(token)), 3 * _half(part).toPayee, "withdrawn");
        assertEq(token.balanceOf(address(escrow)), 0, "nothing stays");
    }

    /* TOKENS THAT REFUSE, LIE, SHOUT OR BURN */

    function _hostile() private returns (HostileToken token, Part memory part) {
        token = new HostileToken();
        token.mint(payer, 2 * SUM);
        part = _fundIn(address(token));
    }

    /// @dev These move nothing and say so. Every credit survives every refused withdrawal and is taken once.
    function test_what_a_token_refuses_is_withdrawn_once_when_it_no_longer_does() public {
        HostileToken.Mode[3] memory modes =
            [HostileToken.Mode.ReturnFalse, HostileToken.Mode.Bomb, HostileToken.Mode.BurnGas];
        (HostileToken token, Part memory part) = _hostile();
        for (uint8 i = 0; i < 3; ++i) {
            token.setMode(modes[i]);
            uint256 before = _credited(address(token));
            _settleHalf(_at(part, i));
            assertEq(_credited(address(token)) - before, AMOUNT, "credited");
            _expectWithdrawalsFail(address(token));
        }
        token.setMode(HostileToken.Mode.Honest);
        assertEq(_withdrawAll(address(token)), SUM, "withdrawn");
        assertEq(token.balanceOf(address(escrow)), 0, "nothing stays");
    }

    /// @dev These move the money and do not say so: the receiver has it and is credited as well, out of what is held for
    /// others in this token. Other tokens do not feel it.
    function test_a_token_that_pays_and_denies_it_robs_its_own_holders_only() public {
        HostileToken.Mode[2] memory modes = [HostileToken.Mode.ReturnTwo, HostileToken.Mode.ReturnByte];
        for (uint256 i = 0; i < 2; ++i) {
            (HostileToken token, Part memory part) = _hostile();
            Terms memory terms = _in(address(play));
            terms.salt = bytes32(i);
            (Part memory inPlay,) = _fundSigned(terms);
            uint256 inPlayBefore = play.balanceOf(payee);
            token.setMode(modes[i]);
            _approve(part);
            token.setMode(HostileToken.Mode.Honest);
            assertEq(_withdrawAll(address(token)), AMOUNT, "paid again");
            assertEq(token.balanceOf(address(escrow)), AMOUNT, "for two milestones");
            _approve(_at(part, 1));
            _approve(_at(part, 2));
            assertEq(_credited(address(token)), AMOUNT, "the last claim waits for somebody to make it whole");
            _expectWithdrawalsFail(address(token));
            _approve(inPlay);
            assertEq(play.balanceOf(payee) - inPlayBefore, AMOUNT - AMOUNT * 250 / 10_000, "other tokens");
        }
    }

    /// @dev True with 160 kB behind it is true. Two payments, 64,000 gas of words in each: copying them would cost 158,000.
    function test_a_token_that_shouts_is_believed_and_not_listened_to() public {
        LoudToken loud = new LoudToken();
        loud.mint(payer, SUM);
        (Part memory inPlay,) = _fundSigned(_in(address(play)));
        _approve(inPlay);
        uint256 quiet = vm.lastCallGas().gasTotalUsed;
        _approve(_fundIn(address(loud)));
        assertTrue(vm.lastCallGas().gasTotalUsed < quiet + 2 * 64_000 + 20_000, "copied");
        assertEq(loud.balanceOf(payee), AMOUNT - AMOUNT * 250 / 10_000, "payee");
        assertEq(_credited(address(loud)), 0, "no credit");
    }

    /// @dev Each burns its own share of gas and no more, so the others of a batch are settled.
    function test_a_token_that_burns_all_gas_stops_no_other_in_a_batch() public {
        (HostileToken token, Part memory part) = _hostile();
        (Part memory inPlay,) = _fundSigned(_in(address(play)));
        token.setMode(HostileToken.Mode.BurnGas);
        Part[] memory parts = new Part[](4);
        for (uint8 i = 0; i < 3; ++i) {
            parts[i] = _at(part, i);
            _award(parts[i], 5000);
        }
        parts[3] = inPlay;
        _award(inPlay, 5000);
        vm.warp(START + CHALLENGE + 1);
        Split memory before = _owned(address(play));

        vm.prank(KEEPER);
        escrow.settleMany{ gas: 3_000_000 }(parts);

        assertEq(_credited(address(token)), SUM, "credited");
        _expectGained(address(play), before, _half(inPlay));
    }

    /// @dev Agreements that share neither token nor parties: the dearest case.
    function test_settle_many_in_burning_tokens_needs_no_more_than_its_rule_for_each() public {
        Part[] memory four = new Part[](4);
        for (uint160 i = 0; i < 4; ++i) {
            HostileToken token = new HostileToken();
            token.mint(payer, AMOUNT);
            _allow(address(token), AMOUNT);
            Terms memory terms = _in(address(token));
            (terms.payer, terms.payee, terms.feeTo) = (address(0xF100 + i), address(0xF200 + i), address(0xF300 + i));
            vm.prank(payer);
            escrow.fund(terms, _one(AMOUNT), 1);
            four[i] = _part(terms, _one(AMOUNT), 0);
            _attest(four[i], 0, 0, 5000);
            token.setMode(HostileToken.Mode.BurnGas);
        }
        vm.warp(START + CHALLENGE + 1);
        _expectWithinTheRule(new Actor(), four);
    }

    function test_a_token_without_code_for_a_while_pays_when_it_is_back() public {
        (HostileToken token, Part memory part) = _hostile();
        bytes memory code = address(token).code;
        vm.etch(address(token), "");
        _approve(part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NoCode.selector, address(token)));
        vm.prank(payer);
        escrow.fund(_in(address(token)), _schedule(2), 1);
        uint256 owed = escrow.credit(address(token), payee);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFailed.selector, address(token), payee, owed));
        vm.prank(payee);
        escrow.withdraw(address(token), payee);
        vm.etch(address(token), code);
        assertEq(_withdrawAll(address(token)), AMOUNT, "withdrawn");
    }

    function test_a_token_that_lies_about_balances_is_refused_or_cheats_only_its_own() public {
        LyingToken token = new LyingToken();
        token.mint(payer, SUM);
        token.setLie(LyingToken.Lie.Constant);
        _refuseFunding(address(token), _wrongAmount(0));
        token.setLie(LyingToken.Lie.Shrink);
        _refuseFunding(address(token), abi.encodeWithSignature("Panic(uint256)", 0x11));

        token.setLie(LyingToken.Lie.Promise);
        (Part memory inPlay,) = _fundSigned(_in(address(play)));
        Part memory part = _fundIn(address(token));
        assertEq(token.balanceOf(payer), SUM, "nothing was taken");
        _settleHalf(part);
        assertEq(_credited(address(token)), AMOUNT, "nothing is there to pay with");
        _expectWithdrawalsFail(address(token));
        _approve(inPlay);
        assertEq(play.balanceOf(payee), AMOUNT - AMOUNT * 250 / 10_000, "other tokens");
    }

    /* TOKENS WITH TWO NAMES */

    function test_two_tokens_with_one_balance_are_two_books_that_both_add_up() public {
        TwinLedger ledger = new TwinLedger();
        TwinToken[2] memory twins = [new TwinToken(ledger), new TwinToken(ledger)];
        ledger.add(address(twins[0]));
        ledger.add(address(twins[1]));
        ledger.mint(payer, 2 * SUM);
        Part[2] memory parts = [_fundIn(address(twins[0])), _fundIn(address(twins[1]))];
        assertTrue(_id(parts[0]) != _id(parts[1]), "two agreements");
        assertEq(ledger.balanceOf(address(escrow)), 2 * SUM, "held");
        for (uint8 i = 0; i < 6; ++i) {
            _approve(_at(parts[i % 2], i / 2));
        }
        assertEq(ledger.balanceOf(payee), 6 * (AMOUNT - uint256(AMOUNT) * 250 / 10_000), "payee");
        assertEq(ledger.balanceOf(address(escrow)), 0, "nothing stays");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NothingToWithdraw.selector, address(twins[1]), payee));
        vm.prank(payee);
        escrow.withdraw(address(twins[1]), payee);
    }

    /// @dev CELO is native currency and a token. Value beside the token is refused, so neither counts for the other.
    function test_native_currency_that_is_a_token_too_pays_for_each_once() public {
        NativeTwin twin = new NativeTwin();
        vm.deal(payer, 2 * SUM);
        Terms memory terms = _in(address(twin));
        _allow(address(twin), SUM);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongValue.selector, SUM, 0));
        vm.prank(payer);
        escrow.fund{ value: SUM }(terms, _schedule(3), 7);

        Part memory asToken = _fundIn(address(twin));
        vm.prank(payer);
        escrow.fund{ value: SUM }(_in(NATIVE), _schedule(3), 7);
        Part memory asNative = _part(_in(NATIVE), _schedule(3), 0);
        assertEq(address(escrow).balance, 2 * SUM, "held");
        for (uint8 i = 0; i < 3; ++i) {
            _approve(_at(asToken, i));
            _approve(_at(asNative, i));
        }
        assertEq(payee.balance, 6 * (AMOUNT - uint256(AMOUNT) * 250 / 10_000), "payee");
        assertEq(address(escrow).balance, 0, "nothing stays");
    }

    /* NO TOKEN AT ALL */

    /// @dev Its transferFrom reads an amount as a number of a piece; there is no transfer to pay it out with.
    function test_a_non_fungible_token_can_be_funded_as_one_unit_and_not_paid_out() public {
        Collectible nft = new Collectible();
        nft.mint(payer, 1);
        nft.mint(payer, 2);
        Terms memory terms = _in(address(nft));
        (terms.tip, terms.feeBps, terms.feeTo) = (0, 0, address(0));
        vm.prank(payer);
        nft.setApprovalForAll(address(escrow), true);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, 1, 2));
        vm.prank(payer);
        escrow.fund(terms, _one(2), 1);

        vm.prank(payer);
        escrow.fund(terms, _one(1), 1);
        _approve(_part(terms, _one(1), 0));
        assertEq(nft.ownerOf(1), address(escrow), "stuck");
        assertEq(escrow.credit(address(nft), payee), 1, "credited");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFailed.selector, address(nft), payee, 1));
        vm.prank(payee);
        escrow.withdraw(address(nft), payee);
    }

    /// @dev The escrow's own address as a token has no balance to ask for.
    function test_the_escrow_is_no_token() public {
        vm.expectRevert(bytes(""));
        vm.prank(payer);
        escrow.fund(_in(address(escrow)), _schedule(1), 1);
    }
}

contract Collectible is ERC721("Collectible", "ONE") {
    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}
