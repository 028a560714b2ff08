// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Attestation as EasAttestation } from "@ethereum-attestation-service/eas-contracts/contracts/Common.sol";
import { IEAS } from "@ethereum-attestation-service/eas-contracts/contracts/IEAS.sol";
import { ISchemaRegistry } from "@ethereum-attestation-service/eas-contracts/contracts/ISchemaRegistry.sol";
import { SchemaResolver } from "@ethereum-attestation-service/eas-contracts/contracts/resolver/SchemaResolver.sol";
import { IEasVerifier } from "@interfaces/IEasVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { QuorumSet } from "./libraries/QuorumSet.sol";

/// @title M of N attesters, who attest in the Ethereum Attestation Service
/// @notice Proof format and guarantees are in `IEasVerifier`; the rules are docs/protocol.md section 5. What was attested is
/// kept here as the service reports it: neither the schema nor the service has a way to take it back.
contract EasVerifier is IEasVerifier, SchemaResolver {
    /* CONSTANTS */

    uint256 private constant BPS = 10_000;
    string private constant FIELDS =
        "address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps";
    uint256 private constant DATA_SIZE = 7 * 32; // bytes
    bool private constant REVOCABLE = false;

    /* IMMUTABLES */

    bytes32 private immutable SCHEMA;

    /* STORAGE */

    /// @dev The share + 1; 0 = none given.
    mapping(bytes32 subject => mapping(address attester => uint256)) private _verdicts;

    /// @dev A schema's uid is the hash of what it holds, this contract's address included: a stranger who knows the address
    /// beforehand can only register what is registered here, which then is used as it stands.
    constructor(IEAS eas) SchemaResolver(eas) {
        if (address(eas).code.length == 0) revert NoCode(address(eas));
        ISchemaRegistry registry = eas.getSchemaRegistry();
        bytes32 uid = keccak256(abi.encodePacked(FIELDS, address(this), REVOCABLE));
        SCHEMA = registry.getSchema(uid).uid == uid ? uid : registry.register(FIELDS, this, REVOCABLE);
    }

    /* ATTESTATIONS */

    /// @dev Called through `attest` and `multiAttest`, by the service only, for each new attestation.
    function onAttest(EasAttestation calldata attestation, uint256) internal override returns (bool) {
        bytes calldata data = attestation.data;
        if (attestation.schema != SCHEMA) revert WrongSchema(attestation.schema, SCHEMA);
        if (attestation.expirationTime != 0) revert Expires(attestation.expirationTime);
        if (data.length != DATA_SIZE) revert BadDataLength(data.length, DATA_SIZE);
        (bytes32 subject, address escrow, uint16 payoutBps) = _decode(data);
        if (attestation.recipient != escrow) revert WrongRecipient(attestation.recipient, escrow);
        if (payoutBps > BPS) revert BpsTooLarge(payoutBps);
        address attester = attestation.attester;
        if (_verdicts[subject][attester] != 0) revert AlreadyAttested(subject, attester);

        _verdicts[subject][attester] = uint256(payoutBps) + 1;
        return true;
    }

    /// @dev Never asked about this schema, which is irrevocable.
    function onRevoke(EasAttestation calldata, uint256) internal pure override returns (bool) {
        return false;
    }

    function _decode(bytes calldata data) private pure returns (bytes32 subject, address escrow, uint16 payoutBps) {
        bytes32 agreement;
        bytes32 quorum;
        uint256 milestone;
        uint16 attempt;
        bytes32 deliverable;
        (escrow, agreement, quorum, milestone, attempt, deliverable, payoutBps) =
            abi.decode(data, (address, bytes32, bytes32, uint256, uint16, bytes32, uint16));
        subject = subjectOf(escrow, agreement, quorum, milestone, attempt, deliverable);
    }

    /* VERDICTS */

    /// @inheritdoc IVerifier
    function verify(bytes32 quorum, bytes32 agreement, uint256 milestone, Attestation calldata a, bytes calldata proof)
        external
        view
        returns (bytes4)
    {
        (uint256 m, address[] memory members) = QuorumSet.read(quorum, proof);
        bytes32 subject = subjectOf(msg.sender, agreement, quorum, milestone, a.attempt, a.deliverable);

        uint256 counted = 0;
        for (uint256 i = 0; i < members.length; ++i) {
            if (_verdicts[subject][members[i]] == uint256(a.payoutBps) + 1) ++counted;
        }
        if (counted < m) revert TooFewAttestations(counted, m);
        return IVerifier.verify.selector;
    }

    /* VIEWS */

    /// @inheritdoc IEasVerifier
    function schema() external view returns (bytes32 uid) {
        return SCHEMA;
    }

    /// @inheritdoc IEasVerifier
    function service() external view returns (address) {
        return address(_eas);
    }

    /// @inheritdoc IEasVerifier
    function verdictOf(bytes32 subject, address attester) external view returns (bool given, uint16 payoutBps) {
        uint256 kept = _verdicts[subject][attester];
        if (kept != 0) (given, payoutBps) = (true, uint16(kept - 1));
    }

    /// @inheritdoc IEasVerifier
    function subjectOf(
        address escrow,
        bytes32 agreement,
        bytes32 quorum,
        uint256 milestone,
        uint16 attempt,
        bytes32 deliverable
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(escrow, agreement, quorum, milestone, attempt, bytes24(deliverable)));
    }
}
