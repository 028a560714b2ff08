"""People with settings of their own in front of a real chain and relay: where the command line is tried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from chainlab import KEYS, Deployed

from keeper.chain.blocks import head
from keeper.chain.token import Token
from keeper.cli.main import run
from keeper.commands.words import utc
from keeper.ledger.follow import Follower
from keeper.relay.server import RelayServer
from keeper.store.engine import open_store

PAYER, PAYEE, ARBITER, STRANGER = 1, 2, 3, 8
MEMBERS = (4, 5, 6)
PLAY = 10**6
RICH = 100_000 * PLAY
DAY = 86_400

CRITERIA = {
    "version": "milepost/criteria/1",
    "title": "Design accepted",
    "sources": [
        {
            "name": "ci",
            "kind": "github-check-runs",
            "url": "{ci}/repos/{repository}/commits/{commit}/check-runs",
            "checks": ["build"],
        }
    ],
    "rule": {"agree": 1},
    "payoutBps": 10000,
    "final": False,
}
DELIVERABLE = {
    "version": "milepost/deliverable/1",
    "fields": {"repository": "acme/shop", "commit": "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"},
}


@dataclass(frozen=True)
class Ran:
    """What one command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Stage:
    """A folder for each person, one chain, one relay."""

    deployed: Deployed
    folder: Path
    relay: RelayServer
    capsys: pytest.CaptureFixture[str]
    began: int
    """Chain time at the beginning: deadlines count from here, so that a file written twice is the same."""

    def account(self, number: int) -> str:
        return self.deployed.anvil.accounts[number]

    def config(self, number: int, **changes: Any) -> Path:
        """The settings file of account `number`; its key stands in the environment."""
        home = self.folder / f"account{number}"
        home.mkdir(exist_ok=True)
        chain = {"rpc": [self.deployed.anvil.url], "deployment": str(self.deployed.path)}
        settings: dict[str, Any] = {
            "database": "milepost.db",
            "relays": [self.relay.url],
            "chain": {**chain, **changes.pop("chain", {})},
            "key": {"env": f"KEY_{number}"},
        }
        path = home / "milepost.yaml"
        path.write_text(json.dumps({**settings, **changes}))  # JSON is YAML
        return path

    def milepost(self, who: int | Path, *words: object) -> Ran:
        """Run one command line as account `who`, or with a settings file."""
        config = who if isinstance(who, Path) else self.config(who)
        self.capsys.readouterr()
        code = run([*map(str, words), "--config", str(config)])
        out, err = self.capsys.readouterr()
        return Ran(code, out, err)

    def done(self, who: int, *words: object) -> Ran:
        """As `milepost --yes`, which must succeed."""
        ran = self.milepost(who, *words, "--yes")
        assert ran.code == 0, ran.err + ran.out
        return ran

    def json(self, who: int | Path, *words: object) -> dict[str, Any]:
        """The JSON of a command, whatever its exit code, which stands in it."""
        ran = self.milepost(who, *words, "--json")
        assert ran.json["exit_code"] == ran.code
        return ran.json

    def balance(self, number: int) -> int:
        return Token(self.deployed.anvil.rpc, self.deployed.token).balance(self.deployed.anvil.accounts[number])

    def terms(self, name: str = "terms.yaml", *, verifier: bool = True, **changes: str) -> Path:
        """A terms file with two milestones of 1,000 and 500 PLAY; `changes` replace lines by their key."""
        home = self.folder / "terms"
        (home).mkdir(exist_ok=True)
        (home / "criteria.json").write_text(json.dumps(CRITERIA))
        (home / "contract.md").write_text("# What both agreed\n")
        deadline = utc(self.began + 14 * DAY)[:19].replace(" ", "T") + "Z"
        lines = {
            "title": '"Shop"',
            "verifier": "QuorumVerifier",
            "quorum": f"{{threshold: 2, members: [{', '.join(self._member(n) for n in MEMBERS)}]}}",
            "challenge": "2d" if verifier else "0s",
            "unruled": '"0%"' if verifier else '"50%"',
            "amount": '"1,000.00"',
            "submitBy": f'"{deadline}"',
            "salt": f'"0x{"5a" * 32}"',
            **changes,
        }
        judged = f"verifier: {lines['verifier']}\nquorum: {lines['quorum']}\n" if verifier else ""
        path = home / name
        path.write_text(
            f"""version: milepost/terms/1
title: {lines["title"]}
parties:
  payer: {{name: "Acme GmbH", address: "{self.account(PAYER)}"}}
  payee: {{name: "Builders Ltd", address: "{self.account(PAYEE)}"}}
  arbiter: {{name: "Arbiter", address: "{self.account(ARBITER)}"}}
token: PLAY
{judged}clocks: {{reviewWindow: 3d, challengeWindow: {lines["challenge"]}, rulingWindow: 7d}}
shares: {{unreviewed: "0%", unruled: {lines["unruled"]}}}
tip: "2.00"
document: {{file: contract.md, salt: "0x{"01" * 32}"}}
salt: {lines["salt"]}
start: 2020-01-01
milestones:
  - {{title: "Design", amount: {lines["amount"]}, submitBy: {lines["submitBy"]},
      criteria: {{file: criteria.json, salt: "0x{"02" * 32}"}}}}
  - {{title: "Build", amount: "500.00", submitBy: "{deadline}",
      criteria: {{file: criteria.json, salt: "0x{"03" * 32}"}}}}
"""
        )
        return path

    def funded(self, **changes: Any) -> str:
        """Fund a terms file as the payer; the agreement's id."""
        ran = self.json(PAYER, "fund", self.terms(**changes), "--yes")
        assert ran["exit_code"] == 0, ran
        return str(ran["agreement"])

    def deliverable(self) -> Path:
        path = self.folder / "deliverable.json"
        path.write_text(json.dumps(DELIVERABLE))
        return path

    def submitted(self, **changes: Any) -> str:
        """Fund, and submit milestone 0; the agreement's id."""
        agreement = self.funded(**changes)
        self.done(PAYEE, "submit", agreement, 0, "--deliverable", self.deliverable())
        return agreement

    def follow_relay(self) -> None:
        """Let the relay's ledger catch up with the chain, as its keeper would."""
        store = open_store(self.folder / "relay.db")
        Follower(self.deployed.anvil.rpc, store, self.deployed.deployment).follow()
        store.close()

    def warp(self, seconds: int) -> None:
        self.deployed.anvil.warp(seconds)

    def _member(self, number: int) -> str:
        return f'"{self.account(number)}"'


@contextmanager
def open_stage(
    deployed: Deployed, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    """The stage, with the payer rich in play money and every key in the environment."""
    for number, key in enumerate(KEYS):
        monkeypatch.setenv(f"KEY_{number}", key)
    anvil = deployed.anvil
    anvil.send(anvil.accounts[PAYER], deployed.token, _mint(anvil.accounts[PAYER], RICH))
    store = open_store(folder / "relay.db")
    with RelayServer(store, "127.0.0.1:0") as relay:
        yield Stage(deployed, folder, relay, capsys, head(anvil.rpc).time)
    store.close()
    structlog.reset_defaults()


def _mint(to: str, units: int) -> bytes:
    from eth_abi.abi import encode
    from eth_utils.crypto import keccak

    return keccak(text="mint(address,uint256)")[:4] + encode(["address", "uint256"], [to, units])
