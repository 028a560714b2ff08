// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { QuorumVerifier } from "../../contracts/QuorumVerifier.sol";
import { PlayDollar } from "../../contracts/demo/PlayDollar.sol";
import { Cause, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Attestation } from "@interfaces/IVerifier.sol";
import { Assert } from "./Assert.sol";
import { Vm, vm } from "./Vm.sol";

/// @title What most tests start from
/// @notice A payer with play money, a schedule of three milestones, a quorum of 3 of 5 and an arbiter.
abstract contract Fixture is Assert {
    uint256 internal constant START = 1_800_000_000; // unix s
    uint40 internal constant SUBMIT_BY = uint40(START + 30 days);
    uint32 internal constant REVIEW = 3 days;
    uint32 internal constant CHALLENGE = 2 days;
    uint32 internal constant RULING = 10 days;
    uint128 internal constant AMOUNT = 1_000_000_000; // 1,000 PLAY
    bytes32 internal constant WORK = keccak256("the deliverable document");

    address internal constant PAYER = address(0xA11CE);
    address internal constant PAYEE = address(0xB0B);
    address internal constant ARBITER = address(0xA9B17E9);
    address internal constant FEE_TO = address(0xFEE);
    address internal constant KEEPER = address(0x6EE9E9);
    address internal constant STRANGER = address(0x57A9);

    Escrow internal escrow;
    QuorumVerifier internal verifier;
    PlayDollar internal play;

    uint256[] internal keys; // of the members, in member order
    address[] internal members;
    uint8 internal threshold;
    bytes32 internal quorum;

    function setUp() public virtual {
        vm.warp(START);
        escrow = new Escrow();
        verifier = new QuorumVerifier();
        play = new PlayDollar();
        _useQuorum(3, 5);
        _give(PAYER, type(uint128).max);
    }

    /* TERMS */

    function _terms() internal view returns (Terms memory terms) {
        terms.payer = PAYER;
        terms.payee = PAYEE;
        terms.token = address(play);
        terms.verifier = address(verifier);
        terms.quorum = quorum;
        terms.arbiter = ARBITER;
        terms.reviewWindow = REVIEW;
        terms.challengeWindow = CHALLENGE;
        terms.rulingWindow = RULING;
        terms.unreviewedBps = 2500;
        terms.document = keccak256("the legal text");
        terms.salt = keccak256("salt");
    }

    /// @dev Verdicts pay at once: nobody may dispute them.
    function _termsWithoutArbiter() internal view returns (Terms memory terms) {
        terms = _terms();
        terms.arbiter = address(0);
        terms.challengeWindow = 0;
        terms.rulingWindow = 0;
        terms.unreviewedBps = 0;
    }

    /// @dev The payer disputes submissions himself.
    function _termsWithoutVerifier() internal view returns (Terms memory terms) {
        terms = _terms();
        terms.verifier = address(0);
        terms.quorum = 0;
        terms.challengeWindow = 0;
        terms.unruledBps = 4000;
    }

    function _schedule(uint256 count) internal pure returns (Milestone[] memory milestones) {
        milestones = new Milestone[](count);
        for (uint256 i = 0; i < count; ++i) {
            milestones[i] = Milestone(AMOUNT, SUBMIT_BY, keccak256(abi.encode("criteria", i)));
        }
    }

    function _leaf(Milestone memory item) internal pure returns (bytes32) {
        bytes32 typehash = keccak256("Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)");
        return keccak256(abi.encode(typehash, item.amount, item.submitBy, item.criteria));
    }

    function _part(Terms memory terms, Milestone[] memory milestones, uint8 index)
        internal
        pure
        returns (Part memory part)
    {
        part.terms = terms;
        part.leaves = new bytes32[](milestones.length);
        for (uint256 i = 0; i < milestones.length; ++i) {
            part.leaves[i] = _leaf(milestones[i]);
        }
        part.index = index;
        part.milestone = milestones[index];
    }

    /* DOING */

    function _give(address who, uint256 amount) internal {
        play.mint(who, amount);
        vm.prank(who);
        play.approve(address(escrow), type(uint256).max);
    }

    function _fund(Terms memory terms) internal returns (Part memory part, bytes32 id) {
        return _fund(terms, _schedule(3), 7);
    }

    function _fund(Terms memory terms, Milestone[] memory milestones, uint64 mask)
        internal
        returns (Part memory part, bytes32 id)
    {
        vm.prank(PAYER);
        id = escrow.fund(terms, milestones, mask);
        part = _part(terms, milestones, 0);
    }

    function _submit(Part memory part) internal {
        vm.prank(part.terms.payee);
        escrow.submit(part, WORK);
    }

    function _attest(Part memory part, uint16 attempt, bytes32 deliverable, uint16 bps) internal {
        Attestation memory a = Attestation(attempt, deliverable, bps);
        bytes memory proof = _proof(_id(part), part.index, a, 7);
        vm.prank(KEEPER);
        escrow.attest(part, a, proof);
    }

    function _dispute(Part memory part, address by) internal {
        vm.prank(by);
        escrow.dispute(part, "");
    }

    /// @dev Steps to where a milestone was submitted and awarded.
    function _award(Part memory part, uint16 bps) internal {
        _submit(part);
        _attest(part, 0, WORK, bps);
    }

    function _id(Part memory part) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,Milestone[] milestones)Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)"
        );
        bytes32 structHash = keccak256(abi.encode(typehash, part.terms, keccak256(abi.encodePacked(part.leaves))));
        return _typed("Milepost", address(escrow), structHash);
    }

    function _typed(string memory name, address where, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domainType =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 separator =
            keccak256(abi.encode(domainType, keccak256(bytes(name)), keccak256("1"), block.chainid, where));
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    /* QUORUMS */

    function _useQuorum(uint8 m, uint8 n) internal {
        threshold = m;
        delete keys;
        delete members;
        for (uint256 i = 1; i <= n; ++i) {
            _insert(uint256(keccak256(abi.encode("attester", i))));
        }
        quorum = keccak256(_head());
    }

    function _insert(uint256 key) private {
        address member = vm.addr(key);
        uint256 place = members.length;
        keys.push(key);
        members.push(member);
        while (place > 0 && members[place - 1] > member) {
            (members[place], keys[place]) = (members[place - 1], keys[place - 1]);
            --place;
            (members[place], keys[place]) = (member, key);
        }
    }

    /// @dev M, N and the members: what the quorum is the hash of.
    function _head() internal view returns (bytes memory head) {
        head = abi.encodePacked(threshold, uint8(members.length));
        for (uint256 i = 0; i < members.length; ++i) {
            head = abi.encodePacked(head, members[i]);
        }
    }

    function _digest(bytes32 id, uint256 index, Attestation memory a) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            "Attestation(address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps)"
        );
        bytes32 structHash = keccak256(
            abi.encode(typehash, address(escrow), id, quorum, index, a.attempt, a.deliverable, a.payoutBps)
        );
        return _typed("Milepost QuorumVerifier", address(verifier), structHash);
    }

    function _signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    function _proof(bytes32 id, uint256 index, Attestation memory a, uint32 bitmap)
        internal
        view
        returns (bytes memory proof)
    {
        bytes32 digest = _digest(id, index, a);
        proof = abi.encodePacked(_head(), bitmap);
        for (uint256 i = 0; i < keys.length; ++i) {
            if (bitmap & (1 << i) != 0) proof = abi.encodePacked(proof, _signature(keys[i], digest));
        }
    }

    /* EXPECTING */

    function _expectStatus(bytes32 id, uint8 index, Status want) internal view {
        (Status have,,,,) = escrow.milestone(id, index);
        assertEq(uint256(have), uint256(want), "status");
    }

    function _expectSettled(bytes32 id, uint8 index) internal view {
        (, uint64 closed) = escrow.state(id);
        assertTrue(closed & (uint64(1) << index) != 0, "settled");
    }

    function _expectOpen(bytes32 id, uint8 index) internal view {
        (uint64 funded, uint64 closed) = escrow.state(id);
        assertTrue(funded & ~closed & (uint64(1) << index) != 0, "open");
    }

    function _expectDue(Part memory part, Cause wantCause, uint256 wantShare, uint256 wantReadyAt) internal view {
        (Cause cause, uint128 share, uint40 readyAt) = escrow.due(part);
        assertEq(uint256(cause), uint256(wantCause), "cause");
        assertEq(share, wantShare, "share");
        assertEq(readyAt, wantReadyAt, "readyAt");
    }
}
