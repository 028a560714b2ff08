"""Every warning fires where it should, and nowhere else; each says what to do."""

from __future__ import annotations

import re

import pytest
from lint_stage import (
    ARBITER,
    CHAIN,
    CRITERIA,
    ESCROW,
    HOOKED,
    MEMBERS,
    NO_ARBITER,
    NO_VERIFIER,
    NOBODY,
    NOW,
    PAYEE,
    PAYER,
    TOKEN,
    VERIFIER,
    address,
    criteria,
    draft,
    salt,
    seen,
)

from keeper.commands.lint.codes import WARNINGS, Severity
from keeper.commands.lint.draft import Draft, HookFacts, TokenFacts
from keeper.commands.lint.gas import payout_gas
from keeper.commands.lint.linter import lint, read_price
from keeper.commands.lint.look import unasked
from keeper.errors import MilepostError
from keeper.protocol.documents import Envelope
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import DAY, ZERO32, ZERO_ADDRESS

ALWAYS = {"early-submission", "token-unseen"}
ALONE = address(0xBEEF)


def codes(one: Draft) -> set[str]:
    return {finding.code for finding in lint(one)}


def with_member(member: str) -> Quorum:
    return Quorum(3, tuple(sorted((*MEMBERS[:3], member), key=lambda a: int(a, 16))))


def unbranded(part: int) -> Envelope:
    """Criteria that parse and that no attester can look up: checks of no commit."""
    wrong = CRITERIA.format(part, 2, 10_000).replace("commits/{commit}/check-runs", "check-runs")
    from keeper.protocol.terms_parts import criteria_document

    return criteria_document("criteria.json", salt(part), wrong.encode())


def token(**changes: object) -> object:
    facts = {"answers": True, "decimals": 6, "lists": False, "blocked": frozenset(), **changes}
    return seen(token=TokenFacts(**facts))  # type: ignore[arg-type]


EMPTY = Envelope(salt(3), "text/markdown", b" \n")
FIRES = {
    "nobody-judges": draft(terms=NOBODY, quorum=None),
    "quorum-of-one": draft(quorum=Quorum(1, MEMBERS[:1])),
    "party-attests": draft(quorum=with_member(PAYEE)),
    "arbiter-attests": draft(quorum=with_member(ARBITER)),
    "verdicts-final": draft(terms=NO_ARBITER),
    "no-attesters": draft(terms=NO_VERIFIER, quorum=None),
    "quorum-unanimous": draft(quorum=Quorum(3, MEMBERS[:3])),
    "quorum-bare-majority": draft(quorum=Quorum(2, MEMBERS[:3])),
    "quorum-unknown": draft(quorum=None, terms={"quorum": salt(5)}),
    "verifier-unknown": draft(terms={"verifier": ALONE}, chain=seen(code=CHAIN.code | {ALONE})),
    "attester-is-contract": draft(chain=seen(code=CHAIN.code | {MEMBERS[1]})),
    "arbiter-fresh": draft(chain=seen(fresh=frozenset({ARBITER}))),
    "arbiter-hook": draft(terms=HOOKED, chain=seen(code=CHAIN.code | {ARBITER})),
    "arbiter-refuses": draft(terms=HOOKED, chain=seen(code=CHAIN.code | {ARBITER}, hook=HookFacts("too short"))),
    "arbiter-fee": draft(terms=HOOKED, chain=seen(code=CHAIN.code | {ARBITER}, hook=HookFacts(fee=10**16))),
    "no-code": draft(chain=seen(code=frozenset({TOKEN}))),
    "code-replaceable": draft(chain=seen(proxies=frozenset({TOKEN}))),
    "silence-accepts": draft(terms={"unreviewed_bps": 10_000}),
    "unreviewed-large": draft(terms={"unreviewed_bps": 5_000}),
    "pays-for-garbage": draft(terms={"unreviewed_bps": 1}),
    "early-submission": draft(),
    "window-short": draft(terms={"review_window": DAY - 1}),
    "deadline-soon": draft(due=(DAY, 28 * DAY)),
    "deadline-order": draft(due=(28 * DAY, 14 * DAY)),
    "review-overlaps": draft(due=(14 * DAY, 17 * DAY)),
    "lifetime-long": draft(due=(14 * DAY, 800 * DAY)),
    "fee-high": draft(terms={"fee_bps": 501}),
    "tip-none": draft(terms={"tip": 0}),
    "tip-large": draft(terms={"tip": 10_000_001}),
    "tip-below-gas": draft(price=10**13),
    "tip-far-above-gas": draft(price=10**16),
    "token-unknown": draft(terms={"token": ALONE}, chain=seen(code=CHAIN.code | {ALONE})),
    "token-wrong": draft(chain=token(decimals=18)),
    "token-blocklist": draft(chain=token(lists=True)),
    "party-blocked": draft(chain=token(lists=True, blocked=frozenset({PAYEE}))),
    "token-unseen": draft(),
    "document-missing": draft(text=None),
    "criteria-missing": draft(papers=(criteria(0), None)),
    "criteria-unjudgeable": draft(papers=(criteria(0), unbranded(1))),
    "criteria-copied": draft(papers=(criteria(0), Envelope(salt(50), "application/json", criteria(0).content))),
    "criteria-one-source": draft(papers=(criteria(0), criteria(1, agree=1))),
    "criteria-pay-part": draft(papers=(criteria(0), criteria(1, payout=8_000))),
    "salt-zero": draft(terms={"salt": ZERO32}),
}
QUIET = {
    "early-submission": draft(terms={"unreviewed_bps": 10_000}),
    "token-unseen": draft(terms={"token": ZERO_ADDRESS, "tip": 10**15}, amounts=(10**18, 10**18), decimals=18),
    "quorum-of-one": draft(quorum=Quorum(2, MEMBERS[:2])),
    "quorum-bare-majority": draft(quorum=Quorum(4, MEMBERS)),
    "unreviewed-large": draft(terms={"unreviewed_bps": 4_999}),
    "silence-accepts": draft(terms={"unreviewed_bps": 9_999}),
    "window-short": draft(terms={"review_window": DAY}),
    "deadline-soon": draft(due=(2 * DAY, 28 * DAY)),
    "deadline-order": draft(due=(14 * DAY, 14 * DAY)),
    "review-overlaps": draft(due=(14 * DAY, 17 * DAY + 1)),
    "lifetime-long": draft(due=(14 * DAY, 718 * DAY)),
    "fee-high": draft(terms={"fee_bps": 500}),
    "tip-large": draft(terms={"tip": 10_000_000}),
    "criteria-unjudgeable": draft(papers=(criteria(0), unbranded(1)), terms=NO_VERIFIER, quorum=None),
    "verdicts-final": draft(terms=NOBODY, quorum=None),
    "no-attesters": draft(terms=NOBODY, quorum=None),
    "tip-below-gas": draft(price=None),
    "tip-far-above-gas": draft(price=None),
}
"""Just short of firing."""


def test_the_plain_draft_has_only_what_no_terms_escape() -> None:
    assert codes(draft()) == ALWAYS


def test_every_code_has_a_case() -> None:
    assert set(FIRES) == set(WARNINGS)


@pytest.mark.parametrize("code", FIRES)
def test_it_fires(code: str) -> None:
    found = [finding for finding in lint(FIRES[code]) if finding.code == code]

    assert found
    for finding in found:
        assert finding.severity == WARNINGS[code].severity
        assert re.fullmatch(r"[A-Z0-9].*[^.]\.", finding.sentence), finding.sentence
        assert ". " not in finding.sentence, "one sentence"


@pytest.mark.parametrize("code", QUIET)
def test_it_does_not_fire_just_short_of_it(code: str) -> None:
    assert code not in codes(QUIET[code])


@pytest.mark.parametrize("code", WARNINGS)
def test_codes_are_stable_words_with_a_hint(code: str) -> None:
    spec = WARNINGS[code]

    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", code)
    assert spec.when
    assert spec.hint
    assert not spec.hint.endswith(".")


def test_dangers_come_first_and_milestones_in_order() -> None:
    one = draft(terms={"unreviewed_bps": 10_000}, papers=(criteria(0, agree=1), criteria(1, agree=1)))
    found = lint(one)

    ranks = [list(Severity).index(finding.severity) for finding in found]
    assert ranks == sorted(ranks)
    assert [f.milestone for f in found if f.code == "criteria-one-source"] == [0, 1]


@pytest.mark.parametrize(
    ("blocked", "told"), [({PAYER}, "Acme GmbH"), ({ESCROW}, ESCROW), ({PAYER, PAYEE}, "Builders Ltd")]
)
def test_who_is_blocked_is_named(blocked: set[str], told: str) -> None:
    one = draft(chain=token(lists=True, blocked=frozenset(blocked)))
    found = [f.sentence for f in lint(one) if f.code == "party-blocked"]

    assert len(found) == len(blocked)
    assert any(told in sentence for sentence in found)


def test_a_token_that_does_not_answer_is_told_once() -> None:
    found = [f for f in lint(draft(chain=token(answers=False, decimals=18))) if f.code == "token-wrong"]

    assert len(found) == 1
    assert "does not answer" in found[0].sentence


@pytest.mark.parametrize("text", [EMPTY, None])
def test_a_text_that_is_empty_is_as_good_as_none(text: Envelope | None) -> None:
    assert "document-missing" in codes(draft(text=text))
    assert "document-missing" in codes(draft(terms={"document": ZERO32}))


def test_two_salts_of_zero_are_two_warnings() -> None:
    plain = Envelope(ZERO32, "text/markdown", b"# Text\n")
    found = [f.sentence for f in lint(draft(text=plain, terms={"salt": ZERO32})) if f.code == "salt-zero"]

    assert len(found) == 2


def test_garbage_is_told_with_the_money_that_it_takes() -> None:
    found = next(f for f in lint(draft(terms={"unreviewed_bps": 2_500})) if f.code == "pays-for-garbage")

    assert "375.00 PLAY of 1,500.00 PLAY" in found.sentence


def test_an_unruled_share_without_a_verifier_pays_for_garbage_too() -> None:
    assert "pays-for-garbage" in codes(draft(terms={**NO_VERIFIER, "unruled_bps": 3_000}, quorum=None))
    assert "pays-for-garbage" not in codes(draft(terms=NO_VERIFIER, quorum=None))


def test_a_native_tip_needs_no_price() -> None:
    terms = {"token": ZERO_ADDRESS, "tip": 10**9}
    one = draft(terms=terms, amounts=(10**18, 10**18), decimals=18, price=None, chain=seen(token=None))

    found = next(f for f in lint(one) if f.code == "tip-below-gas")

    assert f"{payout_gas(one.terms):,} gas at 1.00 gwei" in found.sentence


def test_where_a_verdict_pays_at_once_its_own_gas_counts() -> None:
    assert payout_gas(draft(terms=NO_ARBITER).terms) > payout_gas(draft().terms)


def test_without_a_chain_nothing_of_the_chain_fires() -> None:
    one = draft(now=None, chain=None)

    assert codes(one) == ALWAYS
    assert "deadlines against the chain's clock" in unasked(one.report)


def test_what_is_not_asked_depends_on_what_the_terms_name() -> None:
    hooked, bare = draft(terms=HOOKED).report, draft(terms=NOBODY, quorum=None).report

    assert "whether the arbiter's contract takes disputes" in unasked(hooked)
    assert not any("arbiter" in check for check in unasked(bare))


def test_a_deadline_that_is_over_is_no_soon_one() -> None:
    """Over is for funding to refuse, and for the clock of an agreement that runs already."""
    assert "deadline-soon" not in codes(draft(now=NOW + 20 * DAY, due=(14 * DAY, 28 * DAY)))


def test_a_price_is_exact_and_read_as_people_type_it() -> None:
    assert read_price("0.00031") == 31 * 10**13
    assert read_price(None) is None
    with pytest.raises(MilepostError) as refused:
        read_price("1e-5")
    assert refused.value.code == "USAGE"


def test_a_verifier_of_the_deployment_is_known() -> None:
    assert VERIFIER in draft().report.book.contracts.values()
