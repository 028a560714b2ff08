"""Runs one attester as a process of its own: `python -m run_attester SETTINGS.yaml`."""

from __future__ import annotations

import sys
from pathlib import Path

from keeper.config.settings import load_settings
from keeper.daemon.attester import run
from keeper.errors import MilepostError

if __name__ == "__main__":
    try:
        sys.exit(run(load_settings(Path(sys.argv[1]), need={"chain", "key", "relays", "sources"})))
    except MilepostError as error:
        sys.exit(f"{error.code}: {error.title}: {error.cause}")
