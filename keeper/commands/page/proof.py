"""The page's end: the exact values and hashes, how to check them without us, the words used, the legal text."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from keeper.commands.page.blocks import code, milestone, pairs, paragraph, section
from keeper.commands.page.markup import Child, Markup, element
from keeper.commands.terms import TermsReport
from keeper.commands.words import hex0x, utc
from keeper.protocol.documents import JSON_MEDIA_TYPE, Envelope
from keeper.protocol.encoding import ESCROW_NAME, VERSION, leaf
from keeper.protocol.fields import MILESTONE_FIELDS, TERMS_FIELDS, Field
from keeper.protocol.types import ZERO32, Milestone, Terms

_TEXTS = ("text/markdown", "text/plain", JSON_MEDIA_TYPE)


def exactly(report: TermsReport) -> Markup:
    """Every value that is hashed, and the hash."""
    agreement, book = report.file.agreement, report.book
    fields: list[tuple[str, Child]] = [(f.name, code(_shown(agreement.terms, f))) for f in TERMS_FIELDS]
    domain = f"name “{ESCROW_NAME}”, version “{VERSION}”, chainId {book.chain_id}, verifyingContract {book.escrow}"
    return section(
        "exact",
        "Exactly, and how to check it",
        paragraph(
            "The agreement’s id is the EIP-712 hash of the values below under the escrow’s domain. It is the contract: "
            "a wallet that signs the terms shows the same values, and the escrow enforces just these. This page only "
            "explains them; where it says anything else, the values are right."
        ),
        pairs("The id", [("Agreement", code(hex0x(report.id))), ("Domain", domain)]),
        pairs("Terms, as they are hashed", fields),
        *(_leaf(report, index, m) for index, m in enumerate(agreement.milestones)),
        *_how_to_check(report),
    )


def cast_command(report: TermsReport) -> str:
    """The call that makes the escrow itself compute the id, for foundry’s `cast`; `$RPC` is a node."""
    agreement = report.file.agreement
    types = ",".join(f.kind for f in TERMS_FIELDS)
    signature = f"agreementId(({types}),({','.join(f.kind for f in MILESTONE_FIELDS)})[])(bytes32)"
    terms = _tuple([_plain(getattr(agreement.terms, f.attribute)) for f in TERMS_FIELDS])
    rows = ",".join(_tuple([_plain(getattr(m, f.attribute)) for f in MILESTONE_FIELDS]) for m in agreement.milestones)
    words = ["cast", "call", report.book.escrow, signature, terms, f"[{rows}]"]
    return f'{shlex.join(words)} --rpc-url "$RPC"'


def glossary() -> Markup:
    """The words used."""
    entries = [part for word, meaning in _GLOSSARY for part in (element("dt", word), element("dd", meaning))]
    return section("words", "Words", element("dl", *entries))


def documents(report: TermsReport) -> Markup:
    """The texts behind the hashes, byte for byte as they are hashed, where they are texts."""
    told = [part for name, title in _named(report) for part in _document(report, name, title)]
    return section("documents", "The documents", *told)


def _leaf(report: TermsReport, index: int, m: Milestone) -> Markup:
    fields: list[tuple[str, Child]] = [(f.name, code(_shown(m, f))) for f in MILESTONE_FIELDS]
    return pairs(f"Milestone {milestone(report, index)}, as it is hashed", [*fields, ("hash", code(hex0x(leaf(m))))])


def _how_to_check(report: TermsReport) -> Iterator[Child]:
    yield element("h3", "Check the id")
    yield paragraph("Let the escrow compute it, with a tool that is not ours (", code("cast"), " of Foundry):")
    yield element("pre", cast_command(report))
    yield paragraph("It prints the id above. From the terms file, ", code("milepost terms id FILE"), " prints it too.")
    yield element("h3", "Check a document")
    yield paragraph(
        "Each is ",
        code("keccak256(salt || bytes)"),
        ", the salt being 32 bytes. Each document below is followed by the command for it, where FILE holds its bytes: "
        "exactly those, and of JSON its canonical form (RFC 8785), not an editor's.",
    )


def _named(report: TermsReport) -> Iterator[tuple[bytes, str]]:
    yield report.file.agreement.terms.document, "The legal text"
    seen = {report.file.agreement.terms.document}
    for index, m in enumerate(report.file.agreement.milestones):
        if m.criteria not in seen:
            seen.add(m.criteria)
            yield m.criteria, f"Criteria of milestone {milestone(report, index)}"


def _document(report: TermsReport, name: bytes, title: str) -> Iterator[Child]:
    envelope = report.file.documents.get(name)
    yield element("h3", title)
    if envelope is None:
        missing = "There is none: the hash is zero." if name == ZERO32 else "It is not known here."
        yield paragraph(missing, " ", code(hex0x(name)))
        return
    told = f"{envelope.media_type}, {len(envelope.content):,} bytes, salt "
    yield paragraph(told, code(hex0x(envelope.salt)), ", hash ", code(hex0x(name)), kind="meta")
    yield element("pre", _text(envelope))
    yield element("pre", f"cast keccak {hex0x(envelope.salt)}$(xxd -p FILE | tr -d '\\n')")


def _text(envelope: Envelope) -> str:
    if envelope.media_type not in _TEXTS:
        return "(not a text: open the file)"
    try:
        return envelope.content.decode("utf-8")
    except UnicodeDecodeError:
        return "(not UTF-8: open the file)"


def _shown(struct: Terms | Milestone, field: Field) -> str:
    value = getattr(struct, field.attribute)
    plain = _plain(value)
    return f"{plain} = {utc(value)}" if field.name == "submitBy" else plain


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return hex0x(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tuple(values: list[str]) -> str:
    return f"({','.join(values)})"


_GLOSSARY = (
    ("Agreement", "The terms and the schedule together, known by one number, the hash of every word of both."),
    ("Milestone", "One line of the schedule: an amount, a deadline, and what counts as done. Each is paid on its own."),
    ("Payer, payee", "Who locks the money, and for whom."),
    ("Escrow", "The contract on the chain that holds the money. It has no owner; nobody can change it or stop it."),
    (
        "Attesters, quorum",
        "Independent parties who look at the evidence and sign a verdict. Enough of them are a quorum.",
    ),
    ("Verdict, award, rejection", "What a quorum says of a milestone: a share for the payee, or that it is not done."),
    (
        "Arbiter",
        "Who rules on a disputed milestone, between nothing and everything for the payee, and on nothing else.",
    ),
    ("Dispute", "A party’s objection to a verdict, or to a silence. If nobody rules, what stood before stands."),
    (
        "Window",
        "A time that runs from an event: review from a submission, challenge from a verdict, ruling from a dispute.",
    ),
    ("Settle", "To let a clock do what the terms say. Anyone may do it, once the time has come."),
    ("Lapse", "A milestone for which nothing acceptable came in time goes back to the payer."),
    ("Keeper", "A program that settles what is due, for the tip. It decides nothing, and anyone can do without it."),
    ("Hash", "A number computed from a text. Nobody can find another text with the same number."),
    ("Salt", "Random bytes hashed along with a text, so that a short text cannot be guessed from its hash."),
)
