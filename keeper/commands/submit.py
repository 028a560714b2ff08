"""The payee hands in its work: a deliverable document, salted, kept, put on the relays, and its hash on chain."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from sqlalchemy import select

from keeper.commands.context import Session
from keeper.commands.plan import Call, Plan, Preview, Publication
from keeper.commands.publish import document, keep
from keeper.commands.subject import Subject, act_request, check_turn, request_of
from keeper.commands.words import hex0x, when
from keeper.errors import MilepostError
from keeper.protocol.documents import (
    JSON_MEDIA_TYPE,
    Envelope,
    canonical_json,
    parse_criteria,
    parse_deliverable,
    parse_json,
)
from keeper.protocol.types import ZERO24, Status
from keeper.store import schema


def read_deliverable(path: Path) -> bytes:
    """The canonical bytes of a deliverable document; DOCUMENT_INVALID names each mistake."""
    try:
        content = canonical_json(parse_json(path.read_bytes()))
    except OSError as error:
        raise MilepostError(
            "DOCUMENT_INVALID", f"{path} cannot be read", cause=str(error.strerror), hint="name an existing file"
        ) from error
    parse_deliverable(content)
    return content


def envelope_path(path: Path) -> Path:
    """Where the envelope (salt and bytes) of a deliverable is kept: beside it."""
    return path.with_name(path.name + ".envelope.json")


def plan_submit(session: Session, about: Subject, path: Path, salt: bytes | None) -> Plan:
    """The plan that submits a deliverable; nothing is left to do when just this document is submitted already."""
    content = read_deliverable(path)
    envelope = _envelope(session, path, content, salt)
    state = about.facts.state
    done = ""
    if state and state.status == Status.SUBMITTED and state.deliverable24 == envelope.hash[:24]:
        done = f"just this document was submitted already, {when(state.since, about.facts.now)}"
    else:
        check_turn(session, about, "submit")
        _check_fields(session, about, content)
    request = act_request(about, "submit", about.view.escrow, envelope.hash)
    publication = Publication(f"the deliverable of {about.explained.name}", envelope)
    return Plan(
        command="submit",
        run_id=request_of(session, about, "submit", deliverable=hex0x(envelope.hash)).run_id,
        sender=session.sender,
        chain_id=session.deployment.chain_id,
        preview=_preview(session, about, path, envelope),
        question="Submit it?",
        calls=() if done else (Call(f"submit {about.name}", request),),
        head_number=about.head_number,
        documents=(publication,),
        agreement=about.view.id,
        index=about.milestone.index,
        done=done,
        facts={"deliverable": hex0x(envelope.hash), "envelope_file": str(envelope_path(path))},
    )


def save_envelope(session: Session, plan: Plan, path: Path) -> None:
    """Keep salt and bytes in the database and beside the file, before anything is sent; DATABASE_FAILED otherwise."""
    keep(session, plan.documents)
    target = envelope_path(path)
    text = json.dumps(plan.documents[0].envelope.to_json(), indent=2) + "\n"
    draft = target.with_name(target.name + ".new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        raise MilepostError(
            "DOCUMENT_INVALID",
            f"The envelope cannot be kept at {target}",
            cause=f"{error.strerror}; without its salt nobody can show what was submitted",
            hint="make the folder writable",
        ) from error


def _envelope(session: Session, path: Path, content: bytes, salt: bytes | None) -> Envelope:
    """With the salt given, else the one of an earlier run, else a fresh one whose hash can be submitted."""
    stored = _stored_salt(session, path, content)
    if stored is not None and salt not in (None, stored):
        raise MilepostError(
            "USAGE",
            f"{path} was prepared before with another salt",
            cause=f"expected {hex0x(stored)}, found {hex0x(salt or b'')}",
            hint=f"leave --salt out, or remove {envelope_path(path)}",
        )
    while True:
        envelope = Envelope(salt or stored or secrets.token_bytes(32), JSON_MEDIA_TYPE, content)
        if envelope.hash[:24] != ZERO24:
            return envelope
        if salt or stored:
            raise MilepostError(
                "DOCUMENT_INVALID", "This salt gives a hash that the escrow refuses", cause="choose another"
            )


def _stored_salt(session: Session, path: Path, content: bytes) -> bytes | None:
    target = envelope_path(path)
    if target.is_file():
        envelope = Envelope.from_json(parse_json(target.read_bytes()))
        return envelope.salt if envelope.content == content else None
    table = schema.document
    with session.store.read() as conn:
        salt = conn.execute(select(table.c.salt).where(table.c.content == content).limit(1)).scalar()
    return None if salt is None else bytes.fromhex(salt[2:])


def _check_fields(session: Session, about: Subject, content: bytes) -> None:
    """Refuse a deliverable that lacks what the criteria's sources need, where the criteria are at hand."""
    criteria = document(session, about.facts.milestone.criteria)
    if criteria is None:
        return
    try:
        needed = parse_criteria(criteria.content).needs()
    except MilepostError:
        return  # criteria of another kind: their attesters know what they need
    missing = sorted(needed - set(parse_deliverable(content).fields))
    if missing:
        raise MilepostError(
            "DOCUMENT_INVALID",
            f"The deliverable of {about.name} lacks what its criteria ask for",
            cause=f"expected the fields {', '.join(sorted(needed))}, missing {', '.join(missing)}",
            hint="add the missing fields: without them no attester can look at the evidence",
        )


def _preview(session: Session, about: Subject, path: Path, envelope: Envelope) -> Preview:
    terms, now = about.facts.terms, about.facts.now
    review = now + terms.review_window
    facts = (
        ("document", f"{path} as {hex0x(envelope.hash)}"),
        ("then", f"attesters and payer have until about {when(review, now)}"),
        ("note", "one submission at a time: another is possible only after a rejection"),
        ("sent by", session.sender),
    )
    return Preview(f"Submit {about.name}", facts)
