"""What `show` and `list` know, as JSON: amounts as decimal strings with decimals, times in RFC 3339. Pure."""

from __future__ import annotations

from typing import Any

from keeper.commands.explain import Explanation, Facts, Settled
from keeper.commands.rights import Right, roles_of
from keeper.commands.show import Shown
from keeper.commands.words import Currency, hex0x, number, rfc3339
from keeper.protocol.types import ZERO_ADDRESS


def amount(units: int, currency: Currency) -> dict[str, Any]:
    """Money for machines: exact units as text, how many decimals they have, and the same for people."""
    return {
        "units": str(units),
        "decimals": currency.decimals,
        "symbol": currency.symbol,
        "text": number(units, currency.decimals),
    }


def agreement_json(shown: Shown) -> dict[str, Any]:
    """One agreement, everything."""
    terms, quorum = shown.view.agreement.terms, shown.quorum
    return {
        "agreement": hex0x(shown.view.id),
        "title": shown.title or None,
        "chain_id": shown.view.chain,
        "escrow": shown.view.escrow,
        "payer": terms.payer,
        "payee": terms.payee,
        "arbiter": _or_none(terms.arbiter),
        "token": terms.token,
        "names": dict(shown.names),
        "verifier": _or_none(terms.verifier),
        "quorum": {
            "hash": hex0x(terms.quorum),
            "threshold": quorum.m if quorum else None,
            "members": list(quorum.members) if quorum else None,
        }
        if terms.verifier != ZERO_ADDRESS
        else None,
        "review_window_s": terms.review_window,
        "challenge_window_s": terms.challenge_window,
        "ruling_window_s": terms.ruling_window,
        "unreviewed_bps": terms.unreviewed_bps,
        "unruled_bps": terms.unruled_bps,
        "fee_bps": terms.fee_bps,
        "fee_to": _or_none(terms.fee_to),
        "tip": amount(terms.tip, shown.currency),
        "document": hex0x(terms.document),
        "open": amount(shown.open_units, shown.currency),
        "came_from": hex0x(shown.view.opened_by.source) if shown.view.opened_by else None,
        "accepted_at": rfc3339(shown.view.accepted.time) if shown.view.accepted else None,
        "next_at": rfc3339(shown.next_at) if shown.next_at else None,
        "viewer": {"address": shown.viewer, "roles": list(roles_of(terms, shown.viewer))} if shown.viewer else None,
        "head": head_json(shown),
        "milestones": [milestone_json(facts, explained) for facts, explained in shown.milestones],
    }


def summary_json(shown: Shown) -> dict[str, Any]:
    """One agreement as `list` has it."""
    terms = shown.view.agreement.terms
    return {
        "agreement": hex0x(shown.view.id),
        "payer": terms.payer,
        "payee": terms.payee,
        "roles": list(roles_of(terms, shown.viewer)),
        "milestones": len(shown.view.milestones),
        "open_milestones": sum(m.open for m in shown.view.milestones),
        "open": amount(shown.open_units, shown.currency),
        "next_at": rfc3339(shown.next_at) if shown.next_at else None,
    }


def head_json(shown: Shown) -> dict[str, Any]:
    """The block that an answer is about."""
    head = shown.head
    return {
        "number": head.number,
        "hash": head.hash,
        "time": rfc3339(head.time),
        "finalized_number": shown.finalized,
    }


def milestone_json(facts: Facts, explained: Explanation) -> dict[str, Any]:
    """One milestone with its explanation."""
    state, following, unmet = facts.state, explained.next, explained.unmet
    return {
        "index": facts.index,
        "label": facts.label or None,
        "amount": amount(facts.milestone.amount, facts.currency),
        "submit_by": rfc3339(facts.milestone.submit_by),
        "criteria": hex0x(facts.milestone.criteria),
        "status": explained.status,
        "sentence": explained.sentence,
        "attempt": state.attempt if state else None,
        "since": rfc3339(state.since) if state and state.since else None,
        "standing_bps": state.standing_bps if state else None,
        "conditions": [{"text": c.text, "met": c.met, "value": c.value, "who": c.who} for c in explained.conditions],
        "unmet": {"text": unmet.text, "value": unmet.value, "who": unmet.who} if unmet else None,
        "next": {
            "cause": following.cause.name.lower(),
            "at": rfc3339(following.at),
            "ready": following.ready,
            "who": "anyone",
            "outcome": following.outcome,
        }
        if following
        else None,
        "if_nobody_acts": explained.idle,
        "may": [_right_json(right, facts.now) for right in explained.rights],
        "settlement": settlement_json(facts.settled, facts.currency) if facts.settled else None,
    }


def settlement_json(settled: Settled, currency: Currency) -> dict[str, Any]:
    """How a milestone ended."""
    return {
        "cause": settled.cause.name.lower(),
        "payee_bps": settled.payee_bps,
        "to_payee": amount(settled.to_payee, currency),
        "to_payer": amount(settled.to_payer, currency),
        "fee": amount(settled.fee, currency),
        "tip": amount(settled.tip, currency),
        "went_to": settled.went_to or None,
        "executor": settled.executor,
        "transaction": settled.tx,
        "block": settled.block,
    }


def _right_json(right: Right, now: int) -> dict[str, Any]:
    return {
        "who": right.role,
        "action": right.action,
        "now": right.open_at(now),
        "from": rfc3339(right.opens) if right.opens else None,
        "until": None if right.until is None else rfc3339(right.until),
    }


def _or_none(address: str) -> str | None:
    return None if address == ZERO_ADDRESS else address
