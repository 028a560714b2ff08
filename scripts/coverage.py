"""Measures which lines and branches of contracts/ the Solidity tests run, and fails on any that none does.

    make coverage

`forge coverage` counts, over the build without optimizer and via-IR (profile quick: seconds instead of minutes). What
may stay uncovered stands in tools/coverage-exceptions.json: file, text of the line, and the reason. A reason that no
line needs any more fails too. What forge counts, and what it cannot see: docs/decisions/0023-what-coverage-counts.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
FORGE = ROOT / "node_modules" / ".bin" / "forge"
LCOV = ROOT / "build" / "coverage.lcov"
EXCEPTIONS = ROOT / "tools" / "coverage-exceptions.json"
NOT_RUN = "^Gas"
"""The gas tests assert nothing, and what they would measure here is another build."""


@dataclass
class FileCoverage:
    """Hits in one file: by line, and by line and path of a branch."""

    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[tuple[int, str, str], int] = field(default_factory=dict)

    def uncovered(self) -> set[int]:
        """Lines that no test runs, or on which a branch begins that no test takes."""
        lines = {line for line, hits in self.lines.items() if hits == 0}
        return lines | {line for (line, _, _), hits in self.branches.items() if hits == 0}

    def share(self, what: dict[int, int] | dict[tuple[int, str, str], int]) -> str:
        return f"{sum(hits > 0 for hits in what.values())} of {len(what)}"


def measure() -> None:
    """Run the tests and write build/coverage.lcov; raises SystemExit with forge's words when a test fails."""
    LCOV.parent.mkdir(exist_ok=True)
    LCOV.unlink(missing_ok=True)
    argv = [str(FORGE), "coverage", "--exclude-tests", "--no-match-contract", NOT_RUN]
    argv += ["--report", "lcov", "--report-file", str(LCOV)]
    environment = os.environ | {"FOUNDRY_PROFILE": "quick"}
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"forge coverage failed:\n{done.stdout[-8000:]}{done.stderr}")


def read(lcov: str) -> dict[str, FileCoverage]:
    """The report by file; a branch that was never reached (`-`) counts as never taken."""
    files: dict[str, FileCoverage] = {}
    current = FileCoverage()
    for record in lcov.splitlines():
        kind, _, rest = record.partition(":")
        values = rest.split(",")
        if kind == "SF":
            current = files.setdefault(rest, FileCoverage())
        elif kind == "DA":
            current.lines[int(values[0])] = int(values[1])
        elif kind == "BRDA":
            taken = 0 if values[3] == "-" else int(values[3])
            current.branches[int(values[0]), values[1], values[2]] = taken
    return {file: found for file, found in sorted(files.items()) if file.startswith("contracts/")}


def judge(files: dict[str, FileCoverage], texts: dict[str, str], exceptions: list[dict[str, str]]) -> list[str]:
    """What is wrong, one line each. `texts` are the sources of contracts/, `exceptions` as in the file."""
    faults = [f"{file}: is not in forge's report" for file in sorted(texts.keys() - files.keys())]
    allowed = {(item["file"], item["line"]): 0 for item in exceptions if item["reason"].strip()}
    for file, found in files.items():
        lines = texts[file].splitlines()
        for number in sorted(found.uncovered()):
            key = (file, lines[number - 1].strip())
            if key in allowed:
                allowed[key] += 1
            else:
                faults.append(f"{file}:{number}: not covered: {key[1]}")
    for (file, line), needed in allowed.items():
        if needed == 0:
            faults.append(f"{EXCEPTIONS.name}: no uncovered line of {file} needs this any more: {line}")
        if needed > 1:
            faults.append(
                f"{EXCEPTIONS.name}: {needed} uncovered lines of {file} read alike, one reason is given: {line}"
            )
    return faults


def main() -> int:
    began = time.monotonic()
    measure()
    files = read(LCOV.read_text())
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "contracts").rglob("*.sol")}
    exceptions = json.loads(EXCEPTIONS.read_text())
    table = Table("file", "lines run", "branches taken", title="Coverage of contracts/ by tests/forge")
    for file, found in files.items():
        table.add_row(file, found.share(found.lines), found.share(found.branches))
    console = Console()
    console.print(table)
    faults = judge(files, texts, exceptions)
    for fault in faults:
        console.print(fault, markup=False, soft_wrap=True)
    console.print(f"{len(exceptions)} exceptions, {len(faults)} faults, {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
