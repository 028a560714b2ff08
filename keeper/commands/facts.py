"""From the ledger's picture to the facts that explanations are made of."""

from __future__ import annotations

from collections.abc import Sequence

from keeper.commands.context import Session
from keeper.commands.explain import Facts, Settled
from keeper.commands.words import Currency, hex0x
from keeper.ledger import views
from keeper.ledger.views import AgreementView, MilestoneView
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import ZERO_ADDRESS, MilestoneState, Terms


def facts_of(
    view: AgreementView,
    index: int,
    *,
    now: int,
    currency: Currency,
    viewer: str | None = None,
    quorum: Quorum | None = None,
    labels: Sequence[str] = (),
) -> Facts:
    """The facts of one milestone at a head; `labels` are titles by index, where they are known."""
    milestone = view.milestones[index]
    return Facts(
        terms=view.agreement.terms,
        milestone=milestone.part.milestone,
        index=index,
        label=labels[index] if index < len(labels) else "",
        state=_state(milestone),
        settled=_settled(view, index),
        now=now,
        viewer=viewer,
        threshold=threshold(view.agreement.terms, quorum),
        currency=currency,
    )


def threshold(terms: Terms, quorum: Quorum | None) -> str:
    """The quorum in words."""
    if terms.verifier == ZERO_ADDRESS or quorum is None:
        return "the attesters"
    return f"{quorum.m} of {len(quorum.members)} attesters"


def quorum_of(session: Session, terms: Terms) -> Quorum | None:
    """The members behind the terms' quorum, if somebody announced them."""
    if terms.verifier == ZERO_ADDRESS:
        return None
    with session.store.read() as conn:
        return views.quorum_of(conn, terms.verifier, terms.quorum)


def _state(milestone: MilestoneView) -> MilestoneState | None:
    return milestone.state if milestone.open else None


def _settled(view: AgreementView, index: int) -> Settled | None:
    found = view.settlements.get(index)
    if found is None:
        return None
    target = view.went_to(index)
    return Settled(
        cause=found.cause,
        payee_bps=found.payee_bps,
        to_payee=found.to_payee,
        to_payer=found.to_payer,
        fee=found.fee,
        tip=found.tip,
        executor=found.executor,
        tx=found.tx_hash,
        block=found.number,
        went_to=hex0x(target) if target else "",
    )
