"""The keeper: follow the chain, gather attestations, decide, send once, show how it stands (docs/keeper.md section 3).

It holds gas money and no authority: whatever it sends, anyone could have sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from keeper.chain import account, blocks
from keeper.chain.blocks import Header
from keeper.chain.deployment import Deployment, open_deployment
from keeper.chain.identity import check_identity
from keeper.chain.rpc import Rpc, RpcFault
from keeper.chain.signer import Signer, load_signer
from keeper.config.settings import Settings
from keeper.daemon.checking import Checking
from keeper.daemon.deciding import Decider
from keeper.daemon.logs import log_to_stderr
from keeper.daemon.loop import HALTING, Stop, run_loop, signals
from keeper.daemon.peers import Peers
from keeper.daemon.status import fault, stored_status
from keeper.errors import Exit, MilepostError
from keeper.ledger.follow import Follower
from keeper.outbox import FeeLimits, Outbox
from keeper.outbox.states import IntentState
from keeper.policy.inputs import Policy
from keeper.protocol.types import Address
from keeper.relay.server import RelayServer
from keeper.store.engine import Store, open_store
from keeper.store.lock import process_lock

log = structlog.get_logger("keeper")

BALANCE_EVERY_S = 5.0
"""Seconds of wall clock between two looks at the account's balance."""


class Keeper:
    """One account's keeper on one database. `step` is all it does; whoever holds it paces the steps."""

    def __init__(self, settings: Settings, deployment: Deployment, store: Store, rpc: Rpc, signer: Signer) -> None:
        chain, own = settings.chain, settings.keeper
        serve = own.serve if isinstance(own.serve, str) else tuple(Address(payer) for payer in own.serve)
        policy = Policy(serve, own.finality, own.stagger_s, own.stagger_slots, settings.fees.max_day)
        self.store = store
        self._rpc = rpc
        self.account = signer.address
        self.chain_id = deployment.chain_id
        self._follower = Follower(rpc, store, deployment, chain.finality)
        self._outbox = Outbox(
            store,
            rpc,
            signer,
            FeeLimits.of(settings.fees),
            chain_id=deployment.chain_id,
            escrow=deployment.escrow.address,
            finality=chain.finality,
        )
        self._decider = Decider(signer.address, policy, self._outbox)
        self._checking = Checking(rpc, store)
        self._peers = Peers(store, own.peers)
        self._balance: tuple[float, int | None] = (float("-inf"), None)
        self._head: Header | None = None
        self._trouble: MilepostError | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Before the first step: what an earlier process planned and never signed is decided anew."""
        self._outbox.forget_unsent("the keeper was restarted before anything was signed")

    def step(self) -> bool:
        """Observe, pull, decide, act; whether there is more to do at once.

        Raises what its parts raise; nothing is half-done then, and the next step goes on from what was committed.
        """
        try:
            return self._step()
        except RpcFault as refused:
            raise MilepostError("RPC_REFUSED", "The node refused to show the chain", cause=str(refused)) from refused

    def _step(self) -> bool:
        moved = self._follower.step()
        self._peers.pull()
        if moved.caught_up:
            self._checking.look()
            with self.store.begin() as conn:
                self._decider.decide(conn)
        head = moved.head if moved.caught_up else blocks.head(self._rpc)
        self._outbox.tick(head)
        self._note(head)
        return moved.behind > 0 and not moved.held

    def trouble(self, error: MilepostError | None) -> None:
        """Remember what keeps the steps from succeeding, for the status."""
        with self._lock:
            self._trouble = error

    def status(self) -> dict[str, Any]:
        """`stored_status` with the node's head, the balance in wei, and what is wrong; any thread may ask."""
        with self.store.read() as conn:
            stored = stored_status(conn, self.chain_id, self.account)
        with self._lock:
            head, balance, trouble = self._head, self._balance[1], self._trouble
        return stored | {
            "version": _version(),
            "head": None if head is None else {"number": head.number, "hash": head.hash, "time": head.time},
            "balance_wei": None if balance is None else str(balance),
            "trouble": fault(trouble),
            "halted": trouble.title if trouble is not None and trouble.code in HALTING else None,
        }

    def quiet(self) -> bool:
        """Whether nothing is left to read or to decide, and no intent waits for a block."""
        if self._decider.halfway or self._peers.reading:
            return False
        intents = self.status()["intents"]
        return not any(intents[state] for state in (IntentState.PLANNED, IntentState.SENT))

    def _note(self, head: Header) -> None:
        at, balance = self._balance
        if time.monotonic() - at >= BALANCE_EVERY_S:
            try:
                balance = account.balance(self._rpc, self.account)
            except RpcFault as refused:
                log.warning("the node does not tell the balance", cause=str(refused))
            at = time.monotonic()
        with self._lock:
            self._head, self._balance = head, (at, balance)


def run(settings: Settings) -> Exit:
    """Keep until SIGTERM (exit 0) or SIGINT (exit 130), serving relay and status; blocks.

    Raises before it starts: SETTINGS_INVALID, KEY_INVALID, WRONG_CHAIN, WRONG_CONTRACT, RPC_UNREACHABLE,
    ALREADY_RUNNING, DATABASE_FAILED, PORT_TAKEN. Later: DATABASE_FAILED; everything else is retried.
    """
    with signals() as stop, opened(settings) as keeper:
        with RelayServer(keeper.store, str(settings.keeper.listen), [_status_route(keeper)]) as relay:
            log.info("keeper runs", account=keeper.account, chain=keeper.chain_id, relay=relay.url)
            code = run_loop(keeper.step, settings.chain.poll_s, keeper.trouble, stop)
        log.info("keeper stopped", exit=int(code))
        return code


def once(settings: Settings, wait_s: float = 60.0) -> dict[str, Any]:
    """One pass to quiescence for cron: follow to the head, decide, send, wait until included; the status after it.

    Gives up waiting after `wait_s` seconds of wall clock; what was sent is then still `sent` in the status, and the
    next pass watches on. Errors as `run`, and RPC_UNREACHABLE at any time.
    """
    stop = Stop()
    deadline = time.monotonic() + wait_s
    with opened(settings) as keeper:
        while True:
            again = keeper.step()
            if time.monotonic() >= deadline or (not again and keeper.quiet()):
                return keeper.status()
            if not again:
                stop.wait(settings.chain.poll_s)


@contextmanager
def opened(settings: Settings) -> Iterator[Keeper]:
    """A keeper whose settings, key, chain and database have been checked, and which alone holds the database."""
    log_to_stderr()
    deployment = open_deployment(settings.chain)
    signer = load_signer(settings.key)
    with ExitStack() as stack:
        stack.enter_context(process_lock(settings.database))
        rpc = Rpc(settings.chain.rpc, settings.chain.timeout_s)
        stack.callback(rpc.close)
        check_identity(rpc, deployment)
        store = open_store(settings.database)
        stack.callback(store.close)
        keeper = Keeper(settings, deployment, store, rpc, signer)
        keeper.start()
        yield keeper


def _status_route(keeper: Keeper) -> Route:
    def status(_: Request) -> JSONResponse:
        return JSONResponse(keeper.status())

    return Route("/status", status, methods=["GET"])


def _version() -> str:
    try:
        return version("milepost")
    except PackageNotFoundError:
        return "unknown"  # a checkout that was not installed
