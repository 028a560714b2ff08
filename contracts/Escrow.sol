// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC3009 } from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { Multicall } from "@openzeppelin/contracts/utils/Multicall.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IArbiter } from "@interfaces/IArbiter.sol";
import { Amendment, Cause, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Attestation, IVerifier } from "@interfaces/IVerifier.sol";
import { FixedDomain } from "./libraries/FixedDomain.sol";
import { FundingRules } from "./libraries/FundingRules.sol";
import { Offers } from "./libraries/Offers.sol";
import { TermsHash } from "./libraries/TermsHash.sol";

/// @title Milestone escrow
/// @notice The rules are docs/protocol.md; guarantees and errors are in `IEscrow`.
contract Escrow is IEscrow, FixedDomain, Multicall {
    /// @dev One word per agreement: bit i = milestone i.
    struct Sets {
        uint64 funded;
        uint64 closed;
    }

    /// @dev One word per milestone, written when more than funding and settlement happens to it.
    struct Progress {
        Status status;
        uint16 attempt; // rejected submissions
        uint40 since; // unix s of the last step
        uint192 detail; // Submitted: first 24 bytes of the deliverable's hash; Attested, Disputed: the standing bps
    }

    /// @dev From one agreement to another: an amendment.
    struct Move {
        bytes32 from;
        bytes32 to;
        bytes32 toTerms; // struct hash of the new terms
        uint256 closing; // token units that the ending milestones hold
        uint256 opening; // token units that the new ones need
    }

    /* CONSTANTS */

    uint256 private constant BPS = 10_000;
    /// @dev After so many rejections there is no further submission, so that a rejection can always be stored.
    uint16 private constant MAX_ATTEMPT = 255;
    /// @dev Stands for the chain's native currency.
    address private constant NATIVE = address(0);
    /// @dev Gas that each transfer gets when money is pushed: plenty for an ERC-20, not enough to starve the rest.
    uint256 private constant PUSH_GAS = 150_000;
    /// @dev What must be left for a push to be given PUSH_GAS: a call passes on at most 63/64, after its own cost, which is
    /// 36,600 where native currency makes a new account.
    uint256 private constant GAS_BEFORE_PUSH = PUSH_GAS * 64 / 63 + 40_000;

    /// @dev ERC-3009 has it with v, r, s; tokens that serve contracts, like USDC, have this beside it.
    string private constant RECEIVE_WITH_SIGNATURE =
        "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)";

    /* STORAGE */

    bool private transient _locked;
    mapping(bytes32 id => Sets) private _sets;
    mapping(bytes32 id => mapping(uint256 index => Progress)) private _progress;
    mapping(address token => mapping(address owner => uint256)) private _credits;

    modifier lock() {
        if (_locked) revert Reentered();
        _locked = true;
        _;
        _locked = false;
    }

    /* FUNDING */

    /// @inheritdoc IEscrow
    function fund(Terms calldata terms, Milestone[] calldata milestones, uint64 mask)
        external
        payable
        lock
        returns (bytes32 id)
    {
        uint256 sum;
        (id, sum) = _markFunded(mask, msg.sender, terms, milestones);
        _pull(terms.token, sum);
    }

    /// @inheritdoc IEscrow
    function fundWithPermit(
        Terms calldata terms,
        Milestone[] calldata milestones,
        uint64 mask,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external lock returns (bytes32 id) {
        uint256 sum;
        (id, sum) = _markFunded(mask, msg.sender, terms, milestones);
        bytes memory permit = abi.encodeCall(IERC20Permit.permit, (msg.sender, address(this), sum, deadline, v, r, s));
        _call(terms.token, 0, gasleft(), permit); // whether it worked, the allowance tells
        _pull(terms.token, sum);
    }

    /// @inheritdoc IEscrow
    function fundWithAuthorization(
        Terms calldata terms,
        Milestone[] calldata milestones,
        uint64 mask,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external lock returns (bytes32 id) {
        uint256 sum;
        (id, sum) = _markFunded(mask, terms.payer, terms, milestones);
        bytes32 nonce = _authorizationNonce(id, mask);
        bytes memory data = abi.encodeCall(
            IERC3009.receiveWithAuthorization,
            (terms.payer, address(this), sum, validAfter, validBefore, nonce, v, r, s)
        );
        _pullAuthorized(terms.token, sum, data);
    }

    /// @inheritdoc IEscrow
    function fundWithAuthorization(
        Terms calldata terms,
        Milestone[] calldata milestones,
        uint64 mask,
        uint256 validAfter,
        uint256 validBefore,
        bytes calldata signature
    ) external lock returns (bytes32 id) {
        uint256 sum;
        (id, sum) = _markFunded(mask, terms.payer, terms, milestones);
        bytes32 nonce = _authorizationNonce(id, mask);
        bytes memory data = abi.encodeWithSignature(
            RECEIVE_WITH_SIGNATURE, terms.payer, address(this), sum, validAfter, validBefore, nonce, signature
        );
        _pullAuthorized(terms.token, sum, data);
    }

    /// @inheritdoc IEscrow
    function accept(Terms calldata terms, Milestone[] calldata milestones, bytes calldata signature)
        external
        lock
        returns (bytes32 id)
    {
        _requireDeployedChain();
        id = agreementId(terms, milestones);
        Offers.requireSigned(terms.payee, id, signature);

        emit Accepted(id, terms.payee);
    }

    /* WORK AND VERDICTS */

    /// @inheritdoc IEscrow
    function submit(Part calldata part, bytes32 deliverable) external lock {
        bytes32 id = _requireOpen(part);
        Progress memory progress = _progress[id][part.index];
        bytes24 kept = bytes24(deliverable);
        if (msg.sender != part.terms.payee) revert NotPayee(msg.sender, part.terms.payee);
        if (progress.status != Status.Funded) revert WrongStatus(id, part.index, progress.status);
        if (block.timestamp > part.milestone.submitBy) revert TooLate(part.milestone.submitBy, block.timestamp);
        if (kept == 0) revert ZeroDeliverable();
        if (progress.attempt >= MAX_ATTEMPT) revert TooManyAttempts(progress.attempt);

        _advance(id, part.index, Status.Submitted, progress.attempt, uint192(kept));

        emit Submitted(id, part.index, progress.attempt, kept);
    }

    /// @inheritdoc IEscrow
    function attest(Part calldata part, Attestation calldata a, bytes calldata proof) external lock {
        bytes32 id = _requireOpen(part);
        Progress memory progress = _progress[id][part.index];
        bytes32 deliverable = _requireAttestable(id, part, a, progress);
        _requireProof(id, part, a, proof);

        if (a.payoutBps == 0) {
            _advance(id, part.index, Status.Funded, progress.attempt + 1, 0);
            emit Rejected(id, part.index, progress.attempt, deliverable);
            return;
        }

        emit Attested(id, part.index, progress.attempt, deliverable, a.payoutBps);
        if (part.terms.challengeWindow > 0) {
            _advance(id, part.index, Status.Attested, progress.attempt, a.payoutBps);
        } else {
            _settle(id, part, Cause.Attested, a.payoutBps, part.terms.tip);
        }
    }

    /* CONSENT */

    /// @inheritdoc IEscrow
    function approve(Part calldata part) external lock {
        bytes32 id = _requireOpen(part);
        if (msg.sender != part.terms.payer) revert NotPayer(msg.sender, part.terms.payer);

        _settle(id, part, Cause.Approved, BPS, 0);
    }

    /// @inheritdoc IEscrow
    function waive(Part calldata part) external lock {
        bytes32 id = _requireOpen(part);
        if (msg.sender != part.terms.payee) revert NotPayee(msg.sender, part.terms.payee);

        _settle(id, part, Cause.Waived, 0, 0);
    }

    /// @inheritdoc IEscrow
    function agree(
        Part calldata part,
        uint16 payeeBps,
        uint40 asOf,
        uint40 deadline,
        bytes calldata payerSig,
        bytes calldata payeeSig
    ) external lock {
        _requireDeployedChain();
        bytes32 id = _requireOpen(part);
        if (payeeBps > BPS) revert BpsTooLarge(payeeBps);
        Offers.requireStanding(asOf, deadline);
        _requireUnmoved(id, part.index, asOf);
        bytes32 offer = Offers.hashSplit(id, part.index, payeeBps, asOf, deadline);
        _requireBothSigned(part.terms, offer, payerSig, payeeSig);

        _settle(id, part, Cause.Agreed, payeeBps, 0);
    }

    /// @inheritdoc IEscrow
    function amend(
        Amendment calldata a,
        Terms calldata fromTerms,
        Milestone[] calldata fromMilestones,
        Terms calldata toTerms,
        Milestone[] calldata toMilestones,
        bytes calldata payerSig,
        bytes calldata payeeSig
    ) external payable lock returns (bytes32 to) {
        _requireDeployedChain();
        Offers.requireStanding(a.asOf, a.deadline);
        Move memory move = _moveOf(fromTerms, fromMilestones, toTerms, toMilestones);
        to = move.to;
        move.closing = _sumToClose(a, move.from, fromMilestones);
        if (_sets[to].funded != 0) revert AlreadyFunded(to, _sets[to].funded);
        _requireBothSigned(toTerms, Offers.hashAmendment(a, move.from, move.toTerms), payerSig, payeeSig);

        _sets[move.from].closed |= a.closes;
        (, move.opening) = _markFunded(a.opens, msg.sender, toTerms, toMilestones);
        _carryOver(a, move, toTerms);
    }

    /* DISPUTES */

    /// @inheritdoc IEscrow
    function dispute(Part calldata part, bytes calldata data) external payable lock {
        Terms calldata terms = part.terms;
        bytes32 id = _requireOpen(part);
        Progress memory progress = _progress[id][part.index];
        if (terms.arbiter == address(0)) revert NoArbiter(id);
        if (msg.sender != terms.payer && msg.sender != terms.payee) revert NotParty(msg.sender);
        uint16 standingBps = _requireDisputable(id, part, progress);
        if (msg.value != 0 && !terms.arbiterHook) revert WrongValue(msg.value, 0);

        _advance(id, part.index, Status.Disputed, progress.attempt, standingBps);

        emit Disputed(id, part.index, msg.sender, standingBps, data);

        if (terms.arbiterHook) _callHook(id, part, data);
    }

    /// @inheritdoc IEscrow
    function rule(bytes32 agreement, Part calldata part, uint16 payeeBps) external lock {
        bytes32 id = _requireOpen(part);
        Progress memory progress = _progress[id][part.index];
        if (id != agreement) revert WrongAgreement(id, agreement);
        if (msg.sender != part.terms.arbiter) revert NotArbiter(msg.sender, part.terms.arbiter);
        if (progress.status != Status.Disputed) revert WrongStatus(id, part.index, progress.status);
        _requireNotAfter(uint256(progress.since) + part.terms.rulingWindow);
        if (payeeBps > BPS) revert BpsTooLarge(payeeBps);

        _settle(id, part, Cause.Ruled, payeeBps, 0);
    }

    /* CLOCKS */

    /// @inheritdoc IEscrow
    function settle(Part calldata part) external lock {
        bytes32 id = _requireOpen(part);
        (Cause cause, uint256 payeeBps, uint256 readyAt) = _clock(part, _progress[id][part.index]);
        if (block.timestamp < readyAt) revert TooEarly(readyAt, block.timestamp);

        _settle(id, part, cause, payeeBps, part.terms.tip);
    }

    /// @inheritdoc IEscrow
    function settleMany(Part[] calldata parts) external lock returns (bool[] memory settled) {
        settled = new bool[](parts.length);
        for (uint256 i = 0; i < parts.length; ++i) {
            settled[i] = _settleIfDue(parts[i]);
        }
    }

    /* CREDITS */

    /// @inheritdoc IEscrow
    function withdraw(address token, address to) external lock returns (uint256 amount) {
        if (to == address(0) || to == address(this)) revert BadRecipient(to);
        return _payCredit(token, msg.sender, to);
    }

    /// @inheritdoc IEscrow
    function deliver(address token, address owner) external lock returns (uint256 amount) {
        return _payCredit(token, owner, owner);
    }

    /* SEVERAL CALLS IN ONE */

    /// @inheritdoc IEscrow
    function multicall(bytes[] calldata data) public override(IEscrow, Multicall) returns (bytes[] memory results) {
        return super.multicall(data);
    }

    /* VIEWS */

    /// @inheritdoc IEscrow
    function due(Part calldata part) external view returns (Cause cause, uint128 share, uint40 readyAt) {
        bytes32 id = _idOf(part);
        if (!_isOpen(id, part.index)) return (Cause.None, 0, type(uint40).max);

        (Cause clockCause, uint256 payeeBps, uint256 ready) = _clock(part, _progress[id][part.index]);
        return (clockCause, uint128(part.milestone.amount * payeeBps / BPS), uint40(ready));
    }

    /// @inheritdoc IEscrow
    function latest(Part calldata part) external view returns (uint40) {
        _idOf(part);
        Terms calldata terms = part.terms;
        return part.milestone.submitBy + terms.reviewWindow + terms.challengeWindow + terms.rulingWindow + 1;
    }

    /// @inheritdoc IEscrow
    function state(bytes32 id) external view returns (uint64 funded, uint64 closed) {
        Sets storage sets = _sets[id];
        return (sets.funded, sets.closed);
    }

    /// @inheritdoc IEscrow
    function milestone(bytes32 id, uint8 index)
        external
        view
        returns (Status status, uint16 attempt, uint40 since, bytes24 deliverable, uint16 standingBps)
    {
        Progress memory progress = _progress[id][index];
        (status, attempt, since) = (progress.status, progress.attempt, progress.since);
        if (status == Status.Submitted) deliverable = bytes24(progress.detail);
        else standingBps = uint16(progress.detail);
    }

    /// @inheritdoc IEscrow
    function credit(address token, address owner) external view returns (uint256) {
        return _credits[token][owner];
    }

    /// @inheritdoc IEscrow
    function agreementId(Terms calldata terms, Milestone[] calldata milestones) public view returns (bytes32) {
        return _typedDataHash(TermsHash.hash(terms, TermsHash.hashAll(milestones)));
    }

    /* WHICH MILESTONE */

    function _domainName() internal pure override returns (string memory) {
        return "Milepost";
    }

    function _requireDeployedChain() private view {
        if (block.chainid != DEPLOYED_CHAIN_ID) revert WrongChain(block.chainid, DEPLOYED_CHAIN_ID);
    }

    /// @dev The id of the agreement that the part belongs to, if it was ever funded: the id commits to terms and leaves,
    /// the leaf at the index to the milestone.
    function _idOf(Part calldata part) private view returns (bytes32) {
        if (part.index >= part.leaves.length) revert IndexOutsideSchedule(part.index, part.leaves.length);
        bytes32 leaf = TermsHash.leaf(part.milestone);
        if (leaf != part.leaves[part.index]) revert WrongMilestone(part.index, leaf, part.leaves[part.index]);
        return _typedDataHash(TermsHash.hash(part.terms, keccak256(abi.encodePacked(part.leaves))));
    }

    function _isOpen(bytes32 id, uint8 index) private view returns (bool) {
        Sets storage sets = _sets[id];
        return sets.funded & ~sets.closed & _bit(index) != 0;
    }

    function _requireOpen(Part calldata part) private view returns (bytes32 id) {
        id = _idOf(part);
        Sets storage sets = _sets[id];
        if (sets.funded & _bit(part.index) == 0) revert NotFunded(id, part.index);
        if (sets.closed & _bit(part.index) != 0) revert AlreadySettled(id, part.index);
    }

    /// @dev Zero for an index of 64 and more, which is in no set.
    function _bit(uint8 index) private pure returns (uint64) {
        return uint64(1) << index;
    }

    /* MONEY IN, AND FROM ONE AGREEMENT TO ANOTHER */

    /// @dev Everything of funding but taking the money, which `funder` owes then.
    function _markFunded(uint64 mask, address funder, Terms calldata terms, Milestone[] calldata milestones)
        private
        returns (bytes32 id, uint256 sum)
    {
        _requireDeployedChain();
        id = agreementId(terms, milestones);
        sum = FundingRules.check(id, terms, milestones, mask, _sets[id].funded);

        _sets[id].funded |= mask;

        emit Funded(id, terms.payer, terms.payee, funder, mask, terms, milestones);
    }

    /// @dev One authorization pays for one set of milestones of one agreement: it names both.
    function _authorizationNonce(bytes32 id, uint64 mask) private pure returns (bytes32) {
        return keccak256(abi.encode(id, uint256(mask)));
    }

    function _moveOf(
        Terms calldata fromTerms,
        Milestone[] calldata fromMilestones,
        Terms calldata toTerms,
        Milestone[] calldata toMilestones
    ) private view returns (Move memory move) {
        move.from = agreementId(fromTerms, fromMilestones);
        move.toTerms = TermsHash.hash(toTerms, TermsHash.hashAll(toMilestones));
        move.to = _typedDataHash(move.toTerms);
        bool sameParties = fromTerms.payer == toTerms.payer && fromTerms.payee == toTerms.payee;
        if (!sameParties || fromTerms.token != toTerms.token) revert NotAnAmendment(move.from, move.to);
    }

    /// @dev What the milestones hold that an amendment closes: all open, none moved after the signers looked.
    function _sumToClose(Amendment calldata a, bytes32 from, Milestone[] calldata milestones)
        private
        view
        returns (uint256 sum)
    {
        Sets storage sets = _sets[from];
        uint64 notOpen = a.closes & ~(sets.funded & ~sets.closed);
        if (a.closes == 0) revert EmptyMask();
        if (notOpen != 0) revert NotOpen(from, notOpen);

        for (uint256 i = 0; i < milestones.length; ++i) {
            if (a.closes & (1 << i) == 0) continue;
            _requireUnmoved(from, i, a.asOf);
            sum += milestones[i].amount;
        }
    }

    /// @dev What the ending milestones hold is the new ones'. An excess goes to the payer, a shortfall comes from the caller.
    function _carryOver(Amendment calldata a, Move memory move, Terms calldata terms) private {
        (uint256 closing, uint256 opening) = (move.closing, move.opening);

        emit Amended(move.from, move.to, a.closes, a.opens, Math.min(closing, opening));

        _pull(terms.token, Math.saturatingSub(opening, closing));
        if (closing > opening) _push(terms.token, terms.payer, closing - opening);
    }

    function _requireBothSigned(Terms calldata terms, bytes32 offer, bytes calldata payerSig, bytes calldata payeeSig)
        private
        view
    {
        bytes32 digest = _typedDataHash(offer);
        Offers.requireSigned(terms.payer, digest, payerSig);
        Offers.requireSigned(terms.payee, digest, payeeSig);
    }

    function _requireUnmoved(bytes32 id, uint256 index, uint40 asOf) private view {
        uint40 since = _progress[id][index].since;
        if (since >= asOf) revert Stale(index, since, asOf); // a later block of the same second would not show
    }

    /* WHEN AND WHAT: THE STATE MACHINE OF SECTION 4 */

    /// @dev The deliverable that is judged: what was submitted, or 0.
    function _requireAttestable(bytes32 id, Part calldata part, Attestation calldata a, Progress memory progress)
        private
        view
        returns (bytes32 deliverable)
    {
        _requireDeployedChain();
        if (part.terms.verifier == address(0)) revert NoVerifier(id);
        if (a.payoutBps > BPS) revert BpsTooLarge(a.payoutBps);
        if (a.attempt != progress.attempt) revert WrongAttempt(a.attempt, progress.attempt);

        if (progress.status == Status.Submitted) {
            deliverable = bytes24(progress.detail);
            _requireNotAfter(_reviewEnd(part.terms, progress));
            if (bytes24(a.deliverable) != deliverable) revert WrongDeliverable(a.deliverable, deliverable);
        } else {
            bool award = a.payoutBps > 0;
            if (progress.status != Status.Funded || !award) revert WrongStatus(id, part.index, progress.status);
            _requireNotAfter(part.milestone.submitBy);
            if (a.deliverable != 0) revert WrongDeliverable(a.deliverable, 0);
        }
    }

    function _requireProof(bytes32 id, Part calldata part, Attestation calldata a, bytes calldata proof) private view {
        IVerifier verifier = IVerifier(part.terms.verifier);
        bytes4 answer = verifier.verify(part.terms.quorum, id, part.index, a, proof);
        if (answer != IVerifier.verify.selector) revert VerifierRefused(address(verifier), answer);
    }

    /// @dev The payee's share that stands if nobody rules.
    function _requireDisputable(bytes32 id, Part calldata part, Progress memory progress)
        private
        view
        returns (uint16 standingBps)
    {
        Terms calldata terms = part.terms;
        bool hasVerifier = terms.verifier != address(0);

        if (progress.status == Status.Attested) {
            _requireNotAfter(_challengeEnd(terms, progress));
            return uint16(progress.detail);
        }
        if (progress.status == Status.Submitted) {
            uint256 reviewEnd = _reviewEnd(terms, progress);
            if (hasVerifier && block.timestamp <= reviewEnd) revert TooEarly(reviewEnd + 1, block.timestamp);
            _requireNotAfter(_silenceEnd(terms, progress));
            return hasVerifier ? terms.unreviewedBps : terms.unruledBps;
        }
        bool rejected = progress.status == Status.Funded && progress.attempt > 0;
        if (!rejected) revert WrongStatus(id, part.index, progress.status);
        if (msg.sender != terms.payee) revert NotPayee(msg.sender, terms.payee);
        _requireNotAfter(_challengeEnd(terms, progress));
        return 0;
    }

    /// @dev What time alone does to an open milestone, and the first second at which it does.
    function _clock(Part calldata part, Progress memory progress)
        private
        pure
        returns (Cause cause, uint256 payeeBps, uint256 readyAt)
    {
        Terms calldata terms = part.terms;
        if (progress.status == Status.Funded) return (Cause.Lapsed, 0, _lastBeforeLapse(part, progress) + 1);
        if (progress.status == Status.Submitted) {
            return (Cause.Unreviewed, terms.unreviewedBps, _silenceEnd(terms, progress) + 1);
        }
        if (progress.status == Status.Attested) {
            return (Cause.Attested, progress.detail, _challengeEnd(terms, progress) + 1);
        }
        return (Cause.Unruled, progress.detail, uint256(progress.since) + terms.rulingWindow + 1);
    }

    function _lastBeforeLapse(Part calldata part, Progress memory progress) private pure returns (uint256) {
        uint256 submitBy = part.milestone.submitBy;
        uint256 challengeEnd = _challengeEnd(part.terms, progress);
        return progress.attempt > 0 && challengeEnd > submitBy ? challengeEnd : submitBy;
    }

    function _reviewEnd(Terms calldata terms, Progress memory progress) private pure returns (uint256) {
        return uint256(progress.since) + terms.reviewWindow;
    }

    /// @dev Without a verifier a submission is disputed within its review, so nothing is added to that.
    function _silenceEnd(Terms calldata terms, Progress memory progress) private pure returns (uint256) {
        return _reviewEnd(terms, progress) + (terms.verifier == address(0) ? 0 : terms.challengeWindow);
    }

    /// @dev After a rejection it is the payee's last second to dispute that.
    function _challengeEnd(Terms calldata terms, Progress memory progress) private pure returns (uint256) {
        return uint256(progress.since) + terms.challengeWindow;
    }

    function _requireNotAfter(uint256 lastSecond) private view {
        if (block.timestamp > lastSecond) revert TooLate(lastSecond, block.timestamp);
    }

    function _advance(bytes32 id, uint8 index, Status status, uint16 attempt, uint192 detail) private {
        _progress[id][index] = Progress(status, attempt, uint40(block.timestamp), detail);
    }

    function _callHook(bytes32 id, Part calldata part, bytes calldata data) private {
        Terms calldata terms = part.terms;
        uint40 ruleBy = uint40(block.timestamp) + terms.rulingWindow;
        bytes4 answer = IArbiter(terms.arbiter).onDispute{ value: msg.value }(
            id, part.index, msg.sender, part.milestone.amount, ruleBy, data
        );
        if (answer != IArbiter.onDispute.selector) revert ArbiterRefused(terms.arbiter, answer);
    }

    /* MONEY */

    function _settleIfDue(Part calldata part) private returns (bool) {
        bytes32 id = _idOf(part);
        if (_sets[id].funded == 0) revert NotFunded(id, part.index);
        if (!_isOpen(id, part.index)) return false;
        (Cause cause, uint256 payeeBps, uint256 readyAt) = _clock(part, _progress[id][part.index]);
        if (block.timestamp < readyAt) return false;

        _settle(id, part, cause, payeeBps, part.terms.tip);
        return true;
    }

    /// @dev The one door through which a milestone's money leaves. Its callers have checked that it is open and that the
    /// cause is due. `maxTip` is 0 where the cause pays none.
    function _settle(bytes32 id, Part calldata part, Cause cause, uint256 payeeBps, uint256 maxTip) private {
        Terms calldata terms = part.terms;
        uint256 amount = part.milestone.amount;
        uint256 share = amount * payeeBps / BPS;
        uint256 fee = share * terms.feeBps / BPS;
        uint256 tip = maxTip < share - fee ? maxTip : share - fee;
        uint256 toPayee = share - fee - tip;
        uint256 toPayer = amount - share;

        _sets[id].closed |= _bit(part.index);

        emit Settled(
            id,
            part.index,
            cause,
            uint16(payeeBps),
            uint128(toPayee),
            uint128(toPayer),
            uint128(fee),
            uint128(tip),
            msg.sender
        );

        if (toPayee > 0) _push(terms.token, terms.payee, toPayee);
        if (toPayer > 0) _push(terms.token, terms.payer, toPayer);
        if (fee > 0) _push(terms.token, terms.feeTo, fee);
        if (tip > 0) _push(terms.token, msg.sender, tip);
    }

    /// @dev Takes exactly `amount` from the caller.
    function _pull(address token, uint256 amount) private {
        uint256 value = token == NATIVE ? amount : 0;
        if (msg.value != value) revert WrongValue(msg.value, value);
        if (token == NATIVE || amount == 0) return;

        uint256 before = IERC20(token).balanceOf(address(this));
        if (!_callToken(token, gasleft(), abi.encodeCall(IERC20.transferFrom, (msg.sender, address(this), amount)))) {
            revert TransferFromFailed(token, msg.sender, amount);
        }
        _requireArrived(token, before, amount);
    }

    /// @dev Takes exactly `amount` by a call of the token that only the payer's signature makes succeed.
    function _pullAuthorized(address token, uint256 amount, bytes memory data) private {
        if (token == NATIVE) revert NoCode(token);

        uint256 before = IERC20(token).balanceOf(address(this));
        // solhint-disable-next-line avoid-low-level-calls
        (bool worked, bytes memory reason) = token.call(data); // the token's own reason is told
        if (!worked) revert AuthorizationRefused(token, reason);
        _requireArrived(token, before, amount);
    }

    function _requireArrived(address token, uint256 before, uint256 amount) private view {
        uint256 arrived = IERC20(token).balanceOf(address(this)) - before;
        if (arrived != amount) revert WrongAmountReceived(arrived, amount);
    }

    /// @dev Sends, or credits when sending fails: no receiver and no token can stop a settlement.
    function _push(address token, address to, uint256 amount) private {
        if (gasleft() < GAS_BEFORE_PUSH) revert InsufficientGas(gasleft(), GAS_BEFORE_PUSH);
        if (_transfer(token, to, amount, PUSH_GAS)) return;

        _credits[token][to] += amount;

        emit Credited(token, to, amount);
    }

    /// @dev All of a credit, or nothing: a transfer that fails leaves it as it was.
    function _payCredit(address token, address owner, address to) private returns (uint256 amount) {
        amount = _credits[token][owner];
        if (amount == 0) revert NothingToWithdraw(token, owner);

        _credits[token][owner] = 0;

        emit Withdrawn(token, owner, to, amount);

        if (!_transfer(token, to, amount, gasleft())) revert TransferFailed(token, to, amount);
    }

    function _transfer(address token, address to, uint256 amount, uint256 gasLimit) private returns (bool worked) {
        if (token == NATIVE) (worked,,) = _call(to, amount, gasLimit, "");
        else worked = _callToken(token, gasLimit, abi.encodeCall(IERC20.transfer, (to, amount)));
    }

    /// @dev A token succeeds by returning true, or nothing at all, like the old ones.
    function _callToken(address token, uint256 gasLimit, bytes memory data) private returns (bool) {
        (bool worked, uint256 size, uint256 word) = _call(token, 0, gasLimit, data);
        if (!worked) return false;
        if (size == 0) return token.code.length > 0;
        return size >= 32 && word == 1;
    }

    /// @dev At most the answer's first word is copied: who returns megabytes makes nobody pay for them.
    function _call(address target, uint256 value, uint256 gasLimit, bytes memory data)
        private
        returns (bool worked, uint256 size, uint256 word)
    {
        assembly ("memory-safe") {
            worked := call(gasLimit, target, value, add(data, 0x20), mload(data), 0, 0x20)
            size := returndatasize()
            word := mload(0)
        }
    }
}
