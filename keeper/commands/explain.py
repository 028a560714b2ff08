"""Why, why not, what next: one explanation of one milestone, for people and for JSON alike. Pure.

Times are block timestamps; `now` is the head's. The rules are docs/protocol.md section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from keeper.commands.conditions import Condition, conditions
from keeper.commands.rights import ARBITER, PAYEE, PAYER, Right, rights, roles_of
from keeper.commands.words import Currency, milestone_name, money, percent, when
from keeper.protocol.due import (
    challenge_end,
    due,
    review_end,
    ruling_end,
    settle_bps,
    silence_end,
)
from keeper.protocol.payout import payout
from keeper.protocol.types import ZERO_ADDRESS, Cause, Milestone, MilestoneState, Status, Terms

CAUSES = {
    Cause.NONE: "nothing",
    Cause.ATTESTED: "the attesters awarded it",
    Cause.APPROVED: "the payer approved",
    Cause.WAIVED: "the payee waived",
    Cause.AGREED: "both parties agreed on a split",
    Cause.RULED: "the arbiter ruled",
    Cause.LAPSED: "nothing acceptable was submitted in time",
    Cause.UNREVIEWED: "nobody reviewed the submission in time",
    Cause.UNRULED: "the arbiter did not rule in time",
    Cause.AMENDED: "both parties moved it to another agreement",
}
"""Why a milestone's money left, as half a sentence."""


@dataclass(frozen=True, slots=True)
class Settled:
    """How a milestone ended: its `Settled` event (docs/protocol.md section 4, Events). Amounts in token units."""

    cause: Cause
    payee_bps: int
    to_payee: int
    to_payer: int
    fee: int
    tip: int
    executor: str
    tx: str
    block: int
    went_to: str = ""
    """The agreement that its money went to, where it was moved and not paid out."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that an explanation is made from: what the chain says at one head, and who asks."""

    terms: Terms
    milestone: Milestone
    index: int
    label: str
    state: MilestoneState | None
    """None: never funded, or settled (then `settled` says how)."""
    settled: Settled | None
    now: int
    viewer: str | None
    """The address whose side the words take; None: nobody's."""
    threshold: str
    """The quorum in words, `2 of 3 attesters`, or `the attesters` where its members are not known."""
    currency: Currency


@dataclass(frozen=True, slots=True)
class Next:
    """What time alone does next."""

    cause: Cause
    at: int
    """First second at which anyone can trigger it."""
    ready: bool
    outcome: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One milestone in words, with everything that `show`, errors and JSON need."""

    name: str
    status: str
    """`unfunded`, `funded`, `submitted`, `attested`, `disputed` or `settled`."""
    sentence: str
    conditions: tuple[Condition, ...]
    next: Next | None
    rights: tuple[Right, ...]
    idle: str
    """The outcome if nobody acts, told from the viewer's side."""

    @property
    def unmet(self) -> Condition | None:
        """The first condition that is not met."""
        return next((c for c in self.conditions if not c.met), None)


def explain(facts: Facts) -> Explanation:
    """The explanation of one milestone at one head."""
    name = milestone_name(facts.index, facts.label)
    if facts.settled:
        return Explanation(name, "settled", _settled_sentence(facts, facts.settled), (), None, (), "it is over")
    open_rights = rights(facts.terms, facts.milestone, facts.state, facts.now)
    if facts.state is None:
        funded = "not funded: no money is locked"
        return Explanation(name, "unfunded", funded, (), None, open_rights, "nothing happens: no money is locked")
    following = _next(facts, facts.state)
    return Explanation(
        name=name,
        status=facts.state.status.name.lower(),
        sentence=_sentence(facts, facts.state),
        conditions=conditions(facts.terms, facts.milestone, facts.state, facts.threshold, facts.currency),
        next=following,
        rights=open_rights,
        idle=_idle(facts, following),
    )


def person(role: str, facts: Facts) -> str:
    """`you` when the viewer has the role, else `the payer` and so on; `anyone` stays itself."""
    if role in roles_of(facts.terms, facts.viewer):
        return "you"
    return role if role == "anyone" else f"the {role}"


def shares_sentence(facts: Facts, bps: int, *, with_tip: bool) -> str:
    """Who receives what when the payee's share is `bps`: `1,000.00 PLAY to the payee`, and whoever else gets some."""
    terms, currency = facts.terms, facts.currency
    split = payout(facts.milestone.amount, bps, terms.fee_bps, terms.tip, with_tip)
    parts = [
        (split.to_payee, f"to {person(PAYEE, facts)}"),
        (split.to_payer, f"back to {person(PAYER, facts)}"),
        (split.fee, "fee"),
        (split.tip, "tip to whoever sends it"),
    ]
    return ", ".join(f"{money(units, currency)} {to}" for units, to in parts if units)


def _next(facts: Facts, state: MilestoneState) -> Next:
    coming = due(facts.terms, facts.milestone, state)
    outcome = shares_sentence(facts, settle_bps(facts.terms, state), with_tip=True)
    return Next(coming.cause, coming.ready_at, coming.ready_at <= facts.now, outcome)


def _idle(facts: Facts, following: Next) -> str:
    if following.ready:
        return f"anyone can settle it now, because {CAUSES[following.cause]}: {following.outcome}"
    why = CAUSES[following.cause]
    return f"from {when(following.at, facts.now)} anyone can settle it, because {why}: {following.outcome}"


def _sentence(facts: Facts, state: MilestoneState) -> str:
    match state.status:
        case Status.FUNDED:
            return _funded_sentence(facts, state)
        case Status.SUBMITTED:
            return _submitted_sentence(facts, state)
        case Status.ATTESTED:
            return _attested_sentence(facts, state)
        case Status.DISPUTED:
            return _disputed_sentence(facts, state)


def _funded_sentence(facts: Facts, state: MilestoneState) -> str:
    payee, submit_by = person(PAYEE, facts), facts.milestone.submit_by
    in_time = facts.now <= submit_by
    if state.attempt == 0:
        until = f"until {when(submit_by, facts.now)}"
        return f"waits for {payee} to submit, {until}" if in_time else f"nothing was submitted {until}"
    words = f"submission {state.attempt - 1} was rejected by {facts.threshold}"
    more = [f"{payee} may submit again until {when(submit_by, facts.now)}"] if in_time else []
    end = challenge_end(facts.terms, state)
    if facts.terms.arbiter != ZERO_ADDRESS and facts.now <= end:
        more.append(f"{payee} may dispute the rejection until {when(end, facts.now)}")
    return "; ".join([words, *more])


def _submitted_sentence(facts: Facts, state: MilestoneState) -> str:
    terms, now = facts.terms, facts.now
    start = f"submitted {when(state.since, now)}"
    if terms.verifier == ZERO_ADDRESS:
        end = silence_end(terms, state)
        if now > end:
            return f"{start}; its review window ended {when(end, now)}"
        return f"{start}; waits for {person(PAYER, facts)} to approve, until {when(end, now)}"
    end = review_end(terms, state)
    if now <= end:
        return f"{start}; waits for a verdict of {facts.threshold}, until {when(end, now)}"
    words = f"{start}; no verdict came until {when(end, now)}"
    silent = silence_end(terms, state)
    disputable = terms.arbiter != ZERO_ADDRESS and now <= silent
    return f"{words}; either party may dispute until {when(silent, now)}" if disputable else words


def _attested_sentence(facts: Facts, state: MilestoneState) -> str:
    end = challenge_end(facts.terms, state)
    start = f"{facts.threshold} awarded {percent(state.standing_bps)} {when(state.since, facts.now)}"
    if facts.now > end:
        return f"{start}; nobody disputed it until {when(end, facts.now)}"
    return f"{start}; either party may dispute until {when(end, facts.now)}"


def _disputed_sentence(facts: Facts, state: MilestoneState) -> str:
    end = ruling_end(facts.terms, state)
    start = f"disputed {when(state.since, facts.now)}"
    if facts.now > end:
        return f"{start}; no ruling came until {when(end, facts.now)}"
    stands = f"else {percent(state.standing_bps)} stands"
    return f"{start}; {person(ARBITER, facts)} may rule until {when(end, facts.now)}, {stands}"


def _settled_sentence(facts: Facts, settled: Settled) -> str:
    if settled.cause == Cause.AMENDED:
        return f"ended because {CAUSES[settled.cause]}, {settled.went_to}: it paid nobody here"
    paid = [
        (settled.to_payee, f"to {person(PAYEE, facts)}"),
        (settled.to_payer, f"back to {person(PAYER, facts)}"),
        (settled.fee, "fee"),
        (settled.tip, "tip"),
    ]
    split = ", ".join(f"{money(units, facts.currency)} {to}" for units, to in paid if units)
    return f"settled because {CAUSES[settled.cause]}: {split}"


def right_sentence(right: Right, facts: Facts, agreement: str) -> str:
    """A right as a line for people: who, what, when, and the command that does it."""
    who = person(right.role, facts)
    opens = "" if right.opens <= facts.now else f" from {when(right.opens, facts.now)}"
    until = "" if right.until is None else f" until {when(right.until, facts.now)}"
    return f"{who} may {right.action}{opens}{until}: {command_of(right, facts.index, agreement)}"


def command_of(right: Right, index: int, agreement: str) -> str:
    """The command line that uses a right."""
    more = {"submit": " --deliverable FILE", "rule": " SHARE", "fund": ""}.get(right.action, "")
    if right.action == "fund":
        return f"milepost fund FILE --milestones {index}"
    return f"milepost {right.action} {agreement} {index}{more}"
