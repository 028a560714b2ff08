#!/usr/bin/env python3
"""Write the contracts' ABIs from forge's build output to interfaces/abi, in a stable order.

    python scripts/abi.py            rewrite interfaces/abi
    python scripts/abi.py --check    exit 1 and say which files differ, change nothing

Run `forge build` first. Standard library only.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "forge"
ABI = ROOT / "interfaces" / "abi"

# file in interfaces/abi -> contract whose ABI it holds
CONTRACTS = {
    "Escrow": "Escrow",
    "QuorumVerifier": "QuorumVerifier",
    "FeedVerifier": "FeedVerifier",
    "EasVerifier": "EasVerifier",
    "Erc8183Evaluator": "Erc8183Evaluator",
    "PanelArbiter": "PanelArbiter",
    "Erc792Arbiter": "Erc792Arbiter",
    "AttesterAccount": "AttesterAccount",
    "IVerifier": "IVerifier",
    "IArbiter": "IArbiter",
    "ERC20": "PlayDollar",
}


def _place(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Where an entry stands in its file: by kind, then name, then arguments."""
    return entry["type"], entry.get("name", ""), json.dumps(entry.get("inputs", []), sort_keys=True)


def render(contract: str) -> str:
    """The contract's ABI as text. Raises `FileNotFoundError` when it was not built."""
    artifact = BUILD / f"{contract}.sol" / f"{contract}.json"
    entries = json.loads(artifact.read_text())["abi"]
    return json.dumps(sorted(entries, key=_place), indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the contracts' ABIs to interfaces/abi.")
    parser.add_argument("--check", action="store_true", help="only say whether they are current")
    check = parser.parse_args().check

    stale = []
    for name, contract in CONTRACTS.items():
        try:
            text = render(contract)
        except FileNotFoundError as missing:
            print(f"no build output of {contract} ({missing.filename}): run `forge build` first")
            return 2
        path = ABI / f"{name}.json"
        if path.exists() and path.read_text() == text:
            continue
        stale.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    for path in stale:
        print(f"{'out of date' if check else 'wrote'}: {path}")
    if check and stale:
        print("run `python scripts/abi.py` and commit the result")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
