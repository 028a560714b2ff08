// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IEscrow, Milestone, Terms } from "@interfaces/IEscrow.sol";

/// @title What is refused at funding
/// @notice docs/protocol.md section 3, in that order. Terms that pass can always be settled.
library FundingRules {
    uint256 internal constant BPS = 10_000;
    uint256 internal constant MAX_MILESTONES = 64;
    uint256 internal constant MAX_WINDOW = 365 days;
    uint256 internal constant MAX_HORIZON = 3650 days;
    /// @dev A tip is at most a tenth of the smallest amount.
    uint256 internal constant TIP_DIVISOR = 10;

    /// @notice The rules about terms and the whole schedule, whichever milestones are paid for.
    function checkStructure(Terms calldata terms, Milestone[] calldata milestones) internal view {
        uint256 smallest = _smallestAmount(milestones);
        _checkBps(terms);
        _checkAddresses(terms);
        _checkVerifier(terms);
        _checkWindows(terms);
        _checkStandingShares(terms);
        _checkLengths(terms);
        if (terms.tip > smallest / TIP_DIVISOR) revert IEscrow.TipTooLarge(terms.tip, smallest / TIP_DIVISOR);
        if (terms.token == address(0)) revert IEscrow.NativeNotSupported();
        if (terms.token.code.length == 0) revert IEscrow.NoCode(terms.token);
    }

    /// @notice The rules about the milestones that are paid for.
    /// @return sum their amounts
    function checkMask(bytes32 id, Milestone[] calldata milestones, uint64 mask, uint64 funded)
        internal
        view
        returns (uint256 sum)
    {
        if (mask == 0) revert IEscrow.EmptyMask();
        if (uint256(mask) >> milestones.length != 0) revert IEscrow.MaskOutsideSchedule(mask, milestones.length);
        if (mask & funded != 0) revert IEscrow.AlreadyFunded(id, mask & funded);

        for (uint256 i = 0; i < milestones.length; ++i) {
            if (mask & (1 << i) == 0) continue;
            uint40 submitBy = milestones[i].submitBy;
            if (submitBy <= block.timestamp) revert IEscrow.SubmitByOutOfRange(i, submitBy);
            if (submitBy > block.timestamp + MAX_HORIZON) revert IEscrow.SubmitByOutOfRange(i, submitBy);
            sum += milestones[i].amount;
        }
    }

    function _smallestAmount(Milestone[] calldata milestones) private pure returns (uint256 smallest) {
        uint256 count = milestones.length;
        if (count == 0 || count > MAX_MILESTONES) revert IEscrow.BadMilestoneCount(count);

        smallest = type(uint256).max;
        for (uint256 i = 0; i < count; ++i) {
            uint256 amount = milestones[i].amount;
            if (amount == 0) revert IEscrow.ZeroAmount(i);
            if (amount < smallest) smallest = amount;
        }
    }

    function _checkBps(Terms calldata terms) private pure {
        if (terms.unreviewedBps > BPS) revert IEscrow.BpsTooLarge(terms.unreviewedBps);
        if (terms.unruledBps > BPS) revert IEscrow.BpsTooLarge(terms.unruledBps);
        if (terms.feeBps > BPS) revert IEscrow.BpsTooLarge(terms.feeBps);
    }

    function _checkAddresses(Terms calldata terms) private view {
        (address payer, address payee) = (terms.payer, terms.payee);
        if (payer == address(0) || payee == address(0) || payer == payee) revert IEscrow.BadParties(payer, payee);

        (address arbiter, address feeTo) = (terms.arbiter, terms.feeTo);
        _checkNotForbidden(payer, terms.token);
        _checkNotForbidden(payee, terms.token);
        if (feeTo != address(0)) _checkNotForbidden(feeTo, terms.token);
        if (arbiter != address(0)) {
            _checkNotForbidden(arbiter, terms.token);
            if (arbiter == payer || arbiter == payee || arbiter == feeTo) {
                revert IEscrow.ArbiterNotIndependent(arbiter);
            }
        }

        if ((feeTo != address(0)) != (terms.feeBps > 0)) revert IEscrow.FeeMismatch(terms.feeBps, feeTo);
    }

    function _checkNotForbidden(address who, address token) private view {
        if (who == address(this) || who == token) revert IEscrow.ForbiddenAddress(who);
    }

    function _checkVerifier(Terms calldata terms) private view {
        (address verifier, bytes32 quorum) = (terms.verifier, terms.quorum);
        if ((verifier != address(0)) != (quorum != 0)) revert IEscrow.VerifierMismatch(verifier, quorum);
        if (verifier != address(0) && verifier.code.length == 0) revert IEscrow.NoCode(verifier);
    }

    function _checkWindows(Terms calldata terms) private view {
        (address verifier, address arbiter) = (terms.verifier, terms.arbiter);
        if (terms.reviewWindow == 0) revert IEscrow.ZeroReviewWindow();
        if ((terms.rulingWindow > 0) != (arbiter != address(0))) {
            revert IEscrow.RulingWindowMismatch(terms.rulingWindow, arbiter);
        }
        if ((terms.challengeWindow > 0) != (verifier != address(0) && arbiter != address(0))) {
            revert IEscrow.ChallengeWindowMismatch(terms.challengeWindow, verifier, arbiter);
        }
        if (terms.arbiterHook && arbiter.code.length == 0) revert IEscrow.NoCode(arbiter);
    }

    function _checkStandingShares(Terms calldata terms) private pure {
        bool hasArbiter = terms.arbiter != address(0);
        bool hasVerifier = terms.verifier != address(0);
        if (terms.unreviewedBps > 0 && !hasArbiter) revert IEscrow.UnreviewedShareWithoutArbiter(terms.unreviewedBps);
        if (terms.unruledBps > 0 && (!hasArbiter || hasVerifier)) {
            revert IEscrow.UnruledShareNotApplicable(terms.unruledBps);
        }
    }

    function _checkLengths(Terms calldata terms) private pure {
        if (terms.reviewWindow > MAX_WINDOW) revert IEscrow.WindowTooLong(terms.reviewWindow, MAX_WINDOW);
        if (terms.challengeWindow > MAX_WINDOW) revert IEscrow.WindowTooLong(terms.challengeWindow, MAX_WINDOW);
        if (terms.rulingWindow > MAX_WINDOW) revert IEscrow.WindowTooLong(terms.rulingWindow, MAX_WINDOW);
    }
}
