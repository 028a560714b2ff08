"""Where `milepost terms` takes terms from, a file or the chain, and where it puts what it makes of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.run import Run

if TYPE_CHECKING:
    from keeper.commands.context import Session
    from keeper.commands.lint.draft import Draft
    from keeper.commands.terms import TermsReport
    from keeper.protocol.terms_file import Book

TermsPath = Annotated[Path, typer.Argument(metavar="FILE", help="Terms file (YAML).")]
Target = Annotated[str, typer.Argument(metavar="FILE|ID", help="Terms file (YAML), or an agreement on chain.")]
DeploymentPath = Annotated[
    Path | None,
    typer.Option("--deployment", metavar="FILE", help="Deployment file [default: the one in the settings]."),
]
OutPath = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write here instead of to stdout.")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no node; name what is not checked for that.")]


@contextmanager
def reported(run: Run, file: Path, deployment: Path | None) -> Iterator[TermsReport]:
    """A terms file alone: no node is asked, and no deadline compared."""
    with opened(run, deployment) as (_, book):
        yield read(run, file, book, None)


@contextmanager
def opened(run: Run, deployment: Path | None) -> Iterator[tuple[Session, Book]]:
    """The settings, and the book of the deployment that is meant."""
    from keeper.chain.deployment import load_deployment
    from keeper.commands.context import open_session

    with open_session(run.options.config, set() if deployment else {"chain"}) as session:
        yield session, (load_deployment(deployment) if deployment else session.deployment).book()


def read(run: Run, file: Path, book: Book, now: int | None) -> TermsReport:
    """The terms, which give the run its id."""
    from keeper.commands.terms import read_terms

    report = read_terms(file, book, now)
    _identify(run, report)
    return report


def _identify(run: Run, report: TermsReport) -> None:
    from keeper.commands.request import Request

    run.run_id = Request(
        command=f"terms {run.command}",
        arguments={"agreement": "0x" + report.id.hex()},
        chain_id=report.book.chain_id,
        escrow=report.book.escrow,
        payer=report.file.agreement.terms.payer,
    ).run_id


@contextmanager
def drafted(run: Run, target: str, deployment: Path | None, *, offline: bool, look: bool = True) -> Iterator[Draft]:
    """A terms file, or an agreement on chain, with what a node tells of it; without `look` none is asked more."""
    from keeper.commands.lint.draft import Draft
    from keeper.commands.lint.linter import OFFLINE, chain_clock, draft_of

    with opened(run, deployment) as (session, book):
        if _is_id(target):
            report, time = _from_chain(run, session, target)
            now, why = (None, OFFLINE) if offline else (time, "")
        else:
            now, why = chain_clock(session, book, offline=offline)
            report = read(run, Path(target), book, now)
        yield draft_of(session, report, now, why) if look else Draft(report, now)


def _is_id(target: str) -> bool:
    return target[:2].lower() == "0x" and not Path(target).exists()


def _from_chain(run: Run, session: Session, target: str) -> tuple[TermsReport, int]:
    from keeper.commands.find import find_agreement
    from keeper.commands.onchain_terms import report_from_chain

    with run.progress("reading the chain") as progress:
        place = session.look(progress)
        view = find_agreement(session, target)
        progress("looking for documents")
        report = report_from_chain(session, view)
    _identify(run, report)
    return report, place.head.time


def write(run: Run, report: TermsReport, kind: str, content: bytes, out: Path | None, source: str) -> None:
    """To a file, or to stdout byte for byte; with --json inside the object."""
    from keeper.commands.files import write_file

    data: dict[str, Any] = {"agreement": "0x" + report.id.hex(), "bytes": len(content)}
    if out is not None:
        write_file(out, content, keep=Path(source))
        run.say(f"written: {out}")
        run.emit(f"milepost/terms-{kind}/1", {**data, "out": str(out)}, lambda _: None)
        return
    run.emit(f"milepost/terms-{kind}/1", {**data, kind: content.decode()}, lambda _: _raw(content))


def _raw(content: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
