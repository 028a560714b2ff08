"""Nonce lines: every transaction that was ever signed for one nonce, of which the chain takes one.

A signed transaction may land as long as no final block holds its nonce, whether or not anyone admits to hold it
(docs/keeper.md section 2, law 5). So a nonce has one line, and whatever follows on it is a replacement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count, groupby
from typing import Any

from eth_utils.address import to_checksum_address
from sqlalchemy import Connection, Row, func, insert, select, update

from keeper.outbox.fees import Market, Offer
from keeper.outbox.states import LIVE_TX, TxState, check_tx_move
from keeper.protocol.types import DAY, Address
from keeper.store import schema

_T = schema.transaction


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction does, whatever it offers for gas."""

    to: Address
    data: bytes
    value: int
    """Wei."""
    gas: int
    """Gas limit."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A signed transaction as stored: perhaps broadcast, perhaps not. Hashes are 0x hex."""

    hash: str
    nonce: int
    raw: str
    call: Call
    offer: Offer
    state: TxState
    block_number: int | None
    block_hash: str | None
    intents: frozenset[str]
    """Ids of the intents that it carries; none in a self-send."""

    @property
    def reserved(self) -> int:
        """The most that it can take from the account, wei."""
        return self.call.gas * self.offer.max_fee + self.call.value


@dataclass(frozen=True, slots=True)
class Line:
    """The live transactions of one nonce, oldest first; never empty."""

    nonce: int
    sent: tuple[Sent, ...]

    @property
    def newest(self) -> Sent:
        """The one that offers most."""
        return self.sent[-1]

    @property
    def included(self) -> Sent | None:
        """The one that a block was seen to hold."""
        return next((sent for sent in self.sent if sent.state == TxState.INCLUDED), None)

    @property
    def intents(self) -> frozenset[str]:
        """Every intent that some transaction of the line carries."""
        return frozenset().union(*(sent.intents for sent in self.sent))


def live_lines(conn: Connection, chain: int, signer: Address) -> list[Line]:
    """The lines of this signer that no final block has settled, by nonce."""
    query = (
        select(_T)
        .where(_T.c.state.in_(LIVE_TX), _T.c.chain == chain, _T.c.signer == signer.lower())
        .order_by(_T.c.nonce, _T.c.seq)
    )
    rows = conn.execute(query).all()
    carried = _carried(conn, [row.hash for row in rows])
    sent = [_sent(row, carried.get(row.hash, frozenset())) for row in rows]
    return [Line(nonce, tuple(group)) for nonce, group in groupby(sent, key=lambda s: s.nonce)]


def reread(conn: Connection, line: Line) -> Line:
    """The same transactions as they are now."""
    rows = conn.execute(select(_T).where(_T.c.hash.in_([sent.hash for sent in line.sent])).order_by(_T.c.seq)).all()
    carried = {sent.hash: sent.intents for sent in line.sent}
    return Line(line.nonce, tuple(_sent(row, carried[row.hash]) for row in rows))


def next_nonce(conn: Connection, chain: int, signer: Address, lines: Iterable[Line], latest: int) -> int:
    """The lowest nonce that is free: not used on chain, not used by a live line of ours.

    `latest` is the account's transaction count at the head. A node that lags behind what we know to be final does not
    bring back a nonce.
    """
    query = select(func.max(_T.c.nonce)).where(
        _T.c.chain == chain, _T.c.signer == signer.lower(), _T.c.state.in_((TxState.FINAL, TxState.REPLACED))
    )
    final = conn.execute(query).scalar()
    taken = {line.nonce for line in lines}
    start = latest if final is None else max(latest, final + 1)
    return next(nonce for nonce in count(start) if nonce not in taken)


def gaps(lines: Iterable[Line], latest: int) -> list[int]:
    """Nonces below a live line that nothing of ours holds, lowest first: what is above them cannot land."""
    taken = {line.nonce for line in lines}
    return [nonce for nonce in range(latest, max(taken, default=latest)) if nonce not in taken]


def spendable(market: Market, lines: Iterable[Line], without: Line | None = None) -> Market:
    """`market` with its balance reduced by what the other unmined lines may take."""
    others = [line for line in lines if line.included is None and (without is None or line.nonce != without.nonce)]
    taken = sum(max(sent.reserved for sent in line.sent) for line in others)
    return replace(market, balance=market.balance - taken)


def without_value(market: Market, value: int) -> Market:
    """`market` less the wei that a transaction sends along."""
    return replace(market, balance=market.balance - value)


def spent_since(conn: Connection, chain: int, signer: Address, time: int, without: Line | None = None) -> int:
    """Wei burnt or offered for gas since the day of chain time that holds `time` (unix s) began.

    Mined transactions count what they burnt; of a line that is still open, the dearest counts in full.
    """
    query = select(_T).where(_T.c.chain == chain, _T.c.signer == signer.lower(), _T.c.signed_at >= time - time % DAY)
    burnt, offered = 0, dict[int, int]()
    for row in conn.execute(query):
        if row.gas_used is not None and row.state in (TxState.INCLUDED, TxState.FINAL):
            burnt += row.gas_used * int(row.gas_price)
        elif row.state in LIVE_TX and (without is None or row.nonce != without.nonce):
            offered[row.nonce] = max(offered.get(row.nonce, 0), row.gas * int(row.max_fee))
    return burnt + sum(offered.values())


def record(conn: Connection, chain: int, signer: Address, sent: Sent, signed_at: int) -> None:
    """Write a signed transaction and what it carries. `signed_at` is the head's timestamp."""
    conn.execute(
        insert(_T).values(
            chain=chain,
            signer=signer.lower(),
            nonce=sent.nonce,
            hash=sent.hash,
            raw=sent.raw,
            to=sent.call.to.lower(),
            data="0x" + sent.call.data.hex(),
            value=str(sent.call.value),
            gas=sent.call.gas,
            max_fee=str(sent.offer.max_fee),
            max_priority_fee=str(sent.offer.max_priority_fee),
            state=sent.state,
            signed_at=signed_at,
        )
    )
    for intent in sorted(sent.intents):
        conn.execute(insert(schema.carries).values(transaction=sent.hash, intent=intent))


def move(conn: Connection, sent: Sent, state: TxState, **columns: Any) -> None:
    """Move a transaction along the drawing; `columns` are written with it."""
    if sent.state == state and not columns:
        return
    if sent.state != state:
        check_tx_move(sent.state, state)
    where = (_T.c.hash == sent.hash, _T.c.state == sent.state)
    changed = conn.execute(update(_T).where(*where).values(state=state, **columns))
    if changed.rowcount != 1:
        raise AssertionError(f"transaction {sent.hash} is not {sent.state} any more: two senders on one database")


def _carried(conn: Connection, hashes: list[str]) -> dict[str, frozenset[str]]:
    rows = conn.execute(select(schema.carries).where(schema.carries.c.transaction.in_(hashes))).all()
    carried: dict[str, set[str]] = {}
    for row in rows:
        carried.setdefault(row.transaction, set()).add(row.intent)
    return {tx: frozenset(ids) for tx, ids in carried.items()}


def _sent(row: Row[Any], intents: frozenset[str]) -> Sent:
    return Sent(
        hash=row.hash,
        nonce=row.nonce,
        raw=row.raw,
        call=Call(Address(to_checksum_address(row.to)), bytes.fromhex(row.data[2:]), int(row.value), row.gas),
        offer=Offer(int(row.max_fee), int(row.max_priority_fee)),
        state=TxState(row.state),
        block_number=row.block_number,
        block_hash=row.block_hash,
        intents=intents,
    )
