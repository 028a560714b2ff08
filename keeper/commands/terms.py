"""Terms files: what they say, what they are worth to each side, and the payee's signature under them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from keeper.chain.signer import Signer
from keeper.commands.words import Currency, hex0x, percent
from keeper.errors import MilepostError
from keeper.protocol.documents import parse_criteria
from keeper.protocol.due import latest
from keeper.protocol.encoding import agreement_id, escrow_domain, terms_typed_data
from keeper.protocol.terms_file import Book, TermsFile, load_terms
from keeper.protocol.types import ALL_BPS, ZERO_ADDRESS, AgreementId, Bps, Milestone, Terms
from keeper.protocol.worst_case import Assumption, Role, WorstCase, worst_case


@dataclass(frozen=True)
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

    @cached_property
    def worst(self) -> tuple[WorstCase, ...]:
        """The worst case of each milestone, party and assumption; honest judges award what the criteria say."""
        agreement = self.file.agreement
        return worst_case(agreement, [_deserved(self.file, milestone) for milestone in agreement.milestones])

    @property
    def floors(self) -> dict[tuple[Role, Assumption], int]:
        """Token units that a party receives at least, of all milestones together, by party and assumption."""
        sums: dict[tuple[Role, Assumption], int] = {}
        for row in self.worst:
            sums[row.role, row.assumption] = sums.get((row.role, row.assumption), 0) + row.receives
        return sums

    @property
    def open_until(self) -> int:
        """Unix seconds: the last second at which anything of it can still be open."""
        return max(row.open_until for row in self.worst)


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
    return report_of(load_terms(text, book, read_file=lambda name: _beside(folder, name), now=now), book)


def report_of(file: TermsFile, book: Book) -> TermsReport:
    """What follows from a checked terms file on one chain."""
    agreement = file.agreement
    domain = escrow_domain(book.chain_id, book.escrow)
    return TermsReport(
        id=agreement_id(domain, agreement.terms, agreement.milestones),
        file=file,
        book=book,
        currency=Currency(file.symbol, file.decimals, agreement.terms.token),
        total=sum(m.amount for m in agreement.milestones),
        latest=tuple(latest(agreement.terms, m) for m in agreement.milestones),
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


def _deserved(file: TermsFile, milestone: Milestone) -> Bps:
    """What fulfilled criteria pay; everything where the document is not known, or is of another kind."""
    envelope = file.documents.get(milestone.criteria)
    try:
        return parse_criteria(envelope.content).payout_bps if envelope else ALL_BPS
    except MilepostError:
        return ALL_BPS  # the linter names it


def shares_in_words(terms: Terms) -> str:
    """What silence pays, in one line."""
    parts = [f"submitted and never reviewed: {percent(terms.unreviewed_bps)} to the payee"]
    if terms.arbiter != ZERO_ADDRESS and terms.verifier == ZERO_ADDRESS:
        parts.append(f"disputed and never ruled: {percent(terms.unruled_bps)} to the payee")
    return "; ".join(parts)
