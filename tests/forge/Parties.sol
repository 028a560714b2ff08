// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Amendment, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Fixture } from "./Fixture.sol";
import { vm } from "./Vm.sol";

/// @title A payer and a payee who hold keys, and sign what both must sign
abstract contract Parties is Fixture {
    uint256 internal constant PAYER_KEY = uint256(keccak256("payer"));
    uint256 internal constant PAYEE_KEY = uint256(keccak256("payee"));
    uint256 internal constant DEPLOYED_CHAIN = 31_337; // forge's; read once, as the compiler may read it again later
    uint40 internal constant NOW = uint40(START);
    uint40 internal constant DEADLINE = uint40(START + 1 days);

    address internal payer = vm.addr(PAYER_KEY);
    address internal payee = vm.addr(PAYEE_KEY);

    function setUp() public virtual override {
        super.setUp();
        _give(payer, type(uint128).max);
    }

    function _signedTerms() internal view returns (Terms memory terms) {
        terms = _terms();
        terms.payer = payer;
        terms.payee = payee;
    }

    function _fundSigned(Terms memory terms) internal returns (Part memory part, bytes32 id) {
        return _fundSigned(terms, _schedule(3), 7);
    }

    function _fundSigned(Terms memory terms, Milestone[] memory milestones, uint64 mask)
        internal
        returns (Part memory part, bytes32 id)
    {
        vm.prank(payer);
        id = escrow.fund(terms, milestones, mask);
        part = _part(terms, milestones, 0);
    }

    function _long(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _splitDigest(bytes32 id, uint8 index, uint16 bps, uint40 asOf, uint40 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash =
            keccak256("Split(bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 asOf,uint40 deadline)");
        return _typed("Milepost", address(escrow), keccak256(abi.encode(typehash, id, index, bps, asOf, deadline)));
    }

    string private constant MILESTONE_TYPE = "Milestone(uint128 amount,uint40 submitBy,bytes32 criteria)";
    string private constant TERMS_TYPE =
        "Terms(address payer,address payee,address token,address verifier,bytes32 quorum,address arbiter,bool arbiterHook,uint32 reviewWindow,uint32 challengeWindow,uint32 rulingWindow,uint16 unreviewedBps,uint16 unruledBps,uint16 feeBps,address feeTo,uint96 tip,bytes32 document,bytes32 salt,Milestone[] milestones)";
    string private constant AMENDMENT_TYPE =
        "Amendment(bytes32 from,uint64 closes,Terms to,uint64 opens,uint40 asOf,uint40 deadline)";

    function _amendmentDigest(Amendment memory a, bytes32 from, Terms memory to, Milestone[] memory milestones)
        internal
        view
        returns (bytes32)
    {
        bytes32 typehash = keccak256(abi.encodePacked(AMENDMENT_TYPE, MILESTONE_TYPE, TERMS_TYPE));
        bytes memory head = abi.encode(typehash, from, a.closes, _termsHash(to, milestones));
        bytes memory tail = abi.encode(a.opens, a.asOf, a.deadline);
        return _typed("Milepost", address(escrow), keccak256(bytes.concat(head, tail)));
    }

    function _termsHash(Terms memory terms, Milestone[] memory milestones) private pure returns (bytes32) {
        bytes memory leaves;
        for (uint256 i = 0; i < milestones.length; ++i) {
            leaves = abi.encodePacked(leaves, _leaf(milestones[i]));
        }
        bytes32 typehash = keccak256(abi.encodePacked(TERMS_TYPE, MILESTONE_TYPE));
        return keccak256(abi.encode(typehash, terms, keccak256(leaves)));
    }
}
