"""Who takes part in the demo, each with a folder, settings and a key of their own; and how they use `milepost`."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from eth_account import Account

from scripts.stage.processes import DemoFailedError, die_with_parent

ROOT = Path(__file__).resolve().parents[2]
MILEPOST = ROOT / ".venv/bin/milepost"
KEY = "MILEPOST_KEY"
"""The environment variable that hands each process its key."""

MNEMONIC = "test test test test test test test test test test test junk"
"""anvil's well-known accounts: play money only."""

ROLES = {
    "deployer": 0,
    "payer": 1,
    "payee": 2,
    "arbiter": 3,
    "attester-1": 4,
    "attester-2": 5,
    "attester-3": 6,
    "integrator": 7,
    "keeper-1": 8,
    "keeper-2": 9,
}
"""Which of the well-known accounts plays whom."""


def account_of(role: str) -> Any:
    """The account (address and key) of a role."""
    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{ROLES[role]}")


@dataclass(slots=True)
class Person:
    """One participant: a role, a folder with settings and database, a key."""

    role: str
    home: Path
    address: str
    secret: str

    @property
    def settings(self) -> Path:
        return self.home / "milepost.yaml"

    @property
    def env(self) -> dict[str, str]:
        return {KEY: self.secret}

    def milepost(self, *arguments: str | Path) -> dict[str, Any]:
        """Runs one `milepost` command with --json and returns its object; raises DemoFailedError if it fails."""
        argv = [str(MILEPOST), *map(str, arguments), "--config", str(self.settings), "--json"]
        answer = subprocess.run(
            argv,
            env={**os.environ, **self.env},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
            preexec_fn=die_with_parent,
        )
        if answer.returncode != 0:
            words = " ".join(argv[1:])
            raise DemoFailedError(
                f"{self.role}: milepost {words}: exit {answer.returncode}\n{answer.stdout}{answer.stderr}"
            )
        result: dict[str, Any] = json.loads(answer.stdout)
        return result


def hire(role: str, home: Path, settings: dict[str, Any]) -> Person:
    """Makes a participant's folder and settings file; the key goes into the environment only."""
    folder = home / role
    folder.mkdir(parents=True)
    account = account_of(role)
    person = Person(role, folder, account.address, "0x" + bytes(account.key).hex())
    person.settings.write_text(yaml.safe_dump({**settings, "key": {"env": KEY}}, sort_keys=False))
    return person
