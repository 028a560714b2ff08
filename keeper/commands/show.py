"""One agreement, or all of them, as the chain shows them: nothing else is needed (docs/protocol.md section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.chain.blocks import Header
from keeper.commands.context import Session
from keeper.commands.explain import Explanation, Facts, explain
from keeper.commands.facts import facts_of, quorum_of, threshold
from keeper.commands.words import Currency, hex0x
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.ledger.views import AgreementView
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import ZERO_ADDRESS, Address, Terms

PAGE = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """An agreement with an explanation of each of its milestones."""

    view: AgreementView
    head: Header
    finalized: int
    """Number of the newest block that will not go away: what lies above may still be taken back."""
    currency: Currency
    quorum: Quorum | None
    title: str
    names: dict[Address, str]
    viewer: str | None
    milestones: tuple[tuple[Facts, Explanation], ...]

    @property
    def open_units(self) -> int:
        """Token units still locked."""
        return sum(m.part.milestone.amount for m in self.view.milestones if m.open)

    @property
    def next_at(self) -> int | None:
        """The first second at which time alone moves something; None when nothing is open."""
        times = [e.next.at for _, e in self.milestones if e.next]
        return min(times) if times else None


def show(
    session: Session,
    view: AgreementView,
    place: views.Place,
    *,
    titles: Sequence[str] = (),
    title: str = "",
    names: dict[Address, str] | None = None,
) -> Shown:
    """The agreement explained at the place that the ledger has reached."""
    terms = view.agreement.terms
    quorum = quorum_of(session, terms)
    currency = session.currency(terms.token)
    facts = [
        facts_of(
            view,
            index,
            now=place.head.time,
            currency=currency,
            viewer=session.viewer,
            quorum=quorum,
            labels=titles,
        )
        for index in range(len(view.milestones))
    ]
    return Shown(
        view=view,
        head=place.head,
        finalized=place.finalized_number,
        currency=currency,
        quorum=quorum,
        title=title,
        names=names or {},
        viewer=session.viewer,
        milestones=tuple((f, explain(f)) for f in facts),
    )


def show_all(session: Session, place: views.Place) -> list[Shown]:
    """Every agreement of the escrow in the order of funding."""
    found: list[AgreementView] = []
    while True:
        with session.store.read() as conn:
            page = views.list_agreements(conn, limit=PAGE, after=len(found))
        found += page
        if len(page) < PAGE:
            return [show(session, view, place) for view in found]


def check_same(view: AgreementView, agreement: bytes, path: object) -> None:
    """VERIFY_MISMATCH unless a terms file given for its names is this agreement's."""
    if view.id != agreement:
        raise MilepostError(
            "VERIFY_MISMATCH",
            f"{path} is another agreement's file",
            cause=f"expected {hex0x(view.id)}, found {hex0x(agreement)}",
            hint="leave --terms out: everything but titles and names comes from the chain",
        )


def clocks(terms: Terms, quorum: Quorum | None) -> list[tuple[str, int, str]]:
    """The windows of an agreement: name, seconds, and what has to happen within."""
    rows = [("review", terms.review_window, "after a submission: " + _review(terms, quorum))]
    if terms.challenge_window:
        rows.append(("challenge", terms.challenge_window, "after a verdict, or none: either party may dispute"))
    if terms.ruling_window:
        rows.append(("ruling", terms.ruling_window, "after a dispute: the arbiter may rule"))
    return rows


def _review(terms: Terms, quorum: Quorum | None) -> str:
    if terms.verifier == ZERO_ADDRESS:
        return "the payer approves, or silence decides"
    return f"{threshold(terms, quorum)} give a verdict"
