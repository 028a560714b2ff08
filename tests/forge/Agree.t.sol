// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { Cause, IEscrow, Part, Terms } from "@interfaces/IEscrow.sol";
import { Parties } from "./Parties.sol";
import { OneDigestAccount } from "./mocks/Signers.sol";
import { Vm, vm } from "./Vm.sol";

/// @title A split that both parties signed
contract AgreeTest is Parties {
    function _agree(Part memory part, uint16 bps, uint40 asOf, uint40 deadline) private {
        bytes32 digest = _splitDigest(_id(part), part.index, bps, asOf, deadline);
        vm.prank(STRANGER);
        escrow.agree(part, bps, asOf, deadline, _long(PAYER_KEY, digest), _long(PAYEE_KEY, digest));
    }

    function _balances() private view returns (uint256 ofPayer, uint256 ofPayee) {
        return (play.balanceOf(payer), play.balanceOf(payee));
    }

    function test_agree_shares_as_both_signed_whoever_calls() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        (uint256 payerBefore,) = _balances();
        _agree(part, 6000, NOW, DEADLINE);
        (uint256 payerAfter, uint256 payeeAfter) = _balances();
        assertEq(payeeAfter, 600_000_000, "payee");
        assertEq(payerAfter - payerBefore, 400_000_000, "payer");
        _expectSettled(id, 0);
    }

    function test_agree_emits_settled_with_its_cause_and_no_tip() public {
        Terms memory terms = _signedTerms();
        terms.tip = 1_000_000;
        (terms.feeBps, terms.feeTo) = (100, FEE_TO);
        (Part memory part, bytes32 id) = _fundSigned(terms);
        vm.recordLogs();
        _agree(part, 6000, NOW, DEADLINE);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(log.topics[1], id, "id");
        bytes32 want = keccak256(abi.encode(0, Cause.Agreed, 6000, 594_000_000, 400_000_000, 6_000_000, 0, STRANGER));
        assertEq(keccak256(log.data), want, "data");
    }

    function test_agree_ends_a_milestone_in_every_open_status() public {
        Terms memory terms = _signedTerms();
        for (uint8 steps = 0; steps < 4; ++steps) {
            terms.salt = bytes32(uint256(steps));
            (Part memory part, bytes32 id) = _fundSigned(terms);
            if (steps > 0) _submit(part);
            if (steps > 1) _attest(part, 0, WORK, 5000);
            if (steps > 2) _dispute(part, payer);
            vm.warp(START + 1);
            _agree(part, 10_000, NOW + 1, DEADLINE);
            _expectSettled(id, 0);
            vm.warp(START);
        }
    }

    function test_agree_takes_compact_signatures() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        bytes32 digest = _splitDigest(id, 0, 1, NOW, DEADLINE);
        escrow.agree(part, 1, NOW, DEADLINE, _signature(PAYER_KEY, digest), _signature(PAYEE_KEY, digest));
        _expectSettled(id, 0);
    }

    function test_agree_takes_a_party_that_calls_as_its_signature() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        bytes32 digest = _splitDigest(id, 0, 1, NOW, DEADLINE);
        vm.prank(payer);
        escrow.agree(part, 1, NOW, DEADLINE, "", _long(PAYEE_KEY, digest));
        _expectSettled(id, 0);

        part.index = 1;
        part.milestone = _schedule(3)[1];
        digest = _splitDigest(id, 1, 1, NOW, DEADLINE);
        vm.prank(payee);
        escrow.agree(part, 1, NOW, DEADLINE, _long(PAYER_KEY, digest), "");
        _expectSettled(id, 1);
    }

    function test_agree_asks_a_party_that_is_a_contract() public {
        OneDigestAccount account = new OneDigestAccount();
        Terms memory terms = _signedTerms();
        terms.payee = address(account);
        (Part memory part, bytes32 id) = _fundSigned(terms);
        bytes32 digest = _splitDigest(id, 0, 2500, NOW, DEADLINE);
        bytes memory payerSig = _long(PAYER_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, address(account)));
        escrow.agree(part, 2500, NOW, DEADLINE, payerSig, "anything");

        account.agreeTo(digest);
        escrow.agree(part, 2500, NOW, DEADLINE, payerSig, "anything");
        assertEq(play.balanceOf(address(account)), 250_000_000, "account");
    }

    function test_agree_counts_a_key_first_where_an_account_has_code_as_well() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        vm.etch(payee, address(new OneDigestAccount()).code);
        _agree(part, 1, NOW, DEADLINE);
        _expectSettled(id, 0);
    }

    function test_agree_refuses_a_missing_signature_of_either() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        bytes32 digest = _splitDigest(id, 0, 1, NOW, DEADLINE);
        bytes memory payerSig = _long(PAYER_KEY, digest);
        bytes memory payeeSig = _long(PAYEE_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
        vm.prank(payer);
        escrow.agree(part, 1, NOW, DEADLINE, "", "");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payer));
        vm.prank(payee);
        escrow.agree(part, 1, NOW, DEADLINE, "", "");
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payer));
        escrow.agree(part, 1, NOW, DEADLINE, payeeSig, payeeSig);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
        escrow.agree(part, 1, NOW, DEADLINE, payerSig, payerSig);
    }

    function test_agree_refuses_malleable_and_misshapen_signatures() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        bytes32 digest = _splitDigest(id, 0, 1, NOW, DEADLINE);
        bytes memory payerSig = _long(PAYER_KEY, digest);
        bytes[3] memory bad;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYEE_KEY, digest);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bad[0] = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? 28 : 27);
        bad[1] = abi.encodePacked(r, s, v, uint8(0));
        bad[2] = abi.encodePacked(r, s, v - 27);
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payee));
            escrow.agree(part, 1, NOW, DEADLINE, payerSig, bad[i]);
        }
    }

    function test_agree_refuses_what_was_signed_for_anything_else() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        bytes32[7] memory others = [
            _splitDigest(keccak256("another agreement"), 0, 5000, NOW, DEADLINE),
            _splitDigest(id, 1, 5000, NOW, DEADLINE),
            _splitDigest(id, 0, 4999, NOW, DEADLINE),
            _splitDigest(id, 0, 5000, NOW - 1, DEADLINE),
            _splitDigest(id, 0, 5000, NOW, DEADLINE - 1),
            id,
            _typed("Milepost", address(this), keccak256("another escrow"))
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory payerSig = _long(PAYER_KEY, others[i]);
            bytes memory payeeSig = _long(PAYEE_KEY, others[i]);
            vm.expectRevert(abi.encodeWithSelector(IEscrow.NotSignedBy.selector, payer));
            escrow.agree(part, 5000, NOW, DEADLINE, payerSig, payeeSig);
        }
    }

    function test_agree_stands_until_its_deadline() public {
        (Part memory part,) = _fundSigned(_signedTerms());
        bytes32 digest = _splitDigest(_id(part), 0, 1, NOW, DEADLINE);
        bytes memory payerSig = _long(PAYER_KEY, digest);
        bytes memory payeeSig = _long(PAYEE_KEY, digest);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TooLate.selector, DEADLINE, DEADLINE + 1));
        escrow.agree(part, 1, NOW, DEADLINE, payerSig, payeeSig);

        vm.warp(DEADLINE);
        escrow.agree(part, 1, NOW, DEADLINE, payerSig, payeeSig);
    }

    function test_agree_refuses_an_offer_from_the_future() public {
        (Part memory part,) = _fundSigned(_signedTerms());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AsOfInFuture.selector, NOW + 1, NOW));
        _agreeReverting(part, NOW + 1);
    }

    function test_agree_dies_when_the_milestone_moves() public {
        (Part memory part,) = _fundSigned(_signedTerms());
        vm.warp(START + 10);
        _submit(part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Stale.selector, 0, START + 10, START + 9));
        _agreeReverting(part, NOW + 9);
        vm.warp(START + 11);
        _agree(part, 1, NOW + 11, DEADLINE);
    }

    /// @dev Where several blocks share a second, the signers may have read an earlier one of them.
    function test_agree_dies_when_the_milestone_moves_in_the_second_that_was_read() public {
        (Part memory part,) = _fundSigned(_signedTerms());
        _submit(part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.Stale.selector, 0, START, START));
        _agreeReverting(part, NOW);
    }

    function test_agree_outlives_a_move_of_another_milestone() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms());
        vm.warp(START + 10);
        Part memory other = _part(part.terms, _schedule(3), 1);
        _submit(other);
        _agree(part, 1, NOW, DEADLINE);
        _expectSettled(id, 0);
    }

    /// @dev Signs before it calls, so that an expected revert is the escrow's.
    function _agreeReverting(Part memory part, uint40 asOf) private {
        escrow.agree(part, 1, asOf, DEADLINE, "", "");
    }

    function test_agree_refuses_more_than_everything() public {
        (Part memory part,) = _fundSigned(_signedTerms());
        vm.expectRevert(abi.encodeWithSelector(IEscrow.BpsTooLarge.selector, 10_001));
        escrow.agree(part, 10_001, NOW, DEADLINE, "", "");
    }

    function test_agree_refuses_what_is_not_open() public {
        (Part memory part, bytes32 id) = _fundSigned(_signedTerms(), _schedule(3), 1);
        Part memory unfunded = _part(part.terms, _schedule(3), 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotFunded.selector, id, 1));
        escrow.agree(unfunded, 1, NOW, DEADLINE, "", "");
        _agree(part, 1, NOW, DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, id, 0));
        escrow.agree(part, 1, NOW, DEADLINE, "", "");
    }

    function test_agree_stops_on_a_renumbered_chain() public {
        (Part memory part,) = _fundSigned(_signedTerms());
        vm.chainId(DEPLOYED_CHAIN + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongChain.selector, DEPLOYED_CHAIN + 1, DEPLOYED_CHAIN));
        escrow.agree(part, 1, NOW, DEADLINE, "", "");
    }
}
