"""One call in full: what the model needs to judge it, what the contract needs to run it, how a trace tells it."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from eth_abi.abi import encode
from fuzz_cast import Stage

from keeper.chain.abi import Contract
from keeper.protocol.encoding import PART_ABI, milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.types import Address, Milestone, Part, Terms
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


@dataclass(frozen=True)
class Order:
    """A caller's call. `proof` belongs to an `Attest`, whose `proven` the stage works out by itself."""

    caller: Address
    call: Call
    value: int = 0
    proof: bytes = b""
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


def calldata(codec: Contract, order: Order) -> bytes:
    """The bytes of the call (docs/protocol.md section 4)."""
    call = order.call
    match call:
        case Fund():
            milestones = [milestone_to_abi(m) for m in call.milestones]
            return codec.encode("fund", terms_to_abi(call.terms), milestones, call.mask)
        case Submit():
            return _compose(codec, "submit", _body(call.part), [call.deliverable])
        case Attest():
            verdict = call.attestation
            words = [_word(verdict.attempt), verdict.deliverable, _word(verdict.payout_bps)]
            return _compose(codec, "attest", _body(call.part), words, order.proof)
        case Dispute():
            return _compose(codec, "dispute", _body(call.part), [], call.data)
        case Rule():
            return codec.encode("rule", call.agreement, part_to_abi(call.part), call.payee_bps)
        case SettleMany():
            return codec.encode("settleMany", [part_to_abi(part) for part in call.parts])
        case Withdraw():
            return codec.encode("withdraw", call.token, call.to)
        case Approve() | Waive() | Settle():
            return of_part(codec, order.name.lower(), call.part)


def of_part(codec: Contract, name: str, part: Part) -> bytes:
    """A call or view that takes nothing but a part."""
    return _compose(codec, name, _body(part), [])


@lru_cache(maxsize=4096)
def _body(part: Part) -> bytes:
    """A part as it stands in calldata; kept, since the same parts are asked about again and again."""
    return encode([PART_ABI], [part_to_abi(part)])[32:]


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _compose(codec: Contract, name: str, body: bytes, words: list[bytes], tail: bytes | None = None) -> bytes:
    """Calldata of a part, some words and perhaps `bytes`: offsets first, as the ABI wants it."""
    size = 32 * (1 + len(words) + (tail is not None))
    head = _word(size) + b"".join(words)
    if tail is None:
        return codec.functions[name].selector + head + body
    padded = tail + bytes(-len(tail) % 32)
    return codec.functions[name].selector + head + _word(size + len(body)) + body + _word(len(tail)) + padded


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


_DULL = {"document", "salt", "criteria", "proven"}
"""Fields that no rule reads, and what the model is told of proofs."""


class Teller:
    """Writes values for people: names for addresses, `A2` for agreements, short hex for the rest."""

    def __init__(self, stage: Stage) -> None:
        self._names: dict[Any, str] = dict(stage.names)

    def learn(self, agreement: bytes) -> None:
        """Name an agreement when it is first seen."""
        self._names.setdefault(agreement, f"A{sum(isinstance(k, bytes) for k in self._names) + 1}")

    def learn_part(self, agreement: bytes, part: Part) -> None:
        """Name the agreement's parts as well."""
        self._names.setdefault((part.terms, part.leaves, part.index, part.milestone), self.tell(agreement))

    def tell(self, value: Any) -> str:
        """One value."""
        if isinstance(value, Part):
            key = (value.terms, value.leaves, value.index, value.milestone)
            return f"{self._names.get(key, 'no part of')}#{value.index}"
        if isinstance(value, str | bytes) and value in self._names:
            return self._names[value]
        if isinstance(value, bytes):
            return f"0x{value.hex()}" if len(value) <= 4 else f"0x{value[:3].hex()}..{value[-2:].hex()}({len(value)})"
        if is_dataclass(value):
            inside = ", ".join(
                f"{f.name}={self.tell(getattr(value, f.name))}" for f in fields(value) if f.name not in _DULL
            )
            return f"{type(value).__name__}({inside})"
        if isinstance(value, tuple | list):
            return f"({', '.join(self.tell(item) for item in value)})"
        return str(value)
