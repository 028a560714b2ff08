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

    /// @notice All rules of funding the milestones in `mask`, of which those in `funded` were funded before.
    /// @return sum what they cost, token units
    function check(bytes32 id, Terms calldata terms, Milestone[] calldata milestones, uint64 mask, uint64 funded)
        internal
        view
        returns (uint256 sum)
    {
        sum = _checkSchedule(milestones, mask, terms.tip);
        if (mask & funded != 0) revert IEscrow.AlreadyFunded(id, mask & funded);
        _checkShares(terms);
        _checkAddresses(terms);
        _checkWindows(terms);
        if (terms.arbiter == address(0)) return sum;
        _checkArbiter(terms);
    }

    function _checkSchedule(Milestone[] calldata milestones, uint64 mask, uint96 tip)
        private
        view
        returns (uint256 sum)
    {
        uint256 count = milestones.length;
        if (count == 0 || count > MAX_MILESTONES) revert IEscrow.BadMilestoneCount(count);
        if (mask == 0) revert IEscrow.EmptyMask();
        if (uint256(mask) >> count != 0) revert IEscrow.MaskOutsideSchedule(mask, count);

        for (uint256 i = 0; i < count; ++i) {
            (uint256 amount, uint256 submitBy) = (milestones[i].amount, milestones[i].submitBy);
            if (amount == 0) revert IEscrow.ZeroAmount(i);
            if (tip > amount / TIP_DIVISOR) revert IEscrow.TipTooLarge(tip, amount / TIP_DIVISOR);
            if (mask & (1 << i) == 0) continue;
            bool inRange = submitBy > block.timestamp && submitBy <= block.timestamp + MAX_HORIZON;
            if (!inRange) revert IEscrow.SubmitByOutOfRange(i, uint40(submitBy));
            sum += amount;
        }
    }

    function _checkShares(Terms calldata terms) private pure {
        if (terms.unreviewedBps > BPS) revert IEscrow.BpsTooLarge(terms.unreviewedBps);
        if (terms.unruledBps > BPS) revert IEscrow.BpsTooLarge(terms.unruledBps);
        if (terms.feeBps > BPS) revert IEscrow.BpsTooLarge(terms.feeBps);
        if ((terms.feeTo != address(0)) != (terms.feeBps > 0)) revert IEscrow.FeeMismatch(terms.feeBps, terms.feeTo);
        if (terms.unreviewedBps > 0 && terms.arbiter == address(0)) {
            revert IEscrow.UnreviewedShareWithoutArbiter(terms.unreviewedBps);
        }
        if (terms.unruledBps > 0 && (terms.arbiter == address(0) || terms.verifier != address(0))) {
            revert IEscrow.UnruledShareNotApplicable(terms.unruledBps);
        }
    }

    function _checkAddresses(Terms calldata terms) private view {
        (address payer, address payee, address verifier) = (terms.payer, terms.payee, terms.verifier);
        if (payer == address(0) || payee == address(0) || payer == payee) revert IEscrow.BadParties(payer, payee);
        _checkNotForbidden(payer, terms.token);
        _checkNotForbidden(payee, terms.token);
        _checkNotForbidden(terms.feeTo, terms.token);
        if ((verifier != address(0)) != (terms.quorum != 0)) revert IEscrow.VerifierMismatch(verifier, terms.quorum);
        _checkHasCode(verifier);
        _checkHasCode(terms.token);
        if (terms.arbiterHook && terms.arbiter.code.length == 0) revert IEscrow.NoCode(terms.arbiter);
    }

    function _checkWindows(Terms calldata terms) private pure {
        (uint32 review, uint32 challenge, uint32 ruling) =
            (terms.reviewWindow, terms.challengeWindow, terms.rulingWindow);
        bool hasArbiter = terms.arbiter != address(0);
        bool challengeable = hasArbiter && terms.verifier != address(0);
        if (review == 0) revert IEscrow.ZeroReviewWindow();
        if ((ruling > 0) != hasArbiter) revert IEscrow.RulingWindowMismatch(ruling, terms.arbiter);
        if ((challenge > 0) != challengeable) {
            revert IEscrow.ChallengeWindowMismatch(challenge, terms.verifier, terms.arbiter);
        }
        if (review > MAX_WINDOW) revert IEscrow.WindowTooLong(review, MAX_WINDOW);
        if (challenge > MAX_WINDOW) revert IEscrow.WindowTooLong(challenge, MAX_WINDOW);
        if (ruling > MAX_WINDOW) revert IEscrow.WindowTooLong(ruling, MAX_WINDOW);
    }

    function _checkArbiter(Terms calldata terms) private view {
        address arbiter = terms.arbiter;
        _checkNotForbidden(arbiter, terms.token);
        bool independent = arbiter != terms.payer && arbiter != terms.payee && arbiter != terms.feeTo;
        if (!independent) revert IEscrow.ArbiterNotIndependent(arbiter);
    }

    /// @dev Zero stands for "none", and as a token for the native currency.
    function _checkNotForbidden(address who, address token) private view {
        if (who == address(this) || (who == token && who != address(0))) revert IEscrow.ForbiddenAddress(who);
    }

    function _checkHasCode(address account) private view {
        if (account != address(0) && account.code.length == 0) revert IEscrow.NoCode(account);
    }
}
