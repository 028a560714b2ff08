"""Invariants of docs/protocol.md section 8 about money: where it is, whose it is, who may be made to pay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from fuzz_evm import Log
from fuzz_notes import Notes
from fuzz_orders import Order
from fuzz_pair import Pair
from fuzz_views import Act

from keeper.protocol.types import Address, sum_of
from keeper.protocol.world import Amend, Fund, FundWithAuthorization, FundWithPermit

Check = Callable[[int, bool, str], None]
FUNDS = Fund | FundWithAuthorization | FundWithPermit
"""Calls that do nothing but pay in."""


class MoneyWatch:
    """Looks at every act that worked."""

    def __init__(self, pair: Pair, notes: Notes, check: Check) -> None:
        self._pair, self._notes, self._check = pair, notes, check
        self._credits: Counter[tuple[Address, Address]] = Counter()
        self._held: Counter[Address] = Counter()

    def after(self, act: Act) -> None:
        """Check all that this act bears on."""
        before = self._held
        self._one_two(act)
        self._eighteen(act)
        self._thirteen(act)
        self._twenty(act, {token: self._held[token] - before[token] for token in self._pair.stage.tokens})

    def _one_two(self, act: Act) -> None:
        """1: the escrow holds what is open and credited, and gifts; 2: what came in is paid, open or moved on."""
        owed: Counter[Address] = Counter()
        for id_, sight in act.seen_after.items():
            agreement = self._pair.world.agreements[id_].agreement
            amount = sum_of(agreement.milestones, sight.funded & ~sight.closed)
            owed[agreement.terms.token] += amount
            came, left = self._notes.came[id_], self._notes.paid[id_] + self._notes.moved[id_]
            self._check(2, came == left + amount, f"{came} came in, {left} left, {amount} are open")
        self._held = Counter()
        for token in self._pair.stage.tokens:
            credit = sum(self._pair.credits[token, who] for who in self._pair.books.people)
            given = self._pair.books.donated[token]
            self._held[token] = self._pair.books.real(token, self._pair.stage.escrow) - given
            expected = owed[token] + credit
            self._check(1, self._held[token] == expected, f"{self._held[token]} held, {expected} owed, {given} given")

    def _thirteen(self, act: Act) -> None:
        """13: unfunded pays nothing, nothing is funded twice; the caller's money is taken, or what the payer signed."""
        for log in act.events:
            if log.name == "Funded":
                for index in range(log.args[4].bit_length()):
                    funded = self._notes.trail[log.args[0], index].count("Funded")
                    self._check(13, funded <= 1, f"milestone {index} was funded {funded} times")
            if log.name == "Settled":
                began = self._notes.trail[log.args[0], log.args[1]][0]
                self._check(13, began == "Funded", f"milestone {log.args[1]} was paid out after {began}")
        may = {who for order in act.order.flat() if (who := _pays(order))}
        taken = [log for log in act.reply.logs if log.name == "Transfer" and log.args[1] == self._pair.stage.escrow]
        takers = {log.args[0] for log in taken}
        self._check(13, takers <= may, f"money was taken from {takers}")

    def _eighteen(self, act: Act) -> None:
        """18: credits grow by a failed push of that amount, and go whole to their owner, or where he says."""
        expected = Counter(self._credits)
        for log in act.events:
            if log.name == "Credited":
                expected[log.args[0], log.args[1]] += log.args[2]
            if log.name == "Withdrawn":
                token, owner, to, amount = log.args
                self._check(18, owner in (act.order.caller, to), "another's credit")
                self._check(18, amount == expected[token, owner], "a partial withdrawal")
                expected[token, owner] = 0
        self._credits = Counter(self._pair.credits)
        for key, amount in self._pair.credits.items():
            self._check(18, amount == expected[key], "a credit without an event")

    def _twenty(self, act: Act, gained: dict[Address, int]) -> None:
        """20: what comes back to a funder never exceeds what was taken; a bit is announced by one `Funded` only."""
        call = act.order.call
        for log in act.events:
            if log.name == "Funded":
                self._check(20, self._notes.announced_once(log.args[0]), "a milestone was announced twice")
        if isinstance(call, FUNDS):
            total = sum_of(call.milestones, call.mask)
            self._check(20, gained[call.terms.token] == total, f"{total} funded, {gained[call.terms.token]} kept")
            self._check(20, not _returns(act.events), "a funding pays somebody")
        if isinstance(call, Amend):
            what, credit = call.amendment, sum(log.args[2] for log in _returns(act.events))
            freed, needed = sum_of(call.from_milestones, what.closes), sum_of(call.to_milestones, what.opens)
            kept = gained[call.to_terms.token]
            self._check(20, kept == needed - freed + credit, f"{freed} freed, {needed} needed, {kept} kept")
            owners = {log.args[1] for log in _returns(act.events)}
            self._check(20, owners <= {call.to_terms.payer} and credit <= max(freed - needed, 0), "another's excess")


def _returns(events: tuple[Log, ...]) -> list[Log]:
    return [log for log in events if log.name in ("Credited", "Settled")]


def _pays(order: Order) -> Address | None:
    """Whose tokens a call may take."""
    match order.call:
        case FundWithAuthorization():
            return order.call.terms.payer
        case Fund() | FundWithPermit() | Amend():
            return order.caller
    return None
