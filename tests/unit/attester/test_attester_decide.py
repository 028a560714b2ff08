"""The attester's rule as properties: never pays on disagreement, blind to order, monotone in agreeing sources."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from keeper.attester.decide import Abstain, Search, Verdict, decide, missing_deliverable
from keeper.attester.evidence import Evidence, Says
from keeper.protocol.documents import AgreeRule, Criteria, EpcisSource, GithubCheckRuns

SINCE, WINDOW = 1_800_000_000, 1_000
statements = st.lists(st.sampled_from(Says), min_size=1, max_size=6)


def criteria_of(count: int, agree: int, payout_bps: int = 10_000, *, final: bool = False) -> Criteria:
    sources = [
        GithubCheckRuns(
            name=f"s{i}", kind="github-check-runs", url=f"{{s{i}}}/commits/{{commit}}/check-runs", checks=["build"]
        )
        if i % 2
        else EpcisSource(
            name=f"s{i}",
            kind="epcis",
            url=f"{{s{i}}}/events?MATCH_epc={{shipment}}",
            epc="{shipment}",
            biz_step="accepting",
            disposition="conformant",
        )
        for i in range(count)
    ]
    return Criteria(
        version="milepost/criteria/1",
        title="It works",
        sources=sources,
        rule=AgreeRule(agree=agree),
        payout_bps=payout_bps,
        final=final,
    )


def told(says: Sequence[Says]) -> list[Evidence]:
    return [Evidence(f"s{i}", "epcis", what, f"because {i}") for i, what in enumerate(says)]


@st.composite
def situations(draw: st.DrawFn) -> tuple[Criteria, list[Evidence]]:
    says = draw(statements)
    agree = draw(st.integers(1, len(says)))
    return criteria_of(len(says), agree, draw(st.integers(1, 10_000)), final=draw(st.booleans())), told(says)


@given(situations(), st.booleans())
def test_no_verdict_while_one_source_is_satisfied_and_another_failed(
    situation: tuple[Criteria, list[Evidence]], submitted: bool
) -> None:
    criteria, evidence = situation
    says = {e.says for e in evidence}
    if {Says.SATISFIED, Says.FAILED} <= says:
        outcome = decide(criteria, submitted, evidence)
        assert isinstance(outcome, Abstain)
        assert "contradict" in outcome.reason


@given(situations(), st.booleans())
def test_pays_only_what_the_criteria_say_and_only_when_enough_sources_agree(
    situation: tuple[Criteria, list[Evidence]], submitted: bool
) -> None:
    criteria, evidence = situation
    outcome = decide(criteria, submitted, evidence)
    if isinstance(outcome, Verdict):
        wanted = Says.SATISFIED if outcome.payout_bps else Says.FAILED
        assert outcome.payout_bps in (0, criteria.payout_bps)
        assert sum(e.says is wanted for e in evidence) >= criteria.rule.agree


@given(situations(), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_the_sources_changes_nothing(
    situation: tuple[Criteria, list[Evidence]], submitted: bool, random: Random
) -> None:
    criteria, evidence = situation
    shuffled, sources = list(evidence), list(criteria.sources)
    random.shuffle(shuffled)
    random.shuffle(sources)
    other = criteria.model_copy(update={"sources": sources})
    assert decide(criteria, submitted, evidence) == decide(criteria, submitted, shuffled)
    first, second = decide(criteria, submitted, evidence), decide(other, submitted, shuffled)
    assert type(first) is type(second)
    assert isinstance(first, Abstain) or first == second


@given(situations(), st.booleans(), st.data())
def test_one_more_agreeing_source_never_takes_an_award_back(
    situation: tuple[Criteria, list[Evidence]], submitted: bool, data: st.DataObject
) -> None:
    criteria, evidence = situation
    before = decide(criteria, submitted, evidence)
    silent = [i for i, e in enumerate(evidence) if e.says not in (Says.SATISFIED, Says.FAILED)]
    if not isinstance(before, Verdict) or not silent:
        return
    chosen = data.draw(st.sampled_from(silent))
    says = [e.says for e in evidence]
    says[chosen] = Says.SATISFIED if before.payout_bps else Says.FAILED
    after = decide(criteria, submitted, told(says))
    assert isinstance(after, Verdict)
    assert after.payout_bps == before.payout_bps


@given(st.lists(st.sampled_from([Says.SILENT, Says.UNCLEAR, Says.PENDING]), min_size=1, max_size=6), st.booleans())
def test_sources_that_say_nothing_are_never_a_verdict(says: list[Says], submitted: bool) -> None:
    assert isinstance(decide(criteria_of(len(says), 1), submitted, told(says)), Abstain)


@given(situations())
def test_without_a_submission_nothing_is_rejected_and_a_part_only_when_final(
    situation: tuple[Criteria, list[Evidence]],
) -> None:
    criteria, evidence = situation
    outcome = decide(criteria, False, evidence)
    if isinstance(outcome, Verdict):
        assert outcome.payout_bps == 10_000 or (criteria.final and outcome.payout_bps > 0)


def test_a_source_nobody_asked_counts_as_no_answer_and_is_named() -> None:
    outcome = decide(criteria_of(2, 2), True, told([Says.SATISFIED]))
    assert isinstance(outcome, Abstain)
    assert "s1 was not asked" in outcome.reason


def test_an_answer_of_a_source_that_the_criteria_do_not_name_counts_nothing() -> None:
    evidence = [*told([Says.SATISFIED]), Evidence("stranger", "epcis", Says.SATISFIED, "trust me")]
    assert isinstance(decide(criteria_of(2, 2), True, evidence), Abstain)


def test_the_reason_names_the_outlier_of_three() -> None:
    outcome = decide(criteria_of(3, 2), True, told([Says.SATISFIED, Says.SATISFIED, Says.FAILED]))
    assert isinstance(outcome, Abstain)
    assert "outlier: s2" in outcome.reason


def test_the_reason_names_each_source_that_is_down() -> None:
    outcome = decide(criteria_of(2, 2), True, told([Says.SATISFIED, Says.SILENT]))
    assert isinstance(outcome, Abstain)
    assert "s1" in outcome.reason
    assert "because 1" in outcome.reason


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, WINDOW))
def test_a_missing_document_is_rejected_only_after_half_the_window_and_never_on_silence_alone(
    without: int, unreachable: int, passed: int
) -> None:
    outcome = missing_deliverable(Search(without, unreachable), SINCE, WINDOW, SINCE + passed)
    if isinstance(outcome, Verdict):
        assert outcome.payout_bps == 0
        assert without > 0
        assert passed > (WINDOW * 3 // 4 if unreachable else WINDOW // 2)


def test_a_missing_document_is_rejected_in_the_second_after_half_the_window() -> None:
    assert isinstance(missing_deliverable(Search(2, 0), SINCE, WINDOW, SINCE + WINDOW // 2), Abstain)
    assert missing_deliverable(Search(2, 0), SINCE, WINDOW, SINCE + WINDOW // 2 + 1).payout_bps == 0  # type: ignore[union-attr]
