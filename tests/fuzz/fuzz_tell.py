"""What happened, told to people: each value in words, each call with what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn

from fuzz_cast import Stage
from fuzz_evm import GENESIS, Log, Reply
from fuzz_orders import Order

from keeper.protocol.types import Part

_DULL = {"document", "salt", "criteria", "proven", "authorized"}
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


class Mismatch(AssertionError):  # noqa: N818 - what was found, not what went wrong with the test
    """Contract and specification differ, or an invariant is broken."""


class Story:
    """The history of one chain."""

    def __init__(self, stage: Stage) -> None:
        self.teller = Teller(stage)
        self._lines: list[str] = []

    def note(self, line: str) -> None:
        """One more line."""
        self._lines.append(line)

    def act(self, order: Order, reply: Reply, events: Sequence[Log]) -> None:
        """A call and what came of it."""
        tell = self.teller.tell
        value = f" with {order.value} wei" if order.value else ""
        twists = [one.twist for one in order.flat() if one.twist]
        twist = f" [{'; '.join(twists)}]" if twists else ""
        result = "; ".join(f"{e.name}{tell(e.args[1:])}" for e in events if e.name != "Funded") or "done"
        if reply.revert is not None:
            result = f"{reply.revert.name or 'empty revert'}{tell(reply.revert.args)}"
        self.note(f"{tell(order.caller)}{value}: {tell(order.call)}{twist} -> {result}")

    def fail(self, what: str) -> NoReturn:
        """Stop with the whole history."""
        history = "\n".join(f"  {i + 1:3}. {line}" for i, line in enumerate(self._lines))
        raise Mismatch(f"{what}\nwhat happened, from second {GENESIS}:\n{history}\n{what}")

    def same(self, what: str, contract: Any, model: Any) -> None:
        """Fail unless both sides say the same."""
        if contract != model:
            self.fail(f"{what}: the contract says {self.teller.tell(contract)}, expected {self.teller.tell(model)}")
