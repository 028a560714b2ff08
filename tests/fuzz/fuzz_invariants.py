"""The invariants of docs/protocol.md section 8 as checks of what was seen: events, views and balances, not the model.

The check of contract against model is `fuzz_pair`; these hold even where both would be wrong in the same way. Numbers
are those of the list there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from fuzz_evm import Log
from fuzz_pair import Pair
from fuzz_proofs import signers_of
from fuzz_views import Act, Row, Sight

from keeper.protocol.encoding import attestation_digest
from keeper.protocol.machine import Action, possible
from keeper.protocol.types import ZERO_ADDRESS, Address, AgreementId, Cause, Status
from keeper.protocol.world import Attest, Fund, Settle, Withdraw

F, S, A, D = (status.value for status in Status)
STEPS = {(F, S), (F, A), (S, A), (S, F), (A, D), (F, D), (S, D)}
"""Where a milestone's word may go; (F, F) and (S, S) are no moves."""
CONSENT = {Cause.APPROVED, Cause.WAIVED, Cause.RULED}
TRAILS = {
    Cause.ATTESTED: {"Attested"},
    Cause.RULED: {"Disputed"},
    Cause.UNRULED: {"Disputed"},
    Cause.UNREVIEWED: {"Submitted"},
    Cause.LAPSED: {"Funded", "Rejected"},
}
"""The last event of a milestone before a cause that needs one."""
AFTER_LATEST = {"Approve", "Waive", "Settle", "SettleMany"}


class Watch:
    """Looks at every act; keeps what each invariant has to remember."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.checked: Counter[int] = Counter()
        self._paid: Counter[AgreementId] = Counter()
        self._funded: Counter[AgreementId] = Counter()
        self._trail: dict[tuple[AgreementId, int], list[str]] = defaultdict(list)
        self._credits: Counter[tuple[Address, Address]] = Counter()

    def after(self, act: Act) -> None:
        """Check all that this act bears on."""
        self._take_notes(act)
        if not act.worked:
            self._due_and_settle_agree(act)
            return
        self._one_two(act)
        self._three_seven(act)
        self._four(act)
        self._five(act)
        self._six(act)
        self._ten(act)
        self._thirteen(act)
        self._due_and_settle_agree(act)
        self._fifteen(act)
        self._eighteen(act)

    def check(self, number: int, holds: bool, what: str) -> None:
        """One invariant, once."""
        self.checked[number] += 1
        if not holds:
            self.pair.fail(f"invariant {number} of docs/protocol.md section 8 is broken: {what}")

    def _take_notes(self, act: Act) -> None:
        for log in act.events:
            match log.name:
                case "Funded":
                    mask, milestones = log.args[4], log.args[6]
                    chosen = [i for i in range(len(milestones)) if mask >> i & 1]
                    self._funded[log.args[0]] += sum(milestones[i][0] for i in chosen)
                    for index in chosen:
                        self._trail[log.args[0], index].append("Funded")
                case "Credited" | "Withdrawn":
                    pass
                case "Settled":
                    self._paid[log.args[0]] += sum(log.args[4:8])
                    self._trail[log.args[0], log.args[1]].append(f"Settled {log.args[2]}")
                case _:
                    self._trail[log.args[0], log.args[1]].append(log.name)

    def _one_two(self, act: Act) -> None:
        """1: the escrow holds what is open and credited, and gifts; 2: what was funded is paid or open, to the unit."""
        held: Counter[Address] = Counter()
        for id_, sight in act.seen_after.items():
            agreement = self.pair.world.agreements[id_].agreement
            still_open = sight.funded & ~sight.closed
            amount = sum(m.amount for i, m in enumerate(agreement.milestones) if still_open >> i & 1)
            held[agreement.terms.token] += amount
            self.check(2, self._funded[id_] == self._paid[id_] + amount, f"{self._funded[id_]} funded")
        for token in self.pair.stage.tokens:
            credit = sum(self.pair.views.credit(token, who) for who in self.pair.stage.everyone)
            balance = self.pair.books.real(token, self.pair.stage.escrow)
            expected = held[token] + credit + self.pair.books.donated[token]
            self.check(1, balance == expected, f"{balance} held, {expected} owed or given")

    def _three_seven(self, act: Act) -> None:
        """3: along the table only, bits never clear, attempt and since never fall; 7: and nothing beside it moves."""
        meant = {(self.pair.owner(part), part.index) for part in act.order.parts()}
        for id_, before, after in _changes(act):
            self.check(3, before.funded & ~after.funded == 0 == before.closed & ~after.closed, "a bit was cleared")
            self.check(3, after.closed & ~after.funded == 0, "what was never funded is closed")
            for index, row in after.rows.items():
                old = before.rows.get(index)
                if old is None or old == row:
                    continue
                fits = _may_follow(old, row, bool(after.closed >> index & 1), bool(before.closed >> index & 1))
                self.check(3, fits, f"milestone {index} went from {old} to {row}")
                beside = (id_, index) not in meant and not isinstance(act.order.call, Fund)
                self.check(7, not beside, f"milestone {index} moved by a call about another")

    def _four(self, act: Act) -> None:
        """4: every closed milestone has one `Settled`, behind the trail of its cause."""
        for log in _settled(act):
            trail, cause = self._trail[log.args[0], log.args[1]], Cause(log.args[2])
            count = sum(name.startswith("Settled") for name in trail)
            self.check(4, count == 1, f"settled {count} times")
            wanted = TRAILS.get(cause)
            self.check(4, wanted is None or trail[-2] in wanted, f"{cause.name} after {trail[-2]}")
        for id_, sight in act.seen_after.items():
            if act.seen_before.get(id_) is sight:
                continue
            for index in range(sight.funded.bit_length()):
                ended = any(name.startswith("Settled") for name in self._trail[id_, index])
                self.check(4, ended == bool(sight.closed >> index & 1), f"milestone {index} is closed without an event")

    def _five(self, act: Act) -> None:
        """5: nothing leaves while it may still be disputed or ruled, but by consent or ruling."""
        for log in _settled(act):
            held = act.before.agreements[log.args[0]]
            state, milestone = held.open_state(log.args[1]), held.agreement.milestones[log.args[1]]
            assert state is not None
            rows = possible(held.agreement.terms, milestone, state, act.now)
            contested = any(row.action in (Action.DISPUTE, Action.RULE) for row in rows)
            fits = not contested or Cause(log.args[2]) in CONSENT or held.agreement.terms.arbiter == ZERO_ADDRESS
            self.check(5, fits, f"{Cause(log.args[2]).name} while it could be disputed")

    def _six(self, act: Act) -> None:
        """6: after `latest` only consent and `settle` succeed; one dispute a milestone. (Liveness: `drain`.)"""
        for part in act.order.parts():
            id_ = self.pair.owner(part)
            assert id_ is not None
            over = act.now >= act.seen_after[id_].rows[part.index].latest
            self.check(6, not over or act.order.name in AFTER_LATEST, f"{act.order.name} after `latest`")
            disputes = self._trail[id_, part.index].count("Disputed")
            self.check(6, disputes <= 1, f"disputed {disputes} times")

    def _ten(self, act: Act) -> None:
        """10: a verdict that passed carries M distinct members' signatures over one digest."""
        call = act.order.call
        if not isinstance(call, Attest):
            return
        stage, terms, id_ = self.pair.stage, call.part.terms, self.pair.owner(call.part)
        assert id_ is not None
        index, verdict = call.part.index, call.attestation
        digest = attestation_digest(stage.verifier_domain, stage.escrow, id_, terms.quorum, index, verdict)
        m, n, head = act.order.proof[0], act.order.proof[1], act.order.proof[2:]
        members = {"0x" + head[20 * i : 20 * i + 20].hex() for i in range(n)}
        signed = {who.lower() for who in signers_of(digest, act.order.proof)} & members
        self.check(10, len(signed) >= m and 2 * m > n, f"{len(signed)} of {m} members signed")

    def _thirteen(self, act: Act) -> None:
        """13: no milestone is funded twice, and only the caller's money is taken."""
        if not isinstance(act.order.call, Fund):
            return
        (event,) = (log for log in act.events if log.name == "Funded")
        for index in range(event.args[4].bit_length()):
            funded = self._trail[event.args[0], index].count("Funded")
            self.check(13, funded <= 1, f"milestone {index} was funded {funded} times")
        takers = {log.args[0] for log in act.reply.logs if log.name == "Transfer"}
        self.check(13, takers == {act.order.caller}, f"money was taken from {takers}")

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

    def _eighteen(self, act: Act) -> None:
        """18: credits grow by a failed push of that amount, fall by their owner, whole."""
        expected = Counter(self._credits)
        for log in act.events:
            if log.name == "Credited":
                expected[log.args[0], log.args[1]] += log.args[2]
            if log.name == "Withdrawn":
                owner_took = isinstance(act.order.call, Withdraw) and log.args[1] == act.order.caller
                self.check(18, owner_took and log.args[3] == expected[log.args[0], log.args[1]], "a partial withdrawal")
                expected[log.args[0], log.args[1]] = 0
        for token in self.pair.stage.tokens:
            for who in self.pair.stage.everyone:
                self._credits[token, who] = self.pair.views.credit(token, who)
                self.check(18, self._credits[token, who] == expected[token, who], "a credit without an event")


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
