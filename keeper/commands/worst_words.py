"""Worst cases in words: what is assumed, the way there step by step, what the party has to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from keeper.commands.words import percent, utc
from keeper.protocol.game import Line, Role, Step
from keeper.protocol.machine import Action
from keeper.protocol.types import ZERO_ADDRESS, Status, Terms
from keeper.protocol.worst_case import Assumption, WorstCase

_WORK = {Role.PAYER: "anything at all", Role.PAYEE: "its work", None: "in the last second"}
NOTHING = "has to do nothing for it but give nothing away"

HOSTILE = (
    "The other party and all keepers are hostile in every row. A hostile judge says, or withholds, whatever hurts.",
    "An honest one judges in time, for the payer a payee that delivered nothing, for the payee one that delivered what "
    "the criteria ask.",
    "A silent or absent one says nothing; an arbiter that is a contract may then still refuse one side's disputes.",
)
"""What the assumptions mean."""


@dataclass(frozen=True, slots=True)
class Told:
    """One step of a way: what happens, and when."""

    text: str
    at: int
    """Unix seconds: the last second for it, or for settling the first."""
    settles: bool

    def __str__(self) -> str:
        return f"{self.text} ({'from' if self.settles else 'by'} {utc(self.at)})"


def assumed(terms: Terms, assumption: Assumption) -> str:
    """The assumption in the words of terms that may lack a judge."""
    attested, arbitrated = terms.verifier != ZERO_ADDRESS, terms.arbiter != ZERO_ADDRESS
    if attested and arbitrated:
        return assumption.value
    only = "quorum" if attested else "arbiter"
    words = {
        Assumption.JUDGES_SILENT: f"{only} silent",
        Assumption.ARBITER_ABSENT: "quorum honest",
        Assumption.QUORUM_HOSTILE: "arbiter honest",
    }
    return words.get(assumption, assumption.value)


def merits(role: Role, assumption: Assumption) -> str:
    """What an assumption that somebody is honest takes for granted of the work."""
    if assumption in (Assumption.ALL_HOSTILE, Assumption.JUDGES_SILENT):
        return ""
    if role == Role.PAYER:
        return "the payee delivers nothing that meets the criteria"
    return "the payee delivers what the criteria ask"


def way(terms: Terms, role: Role | None, line: Line) -> list[Told]:
    """The steps of a line, in order; `role` is the party that it is told of, None for nobody in particular."""
    submitted = False
    told = []
    for step in line.steps:
        told.append(Told(_text(terms, role, step, submitted), step.at, step.action == Action.SETTLE))
        submitted = submitted or step.action == Action.SUBMIT
    return told


def because(terms: Terms, row: WorstCase) -> str:
    """The way without its times, in one sentence."""
    return ", then ".join(told.text for told in way(terms, row.role, row.line))


def duty(terms: Terms, row: WorstCase) -> str:
    """What the party has to do, in time, for its floor to hold."""
    wanted = []
    if Action.SUBMIT in row.duty:
        wanted.append("submit its work by the deadline")
    if Action.DISPUTE in row.duty:
        wanted.append(f"dispute {_what_hurts(terms, row)} before the window for it ends")
    return f"has to {' and '.join(wanted)}" if wanted else NOTHING


def _what_hurts(terms: Terms, row: WorstCase) -> str:
    if terms.verifier == ZERO_ADDRESS:
        return (
            "the submission" if row.role == Role.PAYER else "its own submission, where the payer neither pays nor does"
        )
    if row.role == Role.PAYER:
        return "a wrong award, and a submission that nobody reviewed,"
    return "a wrong verdict, and silence,"


def _text(terms: Terms, role: Role | None, step: Step, submitted: bool) -> str:
    share = "" if step.bps is None else percent(step.bps)
    match step.action:
        case Action.SUBMIT:
            return f"the payee submits {_WORK[role]}"
        case Action.AWARD:
            how = "" if step.source == Status.SUBMITTED else ", though nothing was submitted"
            return f"the quorum awards {share} to the payee{how}"
        case Action.REJECT:
            return "the quorum rejects it"
        case Action.DISPUTE:
            return _dispute(terms, role, step)
        case Action.RULE:
            return f"the arbiter rules {share} to the payee"
        case _:
            return _end(terms, step, share, submitted)


def _dispute(terms: Terms, role: Role | None, step: Step) -> str:
    who = _disputer(role, step)
    match step.source:
        case Status.ATTESTED:
            return f"{who} disputes the award"
        case Status.FUNDED:
            return "the payee disputes the rejection"
        case _ if terms.verifier == ZERO_ADDRESS:
            return f"{who} disputes the submission"
        case _:
            return f"nobody reviews it, and {who} disputes that"


def _disputer(role: Role | None, step: Step) -> str:
    if role is None:
        return "either party"
    other = Role.PAYEE if role == Role.PAYER else Role.PAYER
    return f"the {role if step.by_party else other}"


def _end(terms: Terms, step: Step, share: str, submitted: bool) -> str:
    match step.source:
        case Status.FUNDED:
            return "nothing else is submitted, and it lapses" if submitted else "nothing is submitted, and it lapses"
        case Status.SUBMITTED:
            nobody = "nobody disputes it" if terms.verifier == ZERO_ADDRESS else "nobody reviews or disputes it"
            return f"{nobody}, and silence pays {share} to the payee"
        case Status.ATTESTED:
            return f"nobody disputes it, and {share} goes to the payee"
        case _:
            return f"the arbiter does not rule, and {share} to the payee stands"
