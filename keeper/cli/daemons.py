"""`milepost keeper` and `milepost attester`: start a daemon, or ask how it does. The daemons live in keeper.daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from keeper.cli.options import command
from keeper.cli.run import Run

if TYPE_CHECKING:
    from rich.console import Console


DAEMONS = "Daemons"


def register(app: typer.Typer) -> None:
    """Add `keeper run|once|status` and `attester run` to the program."""
    keeper = typer.Typer(help="The keeper: delivers what others signed and pokes the clocks.", no_args_is_help=True)
    command(keeper, "run", example="milepost keeper run --config keeper.yaml", daemon=True)(keeper_run)
    command(keeper, "once", example="milepost keeper once --config keeper.yaml", daemon=True)(keeper_once)
    command(keeper, "status", example="milepost keeper status --config keeper.yaml")(keeper_status)
    app.add_typer(keeper, name="keeper", rich_help_panel=DAEMONS)
    attester = typer.Typer(help="An attester: looks at the evidence and signs once.", no_args_is_help=True)
    command(attester, "run", example="milepost attester run --config attester.yaml", daemon=True)(attester_run)
    app.add_typer(attester, name="attester", rich_help_panel=DAEMONS)


def keeper_run(run: Run) -> int:
    """Run until SIGTERM or Ctrl-C: follow the chain, collect attestations, attest and settle, serve a relay."""
    from keeper.config.settings import load_settings
    from keeper.daemon import keeper

    return keeper.run(load_settings(run.options.config, need={"chain", "key"}))


def keeper_once(run: Run) -> None:
    """Do what is due now and end: for a timer instead of a daemon."""
    from keeper.config.settings import load_settings
    from keeper.daemon import keeper

    status = keeper.once(load_settings(run.options.config, need={"chain", "key"}))
    run.emit("milepost/keeper-once/1", {"status": status}, lambda out: _print_status(out, status))


def keeper_status(run: Run) -> None:
    """What the keeper's database says: how far it has read, what it does and what it waits for."""
    from keeper.commands.context import open_session
    from keeper.daemon.status import stored_status

    with open_session(run.options.config, {"chain", "key"}) as session, session.store.read() as conn:
        status = stored_status(conn, session.deployment.chain_id, session.signer.address)
    run.emit("milepost/keeper-status/1", {"status": status}, lambda out: _print_status(out, status))


def attester_run(run: Run) -> int:
    """Run until SIGTERM or Ctrl-C: fetch evidence, cross-check, decide, sign once, push to every relay."""
    from keeper.config.settings import load_settings
    from keeper.daemon import attester

    return attester.run(load_settings(run.options.config, need={"chain", "key", "relays", "sources"}))


def _print_status(out: Console, status: dict[str, Any]) -> None:
    from keeper.cli.tables import facts

    facts(out, _flat(status, ""))


def _flat(value: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, item in value.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(item, dict):
            rows += _flat(item, f"{name}: ")
        elif isinstance(item, list):
            rows.append((name, ", ".join(map(str, item)) or "none"))
        else:
            rows.append((name, "none" if item is None else str(item)))
    return rows
