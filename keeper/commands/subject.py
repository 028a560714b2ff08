"""One milestone, everything known about it, and what an act upon it needs (docs/protocol.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keeper.chain.abi import contract
from keeper.commands.context import Session
from keeper.commands.explain import Explanation, Facts, explain
from keeper.commands.facts import facts_of, quorum_of
from keeper.commands.find import find_agreement, milestone_of
from keeper.commands.labels import titles_of
from keeper.commands.refusals import contract_error, not_now, not_your_role
from keeper.commands.request import Request
from keeper.commands.rights import ANYONE, ATTESTERS, holders, roles_of
from keeper.commands.words import hex0x, sentence, short
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.ledger.views import AgreementView, MilestoneView
from keeper.outbox.intents import IntentRequest
from keeper.protocol.encoding import part_to_abi


@dataclass(frozen=True, slots=True)
class Subject:
    """The milestone that an act is about, and everything known about it."""

    view: AgreementView
    milestone: MilestoneView
    facts: Facts
    explained: Explanation
    head_number: int

    @property
    def name(self) -> str:
        """`milestone 0 'Design' of 0x51d2…41aa`."""
        return f"{self.explained.name} of {short(hex0x(self.view.id))}"


def subject(session: Session, text: str, index: int, place: views.Place) -> Subject:
    """Find the milestone; NOT_FOUND or USAGE. The ledger has caught up to `place`."""
    view = find_agreement(session, text)
    milestone = milestone_of(view, index)
    terms = view.agreement.terms
    facts = facts_of(
        view,
        index,
        now=place.head.time,
        currency=session.currency(terms.token),
        viewer=session.viewer,
        quorum=quorum_of(session, terms),
        labels=titles_of(session, view.agreement),
    )
    return Subject(view, milestone, facts, explain(facts), place.head.number)


def check_turn(session: Session, about: Subject, action: str) -> None:
    """NOT_AUTHORISED for another's turn, NOT_DUE or the contract's refusal for the wrong time, in the clock's words."""
    terms, facts = about.facts.terms, about.facts
    if facts.settled:
        raise settled_error(about, action)
    if facts.state is None:
        raise contract_error(
            "NotFunded",
            f"{sentence(about.name)} is not funded",
            cause="no money is locked for it",
            hint="the payer funds it with `milepost fund FILE`",
        )
    who = set(holders(action))
    if not who & {ANYONE, ATTESTERS} and not who & set(roles_of(terms, session.sender)):
        raise not_your_role(action, terms, session.sender, about.name)
    mine = [r for r in about.explained.rights if r.action == action]
    allowed = [r for r in mine if r.role in (ANYONE, ATTESTERS) or r.role in roles_of(terms, session.sender)]
    if not any(r.open_at(facts.now) for r in allowed):
        raise not_now(action, facts, about.explained, about.view.id)


def act_request(about: Subject, action: str, to: str, *extra: Any, gas: int = 0) -> IntentRequest:
    """The intent of a call that carries the milestone's part."""
    part = part_to_abi(about.milestone.part)
    codec = contract("Escrow")
    arguments = (about.view.id, part, *extra) if action == "rule" else (part, *extra)
    state = about.milestone.state
    return IntentRequest(
        action=action,
        agreement=about.view.id,
        milestone=about.milestone.index,
        to=about.view.escrow,
        calldata=codec.encode(action, *arguments),
        attempt=state.attempt,
        deliverable=state.deliverable24.ljust(32, b"\0"),
        gas=gas,
    )


def request_of(session: Session, about: Subject, command: str, **arguments: str | int | bool | None) -> Request:
    """The canonical form of a command about one milestone."""
    named: dict[str, str | int | bool | list[int] | None] = {
        "agreement": hex0x(about.view.id),
        "milestone": about.milestone.index,
        **arguments,
    }
    return Request(
        command=command,
        arguments=named,
        chain_id=session.deployment.chain_id,
        escrow=about.view.escrow,
        caller=session.sender,
        payer=about.facts.terms.payer,
        principal=session.sender,
    )


def settled_error(about: Subject, action: str) -> MilepostError:
    """The contract's AlreadySettled, with how it ended."""
    settled = about.facts.settled
    assert settled is not None, "only asked of settled milestones"
    return contract_error(
        "AlreadySettled",
        f"{sentence(about.name)} is settled already: nothing is left to {action}",
        cause=f"{about.explained.sentence} (transaction {settled.tx})",
        money=f"nothing moved now; it was {'moved elsewhere' if settled.went_to else 'paid out'} before",
        hint=f"`milepost show {hex0x(about.view.id)}` shows who received what",
    )
