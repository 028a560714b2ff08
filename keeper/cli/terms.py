"""`milepost terms`: read a terms file, without a key and without sending anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.options import command
from keeper.cli.run import Run
from keeper.cli.terms_out import explain, ics
from keeper.cli.terms_source import DeploymentPath, Offline, TermsPath, opened, read, reported
from keeper.errors import Exit

if TYPE_CHECKING:
    from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add `terms check|explain|ics|id|sign` to the program."""
    terms = typer.Typer(
        help="Read a terms file: what it says, what is dangerous in it, its id, and the payee's signature.",
        no_args_is_help=True,
    )
    command(terms, "check", example="milepost terms check examples/software-delivery.yaml")(check)
    command(terms, "explain", example="milepost terms explain examples/software-delivery.yaml --out terms.html")(
        explain
    )
    command(terms, "ics", example="milepost terms ics examples/software-delivery.yaml --out terms.ics")(ics)
    command(terms, "id", example="milepost terms id examples/software-delivery.yaml")(identify)
    command(terms, "sign", example="milepost terms sign examples/software-delivery.yaml")(sign)
    app.add_typer(terms, name="terms", rich_help_panel="Looking")


def check(
    run: Run,
    file: TermsPath,
    deployment: DeploymentPath = None,
    offline: Offline = False,
    price: Annotated[
        str | None,
        typer.Option("--price", metavar="AMOUNT", help="What one token costs in the native currency, for the tip."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with code 3 where a warning is a danger. Skipped checks are none.")
    ] = False,
) -> int:
    """Check a terms file: its id, schedule, clocks and quorum, the worst case for each side, and warnings.

    The worst cases are played through on the milestones' state machine. Each warning has a code and something to do
    (docs/reference/warnings.md). Where a node of the settings answers, it is asked about the addresses in the terms;
    without one, what was not checked is named.
    """
    from keeper.cli.render_terms import print_terms
    from keeper.commands.describe_terms import terms_json
    from keeper.commands.lint.codes import Severity
    from keeper.commands.lint.linter import chain_clock, draft_of, lint, read_price

    with opened(run, deployment) as (session, book):
        now, why = chain_clock(session, book, offline=offline)
        report = read(run, file, book, now)
        draft = draft_of(session, report, now, why, read_price(price))
        findings = lint(draft)
        refused = strict and any(found.severity == Severity.DANGER for found in findings)
        run.emit(
            "milepost/terms/1",
            terms_json(report, findings, draft.skipped),
            lambda out: print_terms(out, report, findings, draft.skipped),
            Exit.REFUSED if refused else Exit.DONE,
        )
        return Exit.REFUSED if refused else Exit.DONE


def identify(run: Run, file: TermsPath, deployment: DeploymentPath = None) -> None:
    """Print the agreement id: the EIP-712 hash of the terms, which is the contract itself."""
    with reported(run, file, deployment) as report:
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

    with reported(run, file, deployment) as report:
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


def _print_json(out: Console, value: Any) -> None:
    import orjson

    out.print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), markup=False, soft_wrap=True)
