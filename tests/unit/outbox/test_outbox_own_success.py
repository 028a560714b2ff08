"""A refusal that is our own success is not answered with a cancellation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outbox_node import CHAIN, CONTRACT, FakeNode, FakeSigner
from sqlalchemy import select

from keeper.outbox import FeeLimits, IntentRequest, Outbox
from keeper.store import schema
from keeper.store.engine import open_store


class MinesWhileItIsAsked(FakeNode):
    """Once armed, the block with our transaction comes between the look at receipts and the simulation."""

    armed = False

    def _call(self, request: Mapping[str, str], at: str) -> Any:
        if self.armed:
            self.armed = False
            self.mine()
        return super()._call(request, at)


def test_a_call_refused_because_our_own_was_just_mined_is_not_cancelled(tmp_path: Path) -> None:
    store, node = open_store(tmp_path / "outbox.db"), MinesWhileItIsAsked()
    limits = FeeLimits(10**18, 10**24, 10**27, replace_after_s=3600)
    outbox = Outbox(store, node, FakeSigner(), limits, chain_id=CHAIN, escrow=CONTRACT)  # type: ignore[arg-type]
    request = IntentRequest("approve", bytes(32), 0, CONTRACT, (0).to_bytes(32, "big"))
    with store.begin() as conn:
        outbox.enqueue(conn, request, head_number=node.head().number)
    outbox.tick(node.head())

    node.armed = True
    outbox.tick(node.head())

    assert not node.armed
    with store.read() as conn:
        assert len(conn.execute(select(schema.transaction)).all()) == 1
    store.close()
