"""Holding the ledger against the contract while the keeper runs (docs/keeper.md section 4, self-check)."""

from __future__ import annotations

import time

import structlog

from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError
from keeper.ledger.selfcheck import self_check
from keeper.store.engine import Store

log = structlog.get_logger("keeper")

EVERY_S = 600.0
"""Seconds of wall clock between two samples."""

_SHOWS_NOTHING = ("REVERTED", "RPC_REFUSED")
"""The node has dropped the block or its state meanwhile: no difference was seen, and none was ruled out."""


class Checking:
    """Compares a sample when first asked, and then every `EVERY_S` seconds."""

    def __init__(self, rpc: Rpc, store: Store) -> None:
        self._rpc = rpc
        self._store = store
        self._next = time.monotonic()

    def look(self) -> None:
        """A comparison, if one is due. Raises LEDGER_DIFFERS, which halts sending, and RPC_UNREACHABLE."""
        if time.monotonic() < self._next:
            return
        try:
            checked = self_check(self._rpc, self._store)
        except MilepostError as error:
            if error.code not in _SHOWS_NOTHING:
                raise
            log.warning("the node shows nothing to compare the ledger with", cause=error.cause)
        else:
            log.info("ledger equals the contract", agreements=checked.agreements, open_milestones=checked.milestones)
        self._next = time.monotonic() + EVERY_S
