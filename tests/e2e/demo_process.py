"""Starting the demo as the Makefile does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """What the Makefile sets."""
    data = ROOT / ".tools/ape"
    data.mkdir(parents=True, exist_ok=True)  # ape reports what it did not find there as the error of a call
    path = f"{Path(sys.executable).parent}:{ROOT / 'node_modules/.bin'}:{os.environ['PATH']}"
    return {
        **os.environ,
        "PATH": path,
        "SOLCX_BINARY_PATH": str(ROOT / "tools/solc"),
        "APE_DATA_FOLDER": str(data),
    }
