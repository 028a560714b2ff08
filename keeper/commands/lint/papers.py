"""Warnings about documents: the legal text, and the criteria that milestones are judged by."""

from __future__ import annotations

from collections.abc import Iterator

from keeper.attester.sources import criteria_fault
from keeper.commands.lint.codes import Finding
from keeper.commands.lint.draft import Draft
from keeper.commands.words import percent
from keeper.errors import MilepostError
from keeper.protocol.documents import Criteria, Envelope, parse_criteria
from keeper.protocol.types import ALL_BPS, ZERO32, ZERO_ADDRESS


def papers(draft: Draft) -> Iterator[Finding]:
    """Every warning about the legal text, the criteria and the salts."""
    documents, name = draft.report.file.documents, draft.terms.document
    text = documents.get(name)
    if name == ZERO32 or (text is not None and not text.content.strip()):
        yield Finding("document-missing", "There is no legal text: what the hash stands for is empty.")
    elif text is None:
        yield Finding("document-missing", f"Nobody here has the legal text that hashes to 0x{name.hex()}.")
    for index, milestone in enumerate(draft.report.file.agreement.milestones):
        yield from _criteria(draft, index, documents.get(milestone.criteria))
    yield from _copies(draft)
    yield from _salts(draft)


def _criteria(draft: Draft, index: int, envelope: Envelope | None) -> Iterator[Finding]:
    if envelope is None:
        yield Finding("criteria-missing", f"Nobody here has the criteria of milestone {index}.", index)
        return
    criteria, fault = _judgeable(envelope)
    if fault and draft.terms.verifier != ZERO_ADDRESS:
        yield Finding("criteria-unjudgeable", f"No attester can judge milestone {index}: {fault}.", index)
    if criteria is None:
        return
    if criteria.rule.agree == 1:
        yield Finding(
            "criteria-one-source",
            f"One source that is wrong, or whose operator is paid, is enough to show milestone {index} done.",
            index,
        )
    if criteria.payout_bps < ALL_BPS:
        yield Finding(
            "criteria-pay-part", f"Fulfilled, milestone {index} pays only {percent(criteria.payout_bps)}.", index
        )


def _judgeable(envelope: Envelope) -> tuple[Criteria | None, str]:
    """The criteria, if the document is any, and why nobody can judge by it."""
    try:
        criteria = parse_criteria(envelope.content)
    except MilepostError as error:
        return None, f"{error.title} ({error.cause})"
    return criteria, criteria_fault(criteria) or ""


def _copies(draft: Draft) -> Iterator[Finding]:
    """Milestones that one delivery fulfils together: the same hash, or the same words under another salt."""
    documents, groups = draft.report.file.documents, dict[bytes, list[int]]()
    for index, milestone in enumerate(draft.report.file.agreement.milestones):
        envelope = documents.get(milestone.criteria)
        groups.setdefault(envelope.content if envelope else milestone.criteria, []).append(index)
    for same in groups.values():
        if len(same) > 1:
            listed = ", ".join(map(str, same[:-1])) + f" and {same[-1]}"
            yield Finding(
                "criteria-copied", f"Milestones {listed} have the same criteria: what fulfils one fulfils all."
            )


def _salts(draft: Draft) -> Iterator[Finding]:
    if draft.terms.salt == ZERO32:
        yield Finding("salt-zero", "The agreement's salt is zero: the same terms can be funded only once.")
    unsalted = [envelope for envelope in draft.report.file.documents.values() if envelope.salt == ZERO32]
    if unsalted:
        count = "a document is" if len(unsalted) == 1 else f"{len(unsalted)} documents is"
        yield Finding("salt-zero", f"The salt of {count} zero: who guesses the words can check the guess.")
