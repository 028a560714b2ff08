"""What a relay answers, as strict models: read by clients that trust no relay (docs/keeper.md section 3, relay)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from keeper.relay.message import AttestationMessage
from keeper.relay.wire import STRICT, Hash32

Seq = Annotated[int, Field(ge=1, lt=2**63)]
"""A place in a relay's list."""


class PushAnswer(BaseModel):
    """The relay has committed it: now, or before."""

    model_config = STRICT

    status: Literal["stored", "known"]
    seq: Seq


class AttestationItem(BaseModel):
    """One line of a relay's list."""

    model_config = STRICT

    seq: Seq
    attestation: AttestationMessage


class AttestationPage(BaseModel):
    """Lines in the order of `seq`; an empty page is the end of the list."""

    model_config = STRICT

    attestations: list[AttestationItem]
    last: Annotated[int, Field(ge=0, lt=2**63)]
    """The highest number in the whole list; 0 while it is empty."""


class DocumentItem(BaseModel):
    """The name of one document and the bytes of its content."""

    model_config = STRICT

    seq: Seq
    hash: Hash32
    size: Annotated[int, Field(ge=0)]


class DocumentPage(BaseModel):
    """Lines in the order of `seq`; an empty page is the end of the list."""

    model_config = STRICT

    documents: list[DocumentItem]
    last: Annotated[int, Field(ge=0, lt=2**63)]
    """The highest number in the whole list; 0 while it is empty."""


class Refusal(BaseModel):
    """Why nothing was done: the registry's code, and words for people."""

    model_config = STRICT

    code: str
    title: str
    detail: str
    retry: str
    moved: str
    fix: str
