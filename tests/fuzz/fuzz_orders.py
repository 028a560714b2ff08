"""One call in full: what the model needs to judge it, what the contract needs to run it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from random import Random
from typing import Any

from eth_abi.abi import encode

from keeper.chain.abi import Contract
from keeper.protocol.abi import amendment_to_abi
from keeper.protocol.encoding import PART_ABI, milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.types import Address, Milestone, Part, Terms
from keeper.protocol.world import (
    Accept,
    Agree,
    Amend,
    Approve,
    Attest,
    Call,
    Deliver,
    Dispute,
    Fund,
    FundWithAuthorization,
    FundWithPermit,
    Multicall,
    Rule,
    Settle,
    SettleMany,
    Submit,
    Waive,
    Withdraw,
)


@dataclass(frozen=True)
class Paper:
    """A signed authorization (ERC-3009) or permit (ERC-2612), as a call of the escrow carries it."""

    deadline: int
    """The last second of a permit; the first at which an authorization is no longer valid."""
    signature: bytes
    """65 bytes r, s, v; of an authorization that is given as bytes, any."""
    valid_after: int = 0
    as_bytes: bool = False

    def vrs(self) -> tuple[int, bytes, bytes]:
        return self.signature[64], self.signature[:32], self.signature[32:64]


@dataclass(frozen=True)
class Order:
    """A caller's call. What it carries of signatures stands beside it: the stage works out what the model is told."""

    caller: Address
    call: Call
    value: int = 0
    proof: bytes = b""
    """Of an `Attest`."""
    signatures: tuple[bytes, ...] = ()
    """Of an `Agree`, `Amend` or `Accept`, in their order."""
    paper: Paper | None = None
    """Of a funding by authorization or permit."""
    inner: tuple[Order, ...] = ()
    """Of a `Multicall`."""
    twist: str = ""
    """What is wrong about it on purpose."""

    @property
    def name(self) -> str:
        return type(self.call).__name__

    def parts(self) -> tuple[Part, ...]:
        """The parts that the call carries."""
        if isinstance(self.call, SettleMany):
            return self.call.parts
        part = getattr(self.call, "part", None)
        return () if part is None else (part,)

    def flat(self) -> tuple[Order, ...]:
        """The order itself, or of a multicall what it does, one after another."""
        if not isinstance(self.call, Multicall):
            return (self,)
        return tuple(leaf for order in self.inner for leaf in order.flat())


PULLS = Fund | FundWithPermit | Amend
"""Calls that take the caller's money out of his allowance."""


def together(rng: Random, orders: list[Order]) -> Order:
    """Several orders as one call of the first one's caller; at times the rest as a call within it.

    One of them at most takes money: what a second finds would depend on the first.
    """
    caller, takers = orders[0].caller, [order for order in orders if isinstance(order.call, PULLS)]
    inner = tuple(replace(order, caller=caller) for order in orders if order not in takers[1:])
    if len(inner) > 1 and rng.randint(1, 4) == 4:
        inner = (inner[0], _as_one(inner[1:]))
    return _as_one(inner)


def _as_one(inner: tuple[Order, ...]) -> Order:
    return Order(inner[0].caller, Multicall(tuple(order.call for order in inner)), inner=inner)


AUTHORIZED = {False: ",uint8,bytes32,bytes32)", True: ",bytes)"}
"""How the two forms of `fundWithAuthorization` end."""


def function_of(codec: Contract, order: Order) -> str:
    """The contract's function, by the name under which its codec has it."""
    name = order.name[0].lower() + order.name[1:]
    if not isinstance(order.call, FundWithAuthorization):
        return name
    assert order.paper
    tail = AUTHORIZED[order.paper.as_bytes]
    return next(key for key in codec.functions if key.startswith(f"{name}(") and key.endswith(tail))


def calldata(codec: Contract, order: Order) -> bytes:
    """The bytes of the call (docs/protocol.md section 4)."""
    call, name = order.call, function_of(codec, order)
    match call:
        case Fund() | FundWithAuthorization() | FundWithPermit() | Amend() | Accept():
            return _of_schedule(codec, name, order)
        case Submit():
            return _compose(codec, name, _body(call.part), [call.deliverable])
        case Attest():
            verdict = call.attestation
            words = [_word(verdict.attempt), verdict.deliverable, _word(verdict.payout_bps)]
            return _compose(codec, name, _body(call.part), words, order.proof)
        case Agree():
            words = [_word(call.payee_bps), _word(call.as_of), _word(call.deadline)]
            return _compose(codec, name, _body(call.part), words, *order.signatures)
        case Dispute():
            return _compose(codec, name, _body(call.part), [], call.data)
        case Rule():
            return codec.encode(name, call.agreement, part_to_abi(call.part), call.payee_bps)
        case SettleMany():
            return codec.encode(name, [part_to_abi(part) for part in call.parts])
        case Withdraw():
            return codec.encode(name, call.token, call.to)
        case Deliver():
            return codec.encode(name, call.token, call.owner)
        case Multicall():
            return codec.encode(name, [calldata(codec, inner) for inner in order.inner])
        case Approve() | Waive() | Settle():
            return of_part(codec, name, call.part)


def _of_schedule(codec: Contract, name: str, order: Order) -> bytes:
    """The calls that carry whole agreements."""
    call, paper = order.call, order.paper
    if isinstance(call, Amend):
        both = (
            *_whole(call.from_terms, call.from_milestones),
            *_whole(call.to_terms, call.to_milestones),
        )
        return codec.encode(name, amendment_to_abi(call.amendment), *both, *order.signatures)
    assert isinstance(call, Fund | FundWithAuthorization | FundWithPermit | Accept)
    whole = _whole(call.terms, call.milestones)
    match call:
        case Accept():
            return codec.encode(name, *whole, *order.signatures)
        case Fund():
            return codec.encode(name, *whole, call.mask)
    assert paper
    if isinstance(call, FundWithPermit):
        return codec.encode(name, *whole, call.mask, paper.deadline, *paper.vrs())
    signature = (paper.signature,) if paper.as_bytes else paper.vrs()
    return codec.encode(name, *whole, call.mask, paper.valid_after, paper.deadline, *signature)


def _whole(terms: Terms, milestones: tuple[Milestone, ...]) -> tuple[Any, list[Any]]:
    return terms_to_abi(terms), [milestone_to_abi(m) for m in milestones]


def of_part(codec: Contract, name: str, part: Part) -> bytes:
    """A call or view that takes nothing but a part."""
    return _compose(codec, name, _body(part), [])


@lru_cache(maxsize=4096)
def _body(part: Part) -> bytes:
    """A part as it stands in calldata; kept, since the same parts are asked about again and again."""
    return encode([PART_ABI], [part_to_abi(part)])[32:]


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _compose(codec: Contract, name: str, body: bytes, words: list[bytes], *tails: bytes) -> bytes:
    """Calldata of a part, some words and any `bytes`: offsets first, as the ABI wants it."""
    blobs = [body, *(_word(len(tail)) + tail + bytes(-len(tail) % 32) for tail in tails)]
    at, offsets = 32 * (1 + len(words) + len(tails)), []
    for blob in blobs:
        offsets.append(_word(at))
        at += len(blob)
    return codec.functions[name].selector + b"".join([offsets[0], *words, *offsets[1:], *blobs])


@lru_cache(maxsize=65_536)
def asking(codec: Contract, name: str, *args: Any) -> bytes:
    """A view's calldata; kept, like a part."""
    return codec.encode(name, *args)


def plain(value: Any) -> Any:
    """A model's value as the ABI decoder gives it: structs and lists as tuples, enums as integers."""
    if isinstance(value, Terms):
        return terms_to_abi(value)
    if isinstance(value, Milestone):
        return milestone_to_abi(value)
    if isinstance(value, tuple | list):
        return tuple(plain(item) for item in value)
    if isinstance(value, Enum):
        return value.value
    return value
