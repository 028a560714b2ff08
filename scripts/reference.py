"""Writes docs/reference from the code itself (commands, settings, errors, warnings, gas), and the README's costs.

    python -m scripts.reference [--check]

With --check nothing is written and a page that differs fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from keeper.cli.main import app
from keeper.commands.lint.codes import WARNINGS, Severity
from keeper.config.reference import settings_example, settings_table
from keeper.errors import CONTRACT, OFF_CHAIN, ErrorSpec, Exit
from scripts import gas_others
from scripts.gas import LIMITS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
README = ROOT / "README.md"
SNAPSHOT = ROOT / "interfaces" / "gas.snapshot.json"
MADE = "<!-- made by `python -m scripts.reference`; do not edit -->\n"


def commands() -> str:
    """Every command with its arguments and options, as `--help` tells them."""
    root = typer.main.get_command(app)
    lines = ["# Commands", "", MADE, root.help or "", "", "## Exit codes", "", "| code | name |", "|---|---|"]
    lines += [f"| {code.value} | {code.name.lower().replace('_', ' ')} |" for code in Exit]
    lines += ["", "They are the same as `exit_code` in `--json`. Milestones are numbered from 0.", ""]
    for path, command in walk(root, "milepost"):
        lines += page(path, command)
    return "\n".join(lines).rstrip() + "\n"


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, depth first, with its full name. (typer carries its own copy of click.)"""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in inner:
        yield from walk(inner[name], f"{path} {name}")


def page(path: str, command: Any) -> list[str]:
    """One command: usage, help, a table of its parameters, its example."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    names = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments]
    lines = [f"## `{' '.join([path, *names])}`", "", command.help or "", ""]
    if command.params:
        lines += ["| parameter | meaning |", "|---|---|", *(row(p) for p in command.params), ""]
    return [*lines, command.epilog, ""] if command.epilog else lines


def row(parameter: Any) -> str:
    name = parameter.name.upper() if parameter.param_type_name == "argument" else ", ".join(parameter.opts)
    return f"| `{name}` | {' '.join((parameter.help or '').split())} |"


def errors() -> str:
    """The registry: every code with its retry class, exit code and mend."""
    lines = ["# Errors", "", MADE]
    lines += [
        "Every error has a stable code, the same from contracts, command line and relay. `retry` says whether the same",
        "request may be made again: `retry` later, `same-id-only` (the outcome is unknown), `never`, `ask-human`.",
        "",
    ]
    for title, registry in (("From the contracts", CONTRACT), ("From the programs", OFF_CHAIN)):
        lines += [f"## {title}", "", "| code | exit | retry | what to do |", "|---|---|---|---|"]
        lines += [error_row(code, spec) for code, spec in sorted(registry.items())] + [""]
    return "\n".join(lines).rstrip() + "\n"


def error_row(code: str, spec: ErrorSpec) -> str:
    return f"| `{code}` | {spec.exit.value} | {spec.retry.value} | {spec.fix} |"


SEVERITIES = {
    Severity.DANGER: "One side can lose everything by it though nobody it trusts failed, or the agreement cannot work "
    "as written. With `--strict` the command exits with code 3.",
    Severity.CAUTION: "Often regretted; sometimes meant.",
    Severity.NOTE: "Worth knowing before signing.",
}


def warnings() -> str:
    """The linter's register: every code with its severity, when it fires, what to do."""
    lines = ["# Warnings about terms", "", MADE]
    lines += [
        "What `milepost terms check` and `terms explain` warn of. Codes are stable; in `--json` each stands under",
        "`warnings` with `code`, `severity`, `sentence`, `hint` and, where it is about one, `milestone`. Terms with",
        "warnings are valid: the exit code is 0 without `--strict`. What could not be checked stands under `skipped`,",
        "and is no danger to `--strict`.",
        "",
    ]
    for severity, meaning in SEVERITIES.items():
        lines += [f"## {severity.value.capitalize()}", "", meaning, "", "| code | when | what to do |", "|---|---|---|"]
        own = {code: spec for code, spec in WARNINGS.items() if spec.severity == severity}
        lines += [f"| `{code}` | {spec.when} | {spec.hint} |" for code, spec in sorted(own.items())] + [""]
    return "\n".join(lines).rstrip() + "\n"


def settings() -> str:
    """Every setting, and a file that names each once."""
    return (
        f"# Settings\n\n{MADE}\n"
        "One YAML file: `--config FILE`, else `$MILEPOST_CONFIG`, else `./milepost.yaml`. A variable of the "
        "environment overrides the file. Relative paths count from the file's folder.\n\n"
        f"{settings_table()}\n## Everything once\n\n```yaml\n{settings_example()}```\n"
    )


def readme() -> str:
    """README.md with the table of costs from the committed gas snapshot."""
    gas = json.loads(SNAPSHOT.read_text())["gas"]
    figures = gas_others.read()[1]
    rows = ""
    for key, words in gas_others.ROWS.items():
        beside = ", ".join(figure.short for figure in gas_others.of_row(figures, key))
        rows += f"| {words} | {gas[key]:,} | {beside} |\n"
    before, _, rest = README.read_text().partition(GAS_BEGIN)
    after = rest.partition(GAS_END)[2]
    return f"{before}{GAS_BEGIN}\n| | gas | others |\n|---|---|---|\n{rows}{GAS_END}{after}"


def gas() -> str:
    """What each operation costs beside what others cost, and how each figure was got."""
    return gas_others.page(json.loads(SNAPSHOT.read_text()), LIMITS, MADE)


GAS_BEGIN = "<!-- gas: made by `python -m scripts.reference` -->"
GAS_END = "<!-- /gas -->"

PAGES = {
    FOLDER / "commands.md": commands,
    FOLDER / "settings.md": settings,
    FOLDER / "errors.md": errors,
    FOLDER / "gas.md": gas,
    FOLDER / "warnings.md": warnings,
    README: readme,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail on a page that differs; write nothing")
    check = parser.parse_args().check
    stale = []
    for path, make in PAGES.items():
        text = make()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path.relative_to(ROOT)))
        if not check:
            path.write_text(text)
    if stale:
        print(("differs from the code: " if check else "written: ") + ", ".join(stale))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
