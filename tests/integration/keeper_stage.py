"""A keeper's surroundings for tests: funded agreements on a real chain, settings files, attestations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from chainlab import KEYS, ROOT, Anvil, Deployed
from sqlalchemy import select

from keeper.chain.abi import contract
from keeper.chain.blocks import head
from keeper.chain.escrow import Escrow
from keeper.chain.logs import logs_in_range
from keeper.chain.rpc import Rpc
from keeper.chain.signer import Signer
from keeper.config.settings import Settings, load_settings
from keeper.daemon.keeper import Keeper, opened
from keeper.outbox import FeeLimits, Outbox
from keeper.protocol.abi import milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.encoding import agreement_id, attestation_digest, escrow_domain, verifier_domain
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import (
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Agreement,
    AgreementId,
    Attestation,
    Milestone,
    Terms,
)
from keeper.relay.message import AttestationMessage
from keeper.store import schema
from keeper.store.engine import Store

AMOUNT = 1_000_000
TIP = 10_000
SOON = 1_000
"""Seconds from funding to `submit_by`."""
KEEPER_KEYS = (KEYS[8], KEYS[9])
LIMITS = FeeLimits(500 * 10**9, 10**17, 10**18, replace_after_s=0.3)


def signer_of(key: str) -> Signer:
    return Signer(bytes.fromhex(key[2:]))


@dataclass(frozen=True)
class Stage:
    """One deployment, and what a test does on it."""

    at: Deployed

    @property
    def anvil(self) -> Anvil:
        return self.at.anvil

    @property
    def payer(self) -> Address:
        return self.anvil.accounts[1]

    @property
    def payee(self) -> Address:
        return self.anvil.accounts[2]

    @property
    def members(self) -> list[Signer]:
        return sorted((signer_of(key) for key in KEYS[4:7]), key=lambda s: int(s.address, 16))

    @property
    def quorum(self) -> Quorum:
        return Quorum(2, tuple(member.address for member in self.members))

    def terms(self, **changes: Any) -> Terms:
        """Without a quorum: a submission that nobody disputes in time is paid whole, with a tip."""
        plain = Terms(
            payer=self.payer,
            payee=self.payee,
            token=self.at.token,
            verifier=ZERO_ADDRESS,
            quorum=ZERO32,
            arbiter=self.anvil.accounts[3],
            arbiter_hook=False,
            review_window=100,
            challenge_window=0,
            ruling_window=100,
            unreviewed_bps=10_000,
            unruled_bps=0,
            fee_bps=0,
            fee_to=ZERO_ADDRESS,
            tip=TIP,
            document=ZERO32,
            salt=os.urandom(32),
        )
        return replace(plain, **changes)

    def attested(self, **changes: Any) -> Terms:
        """With a quorum and no arbiter: a verdict pays at once."""
        quorum = {"verifier": self.at.verifier, "quorum": self.quorum.hash}
        no_arbiter = {"arbiter": ZERO_ADDRESS, "ruling_window": 0, "unreviewed_bps": 0}
        return self.terms(**quorum, **no_arbiter, **changes)

    def fund(self, terms: Terms, count: int = 1) -> Funded:
        """Mint, approve and fund `count` milestones that lapse `SOON` seconds after the head."""
        submit_by = head(self.anvil.rpc).time + SOON
        milestones = tuple(Milestone(AMOUNT + i, submit_by, bytes(32)) for i in range(count))
        total = sum(m.amount for m in milestones)
        token, escrow = self.at.token, self.at.escrow
        erc20 = contract("ERC20")
        mint = bytes.fromhex("40c10f19") + bytes(12) + bytes.fromhex(self.payer[2:]) + total.to_bytes(32, "big")
        self.anvil.send(self.payer, token, mint)
        self.anvil.send(self.payer, token, erc20.encode("approve", escrow, total))
        rows = [milestone_to_abi(m) for m in milestones]
        call = contract("Escrow").encode("fund", terms_to_abi(terms), rows, (1 << count) - 1)
        self.anvil.send(self.payer, escrow, call)
        domain = escrow_domain(self.at.deployment.chain_id, escrow)
        return Funded(self, Agreement(terms, milestones), agreement_id(domain, terms, milestones))

    def announce(self) -> None:
        call = contract("QuorumVerifier").encode("announce", self.quorum.m, self.quorum.members)
        self.anvil.send(self.payer, self.at.verifier, call)

    def settings(self, folder: Path, *, key: str = KEEPER_KEYS[0], rpc: str = "", **keeper: Any) -> Settings:
        """A settings file of one keeper in `folder`, loaded."""
        folder.mkdir(parents=True, exist_ok=True)
        own = {"listen": "127.0.0.1:0", "stagger_s": 0, "serve": "all"} | keeper
        tree = {
            "chain": {"rpc": [rpc or self.anvil.url], "deployment": str(self.at.path), "poll_s": 0.05},
            "key": {"env": "STAGE_KEY"},
            "keeper": own,
            "fees": {"replace_after_s": 0.3},
        }
        file = folder / "milepost.yaml"
        file.write_text(json.dumps(tree))
        os.environ["STAGE_KEY"] = key
        return load_settings(file, need={"chain", "key"})

    @contextmanager
    def keeper(self, folder: Path, **settings: Any) -> Iterator[Keeper]:
        with opened(self.settings(folder, **settings)) as keeper:
            yield keeper

    def outbox(
        self, store: Store, key: str = KEEPER_KEYS[0], rpc: Rpc | None = None, limits: FeeLimits = LIMITS
    ) -> Outbox:
        return Outbox(
            store,
            rpc or self.anvil.rpc,
            signer_of(key),
            limits,
            chain_id=self.at.deployment.chain_id,
            escrow=self.at.escrow,
        )

    def settled(self) -> list[dict[str, Any]]:
        """Every Settled event on the canonical chain, in order."""
        logs = logs_in_range(self.anvil.rpc, 0, head(self.anvil.rpc).number, [self.at.escrow])
        decoded = [contract("Escrow").decode_log(log.topics, log.data) for log in logs]
        return [fields for name, fields in decoded if name == "Settled"]

    def nonce(self, address: Address) -> int:
        return int(self.anvil.rpc.call("eth_getTransactionCount", address, "latest"), 16)


@dataclass(frozen=True)
class Funded:
    """A funded agreement."""

    stage: Stage
    agreement: Agreement
    id: AgreementId

    def settle_call(self, index: int = 0) -> bytes:
        return contract("Escrow").encode("settle", part_to_abi(self.agreement.part(index)))

    def submit(self, index: int = 0, deliverable: bytes = b"\x11" * 32) -> None:
        call = contract("Escrow").encode("submit", part_to_abi(self.agreement.part(index)), deliverable)
        self.stage.anvil.send(self.stage.payee, self.stage.at.escrow, call)

    def approve(self, index: int = 0) -> None:
        call = contract("Escrow").encode("approve", part_to_abi(self.agreement.part(index)))
        self.stage.anvil.send(self.stage.payer, self.stage.at.escrow, call)

    def lapse(self) -> None:
        """Move chain time to the first second at which every milestone lapses."""
        self.stage.anvil.warp_to(self.agreement.milestones[0].submit_by + 1)

    def is_open(self, index: int = 0) -> bool:
        _, closed = Escrow(self.stage.anvil.rpc, self.stage.at.escrow).state(self.id)
        return not closed >> index & 1

    def attestations(self, verdict: Attestation, index: int = 0) -> list[AttestationMessage]:
        """What each member of the quorum signs."""
        stage = self.stage
        chain_id, terms = stage.at.deployment.chain_id, self.agreement.terms
        domain = verifier_domain(chain_id, terms.verifier)
        digest = attestation_digest(domain, stage.at.escrow, self.id, terms.quorum, index, verdict)
        return [
            AttestationMessage(
                chain_id=chain_id,
                verifier=terms.verifier,
                escrow=stage.at.escrow,
                agreement=self.id,
                quorum=terms.quorum,
                milestone=index,
                attempt=verdict.attempt,
                deliverable=verdict.deliverable,
                payout_bps=verdict.payout_bps,
                signer=member.address,
                signature=member.sign_digest(digest),
            )
            for member in stage.members
        ]


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The condition's first true value; AssertionError when it does not come in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        pause.wait(0.03)
    return found


def steps_until(keeper: Keeper, condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Step a keeper until something is true."""

    def stepped() -> Any:
        keeper.step()
        return condition()

    return wait_for(stepped, seconds)


def rows(store: Store, table: Any) -> list[Any]:
    with store.read() as conn:
        return list(conn.execute(select(table).order_by(table.c.seq)))


def intent_states(store: Store) -> list[str]:
    return [row.state for row in rows(store, schema.intent)]


def tx_states(store: Store) -> list[str]:
    return [row.state for row in rows(store, schema.transaction)]


PROGRAM = """
import sys
from pathlib import Path
from keeper.config.settings import load_settings
from keeper.daemon.keeper import run
from keeper.errors import MilepostError
try:
    sys.exit(int(run(load_settings(Path(sys.argv[1]), need={"chain", "key"}))))
except MilepostError as error:
    print(error, file=sys.stderr)
    sys.exit(int(error.exit))
"""


@contextmanager
def keeper_process(settings: Settings, key: str = KEEPER_KEYS[0]) -> Iterator[subprocess.Popen[str]]:
    """The keeper's program in a process of its own; killed at the end if it still runs."""
    command = [sys.executable, "-c", PROGRAM, str(settings.file)]
    log = (settings.home / "keeper.log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, stderr=log, text=True, env=os.environ | {"STAGE_KEY": key})
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        log.close()


def log_of(settings: Settings) -> str:
    return (settings.home / "keeper.log").read_text()


def relay_url(settings: Settings) -> str:
    """Where a keeper's process serves its relay, from its log."""

    def found() -> str:
        for line in log_of(settings).splitlines():
            entry = json.loads(line) if line.startswith("{") else {}
            if entry.get("event") == "keeper runs":
                return str(entry["relay"])
        return ""

    return str(wait_for(found))


def get_status(url: str) -> dict[str, Any]:
    status: dict[str, Any] = httpx.get(f"{url}/status", timeout=5, trust_env=False).json()
    return status
