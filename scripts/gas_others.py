"""What comparable operations of others cost: interfaces/gas.others.json, beside our own figures.

Each figure says how it was got. Those measured here are measured again by every `make gas` and must stay what the file
says; the others cannot be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OTHERS = ROOT / "interfaces" / "gas.others.json"
MEASURED = ROOT / "build" / "gas-others.json"

ROWS = {
    "fund_1": "fund a schedule of one",
    "fund_10": "fund a schedule of ten",
    "submit": "submit",
    "attest_settle_3of5": "3 of 5 signatures and payout in one call",
    "attest_3of5": "3 of 5 signatures into a challenge window",
    "settle": "settle after it",
    "approve": "approve",
    "dispute": "dispute",
    "rule": "rule",
    "clock_refund": "refund by a clock",
    "per_signature": "each further signature",
    "life_3_approved": "three milestones from funding on, each approved by the payer",
    "life_3_single": "three milestones from funding on, each awarded by one attester",
    "life_3_3of5": "three milestones from funding on, each awarded by 3 of 5",
}
"""Every figure of interfaces/gas.snapshot.json, in words."""


@dataclass(frozen=True)
class Figure:
    """What one counterpart's operation costs."""

    row: str
    who: str
    what: str
    gas: int
    method: str
    """here, or once."""
    measured: str
    """The name of the measurement, where there is one."""

    @property
    def short(self) -> str:
        """As in `Safe 1.5.0 7.0k (each further owner)`."""
        told = f" ({self.what})" if self.what else ""
        return f"{self.who} {thousands(self.gas)}{told}"


def thousands(gas: int) -> str:
    """Gas to three figures or so: 7.0k, 165k, 1,034k."""
    return f"{gas / 1000:.1f}k" if gas < 10_000 else f"{gas / 1000:,.0f}k"


def read() -> tuple[dict[str, str], list[Figure]]:
    """The methods in words, and the figures."""
    data = json.loads(OTHERS.read_text())
    return data["methods"], [Figure(**{"measured": "", **figure}) for figure in data["figures"]]


def of_row(figures: list[Figure], row: str) -> list[Figure]:
    """What stands beside one of our rows, the cheapest first."""
    return sorted((figure for figure in figures if figure.row == row), key=lambda figure: figure.gas)


def compare_with_measured(update: bool) -> list[str]:
    """One line for each figure that is not what was just measured; with `update` the file is mended."""
    data: dict[str, Any] = json.loads(OTHERS.read_text())
    measured: dict[str, int] = json.loads(MEASURED.read_text())
    told = {figure["measured"] for figure in data["figures"] if figure["method"] == "here"}
    lines = [f"others.{name}: stands beside no figure of ours" for name in sorted(measured.keys() - told)]
    for figure in data["figures"]:
        if figure["method"] == "here" and figure["gas"] != measured.get(figure["measured"]):
            lines.append(f"others.{figure['measured']}: {figure['gas']} -> {measured.get(figure['measured'])}")
            figure["gas"] = measured.get(figure["measured"], 0)
    if update:
        OTHERS.write_text(_text(data))
    return lines


def _text(data: dict[str, Any]) -> str:
    """The file's text: one line a figure."""
    figures = ",\n".join(f"    {{ {json.dumps(figure)[1:-1]} }}" for figure in data["figures"])
    methods = json.dumps(data["methods"], indent=2).replace("\n", "\n  ")
    return f'{{\n  "methods": {methods},\n  "figures": [\n{figures}\n  ]\n}}\n'


def page(snapshot: dict[str, dict[str, int]], limits: dict[str, int], made: str) -> str:
    """docs/reference/gas.md."""
    methods, figures = read()
    lines = ["# Gas", "", made]
    lines += [
        "Ours are whole transactions in steady state: every balance nonzero before, a plain OpenZeppelin ERC-20, each",
        "call in a transaction of its own, intrinsic gas and calldata included, refunds taken off, no fee and no tip.",
        "[`tests/forge/Gas.t.sol`](../../tests/forge/Gas.t.sol) does them and `make gas` fails on any change.",
        "",
        "| | gas | at most | bytes of calldata | others, the cheapest first |",
        "|---|---|---|---|---|",
    ]
    for row, words in ROWS.items():
        beside = "; ".join(f"{f.short} <sup>{f.method}</sup>" for f in of_row(figures, row))
        size = snapshot["calldata_bytes"].get(row) or ""
        lines.append(f"| {words} | {snapshot['gas'][row]:,} | {limits[row]:,} | {size} | {beside} |")
    lines += ["", *(f"- **{name}**: {words}." for name, words in methods.items()), ""]
    lines += [
        "What others do in one call is not always what we do in one: a capture without a vote is cheaper than a quorum."
    ]
    lines += [
        "The lives of three milestones are like for like.",
        "",
        "## Code",
        "",
        "| contract | bytes, of at most 24,576 |",
    ]
    lines += ["|---|---|", *(f"| {name} | {size:,} |" for name, size in snapshot["code_size"].items()), ""]
    lines += ["How the optimizer is set, and why: [decision 25](../decisions/0025-optimizer-runs.md)."]
    return "\n".join(lines) + "\n"
