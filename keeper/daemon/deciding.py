"""One pass of decisions over the ledger: ask policy, write down what is new, plan what is allowed."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from keeper.daemon.observe import Candidate, Spending, candidates, complete
from keeper.ledger import views
from keeper.outbox import Outbox
from keeper.outbox.states import IN_FLIGHT, IntentState
from keeper.policy.frame import Decision, decide
from keeper.policy.inputs import Outcome, Policy
from keeper.policy.record import record
from keeper.protocol.types import Address

log = structlog.get_logger("keeper")

FIRST_REST_S, LONGEST_REST_S = 1.0, 300.0
"""How long a milestone rests after the contract refused what the ledger holds for due; doubled each time."""

DUE_AT_ONCE = 200
"""Due milestones looked at in one pass; the rest come with the next passes, and then it begins again: what is refused
for good, such as a refund without a tip, must never stand before everything else."""

MANY_RESTS = 10_000
"""Beyond this, rests that are over are forgotten."""


@dataclass(slots=True)
class Rest:
    """A milestone's action that was planned and refused: when it may be planned again, in monotonic seconds."""

    until: float
    seconds: float


class Decider:
    """Decides for one account; remembers only which refusals to let rest, and how far it has looked."""

    def __init__(self, account: Address, policy: Policy, outbox: Outbox) -> None:
        self._account = account
        self._policy = policy
        self._outbox = outbox
        self._rests: dict[tuple[bytes, str], Rest] = {}
        self._looked_at: views.MilestoneView | None = None

    @property
    def halfway(self) -> bool:
        """Whether due milestones are left that only the next pass looks at."""
        return self._looked_at is not None

    def decide(self, conn: Connection) -> int:
        """Decide on what the ledger and the relay show, inside the caller's transaction.

        Returns how many intents were planned. What is in flight is left alone: the outbox watches it.
        """
        place = views.place(conn)
        if place is None:
            return 0
        spent, in_flight = self._outbox.spending(conn, place.head.time)
        due = views.due_before(conn, place.head.time, DUE_AT_ONCE, self._looked_at)
        self._looked_at = due[-1] if len(due) == DUE_AT_ONCE else None
        planned = 0
        for candidate in candidates(conn, due, place, self._account, self._policy, Spending(spent, in_flight)):
            planned += self._one(conn, candidate, place)
        return planned

    def _one(self, conn: Connection, candidate: Candidate, place: views.Place) -> bool:
        before = self._outbox.state(conn, candidate.request)
        ident = self._outbox.intent_id(candidate.request)
        if before in IN_FLIGHT or not self._rested(ident, candidate, before):
            return False
        decision = decide(candidate.inputs, self._policy)
        anew = False
        if decision.outcome == Outcome.ALLOW:
            self._outbox.enqueue(conn, complete(candidate), head_number=place.head.number)
            after = self._outbox.state(conn, candidate.request)
            if after in (IntentState.DONE, IntentState.DROPPED):
                return False  # the ledger is older than what a final block shows
            anew = before in (IntentState.DONE, IntentState.DROPPED)
        if record(conn, ident, decision, candidate.inputs, place.head, anew=anew):
            _tell(candidate, decision)
        return anew or (before is None and decision.outcome == Outcome.ALLOW)

    def _rested(self, ident: bytes, candidate: Candidate, before: IntentState | None) -> bool:
        """Whether a refusal lies back far enough to try again; a milestone that moved since begins afresh."""
        key = (ident, candidate.inputs.changed_hash)
        if before != IntentState.DROPPED:
            self._rests.pop(key, None)
            return True
        now = time.monotonic()
        if len(self._rests) > MANY_RESTS:
            self._rests = {key: rest for key, rest in self._rests.items() if rest.until > now}
        rest = self._rests.get(key)
        if rest is None:
            self._rests[key] = Rest(now + FIRST_REST_S, FIRST_REST_S)
            return True
        if now < rest.until:
            return False
        rest.seconds = min(2 * rest.seconds, LONGEST_REST_S)
        rest.until = now + rest.seconds
        return True


def _tell(candidate: Candidate, decision: Decision) -> None:
    log.info(
        "decided",
        action=candidate.inputs.action,
        agreement=candidate.inputs.agreement,
        milestone=candidate.inputs.milestone,
        outcome=decision.outcome.value,
        rule=decision.trace[-1].rule,
        reason=decision.reason,
    )
