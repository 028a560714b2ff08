// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import { PanelArbiter } from "../../contracts/PanelArbiter.sol";
import { Case } from "@interfaces/Case.sol";
import { IEscrow, Part, Status, Terms } from "@interfaces/IEscrow.sol";
import { INativeCredits } from "@interfaces/INativeCredits.sol";
import { Ballot, Clocks, Dispute, IPanelArbiter, Round } from "@interfaces/IPanelArbiter.sol";
import { PanelFixture } from "./PanelFixture.sol";
import { Vm, vm } from "./Vm.sol";
import { ContractMember } from "./mocks/Members.sol";
import { FakeEscrow, Rejecter } from "./mocks/Pretenders.sol";

/// @title A panel's dispute from its beginning to its end, as docs/protocol.md section 6 has it
contract PanelArbiterTest is PanelFixture {
    /* THE PANELS */

    function test_panel_seats_and_prices_are_fixed_at_deployment() public view {
        (address[] memory first, address[] memory onAppeal) = panel.panels();
        (uint256 toDispute, uint256 toAppeal) = panel.costs();

        assertEq(keccak256(abi.encode(first)), keccak256(abi.encode(_addresses(firstKeys))), "first");
        assertEq(keccak256(abi.encode(onAppeal)), keccak256(abi.encode(_addresses(appealKeys))), "on appeal");
        assertEq(toDispute, TO_DISPUTE, "to dispute");
        assertEq(toAppeal, TO_APPEAL, "to appeal");
    }

    function test_panel_sizes_are_odd_and_at_most_fifteen() public {
        new PanelArbiter(_addresses(_people("a", 13)), _addresses(_people("b", 15)), FEE, BOND);
        uint256[2][4] memory sizes = [[uint256(0), 3], [uint256(2), 3], [uint256(3), 4], [uint256(3), 17]];
        uint256[4] memory bad = [uint256(0), 2, 4, 17];
        for (uint256 i = 0; i < 4; ++i) {
            address[] memory first = _addresses(_people("a", sizes[i][0]));
            address[] memory onAppeal = _addresses(_people("b", sizes[i][1]));
            vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.BadPanelSize.selector, bad[i]));
            new PanelArbiter(first, onAppeal, FEE, BOND);
        }
    }

    function test_panel_members_ascend_and_none_is_zero_or_listed_twice() public {
        address[] memory onAppeal = _addresses(appealKeys);
        address[] memory first = _addresses(firstKeys);
        (first[1], first[2]) = (first[2], first[1]);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.MembersNotAscending.selector, 2, first[2]));
        new PanelArbiter(first, onAppeal, FEE, BOND);
        first[2] = first[1];
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.MembersNotAscending.selector, 2, first[2]));
        new PanelArbiter(first, onAppeal, FEE, BOND);
        first[0] = address(0);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.MembersNotAscending.selector, 0, address(0)));
        new PanelArbiter(first, onAppeal, FEE, BOND);
    }

    function test_panel_for_appeals_is_larger() public {
        address[] memory three = _addresses(firstKeys);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.AppealPanelNotLarger.selector, 3, 3));
        new PanelArbiter(three, three, FEE, BOND);
    }

    function test_panel_for_appeals_consists_of_others() public {
        address[] memory one = new address[](1);
        one[0] = _onAppeal(3);
        address[] memory onAppeal = _addresses(appealKeys);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.SeatedTwice.selector, one[0]));
        new PanelArbiter(one, onAppeal, FEE, BOND);
    }

    /* OPENING */

    function test_panel_takes_a_dispute_for_its_exact_price() public {
        (Part memory part,) = _fund(_panelTerms());
        _award(part, AWARDED);
        vm.recordLogs();
        _disputeWith(part, PAYER, TO_DISPUTE);

        Case memory c = _caseOf(part);
        Dispute memory dispute = panel.disputeOf(c);
        assertEq(dispute.by, PAYER, "by");
        assertEq(dispute.openedAt, START, "openedAt");
        assertEq(dispute.ruleBy, RULE_BY, "ruleBy");
        assertTrue(!dispute.concluded, "open");
        assertEq(address(panel).balance, TO_DISPUTE, "paid");
        Vm.Log memory log = _last(IPanelArbiter.Opened.selector);
        assertEq(log.topics[2], c.agreement, "the agreement");
        assertEq(keccak256(log.data), keccak256(abi.encode(0, PAYER, AMOUNT, RULE_BY)), "what it says");
    }

    function test_panel_refuses_a_dispute_for_any_other_price() public {
        (Part memory part, bytes32 id) = _fund(_panelTerms());
        _award(part, AWARDED);
        uint256[3] memory values = [0, TO_DISPUTE - 1, TO_DISPUTE + 1];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.WrongValue.selector, values[i], TO_DISPUTE));
            _disputeWith(part, PAYER, values[i]);
        }
        _expectStatus(id, 0, Status.Attested);
    }

    function test_panel_refuses_a_ruling_window_too_short_for_people() public {
        Terms memory terms = _panelTerms();
        terms.rulingWindow = 5 days - 1;
        (Part memory part, bytes32 id) = _fund(terms);
        _award(part, AWARDED);
        vm.expectRevert(
            abi.encodeWithSelector(IPanelArbiter.RulingWindowTooShort.selector, uint256(5 days - 1), uint256(5 days))
        );
        _disputeWith(part, PAYER, TO_DISPUTE);

        vm.warp(START + CHALLENGE + 1);
        escrow.settle(part);
        _expectSettled(id, 0);
        _expectPaid(AWARDED);

        terms.rulingWindow = 5 days;
        vm.warp(START);
        _disputed(terms, PAYER);
    }

    function test_panel_refuses_a_ruling_window_that_is_over() public {
        FakeEscrow fake = new FakeEscrow();
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.RulingWindowTooShort.selector, 0, uint256(5 days)));
        fake.open(panel, 0, 0, PAYER, uint40(START - 1));
    }

    function test_panel_keeps_each_period_to_its_tenths() public {
        (, Case memory c) = _disputed();
        Clocks memory clocks = panel.clocks(c);
        assertEq(clocks.evidenceEnd, EVIDENCE_END, "evidence");
        assertEq(clocks.votingEnd, VOTING_END, "voting");
        assertEq(clocks.appealEnd, APPEAL_END, "appeal");
        assertEq(clocks.appealEvidenceEnd, APPEAL_EVIDENCE_END, "appeal's evidence");
        assertEq(clocks.appealVotingEnd, APPEAL_VOTING_END, "appeal's voting");
        assertEq(clocks.ruleBy, RULE_BY, "ruleBy");
    }

    function test_panel_knows_nothing_of_a_case_that_nobody_brought() public {
        Case memory c = Case(address(escrow), bytes32(uint256(1)), 0);
        bytes memory want = _about(IPanelArbiter.NoDispute.selector, c);
        Part memory part = _part(_panelTerms(), _schedule(3), 0);
        bytes[] memory calls = new bytes[](8);
        calls[0] = abi.encodeCall(panel.submitEvidence, (c, part.terms, _schedule(3), ""));
        calls[1] = abi.encodeCall(panel.vote, (c, 0));
        calls[2] = abi.encodeCall(panel.deliverVotes, (c, new Ballot[](0)));
        calls[3] = abi.encodeCall(panel.appeal, (c, part.terms, _schedule(3)));
        calls[4] = abi.encodeCall(panel.execute, (c.escrow, c.agreement, part));
        calls[5] = abi.encodeCall(panel.conclude, (c));
        calls[6] = abi.encodeCall(panel.clocks, (c));
        calls[7] = abi.encodeCall(panel.outcome, (c));
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool worked, bytes memory answer) = address(panel).call(calls[i]);
            assertTrue(!worked, "worked");
            assertEq(keccak256(answer), keccak256(want), "error");
        }
        assertEq(panel.disputeOf(c).openedAt, 0, "nothing");
        vm.expectRevert(want);
        panel.tally(c, Round.First);
    }

    /* EVIDENCE */

    function _show(Case memory c, Part memory part, address who) private {
        vm.prank(who);
        panel.submitEvidence(c, part.terms, _schedule(3), "ipfs://evidence");
    }

    function test_panel_takes_evidence_from_both_parties_to_the_last_second() public {
        (Part memory part, Case memory c) = _disputed();
        _show(c, part, PAYER);
        vm.warp(EVIDENCE_END);
        vm.recordLogs();
        _show(c, part, PAYEE);
        Vm.Log memory log = _last(IPanelArbiter.Evidence.selector);
        assertEq(log.topics[3], bytes32(uint256(uint160(PAYEE))), "by");
        assertEq(keccak256(log.data), keccak256(abi.encode(0, "ipfs://evidence")), "what");

        vm.warp(EVIDENCE_END + 1);
        _expectTooLate(EVIDENCE_END);
        _show(c, part, PAYEE);
    }

    function test_panel_takes_evidence_again_after_an_appeal() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 5000, 5000);
        vm.warp(VOTING_END + 1);
        _expectTooLate(EVIDENCE_END);
        _show(c, part, PAYEE);
        _appeal(c, part, PAYER);
        _show(c, part, PAYEE);
        vm.warp(APPEAL_EVIDENCE_END);
        _show(c, part, PAYEE);
        vm.warp(APPEAL_EVIDENCE_END + 1);
        _expectTooLate(APPEAL_EVIDENCE_END);
        _show(c, part, PAYEE);
    }

    function test_panel_takes_evidence_from_nobody_else() public {
        (Part memory part, Case memory c) = _disputed();
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotParty.selector, STRANGER));
        _show(c, part, STRANGER);
        part.terms.payee = STRANGER;
        bytes32 other = escrow.agreementId(part.terms, _schedule(3));
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.WrongAgreement.selector, other, c.agreement));
        _show(c, part, STRANGER);
    }

    /* VOTES */

    function test_panel_members_vote_in_their_period_to_the_last_second() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END);
        _expectTooEarly(EVIDENCE_END + 1);
        _vote(c, _first(0), 5000);
        vm.warp(EVIDENCE_END + 1);
        _vote(c, _first(0), 5000);
        vm.warp(VOTING_END);
        vm.recordLogs();
        _vote(c, _first(1), 0);
        Vm.Log memory log = _last(IPanelArbiter.Voted.selector);
        assertEq(log.topics[3], bytes32(uint256(uint160(_first(1)))), "who");
        assertEq(keccak256(log.data), keccak256(abi.encode(0, 0)), "what");
        vm.warp(VOTING_END + 1);
        _expectTooLate(VOTING_END);
        _vote(c, _first(2), 5000);

        (uint256 votes, bool decided,) = panel.tally(c, Round.First);
        assertEq(votes, 2, "votes");
        assertTrue(!decided, "a tie");
        assertEq(panel.disputeOf(c).votes, 5001 | (1 << 16), "as they are kept");
    }

    function test_panel_members_vote_once_and_for_a_share() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.BpsTooLarge.selector, 10_001));
        _vote(c, _first(0), 10_001);
        _vote(c, _first(0), 10_000);
        for (uint16 bps = 9999; bps <= 10_000; ++bps) {
            vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.AlreadyVoted.selector, _first(0)));
            _vote(c, _first(0), bps);
        }
        assertEq(panel.disputeOf(c).votes, 10_001, "the first one stands");
    }

    function test_panel_members_of_the_appeal_vote_only_on_appeal() public {
        (Part memory part, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        vm.expectRevert(_about(IPanelArbiter.NotAppealed.selector, c));
        _vote(c, _onAppeal(0), 0);
        _ruled(c, 5000, 5000);
        vm.warp(VOTING_END + 1);
        _appeal(c, part, PAYEE);
        _expectTooEarly(APPEAL_EVIDENCE_END + 1);
        _vote(c, _onAppeal(0), 0);
        vm.warp(APPEAL_VOTING_END);
        _vote(c, _onAppeal(0), 0);
        _expectTooLate(VOTING_END);
        _vote(c, _first(2), 0);
        vm.warp(APPEAL_VOTING_END + 1);
        _expectTooLate(APPEAL_VOTING_END);
        _vote(c, _onAppeal(1), 0);

        (uint256 votes,,) = panel.tally(c, Round.Appeal);
        assertEq(votes, 1, "votes");
        (, bool decided, uint16 bps) = panel.tally(c, Round.First);
        assertTrue(decided, "the first panel's ruling is still there");
        assertEq(bps, 5000, "unchanged");
    }

    function test_panel_counts_signed_votes_that_anyone_delivers() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        Ballot[] memory ballots = _ballots(c, firstKeys, 3, 4000);
        vm.prank(STRANGER);
        uint256 counted = panel.deliverVotes(c, ballots);

        assertEq(counted, 3, "counted");
        (, bool decided, uint16 bps) = panel.tally(c, Round.First);
        assertTrue(decided, "decided");
        assertEq(bps, 4000, "bps");
        _expectCredit(_first(0), FEE, "the member's, not the deliverer's");
        _expectCredit(STRANGER, 0, "the deliverer's");
    }

    function test_panel_counts_a_vote_with_an_ordinary_signature_of_65_bytes() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        Ballot memory ballot = _ballot(panel, c, firstKeys[0], 4000, uint40(RULE_BY));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(firstKeys[0], panel.digest(c, _first(0), 4000, uint40(RULE_BY)));
        ballot.signature = abi.encodePacked(r, s, v);
        assertEq(panel.deliverVotes(c, _one(ballot)), 1, "counted");
    }

    function test_panel_skips_votes_of_members_that_voted_already() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        Ballot[] memory ballots = _ballots(c, firstKeys, 3, 4000);
        panel.deliverVotes(c, _one(ballots[1]));
        _vote(c, _first(2), 6000);

        assertEq(panel.deliverVotes(c, ballots), 1, "a rival that came first spoils nothing");
        assertEq(panel.deliverVotes(c, ballots), 0, "again");
        assertEq(panel.disputeOf(c).votes, 4001 | (4001 << 16) | (6001 << 32), "each once");
    }

    function test_panel_refuses_signed_votes_after_their_deadline() public {
        (, Case memory c) = _disputed();
        uint40 deadline = uint40(EVIDENCE_END + 5);
        Ballot[] memory ballots = _one(_ballot(panel, c, firstKeys[0], 4000, deadline));
        vm.warp(uint256(deadline) + 1);
        _expectTooLate(deadline);
        panel.deliverVotes(c, ballots);
        vm.warp(deadline);
        assertEq(panel.deliverVotes(c, ballots), 1, "in the last second");
    }

    function test_panel_refuses_signed_votes_outside_their_period() public {
        (, Case memory c) = _disputed();
        Ballot[] memory ballots = _ballots(c, firstKeys, 1, 4000);
        vm.warp(EVIDENCE_END);
        _expectTooEarly(EVIDENCE_END + 1);
        panel.deliverVotes(c, ballots);
        vm.warp(VOTING_END + 1);
        _expectTooLate(VOTING_END);
        panel.deliverVotes(c, ballots);
    }

    function test_panel_refuses_a_signature_over_anything_else() public {
        (, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        Ballot memory good = _ballot(panel, c, firstKeys[0], 4000, uint40(RULE_BY));
        Ballot[4] memory bad;
        for (uint256 i = 0; i < 4; ++i) {
            bad[i] = Ballot(good.member, good.payeeBps, good.deadline, good.signature);
        }
        bad[0].payeeBps = 4001;
        bad[1].deadline += 1;
        bad[2].member = _first(1);
        bad[3].signature = "";
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotSignedBy.selector, bad[i].member));
            panel.deliverVotes(c, _one(bad[i]));
        }
        assertEq(panel.deliverVotes(c, _one(good)), 1, "itself");
    }

    function test_panel_counts_a_contract_member_that_signs() public {
        ContractMember member = new ContractMember();
        address[] memory one = new address[](1);
        one[0] = address(member);
        panel = new PanelArbiter(one, _addresses(appealKeys), FEE, BOND);
        (Part memory part,) = _fund(_panelTerms());
        _award(part, AWARDED);
        _disputeWith(part, PAYER, FEE);
        Case memory c = _caseOf(part);
        vm.warp(EVIDENCE_END + 1);
        Ballot[] memory ballots = _one(Ballot(address(member), 4000, uint40(RULE_BY), "right"));
        member.setMode(ContractMember.Mode.Refuse);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotSignedBy.selector, address(member)));
        panel.deliverVotes(c, ballots);
        member.setMode(ContractMember.Mode.Accept);
        assertEq(panel.deliverVotes(c, ballots), 1, "ERC-1271");
    }

    function test_panel_takes_no_votes_for_what_the_parties_have_ended() public {
        (Part memory part, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        Ballot[] memory ballots = _ballots(c, firstKeys, 2, 4000);
        vm.prank(PAYER);
        escrow.approve(part);

        bytes memory want = abi.encodeWithSelector(IPanelArbiter.AlreadySettled.selector, c.agreement, 0);
        vm.expectRevert(want);
        _vote(c, _first(0), 4000);
        vm.expectRevert(want);
        panel.deliverVotes(c, ballots);
        vm.expectRevert(want);
        _show(c, part, PAYEE);
        vm.warp(VOTING_END + 1);
        vm.expectRevert(want);
        _appeal(c, part, PAYEE);
    }

    /* WITHOUT AN APPEAL */

    function test_panel_ruling_is_executed_once_nobody_can_appeal() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        _expectOutcome(c, APPEAL_END + 1, true, 4000);
        vm.warp(APPEAL_END);
        _expectTooEarly(APPEAL_END + 1);
        _execute(c, part);
        vm.warp(APPEAL_END + 1);
        vm.recordLogs();
        _execute(c, part);

        Vm.Log memory log = _last(IPanelArbiter.Executed.selector);
        assertEq(keccak256(log.data), keccak256(abi.encode(0, 4000)), "what");
        _expectSettled(c.agreement, 0);
        _expectPaid(4000);
        assertTrue(panel.disputeOf(c).concluded, "concluded");
        _expectCredit(PAYER, FEE, "the third member's fee");
    }

    function test_panel_ruling_is_executed_by_anyone_in_the_last_second() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.warp(RULE_BY);
        _execute(c, part);
        _expectPaid(4000);
    }

    function test_panel_ruling_that_nobody_executed_in_time_is_lost_and_the_standing_share_stands() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.warp(RULE_BY + 1);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.TooLate.selector, RULE_BY, RULE_BY + 1));
        _execute(c, part);
        escrow.settle(part);
        _expectPaid(AWARDED);
        panel.conclude(c);
        _expectCredit(PAYER, FEE, "the unearned fee");
        _expectCredit(_first(0), FEE, "the earned fee");
    }

    function test_panel_ruling_is_the_median_of_all() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 0, 6500);
        _vote(c, _first(2), 10_000);
        vm.warp(APPEAL_END + 1);
        _execute(c, part);
        _expectPaid(6500);
    }

    function test_panel_with_a_tie_does_not_rule() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 0, 10_000);
        _expectNoRuling(part, c);
        _expectCredit(PAYER, FEE, "one did not come");
        _expectCredit(_first(0), FEE, "one came");
    }

    function test_panel_with_too_many_no_shows_does_not_rule() public {
        (Part memory part, Case memory c) = _disputed();
        vm.warp(EVIDENCE_END + 1);
        _vote(c, _first(0), 0);
        _expectNoRuling(part, c);
        _expectCredit(PAYER, 2 * uint256(FEE), "two did not come");
    }

    function test_panel_that_nobody_came_to_does_not_rule() public {
        (Part memory part, Case memory c) = _disputed();
        _expectNoRuling(part, c);
        _expectCredit(PAYER, TO_DISPUTE, "everything");
    }

    function _expectNoRuling(Part memory part, Case memory c) private {
        vm.warp(APPEAL_END + 1);
        _expectOutcome(c, APPEAL_END + 1, false, 0);
        vm.expectRevert(_about(IPanelArbiter.NoRuling.selector, c));
        _execute(c, part);
        _expectNotOver(c);
        vm.warp(RULE_BY);
        _expectNotOver(c);
        vm.warp(RULE_BY + 1);
        escrow.settle(part);
        _expectPaid(AWARDED);
        vm.recordLogs();
        panel.conclude(c);
        Vm.Log memory log = _last(IPanelArbiter.Concluded.selector);
        assertEq(log.topics[2], c.agreement, "concluded");
    }

    function _expectNotOver(Case memory c) private {
        uint256 nowIs = vm.getBlockTimestamp();
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotOver.selector, RULE_BY, nowIs));
        panel.conclude(c);
    }

    /* APPEALS */

    function test_panel_takes_an_appeal_from_a_party_in_its_period() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.warp(VOTING_END);
        _expectTooEarly(VOTING_END + 1);
        _appeal(c, part, PAYEE);
        vm.warp(APPEAL_END + 1);
        _expectTooLate(APPEAL_END);
        _appeal(c, part, PAYEE);
        vm.warp(APPEAL_END);
        vm.recordLogs();
        _appeal(c, part, PAYEE);

        Dispute memory dispute = panel.disputeOf(c);
        assertEq(dispute.appellant, PAYEE, "appellant");
        assertEq(dispute.opponent, PAYER, "opponent");
        assertTrue(dispute.payeeAppealed, "the payee's");
        assertEq(dispute.appealedBps, 4000, "against");
        assertEq(address(panel).balance, TO_DISPUTE + TO_APPEAL, "paid");
        Vm.Log memory log = _last(IPanelArbiter.Appealed.selector);
        assertEq(log.topics[3], bytes32(uint256(uint160(PAYEE))), "who");
        assertEq(keccak256(log.data), keccak256(abi.encode(0, 4000)), "against what");
    }

    function test_panel_takes_one_appeal_only() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.warp(VOTING_END + 1);
        _appeal(c, part, PAYEE);
        vm.expectRevert(_about(IPanelArbiter.AlreadyAppealed.selector, c));
        _appeal(c, part, PAYER);
    }

    function test_panel_takes_an_appeal_from_nobody_else_and_for_no_other_price() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.warp(VOTING_END + 1);
        vm.deal(STRANGER, TO_APPEAL);
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.NotParty.selector, STRANGER));
        _appeal(c, part, STRANGER);
        uint256[3] memory values = [0, TO_APPEAL - 1, TO_APPEAL + 1];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.WrongValue.selector, values[i], TO_APPEAL));
            vm.prank(PAYER);
            panel.appeal{ value: values[i] }(c, part.terms, _schedule(3));
        }
        part.terms.payer = STRANGER;
        bytes32 other = escrow.agreementId(part.terms, _schedule(3));
        vm.expectRevert(abi.encodeWithSelector(IPanelArbiter.WrongAgreement.selector, other, c.agreement));
        _appeal(c, part, STRANGER);
    }

    function test_panel_appeal_is_executed_as_soon_as_it_is_decided() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYEE);
        _expectOutcome(c, APPEAL_VOTING_END + 1, true, 4000);
        _voteOnAppeal(c, 2, 9000);
        _expectTooEarly(APPEAL_VOTING_END + 1);
        _execute(c, part);
        _vote(c, _onAppeal(2), 9000);
        _expectOutcome(c, 0, true, 9000);
        _execute(c, part);
        _expectPaid(9000);
        _expectMoneyOfAppeal(PAYEE, 3);
    }

    function test_panel_appeal_without_result_leaves_the_first_ruling() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYEE);
        _voteOnAppeal(c, 2, 9000);
        _vote(c, _onAppeal(2), 0);
        vm.warp(APPEAL_VOTING_END);
        _expectTooEarly(APPEAL_VOTING_END + 1);
        _execute(c, part);
        vm.warp(APPEAL_VOTING_END + 1);
        _execute(c, part);
        _expectPaid(4000);
        _expectMoneyOfAppeal(PAYEE, 3);
    }

    function test_panel_appeal_that_nobody_came_to_gives_everything_back() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYER);
        vm.warp(RULE_BY);
        _execute(c, part);
        _expectPaid(4000);
        _expectCredit(PAYER, TO_APPEAL + FEE, "the appeal, and what is left of the dispute");
    }

    /// @dev Won is what is better for the appellant, by however little.
    function test_panel_appeal_that_is_won_returns_the_bond() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYER);
        _voteOnAppeal(c, 5, 3999);
        _execute(c, part);
        _expectPaid(3999);
        _expectCredit(PAYER, BOND + FEE, "bond, and what is left of the dispute");
        _expectCredit(PAYEE, 0, "opponent");
    }

    function test_panel_appeal_that_changes_nothing_is_lost_to_the_other_party() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYER);
        _voteOnAppeal(c, 5, 4000);
        _execute(c, part);
        _expectCredit(PAYER, FEE, "what is left of the dispute");
        _expectCredit(PAYEE, BOND, "the bond");
    }

    function test_panel_appeal_of_the_payee_is_lost_at_the_same_share_and_won_above_it() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYEE);
        _voteOnAppeal(c, 5, 4000);
        _execute(c, part);
        _expectMoneyOfAppeal(PAYER, 5);

        vm.warp(START);
        Terms memory terms = _panelTerms();
        terms.salt = "another";
        (part, c) = _disputed(terms, PAYEE);
        _ruled(c, 4000, 4000);
        vm.warp(VOTING_END + 1);
        _appeal(c, part, PAYEE);
        vm.warp(APPEAL_EVIDENCE_END + 1);
        _voteOnAppeal(c, 5, 4001);
        _execute(c, part);
        _expectCredit(PAYEE, BOND + FEE, "bond, and what is left of his dispute");
    }

    /// @dev Where the first panel failed, the appeal is against what stands, and the second panel's ruling is the only one.
    function test_panel_appeal_rescues_a_case_that_the_first_panel_left_undecided() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 0, 10_000);
        vm.warp(APPEAL_END);
        _appeal(c, part, PAYER);
        assertEq(panel.disputeOf(c).appealedBps, AWARDED, "against what stands");
        vm.warp(APPEAL_EVIDENCE_END + 1);
        _voteOnAppeal(c, 3, 5000);
        _execute(c, part);
        _expectPaid(5000);
        _expectCredit(PAYER, BOND + 2 * uint256(FEE) + FEE, "won, two did not come, nor did one of the first panel");
    }

    function test_panel_appeal_without_any_ruling_leaves_what_stands() public {
        (Part memory part, Case memory c) = _disputed();
        vm.warp(APPEAL_END);
        _appeal(c, part, PAYER);
        vm.warp(APPEAL_VOTING_END + 1);
        vm.expectRevert(_about(IPanelArbiter.NoRuling.selector, c));
        _execute(c, part);
        vm.warp(RULE_BY + 1);
        escrow.settle(part);
        panel.conclude(c);
        _expectPaid(AWARDED);
        _expectCredit(PAYER, TO_DISPUTE + TO_APPEAL, "everything");
    }

    /// @dev The payee appealed the fixture's dispute of the payer, and the bond went to `bondTo`.
    function _expectMoneyOfAppeal(address bondTo, uint256 votes) private view {
        uint256 unearned = (5 - votes) * FEE;
        _expectCredit(PAYEE, unearned + (bondTo == PAYEE ? BOND : 0), "appellant");
        _expectCredit(PAYER, FEE + (bondTo == PAYER ? BOND : 0), "opponent, who also disputed");
        _expectCredit(_onAppeal(0), FEE, "a member");
    }

    /* THE END */

    function test_panel_dispute_that_the_parties_ended_is_concluded_at_once_and_gives_everything_back() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.warp(VOTING_END + 1);
        _appeal(c, part, PAYER);
        vm.prank(PAYEE);
        escrow.waive(part);
        vm.expectRevert(abi.encodeWithSelector(IEscrow.AlreadySettled.selector, c.agreement, 0));
        vm.warp(APPEAL_VOTING_END + 1);
        _execute(c, part);

        panel.conclude(c);
        _expectCredit(PAYER, TO_APPEAL + FEE, "the appeal, and the unearned fee");
        _expectCredit(_first(0), FEE, "an earned fee");
        _expectWithdrawn();
    }

    /// @dev Whoever lost an appeal cannot save his bond by ending the case.
    function test_panel_bond_that_is_lost_stays_lost_when_the_parties_end_the_case() public {
        (Part memory part, Case memory c) = _appealed(4000, PAYER);
        _voteOnAppeal(c, 3, 4000);
        vm.prank(PAYER);
        escrow.approve(part);
        panel.conclude(c);
        _expectCredit(PAYEE, BOND, "the bond");
    }

    function test_panel_delivers_and_concludes_once() public {
        (Part memory part, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.warp(APPEAL_END + 1);
        _execute(c, part);
        bytes memory want = _about(IPanelArbiter.AlreadyConcluded.selector, c);
        vm.expectRevert(want);
        _execute(c, part);
        vm.expectRevert(want);
        panel.conclude(c);
        vm.expectRevert(want);
        _vote(c, _first(2), 4000);
        vm.expectRevert(want);
        _show(c, part, PAYER);
        vm.warp(VOTING_END + 1);
        vm.expectRevert(want);
        _appeal(c, part, PAYER);
    }

    function test_panel_credits_are_withdrawn_whole_by_their_owner() public {
        (, Case memory c) = _disputed();
        _ruled(c, 4000, 4000);
        vm.recordLogs();
        vm.prank(_first(0));
        assertEq(panel.withdraw(KEEPER), FEE, "amount");
        assertEq(KEEPER.balance, FEE, "received");
        Vm.Log memory log = _last(INativeCredits.Withdrawn.selector);
        assertEq(keccak256(log.data), keccak256(abi.encode(KEEPER, FEE)), "event");
        vm.expectRevert(abi.encodeWithSelector(INativeCredits.NothingToWithdraw.selector, address(0), _first(0)));
        vm.prank(_first(0));
        panel.withdraw(KEEPER);

        vm.expectRevert(abi.encodeWithSelector(INativeCredits.BadRecipient.selector, address(0)));
        vm.prank(_first(1));
        panel.withdraw(address(0));
        address rejecter = address(new Rejecter());
        vm.expectRevert(
            abi.encodeWithSelector(INativeCredits.TransferFailed.selector, address(0), rejecter, uint256(FEE))
        );
        vm.prank(_first(1));
        panel.withdraw(rejecter);
        _expectCredit(_first(1), FEE, "still there");
    }

    function test_panel_without_fee_and_bond_takes_nothing() public {
        panel = new PanelArbiter(_addresses(firstKeys), _addresses(appealKeys), 0, 0);
        (Part memory part,) = _fund(_panelTerms());
        _award(part, AWARDED);
        _dispute(part, PAYEE);
        Case memory c = _caseOf(part);
        vm.recordLogs();
        _ruled(c, 4000, 4000);
        vm.warp(APPEAL_END + 1);
        _execute(c, part);
        assertTrue(!_emitted(INativeCredits.Credited.selector), "no empty credits");
        _expectPaid(4000);
    }

    /* MONEY, WHATEVER HAPPENS */

    /// @dev Two disputes in flight, any votes, appeals and endings: what came in is somebody's, to the wei.
    function testFuzz_panel_money_is_all_somebodys(uint256 seed) public {
        (Part memory part0, Case memory c0) = _disputed();
        Terms memory terms = _panelTerms();
        terms.salt = "another";
        (Part memory part1, Case memory c1) = _disputed(terms, PAYEE);

        _someVotes(c0, seed);
        _someVotes(c1, seed >> 64);
        vm.warp(VOTING_END + 1);
        if (seed % 3 > 0) _appeal(c0, part0, seed % 3 == 1 ? PAYER : PAYEE);
        if (seed % 5 > 1) _appeal(c1, part1, seed % 5 == 2 ? PAYER : PAYEE);
        vm.warp(APPEAL_EVIDENCE_END + 1);
        _someAppealVotes(c0, seed >> 128);
        _someAppealVotes(c1, seed >> 192);
        vm.warp(APPEAL_VOTING_END + 1);
        _end(part0, c0, seed % 7);
        _expectSolvent(c1);
        vm.warp(RULE_BY + 1);
        if (!panel.disputeOf(c0).concluded) panel.conclude(c0);
        panel.conclude(c1);

        _expectWithdrawn();
    }

    function _someVotes(Case memory c, uint256 seed) private {
        vm.warp(EVIDENCE_END + 1);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 roll = (seed >> (8 * i)) % 4;
            if (roll > 0) _vote(c, _first(i), uint16(roll * 2000));
        }
    }

    function _someAppealVotes(Case memory c, uint256 seed) private {
        if (panel.disputeOf(c).appellant == address(0)) return;
        for (uint256 i = 0; i < 5; ++i) {
            uint256 roll = (seed >> (8 * i)) % 4;
            if (roll > 0) _vote(c, _onAppeal(i), uint16(roll * 2000));
        }
    }

    function _end(Part memory part, Case memory c, uint256 how) private {
        vm.prank(PAYER);
        if (how == 0) escrow.approve(part);
        (, bool decided,) = panel.outcome(c);
        if (how == 0) panel.conclude(c);
        else if (decided) _execute(c, part);
    }

    /// @dev The other dispute's money is there, whatever was paid out of this one.
    function _expectSolvent(Case memory c) private view {
        Dispute memory dispute = panel.disputeOf(c);
        uint256 held = TO_DISPUTE + (dispute.appellant == address(0) ? 0 : TO_APPEAL);
        (uint256 votes,,) = panel.tally(c, Round.First);
        (uint256 appealVotes,,) = panel.tally(c, Round.Appeal);
        uint256 rest = held - (votes + appealVotes) * FEE;
        assertTrue(address(panel).balance >= rest + panel.credit(PAYER) + panel.credit(PAYEE), "solvent");
    }

    function _expectWithdrawn() private {
        _withdrawAll(PAYER);
        _withdrawAll(PAYEE);
        for (uint256 i = 0; i < 3; ++i) {
            _withdrawAll(_first(i));
        }
        for (uint256 i = 0; i < 5; ++i) {
            _withdrawAll(_onAppeal(i));
        }
        assertEq(address(panel).balance, 0, "nothing stays");
    }

    function _withdrawAll(address who) private {
        if (panel.credit(who) == 0) return;
        vm.prank(who);
        panel.withdraw(KEEPER);
    }

    /* LOGS */

    function _last(bytes32 topic) private returns (Vm.Log memory found) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic && logs[i].emitter == address(panel)) found = logs[i];
        }
        assertEq(found.emitter, address(panel), "emitted");
    }

    function _emitted(bytes32 topic) private returns (bool) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic && logs[i].emitter == address(panel)) return true;
        }
        return false;
    }
}
