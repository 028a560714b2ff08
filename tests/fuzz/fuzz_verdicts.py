"""Verdicts and their proofs as a keeper may bring them: right, nearly right, or signed for something else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from fuzz_cast import BENCHES, BY_HASH, STRANGER
from fuzz_pair import Pair
from fuzz_proofs import CROOKED, crooked, prove

from keeper.protocol.encoding import attestation_digest
from keeper.protocol.types import ZERO32, AgreementId, Attestation, MilestoneState, Part, Status

SHARES = (1, 2, 5_000, 9_999, 10_000)


def verdict_on(rng: Random, state: MilestoneState) -> Attestation:
    """What might be said of a milestone in this state: mostly what the table lets be said."""
    submitted = state.status == Status.SUBMITTED
    work = state.deliverable24 + bytes(8) if submitted else ZERO32
    bps = 0 if submitted and rng.randint(1, 2) == 2 else rng.choice(SHARES)
    attempt = state.attempt
    match rng.randint(0, 29):
        case 29:
            attempt = rng.choice((attempt + 1, max(attempt - 1, 0), 2**16 - 1))
        case 28:
            bps = rng.choice((0, 10_001, 2**16 - 1))
        case 27:
            work = rng.choice((ZERO32, rng.randbytes(32)))
        case 26:
            at = rng.choice((0, 11, 23))
            work = work[:at] + bytes([work[at] ^ 1]) + work[at + 1 :]
        case 24 | 25:
            work = work[:24] + rng.randbytes(8)  # what counts is the first 24 bytes
    return Attestation(attempt, work, bps)


def proof_of(rng: Random, pair: Pair, id_: AgreementId, part: Part, verdict: Attestation) -> tuple[bytes, str]:
    """A proof for the verdict, and what is wrong with it."""
    bench = BY_HASH.get(part.terms.quorum, BENCHES[0])
    subject: list[object] = [pair.stage.escrow, id_, part.terms.quorum, part.index, verdict]
    twist = ""
    match rng.randint(0, 19):
        case 19:
            bench, twist = rng.choice(BENCHES), "another quorum, perhaps"
        case 18:
            subject[0], twist = STRANGER, "signed for another escrow"
        case 17:
            subject[1], twist = rng.choice(pair.ids()), "signed for another agreement, perhaps"
        case 16:
            subject[2], twist = rng.choice(BENCHES).hash, "signed for another quorum, perhaps"
        case 15:
            subject[3], twist = part.index + 1, "signed for another milestone"
        case 14:
            other = replace(verdict, attempt=verdict.attempt ^ 1)
            subject[4], twist = other, "signed for another attempt"
        case 13:
            subject[4], twist = replace(verdict, payout_bps=verdict.payout_bps ^ 1), "signed for another share"
        case 12:
            other_work = verdict.deliverable[:31] + bytes([verdict.deliverable[31] ^ 1])
            subject[4], twist = replace(verdict, deliverable=other_work), "signed for another deliverable"
    digest = attestation_digest(pair.stage.verifier_domain, *subject)  # type: ignore[arg-type]
    if rng.randint(1, 6) == 6:
        how = rng.choice(CROOKED)
        return crooked(bench, digest, how, rng), f"{twist}; {how}"
    return prove(bench, digest, rng), twist
