"""The declared rule: from what the sources say to a verdict, or to none (docs/protocol.md section 5).

Pure. Clocks, order and identity of the attester do not enter, so honest attesters with the same evidence give the
same verdict. Where sources contradict each other nobody is believed: an attester abstains and never guesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.attester.evidence import Evidence, Says
from keeper.protocol.documents import Criteria
from keeper.protocol.types import ALL_BPS, Bps

RULE = "milepost/agree/1"
"""Name and version of this rule, stored with every verdict."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is signed: the payee's share (0 rejects the submission), and why."""

    payout_bps: Bps
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Abstain:
    """No verdict now, and why; sources may say something else later."""

    reason: str
    trace: tuple[str, ...] = ()


def decide(criteria: Criteria, submitted: bool, evidence: Sequence[Evidence]) -> Verdict | Abstain:
    """Judge one deliverable by the criteria's rule.

    - a source satisfied and another one failed: abstain, whatever the rest says
    - `rule.agree` satisfied: the criteria's payout; without a submission a part only when the criteria are final
    - `rule.agree` failed: a rejection, which only a submission can receive
    - else abstain, naming every source that stands in the way
    """
    by_name = {e.source: e for e in evidence}
    told = [by_name[s.name] for s in criteria.sources if s.name in by_name]
    trace = tuple(sorted(f"{e.source} ({e.kind}) {e.says}: {e.reason}" for e in told))
    satisfied = sorted(e.source for e in told if e.says is Says.SATISFIED)
    failed = sorted(e.source for e in told if e.says is Says.FAILED)
    if satisfied and failed:
        return Abstain(f"the sources contradict each other: {_outliers(satisfied, failed)}", trace)
    if len(satisfied) >= criteria.rule.agree:
        return _award(criteria, submitted, trace)
    if len(failed) >= criteria.rule.agree:
        return _reject(submitted, trace)
    others = [line for e, line in zip(sorted(told, key=lambda e: e.source), trace, strict=True) if _says_nothing(e)]
    missing = [f"{s.name} was not asked" for s in criteria.sources if s.name not in by_name]
    found = max(len(satisfied), len(failed))
    wanted = f"{found} of {criteria.rule.agree} needed sources agree"
    return Abstain("; ".join([wanted, *others, *missing]), trace)


def unfit(reason: str) -> Verdict:
    """The verdict on a submission that no source can ever be asked about: a rejection.

    It is judged from the documents alone, which are the same for every attester. Without it a payee could turn any
    submission into silence by naming nothing that can be looked up.
    """
    return Verdict(0, (f"deliverable: {reason}",))


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking for a deliverable's document: how many relays said no, and how many said nothing."""

    without: int
    unreachable: int


def missing_deliverable(search: Search, since: int, review_window: int, head_time: int) -> Verdict | Abstain:
    """The verdict on a submission whose document was not found (docs/protocol.md section 5); times are the chain's.

    It is rejected after half of the review window when every relay says that it is not there. A relay that does not
    answer shows nothing, but it must not shelter a payee for ever either: after three quarters of the window the
    relays that do answer decide, and at least one of them must.
    """
    half, late = since + review_window // 2, since + review_window * 3 // 4
    if head_time > half and search.without and not search.unreachable:
        return Verdict(
            0, (f"the deliverable's document is on none of {search.without} relays at {head_time} > {half}",)
        )
    if head_time > late and search.without:
        silent = f"{search.unreachable} relays do not answer"
        return Verdict(0, (f"the deliverable's document is not on {search.without} relays at {head_time}; {silent}",))
    if not search.without:
        return Abstain("no relay answers, so nobody can say whether the deliverable's document exists")
    return Abstain(
        f"the deliverable's document is not on {search.without} relays yet, {search.unreachable} do not answer; "
        f"rejected after {late if search.unreachable else half}"
    )


def _award(criteria: Criteria, submitted: bool, trace: tuple[str, ...]) -> Verdict | Abstain:
    if not submitted and criteria.payout_bps < ALL_BPS and not criteria.final:
        return Abstain("nothing was submitted, and the criteria do not call a part of the payment final", trace)
    return Verdict(criteria.payout_bps, trace)


def _reject(submitted: bool, trace: tuple[str, ...]) -> Verdict | Abstain:
    if not submitted:
        return Abstain("nothing was submitted, so there is nothing to reject", trace)
    return Verdict(0, trace)


def _says_nothing(evidence: Evidence) -> bool:
    return evidence.says not in (Says.SATISFIED, Says.FAILED)


def _outliers(satisfied: list[str], failed: list[str]) -> str:
    sides = f"{', '.join(satisfied)} satisfied, {', '.join(failed)} failed"
    if len(satisfied) == len(failed):
        return sides
    fewer = satisfied if len(satisfied) < len(failed) else failed
    return f"{sides} (outlier: {', '.join(fewer)})"
