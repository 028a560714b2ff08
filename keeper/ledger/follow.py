"""Following the chain: one step reads what is new, repairs what a reorg replaced, and commits it as one.

A step first finds its route without writing, then moves blocks, events, projections and cursor in one transaction
(docs/keeper.md section 4). Killed at any point, the next step starts from what was committed.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from keeper.chain import blocks
from keeper.chain.abi import contract
from keeper.chain.blocks import Finality, Header
from keeper.chain.deployment import Deployment
from keeper.chain.rpc import Rpc, RpcFault
from keeper.errors import MilepostError
from keeper.ledger.advance import Tips, advance, standing
from keeper.ledger.reading import Hold, block_at
from keeper.ledger.route import Route, Standing, find_route
from keeper.protocol.types import Address
from keeper.store.engine import Store

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did."""

    head: Header
    """Where the ledger stands now; its time is the clock of everything that follows."""
    added: int
    """Blocks added."""
    removed: int
    """Blocks taken back because a reorg replaced them."""
    events: int
    """Events added."""
    finalized: int
    """Number of the newest block that the ledger holds for final."""
    reorg_depth: int
    """How many heights the repair went back; 0 without a reorg."""
    behind: int
    """Blocks between the ledger and the node's head; 0 or less when it has caught up."""
    held: str
    """Why it stopped short of the node's head, when the node's answers did not fit together; else empty."""

    @property
    def caught_up(self) -> bool:
        """Whether the ledger shows the node's head."""
        return self.behind <= 0 and not self.held


class Follower:
    """Keeps the ledger of one escrow, and of the verifiers deployed with it, in step with the chain."""

    def __init__(self, rpc: Rpc, store: Store, deployment: Deployment, finality: Finality = "tags") -> None:
        """`finality` as in the settings: the chain's tags, or a depth in blocks. Does nothing until `step`."""
        self._rpc = rpc
        self._store = store
        self._finality = finality
        self._first = max(deployment.block - 1, 0)
        self.chain = deployment.chain_id
        self.escrow = Address(deployment.escrow.address)
        self.sources = {self.escrow.lower(): "Escrow"} | {
            address.lower(): "QuorumVerifier" for address in deployment.verifiers().values()
        }
        self._topics = {
            address: tuple("0x" + entry.topic.hex() for entry in contract(name).events.values())
            for address, name in self.sources.items()
        }

    def step(self) -> Step:
        """Read one portion of the chain and commit it; call again until `caught_up`, then on every new block.

        RPC_UNREACHABLE, RPC_REFUSED or RPC_INCONSISTENT: nothing was recorded, try again later. DEEP_REORG or
        LEDGER_DIFFERS: nothing was recorded, a person has to look; both come again until the cause is gone.
        DATABASE_FAILED: nothing was half-written.
        """
        try:
            return self._step()
        except RpcFault as fault:
            raise MilepostError("RPC_REFUSED", "The node refused to show the chain", cause=str(fault)) from fault

    def follow(self) -> Step:
        """Step until caught up or held; the sum of the steps. Errors as `step`, after what earlier steps committed."""
        total = step = self.step()
        while step.behind > 0 and not step.held:
            step = self.step()
            total = Step(
                step.head,
                total.added + step.added,
                total.removed + step.removed,
                total.events + step.events,
                step.finalized,
                max(total.reorg_depth, step.reorg_depth),
                step.behind,
                step.held,
            )
        return total

    def _step(self) -> Step:
        head = blocks.head(self._rpc)
        tips = Tips(
            blocks.settled_block(self._rpc, "safe", self._finality, head),
            blocks.finalized(self._rpc, self._finality, head),
        )
        with self._store.read() as conn:
            at = standing(conn, self.chain, self.escrow)
        at = at or self._anchor(head)
        route = find_route(self._rpc, at, head, tips.finalized, self._topics)
        with self._store.begin() as conn:
            done = advance(conn, self.chain, self.escrow, self.sources, at, route, tips)
        step = Step(
            head=done.head,
            added=len(route.blocks) if done.moved else 0,
            removed=done.removed,
            events=done.events,
            finalized=done.finalized,
            reorg_depth=at.head.number - route.ancestor if done.removed else 0,
            behind=head.number - done.head.number,
            held=route.held,
        )
        _tell(step, route)
        return step

    def _anchor(self, head: Header) -> Standing:
        """The block before the deployment: nothing is older, and it is taken for final."""
        try:
            first = block_at(self._rpc, self._first).header
        except Hold as hold:
            raise MilepostError(
                "RPC_INCONSISTENT",
                "The node has not reached the contracts' deployment yet",
                cause=f"expected block {self._first}, found the head at {head.number} ({hold})",
                hint="wait until the node has caught up, or ask another",
            ) from hold
        return Standing(first, first.number, {first.number: first.hash})


def _tell(step: Step, route: Route) -> None:
    if step.removed:
        _log.warning("reorg repaired", depth=step.reorg_depth, removed=step.removed, ancestor=route.ancestor)
    if step.held:
        _log.warning("holding", at=step.head.number, reason=step.held)
