"""Options that every command shares, declared once.

`command` registers a function `(run, ...)` with typer: the shared options are added to its signature, gathered into
the run, and every error it raises is shown in the one form that the house knows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from keeper.cli.run import Options, Run

_CONFIG = typer.Option("--config", "-c", help="Settings file [default: $MILEPOST_CONFIG, else ./milepost.yaml].")
_JSON = typer.Option("--json", help="One JSON object on stdout instead of words; errors too.")
_VERBOSE = typer.Option("--verbose", "-v", count=True, help="-v logs each step to stderr; -vv adds tracebacks.")
_YES = typer.Option("--yes", "-y", help="Do not ask: the preview is what I want.", rich_help_panel="Sending")
_DRY = typer.Option(
    "--dry-run",
    help="Everything but sending: the preview, and each call simulated on the node. Needs no key with --as.",
    rich_help_panel="Sending",
)
_UNSIGNED = typer.Option(
    "--unsigned",
    help="Print the transactions {to, value, data, chainId, from}, in order, for another signer. Sends nothing.",
    rich_help_panel="Sending",
)
_AS = typer.Option(
    "--as",
    metavar="ADDRESS",
    help="Act as this address: with --dry-run or --unsigned, instead of a key.",
    rich_help_panel="Sending",
)
_WAIT = typer.Option(
    "--wait",
    metavar="SECONDS",
    min=0,
    help="How long to wait for the transaction's block. After that: exit code 6; repeat to look again.",
    rich_help_panel="Sending",
)


@dataclass(frozen=True, slots=True)
class _Shared:
    name: str
    annotation: Any
    default: Any


_READ = (
    _Shared("config", Annotated[Path | None, _CONFIG], None),
    _Shared("as_json", Annotated[bool, _JSON], False),
    _Shared("verbose", Annotated[int, _VERBOSE], 0),
)
_WRITE = (
    _Shared("yes", Annotated[bool, _YES], False),
    _Shared("dry_run", Annotated[bool, _DRY], False),
    _Shared("unsigned", Annotated[bool, _UNSIGNED], False),
    _Shared("acting_as", Annotated[str | None, _AS], None),
    _Shared("wait_s", Annotated[int, _WAIT], 120),
    *_READ,
)

Body = Callable[..., int | None]


def command(
    app: typer.Typer, name: str, *, example: str, writes: bool = False, daemon: bool = False, panel: str | None = None
) -> Callable[[Body], Body]:
    """Register `body(run, ...)` as `name`; its docstring is the help, `example` a line that works as printed.

    A daemon sets up its own log; every other command is quiet without -v. `panel` groups commands in the overview.
    """

    def register(body: Body) -> Body:
        shared = _WRITE if writes else _READ
        wrapped = _bind(body, name, shared, daemon=daemon)
        app.command(name, help=inspect.getdoc(body), epilog=f"Example: `{example}`", rich_help_panel=panel)(wrapped)
        return body

    return register


def _bind(body: Body, name: str, shared: tuple[_Shared, ...], *, daemon: bool) -> Callable[..., None]:
    names = {option.name for option in shared}

    def call(**values: Any) -> None:
        options = Options(**{key: value for key, value in values.items() if key in names})
        own = {key: value for key, value in values.items() if key not in names}
        if not daemon:
            from keeper.cli.output import configure_logs

            configure_logs(options.verbose)
        code = Run(name, options).guard(lambda run: body(run, **own))
        if code:
            raise typer.Exit(int(code))

    own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    extra = [
        inspect.Parameter(o.name, inspect.Parameter.KEYWORD_ONLY, default=o.default, annotation=o.annotation)
        for o in shared
    ]
    # typer reads signature and annotations, so the shared options are real parameters to it
    call.__signature__ = inspect.Signature([*keyword, *extra])  # type: ignore[attr-defined]
    call.__annotations__ = {p.name: p.annotation for p in [*keyword, *extra]}
    call.__name__, call.__doc__ = name, body.__doc__
    return call
