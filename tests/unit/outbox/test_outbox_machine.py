"""The outbox against a node that lags, dies, forgets and reorganises, and a process that is killed at any broadcast.

Whatever happens: nothing is broadcast that is not on disk, nothing is sent twice while the first may still land, and
once the world calms down everything is done exactly once or dropped for a reason.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from outbox_node import CHAIN, CONTRACT, FINAL_DEPTH, Crash, FakeNode, FakeSigner, Tx
from sqlalchemy import select

from keeper.errors import MilepostError
from keeper.outbox import FeeLimits, IntentRequest, Outbox
from keeper.outbox.states import IntentState, TxState
from keeper.store import schema
from keeper.store.engine import Store, open_store

LIMITS = FeeLimits(10**18, 10**24, 10**27, replace_after_s=0)
THINGS = st.integers(0, 3)


def _template() -> Path:
    path = Path(tempfile.mkdtemp()) / "template.db"
    open_store(path).close()
    return path


TEMPLATE = _template()


class OutboxMachine(RuleBasedStateMachine):
    """One account, four things to do, and bad luck."""

    def __init__(self) -> None:
        super().__init__()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(TEMPLATE, self.folder / "outbox.db")
        self.store = Store(self.folder / "outbox.db")
        self.node = FakeNode()
        self.node.on_broadcast = self._check_broadcast
        self.outbox = self._start()

    def teardown(self) -> None:
        try:
            self.calm_down()
        finally:
            self._clean()

    def _clean(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)
        structlog.reset_defaults()

    @initialize(thing=THINGS)
    def begin(self, thing: int) -> None:
        self.decide(thing)

    @rule(thing=THINGS)
    def decide(self, thing: int) -> None:
        """As the keeper does: only what the chain, as far as the node shows it, holds for undone."""
        if thing in self.node.done(self.node.view()):
            return
        with self.store.begin() as conn:
            self.outbox.enqueue(conn, _request(thing), head_number=self.node.head().number)

    @rule()
    def mine_and_tick(self) -> None:
        self.node.mine()
        self.tick()

    @rule()
    def tick(self) -> None:
        self._survive(lambda: self.outbox.tick(self.node.head()))

    @rule(where=st.sampled_from(["before", "after"]))
    def tick_and_die(self, where: str) -> None:
        self.node.crash = where
        self._survive(lambda: self.outbox.tick(self.node.head()))
        self.node.crash = ""

    @rule()
    def restart(self) -> None:
        self.outbox = self._start()

    @rule(
        rivals=st.sampled_from([(), (), (), (0,), (1, 2)]),
        foreign=st.sampled_from([False, False, True]),
        skip=st.booleans(),
    )
    def mine(self, rivals: tuple[int, ...], foreign: bool, skip: bool) -> None:
        self.node.mine(rivals, foreign, skip)

    @rule(depth=st.integers(1, FINAL_DEPTH), keep=st.booleans())
    def reorganise(self, depth: int, keep: bool) -> None:
        self.node.reorg(depth, keep)

    @rule()
    def forget_the_mempool(self) -> None:
        self.node.mempool.clear()

    @rule(hide=st.sampled_from([False, False, True]))
    def index_receipts_late(self, hide: bool) -> None:
        self.node.hides_receipts = hide

    @rule(lag=st.sampled_from([0, 0, 0, 1, 2, 5]))
    def lag(self, lag: int) -> None:
        self.node.lag = lag

    @rule(down=st.sampled_from([False, False, False, True]))
    def go_down_or_up(self, down: bool) -> None:
        self.node.down = down

    @rule()
    def calm_down(self) -> None:
        """Without further faults everything ends, exactly once."""
        self.node.lag, self.node.down, self.node.hides_receipts = 0, False, False
        for _ in range(4 * FINAL_DEPTH + 4):
            for row in self._rows(schema.intent):
                self.decide(_thing(row))
            self.tick()
            self.node.mine()
        self.tick()
        done = self.node.done(self.node.chain)
        ours = {tx.thing for block in self.node.chain for tx, ok in block.mined if ok}
        for row in self._rows(schema.intent):
            assert _thing(row) in done
            assert row.state == (IntentState.DONE if _thing(row) in ours else IntentState.DROPPED), row.reason
        assert {row.state for row in self._rows(schema.transaction)} <= {TxState.FINAL, TxState.REPLACED, TxState.LOST}

    @invariant()
    def one_line_carries_an_intent_and_one_intent_a_line(self) -> None:
        live = [row for row in self._rows(schema.transaction) if row.state in ("signed", "broadcast", "included")]
        pairs = {(row.data, row.nonce) for row in live if row.data != "0x"}
        assert len({data for data, _ in pairs}) == len(pairs)
        assert len({nonce for _, nonce in pairs}) == len(pairs)

    def _check_broadcast(self, tx: Tx) -> None:
        stored = {row.hash: row for row in self._rows(schema.transaction)}
        assert tx.hash in stored, "broadcast before it was committed"
        if tx.thing is None:
            return
        final = self.node.nonce(self.node.chain[: self.node.final + 1])
        for other in self.node.sent.values():
            if other.thing == tx.thing and other.nonce != tx.nonce:
                assert other.nonce < final, "sent again while the first may still land"

    def _survive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Crash:
            self.outbox = self._start()
        except MilepostError as error:
            if error.code not in ("RPC_UNREACHABLE", "RPC_REFUSED"):
                raise

    def _start(self) -> Outbox:
        node: Any = self.node
        signer: Any = FakeSigner()
        return Outbox(self.store, node, signer, LIMITS, chain_id=CHAIN, escrow=CONTRACT)

    def _rows(self, table: Any) -> list[Any]:
        with self.store.read() as conn:
            return list(conn.execute(select(table)))


def _thing(intent: Any) -> int:
    return bytes.fromhex(intent.calldata[2:])[0]


def _request(thing: int) -> IntentRequest:
    return IntentRequest("do", bytes(32), thing, CONTRACT, bytes([thing]))


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
