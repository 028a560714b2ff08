"""The attester's process: follow the chain, judge what waits for this key, push what it signed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import structlog

from keeper.attester.case import membership
from keeper.attester.member import Attester
from keeper.attester.sources.http import Fetcher, Limits
from keeper.chain.deployment import open_deployment
from keeper.chain.identity import check_identity
from keeper.chain.rpc import Rpc
from keeper.chain.signer import load_signer
from keeper.config.settings import Settings
from keeper.daemon.attester_status import StatusPage, attester_status
from keeper.daemon.logs import log_to_stderr
from keeper.daemon.loop import run_loop, signals
from keeper.errors import Exit, MilepostError
from keeper.ledger.follow import Follower
from keeper.protocol.types import Address
from keeper.relay.client import RelayClient
from keeper.store.engine import Store, open_store
from keeper.store.lock import process_lock

RELAY_TIMEOUT_S = 5.0
"""Seconds that one request to a relay may take."""
_log = structlog.get_logger("attester")


def run(settings: Settings) -> Exit:
    """Attest until SIGTERM or Ctrl-C; the exit code.

    `settings` were loaded with chain, key, relays and sources. At start everything that is wrong is raised with its
    cause: KEY_INVALID, SETTINGS_INVALID, ALREADY_RUNNING, DATABASE_FAILED, PORT_TAKEN, RPC_UNREACHABLE,
    WRONG_CHAIN, WRONG_CONTRACT. Later a node that goes away is waited for.
    """
    log_to_stderr()
    with ExitStack() as open_, signals() as stop:
        open_.enter_context(process_lock(settings.database))
        store = open_store(settings.database)
        open_.callback(store.close)
        turn = _Turn(settings, store)
        if settings.attester.listen is not None:
            page = StatusPage(settings.attester.listen, turn.status)
            page.start()
            open_.callback(page.stop)
        code = run_loop(turn.step, settings.chain.poll_s, lambda _: None, stop)
        _log.info("attester stopped", exit=int(code))
        return code


class _Turn:
    """The parts of one process, and one step over all of them."""

    def __init__(self, settings: Settings, store: Store) -> None:
        if settings.key is None:
            raise MilepostError("SETTINGS_INVALID", "The attester has no key", cause="expected a section `key`")
        deployment = open_deployment(settings.chain)
        signer = load_signer(settings.key)
        fetcher = Fetcher(
            settings.attester.sources,
            Limits(settings.attester.timeout_s, settings.attester.max_bytes),
            user_agent=settings.attester.user_agent,
        )
        relays = [RelayClient(url, RELAY_TIMEOUT_S) for url in settings.relays]
        rpc = Rpc(settings.chain.rpc, settings.chain.timeout_s)
        check_identity(rpc, deployment)
        self._store, self._address, self._relays = store, signer.address, settings.relays
        self._follower = Follower(rpc, store, deployment, settings.chain.finality)
        self._attester = Attester(store, rpc, signer, deployment.chain_id, fetcher, relays, settings.attester.finality)
        self._quorums: set[tuple[Address, bytes]] | None = None
        _log.info(
            "attester started",
            address=signer.address,
            escrow=deployment.escrow.address,
            sources=sorted(settings.attester.sources),
            relays=list(settings.relays),
            finality=settings.attester.finality,
        )
        self._attester.resume()

    def step(self) -> bool:
        """Follow the chain one step, then one turn of the attester; whether there is more chain to read at once."""
        step = self._follower.step()
        if step.caught_up:
            self._tell_membership()
        self._attester.tick(judging=step.caught_up)
        return step.behind > 0 and not step.held

    def status(self) -> dict[str, Any]:
        """How it stands, for the status page; may be asked from another thread."""
        with self._store.read() as conn:
            return attester_status(conn, self._address, self._relays, self._attester.abstaining())

    def _tell_membership(self) -> None:
        """Say which quorums this key belongs to, at first and whenever that changes."""
        with self._store.read() as conn:
            found = {(verifier, quorum.hash) for verifier, quorum in membership(conn, self._address)}
        if found == self._quorums:
            return
        self._quorums = found
        if found:
            _log.info("member of quorums", count=len(found), quorums=sorted("0x" + name.hex() for _, name in found))
        else:
            _log.warning(
                "this key is a member of no announced quorum",
                address=self._address,
                hint="check the key, or wait until an agreement's quorum is announced",
            )
