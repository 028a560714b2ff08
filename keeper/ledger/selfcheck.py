"""Comparing the ledger with the contract: the same block, the same words (docs/keeper.md section 4)."""

from __future__ import annotations

import random
from dataclasses import dataclass

from sqlalchemy import select

from keeper.chain.blocks import Header
from keeper.chain.escrow import Escrow
from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError
from keeper.ledger.views import AgreementView, agreement_view, head
from keeper.protocol.types import AgreementId
from keeper.store import schema
from keeper.store.engine import Store


@dataclass(frozen=True, slots=True)
class Checked:
    """How many agreements and open milestones were compared, and at which block."""

    agreements: int
    milestones: int
    head: Header | None


def self_check(rpc: Rpc, store: Store, sample: int = 20, seed: int | None = None) -> Checked:
    """Compare a random sample of agreements with the contract's own words at the ledger's head.

    LEDGER_DIFFERS names the first difference. Errors of the reads pass as they are: REVERTED, RPC_REFUSED or
    RPC_UNREACHABLE when the node has dropped that block's state, or the block itself, meanwhile.
    """
    with store.read() as conn:
        at = head(conn)
        ids = conn.execute(select(schema.agreement.c.id).order_by(schema.agreement.c.id)).scalars().all()
        chosen = random.Random(seed).sample(list(ids), min(sample, len(ids)))  # noqa: S311 - no secret depends on it
        views = [view for text in chosen if (view := agreement_view(conn, bytes.fromhex(text[2:])))]
    milestones = sum(_compare(rpc, view, at.hash) for view in views) if at else 0
    return Checked(len(views), milestones, at)


def _compare(rpc: Rpc, view: AgreementView, block_hash: str) -> int:
    escrow = Escrow(rpc, view.escrow)
    found = escrow.state(AgreementId(view.id), block=block_hash)
    if found != (view.funded, view.closed):
        raise _differs(view, "funded and closed", (view.funded, view.closed), found, block_hash)
    lines = [line for line in view.milestones if line.open]
    for line in lines:
        state = escrow.milestone(AgreementId(view.id), line.index, block=block_hash)
        if state != line.state:
            raise _differs(view, f"milestone {line.index}", line.state, state, block_hash)
        due = escrow.due(line.part, block=block_hash)
        if due != line.due:
            raise _differs(view, f"what is due for milestone {line.index}", line.due, due, block_hash)
    return len(lines)


def _differs(view: AgreementView, what: str, ours: object, theirs: object, block_hash: str) -> MilepostError:
    return MilepostError(
        "LEDGER_DIFFERS",
        f"The ledger differs from the contract on agreement 0x{view.id.hex()}",
        cause=f"{what} at block {block_hash}: the ledger says {ours}, the contract says {theirs}",
    )
