"""Bring the attesters' verdict to the chain without any keeper (docs/protocol.md section 5)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from keeper.commands.context import Progress, Session
from keeper.commands.explain import shares_sentence
from keeper.commands.facts import quorum_of
from keeper.commands.plan import Call, Plan, Preview
from keeper.commands.publish import RELAY_TIMEOUT_S
from keeper.commands.subject import Subject, act_request, check_turn, request_of
from keeper.commands.words import hex0x, percent, sentence, short
from keeper.errors import MilepostError
from keeper.outbox.batch import MILESTONE_GAS
from keeper.protocol.abi import attestation_to_abi
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import ZERO_ADDRESS, Status
from keeper.relay.client import RelayClient
from keeper.relay.proof import Proof, proof_for
from keeper.relay.pull import pull_once
from keeper.store import schema


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the relays brought."""

    proof: Proof | None
    signers: tuple[str, ...]
    """Members whose verdict on this attempt is held, whatever it says."""
    silent: tuple[str, ...]
    """Relays that did not answer, each with its reason."""


def gather(session: Session, about: Subject, progress: Progress) -> Gathered:
    """Read every relay of the settings into the own database and assemble what is there.

    RELAY_UNREACHABLE when none answers and nothing is complete without them.
    """
    silent: list[str] = []
    for url in session.settings.relays:
        progress(f"reading attestations from {url}")
        try:
            with RelayClient(url, RELAY_TIMEOUT_S) as client:
                pull_once(session.store, client, url)
        except MilepostError as error:
            silent.append(f"{url}: {error.cause or error.title}")
    with session.store.read() as conn:
        proof = proof_for(conn, about.milestone)
        table = schema.attestation
        rows = conn.execute(
            select(table.c.signer).where(
                table.c.agreement == hex0x(about.view.id),
                table.c.milestone == about.milestone.index,
                table.c.attempt == about.milestone.state.attempt,
            )
        ).scalars()
        signers = tuple(dict.fromkeys(rows))
    if proof is None and silent and len(silent) == len(session.settings.relays):
        raise MilepostError("RELAY_UNREACHABLE", "No relay of the settings answered", cause="; ".join(silent))
    return Gathered(proof, signers, tuple(silent))


def plan_attest(session: Session, about: Subject, progress: Progress) -> Plan:
    """The plan that sends the quorum's verdict; QUORUM_INCOMPLETE (exit 8) while too few members signed."""
    terms, state = about.facts.terms, about.facts.state
    done = ""
    if state and state.status in (Status.ATTESTED, Status.DISPUTED):
        done = f"a verdict of {percent(state.standing_bps)} is on chain already"
    else:
        check_turn(session, about, "attest")
    gathered = gather(session, about, progress) if not done else Gathered(None, (), ())
    if not done and gathered.proof is None:
        raise _incomplete(about, quorum_of(session, terms), gathered)
    return Plan(
        command="attest",
        run_id=request_of(session, about, "attest", attempt=about.milestone.state.attempt).run_id,
        sender=session.sender,
        chain_id=session.deployment.chain_id,
        preview=Preview(f"Attest {about.name}", _facts(session, about, gathered.proof)),
        question="Send the verdict?",
        calls=(_call(about, gathered.proof),) if gathered.proof else (),
        head_number=about.head_number,
        agreement=about.view.id,
        index=about.milestone.index,
        done=done,
    )


def _call(about: Subject, proof: Proof) -> Call:
    verdict = attestation_to_abi(proof.attestation)
    request = act_request(about, "attest", about.view.escrow, verdict, proof.proof, gas=MILESTONE_GAS)
    pays = about.facts.terms.challenge_window == 0 and proof.attestation.payout_bps > 0
    return Call(f"attest {about.name}", request, moves=pays)


def _facts(session: Session, about: Subject, proof: Proof | None) -> tuple[tuple[str, str], ...]:
    if proof is None:
        return (("sent by", session.sender),)
    terms, bps = about.facts.terms, proof.attestation.payout_bps
    if bps == 0:
        effect = "rejects the submission: the payee may submit again while its deadline lasts"
    elif terms.challenge_window == 0:
        effect = f"pays at once: {shares_sentence(about.facts, bps, with_tip=True)}"
    else:
        effect = f"awards {percent(bps)}; either party may dispute it in its challenge window, then it can be settled"
    return (("verdict", effect), ("signed by", ", ".join(proof.signers)), ("sent by", session.sender))


def _incomplete(about: Subject, quorum: Quorum | None, gathered: Gathered) -> MilepostError:
    terms = about.facts.terms
    if quorum is None:
        cause = f"the members of quorum {hex0x(terms.quorum)} were never announced on {terms.verifier}"
        hint = "announce them: `milepost fund FILE` does it"
        return MilepostError("QUORUM_INCOMPLETE", f"The quorum of {about.name} is unknown", cause=cause, hint=hint)
    signed = {s.lower() for s in gathered.signers}
    held = [m for m in quorum.members if m.lower() in signed]
    missing = [m for m in quorum.members if m.lower() not in signed and m != ZERO_ADDRESS]
    words = f"{len(held)} of {quorum.m} attestations received"
    if missing:
        words += f" (missing any of {', '.join(short(m) for m in missing)})"
    if len(held) >= quorum.m:
        words = f"{len(held)} members signed, but not {quorum.m} of them the same verdict"
    if gathered.silent:
        words += f"\nnot asked: {'; '.join(gathered.silent)}"
    return MilepostError(
        "QUORUM_INCOMPLETE",
        f"{sentence(about.explained.name)} of {short(hex0x(about.view.id))} has no complete verdict yet",
        cause=words,
        hint=f"`milepost show {hex0x(about.view.id)}` shows the clock; repeating is safe",
    )
