"""Sign once: no key ever gives two verdicts on one subject (docs/protocol.md section 5, Equivocation).

The verdict is written down under a unique key and committed before anything is signed. After a crash in between, the
restart signs what was written, whatever the evidence says by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeAlias

import structlog
from eth_utils.address import to_checksum_address
from sqlalchemy import Connection, RowMapping, Select, and_, insert, select, update

from keeper.errors import MilepostError
from keeper.protocol.equivocation import SUBJECT_BYTES
from keeper.protocol.types import Address, Bps
from keeper.relay.message import AttestationMessage
from keeper.relay.wire import to_hex
from keeper.store.engine import Store
from keeper.store.schema import signed as table

_UNSIGNED = bytes(64)
Row: TypeAlias = RowMapping | Mapping[str, Any]
_log = structlog.get_logger(__name__)


class Signs(Protocol):
    """The part of a signer that the guard uses."""

    @property
    def address(self) -> Address:
        """Whose signatures these are."""

    def sign_digest(self, digest: bytes) -> bytes:
        """64 bytes r, vs over a digest of 32."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What at most one verdict may be given on (docs/protocol.md section 5)."""

    chain: int
    verifier: Address
    escrow: Address
    agreement: bytes
    quorum: bytes
    milestone: int
    attempt: int
    deliverable24: bytes
    """The first 24 bytes of the submitted deliverable, all that the chain keeps of it; zero without a submission."""

    def __str__(self) -> str:
        return f"milestone {self.milestone} of {to_hex(self.agreement)}, attempt {self.attempt}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A verdict with its signature, and its place among this attester's own."""

    seq: int
    message: AttestationMessage


class Guard:
    """Every signature of one attester goes through here."""

    def __init__(self, store: Store, signer: Signs) -> None:
        self._store = store
        self._signer = signer

    def sign(self, subject: Subject, payout_bps: Bps, evidence: Mapping[str, Any]) -> Signed:
        """The one signature on this subject: made now, or the stored one when the verdict is the same.

        SIGN_ONCE when another verdict was written down before. `evidence` is stored beside it as JSON.
        """
        with self._store.begin() as conn:
            row: Row = self._find(conn, subject) or self._write(conn, subject, payout_bps, evidence)
        if row["payout_bps"] != payout_bps:
            raise MilepostError(
                "SIGN_ONCE",
                f"This key has already judged {subject}",
                cause=f"expected {row['payout_bps']} bps as before, found {payout_bps}",
            )
        return self._complete(row)

    def find(self, conn: Connection, subject: Subject) -> Bps | None:
        """The verdict written down for this subject, signed already or not; None when there is none."""
        row = self._find(conn, subject)
        return None if row is None else int(row["payout_bps"])

    def resume(self) -> list[Signed]:
        """Sign what was written down before a crash and not signed; to be called before anything is judged."""
        query = self._own().where(table.c.signature == "")
        with self._store.read() as conn:
            rows = conn.execute(query).mappings().all()
        return [self._complete(row) for row in rows]

    def adopt(self, message: AttestationMessage) -> None:
        """Write down a signature of this key that a relay showed: the database it was made with is gone.

        ATTESTATION_REFUSED unless this key made it. SIGN_ONCE when it contradicts what is written down here.
        """
        message.check_signature()
        if message.signer != self._signer.address:
            raise MilepostError("ATTESTATION_REFUSED", f"{message.signer} is not this attester")
        with self._store.begin() as conn:
            row = self._find(conn, subject_of(message))
            if row is None:
                values = _columns(message) | {"evidence": {"adopted": "shown by a relay"}}
                conn.execute(insert(table).values(values))
                return
        if row["payout_bps"] != message.payout_bps:
            raise MilepostError(
                "SIGN_ONCE",
                f"This key has given two verdicts on {subject_of(message)}",
                cause=f"expected {row['payout_bps']} bps as written here, a relay shows {message.payout_bps}",
                hint="another process signs with this key: stop one of them",
            )

    def _write(
        self, conn: Connection, subject: Subject, payout_bps: Bps, evidence: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The row that forbids any other verdict, with an empty signature."""
        values = asdict(subject)
        del values["chain"], values["deliverable24"]
        message = AttestationMessage(
            chain_id=subject.chain,
            **values,
            deliverable=subject.deliverable24.ljust(32, b"\0"),
            payout_bps=payout_bps,
            signer=self._signer.address,
            signature=_UNSIGNED,
        )
        row = _columns(message) | {"signature": "", "evidence": dict(evidence)}
        key = conn.execute(insert(table).values(row)).inserted_primary_key
        assert key is not None
        return row | {"seq": key[0]}

    def _complete(self, row: Row) -> Signed:
        """Sign the written row unless it is signed; only ever the digest of exactly what is written."""
        message = message_of(row)
        digest = message.digest()
        if to_hex(digest) != row["digest"]:
            raise MilepostError(
                "DATABASE_FAILED",
                f"The verdict on {subject_of(message)} was changed in the database",
                cause=f"expected digest {to_hex(digest)}, found {row['digest']}",
                hint="restore a backup; nothing is signed before",
            )
        if not row["signature"]:
            message = message.model_copy(update={"signature": self._signer.sign_digest(digest)})
            with self._store.begin() as conn:
                here = and_(table.c.seq == row["seq"], table.c.signature == "")
                conn.execute(update(table).where(here).values(signature=to_hex(message.signature)))
            _log.info("signed", subject=str(subject_of(message)), payout_bps=message.payout_bps, digest=row["digest"])
        return Signed(row["seq"], message)

    def _find(self, conn: Connection, subject: Subject) -> RowMapping | None:
        query = self._own().where(
            table.c.chain == subject.chain,
            table.c.verifier == subject.verifier.lower(),
            table.c.escrow == subject.escrow.lower(),
            table.c.agreement == to_hex(subject.agreement),
            table.c.quorum == to_hex(subject.quorum),
            table.c.milestone == subject.milestone,
            table.c.attempt == subject.attempt,
            table.c.subject == to_hex(subject.deliverable24),
        )
        return conn.execute(query).mappings().one_or_none()

    def _own(self) -> Select[Any]:
        return select(table).where(table.c.member == self._signer.address.lower()).order_by(table.c.seq)


def subject_of(message: AttestationMessage) -> Subject:
    """What a message is a verdict on."""
    return Subject(
        message.chain_id,
        message.verifier,
        message.escrow,
        message.agreement,
        message.quorum,
        message.milestone,
        message.attempt,
        message.deliverable[:SUBJECT_BYTES],
    )


def message_of(row: Row) -> AttestationMessage:
    """The message that a row of the guard stands for; 64 zero bytes while it is not signed."""
    return AttestationMessage(
        chain_id=row["chain"],
        verifier=Address(to_checksum_address(row["verifier"])),
        escrow=Address(to_checksum_address(row["escrow"])),
        agreement=_bytes(row["agreement"]),
        quorum=_bytes(row["quorum"]),
        milestone=row["milestone"],
        attempt=row["attempt"],
        deliverable=_bytes(row["deliverable"]),
        payout_bps=row["payout_bps"],
        signer=Address(to_checksum_address(row["member"])),
        signature=_bytes(row["signature"]) or _UNSIGNED,
    )


def _columns(message: AttestationMessage) -> dict[str, Any]:
    values = message.model_dump(mode="json")
    return {
        "chain": values.pop("chain_id"),
        "member": values.pop("signer"),
        "subject": to_hex(message.deliverable[:SUBJECT_BYTES]),
        "digest": to_hex(message.digest()),
        **values,
    }


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
