"""What is done to one milestone: approve, waive, dispute, rule, settle (docs/protocol.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keeper.chain.abi import contract
from keeper.commands.context import Session
from keeper.commands.explain import CAUSES, Explanation, Facts, explain, shares_sentence
from keeper.commands.facts import facts_of, quorum_of
from keeper.commands.find import find_agreement, milestone_of
from keeper.commands.labels import titles_of
from keeper.commands.plan import Call, Plan, Preview
from keeper.commands.refusals import contract_error, not_now, not_your_role
from keeper.commands.request import Request
from keeper.commands.rights import ANYONE, ATTESTERS, holders, roles_of
from keeper.commands.words import hex0x, money, percent, short, utc
from keeper.ledger import views
from keeper.ledger.views import AgreementView, MilestoneView
from keeper.outbox.batch import MILESTONE_GAS
from keeper.outbox.intents import IntentRequest
from keeper.protocol.due import settle_bps
from keeper.protocol.encoding import part_to_abi
from keeper.protocol.machine import standing_after_dispute
from keeper.protocol.types import ALL_BPS, ZERO_ADDRESS, Bps, Cause, Status

FINAL = "this is final: nothing can take it back"


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


def plan_approve(session: Session, about: Subject) -> Plan:
    """The payer pays the milestone in full."""
    done = _check(session, about, "approve", Cause.APPROVED)
    shares = shares_sentence(about.facts, ALL_BPS, with_tip=False)
    facts = (("pays", shares), ("note", FINAL))
    return _plan(session, about, "approve", facts, "Approve it?", done=done, moves=True)


def plan_waive(session: Session, about: Subject) -> Plan:
    """The payee gives the milestone back in full."""
    done = _check(session, about, "waive", Cause.WAIVED)
    facts = (("pays", shares_sentence(about.facts, 0, with_tip=False)), ("note", FINAL))
    return _plan(session, about, "waive", facts, "Give it back?", done=done, moves=True)


def plan_dispute(session: Session, about: Subject, data: str) -> Plan:
    """A party takes the milestone to the arbiter."""
    terms, state = about.facts.terms, about.facts.state
    done = _disputed_by(session, about)
    if not done:
        done = _check(session, about, "dispute", None)
    bps = standing_after_dispute(terms, state) if state else 0
    by = about.facts.now + terms.ruling_window
    facts = (
        ("asks", f"the arbiter {terms.arbiter} to rule until about {utc(by)}"),
        ("if it does not", f"{percent(bps)} stands: {shares_sentence(about.facts, bps, with_tip=True)}"),
        ("worst case", _worst_of_dispute(about)),
        ("note", "a milestone can be disputed once"),
    )
    return _plan(session, about, "dispute", facts, "Dispute it?", data.encode(), done=done)


def plan_rule(session: Session, about: Subject, bps: Bps) -> Plan:
    """The arbiter decides the disputed milestone."""
    settled = about.facts.settled
    if settled and settled.cause == Cause.RULED and settled.payee_bps != bps:
        raise _settled_error(about, "rule on")
    done = _check(session, about, "rule", Cause.RULED)
    facts = (
        ("rules", f"{percent(bps)} to the payee"),
        ("pays", shares_sentence(about.facts, bps, with_tip=False)),
        ("note", FINAL),
    )
    return _plan(session, about, "rule", facts, f"Rule {percent(bps)}?", bps, done=done, moves=True)


def plan_settle(session: Session, about: Subject) -> Plan:
    """Anyone lets a clock that ran out do what the terms say."""
    settled = about.facts.settled
    done = f"it was settled already, because {CAUSES[settled.cause]}" if settled else ""
    if not done:
        _check(session, about, "settle", None)
    state, following = about.facts.state, about.explained.next
    bps = settle_bps(about.facts.terms, state) if state else 0
    facts = (
        ("because", CAUSES[following.cause] if following else "it is over"),
        ("pays", shares_sentence(about.facts, bps, with_tip=True)),
        ("note", FINAL),
    )
    return _plan(session, about, "settle", facts, "Settle it?", done=done, moves=True)


def check_turn(session: Session, about: Subject, action: str) -> None:
    """NOT_AUTHORISED for another's turn, NOT_DUE or the contract's refusal for the wrong time, in the clock's words."""
    terms, facts = about.facts.terms, about.facts
    if facts.settled:
        raise _settled_error(about, action)
    if facts.state is None:
        raise contract_error(
            "NotFunded",
            f"{about.name.capitalize()} is not funded",
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


def _plan(
    session: Session,
    about: Subject,
    action: str,
    facts: tuple[tuple[str, str], ...],
    question: str,
    *extra: Any,
    done: str = "",
    moves: bool = False,
) -> Plan:
    shown = tuple(x if isinstance(x, int) else hex0x(x) for x in extra)
    request = act_request(about, action, about.view.escrow, *extra, gas=MILESTONE_GAS if moves else 0)
    amount = money(about.facts.milestone.amount, about.facts.currency)
    return Plan(
        command=action,
        run_id=request_of(session, about, action, value=shown[0] if shown else None).run_id,
        sender=session.sender,
        chain_id=session.deployment.chain_id,
        preview=Preview(
            f"{action.capitalize()} {about.name}",
            (("locked", amount), *facts, ("sent by", session.sender)),
        ),
        question=question,
        calls=() if done else (Call(f"{action} {about.name}", request, moves=moves),),
        head_number=about.head_number,
        agreement=about.view.id,
        index=about.milestone.index,
        done=done,
    )


def _check(session: Session, about: Subject, action: str, cause: Cause | None) -> str:
    """Why nothing is left to do, or "" when the act is possible now; else the error that says why not."""
    settled = about.facts.settled
    if settled and settled.cause == cause:
        return f"it was settled already, because {CAUSES[settled.cause]}"
    check_turn(session, about, action)
    return ""


def _settled_error(about: Subject, action: str) -> Exception:
    settled = about.facts.settled
    assert settled is not None, "only asked of settled milestones"
    return contract_error(
        "AlreadySettled",
        f"{about.name.capitalize()} is settled already: nothing is left to {action}",
        cause=f"{about.explained.sentence} (transaction {settled.tx})",
        money="nothing moved now; it was paid out before",
        hint=f"`milepost show {hex0x(about.view.id)}` shows who received what",
    )


def _disputed_by(session: Session, about: Subject) -> str:
    """Words when the sender disputed the milestone before, and it is still disputed."""
    state = about.facts.state
    if state is None or state.status != Status.DISPUTED or about.facts.terms.arbiter == ZERO_ADDRESS:
        return ""
    from keeper.ledger.events import Disputed, decode

    with session.store.read() as conn:
        events = [decode(event) for event in views.events_of(conn, about.view.id) if event.name == "Disputed"]
    mine = [e for e in events if isinstance(e, Disputed) and e.index == about.facts.index and e.by == session.sender]
    return "you disputed it already" if mine else ""


def _worst_of_dispute(about: Subject) -> str:
    roles = roles_of(about.facts.terms, about.facts.viewer)
    worst = 0 if "payee" in roles else ALL_BPS
    return f"the arbiter rules {percent(worst)}: {shares_sentence(about.facts, worst, with_tip=False)}"
