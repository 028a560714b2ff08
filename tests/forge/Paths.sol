// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { Cause, IEscrow, Milestone, Part, Terms } from "@interfaces/IEscrow.sol";
import { Parties } from "./Parties.sol";
import { Actor } from "./mocks/Actor.sol";
import { Vm, vm } from "./Vm.sol";

/// @title Every way in which a milestone's money leaves, and what each must pay, worked out here
abstract contract Paths is Parties {
    enum Path {
        AttestedAtOnce,
        AttestedAfterWindow,
        Approved,
        Waived,
        Agreed,
        Ruled,
        Lapsed,
        Unreviewed,
        Unruled,
        UnruledWithoutVerifier
    }

    /// @dev What is to go where, token units.
    struct Split {
        uint256 toPayee;
        uint256 toPayer;
        uint256 fee;
        uint256 tip;
    }

    uint256 internal constant PATHS = uint256(type(Path).max) + 1;
    address internal constant NATIVE = address(0);
    uint256 internal constant PUSH_GAS = 150_000;
    /// @dev The keeper's rule for `settle` and each part of `settleMany`, whatever tokens and receivers do: base + 4 x PUSH_GAS,
    /// the transaction's own 21,000 and its calldata apart.
    uint256 internal constant SETTLE_BASE = 250_000;

    /* TAKING A PATH */

    /// @dev Terms in which the path ends with the share `bps`, where it leaves that open.
    function _termsFor(Path path, address token, uint16 bps) internal view returns (Terms memory terms) {
        if (path == Path.AttestedAtOnce) terms = _termsWithoutArbiter();
        else if (path == Path.UnruledWithoutVerifier) terms = _termsWithoutVerifier();
        else terms = _terms();
        (terms.payer, terms.payee, terms.token) = (payer, payee, token);
        if (path == Path.Unreviewed) terms.unreviewedBps = bps;
        if (path == Path.UnruledWithoutVerifier) terms.unruledBps = bps;
    }

    /// @dev An award of nothing is a rejection: these paths give the payee something.
    function _awards(Path path) internal pure returns (bool) {
        return path == Path.AttestedAtOnce || path == Path.AttestedAfterWindow || path == Path.Unruled;
    }

    /// @dev Everything before the call that pays.
    function _prepare(Path path, Part memory part, uint16 bps) internal {
        uint256 now_ = vm.getBlockTimestamp();
        if (path == Path.AttestedAtOnce) _submit(part);
        if (path == Path.AttestedAfterWindow || path == Path.Unruled) _award(part, bps);
        if (path == Path.Ruled) _award(part, 5000);
        if (path == Path.Unreviewed || path == Path.UnruledWithoutVerifier) _submit(part);
        if (path == Path.Ruled || path == Path.Unruled || path == Path.UnruledWithoutVerifier) _dispute(part, payer);
        if (path == Path.AttestedAfterWindow) vm.warp(now_ + CHALLENGE + 1);
        if (path == Path.Unreviewed) vm.warp(now_ + REVIEW + CHALLENGE + 1);
        if (path == Path.Unruled || path == Path.UnruledWithoutVerifier) vm.warp(now_ + RULING + 1);
        if (path == Path.Lapsed) vm.warp(uint256(SUBMIT_BY) + 1);
    }

    /// @dev The call that pays, by whoever may make it.
    function _finish(Path path, Part memory part, uint16 bps) internal {
        bytes32 id = _id(part);
        if (path == Path.AttestedAtOnce) {
            _attest(part, 0, WORK, bps);
        } else if (path == Path.Approved) {
            vm.prank(payer);
            escrow.approve(part);
        } else if (path == Path.Waived) {
            vm.prank(payee);
            escrow.waive(part);
        } else if (path == Path.Agreed) {
            bytes memory payeeSig = _long(PAYEE_KEY, _splitDigest(id, part.index, bps, NOW, DEADLINE));
            vm.prank(payer);
            escrow.agree(part, bps, NOW, DEADLINE, "", payeeSig);
        } else if (path == Path.Ruled) {
            vm.prank(ARBITER);
            escrow.rule(id, part, bps);
        } else {
            vm.prank(KEEPER);
            escrow.settle(part);
        }
    }

    /* WHAT IT MUST PAY */

    function _causeOf(Path path) internal pure returns (Cause) {
        if (path == Path.AttestedAtOnce || path == Path.AttestedAfterWindow) return Cause.Attested;
        if (path == Path.Approved) return Cause.Approved;
        if (path == Path.Waived) return Cause.Waived;
        if (path == Path.Agreed) return Cause.Agreed;
        if (path == Path.Ruled) return Cause.Ruled;
        if (path == Path.Lapsed) return Cause.Lapsed;
        if (path == Path.Unreviewed) return Cause.Unreviewed;
        return Cause.Unruled;
    }

    function _bpsOf(Path path, uint16 bps) internal pure returns (uint16) {
        if (path == Path.Approved) return 10_000;
        if (path == Path.Waived || path == Path.Lapsed) return 0;
        return bps;
    }

    /// @dev Who poked a clock or carried a verdict.
    function _paysTip(Path path) internal pure returns (bool) {
        return path != Path.Approved && path != Path.Waived && path != Path.Agreed && path != Path.Ruled;
    }

    function _splitOf(Path path, Part memory part, uint16 bps) internal pure returns (Split memory split) {
        uint256 amount = part.milestone.amount;
        uint256 share = amount * _bpsOf(path, bps) / 10_000;
        uint256 most = _paysTip(path) ? part.terms.tip : 0;
        split.fee = share * part.terms.feeBps / 10_000;
        split.tip = most < share - split.fee ? most : share - split.fee;
        split.toPayee = share - split.fee - split.tip;
        split.toPayer = amount - share;
    }

    /* LOOKING */

    function _held(address token, address who) internal view returns (uint256) {
        return token == NATIVE ? who.balance : IERC20(token).balanceOf(who);
    }

    /// @dev What each of the four has, in their hands and as a credit.
    function _owned(address token) internal view returns (Split memory) {
        return Split(
            _held(token, payee) + escrow.credit(token, payee),
            _held(token, payer) + escrow.credit(token, payer),
            _held(token, FEE_TO) + escrow.credit(token, FEE_TO),
            _held(token, KEEPER) + escrow.credit(token, KEEPER)
        );
    }

    function _credited(address token) internal view returns (uint256) {
        return escrow.credit(token, payee) + escrow.credit(token, payer) + escrow.credit(token, FEE_TO)
            + escrow.credit(token, KEEPER);
    }

    function _expectGained(address token, Split memory before, Split memory want) internal view {
        Split memory now_ = _owned(token);
        assertEq(now_.toPayee - before.toPayee, want.toPayee, "payee");
        assertEq(now_.toPayer - before.toPayer, want.toPayer, "payer");
        assertEq(now_.fee - before.fee, want.fee, "fee");
        assertEq(now_.tip - before.tip, want.tip, "tip");
    }

    /// @dev The one `Settled` among the recorded events.
    function _expectSettledEvent(Path path, Part memory part, uint16 bps, Split memory want) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 found;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IEscrow.Settled.selector) continue;
            ++found;
            bytes32 said = keccak256(logs[i].data);
            bytes memory amounts = abi.encode(want.toPayee, want.toPayer, want.fee, want.tip);
            bytes memory head = abi.encode(part.index, _causeOf(path), _bpsOf(path, bps));
            assertEq(logs[i].topics[1], _id(part), "id");
            assertEq(said, keccak256(bytes.concat(head, amounts, abi.encode(_executorOf(path)))), "Settled");
        }
        assertEq(found, 1, "one Settled");
    }

    function _executorOf(Path path) private view returns (address) {
        if (path == Path.Approved || path == Path.Agreed) return payer;
        if (path == Path.Waived) return payee;
        return path == Path.Ruled ? ARBITER : KEEPER;
    }

    /// @dev Takes a funded milestone down a path and holds the outcome against what was worked out.
    function _settleExactly(Path path, Part memory part, uint16 bps) internal {
        address token = part.terms.token;
        Split memory want = _splitOf(path, part, bps);
        uint256 amount = part.milestone.amount;
        assertEq(want.toPayee + want.toPayer + want.fee + want.tip, amount, "nothing is lost in the formula");
        _prepare(path, part, bps);
        Split memory before = _owned(token);
        uint256 claims = _held(token, address(escrow)) - _credited(token);
        vm.recordLogs();

        _finish(path, part, bps);

        _expectSettledEvent(path, part, bps, want);
        _expectGained(token, before, want);
        assertEq(claims - (_held(token, address(escrow)) - _credited(token)), amount, "the milestone's money left");
    }

    /* GAS */

    /// @dev Gas given to the escrow itself: the call comes from a contract.
    function _try(Actor keeper, bytes memory data, uint256 gas_) internal returns (bool worked, bytes memory back) {
        return keeper.forward{ gas: 30_000_000 }(address(escrow), data, gas_);
    }

    /// @dev The least gas with which the call works. It fails with less.
    function _least(Actor keeper, bytes memory data, uint256 most) internal returns (uint256) {
        (uint256 low, uint256 high) = (21_000, most);
        while (low < high) {
            uint256 middle = (low + high) / 2;
            uint256 snapshot = vm.snapshotState();
            (bool worked,) = _try(keeper, data, middle);
            vm.revertToState(snapshot);
            if (worked) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /// @dev One settlement, and then each of three more beside it, stay within the keeper's rule.
    function _expectWithinTheRule(Actor keeper, Part[] memory four) internal {
        Part[] memory one = new Part[](1);
        one[0] = four[0];
        uint256 first = _least(keeper, abi.encodeCall(IEscrow.settleMany, (one)), 3_000_000);
        uint256 each = (_least(keeper, abi.encodeCall(IEscrow.settleMany, (four)), 6_000_000) - first) / 3;
        assertTrue(first <= SETTLE_BASE + 4 * PUSH_GAS, vm.toString(first));
        assertTrue(each <= SETTLE_BASE + 4 * PUSH_GAS, vm.toString(each));
    }

    function _one(uint128 amount) internal pure returns (Milestone[] memory milestones) {
        milestones = _schedule(1);
        milestones[0].amount = amount;
    }
}
