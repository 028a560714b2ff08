"""What is done to one milestone: approve, waive, dispute, rule, settle (docs/protocol.md section 4)."""

from __future__ import annotations

from typing import Any

from keeper.commands.context import Session
from keeper.commands.explain import CAUSES, shares_sentence
from keeper.commands.plan import Call, Plan, Preview
from keeper.commands.rights import roles_of
from keeper.commands.subject import Subject, act_request, check_turn, request_of, settled_error
from keeper.commands.words import hex0x, money, percent, utc
from keeper.ledger import views
from keeper.outbox.batch import MILESTONE_GAS
from keeper.protocol.due import settle_bps
from keeper.protocol.machine import standing_after_dispute
from keeper.protocol.types import ALL_BPS, ZERO_ADDRESS, Bps, Cause, Status

FINAL = "this is final: nothing can take it back"


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
        raise settled_error(about, "rule on")
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
