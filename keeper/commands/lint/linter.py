"""All rules over one draft."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from keeper.commands.lint.clocks import clocks
from keeper.commands.lint.codes import Finding, Severity
from keeper.commands.lint.draft import ETHER, NATIVE, Draft, Skipped
from keeper.commands.lint.judges import judges
from keeper.commands.lint.look import look, unasked
from keeper.commands.lint.money import about_money, gas_cost, worth_of_tip
from keeper.commands.lint.papers import papers
from keeper.commands.terms import TermsReport
from keeper.commands.words import number
from keeper.errors import MilepostError
from keeper.protocol.terms_file import Book
from keeper.protocol.units import UnreadableError, read_amount

if TYPE_CHECKING:
    from keeper.commands.context import Session

OFFLINE = "--offline was given"
_ORDER = list(Severity)


def chain_clock(session: Session, book: Book, *, offline: bool = False) -> tuple[int | None, str]:
    """The time of the chain's head, or None and why no node was asked: a file can be read without one."""
    if offline:
        return None, OFFLINE
    if session.settings.optional_chain is None:
        return None, "the settings name no node"
    if (session.deployment.chain_id, session.deployment.escrow.address) != (book.chain_id, book.escrow):
        return None, "the node of the settings is for another chain or escrow than the deployment file"
    try:
        return session.head().time, ""
    except MilepostError as error:
        if error.code != "RPC_UNREACHABLE":
            raise
        return None, f"no node answered ({error.cause})"


def draft_of(session: Session, report: TermsReport, now: int | None, why: str, price: int | None = None) -> Draft:
    """The terms with everything that a node tells of them; `now` and `why` are `chain_clock`'s.

    `price` is what one whole token costs, in wei.
    """
    known = Draft(report, now, None, price)
    if now is None:
        return replace(known, skipped=tuple(Skipped(check, why) for check in unasked(report)))
    try:
        facts, skipped = look(session.rpc, report, now)
    except MilepostError as error:
        if error.code != "RPC_UNREACHABLE":
            raise
        gone = f"the node stopped answering ({error.cause})"
        return replace(known, skipped=tuple(Skipped(check, gone) for check in unasked(report)[1:]))
    seen = replace(known, chain=facts)
    return replace(seen, skipped=(*skipped, *_unpriced(seen)))


def lint(draft: Draft) -> tuple[Finding, ...]:
    """Every warning, the most serious first, by milestone (docs/reference/warnings.md)."""
    found = [*judges(draft), *clocks(draft), *about_money(draft), *papers(draft)]
    return tuple(sorted(found, key=lambda w: (_ORDER.index(w.severity), -1 if w.milestone is None else w.milestone)))


def read_price(text: str | None) -> int | None:
    """Wei of an amount of the native currency as people type it, `0.00031`; USAGE for anything else."""
    try:
        return None if text is None else read_amount(text, ETHER, 128)
    except UnreadableError as error:
        raise MilepostError("USAGE", f"{text!r} is no price", cause=f"expected {error.expected}; {error.do}") from error


def _unpriced(draft: Draft) -> tuple[Skipped, ...]:
    """The tip cannot be compared with gas where nobody says what a token is worth."""
    cost = gas_cost(draft)
    if draft.terms.tip == 0 or cost is None or worth_of_tip(draft) is not None:
        return ()
    why = f"the call costs {number(cost, ETHER)} {NATIVE} now; --price says what a token is worth"
    return (Skipped("the tip against the gas price", why),)
