"""Take what could not be pushed to you: the credit of one token, or of all (docs/protocol.md section 4)."""

from __future__ import annotations

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from sqlalchemy import func, select

from keeper.chain.abi import contract
from keeper.commands.context import Session, parse_address
from keeper.commands.plan import Call, Plan, Preview
from keeper.commands.request import Request
from keeper.commands.words import money
from keeper.ledger import views
from keeper.outbox.intents import IntentRequest
from keeper.protocol.types import Address
from keeper.store import schema


def plan_withdraw(session: Session, token: str | None, to: Address | None, place: views.Place) -> Plan:
    """One call for each token in which the sender has credit; nothing to do where there is none."""
    receiver = to or session.sender
    tokens = _tokens(session, token)
    credit = {t: session.escrow.credit(t, session.sender) for t in tokens}
    waiting = {t: units for t, units in credit.items() if units}
    calls = tuple(_call(session, t, receiver, units) for t, units in waiting.items())
    amounts = [money(units, session.currency(t)) for t, units in waiting.items()]
    facts = (("you take", ", ".join(amounts) or "nothing"), ("to", receiver), ("sent by", session.sender))
    return Plan(
        command="withdraw",
        run_id=_request(session, token, receiver).run_id,
        sender=session.sender,
        chain_id=session.deployment.chain_id,
        preview=Preview("Withdraw credits", facts),
        question=f"Withdraw {', '.join(amounts)}?",
        calls=calls,
        head_number=place.head.number,
        done="" if calls else "no credit waits for you: payments reached you directly",
    )


def _tokens(session: Session, named: str | None) -> list[Address]:
    known = session.deployment.book().tokens
    if named is not None:
        return [known[named][0] if named in known else parse_address(named, "TOKEN")]
    table = schema.agreement
    with session.store.read() as conn:
        seen = conn.execute(select(table.c.token).distinct()).scalars().all()
    listed = [address for address, _, _ in known.values()]
    return list(dict.fromkeys([*listed, *(Address(to_checksum_address(t)) for t in seen)]))


def _call(session: Session, token: Address, receiver: Address, units: int) -> Call:
    wish = keccak(text=f"{token} {receiver} {units} {_withdrawals(session)}")
    return Call(
        f"withdraw {money(units, session.currency(token))} to {receiver}",
        IntentRequest(
            action="withdraw",
            agreement=bytes(32),
            milestone=0,
            to=session.escrow.address,
            calldata=contract("Escrow").encode("withdraw", token, receiver),
            deliverable=wish,
        ),
        moves=True,
    )


def _withdrawals(session: Session) -> int:
    """How often credits were withdrawn here: the same sum waiting again after that is another wish."""
    table = schema.event
    with session.store.read() as conn:
        return conn.execute(select(func.count()).where(table.c.name == "Withdrawn")).scalar_one()


def _request(session: Session, token: str | None, receiver: Address) -> Request:
    return Request(
        command="withdraw",
        arguments={"token": token, "to": receiver},
        chain_id=session.deployment.chain_id,
        escrow=session.escrow.address,
        caller=session.sender,
        principal=session.sender,
    )
