"""The page's building blocks: sections, tables that scroll, names, hashes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keeper.commands.page.markup import Child, Markup, element
from keeper.commands.terms import TermsReport


def section(anchor: str, title: str, *content: Child) -> Markup:
    """A heading that the contents can lead to, and what stands under it."""
    return element("section", element("h2", title, id=anchor), *content)


def paragraph(*content: Child, kind: str | None = None) -> Markup:
    """A paragraph."""
    return element("p", *content, class_=kind)


def code(text: str) -> Markup:
    """An address, a hash or a command in a line."""
    return element("code", text)


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Child]], *, money: Sequence[int] = (), wide: bool = True
) -> Markup:
    """A table whose rows begin with their own head; `money` are the columns of amounts. It scrolls if narrow."""
    body = [element("tr", *(_cell(place, cell, money) for place, cell in enumerate(row))) for row in rows]
    head = [element("th", name, scope="col", class_=_kind(place, money)) for place, name in enumerate(heads)]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
        class_="wide" if wide else None,
    )
    return element("div", whole, class_="scroll", tabindex=0, role="region", aria_label=caption)


def pairs(caption: str, rows: Iterable[tuple[str, Child]]) -> Markup:
    """Names and values."""
    body = [element("tr", element("th", name, scope="row"), element("td", value)) for name, value in rows]
    return element("div", element("table", element("caption", caption), element("tbody", *body)), class_="scroll")


def who(report: TermsReport, address: str) -> list[Child]:
    """A name, if there is one, and the whole address."""
    label = {str(key): name for key, name in report.file.labels.items()}.get(address)
    return [label, element("br"), code(address)] if label else [code(address)]


def milestone(report: TermsReport, index: int) -> str:
    """`0 · Design`: the number that the contract uses, and the file's title."""
    title = report.file.titles[index]
    return f"{index} · {title}" if title else str(index)


def _cell(place: int, content: Child, money: Sequence[int]) -> Markup:
    if place == 0:
        return element("th", content, scope="row")
    return element("td", content, class_=_kind(place, money))


def _kind(place: int, money: Sequence[int]) -> str | None:
    return "money" if place in money else None
