"""`show`, `list` and `doctor` for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keeper.cli.tables import facts, heading, table
from keeper.commands.explain import Explanation, Facts, right_sentence
from keeper.commands.rights import roles_of
from keeper.commands.show import Shown, clocks
from keeper.commands.words import hex0x, money, number, sentence, short, span, utc, when
from keeper.protocol.types import ZERO_ADDRESS, Address

if TYPE_CHECKING:
    from rich.console import Console

    from keeper.commands.doctor import Check

_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red", "skipped": "dim"}


def print_agreement(out: Console, shown: Shown) -> None:
    """One agreement: who, how much, the clocks, then each milestone."""
    out.print(shown.title or f"Agreement {short(hex0x(shown.view.id))}", style="bold", markup=False, soft_wrap=True)
    facts(out, _parties(shown))
    for milestone_facts, explained in shown.milestones:
        _milestone(out, shown, milestone_facts, explained)


def print_list(out: Console, agreements: Sequence[Shown]) -> None:
    """One line an agreement."""
    if not agreements:
        out.print("No agreement was funded in this escrow yet.")
        return
    rows = [
        (
            hex0x(s.view.id),
            ", ".join(roles_of(s.view.agreement.terms, s.viewer)) or "-",
            f"{sum(m.open for m in s.view.milestones)} of {len(s.view.milestones)}",
            money(s.open_units, s.currency),
            when(s.next_at, s.head.time) if s.next_at else "all settled",
        )
        for s in agreements
    ]
    table(out, ("agreement", "you are", "open", "locked", "time moves it"), rows, right=(2, 3))


def print_checks(out: Console, checks: Sequence[Check]) -> None:
    """The doctor's table: what, how, and what to do."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for check in checks:
        grid.add_row(Text(check.state, _STYLES[check.state]), Text(check.name), Text(check.words))
    out.print(grid)


def _parties(shown: Shown) -> list[tuple[str, str]]:
    terms, quorum = shown.view.agreement.terms, shown.quorum
    head = shown.head
    rows = [
        ("agreement", hex0x(shown.view.id)),
        ("on", f"chain {shown.view.chain}, escrow {shown.view.escrow}"),
        ("payer", _name(shown, terms.payer)),
        ("payee", _name(shown, terms.payee)),
        ("arbiter", _name(shown, terms.arbiter) if terms.arbiter != ZERO_ADDRESS else "none: no disputes"),
    ]
    if terms.verifier != ZERO_ADDRESS:
        members = ", ".join(_name(shown, m) for m in quorum.members) if quorum else "never announced"
        rows.append(("attesters", f"{f'{quorum.m} of ' if quorum else ''}{members}"))
    native = terms.token == ZERO_ADDRESS
    rows.append(("token", f"{shown.currency.symbol} {'(the native currency)' if native else terms.token}"))
    rows.append(("locked", money(shown.open_units, shown.currency)))
    if shown.view.opened_by:
        rows.append(("came from", hex0x(shown.view.opened_by.source)))
    if shown.view.accepted:
        rows.append(("accepted", f"by the payee on chain, {utc(shown.view.accepted.time)}"))
    rows += [(name, f"{span(seconds)} {words}") for name, seconds, words in clocks(terms, quorum)]
    rows.append(("as of", f"block {head.number:,}, {utc(head.time)} (final up to block {shown.finalized:,})"))
    return rows


def _milestone(out: Console, shown: Shown, about: Facts, explained: Explanation) -> None:
    amount = number(about.milestone.amount, about.currency.decimals)
    heading(out, f"{sentence(explained.name)}  {amount} {about.currency.symbol}  {explained.status}")
    rows = [("now", explained.sentence)]
    if about.settled:
        rows.append(("in", f"transaction {about.settled.tx}, block {about.settled.block:,}"))
        rows.append(("sent by", _name(shown, about.settled.executor)))
    if explained.unmet and explained.next and not explained.next.ready:
        rows.append(("missing", f"{explained.unmet.text}, {explained.unmet.value}"))
    if explained.next:
        rows.append(("by time", explained.idle))
    ident = short_id(shown)
    names = ["may", *[" "] * len(explained.rights)]
    rows += [(name, right_sentence(right, about, ident)) for name, right in zip(names, explained.rights, strict=False)]
    facts(out, rows)


def short_id(shown: Shown) -> str:
    """The beginning of an id that a command line takes."""
    return hex0x(shown.view.id)[:12]


def _name(shown: Shown, address: Address | str) -> str:
    label = shown.names.get(Address(address))
    you = " (you)" if shown.viewer == address else ""
    return f"{label} {address}{you}" if label else f"{address}{you}"
