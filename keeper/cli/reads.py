"""Commands that only read: show, list, doctor. They need a node, never a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.options import command
from keeper.cli.run import Run

if TYPE_CHECKING:
    from keeper.commands.context import Session
    from keeper.commands.show import Shown
    from keeper.ledger.views import AgreementView, Place

Id = Annotated[str, typer.Argument(metavar="ID", help="Agreement id, or its first digits: 0x and at least 6.")]
Viewer = Annotated[
    str | None, typer.Option("--as", metavar="ADDRESS", help="Tell it from this address's side [default: the key's].")
]


LOOKING = "Looking"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the program."""
    command(app, "show", example="milepost show 0x51d2c0", panel=LOOKING)(show)
    command(app, "list", example="milepost list --json", panel=LOOKING)(list_all)
    command(app, "doctor", example="milepost doctor --config milepost.yaml", panel=LOOKING)(doctor)


def show(
    run: Run,
    agreement: Id,
    terms: Annotated[
        Path | None, typer.Option("--terms", metavar="FILE", help="Terms file, for titles and names only.")
    ] = None,
    viewer: Viewer = None,
) -> None:
    """Show an agreement as the chain has it: each milestone, what is due and when, and what everybody may do now.

    Everything is rebuilt from the chain. Titles come from the terms file, or from documents on the relays.
    """
    from keeper.cli.render_show import print_agreement
    from keeper.commands.context import open_session
    from keeper.commands.describe import agreement_json
    from keeper.commands.find import find_agreement

    with open_session(run.options.config, {"chain"}, viewer) as session:
        with run.progress("reading the chain") as progress:
            place = session.look(progress)
            view = find_agreement(session, agreement)
            progress("looking for titles")
            shown = _shown(session, view, place, terms)
        run.run_id = _run_id(session, "show", "0x" + view.id.hex())
        run.emit("milepost/agreement/1", agreement_json(shown), lambda out: print_agreement(out, shown))


def list_all(run: Run, viewer: Viewer = None) -> None:
    """List every agreement of the escrow: what is still locked, and when time moves it next."""
    from keeper.cli.render_show import print_list
    from keeper.commands.context import open_session
    from keeper.commands.describe import summary_json
    from keeper.commands.show import show_all

    with open_session(run.options.config, {"chain"}, viewer) as session:
        with run.progress("reading the chain") as progress:
            agreements = show_all(session, session.look(progress))
        run.run_id = _run_id(session, "list", None)
        data = {"agreements": [summary_json(shown) for shown in agreements]}
        run.emit("milepost/list/1", data, lambda out: print_list(out, agreements))


def doctor(run: Run) -> int:
    """Check everything that a run needs, and name all problems at once. Changes nothing but the database's schema."""
    from keeper.cli.render_show import print_checks
    from keeper.commands.doctor import examine, exit_of

    with run.progress("looking"):
        checks = examine(run.options.config)
    code = exit_of(checks)
    data: dict[str, Any] = {"checks": [{"name": c.name, "state": c.state, "detail": c.words} for c in checks]}
    run.emit("milepost/doctor/1", data, lambda out: print_checks(out, checks), code)
    return code


def _shown(session: Session, view: AgreementView, place: Place, terms: Path | None) -> Shown:
    from keeper.commands.labels import titles_of
    from keeper.commands.show import check_same, show
    from keeper.commands.terms import read_terms

    if terms is None:
        return show(session, view, place, titles=titles_of(session, view.agreement, ask_relays=True))
    report = read_terms(terms, session.deployment.book(), None)
    check_same(view, report.id, terms)
    file = report.file
    return show(session, view, place, titles=file.titles, title=file.title, names=file.labels)


def _run_id(session: Session, name: str, agreement: str | None) -> str:
    from keeper.commands.request import Request

    return Request(
        command=name,
        arguments={"agreement": agreement},
        chain_id=session.deployment.chain_id,
        escrow=session.deployment.escrow.address,
        caller=session.viewer,
    ).run_id
