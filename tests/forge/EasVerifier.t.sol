// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {
    AccessDenied,
    Attestation as EasAttestation,
    InvalidEAS,
    Signature
} from "@ethereum-attestation-service/eas-contracts/contracts/Common.sol";
import {
    AttestationRequest,
    AttestationRequestData,
    DelegatedAttestationRequest,
    IEAS,
    MultiAttestationRequest,
    RevocationRequest,
    RevocationRequestData
} from "@ethereum-attestation-service/eas-contracts/contracts/IEAS.sol";
import {
    ISchemaRegistry,
    SchemaRecord
} from "@ethereum-attestation-service/eas-contracts/contracts/ISchemaRegistry.sol";
import { ISchemaResolver } from "@ethereum-attestation-service/eas-contracts/contracts/resolver/ISchemaResolver.sol";
import { SchemaResolver } from "@ethereum-attestation-service/eas-contracts/contracts/resolver/SchemaResolver.sol";
import { EasVerifier } from "../../contracts/EasVerifier.sol";
import { Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { IEasVerifier } from "@interfaces/IEasVerifier.sol";
import { IQuorumVerifier } from "@interfaces/IQuorumVerifier.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { Fixture } from "./Fixture.sol";
import { Published } from "./Published.sol";
import { vm } from "./Vm.sol";

/// @dev What the tests use of EAS that its interface does not name.
interface IEasErrors {
    error InvalidAttestation();
    error InvalidRevocation();
    error Irrevocable();
    error NotPayable();

    function getDomainSeparator() external view returns (bytes32);
    function getNonce(address account) external view returns (uint256);
}

/// @title Which attestations count, and that no caller can choose between two: docs/protocol.md section 5
/// @dev Every attestation here is made through the published EAS, deployed from its package's bytecode.
contract EasVerifierTest is Fixture {
    bytes32 private constant AGREEMENT = keccak256("agreement");
    uint256 private constant INDEX = 2;
    string private constant FIELDS =
        "address escrow,bytes32 agreement,bytes32 quorum,uint256 milestone,uint16 attempt,bytes32 deliverable,uint16 payoutBps";
    bytes32 private constant KEPT = bytes32(bytes24(WORK));

    IEAS private eas;
    EasVerifier private attestations;

    function setUp() public override {
        super.setUp();
        eas = Published.eas();
        attestations = new EasVerifier(eas);
    }

    /* ATTESTING */

    function _verdict() private pure returns (Attestation memory) {
        return Attestation(1, KEPT, 7000);
    }

    function _data(bytes32 id, uint256 index, Attestation memory a) private view returns (bytes memory) {
        return abi.encode(address(escrow), id, quorum, index, a.attempt, a.deliverable, a.payoutBps);
    }

    function _request(bytes memory data) private view returns (AttestationRequest memory request) {
        request.schema = attestations.schema();
        request.data.recipient = address(escrow);
        request.data.data = data;
    }

    function _attestAs(uint256 i, AttestationRequest memory request) private returns (bytes32 uid) {
        vm.prank(members[i]);
        return eas.attest(request);
    }

    function _attestAs(uint256 i, uint16 bps) private returns (bytes32 uid) {
        Attestation memory a = _verdict();
        a.payoutBps = bps;
        return _attestAs(i, _request(_data(AGREEMENT, INDEX, a)));
    }

    function _refuseRequest(AttestationRequest memory request, bytes memory want) private {
        vm.expectRevert(want);
        vm.prank(members[0]);
        eas.attest(request);
    }

    function _quorumAttests(uint16 bps) private {
        for (uint256 i = 0; i < threshold; ++i) {
            _attestAs(i, bps);
        }
    }

    function _subject() private view returns (bytes32) {
        return attestations.subjectOf(address(escrow), AGREEMENT, quorum, INDEX, 1, WORK);
    }

    /* VERIFYING */

    function _passes(address caller, bytes32 id, uint256 index, Attestation memory a, bytes memory proof)
        private
        returns (bool worked)
    {
        bytes memory answer;
        vm.prank(caller);
        (worked, answer) = address(attestations).call(abi.encodeCall(IVerifier.verify, (quorum, id, index, a, proof)));
        if (worked) assertEq(bytes32(answer), bytes32(IVerifier.verify.selector), "magic answer");
    }

    function _passes(uint16 bps) private returns (bool) {
        Attestation memory a = _verdict();
        a.payoutBps = bps;
        return _passes(address(escrow), AGREEMENT, INDEX, a, _head());
    }

    function _refuseProof(bytes memory proof, bytes memory want) private {
        vm.expectRevert(want);
        vm.prank(address(escrow));
        attestations.verify(quorum, AGREEMENT, INDEX, _verdict(), proof);
    }

    /* THE SCHEMA */

    function test_the_schema_is_irrevocable_and_resolved_by_the_verifier() public view {
        SchemaRecord memory record = eas.getSchemaRegistry().getSchema(attestations.schema());
        assertEq(record.uid, attestations.schema(), "uid");
        assertEq(address(record.resolver), address(attestations), "resolver");
        assertTrue(!record.revocable, "irrevocable");
        assertEq(keccak256(bytes(record.schema)), keccak256(bytes(FIELDS)), "fields");
        assertEq(attestations.service(), address(eas), "service");
        assertEq(keccak256(bytes(attestations.version())), keccak256("1.4.0"), "the resolver interface's version");
    }

    /// @dev The address of a deployment can be known beforehand, and a schema be registered by anyone.
    function test_a_schema_registered_beforehand_does_not_jam_the_deployment() public {
        bytes32 code = keccak256(abi.encodePacked(type(EasVerifier).creationCode, abi.encode(eas)));
        address soon = address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", this, bytes32(0), code)))));
        vm.prank(STRANGER);
        bytes32 uid = eas.getSchemaRegistry().register(FIELDS, ISchemaResolver(payable(soon)), false);
        attestations = new EasVerifier{ salt: 0 }(eas);
        assertEq(address(attestations), soon, "foreseen address");
        assertEq(attestations.schema(), uid, "uid");
        _quorumAttests(7000);
        assertTrue(_passes(7000), "works");
    }

    function test_a_service_without_code_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IEasVerifier.NoCode.selector, STRANGER));
        new EasVerifier(IEAS(STRANGER));
        vm.expectRevert(abi.encodeWithSelector(InvalidEAS.selector));
        new EasVerifier(IEAS(address(0)));
    }

    function test_an_attestation_under_another_schema_of_the_same_resolver_is_refused() public {
        ISchemaRegistry registry = eas.getSchemaRegistry();
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        bytes32[2] memory others = [
            registry.register(FIELDS, attestations, true), // revocable
            registry.register("uint16 payoutBps,bytes anything", attestations, false)
        ];
        for (uint256 i = 0; i < 2; ++i) {
            request.schema = others[i];
            bytes memory want =
                abi.encodeWithSelector(IEasVerifier.WrongSchema.selector, others[i], attestations.schema());
            _refuseRequest(request, want);
        }
    }

    function test_only_the_service_reports_attestations() public {
        EasAttestation memory forged;
        forged.schema = attestations.schema();
        forged.attester = members[0];
        forged.recipient = address(escrow);
        forged.data = _data(AGREEMENT, INDEX, _verdict());
        EasAttestation[] memory two = new EasAttestation[](1);
        two[0] = forged;
        uint256[] memory values = new uint256[](1);
        vm.expectRevert(abi.encodeWithSelector(AccessDenied.selector));
        attestations.attest(forged);
        vm.expectRevert(abi.encodeWithSelector(AccessDenied.selector));
        attestations.multiAttest(two, values);
        vm.prank(address(eas));
        assertTrue(attestations.attest(forged), "the same from the service");
    }

    function test_attestations_of_another_service_do_not_count() public {
        IEAS other = Published.eas();
        other.getSchemaRegistry().register(FIELDS, attestations, false);
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        vm.expectRevert(abi.encodeWithSelector(AccessDenied.selector));
        vm.prank(members[0]);
        other.attest(request);
    }

    /* ATTESTATIONS */

    function test_an_attestation_is_kept_and_can_be_read() public {
        (bool given, uint16 bps) = attestations.verdictOf(_subject(), members[0]);
        assertTrue(!given && bps == 0, "nothing yet");
        bytes32 uid = _attestAs(0, 7000);
        (given, bps) = attestations.verdictOf(_subject(), members[0]);
        assertTrue(given && bps == 7000, "kept");
        assertEq(eas.getAttestation(uid).attester, members[0], "at the service");
        _attestAs(1, 0);
        (given, bps) = attestations.verdictOf(_subject(), members[1]);
        assertTrue(given && bps == 0, "a rejection");
    }

    function test_an_attester_cannot_attest_twice_on_one_subject() public {
        _attestAs(0, 7000);
        bytes memory want = abi.encodeWithSelector(IEasVerifier.AlreadyAttested.selector, _subject(), members[0]);
        uint16[3] memory again = [uint16(7000), 7001, 0];
        for (uint256 i = 0; i < 3; ++i) {
            Attestation memory a = _verdict();
            a.payoutBps = again[i];
            _refuseRequest(_request(_data(AGREEMENT, INDEX, a)), want);
            a.deliverable = WORK; // the same first 24 bytes
            _refuseRequest(_request(_data(AGREEMENT, INDEX, a)), want);
        }
    }

    function test_an_attester_cannot_attest_two_shares_in_one_batch() public {
        MultiAttestationRequest[] memory requests = new MultiAttestationRequest[](1);
        requests[0].schema = attestations.schema();
        requests[0].data = new AttestationRequestData[](2);
        Attestation memory a = _verdict();
        requests[0].data[0] = _request(_data(AGREEMENT, INDEX, a)).data;
        a.payoutBps = 1;
        requests[0].data[1] = _request(_data(AGREEMENT, INDEX, a)).data;
        vm.expectRevert(abi.encodeWithSelector(IEasVerifier.AlreadyAttested.selector, _subject(), members[0]));
        vm.prank(members[0]);
        eas.multiAttest(requests);

        requests[0].data[1] = _request(_data(AGREEMENT, INDEX + 1, a)).data;
        vm.prank(members[0]);
        assertEq(eas.multiAttest(requests).length, 2, "two subjects in one batch");
    }

    function test_an_attestation_cannot_be_revoked() public {
        bytes32 uid = _attestAs(0, 7000);
        RevocationRequest memory request = RevocationRequest(attestations.schema(), RevocationRequestData(uid, 0));
        vm.expectRevert(abi.encodeWithSelector(IEasErrors.Irrevocable.selector));
        vm.prank(members[0]);
        eas.revoke(request);

        EasAttestation[] memory made = new EasAttestation[](1);
        made[0] = eas.getAttestation(uid);
        vm.prank(address(eas));
        assertTrue(!attestations.revoke(made[0]), "the resolver refuses as well");
        vm.prank(address(eas));
        assertTrue(!attestations.multiRevoke(made, new uint256[](1)), "and in a batch");
    }

    function test_a_revocable_attestation_is_refused() public {
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        request.data.revocable = true;
        _refuseRequest(request, abi.encodeWithSelector(IEasErrors.Irrevocable.selector));
    }

    function test_an_attestation_that_expires_is_refused() public {
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        request.data.expirationTime = type(uint64).max;
        _refuseRequest(request, abi.encodeWithSelector(IEasVerifier.Expires.selector, type(uint64).max));
    }

    function test_an_attestation_to_another_recipient_is_refused() public {
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        request.data.recipient = PAYEE;
        _refuseRequest(request, abi.encodeWithSelector(IEasVerifier.WrongRecipient.selector, PAYEE, address(escrow)));
    }

    function test_an_attestation_of_more_than_the_whole_is_refused() public {
        Attestation memory a = _verdict();
        a.payoutBps = 10_001;
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, a));
        _refuseRequest(request, abi.encodeWithSelector(IEasVerifier.BpsTooLarge.selector, 10_001));
        _attestAs(0, 10_000);
    }

    function test_an_attestation_of_other_data_is_refused() public {
        bytes memory data = _data(AGREEMENT, INDEX, _verdict());
        bytes memory longer = abi.encodePacked(data, uint8(0));
        bytes memory want = abi.encodeWithSelector(IEasVerifier.BadDataLength.selector, longer.length, data.length);
        _refuseRequest(_request(longer), want);
        _refuseRequest(_request(""), abi.encodeWithSelector(IEasVerifier.BadDataLength.selector, 0, data.length));
        data[0] = 0x01; // an address of more than 20 bytes
        _refuseRequest(_request(data), "");
    }

    function test_an_attestation_brings_no_money() public {
        assertTrue(!attestations.isPayable(), "not payable");
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        request.data.value = 1;
        vm.deal(members[0], 1);
        vm.expectRevert(abi.encodeWithSelector(IEasErrors.NotPayable.selector));
        vm.prank(members[0]);
        eas.attest{ value: 1 }(request);
        vm.expectRevert(abi.encodeWithSelector(SchemaResolver.NotPayable.selector));
        vm.prank(members[0]);
        payable(address(attestations)).transfer(1);
    }

    function test_an_attestation_by_delegation_counts_for_its_signer() public {
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        DelegatedAttestationRequest memory delegated;
        (delegated.schema, delegated.data, delegated.attester) = (request.schema, request.data, members[0]);
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Attest(address attester,bytes32 schema,address recipient,uint64 expirationTime,bool revocable,bytes32 refUID,bytes data,uint256 value,uint256 nonce,uint64 deadline)"
                ),
                members[0],
                request.schema,
                address(escrow),
                uint64(0),
                false,
                bytes32(0),
                keccak256(request.data.data),
                uint256(0),
                IEasErrors(address(eas)).getNonce(members[0]),
                uint64(0)
            )
        );
        bytes32 separator = IEasErrors(address(eas)).getDomainSeparator();
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(keys[0], keccak256(abi.encodePacked(hex"1901", separator, structHash)));
        delegated.signature = Signature(v, r, s);
        vm.prank(STRANGER);
        eas.attestByDelegation(delegated);
        (bool given,) = attestations.verdictOf(_subject(), members[0]);
        assertTrue(given, "the signer's");
        (given,) = attestations.verdictOf(_subject(), STRANGER);
        assertTrue(!given, "not the relayer's");
    }

    /* QUORUMS */

    function test_enough_members_of_one_mind_pass_and_fewer_do_not() public {
        for (uint256 i = 0; i < 5; ++i) {
            assertTrue(_passes(7000) == (i >= 3), "three of five");
            _attestAs(i, 7000);
        }
        assertTrue(_passes(7000), "five of five");
        _useQuorum(1, 1);
        _attestAs(0, 42);
        assertTrue(_passes(42), "one of one");
    }

    function test_too_few_attestations_are_named() public {
        _attestAs(0, 7000);
        _attestAs(1, 7000);
        _attestAs(2, 6999);
        _refuseProof(_head(), abi.encodeWithSelector(IEasVerifier.TooFewAttestations.selector, 2, 3));
    }

    /// @dev Invariant 20 holds even for signers: each has one word, and two shares need two majorities.
    function testFuzz_at_most_one_share_of_a_subject_passes(uint256 seed) public {
        uint16[3] memory shares = [uint16(0), 5000, 10_000];
        uint256 passed = 0;
        for (uint256 i = 0; i < 5; ++i) {
            _attestAs(i, shares[(seed >> (8 * i)) % 3]);
        }
        for (uint256 i = 0; i < 3; ++i) {
            if (_passes(shares[i])) ++passed;
        }
        assertTrue(passed <= 1, "two shares passed");
    }

    function test_a_rejection_passes_too() public {
        _quorumAttests(0);
        assertTrue(_passes(0), "rejection");
        assertTrue(!_passes(1), "award");
    }

    function test_nobody_outside_of_the_quorum_counts() public {
        AttestationRequest memory request = _request(_data(AGREEMENT, INDEX, _verdict()));
        for (uint160 i = 1; i <= 5; ++i) {
            vm.prank(address(i));
            eas.attest(request);
        }
        _refuseProof(_head(), abi.encodeWithSelector(IEasVerifier.TooFewAttestations.selector, 0, 3));
    }

    function test_an_attestation_counts_for_one_subject_only() public {
        _quorumAttests(7000);
        Attestation memory a = _verdict();
        assertTrue(_passes(address(escrow), AGREEMENT, INDEX, a, _head()), "its own");
        assertTrue(!_passes(address(this), AGREEMENT, INDEX, a, _head()), "another escrow");
        assertTrue(!_passes(address(escrow), keccak256("other"), INDEX, a, _head()), "another agreement");
        assertTrue(!_passes(address(escrow), AGREEMENT, INDEX + 1, a, _head()), "another milestone");
        a.attempt += 1;
        assertTrue(!_passes(address(escrow), AGREEMENT, INDEX, a, _head()), "another attempt");
        a = _verdict();
        a.deliverable = ~a.deliverable;
        assertTrue(!_passes(address(escrow), AGREEMENT, INDEX, a, _head()), "another deliverable");
        a = _verdict();
        a.deliverable = WORK;
        assertTrue(_passes(address(escrow), AGREEMENT, INDEX, a, _head()), "the same 24 bytes");
    }

    function test_an_attestation_for_one_quorum_does_not_count_for_another_of_the_same_members() public {
        _quorumAttests(7000);
        _attestAs(3, 7000);
        threshold = 4;
        quorum = keccak256(_head());
        _refuseProof(_head(), abi.encodeWithSelector(IEasVerifier.TooFewAttestations.selector, 0, 4));
    }

    function test_members_taken_from_the_callers_calldata_are_another_quorum() public {
        bytes32 agreed = quorum;
        _useQuorum(1, 1);
        bytes32 own = quorum;
        quorum = agreed;
        _refuseProof(_head(), abi.encodeWithSelector(IQuorumVerifier.WrongQuorum.selector, own, agreed));
    }

    function test_a_set_that_is_no_quorum_is_refused() public {
        uint8[2][7] memory bad = [[0, 0], [1, 0], [0, 1], [2, 1], [1, 2], [2, 4], [17, 33]];
        for (uint256 i = 0; i < bad.length; ++i) {
            bytes memory proof = abi.encodePacked(bad[i][0], bad[i][1]);
            for (uint160 member = 1; member <= bad[i][1]; ++member) {
                proof = abi.encodePacked(proof, member);
            }
            quorum = keccak256(proof);
            _refuseProof(proof, abi.encodeWithSelector(IQuorumVerifier.BadQuorumSize.selector, bad[i][0], bad[i][1]));
        }
    }

    function test_a_member_named_twice_or_out_of_order_is_refused() public {
        uint160[3][3] memory bad = [[uint160(0), 1, 2], [uint160(1), 1, 2], [uint160(1), 3, 2]];
        for (uint256 i = 0; i < bad.length; ++i) {
            bytes memory proof = abi.encodePacked(uint8(2), uint8(3), bad[i][0], bad[i][1], bad[i][2]);
            quorum = keccak256(proof);
            bytes memory want =
                abi.encodeWithSelector(IQuorumVerifier.MembersNotAscending.selector, i, address(bad[i][i]));
            _refuseProof(proof, want);
        }
    }

    function test_a_quorum_of_another_length_than_it_says_is_refused() public {
        bytes[3] memory bad = [bytes(hex"01"), abi.encodePacked(_head(), uint8(0)), hex"0305"];
        uint256[3] memory sizes = [uint256(2), 102, 102];
        for (uint256 i = 0; i < bad.length; ++i) {
            quorum = keccak256(bad[i]);
            bytes memory want = abi.encodeWithSelector(IQuorumVerifier.BadProofLength.selector, bad[i].length, sizes[i]);
            _refuseProof(bad[i], want);
        }
    }

    /* IN AN AGREEMENT */

    function test_attesters_reject_and_then_pay_through_the_escrow() public {
        Terms memory terms = _termsWithoutArbiter();
        terms.verifier = address(attestations);
        (Part memory part, bytes32 id) = _fund(terms);
        _submit(part);
        _deliver(part, id, Attestation(0, KEPT, 0));
        _expectStatus(id, 0, Status.Funded);
        _submit(part);
        _deliver(part, id, Attestation(1, KEPT, 6000));
        _expectSettled(id, 0);
        assertEq(play.balanceOf(PAYEE), uint256(AMOUNT) * 6000 / 10_000, "paid");
    }

    function _deliver(Part memory part, bytes32 id, Attestation memory a) private {
        for (uint256 i = 0; i < threshold; ++i) {
            _attestAs(i, _request(_data(id, part.index, a)));
        }
        vm.prank(KEEPER);
        escrow.attest(part, a, _head());
    }
}
