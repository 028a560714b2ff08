"""The program `milepost`: the commands gathered, and what happens when a command line itself is wrong.

Only typer is imported before a command runs: `milepost --help` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from keeper.cli import daemons, parties, reads, terms, upkeep
from keeper.cli.run import Options, Run
from keeper.errors import Exit, MilepostError

_CODES = {
    Exit.DONE: "done",
    Exit.FAILED: "failed, nothing moved",
    Exit.USAGE: "usage or settings",
    Exit.REFUSED: "refused by policy, or held",
    Exit.NOT_AUTHORISED: "not authorised: another party's turn",
    Exit.UNREACHABLE: "chain, RPC or relay unreachable",
    Exit.UNKNOWN: "sent, outcome not known yet: do not resend, repeat the very same command",
    Exit.MISMATCH: "verification found a difference",
    Exit.PENDING: "not due, or still pending",
    Exit.INTERRUPTED: "interrupted",
}
EPILOG = "\n\n".join(
    [
        "Exit codes, the same as `exit_code` in --json:",
        *(f"- {code.value}: {words}" for code, words in _CODES.items()),
        "",
        "Milestones are numbered from 0, as in the contract and in JSON. `milepost COMMAND --help` shows an example.",
    ]
)

app = typer.Typer(
    name="milepost",
    help="Milestone payments that agents can run and nobody has to trust.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"milepost {version('milepost')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


terms.register(app)
parties.register(app)
reads.register(app)
daemons.register(app)
upkeep.register(app)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; nothing escapes."""
    try:
        code = app(arguments, prog_name="milepost", standalone_mode=False)
    except typer.Abort:
        return int(Exit.INTERRUPTED)
    except typer.TyperException as error:
        return _usage(arguments, error)
    return int(code or 0)


def main() -> None:
    """The entry point of the package."""
    sys.exit(run(sys.argv[1:]))


def _usage(arguments: list[str], error: typer.TyperException) -> int:
    """A command line that typer refuses, in the house's form."""
    words = [a for a in arguments if not a.startswith("-")]
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "milepost"
    failure = MilepostError(
        "USAGE", f"`{path}` was not understood", cause=error.format_message(), hint=f"`{path} --help` shows an example"
    )
    options = Options(as_json="--json" in arguments)
    return int(Run(" ".join(words[:2]), options).fail(failure))
