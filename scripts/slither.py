"""Runs slither over contracts/ and fails on every high or medium finding without a written reason.

    make slither

Reasons stand in tools/slither-accepted.json: detector, function, and why the finding is no fault. A reason that no
finding needs any more fails too, so that the list stays true.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
ACCEPTED = ROOT / "tools/slither-accepted.json"
SERIOUS = ("High", "Medium")


def findings() -> list[dict[str, Any]]:
    """All findings in contracts/; raises SystemExit with slither's own words when it could not run."""
    argv = [str(ROOT / ".venv-slither/bin/slither"), ".", "--json", "-", "--filter-paths", "node_modules|tests"]
    argv += ["--foundry-out-directory", "build/forge"]
    path = f"{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"
    answer = subprocess.run(
        argv, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )
    try:
        report = json.loads(answer.stdout)
    except ValueError:
        sys.exit(f"slither did not run:\n{answer.stdout[-2000:]}{answer.stderr[-4000:]}")
    if not report["success"]:
        sys.exit(f"slither failed:\n{report['error']}")
    found: list[dict[str, Any]] = report["results"].get("detectors", [])
    return found


def place(finding: dict[str, Any]) -> str:
    """`Contract.function` of the first function that a finding names, else its first element's name."""
    for element in finding["elements"]:
        if element["type"] == "function":
            return f"{element['type_specific_fields']['parent']['name']}.{element['name']}"
    return str(finding["elements"][0]["name"]) if finding["elements"] else ""


def main() -> int:
    reasons = {(item["check"], item["where"]): item["why"] for item in json.loads(ACCEPTED.read_text())}
    serious = [finding for finding in findings() if finding["impact"] in SERIOUS]
    found = {(finding["check"], place(finding)) for finding in serious}
    table = Table("impact", "detector", "where", "why it is no fault", title="slither: high and medium")
    for finding in serious:
        key = (finding["check"], place(finding))
        table.add_row(finding["impact"], *key, reasons.get(key, "[bold red]no reason given[/]"))
    console = Console(width=140)
    console.print(table if serious else "slither: no high or medium finding")
    stale = sorted(set(reasons) - found)
    for check, where in stale:
        console.print(f"stale reason: {check} at {where} is not found any more; take it out of {ACCEPTED.name}")
    for finding in serious:
        if (finding["check"], place(finding)) not in reasons:
            console.print(finding["description"], markup=False)
    return 1 if stale or found - set(reasons) else 0


if __name__ == "__main__":
    sys.exit(main())
