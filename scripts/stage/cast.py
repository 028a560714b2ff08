"""Everybody and everything on the demo's stage: chain, contracts, evidence sources, parties, attesters, keepers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from keeper.chain.abi import contract
from keeper.chain.deployment import Deployment, load_deployment
from keeper.chain.escrow import Escrow
from keeper.chain.rpc import Rpc
from keeper.protocol.encoding import agreement_id, escrow_domain
from keeper.protocol.terms_file import TermsFile, load_terms
from keeper.protocol.types import AgreementId
from scripts.rpc_proxy import RpcProxy
from scripts.stage.chain import Chain
from scripts.stage.people import MILEPOST, ROOT, Person, account_of, hire
from scripts.stage.processes import Crew, DemoFailedError, Process, die_with_parent, free_port, listening, wait_for

START = 1_799_020_800
"""2027-01-04T00:00:00Z, the first day of the example agreements: the chain's clock starts here."""

PAYER_MONEY = 10_000_000_000
"""10,000.00 PLAY in token units, minted to the payer before anything happens."""

SKEW = {"attester-1": -30, "attester-2": 0, "attester-3": 30}
"""By how many seconds each attester's clock is wrong."""


@dataclass(slots=True)
class Keeper:
    """One keeper process, its relay's port, and the proxy between it and the node."""

    person: Person
    port: int
    proxy: RpcProxy
    process: Process

    @property
    def role(self) -> str:
        return self.person.role

    def status(self) -> dict[str, Any]:
        """What the keeper says of itself at GET /status; {} while it does not answer."""
        try:
            answer: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self.port}/status", timeout=5).json()
        except httpx.TransportError:
            return {}
        return answer


@dataclass(slots=True)
class Deal:
    """One agreement of the demo: its file, what it says, its id."""

    path: Path
    file: TermsFile
    id: AgreementId

    @property
    def hex(self) -> str:
        return "0x" + self.id.hex()


class Cast:
    """Sets the stage in the order in which things come up, and gives the scenario its handles."""

    def __init__(self, crew: Crew, without: Sequence[str]) -> None:
        self.crew = crew
        self.home = crew.home
        self.chain = Chain(crew, START)
        self.deployment = self._deploy()
        self.escrow = Escrow(Rpc([self.chain.url], timeout_s=20), self.deployment.escrow.address)
        self.token = self.deployment.tokens["PLAY"].address
        self._mint()
        self.facts: dict[str, Path] = {}
        self.sources = {name: self._source(name, free_port()) for name in ("ci", "epcis")}
        self.relays = {role: free_port() for role in ("keeper-1", "keeper-2") if role not in without}
        self.people = {role: hire(role, self.home, self._settings()) for role in ("payer", "payee", "arbiter")}
        self.keepers = {role: self._keeper(role) for role in self.relays}
        self.attesters: dict[str, Process] = {}
        for keeper in self.keepers.values():
            self.wait_serving(keeper)

    # --- the ground ---

    def _deploy(self) -> Deployment:
        """Compiles and deploys through ape, as an operator would."""
        record = self.home / "deployment.json"
        argv = [str(ROOT / ".venv/bin/ape"), "run", "deploy", "--network", "ethereum:local:foundry"]
        argv += ["--account", "TEST::0", "--play-money", "--out", str(record)]
        env = {**os.environ, "APE_FOUNDRY_HOST": self.chain.url}
        answer = subprocess.run(
            argv,
            env=env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            preexec_fn=die_with_parent,
        )
        if answer.returncode != 0:
            raise DemoFailedError(f"ape could not deploy:\n{answer.stdout[-2000:]}{answer.stderr[-2000:]}")
        return load_deployment(record)

    def _mint(self) -> None:
        data = keccak(text="mint(address,uint256)")[:4]
        data += encode(["address", "uint256"], [account_of("payer").address, PAYER_MONEY])
        sender = account_of("deployer").address
        self.chain.rpc("eth_sendTransaction", {"from": sender, "to": self.token, "data": "0x" + data.hex()})
        wait_for("the payer's play money", lambda: self.balance("payer") == PAYER_MONEY)

    def balance(self, role: str) -> int:
        """PLAY of a role (or of "escrow") in token units, read from the chain."""
        owner = self.deployment.escrow.address if role == "escrow" else account_of(role).address
        data = keccak(text="balanceOf(address)")[:4] + encode(["address"], [owner])
        return int.from_bytes(self.chain.call(self.token, data), "big")

    # --- who is there ---

    def _source(self, name: str, port: int) -> tuple[Process, int]:
        facts = self.home / f"{name}.json"
        if not facts.exists():
            facts.write_text((ROOT / f"examples/evidence/{name}.json").read_text())
        self.facts[name] = facts
        argv = [sys.executable, "-m", f"scripts.evidence.{name}_server", str(facts), "--port", str(port)]
        return self.crew.start(f"source-{name}", argv, cwd=ROOT), port

    def start_source(self, name: str) -> None:
        """Starts an evidence source again on the port it had."""
        self.sources[name] = self._source(name, self.sources[name][1])
        wait_for(f"source {name} to listen", lambda: listening(self.sources[name][1]))

    def _settings(self, **more: Any) -> dict[str, Any]:
        chain = {"rpc": [self.chain.url], "deployment": str(self.home / "deployment.json"), "poll_s": 0.3}
        return {"chain": chain, "relays": [f"http://127.0.0.1:{port}" for port in self.relays.values()], **more}

    def _keeper(self, role: str) -> Keeper:
        port = self.relays[role]
        peers = [f"http://127.0.0.1:{other}" for name, other in self.relays.items() if name != role]
        keeper = {"listen": f"127.0.0.1:{port}", "peers": peers, "stagger_s": 3, "stagger_slots": 2}
        settings = self._settings(keeper={**keeper, "serve": [account_of("payer").address]})
        proxy = RpcProxy(self.chain.url).start()
        settings["chain"]["rpc"] = [proxy.url]
        person = hire(role, self.home, settings)
        return Keeper(person, port, proxy, self._run_keeper(person))

    def _run_keeper(self, person: Person) -> Process:
        argv = [str(MILEPOST), "keeper", "run", "--config", str(person.settings)]
        return self.crew.start(person.role, argv, cwd=person.home, env=person.env)

    def start_keeper(self, role: str) -> None:
        """Starts a keeper that was ended again, on its own database."""
        keeper = self.keepers[role]
        keeper.process = self._run_keeper(keeper.person)
        self.wait_serving(keeper)

    def wait_serving(self, keeper: Keeper) -> None:
        """Waits until a keeper's relay answers: the parties put their documents there."""

        def answers() -> bool:
            self.crew.check_alive()
            return bool(keeper.status())

        wait_for(f"{keeper.role} to serve its relay", answers)

    def start_attester(self, role: str) -> None:
        """Starts an attester under its wrong clock."""
        sources = {name: f"http://127.0.0.1:{port}" for name, (_, port) in self.sources.items()}
        person = hire(role, self.home, self._settings(attester={"sources": sources, "finality": "safe"}))
        argv = [sys.executable, "-m", "scripts.skewed", str(SKEW[role]), "--", "milepost", "attester", "run"]
        env = {**person.env, "PYTHONPATH": str(ROOT)}
        self.attesters[role] = self.crew.start(
            role, [*argv, "--config", str(person.settings)], cwd=person.home, env=env
        )

    def deal(self, name: str) -> Deal:
        """Reads one of examples/*.yaml as the parties do."""
        path = ROOT / "examples" / name
        file = load_terms(path.read_text(), self.deployment.book(), read_file=lambda f: (path.parent / f).read_bytes())
        domain = escrow_domain(self.deployment.chain_id, self.deployment.escrow.address)
        return Deal(path, file, agreement_id(domain, file.agreement.terms, file.agreement.milestones))

    def events(self) -> list[tuple[dict[str, Any], str, dict[str, Any]]]:
        """Every event of the escrow on the canonical chain, in order: the raw log, its name, its arguments."""
        codec = contract("Escrow")
        logs = self.chain.logs(self.deployment.escrow.address)
        return [(log, *codec.decode_log(log["topics"], log["data"])) for log in logs]

    def close(self) -> None:
        for keeper in self.keepers.values():
            keeper.proxy.stop()

    def lie(self, epc: str, disposition: str) -> None:
        """Makes the EPCIS source tell another disposition of one item from now on."""
        path = self.facts["epcis"]
        facts = json.loads(path.read_text())
        for event in facts["events"]:
            if epc in event["epcList"]:
                event["disposition"] = disposition
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(facts))
        fresh.replace(path)
