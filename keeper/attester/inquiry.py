"""One inquiry into one case: read documents, ask sources, remember one's own past. All its input and output is here.

It runs beside the loop and decides nothing that is signed there and then: its report goes back to the loop, which looks
at the chain once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from keeper.attester.case import Case
from keeper.attester.decide import RULE, Abstain, Verdict, decide, missing_deliverable, unfit
from keeper.attester.evidence import Evidence
from keeper.attester.library import Library
from keeper.attester.sources import ask, criteria_fault, deliverable_fault
from keeper.attester.sources.http import Fetcher
from keeper.errors import MilepostError
from keeper.protocol.documents import Criteria, parse_criteria, parse_deliverable
from keeper.protocol.types import Address
from keeper.relay.client import RelayClient
from keeper.relay.message import AttestationMessage
from keeper.relay.wire import to_hex

PAGE = 100
MAX_PAGES = 50
"""Pages of one agreement's attestations that are read of one relay; an honest one has a few lines."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What an inquiry found: an outcome with its evidence, and signatures of this key that a relay showed."""

    case: Case
    outcome: Verdict | Abstain
    evidence: dict[str, Any] = field(default_factory=dict)
    own: tuple[AttestationMessage, ...] = ()
    needs_submission: bool = False
    """The milestone is not submitted and its criteria need a submission: nothing to do until the chain moves."""


@dataclass(frozen=True, slots=True)
class Inquirer:
    """Makes inquiries for one attester; holds no state of its own."""

    member: Address
    library: Library
    fetcher: Fetcher
    relays: Sequence[RelayClient]

    def inquire(self, case: Case, head_time: int) -> Report:
        """Look into one case at the chain's time `head_time`; MilepostError only where the database fails."""
        criteria = self._criteria(case)
        if isinstance(criteria, Abstain):
            return Report(case, criteria)
        if not case.submitted and criteria.needs():
            return Report(case, Abstain("nothing was submitted yet"), needs_submission=True)
        fields = self._fields(case, criteria, head_time)
        if isinstance(fields, Abstain):
            return Report(case, fields)
        evidence: list[Evidence] = []
        if isinstance(fields, Verdict):
            outcome: Verdict | Abstain = fields
        else:
            evidence = [ask(self.fetcher, source, fields) for source in criteria.sources]
            outcome = decide(criteria, case.submitted, evidence)
        record = _record(case, criteria, fields if isinstance(fields, dict) else {}, evidence, outcome, head_time)
        if isinstance(outcome, Abstain):
            return Report(case, outcome, record)
        own = self._own(case)
        if own is None:
            return Report(case, Abstain("no relay answers, so nobody can say whether this key has judged this before"))
        return Report(case, outcome, record, own)

    def _criteria(self, case: Case) -> Criteria | Abstain:
        name = case.view.part.milestone.criteria
        found = self.library.find(name)
        if found.envelope is None:
            return Abstain(f"the criteria {to_hex(name)} are nowhere to be read: {found.reason}")
        try:
            criteria = parse_criteria(found.envelope.content)
        except MilepostError as error:
            return Abstain(f"the criteria {to_hex(name)} cannot be judged by: {error.cause}")
        fault = criteria_fault(criteria)
        return Abstain(f"the criteria {to_hex(name)} cannot be judged by: {fault}") if fault else criteria

    def _fields(self, case: Case, criteria: Criteria, head_time: int) -> dict[str, str] | Verdict | Abstain:
        """What the deliverable names, or what its absence or its faults mean."""
        if not case.submitted:
            return {}
        found = self.library.find(case.deliverable)
        if found.envelope is None:
            since, window = case.view.state.since, case.view.terms.review_window
            return missing_deliverable(found.search, since, window, head_time)
        try:
            fields = dict(parse_deliverable(found.envelope.content).fields)
        except MilepostError as error:
            return unfit(f"{error.title} ({error.cause})")
        fault = deliverable_fault(criteria, fields)
        return unfit(fault) if fault else fields

    def _own(self, case: Case) -> tuple[AttestationMessage, ...] | None:
        """Signatures of this key on this agreement that relays show; None when no relay answers."""
        found: list[AttestationMessage] = []
        answered = False
        for relay in self.relays:
            try:
                found += self._listed(relay, case.view.agreement)
                answered = True
            except MilepostError as error:
                if error.code != "RELAY_UNREACHABLE":
                    answered = True  # it answered, and has nothing to show
        return tuple(found) if answered else None

    def _listed(self, relay: RelayClient, agreement: bytes) -> list[AttestationMessage]:
        found: list[AttestationMessage] = []
        after = 0
        for _ in range(MAX_PAGES):
            lines = relay.attestations(after=after, limit=PAGE, agreement=agreement).attestations
            own = [line.attestation for line in lines if line.attestation.signer == self.member]
            found += [message for message in own if _signed_by_us(relay, message)]
            if len(lines) < PAGE:
                break
            after = lines[-1].seq
        return found


def _signed_by_us(relay: RelayClient, message: AttestationMessage) -> bool:
    """Whether the signature is true; a relay that invents one is named and not believed."""
    try:
        message.check_signature()
    except MilepostError as error:
        _log.warning("relay_shows_false_signature", relay=relay.url, cause=error.cause)
        return False
    return True


def _record(
    case: Case,
    criteria: Criteria,
    fields: dict[str, str],
    evidence: Sequence[Evidence],
    outcome: Verdict | Abstain,
    head_time: int,
) -> dict[str, Any]:
    """What is stored beside a verdict, so that anyone can judge again from the same words."""
    return {
        "rule": RULE,
        "criteria": to_hex(case.view.part.milestone.criteria),
        "agree": criteria.rule.agree,
        "of": len(criteria.sources),
        "deliverable": fields,
        "block": case.view.changed_hash,
        "head_time": head_time,
        "sources": [e.record() for e in evidence],
        "trace": list(outcome.trace),
    }
