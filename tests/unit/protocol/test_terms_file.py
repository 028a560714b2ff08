"""The terms file: what it makes of the examples, and every refusal with line, key and what to do."""

import re
from pathlib import Path

import pytest
from protocol_strategies import ESCROW

from keeper.errors import MilepostError
from keeper.protocol.terms_file import Book, TermsFileError, load_terms
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, Address

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
TOKEN = Address("0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512")
VERIFIER = Address("0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0")
BOOK = Book(
    31337,
    ESCROW,
    {"PLAY": (TOKEN, 6, "PLAY"), "native": (ZERO_ADDRESS, 18, "ETH")},
    {"QuorumVerifier": VERIFIER},
)
START = 1_799_020_800
DELIVERY = (EXAMPLES / "software-delivery.yaml").read_text()


def read_example(name):
    return (EXAMPLES / name).read_bytes()


def load(text, read_file=read_example, now=START):
    return load_terms(text, BOOK, read_file=read_file, now=now)


def problems(text, **options):
    with pytest.raises(TermsFileError) as refused:
        load(text, **options)
    assert refused.value.code == "TERMS_INVALID"
    for problem in refused.value.problems:
        assert problem.line >= 1
        assert problem.expected
        assert problem.found
        assert problem.do
    return refused.value.problems


def edited(*changes):
    text = DELIVERY
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def line_of(text, words):
    return next(i for i, line in enumerate(text.splitlines(), 1) if words in line)


def test_the_delivery_example_means_what_it_says():
    file = load(DELIVERY)
    terms = file.agreement.terms

    assert [m.amount for m in file.agreement.milestones] == [10**9, 3 * 10**9, 15 * 10**8, 5 * 10**8]
    assert [m.submit_by for m in file.agreement.milestones] == [
        START + 14 * 86_400,
        START + 42 * 86_400,
        1_803_945_599,
        1_805_130_000,
    ]
    assert (terms.review_window, terms.challenge_window, terms.ruling_window) == (259_200, 172_800, 604_800)
    assert (terms.fee_bps, terms.tip, terms.token, terms.verifier) == (50, 2_000_000, TOKEN, VERIFIER)
    assert terms.quorum == file.quorum.hash
    assert file.titles == ("Design", "Build", "Hardware kit delivered", "Handover")
    assert file.labels[terms.payer] == "Acme GmbH"
    assert set(file.documents) == {terms.document, *(m.criteria for m in file.agreement.milestones)}
    assert all(envelope.hash == hash_ for hash_, envelope in file.documents.items())


def test_the_support_example_has_the_same_parties_and_no_fee():
    support = load((EXAMPLES / "support-contract.yaml").read_text()).agreement.terms
    delivery = load(DELIVERY).agreement.terms

    assert (support.payer, support.payee, support.arbiter) == (delivery.payer, delivery.payee, delivery.arbiter)
    assert (support.fee_bps, support.fee_to) == (0, ZERO_ADDRESS)


def test_members_are_sorted_whatever_their_order_in_the_file():
    first = '    - {name: "Attester one", address: "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"}\n'
    moved = edited((first, ""), ("\nclocks:", first + "\nclocks:"))

    assert load(moved).quorum == load(DELIVERY).quorum


def test_an_agreement_needs_neither_verifier_nor_arbiter():
    text = re.sub(r"# Who attests.*?\nclocks:", "clocks:", DELIVERY, flags=re.DOTALL)
    text = re.sub(r"  arbiter: .*\n", "", text)
    text = text.replace("challengeWindow: 2d", "challengeWindow: 0s").replace("rulingWindow: 7d", "rulingWindow: 0s")

    terms = load(text).agreement.terms

    assert (terms.verifier, terms.quorum, terms.arbiter) == (ZERO_ADDRESS, ZERO32, ZERO_ADDRESS)


PAYER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
PAYEE = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
ARBITER = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
BAD = {
    "float amount": (('"1,000.00"', "1000.00"), "milestones[0].amount", 'quote it: "1000.00"'),
    "float tip": (('tip: "2.00"', "tip: 2.0"), "tip", "quote it"),
    "float share": (('unreviewed: "0%"', "unreviewed: 0.5"), "shares.unreviewed", "quote it"),
    "too many decimals": (('"1,000.00"', '"1,000.0000001"'), "milestones[0].amount", "at most 6 decimals"),
    "bad commas": (('"1,000.00"', '"10,00.00"'), "milestones[0].amount", "1,000.00"),
    "negative amount": (('"1,000.00"', '"-5"'), "milestones[0].amount", "an amount"),
    "amount too wide": (('"1,000.00"', f'"{10**33}"'), "milestones[0].amount", "2**128"),
    "exponent": (('"1,000.00"', '"1e3"'), "milestones[0].amount", "an amount"),
    "null": (('amount: "1,000.00"', "amount:"), "milestones[0].amount", "one value"),
    "list for value": (('"1,000.00"', "[1]"), "milestones[0].amount", "one value"),
    "unknown key": (("start: 2027", "begin: 1\nstart: 2027"), "begin", "one of"),
    "unknown inner key": (("reviewWindow: 3d", "reviewWindw: 3d"), "clocks.reviewWindw", "one of"),
    "duplicate key": (("start: 2027", "start: 2026-01-01\nstart: 2027"), "start", "each key once"),
    "missing key": (('title: "Software delivery with a hardware kit"', ""), "title", "this key"),
    "checksum": ((PAYER, PAYER.replace("dc79", "Dc79")), "parties.payer.address", f"write {PAYER}"),
    "lower-case address": ((PAYEE, PAYEE.lower()), "parties.payee.address", "EIP-55"),
    "short address": ((PAYEE, PAYEE[:-1]), "parties.payee.address", "40 hex"),
    "zero address": ((ARBITER, ZERO_ADDRESS), "parties.arbiter.address", "leave the key out"),
    "unknown token": (("token: PLAY", "token: GAME"), "token", "PLAY, native"),
    "unknown verifier": (("verifier: QuorumVerifier", "verifier: Quorum"), "verifier", "QuorumVerifier"),
    "bad duration": (("reviewWindow: 3d", "reviewWindow: 3 days"), "clocks.reviewWindow", "1d12h"),
    "bad share": (('unreviewed: "0%"', 'unreviewed: "half"'), "shares.unreviewed", "percentage"),
    "share above 100": (('unreviewed: "0%"', 'unreviewed: "100.01%"'), "shares.unreviewed", "at most 100%"),
    "bad salt": (('salt: "0x7', 'salt: "0y7'), "document.salt", "64 lower-case"),
    "bad date": (('"2027-03-01"', '"2027-02-30"'), "milestones[2].submitBy", "day"),
    "local time": (('"2027-03-15T17:00:00Z"', '"2027-03-15T17:00:00+01:00"'), "milestones[3].submitBy", "UTC"),
    "past deadline": (('"2027-03-01"', '"2027-01-03"'), "milestones[2].submitBy", "after 2027-01-04T00:00:00Z"),
    "far deadline": (('"2027-03-01"', '"2099-01-01"'), "milestones[2].submitBy", "3650 days"),
    "version": (("milepost/terms/1", "milepost/terms/9"), "version", "milepost/terms/1"),
    "scalar for mapping": (
        ("clocks:\n  reviewWindow: 3d", "clocks: 3d\nx:\n  reviewWindow: 3d"),
        "clocks",
        "keys reviewWindow",
    ),
    "same party": ((PAYEE, PAYER), "parties.payee", "other than the payer"),
    "arbiter is a party": ((ARBITER, PAYER), "parties.arbiter", "neither party"),
    "party is the escrow": ((PAYEE, ESCROW), "parties.payee", "neither the escrow"),
    "party is the token": ((PAYEE, TOKEN), "parties.payee", "nor the token"),
    "no review": (("reviewWindow: 3d", "reviewWindow: 0s"), "clocks.reviewWindow", "above zero"),
    "no challenge": (("challengeWindow: 2d", "challengeWindow: 0s"), "clocks.challengeWindow", "exactly when"),
    "no ruling": (("rulingWindow: 7d", "rulingWindow: 0s"), "clocks.rulingWindow", "exactly when"),
    "long window": (("rulingWindow: 7d", "rulingWindow: 366d"), "clocks.rulingWindow", "365 days"),
    "unruled with a verifier": (('unruled: "0%"', 'unruled: "1%"'), "shares.unruled", "no verifier"),
    "tip too high": (('tip: "2.00"', 'tip: "50.01"'), "tip", "a tenth"),
    "zero amount": (
        ('"500.00"', '"0"'),
        "milestones[3].amount",
        "above zero",
    ),
    "fee of nothing": (('share: "0.50%"', 'share: "0%"'), "fee.to", "exactly when there is a fee"),
    "threshold": (("threshold: 2", "threshold: 1"), "quorum", "majority"),
    "threshold too high": (("threshold: 2", "threshold: 4"), "quorum", "at most the number"),
    "member twice": (
        ("0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc", "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
        "quorum",
        "each once",
    ),
    "missing file": (("criteria/build.json", "criteria/none.json"), "milestones[1].criteria.file", "to read"),
    "criteria of another kind": (
        ("criteria/build.json", "software-delivery.md"),
        "milestones[1].criteria.file",
        "not JSON",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses_with_key_and_words(name):
    change, key, words = BAD[name]

    found = [p for p in problems(edited(change)) if p.key == key]

    assert found, "no problem names the key"
    assert any(words in str(p) for p in found)


def test_a_verifier_without_a_quorum_is_refused():
    text = re.sub(r"quorum:.*?\nclocks:", "clocks:", DELIVERY, flags=re.DOTALL)

    assert [p.key for p in problems(text)] == ["verifier"]


def test_a_share_of_silence_without_an_arbiter_is_refused():
    text = re.sub(r"  arbiter: .*\n", "", edited(('unreviewed: "0%"', 'unreviewed: "5%"')))
    text = text.replace("challengeWindow: 2d", "challengeWindow: 0s").replace("rulingWindow: 7d", "rulingWindow: 0s")

    assert [p.key for p in problems(text)] == ["shares.unreviewed"]


@pytest.mark.parametrize("count", [0, 65])
def test_a_schedule_has_1_to_64_milestones(count):
    head, _, rest = DELIVERY.partition("milestones:\n")
    one = rest[: rest.index('  - title: "Build"')]

    found = problems(head + "milestones: " + ("\n" + one * count if count else "[]\n"))

    assert "milestones" in {p.key for p in found}


@pytest.mark.parametrize(
    "text", ["", "a: [", "- 1", "5", "\t", "a: &x 1\nb: *x", "{}", "? [a]\n: 1", "\x00", "a: 'b\n" * 3, "--- \n---\n"]
)
def test_what_is_no_terms_file_is_refused_with_a_line(text):
    assert problems(text)


def test_all_mistakes_are_told_at_once_in_the_files_order_with_their_lines():
    text = edited(
        ('"1,000.00"', "1000.00"),
        ("reviewWindow: 3d", "reviewWindow: soon"),
        (PAYEE, PAYEE.lower()),
        ("start: 2027", "begin: 1\nstart: 2027"),
        ("criteria/handover.json", "criteria/none.json"),
    )

    found = problems(text)

    assert [(p.key, p.line) for p in found] == [
        ("parties.payee.address", line_of(text, "payee:")),
        ("clocks.reviewWindow", line_of(text, "reviewWindow: soon")),
        ("begin", line_of(text, "begin:")),
        ("milestones[0].amount", line_of(text, "amount: 1000.00")),
        ("milestones[3].criteria.file", line_of(text, "criteria/none.json")),
    ]


def test_a_funding_rule_is_told_at_the_line_of_its_key():
    text = edited(('tip: "2.00"', 'tip: "50.01"'))

    assert [p.line for p in problems(text)] == [line_of(text, "tip:")]


def test_criteria_with_a_duplicate_key_are_refused():
    def read(name):
        return b'{"version": 1, "version": 2}' if name.endswith("build.json") else read_example(name)

    found = problems(DELIVERY, read_file=read)

    assert [p.key for p in found] == ["milestones[1].criteria.file"]
    assert "twice" in found[0].found


def test_a_past_deadline_passes_where_nobody_says_what_time_it_is():
    assert load(edited(('"2027-03-01"', '"2020-01-01"')), now=None)


def test_the_error_reads_as_the_houses_errors_do():
    with pytest.raises(MilepostError) as refused:
        load(edited(('tip: "2.00"', "tip: 2.0")))

    assert refused.value.title == "The terms file has 1 mistake"
    assert refused.value.cause.startswith("line ")


def test_native_currency_has_18_decimals():
    text = edited(
        ("token: PLAY", "token: native"), ('"1,000.00"', '"0.000000000000000001"'), ('tip: "2.00"', 'tip: "0"')
    )

    file = load(text)

    assert file.agreement.milestones[0].amount == 1
    assert (file.agreement.terms.token, file.decimals, file.symbol) == (ZERO_ADDRESS, 18, "ETH")
    assert ZERO_ADDRESS not in file.labels
