"""The demo: two agreements live their whole lives on a chain of their own, moved by the real keepers and attesters.

make demo                      everything, under three minutes; exit code 0 only if every unit is where it belongs
make demo KEEP=1               leaves everything running afterwards and tells how to talk to it
make demo WITHOUT=keeper-1     the same with one keeper only: the end is the same
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from keeper.errors import MilepostError
from scripts.stage import account
from scripts.stage.cast import Cast
from scripts.stage.people import KEY, MILEPOST, ROOT
from scripts.stage.processes import Crew, DemoFailedError
from scripts.stage.scenario import Scenario

HOME = ROOT / ".milepost" / "demo"
REPORT = ROOT / "reports" / "demo.json"


def main() -> int:
    options = arguments()
    console = Console(highlight=False, record=options.picture is not None)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # also where a shell started us in the background
    home = Path(options.home)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        with Crew(home) as crew:
            code = play(crew, console, options)
        if options.picture:
            save_picture(console, Path(options.picture))
        return code
    except KeyboardInterrupt:
        console.print("\ninterrupted: every process of the demo has ended")
        return 130
    except (DemoFailedError, MilepostError) as problem:
        console.print(f"\n[bold red]error:[/] {problem}", soft_wrap=True)
        console.print(f"  logs of every process: {home}", soft_wrap=True)
        return 1


def save_picture(console: Console, path: Path) -> None:
    """Saves what the terminal showed as an SVG that asks nobody for fonts."""
    path.write_text(re.sub(r"@font-face \{.*?\}\n", "", console.export_svg(title="make demo"), flags=re.DOTALL))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="Play the demo.")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--without", choices=["keeper-1", "keeper-2"], action="append", default=[])
    parser.add_argument("--home", default=str(HOME), help="folder for logs, settings and databases; emptied first")
    parser.add_argument("--report", default=str(REPORT), help="where the report goes")
    parser.add_argument("--picture", help="also save what the terminal shows as an SVG")
    options = parser.parse_args()
    if len(set(options.without)) == 2:
        parser.error("at least one keeper is needed")
    return options


def play(crew: Crew, console: Console, options: argparse.Namespace) -> int:
    """Sets the stage, plays, gives the account; returns the exit code."""
    started = time.monotonic()

    def tell(words: str) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_row(f"[dim]{time.monotonic() - started:4.0f} s[/]", words)
        console.print(grid)

    tell("Starting a chain and deploying the contracts through ape")
    cast = Cast(crew, options.without)
    try:
        scenario = Scenario(cast, tell)
        show_terms(cast, scenario)
        scenario.play()
        paid = account.settlements(cast, [scenario.delivery, scenario.support])
        held = account.balances(cast)
        both = list(cast.keepers) if len(cast.keepers) > 1 else []
        wrong = account.differences(paid, held, both)
        seconds = int(time.monotonic() - started)
        account.show(console, cast, scenario, paid, held)
        account.write_report(Path(options.report), paid, wrong, seconds)
        verdict(console, wrong, seconds)
        if options.keep:
            keep(console, cast)
        return 1 if wrong else 0
    finally:
        cast.close()


def show_terms(cast: Cast, scenario: Scenario) -> None:
    """Shows what the payer sees before any money moves: `milepost terms check` on the example file."""
    payer = cast.people["payer"]
    argv = [str(MILEPOST), "terms", "check", str(scenario.delivery.path), "--config", str(payer.settings)]
    sys.stdout.flush()
    code = subprocess.run(argv, cwd=payer.home, env={**os.environ, **payer.env}, check=False).returncode
    if code != 0:
        raise DemoFailedError(f"milepost terms check ended with exit code {code}, expected 0")


def verdict(console: Console, wrong: list[str], seconds: int) -> None:
    if wrong:
        console.print("\n[bold red]Something is not as it should be:[/]")
        for words in wrong:
            console.print(f"  {words}")
    else:
        console.print(f"\n[bold green]Every milestone was settled once, every unit is where it belongs.[/] {seconds} s")


def keep(console: Console, cast: Cast) -> None:
    """Leaves everything running until Ctrl-C, and tells how to talk to it."""
    console.print("\nEverything keeps running until Ctrl-C. The chain is at " + cast.chain.url)
    for role, keeper in cast.keepers.items():
        console.print(f"  {role}: http://127.0.0.1:{keeper.port}/status")
    console.print("\nIn another terminal, as the payer (or payee, or arbiter; their keys are play money):\n")
    for person in cast.people.values():
        lines = [f"export {KEY}={person.secret}", f"export MILEPOST_CONFIG={person.settings}"]
        lines += [f"export PATH={MILEPOST.parent}:$PATH"]
        (person.home / "env").write_text("\n".join(lines) + "\n")
    console.print(f"  source {cast.people['payer'].home / 'env'}", soft_wrap=True)
    console.print("  milepost list\n  milepost doctor\n")
    console.print("docs/tutorial.md goes on from here.")
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
