"""Every table, in two families.

*Cache* tables are folded from the chain and may be dropped and refolded at any time. *Record* tables hold what no chain
can give back (attestations, documents, transactions sent, the sign-once guard): append-only, never touched by rebuild.

Hashes and addresses are lower-case 0x hex text as JSON-RPC delivers them; token amounts are decimal text, because they
reach 2**128 and money never touches a float; times are unix seconds of block timestamps.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

Sequence = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for INTEGER primary keys."""

# --- cache: what the chain says ---

block = Table(
    "block",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("chain", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("parent", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Index("block_by_number", "chain", "number"),
)

event = Table(
    "event",
    metadata,
    Column("chain", BigInteger, nullable=False),
    Column("block_hash", Text, nullable=False),
    Column("log_index", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("tx_hash", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=False),  # agreement id, or the first topic of what is no agreement's
    Column("topics", JSON, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("chain", "block_hash", "log_index"),
    Index("event_by_subject", "chain", "subject", "number", "log_index"),
)

agreement = Table(
    "agreement",
    metadata,
    Column("id", Text, primary_key=True),
    Column("chain", BigInteger, nullable=False),
    Column("escrow", Text, nullable=False),
    Column("payer", Text, nullable=False),
    Column("payee", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("quorum", Text, nullable=False),
    Column("arbiter", Text, nullable=False),
    Column("terms", Text, nullable=False),  # raw data of the first Funded event: terms and milestones
    Column("funded", Text, nullable=False),  # bitmap as 0x hex: bit i = milestone i
    Column("closed", Text, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Index("agreement_by_quorum", "quorum"),
)

milestone = Table(
    "milestone",
    metadata,
    Column("agreement", Text, nullable=False),
    Column("index", Integer, nullable=False),
    Column("chain", BigInteger, nullable=False),
    Column("open", Boolean, nullable=False),  # funded and not closed
    Column("status", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("deliverable", Text, nullable=False),  # 24 bytes
    Column("standing_bps", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),  # first second at which settle succeeds; meaningful while open
    Column("changed_number", BigInteger, nullable=False),
    Column("changed_hash", Text, nullable=False),  # block of the event that last moved it
    PrimaryKeyConstraint("agreement", "index"),
    Index("milestone_due", "chain", "due_at", sqlite_where=Column("open"), postgresql_where=Column("open")),
)

settlement = Table(
    "settlement",
    metadata,
    Column("agreement", Text, nullable=False),
    Column("index", Integer, nullable=False),
    Column("chain", BigInteger, nullable=False),
    Column("cause", Integer, nullable=False),
    Column("payee_bps", Integer, nullable=False),
    Column("to_payee", Text, nullable=False),
    Column("to_payer", Text, nullable=False),
    Column("fee", Text, nullable=False),
    Column("tip", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("tx_hash", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("block_hash", Text, nullable=False),
    PrimaryKeyConstraint("agreement", "index"),
)

amendment = Table(  # milestones that went from one agreement to another; no settlement paid them out
    "amendment",
    metadata,
    Column("target", Text, nullable=False),  # an agreement is opened by one amendment, once
    Column("source", Text, nullable=False),
    Column("chain", BigInteger, nullable=False),
    Column("closes", Text, nullable=False),  # bitmap as 0x hex: bit i = milestone i of source
    Column("opens", Text, nullable=False),  # of target
    Column("moved", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("tx_hash", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("block_hash", Text, nullable=False),
    PrimaryKeyConstraint("target"),
    Index("amendment_by_source", "source"),
)

acceptance = Table(  # the first of each agreement; it may be there before anything is funded
    "acceptance",
    metadata,
    Column("agreement", Text, nullable=False),
    Column("chain", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("tx_hash", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("block_hash", Text, nullable=False),
    PrimaryKeyConstraint("agreement"),
)

quorum = Table(
    "quorum",
    metadata,
    Column("hash", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("chain", BigInteger, nullable=False),
    Column("threshold", Integer, nullable=False),
    Column("members", JSON, nullable=False),
    PrimaryKeyConstraint("chain", "verifier", "hash"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("chain", BigInteger, nullable=False),
    Column("escrow", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("safe_number", BigInteger, nullable=False),
    Column("finalized_number", BigInteger, nullable=False),
    Column("finalized_hash", Text, nullable=False),
    PrimaryKeyConstraint("chain", "escrow"),
)

# --- record: what no chain can give back ---

attestation = Table(
    "attestation",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("chain", BigInteger, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("escrow", Text, nullable=False),
    Column("agreement", Text, nullable=False),
    Column("quorum", Text, nullable=False),
    Column("milestone", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("deliverable", Text, nullable=False),  # 32 bytes, as signed
    Column("payout_bps", Integer, nullable=False),
    Column("signer", Text, nullable=False),
    Column("signature", Text, nullable=False),  # 64 bytes, EIP-2098
    Column("head_time", BigInteger, nullable=False),  # head's timestamp when it was received
    Column("digest", Text, nullable=False),  # the EIP-712 digest that was signed
    UniqueConstraint("digest", "signer", name="attestation_once"),
    Index("attestation_by_milestone", "agreement", "milestone", "attempt"),
)

document = Table(
    "document",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("salt", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

pulled = Table(  # how far each other relay has been read
    "pulled",
    metadata,
    Column("relay", Text, primary_key=True),
    Column("attestations", BigInteger, nullable=False),
    Column("documents", BigInteger, nullable=False),
    Column("waiting_seq", BigInteger),  # highest seq read when the reading began to hang on one that is early
    Column("waiting_since", BigInteger),  # wall clock then: only bounds the waiting
)

decision = Table(
    "decision",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("intent", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # allow | hold | deny
    Column("policy", Text, nullable=False),  # hash of the rule list
    Column("inputs", JSON, nullable=False),
    Column("trace", JSON, nullable=False),
    Column("head_number", BigInteger, nullable=False),
    Column("head_hash", Text, nullable=False),
    Column("head_time", BigInteger, nullable=False),
    Index("decision_by_intent", "intent"),
)

intent = Table(
    "intent",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("chain", BigInteger, nullable=False),
    Column("escrow", Text, nullable=False),
    Column("agreement", Text, nullable=False),
    Column("milestone", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("deliverable", Text, nullable=False),
    Column("signer", Text, nullable=False),  # whose key may send it
    Column("to", Text, nullable=False),
    Column("calldata", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("gas", BigInteger, nullable=False),  # added to the estimate
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),  # why it is in this state, for people
    Index("intent_live", "state"),
)

transaction = Table(
    "transaction",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("chain", BigInteger, nullable=False),
    Column("signer", Text, nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("raw", Text, nullable=False),
    Column("to", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("max_fee", Text, nullable=False),  # wei per gas
    Column("max_priority_fee", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("block_number", BigInteger),
    Column("block_hash", Text),
    Column("succeeded", Boolean),  # the receipt's status, while included
    Column("gas_used", BigInteger),
    Column("gas_price", Text),  # effective, wei per gas
    Column("signed_at", BigInteger, nullable=False),  # head's timestamp
    Index("transaction_line", "chain", "signer", "nonce"),
    Index("transaction_live", "state"),
)

carries = Table(
    "carries",
    metadata,
    Column("transaction", Text, nullable=False),  # hash
    Column("intent", Text, nullable=False),  # id
    PrimaryKeyConstraint("transaction", "intent"),
)

signed = Table(  # the attester's sign-once guard
    "signed",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("chain", BigInteger, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("escrow", Text, nullable=False),
    Column("agreement", Text, nullable=False),
    Column("quorum", Text, nullable=False),
    Column("milestone", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("subject", Text, nullable=False),  # first 24 bytes of the deliverable
    Column("deliverable", Text, nullable=False),
    Column("payout_bps", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("signature", Text, nullable=False),  # empty until signed: the row is written first
    Column("evidence", JSON, nullable=False),  # what was fetched, its hashes and the rule's trace
    Column("member", Text, nullable=False),
    UniqueConstraint(
        "member",
        "chain",
        "verifier",
        "escrow",
        "agreement",
        "quorum",
        "milestone",
        "attempt",
        "subject",
        name="sign_once",
    ),
)

pushed = Table(  # which relay has acknowledged which attestation
    "pushed",
    metadata,
    Column("signed", BigInteger, nullable=False),
    Column("relay", Text, nullable=False),
    Column("answer", Text, nullable=False),  # stored, or refused with its reason
    PrimaryKeyConstraint("signed", "relay"),
)

CACHE = (block, event, agreement, milestone, settlement, amendment, acceptance, quorum, cursor)
RECORD = (attestation, document, pulled, decision, intent, transaction, carries, signed, pushed)
