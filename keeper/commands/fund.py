"""Lock the money of a terms file: documents, quorum, allowance, funding (docs/protocol.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from keeper.commands.context import Session
from keeper.commands.fund_calls import funding_calls
from keeper.commands.fund_preview import locked, milestones_in, preview
from keeper.commands.plan import Plan, Publication
from keeper.commands.refusals import contract_error
from keeper.commands.request import Request
from keeper.commands.terms import TermsReport, read_terms
from keeper.commands.words import hex0x, money, short
from keeper.errors import MilepostError, Moved
from keeper.ledger import views
from keeper.ledger.events import Funded, decode


def plan_fund(session: Session, path: Path, indexes: Sequence[int] | None, place: views.Place) -> Plan:
    """The plan that funds the milestones of a terms file (all of them, or `indexes`) which are not funded yet.

    TERMS_INVALID, USAGE for milestones outside of the schedule, INSUFFICIENT_FUNDS, the contract's AlreadyFunded when
    somebody else paid everything asked for, VERIFY_MISMATCH when the contract computes another id than we do.
    """
    report = _read(session, path, place)
    funded, _ = session.escrow.state(report.id)
    wanted = _mask(report, indexes)
    missing = wanted & ~funded
    if missing:
        report = _with_deadlines(session, path, report, missing, place)
        _check_id(session, report)
    done = "" if missing else _already(session, report, wanted)
    calls = tuple(funding_calls(session, report, missing)) if missing else ()
    return Plan(
        command="fund",
        run_id=_request(session, report, wanted).run_id,
        sender=session.sender,
        chain_id=session.deployment.chain_id,
        preview=preview(session.sender, report, missing or wanted, wanted & funded),
        question=f"Lock {money(locked(report, missing), report.currency)}?",
        calls=calls,
        head_number=place.head.number,
        documents=tuple(_documents(report)),
        agreement=report.id,
        done=done,
        facts={"milestones": milestones_in(missing or wanted)},
    )


def verify_funded(session: Session, plan: Plan, tx_hash: bytes) -> None:
    """The chain's own word that the transaction funded just this agreement; VERIFY_MISMATCH otherwise.

    The ledger must have caught up after the transaction.
    """
    with session.store.read() as conn:
        events = views.events_of(conn, plan.agreement)
    if not any(event.name == "Funded" and event.tx_hash == hex0x(tx_hash) for event in events):
        raise MilepostError(
            "VERIFY_MISMATCH",
            f"Transaction {hex0x(tx_hash)} did not fund {short(hex0x(plan.agreement))}",
            cause="expected its Funded event with that id, found none: the block may have left the chain",
            moved=Moved.UNKNOWN,
            hint="repeat the very same command: it looks again and never pays twice",
        )


def _read(session: Session, path: Path, place: views.Place) -> TermsReport:
    """The file without its deadlines, which do not matter once it is funded; with them when it is wrong anyway."""
    book = session.deployment.book()
    try:
        return read_terms(path, book, None)
    except MilepostError:
        read_terms(path, book, place.head.time)
        raise


def _mask(report: TermsReport, indexes: Sequence[int] | None) -> int:
    count = len(report.file.agreement.milestones)
    chosen = range(count) if indexes is None else indexes
    outside = [i for i in chosen if not 0 <= i < count]
    if outside or not chosen:
        raise MilepostError(
            "USAGE",
            f"The schedule has no milestone {', '.join(map(str, outside)) or 'of that list'}",
            cause=f"expected numbers from 0 to {count - 1}",
        )
    return sum(1 << i for i in set(chosen))


def _with_deadlines(session: Session, path: Path, report: TermsReport, missing: int, place: views.Place) -> TermsReport:
    """Deadlines compared with the chain's clock, where every milestone is to be funded; else the contract compares."""
    everything = (1 << len(report.file.agreement.milestones)) - 1
    if missing != everything:
        return report
    return read_terms(path, session.deployment.book(), place.head.time)


def _check_id(session: Session, report: TermsReport) -> None:
    found = session.escrow.agreement_id(report.file.agreement)
    if found != report.id:
        raise MilepostError(
            "VERIFY_MISMATCH",
            "The escrow computes another id for these terms than this program does",
            cause=f"expected {hex0x(report.id)}, found {hex0x(found)}",
        )


def _already(session: Session, report: TermsReport, wanted: int) -> str:
    """Words when the sender funded all of it before; the contract's refusal when somebody else did."""
    with session.store.read() as conn:
        events = [(e, decode(e)) for e in views.events_of(conn, report.id) if e.name == "Funded"]
    mine = [(e, f) for e, f in events if isinstance(f, Funded) and f.funder == session.sender and f.mask & wanted]
    name = short(hex0x(report.id))
    if mine:
        return f"{name} is funded already, by you, in transaction {mine[-1][0].tx_hash}"
    others = {f.funder for _, f in events if isinstance(f, Funded)}
    raise contract_error(
        "AlreadyFunded",
        f"{name} is funded already, by somebody else",
        cause=f"expected nobody to have paid, found {', '.join(sorted(others)) or 'a funding not final yet'}",
        money="nothing moved; you need not pay",
        hint=f"`milepost show {hex0x(report.id)}`",
    )


def _documents(report: TermsReport) -> Iterator[Publication]:
    agreement = report.file.agreement
    names = {agreement.terms.document: "the legal text"}
    for index, milestone in enumerate(agreement.milestones):
        names.setdefault(milestone.criteria, f"the criteria of milestone {index} '{report.file.titles[index]}'")
    for name, envelope in report.file.documents.items():
        yield Publication(names.get(name, "a document"), envelope)


def _request(session: Session, report: TermsReport, mask: int) -> Request:
    return Request(
        command="fund",
        arguments={"agreement": hex0x(report.id), "milestones": milestones_in(mask)},
        chain_id=session.deployment.chain_id,
        escrow=session.escrow.address,
        caller=session.sender,
        payer=report.file.agreement.terms.payer,
        principal=session.sender,
        deadline=min(report.file.agreement.milestones[i].submit_by for i in milestones_in(mask)),
    )
