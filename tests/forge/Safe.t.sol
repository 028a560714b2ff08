// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ERC3009 } from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import { ISafe } from "@safe-global/safe-smart-account/contracts/interfaces/ISafe.sol";
import { Enum } from "@safe-global/safe-smart-account/contracts/libraries/Enum.sol";
import { Amendment, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { SafeCall, Safes } from "./Safes.sol";
import { ContractSignatureToken } from "./mocks/ContractSignatureToken.sol";
import { HostileToken } from "./mocks/HostileToken.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Payer, payee and arbiter are Safes, two of whose three owners must sign
contract SafeTest is Safes {
    ISafe private ofPayer;
    ISafe private ofPayee;
    ISafe private ofArbiter;

    function setUp() public override {
        super.setUp();
        ofPayer = _newSafe("payer");
        ofPayee = _newSafe("payee");
        ofArbiter = _newSafe("arbiter");
        play.mint(address(ofPayer), 10 * uint256(AMOUNT));
    }

    function _safeTerms() private view returns (Terms memory terms) {
        terms = _terms();
        terms.payer = address(ofPayer);
        terms.payee = address(ofPayee);
        terms.arbiter = address(ofArbiter);
    }

    /// @dev The payer's Safe allows the exact sum and funds, in one transaction of its own.
    function _fundFromSafe(Terms memory terms, uint256 count) private returns (Part memory part, bytes32 id) {
        Milestone[] memory milestones = _schedule(count);
        bytes memory approve = abi.encodeCall(IERC20.approve, (address(escrow), count * AMOUNT));
        bytes memory fund = abi.encodeCall(IEscrow.fund, (terms, milestones, uint64((1 << count) - 1)));
        _doBoth(ofPayer, terms.token, approve, address(escrow), fund);
        part = _part(terms, milestones, 0);
        id = escrow.agreementId(terms, milestones);
    }

    function _funded() private returns (Part memory part, bytes32 id) {
        return _fundFromSafe(_safeTerms(), 1);
    }

    function _submitFromSafe(Part memory part) private {
        _do(ofPayee, address(escrow), abi.encodeCall(IEscrow.submit, (part, WORK)));
    }

    function _notSignedBy(ISafe safe) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEscrow.NotSignedBy.selector, address(safe));
    }

    function _balanceOf(ISafe safe) private view returns (uint256) {
        return play.balanceOf(address(safe));
    }

    /* WHAT PARTIES DO */

    function test_safe_payer_allows_the_exact_sum_and_funds_in_one_transaction() public {
        (, bytes32 id) = _fundFromSafe(_safeTerms(), 3);
        (uint64 funded,) = escrow.state(id);
        assertEq(funded, 7, "funded");
        assertEq(play.balanceOf(address(escrow)), 3 * uint256(AMOUNT), "locked");
        assertEq(play.allowance(address(ofPayer), address(escrow)), 0, "no allowance left");
    }

    function test_safe_payer_approves() public {
        (Part memory part, bytes32 id) = _funded();
        _do(ofPayer, address(escrow), abi.encodeCall(IEscrow.approve, (part)));
        _expectSettled(id, 0);
        assertEq(_balanceOf(ofPayee), AMOUNT, "the payee's Safe is paid");
    }

    function test_safe_payee_submits_and_waives() public {
        (Part memory part, bytes32 id) = _funded();
        uint256 before = _balanceOf(ofPayer);
        _submitFromSafe(part);
        _expectStatus(id, 0, Status.Submitted);
        _do(ofPayee, address(escrow), abi.encodeCall(IEscrow.waive, (part)));
        assertEq(_balanceOf(ofPayer) - before, AMOUNT, "the payer's Safe has it back");
    }

    function test_safe_payer_disputes_and_a_safe_arbiter_rules() public {
        (Part memory part, bytes32 id) = _funded();
        _submitFromSafe(part);
        _attest(part, 0, WORK, 10_000);
        _do(ofPayer, address(escrow), abi.encodeCall(IEscrow.dispute, (part, "not what we agreed")));
        _expectStatus(id, 0, Status.Disputed);

        _do(ofArbiter, address(escrow), abi.encodeCall(IEscrow.rule, (id, part, 4000)));
        _expectSettled(id, 0);
        assertEq(_balanceOf(ofPayee), uint256(AMOUNT) * 4 / 10, "as ruled");
    }

    function test_safe_payee_disputes_a_rejection() public {
        (Part memory part, bytes32 id) = _funded();
        _submitFromSafe(part);
        _attest(part, 0, WORK, 0);
        _do(ofPayee, address(escrow), abi.encodeCall(IEscrow.dispute, (part, "look again")));
        _expectStatus(id, 0, Status.Disputed);
    }

    function test_safe_payee_withdraws_a_credit() public {
        HostileToken token = new HostileToken();
        token.mint(address(ofPayer), AMOUNT);
        Terms memory terms = _safeTerms();
        terms.token = address(token);
        (Part memory part,) = _fundFromSafe(terms, 1);
        token.setBlocked(address(ofPayee), true);
        _do(ofPayer, address(escrow), abi.encodeCall(IEscrow.approve, (part)));
        assertEq(escrow.credit(address(token), address(ofPayee)), AMOUNT, "credited");

        _do(ofPayee, address(escrow), abi.encodeCall(IEscrow.withdraw, (address(token), PAYEE)));
        assertEq(token.balanceOf(PAYEE), AMOUNT, "where the owners wanted it");
    }

    function test_safe_does_nothing_that_is_another_partys() public {
        (Part memory part,) = _funded();
        bytes memory notPayer = abi.encodeWithSelector(IEscrow.NotPayer.selector, ofPayee, ofPayer);
        _doRefused(ofPayee, address(escrow), abi.encodeCall(IEscrow.approve, (part)), notPayer);
    }

    /* NATIVE CURRENCY */

    /// @dev A push gives 150,000 gas: a proxy that notes what it receives needs less than a tenth of it.
    function test_safes_pay_and_receive_native_currency() public {
        vm.deal(address(ofPayer), AMOUNT);
        Terms memory terms = _safeTerms();
        terms.token = address(0);
        bytes memory fund = abi.encodeCall(IEscrow.fund, (terms, _schedule(1), 1));
        _do(ofPayer, SafeCall(address(escrow), AMOUNT, fund, Enum.Operation.Call));
        Part memory part = _part(terms, _schedule(1), 0);
        _submitFromSafe(part);
        _attest(part, 0, WORK, 7500);

        vm.warp(vm.getBlockTimestamp() + CHALLENGE + 1);
        vm.prank(STRANGER);
        escrow.settle(part);
        assertEq(address(ofPayee).balance, uint256(AMOUNT) * 3 / 4, "payee");
        assertEq(address(ofPayer).balance, AMOUNT / 4, "payer");
        assertEq(address(escrow).balance, 0, "nothing had to be credited");
    }

    /* SIGNATURES OVER AN ID */

    function test_safe_payee_accepts_by_its_owners_signatures_over_the_id() public {
        bytes32 id = escrow.agreementId(_safeTerms(), _schedule(1));
        bytes memory signature = _says(ofPayee, id);
        vm.recordLogs();
        vm.prank(STRANGER);
        escrow.accept(_safeTerms(), _schedule(1), signature);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(log.topics[0], IEscrow.Accepted.selector, "Accepted");
        assertEq(keccak256(log.data), keccak256(abi.encode(ofPayee)), "by");
    }

    function test_safe_payee_accepts_by_a_message_signed_on_chain() public {
        bytes32 id = escrow.agreementId(_safeTerms(), _schedule(1));
        vm.expectRevert(_notSignedBy(ofPayee));
        escrow.accept(_safeTerms(), _schedule(1), "");

        _saysOnChain(ofPayee, id);
        vm.prank(STRANGER);
        assertEq(escrow.accept(_safeTerms(), _schedule(1), ""), id, "accepted");
        vm.expectRevert(_notSignedBy(ofPayee));
        escrow.accept(_safeTerms(), _schedule(2), ""); // other terms
    }

    function test_safe_payee_accepts_by_calling() public {
        bytes memory accept = abi.encodeCall(IEscrow.accept, (_safeTerms(), _schedule(1), ""));
        vm.recordLogs();
        _do(ofPayee, address(escrow), accept);
        assertEq(vm.getRecordedLogs()[0].topics[0], IEscrow.Accepted.selector, "Accepted");
    }

    /* OFFERS */

    function test_safes_agree_by_their_owners_signatures_whoever_calls() public {
        (Part memory part, bytes32 id) = _funded();
        bytes32 offer = _splitDigest(id, 0, 6000, NOW, DEADLINE);
        (bytes memory payerSig, bytes memory payeeSig) = (_says(ofPayer, offer), _says(ofPayee, offer));
        vm.prank(STRANGER);
        escrow.agree(part, 6000, NOW, DEADLINE, payerSig, payeeSig);
        assertEq(_balanceOf(ofPayee), uint256(AMOUNT) * 6 / 10, "as agreed");
    }

    function test_safe_agrees_by_calling_with_an_empty_signature() public {
        (Part memory part, bytes32 id) = _funded();
        bytes memory payeeSig = _says(ofPayee, _splitDigest(id, 0, 6000, NOW, DEADLINE));
        bytes memory agree = abi.encodeCall(IEscrow.agree, (part, 6000, NOW, DEADLINE, "", payeeSig));
        _do(ofPayer, address(escrow), agree);
        _expectSettled(id, 0);
    }

    function test_safes_amend_by_signatures_and_the_excess_goes_back_to_the_payers() public {
        (, bytes32 from) = _fundFromSafe(_safeTerms(), 3);
        Terms memory to = _safeTerms();
        to.salt = keccak256("amended");
        Amendment memory a = Amendment(6, 1, NOW, DEADLINE);
        bytes32 offer = _amendmentDigest(a, from, to, _schedule(1));
        (bytes memory payerSig, bytes memory payeeSig) = (_says(ofPayer, offer), _says(ofPayee, offer));
        uint256 before = _balanceOf(ofPayer);

        vm.prank(STRANGER);
        bytes32 id = escrow.amend(a, _safeTerms(), _schedule(3), to, _schedule(1), payerSig, payeeSig);
        _expectOpen(id, 0);
        assertEq(_balanceOf(ofPayer) - before, AMOUNT, "two ended, one went on");
    }

    function test_safe_payer_amends_by_calling_and_pays_what_is_missing() public {
        (, bytes32 from) = _fundFromSafe(_safeTerms(), 1);
        Terms memory to = _safeTerms();
        to.salt = keccak256("amended");
        Amendment memory a = Amendment(1, 3, NOW, DEADLINE);
        bytes memory payeeSig = _says(ofPayee, _amendmentDigest(a, from, to, _schedule(2)));
        bytes memory amend =
            abi.encodeCall(IEscrow.amend, (a, _safeTerms(), _schedule(1), to, _schedule(2), "", payeeSig));

        _doBoth(
            ofPayer, address(play), abi.encodeCall(IERC20.approve, (address(escrow), AMOUNT)), address(escrow), amend
        );
        (uint64 funded,) = escrow.state(escrow.agreementId(to, _schedule(2)));
        assertEq(funded, 3, "both opened");
        assertEq(play.balanceOf(address(escrow)), 2 * uint256(AMOUNT), "one moved, one paid");
    }

    /* WHAT IS NO SAFE'S SIGNATURE */

    function test_one_owners_signature_is_not_the_safes() public {
        (Part memory part, bytes32 id) = _funded();
        bytes32 offer = _splitDigest(id, 0, 0, NOW, DEADLINE);
        bytes memory payerSig = _says(ofPayer, offer);
        bytes memory lacking = _says(ofPayee, offer, 1);
        vm.expectRevert(_notSignedBy(ofPayee));
        escrow.agree(part, 0, NOW, DEADLINE, payerSig, lacking);
        bytes memory twice = bytes.concat(lacking, lacking);
        vm.expectRevert(_notSignedBy(ofPayee));
        escrow.agree(part, 0, NOW, DEADLINE, payerSig, twice);

        bytes32 terms = escrow.agreementId(_safeTerms(), _schedule(1));
        lacking = _says(ofPayee, terms, 1);
        vm.expectRevert(_notSignedBy(ofPayee));
        escrow.accept(_safeTerms(), _schedule(1), lacking);
    }

    /// @dev They sign for one Safe: its address is in what they sign.
    function test_the_same_owners_signatures_for_another_safe_do_not_count() public {
        ISafe twin = _newSafe("payee");
        assertEq(twin.getOwners()[0], ofPayee.getOwners()[0], "the same owners");
        bytes32 id = escrow.agreementId(_safeTerms(), _schedule(1));
        bytes memory ofTwin = _says(twin, id);
        vm.expectRevert(_notSignedBy(ofPayee));
        escrow.accept(_safeTerms(), _schedule(1), ofTwin);
    }

    /// @dev An owner who signs for himself signs for himself.
    function test_owners_signatures_over_the_bare_digest_do_not_count() public {
        bytes32 id = escrow.agreementId(_safeTerms(), _schedule(1));
        bytes memory bare = _signedBy(ofPayee, id, 2);
        vm.expectRevert(_notSignedBy(ofPayee));
        escrow.accept(_safeTerms(), _schedule(1), bare);
    }

    function test_a_safe_without_a_fallback_handler_can_call_but_not_sign() public {
        ISafe mute = _newSafe("mute", 3, 2, address(0));
        Terms memory terms = _safeTerms();
        terms.payee = address(mute);
        bytes memory signature = _says(mute, escrow.agreementId(terms, _schedule(1)));
        vm.expectRevert(_notSignedBy(mute));
        escrow.accept(terms, _schedule(1), signature);

        (Part memory part, bytes32 id) = _fundFromSafe(terms, 1);
        _do(mute, address(escrow), abi.encodeCall(IEscrow.waive, (part)));
        _expectSettled(id, 0);
    }

    /// @dev A single owner's 65 bytes look like a key's signature: they recover to a stranger, and then the Safe is asked.
    function test_a_safe_of_one_owner_signs_like_any_other() public {
        ISafe sole = _newSafe("sole", 1, 1, address(handler));
        Terms memory terms = _safeTerms();
        terms.payee = address(sole);
        bytes32 id = escrow.agreementId(terms, _schedule(1));
        bytes memory signature = _says(sole, id);
        assertEq(signature.length, 65, "as long as a key's");
        assertEq(escrow.accept(terms, _schedule(1), signature), id, "accepted");
    }

    /* ERC-3009 */

    function _authorized(uint256 owners) private returns (ContractSignatureToken token, bytes memory call) {
        token = new ContractSignatureToken();
        token.mint(address(ofPayer), AMOUNT);
        Terms memory terms = _safeTerms();
        terms.token = address(token);
        bytes32 nonce = keccak256(abi.encode(escrow.agreementId(terms, _schedule(1)), uint256(1)));
        bytes32 digest = token.digestOf(address(ofPayer), address(escrow), AMOUNT, 0, DEADLINE, nonce);
        call = abi.encodeWithSignature(
            "fundWithAuthorization((address,address,address,address,bytes32,address,bool,uint32,uint32,uint32,uint16,uint16,uint16,address,uint96,bytes32,bytes32),(uint128,uint40,bytes32)[],uint64,uint256,uint256,bytes)",
            terms,
            _schedule(1),
            uint64(1),
            uint256(0),
            uint256(DEADLINE),
            _says(ofPayer, digest, owners)
        );
    }

    function test_safe_payer_funds_by_an_authorization_that_a_stranger_delivers() public {
        (ContractSignatureToken token, bytes memory call) = _authorized(2);
        vm.prank(STRANGER);
        (bool worked,) = address(escrow).call(call);
        assertTrue(worked, "funded");
        assertEq(token.balanceOf(address(escrow)), AMOUNT, "locked");
        assertEq(token.balanceOf(address(ofPayer)), 0, "the Safe's money");
        assertEq(token.allowance(address(ofPayer), address(escrow)), 0, "without an allowance");
    }

    function test_one_owner_authorizes_nothing() public {
        (ContractSignatureToken token, bytes memory call) = _authorized(1);
        bytes memory reason = abi.encodeWithSelector(ERC3009.ERC3009InvalidSignature.selector);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AuthorizationRefused.selector, token, reason));
        (bool reverted,) = address(escrow).call(call);
        assertTrue(reverted, "as expected");
        assertEq(token.balanceOf(address(ofPayer)), AMOUNT, "nothing taken");
    }
}
