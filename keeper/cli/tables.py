"""Plain tables and facts, the same everywhere: readable without colour, one look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def heading(out: Console, text: str) -> None:
    """A bold line with an empty one above."""
    out.print()
    out.print(Text(text, "bold"), soft_wrap=True)


def facts(out: Console, rows: Iterable[tuple[str, str]]) -> None:
    """Labelled values, one a line."""
    listed = [(name, value) for name, value in rows if value]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in listed:
        grid.add_row(Text(name), Text(value))
    out.print(Padding(grid, (0, 0, 0, 2), expand=False))


def table(out: Console, columns: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> None:
    """A table with a line under its head; `right` are the columns of numbers."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold")
    for number, name in enumerate(columns):
        shown.add_column(name, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    out.print(Padding(shown, (0, 0, 0, 2), expand=False))
