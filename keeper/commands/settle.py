"""Settle everything of one agreement that is due, by hand."""

from __future__ import annotations

from keeper.commands.acts import plan_settle
from keeper.commands.context import Session
from keeper.commands.find import find_agreement
from keeper.commands.plan import Plan, Preview
from keeper.commands.request import Request
from keeper.commands.subject import subject
from keeper.commands.words import hex0x, milestone_name, short, when
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.ledger.views import AgreementView


def plan_settle_all(session: Session, text: str, place: views.Place) -> Plan:
    """One call for each milestone that is due; NOT_DUE with the next date where none is."""
    view = find_agreement(session, text)
    now, name = place.head.time, short(hex0x(view.id))
    waiting = [m for m in view.milestones if m.open]
    due = [m.index for m in waiting if m.due.ready_at <= now]
    if waiting and not due:
        first = min(waiting, key=lambda m: m.due.ready_at)
        raise MilepostError(
            "NOT_DUE",
            f"Nothing of {name} can be settled yet",
            cause=f"{milestone_name(first.index)} is the first: {when(first.due.ready_at, now)}",
            money=f"nothing moved; {len(waiting)} milestone{'s' * (len(waiting) > 1)} stay locked",
            hint=f"`milepost show {hex0x(view.id)}` shows each clock",
        )
    plans = [plan_settle(session, subject(session, hex0x(view.id), index, place)) for index in due]
    facts = [(milestone_name(p.index or 0), dict(p.preview.facts)["pays"]) for p in plans]
    return Plan(
        command="settle",
        run_id=_request(session, view).run_id,
        sender=session.sender,
        chain_id=session.deployment.chain_id,
        preview=Preview(f"Settle what is due of {name}", (*facts, ("sent by", session.sender))),
        question="Settle it?",
        calls=tuple(call for plan in plans for call in plan.calls),
        head_number=place.head.number,
        agreement=view.id,
        done="" if due else "every milestone is settled already",
    )


def _request(session: Session, view: AgreementView) -> Request:
    return Request(
        command="settle",
        arguments={"agreement": hex0x(view.id), "milestone": None},
        chain_id=session.deployment.chain_id,
        escrow=view.escrow,
        caller=session.sender,
        payer=view.agreement.terms.payer,
        principal=session.sender,
    )
