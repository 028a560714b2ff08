"""Encoding and decoding by the committed ABIs (interfaces/abi/*.json).

Decoded addresses are EIP-55 text, bytes are `bytes`, structs are tuples in the order of their fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.grammar import TupleType, parse
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

_checksum = lru_cache(maxsize=65_536)(to_checksum_address)


class AbiMismatch(ValueError):  # noqa: N818 - the bytes and the ABI do not match
    """Bytes or values do not fit the ABI: another contract, or a damaged answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A function, event or error of an ABI, with what is needed to code it."""

    name: str
    inputs: tuple[tuple[str, str], ...]
    """(name, canonical type) of each parameter."""
    indexed: tuple[bool, ...]
    outputs: tuple[str, ...]
    topic: bytes
    """keccak256 of the signature; its first 4 bytes are the selector of a function or error."""

    @property
    def signature(self) -> str:
        """`name(type,...)`, structs written out as tuples."""
        return f"{self.name}({','.join(kind for _, kind in self.inputs)})"

    @property
    def selector(self) -> bytes:
        """First 4 bytes of a call or of revert data."""
        return self.topic[:4]


class Contract:
    """The codec of one contract, by its committed ABI."""

    def __init__(self, name: str, abi: Sequence[dict[str, Any]]) -> None:
        self.name = name
        self.functions = _index(abi, "function")
        self.events = _index(abi, "event")
        self.errors = _index(abi, "error")
        self._functions_by_selector = {entry.selector: entry for entry in self.functions.values()}
        self._events_by_topic = {entry.topic: entry for entry in self.events.values()}
        self._errors_by_selector = {entry.selector: entry for entry in self.errors.values()}

    def encode(self, name: str, *args: Any) -> bytes:
        """Calldata of a call of `name`; AbiMismatch when the values do not fit its types."""
        entry = self._function(name)
        if len(args) != len(entry.inputs):
            raise AbiMismatch(f"{self.name}.{entry.signature}: expected {len(entry.inputs)} values, found {len(args)}")
        try:
            return entry.selector + encode([kind for _, kind in entry.inputs], args)
        except (EncodingError, TypeError, ValueError, OverflowError) as error:
            raise AbiMismatch(f"{self.name}.{entry.signature}: {error}") from error

    def decode_result(self, name: str, data: bytes) -> tuple[Any, ...]:
        """What a call of `name` returned, one value per output; AbiMismatch when the bytes are no such answer."""
        entry = self._function(name)
        return _decode(entry.outputs, data, f"{self.name}.{name} result")

    def decode_input(self, calldata: bytes) -> tuple[str, dict[str, Any]]:
        """Name and arguments of a call; AbiMismatch when no function of this contract has the selector."""
        entry = self._functions_by_selector.get(calldata[:4])
        if entry is None:
            raise AbiMismatch(f"{self.name} has no function with selector 0x{calldata[:4].hex()}")
        return entry.name, _named(entry, calldata[4:])

    def decode_log(self, topics: Sequence[bytes | str], data: bytes | str) -> tuple[str, dict[str, Any]]:
        """Name and fields of a log, indexed ones included; AbiMismatch when it is no event of this contract."""
        raw = [_bytes(topic) for topic in topics]
        entry = self._events_by_topic.get(raw[0]) if raw else None
        if entry is None:
            raise AbiMismatch(f"{self.name} has no event with topic {'0x' + raw[0].hex() if raw else 'none'}")
        pairs = list(zip(entry.inputs, entry.indexed, strict=True))
        in_topics = [field for field, indexed in pairs if indexed]
        in_data = [field for field, indexed in pairs if not indexed]
        if len(raw) != len(in_topics) + 1:
            raise AbiMismatch(f"{self.name}.{entry.name}: expected {len(in_topics)} topics, found {len(raw) - 1}")
        values = dict(
            zip((n for n, _ in in_data), _decode([k for _, k in in_data], _bytes(data), entry.name), strict=True)
        )
        for (name, kind), topic in zip(in_topics, raw[1:], strict=True):
            values[name] = _decode([kind], topic, entry.name)[0]
        return entry.name, {name: values[name] for name, _ in entry.inputs}

    def decode_error(self, data: bytes) -> tuple[str, dict[str, Any]] | None:
        """Name and arguments of a custom error of this contract in revert data; None when it is none of them."""
        entry = self._errors_by_selector.get(data[:4])
        return _error(entry, data) if entry else None

    def _function(self, name: str) -> Entry:
        try:
            return self.functions[name]
        except KeyError as error:
            raise AbiMismatch(f"{self.name} has no function {name}") from error


@cache
def contract(name: str) -> Contract:
    """The codec of a committed ABI, by the name of its file; AbiMismatch when there is none of that name."""
    path = abi_folder() / f"{name}.json"
    if not path.is_file():
        raise AbiMismatch(f"no ABI named {name} in this installation")
    return Contract(name, _load(path))


@cache
def contract_names() -> tuple[str, ...]:
    """Every committed ABI, sorted."""
    return tuple(sorted(path.stem for path in abi_folder().glob("*.json")))


@cache
def abi_folder() -> Path:
    """Where the ABIs are: inside an installed package, else interfaces/abi of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "abi"
    return installed if installed.is_dir() else package.parent / "interfaces" / "abi"


@cache
def known_errors() -> dict[bytes, Entry]:
    """Every custom error of every committed ABI, and Solidity's own two, by selector."""
    built_in = [_entry({"name": "Error", "inputs": [{"name": "message", "type": "string"}]})]
    built_in.append(_entry({"name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]}))
    entries = [entry for name in contract_names() for entry in contract(name).errors.values()]
    return {entry.selector: entry for entry in (*entries, *built_in)}


def decode_error(data: bytes) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of revert data by every committed ABI, `Error(string)` and `Panic(uint256)` included.

    None when no known error has the selector or its arguments do not decode.
    """
    entry = known_errors().get(data[:4])
    return _error(entry, data) if entry else None


def _load(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    abi: list[dict[str, Any]] = content["abi"] if isinstance(content, dict) else content
    return abi


def _index(abi: Sequence[dict[str, Any]], kind: str) -> dict[str, Entry]:
    entries = [_entry(item) for item in abi if item.get("type") == kind]
    names = [entry.name for entry in entries]
    # An overloaded name is ambiguous: it is found by its whole signature only.
    return {(e.name if names.count(e.name) == 1 else e.signature): e for e in entries}


def _entry(item: dict[str, Any]) -> Entry:
    inputs = tuple((p.get("name") or f"arg{i}", _type(p)) for i, p in enumerate(item.get("inputs", [])))
    signature = f"{item['name']}({','.join(kind for _, kind in inputs)})"
    return Entry(
        name=item["name"],
        inputs=inputs,
        indexed=tuple(bool(p.get("indexed")) for p in item.get("inputs", [])),
        outputs=tuple(_type(p) for p in item.get("outputs", [])),
        topic=keccak(text=signature),
    )


def _type(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(c) for c in parameter['components'])}){kind[len('tuple') :]}"


def _named(entry: Entry, data: bytes) -> dict[str, Any]:
    values = _decode([kind for _, kind in entry.inputs], data, entry.name)
    return dict(zip((name for name, _ in entry.inputs), values, strict=True))


def _error(entry: Entry, data: bytes) -> tuple[str, dict[str, Any]] | None:
    try:
        return entry.name, _named(entry, data[4:])
    except AbiMismatch:
        return None  # another contract's error with the same selector: the caller keeps the hex


def _decode(kinds: Sequence[str], data: bytes, what: str) -> tuple[Any, ...]:
    try:
        values = decode(kinds, data)
    except (DecodingError, ValueError, OverflowError) as error:
        raise AbiMismatch(f"{what}: {error}") from error
    tidiers = (_tidier(kind) for kind in kinds)
    return tuple(tidy(value) if tidy else value for tidy, value in zip(tidiers, values, strict=True))


@cache
def _tidier(kind: str) -> Callable[[Any], Any] | None:
    """How a decoded value of this type becomes ours: addresses EIP-55, lists tuples; None where nothing changes."""
    parsed = parse(kind)
    if parsed.is_array:
        item = _tidier(parsed.item_type.to_type_str())
        return (lambda value: tuple(map(item, value))) if item else tuple
    if isinstance(parsed, TupleType):
        fields = [_tidier(component.to_type_str()) for component in parsed.components]
        return lambda value: tuple(f(v) if f else v for f, v in zip(fields, value, strict=True))
    return _checksum if kind == "address" else None


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else bytes.fromhex(value.removeprefix("0x"))
