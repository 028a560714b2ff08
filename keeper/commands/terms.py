"""Terms files: what they say, what they are worth to each side, and the payee's signature under them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeper.chain.signer import Signer
from keeper.commands.words import Currency, hex0x, percent, span
from keeper.errors import MilepostError
from keeper.protocol.due import latest
from keeper.protocol.encoding import agreement_id, escrow_domain, terms_typed_data
from keeper.protocol.terms_file import Book, TermsFile, load_terms
from keeper.protocol.types import ALL_BPS, ZERO_ADDRESS, AgreementId, Terms
from keeper.protocol.worst_case import WorstCase, worst_case

SHORT_CLOCK = 86_400
"""Seconds under which a window is called short: people sleep."""


@dataclass(frozen=True, slots=True)
class TermsReport:
    """A checked terms file with everything that a person should know before signing or funding."""

    id: AgreementId
    file: TermsFile
    book: Book
    currency: Currency
    total: int
    """Token units."""
    latest: tuple[int, ...]
    """By milestone: from this second on it can be settled, whatever happened."""
    worst: tuple[WorstCase, ...]
    warnings: tuple[str, ...]


def read_terms(path: Path, book: Book, now: int | None) -> TermsReport:
    """Read and check a terms file; TERMS_INVALID with every mistake at once. `now` (unix s) checks the deadlines too.

    Files that it names are looked for beside it, and nowhere else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise MilepostError("TERMS_INVALID", f"{path} cannot be read", cause=str(reason)) from error
    folder = path.resolve().parent
    file = load_terms(text, book, read_file=lambda name: _beside(folder, name), now=now)
    agreement = file.agreement
    domain = escrow_domain(book.chain_id, book.escrow)
    return TermsReport(
        id=agreement_id(domain, agreement.terms, agreement.milestones),
        file=file,
        book=book,
        currency=Currency(file.symbol, file.decimals, agreement.terms.token),
        total=sum(m.amount for m in agreement.milestones),
        latest=tuple(latest(agreement.terms, m) for m in agreement.milestones),
        worst=worst_case(agreement),
        warnings=tuple(_warnings(agreement.terms, now)),
    )


def typed_data(report: TermsReport) -> dict[str, Any]:
    """What a wallet shows and signs: EIP-712 JSON whose hash is the agreement id."""
    return terms_typed_data(escrow_domain(report.book.chain_id, report.book.escrow), report.file.agreement)


def sign(report: TermsReport, signer: Signer) -> str:
    """The payee's signature over the id (64 bytes, EIP-2098) as 0x hex; NOT_AUTHORISED for any other key.

    It shows that the payee accepted exactly these terms; it moves nothing and is for keeping.
    """
    payee = report.file.agreement.terms.payee
    if signer.address != payee:
        raise MilepostError(
            "NOT_AUTHORISED",
            "Only the payee accepts terms by signing them",
            cause=f"expected {payee}, found {signer.address}",
            hint="use the payee's key, or --unsigned to print the typed data for another signer",
        )
    return hex0x(signer.sign_digest(report.id))


def _beside(folder: Path, name: str) -> bytes:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise OSError("it lies outside the folder of the terms file")
    return path.read_bytes()


def _warnings(terms: Terms, now: int | None) -> Iterator[str]:
    """What is allowed and often not meant."""
    if now is None:
        yield "the deadlines were not compared with the chain's clock: no node was asked"
    windows = (("review", terms.review_window), ("challenge", terms.challenge_window), ("ruling", terms.ruling_window))
    for name, seconds in windows:
        if 0 < seconds < SHORT_CLOCK:
            yield f"the {name} window is only {span(seconds)}: whoever sleeps through it loses it"
    if terms.verifier == ZERO_ADDRESS and terms.arbiter == ZERO_ADDRESS:
        yield "nobody judges: the payee is paid only if the payer approves"
    elif terms.arbiter == ZERO_ADDRESS:
        yield "there is no arbiter: what the attesters say is final, and silence refunds the payer"
    if terms.unreviewed_bps == ALL_BPS:
        yield "silence accepts: a submission that nobody reviews pays the payee in full"
    if terms.tip == 0:
        yield "there is no tip: strangers' keepers have no reason to settle this, so run your own or settle by hand"
    if terms.arbiter_hook:
        yield "the arbiter is a contract that is called on dispute and may refuse it"


def shares_in_words(terms: Terms) -> str:
    """What silence pays, in one line."""
    parts = [f"submitted and never reviewed: {percent(terms.unreviewed_bps)} to the payee"]
    if terms.arbiter != ZERO_ADDRESS and terms.verifier == ZERO_ADDRESS:
        parts.append(f"disputed and never ruled: {percent(terms.unruled_bps)} to the payee")
    return "; ".join(parts)
