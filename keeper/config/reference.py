"""All settings as Markdown, made from the models, for docs/reference/settings.md."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from keeper.config.fields import ETHER, GWEI, Listen
from keeper.config.model import Tree
from keeper.config.problems import model_of, written_fields

_SCALES = {"max_fee_gwei": GWEI, "max_tx_ether": ETHER, "max_day_ether": ETHER, "bump_percent": 2}
"""Keys that people write as decimals of a larger unit."""
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Listen: "host:port"}
_KINDS = {"FilePath": "path", "Path": "path"}


def settings_table() -> str:
    """A Markdown table: key, environment variable, type, default, meaning; one row per setting."""
    lines = ["| key | variable | type | default | meaning |", "|---|---|---|---|---|"]
    for name, info in written_fields(Tree).items():
        section = model_of(info)
        if section is None:
            lines.append(_row(name, f"MILEPOST__{name.upper()}", info))
            continue
        for key, inner in written_fields(section).items():
            lines.append(_row(f"{name}.{key}", f"MILEPOST_{name.upper()}__{key.upper()}", inner))
    return "\n".join(lines) + "\n"


def settings_example() -> str:
    """A settings file that names every key with its example."""
    lines: list[str] = []
    for name, info in written_fields(Tree).items():
        section = model_of(info)
        if section is None:
            lines.append(f"{name}: {_example(info)}")
            continue
        lines.append(f"{name}:")
        for key, inner in written_fields(section).items():
            other_way = name == "key" and key == "env"  # a key comes from one place only
            lines.append(f"  {'# or ' if other_way else ''}{key}: {_example(inner)}")
    return "\n".join(lines) + "\n"


def _example(info: FieldInfo) -> str:
    return str(info.examples[0]) if info.examples else '""'


def _row(key: str, variable: str, info: FieldInfo) -> str:
    last = key.rpartition(".")[2]
    kind = "decimal" if last in _SCALES else _kind(info.annotation)
    cells = (f"`{key}`", f"`{variable}`", kind, _default(last, info), info.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in args)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(arg) for arg in args if arg is not type(None))
    if origin is tuple:
        return f"list of {_kind(args[0])}"
    if origin is dict:
        return f"name: {_kind(args[1])}"
    if hasattr(annotation, "__metadata__"):
        return _kind(args[0])
    return _WORDS.get(annotation) or _KINDS.get(getattr(annotation, "__name__", ""), "text")


def _default(key: str, info: FieldInfo) -> str:
    if info.is_required():
        return "needed"
    value = info.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return "none"
    return f"`{_decimal(value, _SCALES[key]) if key in _SCALES else value}`"


def _decimal(value: int, decimals: int) -> str:
    whole, rest = divmod(value, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".")
