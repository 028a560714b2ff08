"""A small ledger and the keys of its quorum, for tests of the relay: rows as the ledger writes them, no chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from coincurve import PrivateKey
from eth_abi import encode
from eth_utils import keccak, to_checksum_address
from sqlalchemy import Connection, delete, insert

from keeper.ledger import views
from keeper.ledger.views import MilestoneView
from keeper.protocol.documents import Envelope
from keeper.protocol.encoding import (
    MILESTONE_ABI,
    TERMS_ABI,
    agreement_id,
    escrow_domain,
    milestone_to_abi,
    terms_to_abi,
)
from keeper.protocol.quorum import Quorum, to_compact
from keeper.protocol.types import (
    UNTOUCHED,
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Agreement,
    Milestone,
    MilestoneState,
    Status,
    Terms,
)
from keeper.relay.message import AttestationMessage
from keeper.store import schema
from keeper.store.engine import Store

CHAIN = 31337
START = 1_800_000_000
DAY = 86_400
DELIVERABLE = keccak(b"delivered")
OTHER = keccak(b"something else")


def _address(n: int) -> Address:
    return Address(to_checksum_address(n.to_bytes(20, "big")))


ESCROW, VERIFIER, PAYER, PAYEE, TOKEN, ARBITER = (_address(0xA0 + n) for n in range(6))


@dataclass(frozen=True)
class Member:
    """One attester's key."""

    key: PrivateKey = field(repr=False)

    @property
    def address(self) -> Address:
        return Address(to_checksum_address(keccak(self.key.public_key.format(compressed=False)[1:])[12:]))

    def sign(self, digest: bytes) -> bytes:
        return to_compact(self.key.sign_recoverable(digest, hasher=None))


def _member(n: int) -> Member:
    return Member(PrivateKey(keccak(b"member %d" % n)))


LEGAL_TEXT = Envelope(keccak(b"legal salt"), "text/plain", b"what both sides agreed to")
MEMBERS = tuple(sorted((_member(n) for n in range(3)), key=lambda m: int(m.address, 16)))
STRANGER = _member(99)
QUORUM = Quorum(2, tuple(m.address for m in MEMBERS))


def agreement(salt: bytes = ZERO32) -> Agreement:
    terms = Terms(
        payer=PAYER,
        payee=PAYEE,
        token=TOKEN,
        verifier=VERIFIER,
        quorum=QUORUM.hash,
        arbiter=ARBITER,
        arbiter_hook=False,
        review_window=7 * DAY,
        challenge_window=3 * DAY,
        ruling_window=14 * DAY,
        unreviewed_bps=0,
        unruled_bps=0,
        fee_bps=0,
        fee_to=ZERO_ADDRESS,
        tip=10,
        document=LEGAL_TEXT.hash,
        salt=salt,
    )
    milestones = tuple(Milestone(1000 * (i + 1), START + 30 * DAY, keccak(b"criteria %d" % i)) for i in range(2))
    return Agreement(terms, milestones)


AGREEMENT = agreement()
ID = agreement_id(escrow_domain(CHAIN, ESCROW), AGREEMENT.terms, AGREEMENT.milestones)


def follow(conn: Connection, number: int = 10) -> None:
    """The ledger stands at block `number`, 12 seconds a block."""
    row = {"number": number, "hash": _hash(number), "time": START + 12 * number}
    conn.execute(delete(schema.block))
    conn.execute(insert(schema.block).values(chain=CHAIN, parent=_hash(number - 1), **row))
    conn.execute(delete(schema.cursor))
    final = {"safe_number": number, "finalized_number": number, "finalized_hash": _hash(number)}
    conn.execute(insert(schema.cursor).values(chain=CHAIN, escrow=ESCROW.lower(), **row, **final))


def announce(conn: Connection) -> None:
    """The quorum's members are known."""
    members = [m.lower() for m in QUORUM.members]
    row = {"hash": "0x" + QUORUM.hash.hex(), "verifier": VERIFIER.lower(), "threshold": QUORUM.m, "members": members}
    conn.execute(insert(schema.quorum).values(chain=CHAIN, **row))


def fund(conn: Connection, what: Agreement = AGREEMENT) -> bytes:
    """Both milestones of an agreement are funded; returns its id."""
    name = agreement_id(escrow_domain(CHAIN, ESCROW), what.terms, what.milestones)
    kinds = ["address", "uint64", TERMS_ABI, f"{MILESTONE_ABI}[]"]
    data = encode(kinds, [PAYER, 3, terms_to_abi(what.terms), [milestone_to_abi(m) for m in what.milestones]])
    terms = {n: getattr(what.terms, n).lower() for n in ("payer", "payee", "token", "verifier", "arbiter")}
    conn.execute(
        insert(schema.agreement).values(
            id="0x" + name.hex(),
            chain=CHAIN,
            escrow=ESCROW.lower(),
            quorum="0x" + what.terms.quorum.hex(),
            terms="0x" + data.hex(),
            funded="0x3",
            closed="0x0",
            block_number=1,
            **terms,
        )
    )
    for index in range(len(what.milestones)):
        stand(conn, UNTOUCHED, index=index, agreement=name)
    return name


def stand(
    conn: Connection, state: MilestoneState, *, index: int = 0, agreement: bytes = ID, is_open: bool = True
) -> None:
    """A milestone stands there now, whatever it did before."""
    m = schema.milestone
    name = "0x" + agreement.hex()
    conn.execute(delete(m).where(m.c.agreement == name, m.c.index == index))
    row: dict[str, Any] = {
        "agreement": name,
        "index": index,
        "chain": CHAIN,
        "open": is_open,
        "status": int(state.status),
        "attempt": state.attempt,
        "since": state.since,
        "deliverable": "0x" + state.deliverable24.hex(),
        "standing_bps": state.standing_bps,
        "due_at": START + 60 * DAY,
        "changed_number": 5,
        "changed_hash": _hash(5),
    }
    conn.execute(insert(m).values(row))


def submit(conn: Connection, deliverable: bytes = DELIVERABLE, *, attempt: int = 0, index: int = 0) -> None:
    """A submission happened: its event, and the state it leads to."""
    words = [index, attempt, deliverable[:24] + bytes(8)]
    name = "0x" + ID.hex()
    conn.execute(
        insert(schema.event).values(
            chain=CHAIN,
            block_hash=_hash(5),
            log_index=10 * attempt + index,
            number=5,
            time=START + 60,
            tx_hash=_hash(1000),
            address=ESCROW.lower(),
            name="Submitted",
            subject=name,
            topics=["0x" + keccak(text="Submitted(bytes32,uint8,uint16,bytes32)").hex(), name],
            data="0x" + encode(["uint8", "uint16", "bytes32"], words).hex(),
        )
    )
    stand(conn, MilestoneState(Status.SUBMITTED, attempt, START + 60, deliverable[:24]), index=index)


def fill(store: Store, *, submitted: bool = True) -> None:
    """A followed chain, the quorum, the agreement and, if wanted, a submission for its first milestone."""
    with store.begin() as conn:
        follow(conn)
        announce(conn)
        fund(conn)
        if submitted:
            submit(conn)


def view(conn: Connection, index: int = 0) -> MilestoneView:
    found = views.agreement_view(conn, ID)
    assert found is not None
    return found.milestones[index]


def message(
    member: Member = MEMBERS[0],
    *,
    deliverable: bytes = DELIVERABLE,
    payout_bps: int = 10_000,
    attempt: int = 0,
    **other: Any,
) -> AttestationMessage:
    """A verdict as its attester signs it; `other` fields are signed too."""
    unsigned = AttestationMessage(
        chain_id=other.get("chain_id", CHAIN),
        verifier=other.get("verifier", VERIFIER),
        escrow=other.get("escrow", ESCROW),
        agreement=other.get("agreement", ID),
        quorum=other.get("quorum", QUORUM.hash),
        milestone=other.get("milestone", 0),
        attempt=attempt,
        deliverable=deliverable,
        payout_bps=payout_bps,
        signer=member.address,
        signature=bytes(64),
    )
    return unsigned.model_copy(update={"signature": member.sign(unsigned.digest())})


def lie_about(conn: Connection, name: bytes) -> None:
    """A document under a name that it does not hash to, written past the checks by the relay's own operator."""
    row = {"hash": "0x" + name.hex(), "salt": "0x" + bytes(32).hex(), "media_type": "text/plain", "content": b"a lie"}
    conn.execute(insert(schema.document).values(row))


def envelope(content: bytes = b'{"delivered":"yes"}', salt: bytes = keccak(b"salt")) -> Envelope:
    return Envelope(salt, "application/json", content)


def _hash(n: int) -> str:
    return "0x" + n.to_bytes(32, "big").hex()
