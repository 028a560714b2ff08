"""The invariants of docs/protocol.md section 8 as checks of what was seen: events, views and balances, not the model.

The check of contract against model is `fuzz_pair`; these hold even where both would be wrong in the same way. Numbers
are those of the list there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fuzz_evm import Log
from fuzz_money import MoneyWatch
from fuzz_notes import Notes, bits_of
from fuzz_pair import Pair
from fuzz_proofs import signers_of
from fuzz_views import Act, Row, Sight

from keeper.protocol.encoding import attestation_digest
from keeper.protocol.machine import Action, possible
from keeper.protocol.types import ZERO_ADDRESS, AgreementId, Cause, Part, Status
from keeper.protocol.world import Attest, Multicall, Settle

F, S, A, D = (status.value for status in Status)
STEPS = {(F, S), (F, A), (S, A), (S, F), (A, D), (F, D), (S, D)}
"""Where a milestone's word may go; (F, F) and (S, S) are no moves."""
CONSENT = {Cause.APPROVED, Cause.WAIVED, Cause.AGREED, Cause.RULED}
TRAILS = {
    Cause.ATTESTED: {"Attested"},
    Cause.RULED: {"Disputed"},
    Cause.UNRULED: {"Disputed"},
    Cause.UNREVIEWED: {"Submitted"},
    Cause.LAPSED: {"Funded", "Rejected"},
}
"""The last event of a milestone before a cause that needs one."""
AFTER_LATEST = {"Approve", "Waive", "Agree", "Settle", "SettleMany"}
"""And Amend, which carries no part."""


class Watch:
    """Looks at every act; keeps what each invariant has to remember."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.checked: Counter[int] = Counter()
        self._notes = Notes()
        self._trail = self._notes.trail
        self._money = MoneyWatch(pair, self._notes, self.check)

    def after(self, act: Act) -> None:
        """Check all that this act bears on."""
        self._notes.take(act.events)
        if not act.worked:
            self._due_and_settle_agree(act)
            return
        self._money.after(act)
        self._three_seven(act)
        self._four(act)
        self._five(act)
        self._six(act)
        self._ten(act)
        self._twelve()
        self._due_and_settle_agree(act)
        self._fifteen(act)
        self._sixteen(act)
        self._twenty(act)

    def check(self, number: int, holds: bool, what: str) -> None:
        """One invariant, once."""
        self.checked[number] += 1
        if not holds:
            self.pair.story.fail(f"invariant {number} of docs/protocol.md section 8 is broken: {what}")

    def _three_seven(self, act: Act) -> None:
        """3: along the table only, bits never clear, attempt and since never fall; 7: and nothing beside it moves."""
        flat = act.order.flat()
        meant = {(self.pair.owner(part), part.index) for one in flat for part in one.parts()}
        meant |= {(log.args[0], i) for log in act.events if log.name == "Amended" for i in bits_of(log.args[2])}
        funded = {log.args[0] for log in act.events if log.name == "Funded"}
        for id_, before, after in _changes(act):
            self.check(3, before.funded & ~after.funded == 0 == before.closed & ~after.closed, "a bit was cleared")
            self.check(3, after.closed & ~after.funded == 0, "what was never funded is closed")
            for index, row in after.rows.items():
                old = before.rows.get(index)
                if old is None or old == row:
                    continue
                closed, was_closed = bool(after.closed >> index & 1), bool(before.closed >> index & 1)
                one_step = len(flat) == 1
                fits = _may_follow(old, row, closed, was_closed) if one_step else _never_falls(old, row, was_closed)
                self.check(3, fits, f"milestone {index} went from {old} to {row}")
                beside = (id_, index) not in meant and id_ not in funded
                self.check(7, not beside, f"milestone {index} moved by a call about another")

    def _four(self, act: Act) -> None:
        """4: every closed milestone has one `Settled`, behind the trail of its cause, or is in one `Amended`."""
        for log in _settled(act):
            trail, cause = self._trail[log.args[0], log.args[1]], Cause(log.args[2])
            self.check(4, _endings(trail) == 1, f"ended {_endings(trail)} times")
            wanted = TRAILS.get(cause)
            self.check(4, wanted is None or trail[-2] in wanted, f"{cause.name} after {trail[-2]}")
        for id_, sight in act.seen_after.items():
            if act.seen_before.get(id_) is sight:
                continue
            for index in range(sight.funded.bit_length()):
                endings = _endings(self._trail[id_, index])
                self.check(4, endings == sight.closed >> index & 1, f"milestone {index} has {endings} ends")

    def _five(self, act: Act) -> None:
        """5: nothing leaves while it may still be disputed or ruled, but by consent or ruling."""
        for log in _settled(act):
            held = act.before.agreements.get(log.args[0])
            state = held.open_state(log.args[1]) if held else None
            if held is None or state is None:  # funded by this very call: several at once
                self.check(5, isinstance(act.order.call, Multicall), "what was not open has settled")
                continue
            milestone = held.agreement.milestones[log.args[1]]
            rows = possible(held.agreement.terms, milestone, state, act.now)
            contested = any(row.action in (Action.DISPUTE, Action.RULE) for row in rows)
            fits = not contested or Cause(log.args[2]) in CONSENT or held.agreement.terms.arbiter == ZERO_ADDRESS
            self.check(5, fits, f"{Cause(log.args[2]).name} while it could be disputed")

    def _six(self, act: Act) -> None:
        """6: after `latest` only consent and `settle` succeed; one dispute a milestone. (Liveness: `drain`.)"""
        for name, part in ((one.name, part) for one in act.order.flat() for part in one.parts()):
            id_ = self.pair.owner(part)
            assert id_ is not None
            over = act.now >= act.seen_after[id_].rows[part.index].latest
            self.check(6, not over or name in AFTER_LATEST, f"{name} after `latest`")
            disputes = self._trail[id_, part.index].count("Disputed")
            self.check(6, disputes <= 1, f"disputed {disputes} times")

    def _ten(self, act: Act) -> None:
        """10: a verdict that passed carries M distinct members' signatures over one digest."""
        for order in act.order.flat():
            if isinstance(order.call, Attest):
                self._quorum_signed(order.call, order.proof)

    def _quorum_signed(self, call: Attest, proof: bytes) -> None:
        stage, terms, id_ = self.pair.stage, call.part.terms, self.pair.owner(call.part)
        assert id_ is not None
        index, verdict = call.part.index, call.attestation
        digest = attestation_digest(stage.verifier_domain, stage.escrow, id_, terms.quorum, index, verdict)
        m, n, head = proof[0], proof[1], proof[2:]
        members = {"0x" + head[20 * i : 20 * i + 20].hex() for i in range(n)}
        signed = {who.lower() for who in signers_of(digest, proof)} & members
        self.check(10, len(signed) >= m and 2 * m > n, f"{len(signed)} of {m} members signed")

    def _twelve(self) -> None:
        """12: a re-entrant call reverts, and the outer one ends as with a receiver that swallows or passes that on."""
        for wallet, mood in self.pair.books.moods.items():
            if mood == "Reenter":
                self.check(12, not self.pair.views.reentered(wallet), "a call back into the escrow worked")

    def _due_and_settle_agree(self, act: Act) -> None:
        """14: ready means that settle succeeds with just that share and cause; not ready, that it reverts."""
        if not isinstance(act.order.call, Settle) or act.order.value:
            return
        id_, index = self.pair.owner(act.order.call.part), act.order.call.part.index
        if id_ not in act.seen_before or index not in act.seen_before[id_].rows:
            return
        cause, share, ready_at = act.seen_before[id_].rows[index].due
        self.check(14, act.worked == (act.now >= ready_at), f"ready at {ready_at}, settled: {act.worked}")
        if act.worked:
            (log,) = _settled(act)
            paid = (log.args[2], log.args[4] + log.args[6] + log.args[7])
            self.check(14, paid == (cause, share), f"due said {(cause, share)}, settle did {paid}")

    def _fifteen(self, act: Act) -> None:
        """15: with a verifier a dispute changes nothing of what silence pays."""
        for log in act.events:
            if log.name != "Disputed":
                continue
            id_, index = log.args[0], log.args[1]
            if act.before.agreements[id_].agreement.terms.verifier == ZERO_ADDRESS:
                continue
            shares = [seen[id_].rows[index].due[1] for seen in (act.seen_before, act.seen_after)]
            self.check(15, shares[0] == shares[1], f"silence paid {shares[0]}, now {shares[1]}")

    def _sixteen(self, act: Act) -> None:
        """16: no party makes a timely verdict unusable, except by consent, by a submission, or against a rejection."""
        names = {one.name for one in act.order.flat()}
        for id_, before, after in _changes(act):
            terms = self.pair.world.agreements[id_].agreement.terms
            if act.order.caller not in (terms.payer, terms.payee):
                continue
            for index, row in after.rows.items():
                old = before.rows.get(index)
                part = self.pair.part(id_, index)
                if old is None or not _judgeable(part, old, before.open(index), act.now):
                    continue
                rejected = names == {"Dispute"} and old.attempt > 0 and act.order.caller == terms.payee
                excused = rejected or names & {"Approve", "Waive", "Agree", "Amend", "Attest", "Submit"}
                same = (row.attempt, row.deliverable, row.status) == (old.attempt, old.deliverable, old.status)
                usable = same and after.open(index)
                self.check(16, usable or bool(excused), f"{act.order.name} took milestone {index} from its quorum")

    def _twenty(self, act: Act) -> None:
        """20: a submission never makes a state in which a rejection could not be stored."""
        for log in act.events:
            if log.name == "Submitted":
                self.check(20, log.args[2] < 255, f"submission {log.args[2]} could not be rejected")


def _endings(trail: list[str]) -> int:
    return sum(name.startswith("Settled") or name == "Amended" for name in trail)


def _judgeable(part: Part, row: Row, is_open: bool, now: int) -> bool:
    """Whether a verdict could come now (docs/protocol.md section 4)."""
    if not is_open or part.terms.verifier == ZERO_ADDRESS or row.status not in (F, S):
        return False
    return now <= (part.milestone.submit_by if row.status == F else row.since + part.terms.review_window)


def _settled(act: Act) -> list[Log]:
    return [log for log in act.events if log.name == "Settled"]


def _changes(act: Act) -> Iterator[tuple[AgreementId, Sight, Sight]]:
    """Agreements that were looked at again."""
    for id_, before in act.seen_before.items():
        if before is not act.seen_after[id_]:
            yield id_, before, act.seen_after[id_]


def _may_follow(old: Row, new: Row, closed: bool, was_closed: bool) -> bool:
    """Whether a milestone's views may change like this (docs/protocol.md section 4)."""
    word = [(r.status, r.attempt, r.since, r.deliverable, r.standing, r.latest) for r in (old, new)]
    if was_closed or closed:  # settling leaves the word as it stood; settled never changes
        return word[0] == word[1] and (new.due[0] == 0) and not was_closed
    if word[0] == word[1]:
        return old.due[0] == 0  # funded just now
    rejected = (old.status, new.status) == (S, F)
    fits = (old.status, new.status) in STEPS and new.attempt == old.attempt + rejected
    return fits and new.since >= old.since and (old.status, new.status, old.attempt) != (F, D, 0)


def _never_falls(old: Row, new: Row, was_closed: bool) -> bool:
    """What several steps in one call keep."""
    return new.attempt >= old.attempt and new.since >= old.since and not was_closed
