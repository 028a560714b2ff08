"""What is said when sending did not end well: which call, what is known about its money, and whether to repeat.

A node that goes away while a transaction may be on its way tells nothing about it (docs/keeper.md section 2, law 5).
"""

from __future__ import annotations

from keeper.commands.context import Session
from keeper.commands.plan import Call
from keeper.errors import REGISTRY, MilepostError, Moved
from keeper.outbox import Outbox
from keeper.outbox.report import status
from keeper.outbox.states import IN_FLIGHT, TxState

SILENT = ("RPC_UNREACHABLE", "RPC_REFUSED", "RPC_INCONSISTENT")
"""The node said nothing that can be used."""
_UNSEEN = (TxState.SIGNED, TxState.BROADCAST)


def told(session: Session, outbox: Outbox, call: Call, error: MilepostError) -> MilepostError:
    """The outbox's error about one call, in the words of the plan.

    OUTCOME_UNKNOWN when the node went silent while a transaction may be on its way; then, and after an interruption,
    the hint is to repeat the very same command.
    """
    title = error.title.replace(f"`{call.request.action}`", f"`{call.title}`")
    code, cause, moved = error.code, error.cause, error.moved
    if code in SILENT and _in_flight(session, outbox, call):
        code, moved = "OUTCOME_UNKNOWN", Moved.UNKNOWN
        title, cause = f"`{call.title}` was sent, and the node does not tell what came of it", error.cause or title
    elif code == "OUTCOME_UNKNOWN":
        cause = "\n".join([cause, *_silence(session)])
    if moved != Moved.UNKNOWN:
        return MilepostError(code, title, cause=cause, money=error.money, hint=error.hint, moved=moved)
    if call.moves:
        money = "" if error.code in SILENT else error.money
    else:
        moved, money = Moved.NONE, "nothing moved: this call moves no money, whether it lands or not"
    return MilepostError(code, title, cause=cause, money=money, hint=REGISTRY["OUTCOME_UNKNOWN"].fix, moved=moved)


def still_on_its_way(session: Session) -> str:
    """Words about money when the node is silent and a transaction of an earlier run has not been seen in a block."""
    with session.store.read() as conn:
        live = status(conn, session.deployment.chain_id, session.sender)["transactions"]
    unseen = [tx["hash"] for tx in live if tx["state"] in _UNSEEN]
    return f"nothing moved now; of an earlier run {', '.join(unseen)} may still be on its way" if unseen else ""


def _in_flight(session: Session, outbox: Outbox, call: Call) -> bool:
    with session.store.read() as conn:
        return outbox.state(conn, call.request) in IN_FLIGHT


def _silence(session: Session) -> list[str]:
    """A line that says so when the node does not answer at this moment."""
    try:
        session.head()
    except MilepostError as error:
        return [f"the node does not answer now: {error.cause or error.title}"]
    return []
