"""Handing every signature to every relay, until each has acknowledged or refused it for good."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import structlog
from sqlalchemy import and_, insert, select

from keeper.attester.backoff import Backoff
from keeper.attester.guard import Signed, message_of, subject_of
from keeper.attester.workers import Workers
from keeper.errors import MilepostError
from keeper.protocol.types import Address
from keeper.relay.client import RelayClient
from keeper.store.engine import Store
from keeper.store.schema import pushed
from keeper.store.schema import signed as signed_table

FOR_GOOD = frozenset({"ATTESTATION_REFUSED", "NOT_A_MEMBER", "REQUEST_INVALID", "TOO_LARGE"})
"""Refusals that a repeat cannot change. Everything else is tried again."""
BATCH = 500
_log = structlog.get_logger(__name__)


class Pusher:
    """Pushes to all relays side by side; a relay that hangs delays no other."""

    def __init__(self, store: Store, member: Address, relays: Sequence[RelayClient], backoff: Backoff) -> None:
        self._store = store
        self._member = member
        self._relays = list(relays)
        self._backoff = backoff
        self._workers: Workers[None] = Workers(len(self._relays))

    def tick(self) -> None:
        """Start what can be started; a relay that failed in an earlier tick is reported and waited for."""
        for done in self._workers.collect():
            if done.error is None:
                self._backoff.clear(done.key)
                continue
            wait = self._backoff.failed(done.key)
            cause = done.error.cause if isinstance(done.error, MilepostError) else repr(done.error)
            _log.warning("push_waits", relay=done.key, cause=cause, retry_in_s=wait)
        for relay in self._relays:
            if self._backoff.ready(relay.url) and not self._workers.busy(relay.url):
                waiting = [one for one in self._waiting(relay.url) if self._backoff.ready((relay.url, one.seq))]
                if waiting:
                    self._workers.start(relay.url, partial(self._push_all, relay, waiting))

    def _waiting(self, url: str) -> list[Signed]:
        """Signatures that this relay has neither acknowledged nor refused, oldest first."""
        joined = signed_table.outerjoin(pushed, and_(pushed.c.signed == signed_table.c.seq, pushed.c.relay == url))
        query = (
            select(signed_table)
            .select_from(joined)
            .where(signed_table.c.member == self._member.lower(), signed_table.c.signature != "")
            .where(pushed.c.signed.is_(None))
            .order_by(signed_table.c.seq)
            .limit(BATCH)
        )
        with self._store.read() as conn:
            return [Signed(row["seq"], message_of(row)) for row in conn.execute(query).mappings()]

    def _push_all(self, relay: RelayClient, waiting: Sequence[Signed]) -> None:
        """Push each, oldest first; one that comes too early waits alone. Raises what shows that the relay is unwell."""
        for one in waiting:
            try:
                answer: str = relay.push_attestation(one.message).status
            except MilepostError as error:
                if error.code == "ATTESTATION_EARLY":
                    self._wait(relay, one, error)
                    continue
                if error.code not in FOR_GOOD:
                    raise
                answer = f"refused: {error}"
            self._store_answer(relay, one, answer)

    def _wait(self, relay: RelayClient, one: Signed, error: MilepostError) -> None:
        wait = self._backoff.failed((relay.url, one.seq))
        _log.info(
            "push_early", relay=relay.url, subject=str(subject_of(one.message)), cause=error.cause, retry_in_s=wait
        )

    def _store_answer(self, relay: RelayClient, one: Signed, answer: str) -> None:
        with self._store.begin() as conn:
            conn.execute(insert(pushed).values(signed=one.seq, relay=relay.url, answer=answer))
        self._backoff.clear((relay.url, one.seq))
        say = _log.error if answer.startswith("refused") else _log.info
        say("pushed", relay=relay.url, subject=str(subject_of(one.message)), answer=answer)
