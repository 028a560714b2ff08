"""HTML by construction: text is escaped wherever it enters, so that no place can forget it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

_VOID = frozenset({"br", "meta", "hr", "col"})
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of what a reader does not see, among them the marks that turn the direction of writing."""


@dataclass(frozen=True, slots=True)
class Markup:
    """Markup that is already safe."""

    text: str


Child: TypeAlias = "Markup | str | Iterable[Child] | None"


def element(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """`<name attribute="...">children</name>`: children that are text, and all attributes, are escaped.

    `class_` stands for class, `view_box` for viewBox, an underscore for a hyphen; None leaves an attribute out.
    """
    written = "".join(
        f' {_name(key)}="{visible(str(value))}"' for key, value in attributes.items() if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(children).text}</{name}>")


def join(children: Child) -> Markup:
    """Several children in one piece."""
    if children is None:
        return Markup("")
    if isinstance(children, Markup):
        return children
    if isinstance(children, str):
        return Markup(visible(children))
    return Markup("".join(join(child).text for child in children))


def visible(text: str) -> str:
    """Text for HTML, with characters that nobody sees written out: `[U+202E]` cannot turn a sentence around."""
    return escape("".join(_shown(character) for character in text), quote=True)


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _HIDDEN:
        return character
    return f"[U+{ord(character):04X}]"


_NAMES = {"class_": "class", "for_": "for", "view_box": "viewBox", "http_equiv": "http-equiv"}


def _name(key: str) -> str:
    return _NAMES.get(key, key.replace("_", "-"))
