#!/usr/bin/env python3
"""Measure what each operation costs and compare it with the committed snapshot.

    python -m scripts.gas             measure, print a table, exit 1 if anything differs from the snapshot
    python -m scripts.gas --update    measure and rewrite the snapshot

Whole transactions in steady state, as docs/protocol.md section 9 says; tests/forge/Gas.t.sol does them. The result is
reports/gas.json, the snapshot is interfaces/gas.snapshot.json. Beside it: what others cost (scripts/gas_others.py).
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from scripts.gas_others import MEASURED, compare_with_measured, of_row, read, thousands

ROOT = Path(__file__).resolve().parent.parent
FORGE = ROOT / "node_modules" / ".bin" / "forge"
RAW = ROOT / "build" / "gas-raw.json"
REPORT = ROOT / "reports" / "gas.json"
BUILD = ROOT / "build" / "forge"
SNAPSHOT = ROOT / "interfaces" / "gas.snapshot.json"

CODE_SIZE_LIMIT = 24_576  # bytes, EIP-170

# docs/protocol.md section 9, gas
LIMITS = {
    "fund_1": 93_000,
    "fund_10": 118_000,
    "submit": 65_000,
    "attest_settle_3of5": 96_000,
    "attest_3of5": 80_000,
    "settle": 63_000,
    "approve": 61_000,
    "dispute": 64_000,
    "rule": 63_000,
    "clock_refund": 60_000,
    "per_signature": 6_500,
    "life_3_approved": 278_000,
    "life_3_single": 348_000,
    "life_3_3of5": 390_000,
}

Report = dict[str, dict[str, int]]


def measure() -> Report:
    """Run the gas test. Raises `CalledProcessError` when it fails."""
    for result in (RAW, MEASURED):
        result.unlink(missing_ok=True)
    environment = os.environ | {"FOUNDRY_PROFILE": "default"}
    command = [str(FORGE), "test", "--match-contract", "^Gas(Others)?Test$"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
        done.check_returncode()
    measured: Report = json.loads(RAW.read_text())
    return {part: dict(sorted(values.items())) for part, values in sorted(measured.items())}


def show(report: Report) -> bool:
    """Print the table; whether everything is within its limit."""
    print(f"{'operation':<20} {'gas':>8} {'limit':>8} {'room':>7} {'calldata bytes':>15}")
    within = True
    for name, limit in LIMITS.items():
        gas = report["gas"][name]
        size = report["calldata_bytes"][name]
        over = "  OVER" if gas > limit else ""
        within = within and not over
        print(f"{name:<20} {gas:>8} {limit:>8} {limit - gas:>7} {size:>15}{over}")
    for name, size in code_sizes().items():
        over = "  OVER" if size > CODE_SIZE_LIMIT else ""
        within = within and not over
        print(f"{name + ' code':<20} {size:>8} {CODE_SIZE_LIMIT:>8} {CODE_SIZE_LIMIT - size:>7}{over}")
    return within


def code_sizes() -> dict[str, int]:
    """Bytes of runtime code of every contract in contracts/, as just built."""
    sizes = {}
    for source in sorted((ROOT / "contracts").glob("*.sol")):
        artifact = json.loads((BUILD / source.name / f"{source.stem}.json").read_text())
        sizes[source.stem] = len(artifact["deployedBytecode"]["object"]) // 2 - 1
    return sizes


def show_settings() -> None:
    """How the contracts that were measured were compiled."""
    environment = os.environ | {"FOUNDRY_PROFILE": "default"}
    told = subprocess.run([str(FORGE), "config", "--json"], cwd=ROOT, env=environment, capture_output=True, check=True)
    config = json.loads(told.stdout)
    way = "via-IR" if config["via_ir"] else "without via-IR"
    print(
        f"compiled by {Path(config['solc']).name}, {way}, optimizer for {config['optimizer_runs']:,} runs, EVM "
        f"{config['evm_version']}; why so many runs: docs/decisions/0025-optimizer-runs.md"
    )


def show_others(report: Report) -> None:
    """Print what comparable operations of others cost beside ours."""
    methods, figures = read()
    print(f"\n{'beside others':<20} {'ours':>8} {'theirs':>8} {'ratio':>6}  measured")
    for name in LIMITS:
        for figure in of_row(figures, name):
            ours = report["gas"][name]
            who = f"{figure.who}, {figure.what}" if figure.what else figure.who
            print(
                f"{name:<20} {ours:>8} {thousands(figure.gas):>8} {figure.gas / ours:>6.2f}  {figure.method:<4}  {who}"
            )
    for method, words in methods.items():
        print(f"{method}: {words}")


def differences(old: Report, new: Report) -> list[str]:
    """One line for each value that is not what it was."""
    lines = []
    for part in sorted(old.keys() | new.keys()):
        before, after = old.get(part, {}), new.get(part, {})
        for name in sorted(before.keys() | after.keys()):
            was, now = before.get(name), after.get(name)
            if was != now:
                change = f" ({now - was:+d})" if was is not None and now is not None else ""
                lines.append(f"{part}.{name}: {was} -> {now}{change}")
    return lines


def main() -> int:
    """Measure, report and compare; returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure gas and compare it with the snapshot.")
    parser.add_argument("--update", action="store_true", help="rewrite the snapshot")
    update = parser.parse_args().update

    report = measure()
    text = json.dumps(report, indent=2) + "\n"
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text)
    within = show(report)
    show_settings()

    old: Report = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {}
    changed = differences(old, report) + compare_with_measured(update)
    show_others(report)
    if changed:
        print("\nchanged since the snapshot:\n  " + "\n  ".join(changed))
    if update:
        SNAPSHOT.write_text(text)
    elif changed:
        print("\nif that is what you meant: `python -m scripts.gas --update`, and commit the snapshot with the reason")
        return 1
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
