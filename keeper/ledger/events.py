"""The contracts' events as values: kept raw, decoded when somebody asks (docs/protocol.md section 4, Events)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from eth_abi import abi
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address

from keeper.chain.abi import contract
from keeper.errors import MilepostError
from keeper.protocol.encoding import MILESTONE_ABI, TERMS_ABI, milestone_from_abi, terms_from_abi
from keeper.protocol.types import Address, Agreement, Bps, Cause


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as the chain gave it. Hashes and addresses are lower-case hex; `time` is the block's, unix seconds."""

    chain: int
    block_hash: str
    log_index: int
    number: int
    time: int
    tx_hash: str
    address: str
    name: str
    subject: str
    """The agreement's id; for an event of no agreement, its first topic."""
    topics: tuple[str, ...]
    data: str

    def __str__(self) -> str:
        return f"{self.name} of {self.subject} (block {self.number} {self.block_hash}, log {self.log_index})"


@dataclass(frozen=True, slots=True)
class Funded:
    """Money came in for the milestones in `mask` (bit i = milestone i)."""

    funder: Address
    mask: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Submitted:
    """The payee submitted; of `deliverable` the chain keeps 24 bytes, the last 8 are zero."""

    index: int
    attempt: int
    deliverable: bytes


@dataclass(frozen=True, slots=True)
class Attested:
    """The quorum awarded `payout_bps`, more than zero."""

    index: int
    attempt: int
    deliverable: bytes
    payout_bps: Bps


@dataclass(frozen=True, slots=True)
class Rejected:
    """The quorum rejected submission number `attempt`."""

    index: int
    attempt: int
    deliverable: bytes


@dataclass(frozen=True, slots=True)
class Disputed:
    """A party disputed; `standing_bps` is the payee's share if nobody rules."""

    index: int
    by: Address
    standing_bps: Bps
    data: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """The milestone's money left: four amounts in token units that sum to the milestone's."""

    index: int
    cause: Cause
    payee_bps: Bps
    to_payee: int
    to_payer: int
    fee: int
    tip: int
    executor: Address


@dataclass(frozen=True, slots=True)
class Amended:
    """Milestones `closes` ended here and `opens` were funded in `target`; `moved` token units went along."""

    target: bytes
    closes: int
    opens: int
    moved: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The payee accepted the terms, funded or not."""

    by: Address


@dataclass(frozen=True, slots=True)
class Announced:
    """Members of a quorum, as its verifier checked them."""

    quorum: bytes
    m: int
    members: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Credited:
    """A push failed; `owner` may withdraw `amount` of `token`."""

    token: Address
    owner: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """`owner` took a whole credit."""

    token: Address
    owner: Address
    to: Address
    amount: int


Payload: TypeAlias = (
    Funded
    | Submitted
    | Attested
    | Rejected
    | Disputed
    | Settled
    | Amended
    | Accepted
    | Announced
    | Credited
    | Withdrawn
)

OF_AGREEMENT = frozenset({"Funded", "Submitted", "Attested", "Rejected", "Disputed", "Settled", "Amended"})
"""Events whose first topic is an agreement's id and that move one of its milestones.

Accepted moves none, may come before anything is funded, and may be repeated for ever: it is kept apart.
"""


CACHED_DATA = 20_000
"""Characters of raw data up to which a decoded event is kept in memory: a schedule of 64 milestones fits."""


def decode(event: StoredEvent) -> Payload:
    """What the event says. LEDGER_DIFFERS when it is none that this version knows."""
    # Parties choose how long a dispute's data is: what is large is decoded again rather than kept.
    decoding = _decode if len(event.data) <= CACHED_DATA else _decode.__wrapped__
    try:
        return decoding(event.name, event.topics, event.data)
    except (KeyError, ValueError, DecodingError) as error:
        raise differs(event, "arguments of that event", f"others ({error})") from error


@lru_cache(maxsize=4096)
def agreement_in(data: str) -> Agreement:
    """Terms and schedule in the raw data of a Funded event."""
    kinds = ["address", "uint64", TERMS_ABI, f"{MILESTONE_ABI}[]"]
    _, _, terms, milestones = abi.decode(kinds, bytes.fromhex(data[2:]))
    return Agreement(terms_from_abi(terms), tuple(milestone_from_abi(m) for m in milestones))


def differs(event: StoredEvent, expected: str, found: str) -> MilepostError:
    """LEDGER_DIFFERS naming the event that does not fit."""
    return MilepostError("LEDGER_DIFFERS", f"{event} does not fit", cause=f"expected {expected}, found {found}")


@lru_cache(maxsize=4096)
def _decode(name: str, topics: tuple[str, ...], data: str) -> Payload:
    found, values = contract(SOURCE[name]).decode_log(topics, data)
    if found != name:
        raise ValueError(f"{found} instead of {name}")
    return _PAYLOADS[name](values)


def _address(value: Any) -> Address:
    return Address(to_checksum_address(value))


def _funded(v: Mapping[str, Any]) -> Funded:
    milestones = tuple(milestone_from_abi(m) for m in v["milestones"])
    return Funded(_address(v["funder"]), v["mask"], Agreement(terms_from_abi(v["terms"]), milestones))


def _settled(v: Mapping[str, Any]) -> Settled:
    amounts = (v["toPayee"], v["toPayer"], v["fee"], v["tip"])
    return Settled(v["index"], Cause(v["cause"]), v["payeeBps"], *amounts, _address(v["executor"]))


_PAYLOADS: Mapping[str, Callable[[Mapping[str, Any]], Payload]] = {
    "Funded": _funded,
    "Submitted": lambda v: Submitted(v["index"], v["attempt"], bytes(v["deliverable"])),
    "Attested": lambda v: Attested(v["index"], v["attempt"], bytes(v["deliverable"]), v["payoutBps"]),
    "Rejected": lambda v: Rejected(v["index"], v["attempt"], bytes(v["deliverable"])),
    "Disputed": lambda v: Disputed(v["index"], _address(v["by"]), v["standingBps"], bytes(v["data"])),
    "Settled": _settled,
    "Amended": lambda v: Amended(bytes(v["to"]), v["closes"], v["opens"], v["moved"]),
    "Accepted": lambda v: Accepted(_address(v["by"])),
    "Credited": lambda v: Credited(_address(v["token"]), _address(v["owner"]), v["amount"]),
    "Withdrawn": lambda v: Withdrawn(_address(v["token"]), _address(v["owner"]), _address(v["to"]), v["amount"]),
    "Announced": lambda v: Announced(bytes(v["quorum"]), v["m"], tuple(_address(a) for a in v["members"])),
}

_OF_QUORUM = ("Announced", "BondPosted", "Resigned", "BondWithdrawn", "Equivocated")
"""All but the first are kept as they came: nothing is folded from them yet."""

SOURCE: Mapping[str, str] = dict.fromkeys(_PAYLOADS, "Escrow") | dict.fromkeys(_OF_QUORUM, "QuorumVerifier")
"""Which contract emits which event; an event that is not here is refused, never skipped."""
