"""Whatever the chain and the node do, the quiet ledger is what the canonical branch says."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from dumps import assert_shows, dump
from fake_node import DEPLOYMENT, FakeNode, noise
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from story import AGREEMENTS, announced, fund, mine, new_node, possible_call

from keeper.ledger import route
from keeper.ledger.follow import Follower
from keeper.ledger.rebuild import forget, rebuild
from keeper.store import schema
from keeper.store.engine import Store, open_store

DEPTH = 5


@dataclass(frozen=True)
class Block:
    """Seconds after the one before, and which of the possible moves is made at which milestone."""

    after: int
    moves: list[tuple[int, int, int, int]]


@dataclass(frozen=True)
class Turn:
    """The chain forks or grows, the node misbehaves, the ledger steps."""

    fork: int
    blocks: list[Block]
    behind: int
    silent: set[int]
    vanishing: set[int]
    fork_meanwhile: int
    steps: int
    restart: bool
    quiet: bool


_small = st.sampled_from([0, 0, 0, 1, 2, 3, 4])
_move = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 40), st.sampled_from([1, 3333, 10_000]))
_block = st.builds(Block, st.sampled_from([1, 1, 12, 12, 30, 45, 100]), st.lists(_move, max_size=5))
_turn = st.builds(
    Turn,
    fork=_small,
    blocks=st.lists(_block, min_size=1, max_size=4),
    behind=_small,
    silent=st.sets(st.integers(0, 3), max_size=1),
    vanishing=st.sets(st.integers(0, 3), max_size=1),
    fork_meanwhile=_small,
    steps=st.integers(0, 2),
    restart=st.booleans(),
    quiet=st.booleans(),
)


class Life:
    """A chain and a ledger that follows it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "m.db"
        self.node = new_node()
        self.highest = 0
        self.restart()
        mine(self.node, *[fund(agreement, 0b011) for agreement in AGREEMENTS], extra=(announced(),))

    store: Store
    follower: Follower

    def restart(self) -> None:
        self.store = open_store(self.path)
        self.follower = Follower(self.node.rpc(), self.store, DEPLOYMENT, finality=DEPTH)

    def grow(self, fork: int, blocks: list[Block]) -> None:
        """Never replace a block that was ever final: the highest head so far fixed which are."""
        final = max(self.highest - DEPTH, 0)
        self.node.drop(max(min(fork, self.node.tip.number - final), 0))
        for block in blocks:
            mine(self.node, *[possible_call(self.node, *move) for move in block.moves], after=block.after)
            self.node.mine([noise(block.after)])
            self.highest = max(self.highest, self.node.tip.number)

    def turn(self, turn: Turn) -> None:
        self.grow(turn.fork, turn.blocks)
        node, line = self.node, self.node.canonical()
        node.behind = min(turn.behind, len(line) - 1)
        node.silent = {line[-1 - i].hash for i in turn.silent if i < len(line)}
        node.vanishing = {line[-1 - i].hash for i in turn.vanishing if i < len(line)}
        if turn.fork_meanwhile:
            node.meanwhile = lambda: self.grow(turn.fork_meanwhile, turn.blocks)
        for _ in range(turn.steps):
            self.follower.step()
        if turn.restart:
            self.store.close()
            self.restart()
        if turn.quiet:
            self.be_quiet()

    def be_quiet(self) -> None:
        """An honest node: the ledger must end where it is."""
        make_honest(self.node)
        assert self.follower.follow().caught_up
        assert_shows(self.store, self.node)

    def read_again(self) -> None:
        """From nothing, in ranges, to the very same bytes."""
        while self.node.tip.number <= self.highest:
            self.node.mine()
        self.be_quiet()
        before = dump(self.store, schema.CACHE)
        rebuild(self.store)
        assert dump(self.store, schema.CACHE) == before
        forget(self.store)
        with mock.patch.object(route, "WALK", 2), mock.patch.object(route, "RANGE", 7):
            self.follower.follow()
        assert dump(self.store, schema.CACHE) == before


def make_honest(node: FakeNode) -> None:
    node.behind, node.meanwhile = 0, None
    node.silent.clear()
    node.vanishing.clear()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(turns=st.lists(_turn, min_size=2, max_size=10))
def test_the_quiet_ledger_shows_the_canonical_branch(turns: list[Turn]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        life = Life(folder)
        for turn in turns:
            life.turn(turn)
        life.be_quiet()
        life.read_again()
        life.store.close()
    finally:
        shutil.rmtree(folder)
