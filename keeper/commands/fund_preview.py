"""What a funder reads before the money is locked: how much, for whom, until when; the worst case. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keeper.commands.lint.codes import Severity
from keeper.commands.lint.draft import Draft
from keeper.commands.lint.linter import lint
from keeper.commands.plan import Preview
from keeper.commands.terms import TermsReport, shares_in_words
from keeper.commands.words import hex0x, money, short, utc
from keeper.protocol.types import Address
from keeper.protocol.worst_case import Assumption, Role


def preview(sender: Address, report: TermsReport, mask: int, before: int) -> Preview:
    """The preview for the milestones in bitmap `mask`; those in `before` are funded already."""
    agreement, currency = report.file.agreement, report.currency
    who = "you get" if sender == agreement.terms.payer else "the payer gets"
    until = max(report.latest[i] for i in milestones_in(mask)) - 1
    facts = [
        ("you lock", f"{money(locked(report, mask), currency)} for milestones {_list(milestones_in(mask))}"),
        ("for", f"{_name(report, agreement.terms.payee)}, the payee"),
        ("until", f"{utc(until)} at the latest; by then time alone has emptied it"),
        ("silence", shares_in_words(agreement.terms)),
        *_worst(report, mask, who),
        *(("danger", found.sentence) for found in lint(Draft(report)) if found.severity == Severity.DANGER),
        ("agreement", hex0x(report.id)),
        ("sent by", sender),
    ]
    if sender != agreement.terms.payer:
        facts.insert(
            0, ("careful", f"you pay for {_name(report, agreement.terms.payer)}: what comes back is the payer's")
        )
    if before:
        facts.insert(0, ("funded", f"milestones {_list(milestones_in(before))} before: they are left alone"))
    return Preview(f"Fund '{report.file.title}' ({short(hex0x(report.id))})", tuple(facts))


def _worst(report: TermsReport, mask: int, who: str) -> Iterator[tuple[str, str]]:
    """What the payer gets back at least, for the milestones in `mask`, if everyone or no judge acts against it."""
    rows = [row for row in report.worst if row.role == Role.PAYER and mask >> row.milestone & 1]
    for assumption, words in _ASSUMING.items():
        found = [row.receives for row in rows if row.assumption == assumption]
        if found:
            label = "worst case" if assumption == Assumption.ALL_HOSTILE else ""
            yield label, f"{who} {money(sum(found), report.currency)} back if {words}"


_ASSUMING = {
    Assumption.ALL_HOSTILE: "everyone else is hostile",
    Assumption.JUDGES_SILENT: "only the judges stay silent",
}


def _name(report: TermsReport, address: Address) -> str:
    label = report.file.labels.get(address)
    return f"{label} ({address})" if label else address


def locked(report: TermsReport, mask: int) -> int:
    """Token units of the milestones in a bitmap."""
    return sum(m.amount for i, m in enumerate(report.file.agreement.milestones) if mask >> i & 1)


def milestones_in(mask: int) -> list[int]:
    """The numbers of the bits set: bit i = milestone i."""
    return [i for i in range(mask.bit_length()) if mask >> i & 1]


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
