"""What is seen of the escrow: one call with all around it, its views, and what they must say."""

from __future__ import annotations

from dataclasses import dataclass, field

from eth_utils.crypto import keccak
from fuzz_evm import Chain, Log, Reply
from fuzz_orders import Order, asking, of_part

from keeper.chain.abi import Contract
from keeper.protocol.due import due, latest
from keeper.protocol.refusals import Refusal
from keeper.protocol.types import MAX_UINT40, Address, AgreementId, MilestoneState, Part
from keeper.protocol.world import Outcome, World

_REENTERED = keccak(text="reentered()")[:4]


@dataclass(frozen=True)
class Row:
    """All that the views say of one milestone."""

    status: int
    attempt: int
    since: int
    deliverable: bytes
    standing: int
    due: tuple[int, int, int]
    latest: int


@dataclass(frozen=True)
class Sight:
    """All that the views say of one agreement."""

    funded: int
    closed: int
    rows: dict[int, Row]

    def open(self, index: int) -> bool:
        """Whether a milestone is funded and not closed."""
        return bool((self.funded & ~self.closed) >> index & 1)


@dataclass
class Act:
    """One call as it happened: what was known before, what came back."""

    order: Order
    now: int
    before: World
    after: World
    answer: Outcome | Refusal
    reply: Reply
    events: tuple[Log, ...] = ()
    seen_before: dict[AgreementId, Sight] = field(default_factory=dict)
    seen_after: dict[AgreementId, Sight] = field(default_factory=dict)

    @property
    def worked(self) -> bool:
        return self.reply.revert is None


class Views:
    """Reads one escrow. Each of these views answers with words alone."""

    def __init__(self, chain: Chain, escrow: Address, codec: Contract) -> None:
        self._chain, self._escrow, self._codec = chain, escrow, codec

    def state(self, id_: AgreementId) -> tuple[int, int]:
        """The bitmaps: funded, closed."""
        funded, closed = self._words(asking(self._codec, "state", id_))
        return funded, closed

    def credit(self, token: Address, owner: Address) -> int:
        """What the owner may withdraw."""
        (amount,) = self._words(asking(self._codec, "credit", token, owner))
        return amount

    def row(self, id_: AgreementId, part: Part) -> Row:
        """All of one milestone."""
        status, attempt, since, kept, standing = self._words(asking(self._codec, "milestone", id_, part.index))
        cause, share, ready_at = self._words(of_part(self._codec, "due", part))
        last = self._latest(part)
        deliverable = (kept >> 64).to_bytes(24, "big")
        return Row(status, attempt, since, deliverable, standing, (cause, share, ready_at), last)

    def _latest(self, part: Part) -> int:
        """A milestone that nobody can fund may have a deadline at the end of time: that has no words beyond."""
        if latest(part.terms, part.milestone) > MAX_UINT40:
            return MAX_UINT40
        (last,) = self._words(of_part(self._codec, "latest", part))
        return last

    def reentered(self, wallet: Address) -> bool:
        """Whether a wallet's call back into the escrow ever worked."""
        return any(self._chain.view(wallet, _REENTERED))

    def _words(self, data: bytes) -> list[int]:
        answer = self._chain.view(self._escrow, data)
        return [int.from_bytes(answer[at : at + 32], "big") for at in range(0, len(answer), 32)]


def expected_row(part: Part, state: MilestoneState | None, stood: MilestoneState) -> Row:
    """What the views must say: `state` is None when unfunded or settled, `stood` is where it is or last stood."""
    clock = due(part.terms, part.milestone, state)
    word = (stood.status.value, stood.attempt, stood.since, stood.deliverable24, stood.standing_bps)
    last = min(latest(part.terms, part.milestone), MAX_UINT40)
    return Row(*word, (clock.cause.value, clock.share, clock.ready_at), last)
