// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Case } from "@interfaces/Case.sol";
import { IEscrow, Milestone, Terms } from "@interfaces/IEscrow.sol";

/// @title What an arbiter contract knows of a case, and what it asks the case's escrow
/// @notice A case is told apart by its caller, so a contract that only pretends to be an escrow can disturb its own cases
/// and no others. What it answers is believed about its own cases, and no others.
library Cases {
    /// @notice Names the case: no two cases share a key.
    function key(Case memory c) internal pure returns (bytes32) {
        return keccak256(abi.encode(c));
    }

    /// @notice Whether the milestone's money has left: nothing remains to be ruled.
    function isSettled(Case memory c) internal view returns (bool) {
        (, uint64 closed) = IEscrow(c.escrow).state(c.agreement);
        return (uint256(closed) >> c.milestone) & 1 == 1;
    }

    /// @notice Shows by the whole agreement that `who` is one of its parties.
    function requireParty(Case memory c, Terms calldata terms, Milestone[] calldata milestones, address who)
        internal
        view
    {
        bytes32 have = IEscrow(c.escrow).agreementId(terms, milestones);
        if (have != c.agreement) revert IEscrow.WrongAgreement(have, c.agreement);
        if (who != terms.payer && who != terms.payee) revert IEscrow.NotParty(who);
    }
}
