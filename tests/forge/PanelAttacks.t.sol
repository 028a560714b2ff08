// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { Escrow } from "../../contracts/Escrow.sol";
import { PanelArbiter } from "../../contracts/PanelArbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { Cause, IEscrow, Milestone, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { Ballot, Dispute, IPanelArbiter, Round } from "@interfaces/IPanelArbiter.sol";
import { PanelFixture } from "./PanelFixture.sol";
import { vm } from "./Vm.sol";
import { FakeEscrow } from "./mocks/Pretenders.sol";

/// @title Ways to steal through a panel or to jam it, and what stops each
contract PanelAttacksTest is PanelFixture {
    /* FAILURES OF OTHERS (docs/protocol.md section 8) */

    /// @dev Who votes is in the contract: whoever else a caller lists, however well he signs, does not count.
    function test_panel_voter_list_taken_from_the_callers_calldata() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        uint256[] memory strangers = _people("stranger", 3);
        Ballot[] memory ballots = _ballots(c, strangers, 3, 10_000);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotOnPanel.selector, ballots[0].member));
        panel.deliverVotes(c, ballots);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotOnPanel.selector, STRANGER));
        _vote(c, STRANGER, 10_000);

        ballots = _ballots(c, firstKeys, 3, 10_000);
        ballots[1] = ballots[0];
        ballots[2] = ballots[0];
        assertEq(panel.deliverVotes(c, ballots), 1, "one member listed three times votes once");
        (, bool decided,) = panel.tally(c, Round.First);
        assertTrue(!decided, "one of three decides nothing");
    }

    /// @dev Nobody is ever removed from a panel. Whoever left the people behind it sits in the old contract only, and what he
    /// signed for that one counts at no other.
    function test_panel_stale_votes_of_removed_signers() public {
        (, Case memory oldCase) = _disputed();
        Ballot[] memory stale = _ballots(oldCase, firstKeys, 3, 10_000);
        uint256[] memory successors = _people("successor", 3);
        PanelArbiter old = panel;
        panel = new PanelArbiter(_addresses(successors), _addresses(appealKeys), FEE, BOND);
        Terms memory terms = _panelTerms();
        (, Case memory c) = _disputed(terms, PAYER);
        vm.warp(EVIDENCE_END + 1);

        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotSignedBy.selector, stale[0].member));
        panel.deliverVotes(c, stale);
        Ballot[] memory fresh = _one(_ballot(panel, c, firstKeys[0], 10_000, uint40(RULE_BY)));
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotOnPanel.selector, fresh[0].member));
        panel.deliverVotes(c, fresh);
        assertEq(old.deliverVotes(oldCase, stale), 3, "they count where they were given");
    }

    /// @dev The agreement's id names its arbiter: another panel, even of the same people, has nothing to say.
    function test_panel_arbitrator_replaced_in_mid_dispute() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        PanelArbiter other = _newPanel();
        vm.warp(APPEAL_END + 1);
        vm.expectRevert(_about(IPanelArbiter.NoDispute.selector, c));
        other.execute(c.escrow, c.agreement, part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotArbiter.selector, address(other), address(panel)));
        vm.prank(address(other));
        escrow.rule(c.agreement, part, 0);
        _execute(c, part);
        _expectPaid(4000);
    }

    function test_panel_funds_locked_when_the_resolver_vanishes() public {
        (Part memory part,) = _disputed();
        vm.etch(address(panel), "");
        vm.warp(RULE_BY + 1);
        escrow.settle(part);
        _expectPaid(AWARDED);
        assertEq(play.balanceOf(PAYEE) + _backToPayer(), uint256(AMOUNT), "all of it");
    }

    function _backToPayer() private view returns (uint256) {
        // The payer funded three milestones out of all that he had.
        return play.balanceOf(PAYER) - (type(uint128).max - 3 * uint256(AMOUNT));
    }

    function testFuzz_panel_ruling_that_burns_a_unit(uint128 amount, uint16 bps, uint16 feeBps) public {
        Terms memory terms = _panelTerms();
        terms.feeBps = feeBps % 10_001;
        if (terms.feeBps > 0) terms.feeTo = FEE_TO;
        Milestone[] memory milestones = _schedule(1);
        milestones[0].amount = amount % (type(uint128).max - 1) + 1;
        (Part memory part,) = _fund(terms, milestones, 1);
        _award(part, AWARDED);
        _disputeWith(part, PAYER, TO_DISPUTE);
        Case memory c = _caseOf(part);
        _ruled(c, bps % 10_001, bps % 10_001);
        vm.warp(APPEAL_END + 1);
        _execute(c, part);

        uint256 paid = play.balanceOf(PAYEE) + play.balanceOf(FEE_TO);
        assertEq(paid, uint256(milestones[0].amount) * (bps % 10_001) / 10_000, "the share, to the unit");
        assertEq(play.balanceOf(PAYER), type(uint128).max - paid, "the rest");
        assertEq(play.balanceOf(address(escrow)), 0, "nothing stays");
    }

    function test_panel_re_dispute_that_restarts_the_clock() public {
        (Part memory part, Case memory c) = _disputed();
        vm.warp(START + 4 days);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongStatus.selector, c.agreement, 0, Status.Disputed));
        _disputeWith(part, PAYEE, TO_DISPUTE);
        assertEq(panel.clocks(c).ruleBy, RULE_BY, "the clock runs on");

        // Even where the caller is no escrow that would refuse it.
        FakeEscrow fake = new FakeEscrow();
        fake.open{ value: TO_DISPUTE }(panel, c.agreement, 0, PAYER, uint40(START + 20 days));
        Case memory faked = Case(address(fake), c.agreement, 0);
        vm.warp(START + 5 days);
        vm.expectRevert(_about(IPanelArbiter.AlreadyDisputed.selector, faked));
        fake.open{ value: TO_DISPUTE }(panel, c.agreement, 0, PAYEE, uint40(START + 40 days));
        assertEq(panel.clocks(faked).ruleBy, START + 20 days, "the clock runs on");
    }

    /* REPLAYED VOTES */

    /// @dev One member's vote on one milestone has no effect on another milestone, agreement, escrow, panel or chain.
    function test_panel_votes_replayed_across_disputes_escrows_panels_and_chains_do_not_count() public {
        (Part memory part, Case memory c) = _disputed();
        Ballot[] memory ballots = _ballots(c, firstKeys, 1, 10_000);
        Part memory second = _part(part.terms, _schedule(3), 1);
        _award(second, AWARDED);
        _disputeWith(second, PAYER, TO_DISPUTE);
        Terms memory terms = _panelTerms();
        terms.salt = "another";
        (, Case memory other) = _disputed(terms, PAYER);
        FakeEscrow fake = new FakeEscrow();
        fake.open{ value: TO_DISPUTE }(panel, c.agreement, 0, PAYER, uint40(RULE_BY));
        vm.warp(EVIDENCE_END + 1);

        _expectNotSigned(ballots, _caseOf(second));
        _expectNotSigned(ballots, other);
        _expectNotSigned(ballots, Case(address(fake), c.agreement, 0));

        uint256 deployedOn = _chainId();
        vm.chainId(99);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.WrongChain.selector, 99, deployedOn));
        panel.deliverVotes(c, ballots);
        _vote(c, _first(1), 10_000); // a member's own call needs no domain
        vm.chainId(deployedOn);
        assertEq(panel.deliverVotes(c, ballots), 1, "where it was given");
    }

    function _expectNotSigned(Ballot[] memory ballots, Case memory c) private {
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotSignedBy.selector, ballots[0].member));
        panel.deliverVotes(c, ballots);
    }

    /// @dev Asked of the contract: via-IR reads the chain id anew after the cheatcode.
    function _chainId() private view returns (uint256 chainId) {
        (,,, chainId,,,) = panel.eip712Domain();
    }

    /// @dev The twin of a signature, with the other s, is no second vote and no vote at all.
    function test_panel_votes_with_malleable_signatures_do_not_count() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        Ballot memory ballot = _ballot(panel, c, firstKeys[0], 4000, uint40(RULE_BY));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(firstKeys[0], panel.digest(c, _first(0), 4000, uint40(RULE_BY)));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        ballot.signature = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotSignedBy.selector, ballot.member));
        panel.deliverVotes(c, _one(ballot));
    }

    /// @dev A domain by the book, which stays as it was deployed: what any wallet computes is what is checked.
    function test_panel_vote_is_the_typed_data_that_wallets_sign() public {
        Case memory c = Case(address(escrow), keccak256("agreement"), 3);
        bytes32 typehash = keccak256(
            "Vote(address member,address escrow,bytes32 agreement,uint256 milestone,uint16 payeeBps,uint40 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typehash, STRANGER, c.escrow, c.agreement, c.milestone, 1234, 5678));
        bytes32 want = _typed("Milepost PanelArbiter", address(panel), structHash);
        uint256 deployedOn = _chainId();
        vm.chainId(99);

        assertEq(panel.digest(c, STRANGER, 1234, 5678), want, "digest");
        (, string memory name, string memory version,, address where,,) = panel.eip712Domain();
        assertEq(keccak256(bytes(name)), keccak256("Milepost PanelArbiter"), "name");
        assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        assertEq(_chainId(), deployedOn, "chain");
        assertEq(where, address(panel), "where");
    }

    /* CRAFTED PARTS */

    /// @dev A ruling on milestone 0; every part that is not milestone 0 of that agreement moves nothing.
    function test_panel_ruling_moves_no_other_milestone_whatever_part_is_given() public {
        (Part memory part, Case memory c) = _disputed();
        Part memory second = _part(part.terms, _schedule(3), 1);
        _award(second, AWARDED);
        _disputeWith(second, PAYER, TO_DISPUTE);
        Terms memory terms = _panelTerms();
        terms.salt = "another";
        (Part memory foreign, Case memory other) = _disputed(terms, PAYER);
        _ruled(c, 0, 0);
        vm.warp(APPEAL_END + 1);

        vm.expectRevert(_about(IPanelArbiter.NoRuling.selector, _caseOf(second)));
        panel.execute(address(escrow), c.agreement, second);
        vm.expectRevert(_about(IPanelArbiter.NoRuling.selector, other));
        panel.execute(address(escrow), other.agreement, part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongAgreement.selector, other.agreement, c.agreement));
        panel.execute(address(escrow), c.agreement, foreign);
        second.index = 0;
        bytes32 leaf = _leaf(second.milestone);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.WrongMilestone.selector, 0, leaf, second.leaves[0]));
        panel.execute(address(escrow), c.agreement, second);

        panel.execute(address(escrow), c.agreement, part);
        _expectSettled(c.agreement, 0);
        _expectOpen(c.agreement, 1);
        _expectOpen(other.agreement, 0);
    }

    /* FAKE ESCROWS */

    /// @dev The real dispute and a fake one of the same agreement and milestone, one after the other: neither touches the other.
    function test_panel_is_not_made_to_rule_at_a_real_escrow_by_a_fake_one() public {
        (Part memory part, Case memory c) = _disputed();
        FakeEscrow fake = new FakeEscrow();
        fake.open{ value: TO_DISPUTE }(panel, c.agreement, 0, STRANGER, uint40(RULE_BY));
        Case memory faked = Case(address(fake), c.agreement, 0);
        _ruled(faked, 10_000, 10_000);
        vm.warp(APPEAL_END + 1);

        vm.expectRevert(_about(IPanelArbiter.NoRuling.selector, c));
        _execute(c, part);
        fake.arm(address(panel), abi.encodeCall(panel.execute, (address(escrow), c.agreement, part)));
        _execute(faked, part);
        assertEq(fake.rulings(), 1, "the fake was told, and that is all");
        assertEq(keccak256(fake.answer()), keccak256(_about(IPanelArbiter.NoRuling.selector, c)), "also from within");
        _expectOpen(c.agreement, 0);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.NotArbiter.selector, address(fake), address(panel)));
        vm.prank(address(fake));
        escrow.rule(c.agreement, part, 10_000);
    }

    /// @dev A fake escrow that says "settled", that any terms are the agreement and that any share stands, plays with its own
    /// money only.
    function test_panel_money_of_a_dispute_is_out_of_a_fake_escrows_reach() public {
        (Part memory part, Case memory c) = _disputed();
        FakeEscrow fake = new FakeEscrow();
        fake.open{ value: TO_DISPUTE }(panel, c.agreement, 0, STRANGER, uint40(RULE_BY));
        Case memory faked = Case(address(fake), c.agreement, 0);
        vm.warp(VOTING_END + 1);
        fake.setId(c.agreement);
        fake.setStanding(10_000);
        part.terms.payer = STRANGER;
        vm.deal(STRANGER, TO_APPEAL);
        _appeal(faked, part, STRANGER);
        assertEq(panel.disputeOf(faked).appealedBps, 10_000, "as the fake says");
        fake.arm(address(panel), abi.encodeCall(panel.conclude, (faked)));
        fake.setClosed(1);
        panel.conclude(faked);
        vm.expectRevert(_about(IPanelArbiter.AlreadyConcluded.selector, faked));
        panel.conclude(faked);

        _expectCredit(STRANGER, TO_DISPUTE + TO_APPEAL, "what it brought");
        vm.prank(STRANGER);
        panel.withdraw(STRANGER);
        assertEq(address(panel).balance, TO_DISPUTE, "the real dispute's is there");
        assertEq(panel.disputeOf(c).appellant, address(0), "untouched");
    }

    /// @dev The escrow calls back while it is told the ruling: everything of the case is over by then.
    function test_panel_ruling_delivered_to_an_escrow_that_reenters_pays_once() public {
        FakeEscrow fake = new FakeEscrow();
        fake.open{ value: TO_DISPUTE }(panel, 0, 0, STRANGER, uint40(RULE_BY));
        Case memory faked = Case(address(fake), 0, 0);
        Part memory part = _part(_panelTerms(), _schedule(3), 0);
        _ruled(faked, 10_000, 10_000);
        vm.warp(APPEAL_END + 1);
        bytes[2] memory calls =
            [abi.encodeCall(panel.execute, (address(fake), 0, part)), abi.encodeCall(panel.conclude, (faked))];
        fake.arm(address(panel), calls[0]);
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            fake.arm(address(panel), calls[i]);
            _execute(faked, part);
            assertEq(
                keccak256(fake.answer()), keccak256(_about(IPanelArbiter.AlreadyConcluded.selector, faked)), "over"
            );
            _expectCredit(STRANGER, FEE, "once");
            vm.revertToState(snapshot);
        }
    }

    /// @dev A milestone number that no escrow has can be disputed by a fake, never be settled, and ends by time.
    function test_panel_case_of_an_impossible_milestone_ends_by_time() public {
        FakeEscrow fake = new FakeEscrow();
        fake.setClosed(type(uint64).max);
        uint256[3] memory numbers = [uint256(64), 256, type(uint256).max];
        for (uint256 i = 0; i < 3; ++i) {
            fake.open{ value: TO_DISPUTE }(panel, 0, numbers[i], STRANGER, uint40(RULE_BY));
            Case memory faked = Case(address(fake), 0, numbers[i]);
            vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotOver.selector, RULE_BY, START));
            panel.conclude(faked);
            vm.warp(RULE_BY + 1);
            panel.conclude(faked);
            vm.warp(START);
        }
        _expectCredit(STRANGER, 3 * TO_DISPUTE, "all of it back");
    }

    /* JAMS */

    /// @dev Nobody's wallet is called when a ruling is delivered: credits wait.
    function test_panel_delivery_calls_no_party_of_the_panels_money() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYEE);
        _voteOnAppeal(c, 3, 4000);
        vm.etch(PAYEE, hex"fe"); // takes no native currency, and burns what gas it is given
        vm.etch(PAYER, hex"fe");
        _execute(c, part);
        _expectPaid(4000);
        _expectCredit(PAYER, BOND + FEE, "waits");
    }

    /// @dev Two of three voted and differ; the third cannot be forced. What stood stands, and no money is stuck.
    function test_panel_member_that_never_votes_sticks_nobodys_money() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 1000, 2000);
        vm.warp(RULE_BY + 1);
        panel.conclude(c);
        escrow.settle(part);
        _expectPaid(AWARDED);
        _expectCredit(PAYER, FEE, "unearned");
    }

    /// @dev What the parties dispute is in the escrow, what the panel is paid is here: the two never mix.
    function test_panel_rules_on_native_currency_with_none_of_its_own() public {
        Terms memory terms = _panelTerms();
        terms.token = address(0);
        vm.deal(KEEPER, AMOUNT);
        vm.prank(KEEPER);
        escrow.fund{ value: AMOUNT }(terms, _schedule(3), 1);
        Part memory part = _part(terms, _schedule(3), 0);
        _award(part, AWARDED);
        _disputeWith(part, PAYER, TO_DISPUTE);
        Case memory c = _caseOf(part);
        _ruled(c, 2500, 2500);
        vm.warp(APPEAL_END + 1);
        uint256 before = PAYEE.balance;
        _execute(c, part);
        assertEq(PAYEE.balance - before, uint256(AMOUNT) / 4, "a quarter");
        assertEq(address(escrow).balance, 0, "the escrow's is gone");
        assertEq(address(panel).balance, TO_DISPUTE, "the panel's is here");
    }

    /// @dev Without a hook the panel hears of nothing and can rule on nothing: the terms must say `arbiterHook`.
    function test_panel_named_without_a_hook_never_rules() public {
        Terms memory terms = _panelTerms();
        terms.arbiterHook = false;
        (Part memory part, bytes32 id) = _fund(terms);
        _award(part, AWARDED);
        _dispute(part, PAYER);
        Case memory c = _caseOf(part);
        vm.expectRevert(_about(IPanelArbiter.NoDispute.selector, c));
        _execute(c, part);
        vm.warp(RULE_BY + 1);
        escrow.settle(part);
        _expectSettled(id, 0);
    }

    /// @dev A dispute without a verifier: the panel is the only judge, and the standing share is the agreed one.
    function test_panel_judges_a_submission_where_there_is_no_quorum() public {
        Terms memory terms = _termsWithoutVerifier();
        terms.arbiter = address(panel);
        terms.arbiterHook = true;
        (Part memory part,) = _fund(terms);
        _submit(part);
        _disputeWith(part, PAYEE, TO_DISPUTE);
        Case memory c = _caseOf(part);
        vm.warp(VOTING_END + 1);
        _appeal(c, part, PAYEE);
        assertEq(panel.disputeOf(c).appealedBps, 4000, "what both agreed for silence");
        vm.warp(APPEAL_EVIDENCE_END + 1);
        _voteOnAppeal(c, 3, 10_000);
        _execute(c, part);
        _expectPaid(10_000);
    }
}
