"""What may be tried next: mostly what the table allows, often with one thing wrong, sometimes anything at all.

Every move draws from one `random.Random`: hypothesis' own in the state machine, which shrinks, or a seeded one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from fuzz_aim import Aim, one_in
from fuzz_cast import JUDGE, KEEPER, PARTIES, PAUPER, STRANGER
from fuzz_orders import Order
from fuzz_pair import Pair
from fuzz_terms import BREAKS, break_part, lawful
from fuzz_verdicts import SHARES, proof_of, verdict_on
from fuzz_views import Act

from keeper.protocol.machine import TRANSITIONS, Action, Transition
from keeper.protocol.types import (
    UNTOUCHED,
    ZERO_ADDRESS,
    Address,
    Agreement,
    Attestation,
    Part,
)
from keeper.protocol.world import (
    Approve,
    Attest,
    Call,
    Dispute,
    Fund,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
)

MAX_OPEN = 7
"""Agreements at once that still hold money."""
_ENDINGS = {row for row in TRANSITIONS if row.action in (Action.APPROVE, Action.WAIVE, Action.SETTLE)}


class Player:
    """Makes moves on a pair. What was signed once is kept, to be replayed elsewhere."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.aim = Aim(pair)
        self.signed: list[tuple[Attestation, bytes]] = []
        self._by_action = {Action.SUBMIT: self.submit, Action.AWARD: self.attest, Action.REJECT: self.attest}
        self._by_action |= {Action.DISPUTE: self.dispute, Action.RULE: self.rule, Action.SETTLE: self.settle}
        self._sharpened: Counter[Transition] = Counter()

    # choosing

    def _caller(self, rng: Random, *right: Address) -> Address:
        wrong = (*PARTIES, JUDGE, KEEPER, PAUPER, STRANGER)
        fitting = [who for who in right if who != ZERO_ADDRESS]
        return rng.choice(wrong if not fitting or one_in(rng, 6) else fitting)

    def _send(self, rng: Random, caller: Address, call: Call, proof: bytes = b"", twist: str = "") -> Act:
        value = rng.choice((1, 10**9)) if one_in(rng, 40) else 0
        if isinstance(call, Dispute) and call.part.terms.arbiter_hook and one_in(rng, 2):
            value = 5
        if not isinstance(call, Fund | SettleMany | Withdraw) and one_in(rng, 12):
            broken, twist = break_part(rng, call.part, self._any_part(rng)), "a part that does not fit"
            call = replace(call, part=broken)
        return self.pair.act(Order(caller, call, value, proof, twist))

    def _any_part(self, rng: Random) -> Part:
        return self.pair.part(*rng.choice(self.aim.milestones()))

    # moves

    def fund(self, rng: Random) -> Act | None:
        """A new agreement, or more of one that is there."""
        known = self.pair.ids()
        held = self.pair.world.agreements[rng.choice(known)] if known else None
        open_now = sum(h.open_amount() > 0 for h in self.pair.world.agreements.values())
        if held and (open_now >= MAX_OPEN or one_in(rng, 5)):
            agreement, missing = held.agreement, ~held.funded & (1 << len(held.agreement.milestones)) - 1
            mask = missing if missing and not one_in(rng, 4) else rng.randint(1, (1 << len(agreement.milestones)) - 1)
        else:
            agreement = lawful(self.pair.stage, rng, self.pair.chain.now)
            everything = (1 << len(agreement.milestones)) - 1
            mask = everything if one_in(rng, 2) else (rng.getrandbits(6) & everything) or 1
        if one_in(rng, 15):
            mask = rng.choice((0, 1 << len(agreement.milestones), 2**64 - 1))
        payer = self._caller(rng, agreement.terms.payer)
        return self._send(rng, payer, Fund(agreement.terms, agreement.milestones, mask & 2**64 - 1))

    def fund_badly(self, rng: Random) -> Act:
        """Terms with one rule broken, or two."""
        return self.fund_broken(rng, rng.sample(sorted(BREAKS), rng.choice((1, 1, 1, 2))))

    def fund_broken(self, rng: Random, names: list[str]) -> Act:
        """Lawful terms with these changes of `BREAKS`."""
        agreement: Agreement = lawful(self.pair.stage, rng, self.pair.chain.now)
        for name in names:
            if agreement.milestones:
                agreement = BREAKS[name](agreement, self.pair.stage)
        mask = (1 << min(len(agreement.milestones), 64)) - 1
        call = Fund(agreement.terms, agreement.milestones, mask)
        payer = agreement.terms.payer if agreement.terms.payer in PARTIES else PARTIES[0]
        return self._send(rng, payer, call, twist=" and ".join(names))

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
        _, part, _ = found
        empty = one_in(rng, 15)
        work = bytes(24) + rng.randbytes(8) if empty else rng.randbytes(32)
        return self._send(rng, self._caller(rng, part.terms.payee), Submit(part, work))

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
        return self._send(rng, self._caller(rng, KEEPER, part.terms.payee), Attest(part, verdict, False), proof, twist)

    def approve(self, rng: Random) -> Act | None:
        """The payer's consent."""
        found = self.aim.find(rng, Action.APPROVE)
        return found and self._send(rng, self._caller(rng, found[1].terms.payer), Approve(found[1]))

    def waive(self, rng: Random) -> Act | None:
        """The payee's consent."""
        found = self.aim.find(rng, Action.WAIVE)
        return found and self._send(rng, self._caller(rng, found[1].terms.payee), Waive(found[1]))

    def dispute(self, rng: Random) -> Act | None:
        """A party's objection."""
        found = self.aim.find(rng, Action.DISPUTE)
        if not found:
            return self.proceed(rng)
        terms = found[1].terms
        data = rng.randbytes(rng.choice((0, 3, 40)))
        return self._send(rng, self._caller(rng, terms.payer, terms.payee), Dispute(found[1], data))

    def rule(self, rng: Random) -> Act | None:
        """The arbiter's word, sometimes under another agreement's id."""
        found = self.aim.find(rng, Action.RULE)
        if not found:
            return self.proceed(rng)
        id_, part, _ = found
        named = rng.choice(self.pair.ids()) if one_in(rng, 8) else id_
        bps = rng.choice((0, *SHARES, 10_001, 2**16 - 1)) if one_in(rng, 4) else rng.randint(0, 10_000)
        return self._send(rng, self._caller(rng, part.terms.arbiter), Rule(named, part, bps))

    def settle(self, rng: Random) -> Act | None:
        """Anybody's push when time has run out, or before."""
        found = self.aim.find(rng, Action.SETTLE)
        return found and self._send(rng, self._caller(rng, KEEPER, PAUPER), Settle(found[1]))

    def settle_many(self, rng: Random) -> Act | None:
        """A batch: due and not due, twice the same, several agreements, perhaps one that never was."""
        everywhere = self.aim.milestones()
        if not everywhere:
            return None
        parts = [self.pair.part(*rng.choice(everywhere)) for _ in range(rng.randint(0, 6))]
        twist = ""
        if parts and one_in(rng, 8):
            parts[-1], twist = break_part(rng, parts[-1], self._any_part(rng)), "the last does not fit"
        return self._send(rng, KEEPER, SettleMany(tuple(parts)), twist=twist)

    def withdraw(self, rng: Random) -> Act:
        """A credit's owner, or somebody without one."""
        owners = [key for key, amount in self.pair.world.credits.items() if amount]
        token, owner = rng.choice(owners) if owners else (rng.choice(self.pair.stage.tokens), STRANGER)
        if one_in(rng, 5):
            owner = self._caller(rng)
        bad = (ZERO_ADDRESS, self.pair.stage.escrow)
        to = rng.choice(bad) if one_in(rng, 6) else rng.choice((owner, *PARTIES))
        return self._send(rng, owner, Withdraw(token, to))

    # the world around

    def wait(self, rng: Random) -> None:
        """To the second at which something begins or ends, one before, or one after; mostly the next such."""
        now = self.pair.chain.now
        about = self.aim.milestones()
        moving = [(id_, i) for id_, i in about if (self.pair.state(id_, i) or UNTOUCHED) != UNTOUCHED]
        if moving and one_in(rng, 2):
            about = [rng.choice(moving)]
        edges = sorted({at + d for at in self.aim.boundaries(about) for d in (-1, 0, 1) if at + d >= now})
        if not edges or one_in(rng, 5):
            self.pair.warp(now + rng.choice((0, 1, 1, 60)))
            return
        near = edges[: 3 * rng.choice((1, 1, 2, 4))]
        self.pair.warp(rng.choice(edges if one_in(rng, 12) else near))

    def mood(self, rng: Random) -> None:
        """A receiver is blocked or taken back, a hook changes its mind, somebody gives money away."""
        match rng.randint(0, 3):
            case 0:
                self.pair.set_hook(rng.choice((0, 0, 1, 2)))
            case 1:
                self.pair.donate(rng.choice(self.pair.stage.tokens), rng.choice(PARTIES), rng.choice((1, 10**9)))
            case _:
                people = (*PARTIES, KEEPER)
                who = self.pair.stage.escrow if one_in(rng, 15) else rng.choice(people)
                self.pair.block(who, who not in self.pair.books.blocked)
