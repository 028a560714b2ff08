"""Tells supply-chain events as a GS1 EPCIS 2.0 document in JSON-LD.

Run `python -m scripts.evidence.epcis_server FACTS.json --port 0`. FACTS.json lists what happened to which item:

    {"events": [{"eventTime": "2026-01-06T08:30:00.000Z", "bizStep": "accepting", "disposition": "conformant",
                 "epcList": ["urn:epc:id:sscc:0614141.1234567890"]}]}

`GET /events?MATCH_epc=EPC` answers those whose epcList holds it (several are joined by `|`), as an EPCISDocument.
Form of the document: https://ref.gs1.org/standards/epcis/epcis-json-schema.json
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from scripts.evidence.serving import Answer, serve

JSON_LD = "application/ld+json"
CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def route(facts: dict[str, Any], path: str, query: dict[str, list[str]]) -> Answer:
    """`GET /events`, with MATCH_epc and EQ_bizStep."""
    if path != "/events":
        return Answer(404, _problem(404, "epcisException:NoSuchResourceException", path), "application/problem+json")
    wanted = {epc for value in query.get("MATCH_epc", []) for epc in value.split("|")}
    steps = {step for value in query.get("EQ_bizStep", []) for step in value.split("|")}
    told = [
        event
        for event in facts.get("events", [])
        if (not wanted or wanted & set(event["epcList"])) and (not steps or event.get("bizStep") in steps)
    ]
    body = {
        "@context": [CONTEXT],
        "id": "_:events",
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": facts.get("creationDate", "2026-01-05T12:00:00.000Z"),
        "epcisBody": {"eventList": [_event(event) for event in told]},
    }
    return Answer(200, body, JSON_LD)


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """One ObjectEvent; what the facts leave out is filled with what most events say."""
    digest = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
    return {
        "type": "ObjectEvent",
        "eventID": f"ni:///sha-256;{digest}?ver=CBV2.0",
        "action": "OBSERVE",
        "eventTimeZoneOffset": "+00:00",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
        **event,
    }


def _problem(status: int, kind: str, detail: str) -> dict[str, Any]:
    return {"type": kind, "title": "Resource not found", "status": status, "detail": detail}


if __name__ == "__main__":
    serve(__doc__ or "", route)
