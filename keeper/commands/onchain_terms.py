"""An agreement that is already on chain, as if its terms had just been read from a file."""

from __future__ import annotations

from keeper.commands.context import Session
from keeper.commands.facts import quorum_of
from keeper.commands.labels import title_of
from keeper.commands.publish import document
from keeper.commands.terms import TermsReport, report_of
from keeper.ledger.views import AgreementView
from keeper.protocol.terms_file import TermsFile
from keeper.protocol.types import ZERO32


def report_from_chain(session: Session, view: AgreementView) -> TermsReport:
    """The agreement's terms, its documents from the own database or the relays, and the deployment's names.

    The ledger must have caught up. A document that nobody has is left out; the page and the linter say so.
    """
    agreement = view.agreement
    currency = session.currency(agreement.terms.token)
    book = session.deployment.book()
    names = {agreement.terms.document, *(m.criteria for m in agreement.milestones)} - {ZERO32}
    found = {name: envelope for name in sorted(names) if (envelope := document(session, name)) is not None}
    titles = tuple(title_of(found.get(m.criteria)) for m in agreement.milestones)
    labels = {address: label for label, address in book.contracts.items()}
    labels |= {address: symbol for address, _, symbol in book.tokens.values()}
    file = TermsFile(
        agreement=agreement,
        documents=found,
        quorum=quorum_of(session, agreement.terms),
        labels=labels,
        decimals=currency.decimals,
        symbol=currency.symbol,
        titles=titles,
    )
    return report_of(file, book)
