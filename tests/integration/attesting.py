"""A real chain with a funded agreement, real evidence services, a real relay: where attesters are tried."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chainlab import KEYS, ROOT, Deployed
from eth_account import Account
from eth_utils import keccak

from keeper.chain.abi import contract
from keeper.chain.blocks import head
from keeper.ledger import views
from keeper.ledger.follow import Follower
from keeper.protocol.documents import Envelope, canonical_json
from keeper.protocol.encoding import agreement_id, escrow_domain, milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import ZERO32, ZERO_ADDRESS, Address, Agreement, Milestone, Terms
from keeper.relay.attestations import list_attestations
from keeper.relay.client import RelayClient
from keeper.relay.message import AttestationMessage
from keeper.relay.server import RelayServer
from keeper.store.engine import open_store

PATIENCE_S = 30.0
REVIEW_S = 4_000
COMMIT = "c0ffee" + "0" * 34
EPC = "urn:epc:id:sscc:0614141.1234567890"
PAYER, PAYEE = 1, 2
MEMBER_KEYS = {Account.from_key(key).address: key for key in KEYS[3:6]}


def eventually(what: str, check: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """The first true answer of `check`, asked again until then; AssertionError names what never came."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {patience_s} s in vain for {what}")


def document(value: dict[str, Any], salt: bytes = ZERO32) -> Envelope:
    return Envelope(salt, "application/json", canonical_json(value))


CRITERIA = document(
    {
        "version": "milepost/criteria/1",
        "title": "Release accepted",
        "sources": [
            {
                "name": "ci",
                "kind": "github-check-runs",
                "url": "{ci}/repos/acme/shop/commits/{commit}/check-runs?per_page=100",
                "checks": ["acceptance"],
            },
            {
                "name": "erp",
                "kind": "epcis",
                "url": "{erp}/events?MATCH_epc={shipment}",
                "epc": "{shipment}",
                "bizStep": "accepting",
                "disposition": "conformant",
            },
        ],
        "rule": {"agree": 2},
        "payoutBps": 10000,
        "final": False,
    }
)
DELIVERABLE = document(
    {"version": "milepost/deliverable/1", "fields": {"commit": COMMIT, "shipment": EPC}}, keccak(b"salt")
)


@dataclass
class Service:
    """An evidence service: a process, the file it tells from, and where it listens."""

    module: str
    facts: Path
    process: subprocess.Popen[str] = field(init=False)
    url: str = field(init=False)

    def start(self, port: int = 0) -> None:
        command = [sys.executable, "-m", f"scripts.evidence.{self.module}", str(self.facts), "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.removeprefix("listening on ").strip()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
        assert self.process.stdout
        self.process.stdout.close()

    def again(self) -> None:
        """Start again on the port it had."""
        self.start(int(self.url.rpartition(":")[2]))


class World:
    """Everything around the attesters; `close` ends it all."""

    def __init__(self, chain: Deployed, folder: Path) -> None:
        self.chain, self.folder, self.anvil = chain, folder, chain.anvil
        self._open = ExitStack()
        self.ci = Service("ci_server", folder / "ci.json")
        self.erp = Service("epcis_server", folder / "erp.json")
        self.tell_ci("success")
        self.tell_erp("conformant")
        for service in (self.ci, self.erp):
            service.start()
            self._open.callback(lambda service=service: service.process.poll() is None and service.stop())
        self.quorum = Quorum(2, tuple(sorted(map(Address, MEMBER_KEYS), key=lambda a: int(a, 16))))
        self.agreement = self._agreement()
        domain = escrow_domain(chain.deployment.chain_id, chain.escrow)
        self.id = agreement_id(domain, self.agreement.terms, self.agreement.milestones)
        self.relay_store = open_store(folder / "relay.db")
        self._open.callback(self.relay_store.close)
        self.relay_ledger = Follower(self.anvil.rpc, self.relay_store, chain.deployment)
        self.relay = RelayServer(self.relay_store, "127.0.0.1:0")
        self.relay.start()
        self._open.callback(self.relay.stop)

    def close(self) -> None:
        self._open.close()

    def tell_ci(self, conclusion: str, status: str = "completed") -> None:
        run = {"name": "acceptance", "status": status, "conclusion": conclusion}
        self.ci.facts.write_text(json.dumps({"repositories": {"acme/shop": {COMMIT: [run]}}}))

    def tell_erp(self, disposition: str) -> None:
        event = {"eventTime": "2026-01-06T08:30:00.000Z", "bizStep": "accepting", "disposition": disposition}
        self.erp.facts.write_text(json.dumps({"events": [event | {"epcList": [EPC]}]}))

    def _agreement(self) -> Agreement:
        terms = Terms(
            payer=self.anvil.accounts[PAYER],
            payee=self.anvil.accounts[PAYEE],
            token=self.chain.token,
            verifier=self.chain.verifier,
            quorum=self.quorum.hash,
            arbiter=ZERO_ADDRESS,
            arbiter_hook=False,
            review_window=REVIEW_S,
            challenge_window=0,
            ruling_window=0,
            unreviewed_bps=0,
            unruled_bps=0,
            fee_bps=0,
            fee_to=ZERO_ADDRESS,
            tip=0,
            document=ZERO32,
            salt=ZERO32,
        )
        submit_by = head(self.anvil.rpc).time + 1_000_000
        return Agreement(terms, (Milestone(1_000_000, submit_by, CRITERIA.hash),))

    def fund(self) -> None:
        """Announce the quorum and lock the milestone's money."""
        accounts, terms = self.anvil.accounts, self.agreement.terms
        verifier, token, escrow = contract("QuorumVerifier"), contract("ERC20"), contract("Escrow")
        announce = verifier.encode("announce", self.quorum.m, list(self.quorum.members))
        self.anvil.send(accounts[0], self.chain.verifier, announce)
        mint = keccak(text="mint(address,uint256)")[:4] + bytes.fromhex(accounts[PAYER][2:]).rjust(32, b"\0")
        self.anvil.send(accounts[0], self.chain.token, mint + (1_000_000).to_bytes(32, "big"))
        approve = token.encode("approve", self.chain.escrow, 1_000_000)
        self.anvil.send(accounts[PAYER], self.chain.token, approve)
        milestones = [milestone_to_abi(m) for m in self.agreement.milestones]
        self.anvil.send(accounts[PAYER], self.chain.escrow, escrow.encode("fund", terms_to_abi(terms), milestones, 1))

    def submit(self, deliverable: bytes = DELIVERABLE.hash, blocks: int = 2) -> None:
        """The payee submits; two more blocks make it safe."""
        data = contract("Escrow").encode("submit", part_to_abi(self.agreement.part(0)), deliverable)
        self.anvil.send(self.anvil.accounts[PAYEE], self.chain.escrow, data)
        if blocks:
            self.anvil.mine(blocks)

    def publish(self, *documents: Envelope) -> None:
        with RelayClient(self.relay.url) as client:
            for one in documents:
                client.put_document(one)

    def ready(self) -> None:
        """Funded, submitted, documents published."""
        self.fund()
        self.submit()
        self.publish(CRITERIA, DELIVERABLE)

    def attestations(self) -> list[AttestationMessage]:
        """What the relay holds, after it has looked at the chain."""
        self.relay_ledger.follow()
        with self.relay_store.read() as conn:
            return [kept.message for kept in list_attestations(conn)]

    def milestone(self) -> views.MilestoneView:
        self.relay_ledger.follow()
        with self.relay_store.read() as conn:
            found = views.milestone_view(conn, self.id, 0)
        assert found
        return found


class Running:
    """An attester process; what it logs, line by line, as JSON."""

    def __init__(
        self,
        world: World,
        key: str,
        name: str,
        *,
        skew_s: float = 0,
        relays: list[str] | None = None,
        rpc: str | None = None,
        **attester: Any,
    ) -> None:
        settings = {
            "database": f"{name}.db",
            "relays": relays or [world.relay.url],
            "key": {"env": "ATTESTER_KEY"},
            "chain": {"rpc": [rpc or world.anvil.url], "deployment": str(world.chain.path), "poll_s": 0.05},
            "attester": {"sources": {"ci": world.ci.url, "erp": world.erp.url}, "timeout_s": 3} | attester,
        }
        path = world.folder / f"{name}.yaml"
        path.write_text(json.dumps(settings))
        self.log = world.folder / f"{name}.log"
        command = [sys.executable, "-m", "scripts.skewed", str(skew_s), "--", "run_attester", str(path)]
        env = {"ATTESTER_KEY": key, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'support'}", "PATH": "/usr/bin:/bin"}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)

    def said(self, *words: str) -> str | None:
        """The first line that holds all these words."""
        lines = self.log.read_text().splitlines()
        return next((line for line in lines if all(word in line for word in words)), None)

    def stop(self, by: int = signal.SIGTERM) -> float:
        """End it; seconds that it took."""
        start = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(by)
        try:
            self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()
        return time.monotonic() - start
