"""Two parts of reading a terms file: the documents it names, and the funding rules put in the file's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import yaml

from keeper.errors import MilepostError
from keeper.protocol.documents import JSON_MEDIA_TYPE, Envelope, canonical_json, parse_criteria, parse_json
from keeper.protocol.funding import deadline_faults, structural_faults
from keeper.protocol.refusals import Name
from keeper.protocol.types import ZERO32, Address, Milestone, Terms
from keeper.protocol.units import read_bytes32, read_line
from keeper.protocol.yaml_reader import Reader, join

MakeEnvelope: TypeAlias = Callable[[str, bytes, bytes], Envelope]
"""From a file's name, the salt and the file's bytes."""

_MEDIA_TYPES = {"md": "text/markdown", "txt": "text/plain", "pdf": "application/pdf", "json": JSON_MEDIA_TYPE}
KEYS = {
    "payer": "parties.payer",
    "payee": "parties.payee",
    "arbiter": "parties.arbiter",
    "arbiter_hook": "arbiterHook",
    "review_window": "clocks.reviewWindow",
    "challenge_window": "clocks.challengeWindow",
    "ruling_window": "clocks.rulingWindow",
    "unreviewed_bps": "shares.unreviewed",
    "unruled_bps": "shares.unruled",
    "fee_bps": "fee.share",
    "fee_to": "fee.to",
}
WHAT_TO_DO = {
    Name.SUBMIT_BY_OUT_OF_RANGE: "choose a later deadline, or one less far away",
    Name.ARBITER_NOT_INDEPENDENT: "name an arbiter that gains nothing from a ruling",
    Name.CHALLENGE_WINDOW_MISMATCH: "write 0s without verifier or arbiter, else leave time to object",
    Name.RULING_WINDOW_MISMATCH: "write 0s without an arbiter, else leave time to rule",
    Name.TIP_TOO_LARGE: "lower the tip or merge small milestones",
    Name.VERIFIER_MISMATCH: "name both, or leave both out",
}


def note_faults(
    reader: Reader, terms: Terms, milestones: tuple[Milestone, ...], escrow: Address, now: int | None
) -> None:
    """Note every funding rule that is broken, except about values that could not be read (docs/protocol.md section 3).

    Whether verifier and hook have code only the chain knows; deadlines are checked where `now` is given.
    """
    faults = list(structural_faults(terms, milestones, escrow, contracts=None))
    if now is not None:
        faults += deadline_faults(milestones, (1 << len(milestones)) - 1, now)
    for fault in faults:
        keys = [KEYS.get(name, name.replace("submit_by", "submitBy")) for name in fault.fields]
        if not any(reader.failed(key) for key in keys):
            do = WHAT_TO_DO.get(fault.refusal.name, "change the value")
            reader.fail(reader.line_of(keys[0]), keys[0], fault.expected, fault.found, do)


def read_document(
    reader: Reader, node: yaml.Node, where: str, read_file: Callable[[str], bytes], make: MakeEnvelope
) -> Envelope | None:
    """The document that `file` and `salt` below `node` name, or None with a problem noted."""
    entry = reader.mapping(node, where, "file salt")
    name = reader.scalar(entry, "file", where, read_line, "")
    salt = reader.scalar(entry, "salt", where, read_bytes32, ZERO32)
    if "file" not in entry or not name:
        return None
    try:
        return make(name, salt, read_file(name))
    except (OSError, KeyError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        found = f"{name!r}: {why}"
        reader.fail(entry["file"], join(where, "file"), "a file to read", found, "check the path")
    except MilepostError as error:
        found = f"{name!r}: {error.title}: {error.cause}"
        reader.fail(entry["file"], join(where, "file"), "a valid document", found, "mend that file")
    return None


def any_document(name: str, salt: bytes, content: bytes) -> Envelope:
    """JSON in its canonical form, everything else byte for byte (docs/protocol.md section 3, Documents)."""
    media_type = _MEDIA_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
    if media_type == JSON_MEDIA_TYPE:
        content = canonical_json(parse_json(content))
    return Envelope(salt, media_type, content)


def criteria_document(_name: str, salt: bytes, content: bytes) -> Envelope:
    """Acceptance criteria, which must parse, in their canonical form."""
    canonical = canonical_json(parse_json(content))
    parse_criteria(canonical)
    return Envelope(salt, JSON_MEDIA_TYPE, canonical)
