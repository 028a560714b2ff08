"""One attester's turn: look at the chain, inquire, decide, sign once, push (docs/keeper.md section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import structlog

from keeper.attester.backoff import Backoff
from keeper.attester.case import Case, cases, level_number, still
from keeper.attester.decide import Abstain, Verdict
from keeper.attester.guard import Guard, Signs, Subject
from keeper.attester.inquiry import Inquirer, Report
from keeper.attester.library import Library
from keeper.attester.push import Pusher
from keeper.attester.sources.http import Fetcher
from keeper.attester.workers import Done, Workers
from keeper.chain.contract_call import ContractRefused
from keeper.chain.escrow import Escrow
from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError
from keeper.ledger import views
from keeper.protocol.types import AgreementId
from keeper.relay.client import RelayClient
from keeper.store.engine import Store

FIRST_WAIT_S, MOST_WAIT_S = 1.0, 8.0
"""How long an abstention waits before the next look: sources recover, and the chain's clock goes on."""
INQUIRIES = 8
"""Cases looked into at the same time."""
_log = structlog.get_logger(__name__)


class Attester:
    """A member of quorums, over a ledger that somebody else keeps up to date."""

    def __init__(
        self,
        store: Store,
        rpc: Rpc,
        signer: Signs,
        chain_id: int,
        fetcher: Fetcher,
        relays: Sequence[RelayClient],
        finality: Literal["latest", "safe"] = "safe",
    ) -> None:
        """`chain_id` is the deployed chain's, part of every signature."""
        self._store, self._rpc, self._signer = store, rpc, signer
        self._chain_id, self._finality = chain_id, finality
        self._guard = Guard(store, signer)
        self._inquirer = Inquirer(signer.address, Library(store, relays), fetcher, relays)
        self._pusher = Pusher(store, signer.address, relays, Backoff(FIRST_WAIT_S, MOST_WAIT_S))
        self._workers: Workers[Report] = Workers(INQUIRIES)
        self._backoff = Backoff(FIRST_WAIT_S, MOST_WAIT_S)
        self._idle: set[Subject] = set()
        self._said: dict[Subject, str] = {}

    def resume(self) -> None:
        """Finish what a crash left between writing a verdict down and signing it; call it before the first tick."""
        self._guard.resume()

    def tick(self, *, judging: bool = True) -> None:
        """One turn; never waits for sources or relays. Raises RPC and database errors only.

        `judging` is off while the ledger lags behind the chain: then signatures are only pushed.
        """
        if judging:
            self._judge()
        self._pusher.tick()

    def abstaining(self) -> dict[Subject, str]:
        """The cases that wait, each with the reason given last; may be asked from another thread."""
        return dict(list(self._said.items()))

    def _judge(self) -> None:
        with self._store.read() as conn:
            head = views.head(conn)
            found = cases(conn, self._chain_id, self._signer.address, self._finality)
            open_cases = [case for case in found if self._guard.find(conn, case.subject) is None]
        for done in self._workers.collect():
            self._conclude(done, open_cases)
        self._forget(found)
        if head is not None:
            for case in open_cases:
                self._start(case, head.time)

    def _start(self, case: Case, head_time: int) -> None:
        key = case.subject
        if key in self._idle or not self._backoff.ready(key):
            return
        self._workers.start(key, lambda: self._inquirer.inquire(case, head_time))

    def _conclude(self, done: Done[Report], now: Sequence[Case]) -> None:
        report, subject = done.result, done.key
        assert isinstance(subject, Subject)
        if report is None:
            self._abstain(subject, f"the inquiry failed: {done.error!r}")
        elif report.needs_submission:
            self._idle.add(subject)
        elif isinstance(report.outcome, Abstain):
            self._abstain(subject, report.outcome.reason)
        elif not still(report.case, now):
            _log.info("case_moved_on", subject=str(subject))
        else:
            self._give(report, report.outcome)

    def _give(self, report: Report, verdict: Verdict) -> None:
        """Sign, unless the chain or this key's own past say otherwise."""
        subject = report.case.subject
        try:
            self._adopt(report)
            self._check_chain(report.case)
            self._guard.sign(subject, verdict.payout_bps, report.evidence)
        except MilepostError as error:
            if error.code in ("DATABASE_FAILED", "RPC_UNREACHABLE"):
                raise
            self._abstain(subject, str(error))
            return
        self._backoff.clear(subject)
        self._said.pop(subject, None)
        _log.info("verdict", subject=str(subject), payout_bps=verdict.payout_bps, trace=list(verdict.trace))

    def _adopt(self, report: Report) -> None:
        """Write down what relays show of this key's past, so that a lost database does not make it sign twice."""
        for message in report.own:
            try:
                self._guard.adopt(message)
            except MilepostError as error:
                if error.code != "SIGN_ONCE":
                    raise
                _log.error("key_contradicts_itself", cause=error.cause, title=error.title, hint=error.hint)

    def _check_chain(self, case: Case) -> None:
        """Ask the chain itself, at the block that counts: what is signed must not rest on a folded copy alone."""
        with self._store.read() as conn:
            place = views.place(conn)
        assert place is not None
        block = level_number(place, self._finality)
        escrow, agreement = Escrow(self._rpc, case.view.escrow), AgreementId(case.view.agreement)
        try:
            found = escrow.milestone(agreement, case.view.index, block)
            funded, closed = escrow.state(agreement, block)
        except ContractRefused as refused:
            raise refused.to_error(f"The escrow does not tell of {case.subject}") from refused
        bit = 1 << case.view.index
        if found != case.view.state or not funded & bit or closed & bit:
            raise MilepostError(
                "LEDGER_DIFFERS",
                f"The chain shows {case.subject} in another state than the ledger",
                cause=f"expected {case.view.state}, found {found} at block {block}",
            )

    def _abstain(self, subject: Subject, reason: str) -> None:
        """Wait and look again; said once for as long as the reason stays the same."""
        wait = self._backoff.failed(subject)
        say = _log.debug if self._said.get(subject) == reason else _log.warning
        self._said[subject] = reason
        say("abstained", subject=str(subject), reason=reason, retry_in_s=wait)

    def _forget(self, found: Sequence[Case]) -> None:
        """Drop what is remembered of cases that are gone, so that nothing grows with time."""
        subjects = {case.subject for case in found}
        self._backoff.keep_only(set(subjects))
        self._idle &= subjects
        self._said = {subject: reason for subject, reason in self._said.items() if subject in subjects}
