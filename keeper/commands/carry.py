"""Carry a plan out: rehearse it, print it for another signer, or send it exactly once through the outbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keeper.chain.contract_call import ContractRefused
from keeper.commands.context import Progress, Session
from keeper.commands.plan import Call, Plan
from keeper.commands.publish import Published, publish
from keeper.commands.refusals import refused
from keeper.commands.uncertain import told
from keeper.commands.words import hex0x
from keeper.errors import MONEY, MilepostError, Moved
from keeper.outbox import FeeLimits, Outbox, Receipt
from keeper.outbox.states import IN_FLIGHT

Know = Callable[[Moved, str], None]
"""Told what is known about money after each step, for the words after an interruption."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One call as the node answers it now."""

    title: str
    note: str
    """`works`, or why it can only be told once an earlier call is on chain."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One call that is on chain."""

    title: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a plan."""

    published: tuple[Published, ...]
    sent: tuple[Sent, ...]


def rehearse(session: Session, plan: Plan) -> tuple[Rehearsed, ...]:
    """Run each call on the node without sending it; the contract's refusal as its error, nothing moved."""
    return tuple(_rehearse(session, plan, call) for call in plan.calls)


def unsigned(plan: Plan) -> list[dict[str, str]]:
    """The transactions in order, for another signer: integers as 0x hex, as wallets take them."""
    return [
        {
            "title": call.title,
            "from": plan.sender,
            "to": call.request.to,
            "value": hex(call.request.value),
            "data": hex0x(call.request.calldata),
            "chainId": hex(plan.chain_id),
        }
        for call in plan.calls
    ]


def carry_out(
    session: Session, plan: Plan, *, publishes: bool, wait_s: float, progress: Progress, know: Know
) -> Carried:
    """Documents first, then each call, each exactly once: a repeat finds what an earlier run has sent.

    The caller holds the database and has rehearsed the plan. OUTCOME_UNKNOWN when a call is not on chain after
    `wait_s` seconds; the contract's refusal when one reverted.
    """
    published = publish(session, plan.documents, progress) if publishes else ()
    if not plan.calls:
        return Carried(published, ())
    outbox = _outbox(session)
    sent: list[Sent] = []
    known = (Moved.NONE, MONEY[Moved.NONE])
    for call in plan.calls:
        progress(f"{call.title}: waiting for its block")
        know(Moved.UNKNOWN, f"`{call.title}` may be on its way: repeat the very same command to look")
        try:
            receipt = _once(session, outbox, plan, call, wait_s)
        except MilepostError as error:
            know(*known)
            raise told(session, outbox, call, error) from error
        sent.append(Sent(call.title, receipt))
        words = f"`{call.title}` is on chain, transaction {hex0x(receipt.tx_hash)}"
        if call.moves:
            known = (Moved.YES, words)
        elif known[0] == Moved.NONE:
            known = (Moved.NONE, f"nothing moved; {words}")
        know(*known)
    return Carried(published, tuple(sent))


def _once(session: Session, outbox: Outbox, plan: Plan, call: Call, wait_s: float) -> Receipt:
    with session.store.read() as conn:
        before = outbox.state(conn, call.request)
    if call.ready and before not in IN_FLIGHT:
        call.ready()
    # The plan was made because the chain at its head shows this undone: an older success is then no answer.
    with session.store.begin() as conn:
        outbox.enqueue(conn, call.request, head_number=plan.head_number)
    return outbox.run_one(call.request, wait_s)


def _outbox(session: Session) -> Outbox:
    return Outbox(
        session.store,
        session.rpc,
        session.signer,
        FeeLimits.of(session.settings.fees),
        chain_id=session.deployment.chain_id,
        escrow=session.escrow.address,
        finality=session.settings.chain.finality,
    )


def _rehearse(session: Session, plan: Plan, call: Call) -> Rehearsed:
    request = call.request
    try:
        session.escrow.simulate(session.sender, request.to, request.calldata, request.value)
    except ContractRefused as error:
        if error.name in call.may_refuse:
            return Rehearsed(call.title, call.comes_after)
        raise refused(error, f"The contract refuses to {call.title}") from error
    return Rehearsed(call.title, "works")


def check_balance(session: Session, needed: int, held: int, what: Callable[[int], str]) -> None:
    """INSUFFICIENT_FUNDS with expected and found when `held` is less than `needed`."""
    if held < needed:
        raise MilepostError(
            "INSUFFICIENT_FUNDS",
            f"{session.sender} holds too little for this",
            cause=f"expected {what(needed)}, found {what(held)}",
        )
