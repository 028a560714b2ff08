"""A draft that the linter has hardly anything to say about, and short ways to spoil it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eth_utils.address import to_checksum_address

from keeper.commands.lint.draft import ChainFacts, Draft, HookFacts, TokenFacts
from keeper.commands.terms import TermsReport, report_of
from keeper.protocol.documents import Envelope
from keeper.protocol.quorum import Quorum
from keeper.protocol.terms_file import Book, TermsFile
from keeper.protocol.terms_parts import criteria_document
from keeper.protocol.types import DAY, ZERO32, ZERO_ADDRESS, Address, Agreement, Milestone, Terms

NOW = 1_799_020_800
ETHER = 10**18


def address(number: int) -> Address:
    return Address(to_checksum_address(number.to_bytes(20, "big")))


ESCROW, TOKEN, VERIFIER, PAYER, PAYEE, ARBITER, FEE_TO = (address(0xA000 + i) for i in range(7))
MEMBERS = tuple(address(0xB000 + i) for i in range(4))
BOOK = Book(31337, ESCROW, {"PLAY": (TOKEN, 6, "PLAY"), "ETH": (ZERO_ADDRESS, 18, "ETH")}, {"QuorumVerifier": VERIFIER})
CRITERIA = """{{"version":"milepost/criteria/1","title":"Part {0}","sources":[
 {{"name":"ci","kind":"github-check-runs","url":"{{ci}}/repos/a/b/commits/{{commit}}/check-runs","checks":["part-{0}"]}},
 {{"name":"epcis","kind":"epcis","url":"{{epcis}}/events?MATCH_epc={{shipment}}","epc":"{{shipment}}",
   "bizStep":"inspecting","disposition":"conformant"}}],
 "rule":{{"agree":{1}}},"payoutBps":{2},"final":false}}"""


def salt(number: int) -> bytes:
    return number.to_bytes(32, "big")


def criteria(part: int, *, agree: int = 2, payout: int = 10_000) -> Envelope:
    return criteria_document("criteria.json", salt(part + 1), CRITERIA.format(part, agree, payout).encode())


TEXT = Envelope(salt(99), "text/markdown", b"# What both agreed\n")
QUORUM = Quorum(3, MEMBERS)
TERMS = Terms(
    payer=PAYER,
    payee=PAYEE,
    token=TOKEN,
    verifier=VERIFIER,
    quorum=QUORUM.hash,
    arbiter=ARBITER,
    arbiter_hook=False,
    review_window=3 * DAY,
    challenge_window=2 * DAY,
    ruling_window=7 * DAY,
    unreviewed_bps=0,
    unruled_bps=0,
    fee_bps=50,
    fee_to=FEE_TO,
    tip=2_000_000,
    document=TEXT.hash,
    salt=salt(7),
)


def file_of(
    *,
    terms: dict[str, Any] | None = None,
    quorum: Quorum | None = QUORUM,
    papers: tuple[Envelope | None, ...] = (criteria(0), criteria(1)),
    text: Envelope | None = TEXT,
    due: tuple[int, ...] = (14 * DAY, 28 * DAY),
    amounts: tuple[int, ...] = (1_000_000_000, 500_000_000),
    **more: Any,
) -> TermsFile:
    """A terms file of two milestones; a paper that is None is one that nobody here has."""
    changes = {"document": text.hash if text else salt(1234), **(terms or {})}
    if "quorum" not in changes and quorum is not None:
        changes["quorum"] = quorum.hash
    hashes = [paper.hash if paper else salt(4321 + place) for place, paper in enumerate(papers)]
    rows = [Milestone(a, NOW + d, h) for a, d, h in zip(amounts, due, hashes, strict=True)]
    known = [envelope for envelope in (text, *papers) if envelope is not None]
    return TermsFile(
        agreement=Agreement(replace(TERMS, **changes), tuple(rows)),
        documents={envelope.hash: envelope for envelope in known},
        quorum=quorum,
        labels={PAYER: "Acme GmbH", PAYEE: "Builders Ltd", TOKEN: "PLAY"},
        decimals=more.pop("decimals", 6),
        symbol=more.pop("symbol", "PLAY"),
        title=more.pop("title", "Shop"),
        titles=more.pop("titles", tuple(f"Part {i}" for i in range(len(rows)))),
    )


def report(**changes: Any) -> TermsReport:
    return report_of(file_of(**changes), BOOK)


CHAIN = ChainFacts(
    gas_price=10**9,
    code=frozenset({TOKEN, VERIFIER}),
    fresh=frozenset(),
    proxies=frozenset(),
    token=TokenFacts(answers=True, decimals=6, lists=False, blocked=frozenset()),
    hook=HookFacts(),
)
"""A node with nothing to say against it: a settlement costs about 0.00006 ether."""
PRICE = 3 * 10**14
"""Wei for a PLAY: the tip of two is worth ten times its gas."""


def draft(
    *, now: int | None = NOW, chain: ChainFacts | None = CHAIN, price: int | None = PRICE, **changes: Any
) -> Draft:
    return Draft(report(**changes), now, chain, price)


def seen(**changes: Any) -> ChainFacts:
    """The same node with other answers."""
    return replace(CHAIN, **changes)


NO_VERIFIER = {"verifier": ZERO_ADDRESS, "quorum": ZERO32, "challenge_window": 0}
NO_ARBITER = {"arbiter": ZERO_ADDRESS, "challenge_window": 0, "ruling_window": 0}
NOBODY = {**NO_VERIFIER, **NO_ARBITER}
HOOKED = {"arbiter_hook": True}
