// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP7702Utils } from "@openzeppelin/contracts/account/utils/EIP7702Utils.sol";
import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { Equivocation, IQuorumVerifier, SignedVerdict } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { FixedDomain } from "./libraries/FixedDomain.sol";

/// @title M of N attesters, proved in one call
/// @notice Proof format and guarantees are in `IQuorumVerifier`; the rules are docs/protocol.md section 5.
contract QuorumVerifier is IQuorumVerifier, FixedDomain {
    struct Bond {
        uint256 amount; // wei
        uint40 unbondingEnd; // unix s: last second in which it can be lost; 0 unless the member resigned
    }

    /* CONSTANTS */

    bytes32 private constant ATTESTATION_TYPEHASH = keccak256(
        "Attestation(address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps)"
    );
    uint256 private constant MAX_MEMBERS = 32;
    /// @dev A member's marks, in its quorum's word at `mark << index`.
    uint256 private constant INACTIVE = 1; // resigned or equivocated
    uint256 private constant BONDED = 1 << MAX_MEMBERS; // posted a bond: only its key's signatures count
    uint256 private constant UNBONDING = 30 days;
    uint256 private constant BPS = 10_000;
    /// @dev The reporter's part of a lost bond. Small, so that reporting oneself saves little.
    uint256 private constant REWARD_BPS = 1000;
    /// @dev Gas for a contract member's check.
    uint256 private constant MEMBER_GAS = 150_000;
    /// @dev What must be left for a member to be given MEMBER_GAS: a call passes on at most 63/64, after its own cost.
    uint256 private constant GAS_BEFORE_MEMBER = MEMBER_GAS * 64 / 63 + 10_000;

    // Places in a proof, in bytes.
    uint256 private constant HEAD_SIZE = 2;
    uint256 private constant MEMBER_SIZE = 20;
    uint256 private constant BITMAP_SIZE = 4;
    uint256 private constant SIGNATURE_SIZE = 64;

    /* STORAGE */

    /// @dev One word per quorum. Marks are set and never cleared.
    mapping(bytes32 quorum => uint256) private _marks;
    mapping(bytes32 quorum => mapping(address member => Bond)) private _bonds;

    /* QUORUMS */

    /// @inheritdoc IQuorumVerifier
    function announce(uint8 m, address[] calldata members) external returns (bytes32 quorum) {
        quorum = _quorumOf(m, members);

        emit Announced(quorum, m, members);
    }

    /* BONDS */

    /// @inheritdoc IQuorumVerifier
    function postBond(uint8 m, address[] calldata members) external payable returns (bytes32 quorum) {
        quorum = _quorumOf(m, members);
        uint256 index = _indexOf(members, msg.sender);
        bool isContract = msg.sender.code.length > 0 && EIP7702Utils.fetchDelegate(msg.sender) == address(0);
        if (_marks[quorum] & (INACTIVE << index) != 0) revert Inactive(quorum, msg.sender);
        if (isContract) revert NotAKey(msg.sender);
        if (msg.value == 0) revert ZeroBond();

        _marks[quorum] |= BONDED << index;
        _bonds[quorum][msg.sender].amount += msg.value;

        emit BondPosted(quorum, msg.sender, msg.value);
    }

    /// @inheritdoc IQuorumVerifier
    function resign(uint8 m, address[] calldata members) external returns (bytes32 quorum) {
        quorum = _quorumOf(m, members);
        uint256 index = _indexOf(members, msg.sender);
        if (_marks[quorum] & (INACTIVE << index) != 0) revert Inactive(quorum, msg.sender);

        uint40 unbondingEnd = uint40(block.timestamp + UNBONDING);
        _marks[quorum] |= INACTIVE << index;
        _bonds[quorum][msg.sender].unbondingEnd = unbondingEnd;

        emit Resigned(quorum, msg.sender, unbondingEnd);
    }

    /// @inheritdoc IQuorumVerifier
    function withdrawBond(bytes32 quorum, address to) external returns (uint256 amount) {
        Bond memory bond = _bonds[quorum][msg.sender];
        _requireRecipient(to);
        if (bond.amount == 0) revert NoBond(quorum, msg.sender);
        if (bond.unbondingEnd == 0) revert NotResigned(quorum, msg.sender);
        if (block.timestamp <= bond.unbondingEnd) revert TooEarly(uint256(bond.unbondingEnd) + 1, block.timestamp);

        amount = bond.amount;
        _bonds[quorum][msg.sender].amount = 0;

        emit BondWithdrawn(quorum, msg.sender, to, amount);

        _send(to, amount);
    }

    /// @inheritdoc IQuorumVerifier
    function proveEquivocation(uint8 m, address[] calldata members, Equivocation calldata shown, address to)
        external
        returns (uint256 reward)
    {
        bytes32 quorum = _quorumOf(m, members);
        uint256 index = _indexOf(members, shown.member);
        Bond memory bond = _bonds[quorum][shown.member];
        _requireRecipient(to);
        _requireContradiction(shown.one.attestation, shown.other.attestation);
        if (_marks[quorum] & (INACTIVE << index) != 0) _requireUnbonding(quorum, shown.member, bond);
        _requireVerdict(quorum, shown, shown.one);
        _requireVerdict(quorum, shown, shown.other);

        _marks[quorum] |= INACTIVE << index;
        delete _bonds[quorum][shown.member];

        reward = bond.amount * REWARD_BPS / BPS;
        _emitEquivocated(quorum, shown, reward, bond.amount - reward);

        _send(to, reward);
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

    /* VIEWS */

    /// @inheritdoc IQuorumVerifier
    function marks(bytes32 quorum) external view returns (uint32 inactive, uint32 bonded) {
        uint256 marked = _marks[quorum];
        return (uint32(marked), uint32(marked >> MAX_MEMBERS));
    }

    /// @inheritdoc IQuorumVerifier
    function bondOf(bytes32 quorum, address member) external view returns (uint256 amount, uint40 unbondingEnd) {
        Bond memory bond = _bonds[quorum][member];
        return (bond.amount, bond.unbondingEnd);
    }

    /// @inheritdoc IQuorumVerifier
    function digest(address escrow, bytes32 agreement, bytes32 quorum, uint256 milestone, Attestation calldata a)
        public
        view
        returns (bytes32)
    {
        return _typedDataHash(keccak256(abi.encode(ATTESTATION_TYPEHASH, escrow, agreement, quorum, milestone, a)));
    }

    /* WHO IS A MEMBER */

    /// @dev The same checks as of the beginning of a proof, and the same hash.
    function _quorumOf(uint8 m, address[] calldata members) private pure returns (bytes32) {
        _requireQuorumSize(m, members.length);
        bytes memory packed = abi.encodePacked(m, uint8(members.length));
        address previous = address(0);
        for (uint256 i = 0; i < members.length; ++i) {
            _requireAscending(i, members[i], previous);
            previous = members[i];
            packed = abi.encodePacked(packed, members[i]);
        }
        return keccak256(packed);
    }

    function _indexOf(address[] calldata members, address member) private pure returns (uint256) {
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == member) return i;
        }
        revert NotMember(member);
    }

    /* WHAT CANNOT BOTH BE HONEST */

    /// @dev The chain fixes the deliverable of an attempt, all of it that counts being 24 bytes: whoever signs for two of
    /// them saw two chains, or a submission that came in between.
    function _requireContradiction(Attestation calldata one, Attestation calldata other) private pure {
        bytes24 deliverable = bytes24(one.deliverable);
        bytes24 otherDeliverable = bytes24(other.deliverable);
        if (one.attempt != other.attempt || deliverable != otherDeliverable) {
            revert DifferentSubjects(one.attempt, other.attempt, deliverable, otherDeliverable);
        }
        if (one.payoutBps == other.payoutBps) revert SameVerdict(one.payoutBps);
    }

    /// @dev An inactive member can still lose its bond, while it waits for it. One that lost it waits for nothing.
    function _requireUnbonding(bytes32 quorum, address member, Bond memory bond) private view {
        if (bond.unbondingEnd == 0) revert Inactive(quorum, member);
        if (block.timestamp > bond.unbondingEnd) revert TooLate(bond.unbondingEnd, block.timestamp);
    }

    function _requireVerdict(bytes32 quorum, Equivocation calldata shown, SignedVerdict calldata verdict) private view {
        bytes32 signed = digest(shown.escrow, shown.agreement, quorum, shown.milestone, verdict.attestation);
        _requireSigned(signed, shown.member, verdict.r, verdict.vs);
    }

    function _emitEquivocated(bytes32 quorum, Equivocation calldata shown, uint256 reward, uint256 burned) private {
        emit Equivocated(
            quorum,
            shown.member,
            shown.escrow,
            shown.agreement,
            shown.milestone,
            shown.one.attestation.attempt,
            bytes24(shown.one.attestation.deliverable),
            shown.one.attestation.payoutBps,
            shown.other.attestation.payoutBps,
            msg.sender,
            reward,
            burned
        );
    }

    /* MONEY */

    function _requireRecipient(address to) private view {
        if (to == address(0) || to == address(this)) revert BadRecipient(to);
    }

    function _send(address to, uint256 amount) private {
        if (amount == 0) return;
        (bool sent,) = to.call{ value: amount }("");
        if (!sent) revert TransferFailed(address(0), to, amount);
    }

    /* READING A PROOF */

    function _domainName() internal pure override returns (string memory) {
        return "Milepost QuorumVerifier";
    }

    function _requireQuorum(bytes32 quorum, bytes calldata proof, bytes32 signed) private view {
        (uint256 m, bytes calldata members, bytes calldata rest) = _readQuorum(quorum, proof);

        uint256 counted = _countSigners(_marks[quorum], signed, members, rest);
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

    /// @dev How many members' signatures count. Reads members, bitmap and signatures to the last byte.
    function _countSigners(uint256 marked, bytes32 signed, bytes calldata members, bytes calldata rest)
        private
        view
        returns (uint256 counted)
    {
        uint32 bitmap = _readBitmap(rest, members.length / MEMBER_SIZE);

        rest = rest[BITMAP_SIZE:];
        address previous = address(0);
        for (uint256 i = 0; members.length > 0; ++i) {
            address member = address(bytes20(members));
            members = members[MEMBER_SIZE:];
            _requireAscending(i, member, previous);
            previous = member;
            if (bitmap & (1 << i) == 0) continue;

            bool counts;
            (counts, rest) = _readSignature(signed, member, marked >> i, rest);
            if (counts) ++counted;
        }
        if (rest.length != 0) revert BadProofLength(rest.length, 0);
    }

    /// @dev Which members signed: bit i = member i.
    function _readBitmap(bytes calldata rest, uint256 n) private pure returns (uint32 bitmap) {
        bitmap = uint32(bytes4(rest[:BITMAP_SIZE]));
        if (uint256(bitmap) >> n != 0) revert BitmapBeyondMembers(bitmap, n);
    }

    /// @dev Whether the member's signature counts, and what of the proof is left after it.
    function _readSignature(bytes32 signed, address member, uint256 mark, bytes calldata rest)
        private
        view
        returns (bool counts, bytes calldata left)
    {
        if (rest.length < SIGNATURE_SIZE) revert BadProofLength(rest.length, SIGNATURE_SIZE);
        bytes32 r = bytes32(rest[:32]);
        bytes32 vs = bytes32(rest[32:SIGNATURE_SIZE]);
        left = rest[SIGNATURE_SIZE:];

        if (r == 0) {
            uint256 size = uint256(vs);
            if (size > left.length) revert BadProofLength(left.length, size);
            counts = mark & (INACTIVE | BONDED) == 0 && _contractSigned(signed, member, left[:size]);
            left = left[size:];
        } else {
            _requireSigned(signed, member, r, vs);
            counts = mark & INACTIVE == 0;
        }
    }

    /// @dev A zero recovery is refused like any other stranger: no member is zero.
    function _requireSigned(bytes32 signed, address member, bytes32 r, bytes32 vs) private pure {
        (address recovered, ECDSA.RecoverError fault,) = ECDSA.tryRecover(signed, r, vs);
        if (fault == ECDSA.RecoverError.InvalidSignatureS) revert MalleableSignature(member);
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
