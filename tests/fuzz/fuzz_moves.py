"""What may be tried next: mostly what the table allows, often with one thing wrong, sometimes anything at all.

Every move draws from one `random.Random`: hypothesis' own in the state machine, which shrinks, or a seeded one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from fuzz_aim import Aim, one_in
from fuzz_cast import JUDGE, KEEPER, PARTIES, PAUPER, STRANGER
from fuzz_funding import affordable, funding, what_to_fund
from fuzz_offers import acceptance_of, amendment_of, split_of, what_to_accept
from fuzz_orders import Order, together
from fuzz_pair import Pair
from fuzz_terms import BREAKS, break_part, lawful, spoiled
from fuzz_verdicts import SHARES, proof_of, verdict_on
from fuzz_views import Act
from fuzz_weather import Weather

from keeper.protocol.machine import TRANSITIONS, Action, Transition
from keeper.protocol.types import ZERO_ADDRESS, Address, Agreement, Attestation, Part
from keeper.protocol.world import (
    Approve,
    Attest,
    Deliver,
    Dispute,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
)

MAX_OPEN = 7
"""Agreements at once that still hold money."""
_CONSENT = (Action.APPROVE, Action.WAIVE, Action.AGREE, Action.AMEND)
_ENDINGS = {row for row in TRANSITIONS if row.action in (*_CONSENT, Action.SETTLE)}
_BESIDE = ("settle", "settle_many", "attest", "agree", "accept", "submit", "withdraw", "deliver")
"""What a multicall may hold more than once."""


class Player:
    """Makes moves on a pair. What was signed once is kept, to be replayed elsewhere."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.aim = Aim(pair)
        self.signed: list[tuple[Attestation, bytes]] = []
        self._by_action = {Action.SUBMIT: self.submit, Action.AWARD: self.attest, Action.REJECT: self.attest}
        self._by_action |= {Action.DISPUTE: self.dispute, Action.RULE: self.rule, Action.SETTLE: self.settle}
        self.weather = Weather(pair)
        self._basket: list[Order] | None = None
        self._sharpened: Counter[Transition] = Counter()

    def _caller(self, rng: Random, *right: Address) -> Address:
        wrong = (*PARTIES, JUDGE, KEEPER, PAUPER, STRANGER)
        fitting = [who for who in right if who not in (ZERO_ADDRESS, *self.pair.stage.speechless)]
        return rng.choice(wrong if not fitting or one_in(rng, 6) else fitting)

    def _send(self, rng: Random, order: Order) -> Act | None:
        """Act on it, or put it into the basket of a multicall; often with something wrong."""
        order = spoiled(rng, order, self._any_part)
        if self._basket is None:
            return self.pair.act(affordable(self.pair, order))
        self._basket.append(replace(order, value=0))
        return None

    def _any_part(self, rng: Random) -> Part:
        return self.pair.part(*rng.choice(self.aim.milestones()))

    def fund(self, rng: Random) -> Act | None:
        """A new agreement, or more of one that is there."""
        agreement, mask = what_to_fund(rng, self.pair, MAX_OPEN)
        payer = self._caller(rng, agreement.terms.payer)
        return self._send(rng, funding(rng, self.pair, agreement, mask, payer))

    def fund_badly(self, rng: Random) -> Act | None:
        """Terms with one rule broken, or two."""
        return self.fund_broken(rng, rng.sample(sorted(BREAKS), rng.choice((1, 1, 1, 2))))

    def fund_broken(self, rng: Random, names: list[str]) -> Act | None:
        """Lawful terms with these changes of `BREAKS`."""
        agreement: Agreement = lawful(self.pair.stage, rng, self.pair.chain.now)
        for name in names:
            if agreement.milestones:
                agreement = BREAKS[name](agreement, self.pair.stage)
        mask = (1 << min(len(agreement.milestones), 64)) - 1
        payer = agreement.terms.payer if agreement.terms.payer in PARTIES else PARTIES[0]
        order = funding(rng, self.pair, agreement, mask, payer)
        return self._send(rng, replace(order, twist=" and ".join(names)))

    def proceed(self, rng: Random) -> Act | None:
        """Whatever the table allows somewhere, so that lives get far; a new agreement where it allows nothing."""
        rows = {row for id_, i in self.aim.milestones() for row in self.aim.rows(id_, i)} - _ENDINGS
        if not rows:
            return self.fund(rng)
        row = rng.choice(sorted(rows, key=TRANSITIONS.index))
        return self._by_action[row.action](rng)

    def sharpen(self, rng: Random) -> Act | None:
        """One row of the table at its first or last second, or one second outside; rare rows first."""
        found = self.aim.edges(tuple(self._by_action))
        if not found:
            return None
        row = min((row for row, *_ in found), key=lambda row: (self._sharpened[row], TRANSITIONS.index(row)))
        self._sharpened[row] += 1
        _, id_, index, edges = rng.choice([one for one in found if one[0] == row])
        self.pair.warp(rng.choice(edges))
        self.aim.focus = (id_, index)
        try:
            return self._by_action[row.action](rng)
        finally:
            self.aim.focus = None

    def submit(self, rng: Random) -> Act | None:
        """The payee's work: mostly a hash, sometimes zeros with a tail."""
        found = self.aim.find(rng, Action.SUBMIT)
        if not found:
            return self.proceed(rng)
        part = found[1]
        work = bytes(24) + rng.randbytes(8) if one_in(rng, 15) else rng.randbytes(32)
        return self._send(rng, Order(self._caller(rng, part.terms.payee), Submit(part, work)))

    def attest(self, rng: Random) -> Act | None:
        """An award or a rejection: by a quorum, by too few, about something else, or said before elsewhere."""
        found = self.aim.find(rng, Action.AWARD, Action.REJECT)
        if not found:
            return self.proceed(rng)
        id_, part, state = found
        verdict = verdict_on(rng, state)
        proof, twist = proof_of(rng, self.pair, id_, part, verdict)
        if self.signed and one_in(rng, 8):
            twist, (old, proof) = "a replay", rng.choice(self.signed)
            verdict = rng.choice((verdict, old))
        else:
            self.signed.append((verdict, proof))
        caller = self._caller(rng, KEEPER, part.terms.payee)
        return self._send(rng, Order(caller, Attest(part, verdict, False), proof=proof, twist=twist))

    def approve(self, rng: Random) -> Act | None:
        """The payer's consent."""
        found = self.aim.find(rng, Action.APPROVE)
        return found and self._send(rng, Order(self._caller(rng, found[1].terms.payer), Approve(found[1])))

    def waive(self, rng: Random) -> Act | None:
        """The payee's consent."""
        found = self.aim.find(rng, Action.WAIVE)
        return found and self._send(rng, Order(self._caller(rng, found[1].terms.payee), Waive(found[1])))

    def dispute(self, rng: Random) -> Act | None:
        """A party's objection."""
        found = self.aim.find(rng, Action.DISPUTE)
        if not found:
            return self.proceed(rng)
        terms = found[1].terms
        data = rng.randbytes(rng.choice((0, 3, 40)))
        return self._send(rng, Order(self._caller(rng, terms.payer, terms.payee), Dispute(found[1], data)))

    def rule(self, rng: Random) -> Act | None:
        """The arbiter's word, sometimes under another agreement's id."""
        found = self.aim.find(rng, Action.RULE)
        if not found:
            return self.proceed(rng)
        id_, part, _ = found
        named = rng.choice(self.pair.ids()) if one_in(rng, 8) else id_
        bps = rng.choice((0, *SHARES, 10_001, 2**16 - 1)) if one_in(rng, 4) else rng.randint(0, 10_000)
        return self._send(rng, Order(self._caller(rng, part.terms.arbiter), Rule(named, part, bps)))

    def settle(self, rng: Random) -> Act | None:
        """Anybody's push when time has run out, or before."""
        found = self.aim.find(rng, Action.SETTLE)
        return found and self._send(rng, Order(self._caller(rng, KEEPER, PAUPER), Settle(found[1])))

    def settle_many(self, rng: Random) -> Act | None:
        """A batch: due and not due, twice the same, several agreements, perhaps one that never was."""
        everywhere = self.aim.milestones()
        if not everywhere:
            return None
        parts = [self.pair.part(*rng.choice(everywhere)) for _ in range(rng.randint(0, 6))]
        twist = ""
        if parts and one_in(rng, 8):
            parts[-1], twist = break_part(rng, parts[-1], self._any_part(rng)), "the last does not fit"
        return self._send(rng, Order(KEEPER, SettleMany(tuple(parts)), twist=twist))

    def withdraw(self, rng: Random) -> Act | None:
        """A credit's owner, or somebody without one."""
        owners = self.pair.waiting_credits()
        token, owner = rng.choice(owners) if owners else (rng.choice(self.pair.stage.tokens), STRANGER)
        if one_in(rng, 5):
            owner = self._caller(rng)
        bad = (ZERO_ADDRESS, self.pair.stage.escrow)
        to = rng.choice(bad) if one_in(rng, 6) else rng.choice((owner, *PARTIES))
        return self._send(rng, Order(owner, Withdraw(token, to)))

    def deliver(self, rng: Random) -> Act | None:
        """Somebody's credit, sent to him by anybody, when he may have changed his mind."""
        owed = [key for key, amount in self.pair.world.credits.items() if amount]
        if not owed:
            return self.proceed(rng)
        token, owner = rng.choice(owed)
        if one_in(rng, 2):
            self.weather.reconcile(owner)
        return self._send(rng, Order(self._caller(rng, KEEPER), Deliver(token, owner)))

    def agree(self, rng: Random) -> Act | None:
        """A split, delivered by anybody."""
        found = self.aim.find(rng, Action.AGREE)
        if not found:
            return self.proceed(rng)
        caller = self._caller(rng, found[1].terms.payer, found[1].terms.payee, KEEPER)
        return self._send(rng, split_of(rng, self.pair, caller, *found))

    def amend(self, rng: Random) -> Act | None:
        """Milestones move to other terms."""
        found = self.aim.find(rng, Action.AMEND)
        if not found:
            return self.proceed(rng)
        terms = found[1].terms
        caller = self._caller(rng, terms.payer, terms.payer, terms.payee, KEEPER)
        return self._send(rng, amendment_of(rng, self.pair, caller, found[0], found[1].index))

    def accept(self, rng: Random) -> Act | None:
        """The payee's acceptance of something, there or not."""
        agreement = what_to_accept(rng, self.pair)
        caller = self._caller(rng, agreement.terms.payee, KEEPER)
        return self._send(rng, acceptance_of(rng, self.pair, caller, agreement))

    def multicall(self, rng: Random) -> Act | None:
        """Several of the other moves as one call of whoever is first; one of them moves money in at most."""
        self._basket = []
        for _ in range(rng.choice((1, 2, 2, 3))):
            getattr(self, rng.choice(_BESIDE if self._basket else (*_BESIDE, "fund", "amend", "approve")))(rng)
        orders, self._basket = [order for order in self._basket if order.caller != self.pair.stage.hook], None
        return self._send(rng, together(rng, orders)) if orders else None

    def wait(self, rng: Random) -> None:
        """Time passes."""
        self.pair.warp(self.aim.moment(rng))

    def mood(self, rng: Random) -> None:
        """Something around the escrow changes."""
        self.weather.change(rng)
