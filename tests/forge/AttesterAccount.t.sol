// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { AttesterAccount } from "../../contracts/AttesterAccount.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { IAttesterAccount } from "@interfaces/IAttesterAccount.sol";
import { Part } from "@interfaces/IEscrow.sol";
import { Equivocation, IQuorumVerifier, SignedVerdict } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Attesters whose keys change: docs/protocol.md section 5
contract AttesterAccountTest is Fixture {
    bytes32 private constant AGREEMENT = keccak256("agreement");
    uint256 private constant INDEX = 2;
    bytes32 private constant HASH = keccak256("a verdict's digest");
    address private constant OWNER = address(0xC01D);
    uint40 private constant UNTIL = uint40(START + 90 days);
    /// @dev secp256k1's order.
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant HOT = uint256(keccak256("hot key"));
    uint256 private constant SPARE = uint256(keccak256("another hot key"));

    AttesterAccount private account;

    function setUp() public override {
        super.setUp();
        account = _newAccount();
    }

    function _newAccount() private returns (AttesterAccount fresh) {
        vm.prank(STRANGER);
        fresh = new AttesterAccount(OWNER);
        vm.prank(OWNER);
        fresh.addKey(vm.addr(HOT), UNTIL);
    }

    /// @dev Typed data as a wallet hashes it, without the contract's help.
    function _wrapped(AttesterAccount of_, bytes32 hash) private view returns (bytes32) {
        bytes32 structHash = keccak256(abi.encode(keccak256("AttesterMessage(bytes32 digest)"), hash));
        return _typed("Milepost AttesterAccount", address(of_), structHash);
    }

    function _signedBy(uint256 key, bytes32 hash) private view returns (bytes memory) {
        return _signature(key, _wrapped(account, hash));
    }

    function _expectValid(bytes32 hash, bytes memory signature, bool want) private view {
        bytes4 answer = account.isValidSignature(hash, signature);
        bytes4 wanted = want ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
        assertEq(bytes32(answer), bytes32(wanted), "answer");
    }

    /* SIGNATURES */

    function test_an_unexpired_key_signs_for_the_account() public {
        bytes memory signature = _signedBy(HOT, HASH);
        _expectValid(HASH, signature, true);
        vm.warp(UNTIL);
        _expectValid(HASH, signature, true);
    }

    function test_an_expired_key_does_not_sign() public {
        vm.warp(uint256(UNTIL) + 1);
        _expectValid(HASH, _signedBy(HOT, HASH), false);
    }

    function test_neither_owner_nor_stranger_sign() public {
        uint256 cold = uint256(keccak256("cold key"));
        account = new AttesterAccount(vm.addr(cold));
        _expectValid(HASH, _signedBy(cold, HASH), false);
        _expectValid(HASH, _signedBy(HOT, HASH), false);
    }

    function test_a_key_signs_the_wrapped_digest_and_nothing_else() public view {
        _expectValid(HASH, _signature(HOT, HASH), false);
        _expectValid(keccak256("another"), _signedBy(HOT, HASH), false);
    }

    function test_accounts_digest_is_the_typed_data_hash_that_wallets_compute() public view {
        assertEq(account.digest(HASH), _wrapped(account, HASH), "digest");
    }

    function test_the_accounts_domain_stays_when_the_chain_is_renumbered() public {
        bytes32 before = account.digest(HASH);
        vm.chainId(99);
        assertEq(account.digest(HASH), before, "digest");
        (, string memory name,, uint256 chainId, address where,,) = account.eip712Domain();
        assertEq(keccak256(bytes(name)), keccak256("Milepost AttesterAccount"), "name");
        assertEq(chainId, 31_337, "as deployed");
        assertEq(where, address(account), "contract");
    }

    function test_only_64_bytes_are_a_signature() public view {
        bytes memory good = _signedBy(HOT, HASH);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(HOT, _wrapped(account, HASH));
        _expectValid(HASH, good, true);
        _expectValid(HASH, "", false);
        _expectValid(HASH, abi.encodePacked(good, uint8(0)), false);
        _expectValid(HASH, abi.encodePacked(r, s, v), false);
        bytes memory short = new bytes(63);
        for (uint256 i = 0; i < 63; ++i) {
            short[i] = good[i];
        }
        _expectValid(HASH, short, false);
    }

    /// @dev What recovers nobody must not meet a key that is zero, and a twin of a signature is none.
    function test_a_high_s_and_a_recovery_of_nobody_do_not_sign() public view {
        _expectValid(HASH, new bytes(64), false);
        _expectValid(HASH, abi.encodePacked(bytes32(ORDER), bytes32(0)), false);
        _expectValid(HASH, abi.encodePacked(bytes32(uint256(1)), bytes32(type(uint256).max >> 1)), false);
    }

    function testFuzz_every_changed_bit_of_a_keys_signature_is_refused(uint256 place) public view {
        bytes memory signature = _signedBy(HOT, HASH);
        place %= 512;
        signature[place / 8] ^= bytes1(uint8(1 << (place % 8)));
        _expectValid(HASH, signature, false);
    }

    /* KEYS */

    function test_addKey_appoints_a_key_until_its_last_second() public {
        vm.recordLogs();
        vm.prank(OWNER);
        account.addKey(vm.addr(SPARE), UNTIL);
        _expectKeyLog(vm.getRecordedLogs()[0], IAttesterAccount.KeyAdded.selector, SPARE, abi.encode(UNTIL));
        assertEq(account.validUntil(vm.addr(SPARE)), UNTIL, "valid until");
        _expectValid(HASH, _signedBy(SPARE, HASH), true);
        _expectValid(HASH, _signedBy(HOT, HASH), true);
    }

    function _expectKeyLog(Vm.Log memory log, bytes32 topic, uint256 key, bytes memory data) private pure {
        assertEq(log.topics[0], topic, "event");
        assertEq(log.topics[1], bytes32(uint256(uint160(vm.addr(key)))), "key");
        assertEq(keccak256(log.data), keccak256(data), "data");
    }

    function test_addKey_gives_a_key_another_end() public {
        vm.startPrank(OWNER);
        account.addKey(vm.addr(HOT), uint40(START));
        vm.stopPrank();
        _expectValid(HASH, _signedBy(HOT, HASH), true);
        vm.warp(START + 1);
        _expectValid(HASH, _signedBy(HOT, HASH), false);
        vm.prank(OWNER);
        account.addKey(vm.addr(HOT), UNTIL);
        _expectValid(HASH, _signedBy(HOT, HASH), true);
    }

    function test_addKey_refuses_the_zero_address() public {
        vm.expectRevert(IAttesterAccount.ZeroKey.selector);
        vm.prank(OWNER);
        account.addKey(address(0), UNTIL);
    }

    function test_addKey_refuses_a_key_that_has_expired() public {
        vm.expectRevert(abi.encodeWithSelector(IAttesterAccount.AlreadyExpired.selector, START - 1, START));
        vm.prank(OWNER);
        account.addKey(vm.addr(SPARE), uint40(START - 1));
        assertEq(account.validUntil(vm.addr(SPARE)), 0, "no key");
    }

    function test_revokeKey_takes_its_word_back_at_once() public {
        bytes memory signature = _signedBy(HOT, HASH);
        vm.recordLogs();
        vm.prank(OWNER);
        account.revokeKey(vm.addr(HOT));
        _expectKeyLog(vm.getRecordedLogs()[0], IAttesterAccount.KeyRevoked.selector, HOT, "");
        assertEq(account.validUntil(vm.addr(HOT)), 0, "no key");
        _expectValid(HASH, signature, false);
    }

    /// @dev An owner in haste must hear of a slip: the key that leaked would stay.
    function test_revokeKey_refuses_a_key_that_is_none() public {
        bytes memory want = abi.encodeWithSelector(IAttesterAccount.UnknownKey.selector, vm.addr(SPARE));
        vm.startPrank(OWNER);
        vm.expectRevert(want);
        account.revokeKey(vm.addr(SPARE));
        vm.expectRevert(want);
        account.rotateKey(vm.addr(SPARE), vm.addr(HOT), UNTIL);
        vm.stopPrank();
    }

    function test_rotateKey_puts_one_key_in_the_place_of_another() public {
        vm.recordLogs();
        vm.prank(OWNER);
        account.rotateKey(vm.addr(HOT), vm.addr(SPARE), UNTIL);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        _expectKeyLog(logs[0], IAttesterAccount.KeyRevoked.selector, HOT, "");
        _expectKeyLog(logs[1], IAttesterAccount.KeyAdded.selector, SPARE, abi.encode(UNTIL));
        _expectValid(HASH, _signedBy(HOT, HASH), false);
        _expectValid(HASH, _signedBy(SPARE, HASH), true);
    }

    function test_rotateKey_takes_the_place_of_an_expired_key_too() public {
        vm.warp(uint256(UNTIL) + 1);
        vm.prank(OWNER);
        account.rotateKey(vm.addr(HOT), vm.addr(SPARE), UNTIL + 1);
        _expectValid(HASH, _signedBy(SPARE, HASH), true);
    }

    function test_rotateKey_to_no_key_changes_nothing() public {
        vm.startPrank(OWNER);
        vm.expectRevert(IAttesterAccount.ZeroKey.selector);
        account.rotateKey(vm.addr(HOT), address(0), UNTIL);
        vm.expectRevert(abi.encodeWithSelector(IAttesterAccount.AlreadyExpired.selector, START - 1, START));
        account.rotateKey(vm.addr(HOT), vm.addr(SPARE), uint40(START - 1));
        vm.stopPrank();
        _expectValid(HASH, _signedBy(HOT, HASH), true);
    }

    /* THE OWNER */

    function _ownersCalls() private view returns (bytes[5] memory) {
        return [
            abi.encodeCall(account.addKey, (vm.addr(SPARE), UNTIL)),
            abi.encodeCall(account.rotateKey, (vm.addr(HOT), vm.addr(SPARE), UNTIL)),
            abi.encodeCall(account.revokeKey, (vm.addr(HOT))),
            abi.encodeCall(account.resign, (verifier, threshold, members)),
            abi.encodeCall(account.transferOwnership, (STRANGER))
        ];
    }

    function _everyCallIsRefusedTo(address who) private {
        bytes[5] memory calls = _ownersCalls();
        bytes memory want = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, who);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(who);
            (bool worked, bytes memory answer) = address(account).call(calls[i]);
            assertTrue(!worked, "worked");
            assertEq(keccak256(answer), keccak256(want), "error");
        }
    }

    /// @dev STRANGER deployed it.
    function test_everything_is_the_owners_not_the_deployers_nor_a_keys() public {
        assertEq(account.owner(), OWNER, "owner");
        _everyCallIsRefusedTo(STRANGER);
        _everyCallIsRefusedTo(vm.addr(HOT));
        _everyCallIsRefusedTo(address(account));
    }

    function test_an_account_without_an_owner_is_not_deployed() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        new AttesterAccount(address(0));
    }

    function test_an_owner_is_replaced_in_two_steps() public {
        vm.prank(OWNER);
        account.transferOwnership(PAYER);
        assertEq(account.owner(), OWNER, "still");
        assertEq(account.pendingOwner(), PAYER, "pending");
        _everyCallIsRefusedTo(PAYER);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        vm.prank(STRANGER);
        account.acceptOwnership();

        vm.prank(PAYER);
        account.acceptOwnership();

        assertEq(account.owner(), PAYER, "owner");
        assertEq(account.pendingOwner(), address(0), "nobody pending");
        _everyCallIsRefusedTo(OWNER);
        _expectValid(HASH, _signedBy(HOT, HASH), true);
    }

    function test_ownership_is_never_given_up() public {
        vm.expectRevert(IAttesterAccount.OwnerNeeded.selector);
        vm.prank(OWNER);
        account.renounceOwnership();
        assertEq(account.owner(), OWNER, "owner");
    }

    /// @dev The factory that is at this address on every chain: its caller is nowhere in what it makes.
    function test_anyone_deploys_an_account_to_the_address_that_its_owner_alone_fixes() public {
        address factory = 0x4e59b44847b379578588920cA78FbF26c0B4956C;
        vm.etch(
            factory,
            hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
        );
        bytes32 salt = keccak256("salt");
        bytes memory code = abi.encodePacked(type(AttesterAccount).creationCode, abi.encode(OWNER));
        bytes32 place = keccak256(abi.encodePacked(hex"ff", factory, salt, keccak256(code)));

        vm.prank(STRANGER);
        (bool worked,) = factory.call(abi.encodePacked(salt, code));

        assertTrue(worked, "deployed");
        AttesterAccount found = AttesterAccount(address(uint160(uint256(place))));
        assertEq(found.owner(), OWNER, "owner");
        assertEq(found.pendingOwner(), address(0), "nobody pending");
    }

    /* IN A QUORUM */

    Attestation private verdict = Attestation(1, WORK, 7000);

    /// @dev 2 of 3: two accounts behind one hot key, and a plain key.
    function _withAccounts() private returns (AttesterAccount other, uint256 plain) {
        other = _newAccount();
        plain = keys[0];
        delete members;
        members = [address(account), address(other), vm.addr(plain)];
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                if (members[j] > members[j + 1]) (members[j], members[j + 1]) = (members[j + 1], members[j]);
            }
        }
        threshold = 2;
        quorum = keccak256(_head());
    }

    function _word(bytes memory signature) private pure returns (bytes memory) {
        return abi.encodePacked(bytes32(0), signature.length, signature);
    }

    function _place(address member) private view returns (uint256) {
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == member) return i;
        }
        revert("no member");
    }

    /// @dev The words of two members, in member order.
    function _proofOf(address one, bytes memory oneWord, address other, bytes memory otherWord)
        private
        view
        returns (bytes memory)
    {
        uint32 bitmap = uint32((1 << _place(one)) | (1 << _place(other)));
        bytes memory words = one < other ? bytes.concat(oneWord, otherWord) : bytes.concat(otherWord, oneWord);
        return abi.encodePacked(_head(), bitmap, words);
    }

    function _verify(bytes memory proof) private {
        vm.prank(address(escrow));
        bytes4 answer = verifier.verify(quorum, AGREEMENT, INDEX, verdict, proof);
        assertEq(bytes32(answer), bytes32(IVerifier.verify.selector), "magic answer");
    }

    function _tooFew(bytes memory proof, uint256 counted) private {
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, counted, threshold));
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, verdict, proof);
    }

    function test_an_account_counts_in_a_quorum() public {
        (AttesterAccount other, uint256 plain) = _withAccounts();
        bytes32 digest = _digest(AGREEMENT, INDEX, verdict);
        bytes memory word = _word(_signature(HOT, _wrapped(account, digest)));
        _verify(_proofOf(address(account), word, vm.addr(plain), _signature(plain, digest)));
        _verify(_proofOf(address(account), word, address(other), _word(_signature(HOT, _wrapped(other, digest)))));
    }

    function test_one_signature_offered_for_two_accounts_counts_once() public {
        (AttesterAccount other,) = _withAccounts();
        bytes32 digest = _digest(AGREEMENT, INDEX, verdict);
        bytes memory word = _word(_signature(HOT, _wrapped(account, digest)));
        _tooFew(_proofOf(address(account), word, address(other), word), 1);
        bytes memory bare = _word(_signature(HOT, digest));
        _tooFew(_proofOf(address(account), bare, address(other), bare), 0);
    }

    /// @dev The key of a member is a hot key of an account beside it: its one signature is the member's only.
    function test_one_signature_offered_for_a_key_and_its_account_counts_once() public {
        (, uint256 plain) = _withAccounts();
        vm.prank(OWNER);
        account.addKey(vm.addr(plain), UNTIL);
        bytes32 digest = _digest(AGREEMENT, INDEX, verdict);
        bytes memory own = _signature(plain, digest);
        bytes memory wrapped = _signature(plain, _wrapped(account, digest));
        _tooFew(_proofOf(address(account), _word(own), vm.addr(plain), own), 1);
        bytes memory proof = _proofOf(address(account), _word(wrapped), vm.addr(plain), wrapped);
        vm.expectPartialRevert(IQuorumVerifier.BadSignature.selector);
        vm.prank(address(escrow));
        verifier.verify(quorum, AGREEMENT, INDEX, verdict, proof);
    }

    /// @dev Time turns an account against a proof as surely as its owner does. The spare carries it, through the escrow.
    function test_an_account_that_flips_in_the_last_block_does_not_kill_a_proof_with_spares() public {
        (AttesterAccount other, uint256 plain) = _withAccounts();
        vm.startPrank(OWNER);
        account.addKey(vm.addr(HOT), uint40(START + REVIEW - 1));
        vm.stopPrank();
        (Part memory part, bytes32 id) = _fund(_terms());
        _submit(part);
        Attestation memory a = Attestation(0, WORK, 7000);
        bytes32 digest = _digest(id, 0, a);
        bytes memory bare = _proofOf(
            address(account),
            _word(_signature(HOT, _wrapped(account, digest))),
            vm.addr(plain),
            _signature(plain, digest)
        );
        bytes memory withSpare = abi.encodePacked(_head(), uint32(7));
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory word = members[i] == vm.addr(plain)
                ? _signature(plain, digest)
                : _word(_signature(HOT, _wrapped(members[i] == address(account) ? account : other, digest)));
            withSpare = bytes.concat(withSpare, word);
        }
        vm.warp(START + REVIEW);

        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.TooFewSignatures.selector, 1, 2));
        vm.prank(KEEPER);
        escrow.attest(part, a, bare);
        vm.prank(KEEPER);
        escrow.attest(part, a, withSpare);
    }

    function test_an_account_resigns_by_its_owner() public {
        (, uint256 plain) = _withAccounts();
        bytes32 digest = _digest(AGREEMENT, INDEX, verdict);
        bytes memory word = _word(_signature(HOT, _wrapped(account, digest)));
        vm.prank(OWNER);
        bytes32 have = account.resign(verifier, threshold, members);
        assertEq(have, quorum, "quorum");
        (uint32 inactive,) = verifier.marks(quorum);
        assertEq(inactive, 1 << _place(address(account)), "inactive");
        _tooFew(_proofOf(address(account), word, vm.addr(plain), _signature(plain, digest)), 1);
    }

    /// @dev Two verdicts of one hot key: the key is no member, and the account signs nothing by ECDSA.
    function test_an_account_is_not_shown_to_equivocate() public {
        _withAccounts();
        Attestation memory other = Attestation(1, WORK, 3000);
        Equivocation memory shown = Equivocation(
            address(account), address(escrow), AGREEMENT, INDEX, _hotVerdict(verdict), _hotVerdict(other)
        );
        vm.expectPartialRevert(IQuorumVerifier.BadSignature.selector);
        verifier.proveEquivocation(threshold, members, shown, STRANGER);
        shown.member = vm.addr(HOT);
        vm.expectRevert(abi.encodeWithSelector(IQuorumVerifier.NotMember.selector, vm.addr(HOT)));
        verifier.proveEquivocation(threshold, members, shown, STRANGER);
    }

    function _hotVerdict(Attestation memory a) private view returns (SignedVerdict memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(HOT, _wrapped(account, _digest(AGREEMENT, INDEX, a)));
        return SignedVerdict(a, r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    /// @dev A verifier gives a contract member 150,000 gas: the dearest answer takes less than a tenth of it.
    function test_a_check_takes_a_tenth_of_the_gas_that_a_verifier_gives() public view {
        bytes memory signature = _signedBy(HOT, HASH);
        bytes4 answer = account.isValidSignature{ gas: 15_000 }(HASH, signature);
        assertEq(bytes32(answer), bytes32(IERC1271.isValidSignature.selector), "answer");
    }
}
