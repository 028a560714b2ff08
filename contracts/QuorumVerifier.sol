// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { FixedDomain } from "./libraries/FixedDomain.sol";

/// @title M of N attesters, proved in one call
/// @notice Proof format and guarantees are in `IQuorumVerifier`; the rules are docs/protocol.md section 5.
contract QuorumVerifier is IQuorumVerifier, FixedDomain {
    /* CONSTANTS */

    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps)"
    );
    uint256 private constant MAX_MEMBERS = 32;
    /// @dev Half of secp256k1's order, rounded down: the largest canonical `s`.
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    /// @dev EIP-2098: the top bit of `vs` is `v - 27`, the rest is `s`.
    uint256 private constant S_MASK = type(uint256).max >> 1;
    /// @dev Gas for a contract member's check.
    uint256 private constant MEMBER_GAS = 150_000;
    /// @dev What must be left for a member to be given MEMBER_GAS: a call passes on at most 63/64, after its own cost.
    uint256 private constant GAS_BEFORE_MEMBER = MEMBER_GAS * 64 / 63 + 10_000;

    // Places in a proof, in bytes.
    uint256 private constant HEAD_SIZE = 2;
    uint256 private constant MEMBER_SIZE = 20;
    uint256 private constant BITMAP_SIZE = 4;
    uint256 private constant SIGNATURE_SIZE = 64;

    /* QUORUMS */

    /// @inheritdoc IQuorumVerifier
    function announce(uint8 m, address[] calldata members) external returns (bytes32 quorum) {
        _requireQuorumSize(m, members.length);
        bytes memory packed = abi.encodePacked(m, uint8(members.length));
        address previous = address(0);
        for (uint256 i = 0; i < members.length; ++i) {
            _requireAscending(i, members[i], previous);
            previous = members[i];
            packed = abi.encodePacked(packed, members[i]);
        }
        quorum = keccak256(packed);

        emit Announced(quorum, m, members);
    }

    /* VERDICTS */

    /// @inheritdoc IVerifier
    function verify(bytes32 quorum, bytes32 agreement, uint256 milestone, Attestation calldata a, bytes calldata proof)
        external
        view
        returns (bytes4)
    {
        _requireQuorum(quorum, proof, digest(msg.sender, agreement, quorum, milestone, a));
        return IVerifier.verify.selector;
    }

    /// @inheritdoc IQuorumVerifier
    function digest(address escrow, bytes32 agreement, bytes32 quorum, uint256 milestone, Attestation calldata a)
        public
        view
        returns (bytes32)
    {
        return _typedDataHash(keccak256(abi.encode(ATTESTATION_TYPEHASH, escrow, agreement, quorum, milestone, a)));
    }

    /* READING A PROOF */

    function _domainName() internal pure override returns (string memory) {
        return "Milepost QuorumVerifier";
    }

    function _requireQuorum(bytes32 quorum, bytes calldata proof, bytes32 signed) private view {
        (uint256 m, bytes calldata members, bytes calldata rest) = _readQuorum(quorum, proof);

        uint256 counted = _countSigners(signed, members, rest);
        if (counted < m) revert TooFewSignatures(counted, m);
    }

    /// @dev The proof's beginning is what the quorum is the hash of.
    function _readQuorum(bytes32 quorum, bytes calldata proof)
        private
        pure
        returns (uint256 m, bytes calldata members, bytes calldata rest)
    {
        if (proof.length < HEAD_SIZE) revert BadProofLength(proof.length, HEAD_SIZE);
        m = uint8(proof[0]);
        uint256 n = uint8(proof[1]);
        uint256 end = HEAD_SIZE + n * MEMBER_SIZE;
        if (proof.length < end + BITMAP_SIZE) revert BadProofLength(proof.length, end + BITMAP_SIZE);
        bytes32 have = keccak256(proof[:end]);
        if (have != quorum) revert WrongQuorum(have, quorum);
        _requireQuorumSize(m, n);

        members = proof[HEAD_SIZE:end];
        rest = proof[end:];
    }

    /// @dev How many members' signatures count. Reads bitmap and signatures to the last byte.
    function _countSigners(bytes32 signed, bytes calldata members, bytes calldata rest)
        private
        view
        returns (uint256 counted)
    {
        uint256 n = members.length / MEMBER_SIZE;
        uint32 bitmap = uint32(bytes4(rest[:BITMAP_SIZE]));
        if (uint256(bitmap) >> n != 0) revert BitmapBeyondMembers(bitmap, n);

        rest = rest[BITMAP_SIZE:];
        address previous = address(0);
        for (uint256 i = 0; i < n; ++i) {
            address member = address(bytes20(members[i * MEMBER_SIZE:(i + 1) * MEMBER_SIZE]));
            _requireAscending(i, member, previous);
            previous = member;
            if (bitmap & (1 << i) == 0) continue;

            bool counts;
            (counts, rest) = _readSignature(signed, member, rest);
            if (counts) ++counted;
        }
        if (rest.length != 0) revert BadProofLength(rest.length, 0);
    }

    /// @dev Whether the member signed, and what of the proof is left after its signature.
    function _readSignature(bytes32 signed, address member, bytes calldata rest)
        private
        view
        returns (bool counts, bytes calldata left)
    {
        if (rest.length < SIGNATURE_SIZE) revert BadProofLength(rest.length, SIGNATURE_SIZE);
        bytes32 r = bytes32(rest[:32]);
        uint256 vs = uint256(bytes32(rest[32:SIGNATURE_SIZE]));
        left = rest[SIGNATURE_SIZE:];

        if (r == 0) {
            if (vs > left.length) revert BadProofLength(left.length, vs);
            counts = _contractSigned(signed, member, left[:vs]);
            left = left[vs:];
        } else {
            _requireSigned(signed, member, r, vs);
            counts = true;
        }
    }

    /// @dev A zero recovery is refused like any other stranger: no member is zero.
    function _requireSigned(bytes32 signed, address member, bytes32 r, uint256 vs) private pure {
        uint256 s = vs & S_MASK;
        if (s > MAX_S) revert MalleableSignature(member);
        address recovered = ecrecover(signed, uint8(27 + (vs >> 255)), r, bytes32(s));
        if (recovered != member) revert BadSignature(member, recovered);
    }

    /// @dev ERC-1271, within a fixed gas and without copying more than a word of the answer.
    function _contractSigned(bytes32 signed, address member, bytes calldata signature) private view returns (bool) {
        bytes memory data = abi.encodeCall(IERC1271.isValidSignature, (signed, signature));
        if (gasleft() < GAS_BEFORE_MEMBER) revert InsufficientGas(gasleft(), GAS_BEFORE_MEMBER);
        bool worked;
        uint256 size;
        bytes32 word;
        assembly ("memory-safe") {
            worked := staticcall(MEMBER_GAS, member, add(data, 0x20), mload(data), 0, 0x20)
            size := returndatasize()
            word := mload(0)
        }
        return worked && size >= 32 && word == bytes32(IERC1271.isValidSignature.selector);
    }

    function _requireQuorumSize(uint256 m, uint256 n) private pure {
        if (n == 0 || n > MAX_MEMBERS || m > n || 2 * m <= n) revert BadQuorumSize(m, n);
    }

    function _requireAscending(uint256 index, address member, address previous) private pure {
        if (member <= previous) revert MembersNotAscending(index, member);
    }
}
