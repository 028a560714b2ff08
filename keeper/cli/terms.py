"""`milepost terms`: read a terms file, without a key and without sending anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.options import command
from keeper.cli.run import Run

if TYPE_CHECKING:
    from rich.console import Console

    from keeper.commands.terms import TermsReport

TermsPath = Annotated[Path, typer.Argument(metavar="FILE", help="Terms file (YAML).")]
DeploymentPath = Annotated[
    Path | None,
    typer.Option("--deployment", metavar="FILE", help="Deployment file [default: the one in the settings]."),
]


def register(app: typer.Typer) -> None:
    """Add `terms check|id|sign` to the program."""
    terms = typer.Typer(
        help="Read a terms file: what it says, its id, and the payee's signature.", no_args_is_help=True
    )
    command(terms, "check", example="milepost terms check examples/software-delivery.yaml")(check)
    command(terms, "id", example="milepost terms id examples/software-delivery.yaml")(identify)
    command(terms, "sign", example="milepost terms sign examples/software-delivery.yaml")(sign)
    app.add_typer(terms, name="terms", rich_help_panel="Looking")


def check(run: Run, file: TermsPath, deployment: DeploymentPath = None) -> None:
    """Check a terms file; show its id, schedule, clocks, quorum, and the worst case for each side.

    Deadlines are compared with the chain's clock when a node of the settings answers.
    """
    from keeper.cli.render_terms import print_terms
    from keeper.commands.describe_terms import terms_json

    with _report(run, file, deployment, ask_node=True) as report:
        run.emit("milepost/terms/1", terms_json(report), lambda out: print_terms(out, report))


def identify(run: Run, file: TermsPath, deployment: DeploymentPath = None) -> None:
    """Print the agreement id: the EIP-712 hash of the terms, which is the contract itself."""
    with _report(run, file, deployment) as report:
        ident = "0x" + report.id.hex()
        run.emit("milepost/terms-id/1", {"agreement": ident}, lambda out: out.print(ident, soft_wrap=True))


def sign(
    run: Run,
    file: TermsPath,
    deployment: DeploymentPath = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Print the typed data for another signer.")] = False,
) -> None:
    """Payee: sign the terms (EIP-712), to show later that you accepted them. Nothing is sent."""
    from keeper.commands import terms
    from keeper.commands.context import open_session

    with _report(run, file, deployment) as report:
        typed = terms.typed_data(report)
        data: dict[str, Any] = {"agreement": "0x" + report.id.hex(), "typed_data": typed}
        if unsigned:
            run.emit("milepost/terms-signature/1", data, lambda out: _print_json(out, typed))
            return
        with open_session(run.options.config, {"key"}) as session:
            run.warn_of_key(session)
            signature = terms.sign(report, session.signer)
            data |= {"signer": session.signer.address, "signature": signature}
        run.say(f"{data['signer']} accepts {data['agreement']}")
        run.emit("milepost/terms-signature/1", data, lambda out: out.print(signature, soft_wrap=True))


@contextmanager
def _report(run: Run, file: Path, deployment: Path | None, *, ask_node: bool = False) -> Iterator[TermsReport]:
    from keeper.chain.deployment import load_deployment
    from keeper.commands.context import open_session
    from keeper.commands.request import Request
    from keeper.commands.terms import read_terms

    with open_session(run.options.config, set() if deployment else {"chain"}) as session:
        book = (load_deployment(deployment) if deployment else session.deployment).book()
        now = _now(session) if ask_node and session.settings.optional_chain else None
        report = read_terms(file, book, now)
        run.run_id = Request(
            command=f"terms {run.command}",
            arguments={"agreement": "0x" + report.id.hex()},
            chain_id=book.chain_id,
            escrow=book.escrow,
            payer=report.file.agreement.terms.payer,
        ).run_id
        yield report


def _now(session: Any) -> int | None:
    """The chain's clock, or None where no node answers: a file can be read without one."""
    from keeper.errors import MilepostError

    try:
        return int(session.head().time)
    except MilepostError as error:
        if error.code != "RPC_UNREACHABLE":
            raise
        return None


def _print_json(out: Console, value: Any) -> None:
    import orjson

    out.print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), markup=False, soft_wrap=True)
