"""Supply-chain events as GS1 EPCIS 2.0 tells them in JSON-LD: an EPCISDocument, or the answer to an event query.

https://ref.gs1.org/standards/epcis/ ; the words for business steps and dispositions are those of the Core Business
Vocabulary, https://ref.gs1.org/cbv/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keeper.attester.evidence import Says
from keeper.attester.sources.exact import parse
from keeper.attester.sources.reading import Reading, member, text
from keeper.protocol.documents import EpcisSource

MEDIA_TYPES = ("application/ld+json", "application/json")
_PREFIXES = (
    "https://ref.gs1.org/cbv/BizStep-",
    "https://ref.gs1.org/cbv/Disp-",
    "urn:epcglobal:cbv:bizstep:",
    "urn:epcglobal:cbv:disp:",
    "cbv:BizStep-",
    "cbv:Disp-",
)
NOT_DELIVERED = frozenset(
    {
        "damaged",
        "destroyed",
        "disposed",
        "expired",
        "mismatch_class",
        "mismatch_instance",
        "mismatch_quantity",
        "needs_replacement",
        "no_pedigree_match",
        "non_conformant",
        "recalled",
        "returned",
        "stolen",
    }
)
"""Dispositions that say that something is known to be wrong; any other than the expected one says nothing yet."""


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One ObjectEvent about the item; steps and dispositions as bare words."""

    time: datetime
    action: str
    biz_step: str
    disposition: str
    event_id: str


def read(source: EpcisSource, epc: str, body: bytes) -> Reading:
    """What the answer says about `epc`; ValueError when it is malformed.

    SATISFIED: an event with the expected step and disposition, and nothing wrong known since. FAILED: the last event
    that decides anything says that something is wrong. Something wrong at or after a fulfilment is UNCLEAR.
    """
    answer = parse(body)
    if not text(answer, "schemaVersion").startswith("2."):
        raise ValueError(f"expected schemaVersion 2.x, found {answer['schemaVersion']}")
    if "@context" not in answer:
        raise ValueError("expected an @context, found none")
    events = sorted(_about(epc, _event_list(answer)))
    good = [event for event in events if _fulfils(source, event)]
    bad = [event for event in events if event.disposition in NOT_DELIVERED - {bare(source.disposition)}]
    return _judge(epc, source, events, good, bad)


def bare(word: str) -> str:
    """A vocabulary word without the URI or URN that it may be written with."""
    for prefix in _PREFIXES:
        if word.startswith(prefix):
            return word.removeprefix(prefix)
    return word


def _judge(epc: str, source: EpcisSource, events: list[Event], good: list[Event], bad: list[Event]) -> Reading:
    facts = {"epc": epc, "events": str(len(events))}
    if events:
        last = (bad or good or events)[-1]
        facts |= {"eventTime": last.time.isoformat(), "bizStep": last.biz_step, "disposition": last.disposition}
    if good and bad and bad[-1].time >= good[-1].time:
        return Reading(Says.UNCLEAR, f"fulfilled, and {bad[-1].disposition} at or after that", facts)
    if good:
        return Reading(Says.SATISFIED, f"{bare(source.biz_step)}, {bare(source.disposition)}", facts)
    if bad:
        return Reading(Says.FAILED, f"{bad[-1].biz_step or 'last event'}, {bad[-1].disposition}", facts)
    return Reading(Says.PENDING, f"no event with {source.biz_step} and {source.disposition} yet", facts)


def _fulfils(source: EpcisSource, event: Event) -> bool:
    expected = (bare(source.biz_step), bare(source.disposition))
    return event.action != "DELETE" and (event.biz_step, event.disposition) == expected


def _event_list(answer: dict[str, Any]) -> list[Any]:
    body = member(answer, "epcisBody", dict)
    kind = text(answer, "type")
    if kind == "EPCISQueryDocument":
        body = member(member(body, "queryResults", dict), "resultsBody", dict)
    elif kind != "EPCISDocument":
        raise ValueError(f"expected an EPCISDocument, found {kind}")
    return member(body, "eventList", list)


def _about(epc: str, events: list[Any]) -> Iterator[Event]:
    """The events that name `epc`, without those that a later error declaration withdrew."""
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("expected events to be objects")
    withdrawn = {event.get("eventID") for event in events if "errorDeclaration" in event}
    for event in events:
        if text(event, "type") != "ObjectEvent" or epc not in event.get("epcList", ()):
            continue
        if "errorDeclaration" in event or (event.get("eventID") and event["eventID"] in withdrawn):
            continue
        yield _event(event)


def _event(event: dict[str, Any]) -> Event:
    if text(event, "action") not in ("ADD", "OBSERVE", "DELETE"):
        raise ValueError(f"expected action ADD, OBSERVE or DELETE, found {event['action']}")
    text(event, "eventTimeZoneOffset")
    return Event(
        time=_time(text(event, "eventTime")),
        action=event["action"],
        biz_step=bare(text(event, "bizStep")) if "bizStep" in event else "",
        disposition=bare(text(event, "disposition")) if "disposition" in event else "",
        event_id=text(event, "eventID") if "eventID" in event else "",
    )


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"expected eventTime with a time zone, found {value}")
    return time
