"""Documents: what criteria, deliverable and legal text hashes stand for (docs/protocol.md section 3, Documents).

A document is believed only if it hashes to what the chain says. Criteria and deliverables are small versioned JSON
documents; later versions may widen the language, this one never changes.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import quote

from eth_utils.crypto import keccak
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from keeper.protocol.canonical import canonical_json, invalid, parse_canonical, parse_json
from keeper.protocol.types import ALL_BPS

__all__ = [
    "Criteria",
    "Deliverable",
    "Envelope",
    "EpcisSource",
    "GithubCheckRuns",
    "Source",
    "canonical_json",
    "document_hash",
    "fill",
    "fill_url",
    "parse_criteria",
    "parse_deliverable",
    "parse_json",
]

JSON_MEDIA_TYPE = "application/json"

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""A name of a source or of a deliverable's field."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,31})\}")


def document_hash(salt: bytes, content: bytes) -> bytes:
    """`keccak256(salt32 || bytes)` (docs/protocol.md section 3, Documents); DOCUMENT_INVALID for a salt not of 32."""
    if len(salt) != 32:
        raise invalid("The salt has the wrong length", f"expected 32 bytes, found {len(salt)}")
    return keccak(salt + content)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A document as it travels: salt, media type, exact bytes (docs/protocol.md section 3, Documents)."""

    salt: bytes
    media_type: str
    content: bytes

    @property
    def hash(self) -> bytes:
        """What the chain says of this document."""
        return document_hash(self.salt, self.content)

    def to_json(self) -> dict[str, str]:
        """`{"salt": "0x..", "mediaType": "...", "bytes": base64}`."""
        return {
            "salt": "0x" + self.salt.hex(),
            "mediaType": self.media_type,
            "bytes": b64encode(self.content).decode("ascii"),
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The inverse of `to_json`; DOCUMENT_INVALID for any other shape."""
        if not isinstance(value, dict) or set(value) != {"salt", "mediaType", "bytes"}:
            raise invalid("The envelope has the wrong shape", "expected exactly salt, mediaType and bytes")
        salt, media_type, content = value["salt"], value["mediaType"], value["bytes"]
        if not isinstance(salt, str) or not re.fullmatch(r"0x[0-9a-f]{64}", salt):
            raise invalid("The envelope's salt is wrong", "expected 0x and 64 lower-case hex digits")
        if not isinstance(media_type, str) or not re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type, re.ASCII):
            raise invalid("The envelope's media type is wrong", "expected type/subtype without parameters")
        try:
            return cls(bytes.fromhex(salt[2:]), media_type, b64decode(content, validate=True))
        except (ValueError, TypeError) as error:
            raise invalid("The envelope's bytes are wrong", "expected base64") from error


class Strict(BaseModel):
    """No unknown keys, no conversions, camelCase in JSON."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class GithubCheckRuns(Strict):
    """A CI source: every named check of a commit must have the conclusion `success`."""

    name: Word
    kind: Literal["github-check-runs"]
    url: Line
    checks: Annotated[list[Line], Field(min_length=1, max_length=32)]

    def needs(self) -> frozenset[str]:
        """The deliverable fields that this source must be given."""
        return _placeholders(self.url) - {self.name}


class EpcisSource(Strict):
    """A GS1 EPCIS 2.0 source: an event for the deliverable's EPC with this business step and disposition."""

    name: Word
    kind: Literal["epcis"]
    url: Line
    epc: Line
    """A template of deliverable fields, such as "{shipment}"."""
    biz_step: Line
    disposition: Line

    def needs(self) -> frozenset[str]:
        """The deliverable fields that this source must be given."""
        return (_placeholders(self.url) | _placeholders(self.epc)) - {self.name}


Source = Annotated[GithubCheckRuns | EpcisSource, Field(discriminator="kind")]


class AgreeRule(Strict):
    """At least `agree` of the sources must show what is expected."""

    agree: Annotated[int, Field(ge=1)]


class Criteria(Strict):
    """Acceptance criteria, version 1: sources, a rule over them, and what a fulfilled rule pays.

    Each source's URL begins with its own name in braces, `{ci}/repos/...`: an attester's settings map that name to a
    base URL, so it is the operator who decides what may be fetched. Other placeholders are deliverable fields.
    """

    version: Literal["milepost/criteria/1"]
    title: Line
    sources: Annotated[list[Source], Field(min_length=1, max_length=16)]
    rule: AgreeRule
    payout_bps: Annotated[int, Field(ge=1, le=ALL_BPS)]
    """The payee's share when the rule is met."""
    final: bool
    """Whether a verdict below 10000 may be given on an unsubmitted milestone (docs/protocol.md section 5)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [s.name for s in self.sources]
        if len(set(names)) != len(names):
            raise ValueError("expected each source name once")
        if self.rule.agree > len(names):
            raise ValueError(f"expected rule.agree of at most {len(names)} sources, found {self.rule.agree}")
        for source in self.sources:
            _check_url(source.name, source.url)
        return self

    def needs(self) -> frozenset[str]:
        """The fields that a deliverable must name for these sources."""
        return frozenset().union(*(s.needs() for s in self.sources))


class Deliverable(Strict):
    """What was delivered, version 1: the fields that the criteria's sources need."""

    version: Literal["milepost/deliverable/1"]
    fields: Annotated[dict[Word, Line], Field(max_length=32)]


_Model = TypeVar("_Model", Criteria, Deliverable)


def parse_criteria(content: bytes) -> Criteria:
    """Criteria from their canonical bytes; DOCUMENT_INVALID names each mistake (docs/protocol.md section 3)."""
    return _parse(Criteria, content)


def parse_deliverable(content: bytes) -> Deliverable:
    """A deliverable from its canonical bytes; DOCUMENT_INVALID names each mistake (docs/protocol.md section 3)."""
    return _parse(Deliverable, content)


def _parse(model: type[_Model], content: bytes) -> _Model:
    try:
        return model.model_validate(parse_canonical(content))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'])) or '$'}: {e['msg']}" for e in error.errors()]
        raise invalid(f"The {model.__name__.lower()} document is wrong", "; ".join(faults)) from error


def fill(template: str, fields: Mapping[str, str]) -> str:
    """The template with its placeholders replaced; DOCUMENT_INVALID names those that no field fills."""
    missing = sorted(_placeholders(template) - set(fields))
    if missing:
        raise invalid("The deliverable lacks a field", f"expected {', '.join(missing)} for {template}")
    return _PLACEHOLDER.sub(lambda match: fields[match[1]], template)


def fill_url(source: GithubCheckRuns | EpcisSource, base: str, fields: Mapping[str, str]) -> str:
    """The URL that a source is fetched from, below the operator's `base`.

    A deliverable is the payee's words, so none of them may leave its place in the template: in the path its values
    are percent-encoded (all but the slash: `owner/repository`) and an empty, `.` or `..` segment is DOCUMENT_INVALID;
    behind the `?` they are encoded whole.
    """
    path, mark, query = source.url.partition("?")
    named = (_placeholders(path) - {source.name}) & set(fields)
    path_fields = {name: _in_path(name, fields[name]) for name in named}
    query_fields = {name: quote(value, safe="") for name, value in fields.items()}
    below = {source.name: base.rstrip("/")}
    return fill(path, path_fields | below) + mark + fill(query, query_fields | below)


def _in_path(name: str, value: str) -> str:
    if any(segment in ("", ".", "..") for segment in value.split("/")):
        raise invalid("The deliverable cannot stand in a URL", f"field {name} is {value!r}")
    return quote(value, safe="/")


def _placeholders(template: str) -> frozenset[str]:
    return frozenset(_PLACEHOLDER.findall(template))


def _check_url(name: str, url: str) -> None:
    rest = url.removeprefix(f"{{{name}}}/")
    if rest == url or f"{{{name}}}" in rest:
        raise ValueError(f"expected the url of {name!r} to begin with {{{name}}}/ and to name it once")
    if set(_PLACEHOLDER.sub("", rest)) & set("{}"):
        raise ValueError(f"expected only placeholders like {{commit}} in the url of {name!r}")
