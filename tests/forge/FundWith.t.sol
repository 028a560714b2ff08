// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { ERC3009 } from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import { Nonces } from "@openzeppelin/contracts/utils/Nonces.sol";
import { Escrow } from "../../contracts/Escrow.sol";
import { IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Parties } from "./Parties.sol";
import { ContractMember } from "./mocks/Members.sol";
import {
    KeyedNonceToken,
    LongReasonToken,
    OddPermitToken,
    SigningToken,
    WrappedNative
} from "./mocks/SigningTokens.sol";
import { UsdcLike } from "./mocks/UsdcLike.sol";
import { Vm, vm } from "./Vm.sol";

/// @title What the two kinds of signed funding share
abstract contract FundWith is Parties {
    uint256 internal constant SUM = 3 * uint256(AMOUNT);
    uint256 internal constant STRANGER_KEY = uint256(keccak256("somebody else"));

    address internal other = vm.addr(STRANGER_KEY);
    SigningToken internal token;

    function setUp() public virtual override {
        super.setUp();
        token = new SigningToken();
        token.mint(payer, SUM);
        token.mint(other, SUM);
    }

    function _termsIn(address currency) internal view returns (Terms memory terms) {
        terms = _signedTerms();
        terms.token = currency;
    }

    function _signTyped(uint256 key, address currency, bytes32 structHash)
        internal
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 domain = IERC20Permit(currency).DOMAIN_SEPARATOR();
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
    }

    function _expectFunded(bytes32 id, uint64 mask) internal view {
        (uint64 funded,) = escrow.state(id);
        assertEq(funded, mask, "funded");
    }

    /// @dev As the recorded `Funded` tells it.
    function _expectFunder(bytes32 id, address want) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], IEscrow.Funded.selector, "Funded");
        assertEq(logs[0].topics[1], id, "id");
        (address funder,,,) = abi.decode(logs[0].data, (address, uint64, Terms, Milestone[]));
        assertEq(funder, want, "funder");
    }
}

/// @title Funding with an ERC-2612 permit
contract FundWithPermitTest is FundWith {
    uint256 private constant VALID_UNTIL = START + 1 hours;

    struct Permit {
        address owner;
        address spender;
        uint256 value;
        uint256 nonce;
        uint256 deadline;
    }

    function _permit(address owner) private view returns (Permit memory) {
        return Permit(owner, address(escrow), SUM, 0, VALID_UNTIL);
    }

    function _sign(uint256 key, Permit memory p) private view returns (uint8 v, bytes32 r, bytes32 s) {
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        return _signTyped(key, address(token), keccak256(abi.encode(typehash, p)));
    }

    /// @dev `caller` brings what `key` signed, for all three milestones.
    function _bring(address caller, uint256 key, Permit memory p) private returns (bytes32) {
        (uint8 v, bytes32 r, bytes32 s) = _sign(key, p);
        vm.prank(caller);
        return escrow.fundWithPermit(_termsIn(address(token)), _schedule(3), 7, VALID_UNTIL, v, r, s);
    }

    function _refuse(address caller, uint256 key, Permit memory p) private {
        (uint8 v, bytes32 r, bytes32 s) = _sign(key, p);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, address(token), caller, SUM));
        vm.prank(caller);
        escrow.fundWithPermit(_termsIn(address(token)), _schedule(3), 7, VALID_UNTIL, v, r, s);
        assertEq(token.balanceOf(payer) + token.balanceOf(other), 2 * SUM, "everybody keeps his money");
    }

    /// @dev In a currency in which the signature does not matter.
    function _fundIn(address currency) private returns (bytes32) {
        vm.prank(payer);
        return escrow.fundWithPermit(_termsIn(currency), _schedule(3), 7, VALID_UNTIL, 27, 0, 0);
    }

    function _refuseIn(address currency, bytes memory reason) private {
        vm.expectRevert(reason);
        _fundIn(currency);
    }

    function _noAllowance(address currency) private view returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, currency, payer, SUM);
    }

    /* THE PERMIT PAYS */

    function test_fundWithPermit_pays_in_one_call_with_no_allowance_before() public {
        vm.recordLogs();
        bytes32 id = _bring(payer, PAYER_KEY, _permit(payer));
        _expectFunder(id, payer);
        assertEq(id, _id(_part(_termsIn(address(token)), _schedule(3), 0)), "id");
        _expectFunded(id, 7);
        assertEq(token.balanceOf(address(escrow)), SUM, "held");
        assertEq(token.balanceOf(payer), 0, "paid");
        assertEq(token.allowance(payer, address(escrow)), 0, "no allowance stays");
    }

    function test_fundWithPermit_needs_a_permit_over_just_the_sum_of_the_mask() public {
        Permit memory p = _permit(payer);
        p.value = 2 * uint256(AMOUNT);
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, p);
        vm.prank(payer);
        bytes32 id = escrow.fundWithPermit(_termsIn(address(token)), _schedule(3), 5, VALID_UNTIL, v, r, s);
        _expectFunded(id, 5);
        assertEq(token.balanceOf(address(escrow)), 2 * uint256(AMOUNT), "held");
    }

    function test_fundWithPermit_takes_a_permit_until_its_last_second() public {
        vm.warp(VALID_UNTIL + 1);
        _refuse(payer, PAYER_KEY, _permit(payer));
        vm.warp(VALID_UNTIL);
        _expectFunded(_bring(payer, PAYER_KEY, _permit(payer)), 7);
    }

    function test_anyone_may_fund_with_his_own_permit() public {
        vm.recordLogs();
        bytes32 id = _bring(other, STRANGER_KEY, _permit(other));
        _expectFunder(id, other);
        assertEq(token.balanceOf(other), 0, "his money");
        assertEq(token.balanceOf(payer), SUM, "not the payer's");
    }

    /* THE PERMIT FAILS, THE ALLOWANCE DECIDES */

    /// @dev A permit is public in the mempool. Who uses it first grants the payer's allowance for him, and stops nothing.
    function test_permit_front_run_does_not_stop_the_funding() public {
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, _permit(payer));
        vm.prank(other);
        token.permit(payer, address(escrow), SUM, VALID_UNTIL, v, r, s);

        vm.prank(payer);
        bytes32 id = escrow.fundWithPermit(_termsIn(address(token)), _schedule(3), 7, VALID_UNTIL, v, r, s);

        _expectFunded(id, 7);
        assertEq(token.balanceOf(address(escrow)), SUM, "held");
        assertEq(token.allowance(payer, address(escrow)), 0, "no allowance stays");
    }

    /// @dev The allowance that the front-runner granted is of no use to him.
    function test_a_permit_of_the_payer_pays_for_nobody_else() public {
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, _permit(payer));
        token.permit(payer, address(escrow), SUM, VALID_UNTIL, v, r, s);
        _refuse(other, PAYER_KEY, _permit(payer));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TransferFromFailed.selector, address(token), other, SUM));
        vm.prank(other);
        escrow.fund(_termsIn(address(token)), _schedule(3), 7);
        assertEq(token.balanceOf(payer), SUM, "payer");
    }

    function test_fundWithPermit_refuses_a_permit_that_says_anything_else() public {
        Permit memory p = _permit(payer);
        _refuse(payer, STRANGER_KEY, p);
        p.owner = other;
        _refuse(payer, PAYER_KEY, p);
        p = _permit(payer);
        p.spender = address(new Escrow());
        _refuse(payer, PAYER_KEY, p);
        p = _permit(payer);
        p.value = SUM + 1;
        _refuse(payer, PAYER_KEY, p);
        p = _permit(payer);
        p.nonce = 1;
        _refuse(payer, PAYER_KEY, p);
        p = _permit(payer);
        p.deadline += 1;
        _refuse(payer, PAYER_KEY, p);
    }

    function test_fundWithPermit_funds_from_the_allowance_where_the_permit_is_wrong_or_late() public {
        vm.prank(payer);
        token.approve(address(escrow), SUM);
        vm.warp(VALID_UNTIL + 1);
        _expectFunded(_bring(payer, STRANGER_KEY, _permit(payer)), 7);
    }

    function test_fundWithPermit_funds_from_the_allowance_where_the_token_has_no_permit() public {
        _expectFunded(_fundIn(address(play)), 7);
        vm.prank(payer);
        play.approve(address(escrow), 0);
        Terms memory terms = _termsIn(address(play));
        terms.salt = 0;
        vm.expectRevert(_noAllowance(address(play)));
        vm.prank(payer);
        escrow.fundWithPermit(terms, _schedule(3), 7, VALID_UNTIL, 27, 0, 0);
    }

    /// @dev WETH takes a call of `permit` for a deposit of nothing and reports success.
    function test_a_permit_that_a_fallback_swallows_grants_nothing() public {
        WrappedNative wrapped = new WrappedNative();
        vm.deal(payer, SUM);
        vm.prank(payer);
        wrapped.deposit{ value: SUM }();
        _refuseIn(address(wrapped), _noAllowance(address(wrapped)));

        vm.prank(payer);
        wrapped.approve(address(escrow), SUM);
        _expectFunded(_fundIn(address(wrapped)), 7);
        assertEq(wrapped.balanceOf(address(escrow)), SUM, "held");
    }

    /// @dev A megabyte of answer, good or bad, is not copied, and a permit over less than the sum is no use.
    function test_whatever_a_permit_answers_the_allowance_decides() public {
        OddPermitToken odd = new OddPermitToken();
        odd.mint(payer, 2 * SUM);
        odd.setMode(OddPermitToken.Mode.GrantLess);
        _refuseIn(address(odd), _noAllowance(address(odd)));

        OddPermitToken.Mode[2] memory modes = [OddPermitToken.Mode.Bomb, OddPermitToken.Mode.Shout];
        for (uint256 i = 0; i < 2; ++i) {
            odd.setMode(modes[i]);
            Terms memory terms = _termsIn(address(odd));
            terms.salt = bytes32(i);
            vm.prank(payer);
            odd.approve(address(escrow), SUM);
            vm.prank(payer);
            bytes32 id = escrow.fundWithPermit(terms, _schedule(3), 7, VALID_UNTIL, 27, 0, 0);
            assertTrue(vm.lastCallGas().gasTotalUsed < 3_000_000, "copied");
            _expectFunded(id, 7);
        }
    }

    /* WHAT IT REFUSES LIKE FUND */

    function test_fundWithPermit_refuses_native_currency() public {
        _refuseIn(address(0), abi.encodeWithSelector(IEscrow.WrongValue.selector, 0, SUM));
    }

    function test_fundWithPermit_keeps_the_rules_of_funding() public {
        Terms memory terms = _termsIn(address(play));
        vm.prank(payer);
        bytes32 id = escrow.fundWithPermit(terms, _schedule(3), 2, VALID_UNTIL, 27, 0, 0);
        _refuseIn(address(play), abi.encodeWithSelector(IEscrow.AlreadyFunded.selector, id, 2));
        _refuseIn(STRANGER, abi.encodeWithSelector(IEscrow.NoCode.selector, STRANGER));
        vm.chainId(99);
        _refuseIn(address(play), abi.encodeWithSelector(IEscrow.WrongChain.selector, 99, 31_337));
    }

    function test_fundWithPermit_refuses_a_fee_on_transfer() public {
        token.setTakesFee(true);
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, _permit(payer));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, SUM - SUM / 10, SUM));
        vm.prank(payer);
        escrow.fundWithPermit(_termsIn(address(token)), _schedule(3), 7, VALID_UNTIL, v, r, s);
    }

    function test_fundWithPermit_is_locked_while_the_permit_runs() public {
        Part memory part = _part(_termsIn(address(token)), _schedule(3), 0);
        token.arm(address(escrow), abi.encodeCall(Escrow.settle, (part)));
        _bring(payer, PAYER_KEY, _permit(payer));
        assertEq(bytes32(token.answer()), bytes32(IEscrow.Reentered.selector), "locked");
    }
}

/// @title Funding with an ERC-3009 authorization
contract FundWithAuthorizationTest is FundWith {
    uint256 private constant VALID_AFTER = START - 1;
    uint256 private constant VALID_BEFORE = START + 1 hours;

    struct Authorization {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    UsdcLike private usdc;

    function setUp() public override {
        super.setUp();
        usdc = new UsdcLike();
        usdc.mint(payer, SUM);
        usdc.mint(other, SUM);
    }

    /* SIGNING AND BRINGING */

    /// @dev What the payer must sign to pay for these milestones of these terms.
    function _authorization(Terms memory terms, uint64 mask) private view returns (Authorization memory a) {
        bytes32 id = _id(_part(terms, _schedule(3), 0));
        uint256 count = (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1);
        bytes32 nonce = keccak256(abi.encode(id, uint256(mask)));
        return Authorization(terms.payer, address(escrow), count * AMOUNT, VALID_AFTER, VALID_BEFORE, nonce);
    }

    function _sign(uint256 key, address currency, Authorization memory a)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        return _signAs("Receive", key, currency, a);
    }

    function _signAs(string memory kind, uint256 key, address currency, Authorization memory a)
        private
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes memory type_ = abi.encodePacked(
            kind,
            "WithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        return _signTyped(key, currency, keccak256(abi.encode(keccak256(type_), a)));
    }

    /// @dev A stranger brings the three numbers, or packs them as bytes.
    function _bring(Terms memory terms, uint64 mask, uint8 v, bytes32 r, bytes32 s, bool packed)
        private
        returns (bytes32)
    {
        vm.prank(STRANGER);
        if (packed) {
            bytes memory signature = abi.encodePacked(r, s, v);
            return escrow.fundWithAuthorization(terms, _schedule(3), mask, VALID_AFTER, VALID_BEFORE, signature);
        }
        return escrow.fundWithAuthorization(terms, _schedule(3), mask, VALID_AFTER, VALID_BEFORE, v, r, s);
    }

    function _pay(Terms memory terms, uint64 mask, bool packed) private returns (bytes32) {
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, terms.token, _authorization(terms, mask));
        return _bring(terms, mask, v, r, s, packed);
    }

    /// @dev OpenZeppelin's token takes the numbers, the dollar both. Each case runs in all three ways.
    function _ways(uint256 way) private view returns (Terms memory terms, bool packed) {
        terms = _termsIn(way == 0 ? address(token) : address(usdc));
        return (terms, way == 2);
    }

    function _refused(address currency, bytes memory reason) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.AuthorizationRefused.selector, currency, reason);
    }

    /// @dev The reason as OpenZeppelin or as Circle gives it.
    function _reason(uint256 way, bytes memory typed, string memory text) private pure returns (bytes memory) {
        return way == 0 ? typed : abi.encodeWithSignature("Error(string)", text);
    }

    function _badSignature(uint256 way) private pure returns (bytes memory) {
        bytes memory typed = abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector);
        return _reason(way, typed, "FiatTokenV2: invalid signature");
    }

    /// @dev `key` signs `a`, somebody brings it for other terms or another mask than it was made for.
    function _refuse(uint256 way, uint256 key, Authorization memory a, Terms memory terms, uint64 mask) private {
        (uint8 v, bytes32 r, bytes32 s) = _sign(key, terms.token, a);
        vm.expectRevert(_refused(terms.token, _badSignature(way)));
        _bring(terms, mask, v, r, s, way == 2);
        _expectNothingMoved();
    }

    function _expectNothingMoved() private view {
        assertEq(token.balanceOf(payer) + usdc.balanceOf(payer), 2 * SUM, "the payer keeps his money");
        assertEq(token.balanceOf(other) + usdc.balanceOf(other), 2 * SUM, "others too");
    }

    /* IT PAYS */

    function test_fundWithAuthorization_takes_the_payers_money_whoever_brings_it() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms, bool packed) = _ways(way);
            terms.salt = bytes32(way);
            if (way == 2) usdc.mint(payer, SUM);
            vm.recordLogs();

            bytes32 id = _pay(terms, 7, packed);

            _expectFunder(id, payer);
            _expectFunded(id, 7);
            assertEq(id, _authorizedId(terms), "id");
            assertEq(way == 0 ? token.balanceOf(payer) : usdc.balanceOf(payer), 0, "payer");
        }
        assertEq(token.balanceOf(address(escrow)), SUM, "held");
        assertEq(usdc.balanceOf(address(escrow)), 2 * SUM, "held in dollars");
    }

    function _authorizedId(Terms memory terms) private view returns (bytes32) {
        return _id(_part(terms, _schedule(3), 0));
    }

    function test_fundWithAuthorization_uses_up_the_nonce_that_names_agreement_and_mask() public {
        Terms memory terms = _termsIn(address(token));
        bytes32 nonce = _authorization(terms, 5).nonce;
        assertTrue(!token.authorizationState(payer, nonce), "unused");
        _expectFunded(_pay(terms, 5, false), 5);
        assertTrue(token.authorizationState(payer, nonce), "used");
        assertEq(token.balanceOf(address(escrow)), 2 * uint256(AMOUNT), "held");
    }

    function test_what_an_authorization_paid_for_is_paid_out_like_any_other() public {
        Terms memory terms = _termsIn(address(usdc));
        _pay(terms, 7, true);
        vm.prank(payer);
        escrow.approve(_part(terms, _schedule(3), 0));
        assertEq(usdc.balanceOf(payee), AMOUNT, "payee");
    }

    function test_fundWithAuthorization_takes_no_allowance() public {
        vm.prank(payer);
        usdc.approve(address(escrow), SUM);
        vm.prank(STRANGER);
        usdc.approve(address(escrow), SUM);
        _pay(_termsIn(address(usdc)), 7, true);
        assertEq(usdc.allowance(payer, address(escrow)), SUM, "payer's");
        assertEq(usdc.allowance(STRANGER, address(escrow)), SUM, "bearer's");
    }

    /// @dev The bytes are whatever the payer's contract understands.
    function test_fundWithAuthorization_takes_the_word_of_a_payer_that_is_a_contract() public {
        ContractMember safe = new ContractMember();
        Terms memory terms = _termsIn(address(usdc));
        terms.payer = address(safe);
        usdc.mint(address(safe), SUM);

        safe.setMode(ContractMember.Mode.Refuse);
        vm.expectRevert(_refused(address(usdc), _badSignature(2)));
        escrow.fundWithAuthorization(terms, _schedule(3), 7, VALID_AFTER, VALID_BEFORE, "hello");

        safe.setMode(ContractMember.Mode.Accept);
        vm.recordLogs();
        bytes32 id = escrow.fundWithAuthorization(terms, _schedule(3), 7, VALID_AFTER, VALID_BEFORE, "hello");
        _expectFunder(id, address(safe));
        assertEq(usdc.balanceOf(address(safe)), 0, "payer");
    }

    /// @dev Both bounds are exclusive, as in the standard.
    function test_fundWithAuthorization_is_possible_between_its_two_times_and_not_at_them() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms, bool packed) = _ways(way);
            terms.salt = bytes32(way);
            if (way == 2) usdc.mint(payer, SUM);
            (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, terms.token, _authorization(terms, 7));
            bytes memory typed =
                abi.encodeWithSelector(ERC3009.ERC3009InvalidAuthorizationTime.selector, VALID_AFTER, VALID_BEFORE);

            vm.warp(VALID_AFTER);
            bytes memory early = _reason(way, typed, "FiatTokenV2: authorization is not yet valid");
            vm.expectRevert(_refused(terms.token, early));
            _bring(terms, 7, v, r, s, packed);

            vm.warp(VALID_BEFORE);
            bytes memory late = _reason(way, typed, "FiatTokenV2: authorization is expired");
            vm.expectRevert(_refused(terms.token, late));
            _bring(terms, 7, v, r, s, packed);

            vm.warp(way == 0 ? VALID_AFTER + 1 : VALID_BEFORE - 1);
            _expectFunded(_bring(terms, 7, v, r, s, packed), 7);
        }
    }

    /* IT PAYS FOR NOTHING ELSE */

    /// @dev Equal sums, so that nothing but the nonce tells them apart.
    function test_an_authorization_pays_for_its_mask_only() public {
        for (uint64 signed = 1; signed < 8; ++signed) {
            for (uint64 asked = 1; asked < 8; ++asked) {
                Terms memory terms = _termsIn(address(token));
                terms.salt = bytes32(uint256(signed * 8 + asked));
                token.mint(payer, signed == asked ? _authorization(terms, signed).value : 0);
                (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(token), _authorization(terms, signed));
                if (signed != asked) vm.expectRevert(_refused(address(token), _badSignature(0)));
                _bring(terms, asked, v, r, s, false);
            }
        }
        assertEq(token.balanceOf(payer), SUM, "seven fundings, each paid by what was minted for it");
    }

    function test_an_authorization_pays_for_its_agreement_only() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms,) = _ways(way);
            Authorization memory a = _authorization(terms, 7);
            terms.salt = keccak256("another");
            _refuse(way, PAYER_KEY, a, terms, 7);
            (terms,) = _ways(way);
            terms.payee = STRANGER;
            _refuse(way, PAYER_KEY, a, terms, 7);
        }
    }

    /// @dev Another escrow has other ids, and is another receiver.
    function test_an_authorization_pays_into_its_escrow_only() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms, bool packed) = _ways(way);
            (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, terms.token, _authorization(terms, 7));
            Escrow first = escrow;
            escrow = new Escrow();
            vm.expectRevert(_refused(terms.token, _badSignature(way)));
            _bring(terms, 7, v, r, s, packed);
            // Nor when it is made out to the one, with the nonce of the other.
            Authorization memory a = _authorization(terms, 7);
            a.to = address(first);
            _refuse(way, PAYER_KEY, a, terms, 7);
            escrow = first;
        }
    }

    function test_an_authorization_is_the_payers_or_nothing() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms,) = _ways(way);
            Authorization memory a = _authorization(terms, 7);
            _refuse(way, STRANGER_KEY, a, terms, 7);
            a.from = other; // a good one, of somebody who has the money
            _refuse(way, STRANGER_KEY, a, terms, 7);
        }
    }

    function test_an_authorization_says_the_sum_and_the_times_that_are_brought() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms,) = _ways(way);
            Authorization memory a = _authorization(terms, 7);
            a.value -= 1;
            _refuse(way, PAYER_KEY, a, terms, 7);
            a = _authorization(terms, 7);
            a.validAfter -= 1;
            _refuse(way, PAYER_KEY, a, terms, 7);
            a = _authorization(terms, 7);
            a.validBefore += 1;
            _refuse(way, PAYER_KEY, a, terms, 7);
        }
    }

    /// @dev A transfer is not a receipt: anyone could execute one past the escrow, which would then be a donation.
    function test_an_authorization_to_transfer_is_not_one_to_receive() public {
        Terms memory terms = _termsIn(address(token));
        (uint8 v, bytes32 r, bytes32 s) = _signAs("Transfer", PAYER_KEY, address(token), _authorization(terms, 7));
        vm.expectRevert(_refused(address(token), _badSignature(0)));
        _bring(terms, 7, v, r, s, false);
    }

    function test_nobody_can_use_an_authorization_past_the_escrow() public {
        Authorization memory a = _authorization(_termsIn(address(usdc)), 7);
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(usdc), a);
        vm.expectRevert(bytes("FiatTokenV2: caller must be the payee"));
        vm.prank(STRANGER);
        usdc.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        _expectNothingMoved();
    }

    /* ONCE, AND NEVER WHEN IT IS CANCELLED */

    function test_an_authorization_pays_once() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms, bool packed) = _ways(way);
            terms.salt = bytes32(way);
            if (way == 2) usdc.mint(payer, SUM);
            bytes32 id = _pay(terms, 7, packed);
            (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, terms.token, _authorization(terms, 7));
            vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadyFunded.selector, id, 7));
            _bring(terms, 7, v, r, s, packed);
        }
    }

    function test_a_cancelled_authorization_pays_nothing() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms, bool packed) = _ways(way);
            Authorization memory a = _authorization(terms, 7);
            bytes32 cancel = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
            bytes32 structHash = keccak256(abi.encode(cancel, payer, a.nonce));
            (uint8 v, bytes32 r, bytes32 s) = _signTyped(PAYER_KEY, terms.token, structHash);
            if (way == 0) token.cancelAuthorization(payer, a.nonce, v, r, s);
            if (way == 1) usdc.cancelAuthorization(payer, a.nonce, abi.encodePacked(r, s, v));
            bytes memory typed = abi.encodeWithSelector(ERC3009.ERC3009UsedAuthorization.selector, payer, a.nonce);
            bytes memory reason = _reason(way, typed, "FiatTokenV2: authorization is used or canceled");
            (v, r, s) = _sign(PAYER_KEY, terms.token, a);
            vm.expectRevert(_refused(terms.token, reason));
            _bring(terms, 7, v, r, s, packed);
        }
        _expectNothingMoved();
    }

    /// @dev Somebody's gift of one milestone makes the authorization useless, not dangerous.
    function test_a_gift_of_a_milestone_stops_an_authorization_over_it() public {
        Terms memory terms = _termsIn(address(usdc));
        vm.prank(other);
        usdc.approve(address(escrow), SUM);
        vm.prank(other);
        bytes32 id = escrow.fund(terms, _schedule(3), 1);
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(usdc), _authorization(terms, 7));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadyFunded.selector, id, 1));
        _bring(terms, 7, v, r, s, true);
        assertEq(usdc.balanceOf(payer), SUM, "payer");
        _expectFunded(_pay(terms, 6, true), 7);
        assertEq(usdc.balanceOf(payer), AMOUNT, "he pays the rest");
    }

    /// @dev Whatever gas its bearer gives, an authorization is used up and has funded, or neither.
    function test_a_poor_bearer_cannot_use_up_an_authorization_for_nothing() public {
        Terms memory terms = _termsIn(address(token));
        Authorization memory a = _authorization(terms, 7);
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(token), a);
        bytes memory data = abi.encodeWithSignature(
            "fundWithAuthorization((address,address,address,address,bytes32,address,bool,uint32,uint32,uint32,uint16,uint16,uint16,address,uint96,bytes32,bytes32),(uint128,uint40,bytes32)[],uint64,uint256,uint256,uint8,bytes32,bytes32)",
            terms,
            _schedule(3),
            uint64(7),
            VALID_AFTER,
            VALID_BEFORE,
            v,
            r,
            s
        );
        bool worked;
        uint256 failures;
        for (uint256 gas_ = 40_000; gas_ < 400_000 && !worked; gas_ += 2500) {
            vm.prank(STRANGER);
            (worked,) = address(escrow).call{ gas: gas_ }(data);
            assertTrue(worked == token.authorizationState(payer, a.nonce), "nonce");
            assertEq(token.balanceOf(address(escrow)), worked ? SUM : 0, "money");
            if (!worked) ++failures;
        }
        assertTrue(worked && failures > 10, "from too little to enough");
    }

    /* TOKENS THAT CANNOT */

    function test_fundWithAuthorization_refuses_native_currency() public {
        Terms memory terms = _termsIn(address(0));
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IEscrow.NoCode.selector, address(0)));
            _bring(terms, 7, 27, 0, 0, i == 1);
        }
    }

    function test_fundWithAuthorization_refuses_a_token_without_it() public {
        _expectUnknown(_termsIn(address(play)), false);
        _expectUnknown(_termsIn(address(play)), true);
        _expectUnknown(_termsIn(address(token)), true); // OpenZeppelin's takes numbers only
    }

    function _expectUnknown(Terms memory terms, bool packed) private {
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(token), _authorization(terms, 7));
        vm.expectRevert(_refused(terms.token, ""));
        _bring(terms, 7, v, r, s, packed);
    }

    /// @dev WETH takes the call for a deposit of nothing and reports success. What arrives decides.
    function test_an_authorization_that_a_fallback_swallows_pays_nothing() public {
        WrappedNative wrapped = new WrappedNative();
        vm.deal(payer, SUM);
        vm.prank(payer);
        wrapped.deposit{ value: SUM }();
        vm.prank(payer);
        wrapped.approve(address(escrow), SUM);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, 0, SUM));
            _bring(_termsIn(address(wrapped)), 7, 27, 0, 0, i == 1);
        }
        assertEq(wrapped.balanceOf(payer), SUM, "payer");
    }

    function test_fundWithAuthorization_refuses_a_fee_on_transfer() public {
        token.setTakesFee(true);
        Terms memory terms = _termsIn(address(token));
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(token), _authorization(terms, 7));
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAmountReceived.selector, SUM - SUM / 10, SUM));
        _bring(terms, 7, v, r, s, false);
        _expectNothingMoved();
    }

    /// @dev OpenZeppelin's ERC20TransferAuthorization counts in the lower 64 bits of a nonce: the first of each key ends in
    /// zeros, ours is a hash. Such a token must be funded by allowance.
    function test_a_token_with_sequential_nonces_refuses_ours() public {
        KeyedNonceToken keyed = new KeyedNonceToken();
        keyed.mint(payer, SUM);
        Terms memory terms = _termsIn(address(keyed));
        Authorization memory a = _authorization(terms, 7);
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(keyed), a);
        uint256 next = uint256(a.nonce) >> 64 << 64;
        bytes memory reason = abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, payer, next);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(_refused(address(keyed), reason));
            _bring(terms, 7, v, r, s, i == 1);
        }
        vm.prank(payer);
        keyed.approve(address(escrow), SUM);
        vm.prank(payer);
        _expectFunded(escrow.fund(terms, _schedule(3), 7), 7);
    }

    /* THE TOKEN'S OWN REASON */

    function test_a_refusal_carries_the_tokens_own_reason() public {
        Terms memory terms = _termsIn(address(usdc));
        (uint8 v, bytes32 r, bytes32 s) = _sign(PAYER_KEY, address(usdc), _authorization(terms, 7));
        usdc.setPaused(true);
        vm.expectRevert(_refused(address(usdc), abi.encodeWithSignature("Error(string)", "Pausable: paused")));
        _bring(terms, 7, v, r, s, true);
        usdc.setPaused(false);
        usdc.setBlacklisted(payer, true);
        bytes memory blocked = abi.encodeWithSignature("Error(string)", "Blacklistable: account is blacklisted");
        vm.expectRevert(_refused(address(usdc), blocked));
        _bring(terms, 7, v, r, s, true);
        usdc.setBlacklisted(payer, false);
        _expectFunded(_bring(terms, 7, v, r, s, true), 7);
    }

    function test_a_refusal_carries_a_long_reason_whole() public {
        LongReasonToken long = new LongReasonToken();
        vm.expectRevert(_refused(address(long), new bytes(100_000)));
        _bring(_termsIn(address(long)), 7, 27, 0, 0, false);
    }

    /* WHAT IT REFUSES LIKE FUND */

    function test_fundWithAuthorization_keeps_the_rules_of_funding() public {
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms, bool packed) = _ways(way);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.EmptyMask.selector));
            _bring(terms, 0, 27, 0, 0, packed);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.MaskOutsideSchedule.selector, 8, 3));
            _bring(terms, 8, 27, 0, 0, packed);
            terms.token = STRANGER;
            vm.expectRevert(abi.encodeWithSelector(IEscrow.NoCode.selector, STRANGER));
            _bring(terms, 7, 27, 0, 0, packed);
        }
    }

    function test_fundWithAuthorization_refuses_a_renumbered_chain() public {
        vm.chainId(99);
        for (uint256 way = 0; way < 3; ++way) {
            (Terms memory terms, bool packed) = _ways(way);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongChain.selector, 99, 31_337));
            _bring(terms, 7, 27, 0, 0, packed);
        }
    }

    function test_fundWithAuthorization_is_locked_while_the_token_moves() public {
        Terms memory terms = _termsIn(address(token));
        token.arm(address(escrow), abi.encodeCall(Escrow.settle, (_part(terms, _schedule(3), 0))));
        _pay(terms, 7, false);
        assertEq(bytes32(token.answer()), bytes32(IEscrow.Reentered.selector), "locked");
    }
}
