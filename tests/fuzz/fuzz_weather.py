"""What happens around the escrow: receivers are blocked, hooks and wallets change their minds, money rains."""

from __future__ import annotations

from random import Random

from fuzz_aim import one_in
from fuzz_cast import ALLOWED, KEEPER, MOODS, PARTIES, PAUPER, STRANGER, TAKES, WALLETS, Stage
from fuzz_outside import HOOK_MODES
from fuzz_pair import Pair
from fuzz_signing import cancel_digest, key_of

from keeper.protocol.offers import authorization_nonce
from keeper.protocol.types import ZERO_ADDRESS, Address


class Weather:
    """Changes the world of a pair."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair

    @property
    def _stage(self) -> Stage:
        return self._pair.stage

    def change(self, rng: Random) -> None:
        """One change, whichever."""
        match rng.randint(0, 6):
            case 0:
                self.set_hook(rng.choice((0, 0, 1, 2)))
            case 1:
                self.donate(rng.choice(self._stage.tokens), rng.choice(PARTIES), rng.choice((1, 10**9)))
            case 2 | 3:
                people = (*PARTIES, KEEPER)
                who = self._stage.escrow if one_in(rng, 15) else rng.choice(people)
                self.block(who, who not in self._pair.books.blocked)
            case 4:
                self.set_mood(rng.choice(tuple(WALLETS)), rng.choice(MOODS), self._back(rng))
            case 5:
                self._allow_again(rng)
            case _:
                self._cancel_something(rng)

    def reconcile(self, who: Address) -> None:
        """Let somebody take what he refused."""
        if who in self._pair.books.blocked:
            self.block(who, False)
        if self._pair.books.moods.get(who, MOODS[0]) not in TAKES:
            self.set_mood(who, MOODS[0])

    def block(self, who: Address, blocked: bool) -> None:
        """Let the moody token refuse a receiver, or take him back."""
        self._note("MOODY", "blocks" if blocked else "unblocks", who)
        self._pair.books.block(who, blocked)

    def set_hook(self, mode: int) -> None:
        """Tell the arbiter contract how to answer disputes."""
        self._note("Hook will", HOOK_MODES[mode])
        self._pair.outside.hook_mode = mode
        data = self._stage.codes["HookArbiter"].codec.encode("setMode", mode)
        self._pair.chain.send(PAUPER, self._stage.hook, data)

    def set_mood(self, wallet: Address, mood: str, back: bytes = b"") -> None:
        """Tell a wallet how to take native currency, and what to call the escrow back with."""
        self._note(wallet, "becomes", mood)
        self._pair.books.set_mood(wallet, mood, back)

    def donate(self, token: Address, who: Address, amount: int) -> None:
        """Send money to the escrow past all its doors."""
        self._note(who, f"donates {amount}", token)
        self._pair.books.donate(token, who, amount)

    def _allow_again(self, rng: Random) -> None:
        """A permit had bounded an allowance; or nothing had."""
        bounded = [k for k, left in self._pair.books.allowance.items() if left != ALLOWED and k[1] != PAUPER]
        if bounded:
            token, who = rng.choice(bounded)
            self._note(who, "approves", token)
            self._pair.books.allow(token, who)

    def _cancel_something(self, rng: Random) -> None:
        """A payer takes an authorization back, perhaps of what is not funded yet."""
        if not self._pair.ids():
            return
        id_ = rng.choice(self._pair.ids())
        nonce = authorization_nonce(id_, rng.choice((1, 2, 3)))
        payer = self._pair.world.agreements[id_].agreement.terms.payer
        self._note(payer, "cancels", nonce)
        signature = key_of(payer).sign65(cancel_digest(self._pair.outside.signing, payer, nonce))
        data = self._stage.codes["SigningToken"].codec.encode("cancelAuthorization", payer, nonce, signature)
        self._pair.chain.send(STRANGER, self._stage.signing, data)

    def _back(self, rng: Random) -> bytes:
        """What a wallet calls the escrow with while it is paid: each would pay, if it worked."""
        codec = self._pair.codec
        steal = codec.encode("withdraw", ZERO_ADDRESS, STRANGER)
        return rng.choice((steal, codec.encode("multicall", [steal]), codec.encode("settleMany", [])))

    def _note(self, *words: object) -> None:
        self._pair.story.note(" ".join(self._pair.story.teller.tell(word) for word in words))
