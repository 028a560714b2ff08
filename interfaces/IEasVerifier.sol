// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IVerifier } from "./IVerifier.sol";

/// @title M of N attesters, who attest in the Ethereum Attestation Service
/// @notice A quorum is what `IQuorumVerifier` says it is, and the proof is just its preimage: M and N (1 byte each), then the N
/// members (20 bytes each). A verdict passes when at least M members attested it. See docs/protocol.md section 5.
///
/// Attesters attest under one schema, whose resolver is this contract. The resolver takes one attestation of each attester
/// on each subject (escrow, agreement, quorum, milestone, attempt, first 24 bytes of the deliverable), and the schema is
/// irrevocable. So nobody can attest two shares on one subject, and with 2M > N no two shares can both pass: no caller
/// has a choice between verdicts, and there is nothing to prove or slash. A mistaken attestation cannot be taken back either.
///
/// The schema's fields are those of a verdict signed for `QuorumVerifier`, in the same order. An attestation must be data
/// of just these 7 words, with the escrow as recipient, and never expire. Attesters may be contracts. They may attest by
/// delegation: one who signs two delegations on a subject leaves to others which of them is made. Whoever could change the code of the service itself could forge verdicts: name only one that
/// nobody can change, or whose owners the parties trust.
interface IEasVerifier is IVerifier {
    /// @notice The service has no code.
    error NoCode(address account);
    /// @notice The attestation is under another schema that names this contract as its resolver.
    error WrongSchema(bytes32 have, bytes32 want);
    /// @notice The attestation would expire.
    error Expires(uint64 expirationTime);
    /// @notice The attestation's data are not the schema's 7 words.
    error BadDataLength(uint256 have, uint256 want);
    /// @notice The attestation's recipient is not the escrow that it names.
    error WrongRecipient(address have, address want);
    /// @notice The attested share is above 10000.
    error BpsTooLarge(uint16 have);
    /// @notice The attester attested on this subject before.
    error AlreadyAttested(bytes32 subject, address attester);
    /// @notice Fewer members than M attested this share.
    error TooFewAttestations(uint256 have, uint256 want);

    /// @notice The schema that attestations must be under. Registered when this contract was deployed.
    /// @return uid the schema's uid at the service
    function schema() external view returns (bytes32 uid);

    /// @notice The service, and no other, whose attestations count.
    function service() external view returns (address);

    /// @notice What an attester attests once about. Of `deliverable` the first 24 bytes count.
    function subjectOf(
        address escrow,
        bytes32 agreement,
        bytes32 quorum,
        uint256 milestone,
        uint16 attempt,
        bytes32 deliverable
    ) external pure returns (bytes32);

    /// @notice What an attester attested on a subject. Once given it never changes.
    /// @return given whether the attester attested at all
    /// @return payoutBps payee's share in 1/10000
    function verdictOf(bytes32 subject, address attester) external view returns (bool given, uint16 payoutBps);
}
