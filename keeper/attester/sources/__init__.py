"""Evidence from independent sources: one module per published format, one way to fetch, one kind of answer."""

from __future__ import annotations

from collections.abc import Mapping

from keeper.attester.evidence import Evidence, Says
from keeper.attester.sources import epcis, github
from keeper.attester.sources.http import Fetcher
from keeper.attester.sources.reading import Reading
from keeper.errors import MilepostError
from keeper.protocol.documents import Criteria, EpcisSource, GithubCheckRuns, fill, fill_url

_ANY_BASE = "https://source.invalid"


def criteria_fault(criteria: Criteria) -> str | None:
    """Why these criteria can be judged by nobody, or None. Both parties agreed to them: no verdict follows."""
    for source in criteria.sources:
        if isinstance(source, GithubCheckRuns) and github.commit_template(source) is None:
            return f"{source.name}: expected .../commits/{{field}}/check-runs, found {source.url}"
    return None


def deliverable_fault(criteria: Criteria, fields: Mapping[str, str]) -> str | None:
    """Why this deliverable cannot be looked up by these criteria, or None; the same for every attester."""
    for source in criteria.sources:
        try:
            fill_url(source, _ANY_BASE, fields)
            if isinstance(source, EpcisSource):
                fill(source.epc, fields)
            else:
                github.commit_of(source, fields)
        except MilepostError as error:
            return f"{source.name}: {error.title} ({error.cause})"
        except ValueError as error:
            return f"{source.name}: {error}"
    return None


def ask(fetcher: Fetcher, source: GithubCheckRuns | EpcisSource, fields: Mapping[str, str]) -> Evidence:
    """What one source says about a deliverable without fault; no answer and no sense are answers too, named as such."""
    url, body = "", b""
    try:
        url = fill_url(source, fetcher.base_url(source.name), fields)
        body = fetcher.get(source.name, url, _media_types(source))
        reading = _read(source, fields, body)
    except MilepostError as error:
        return Evidence(source.name, source.kind, Says.SILENT, error.cause or error.title, url)
    except ValueError as error:
        return Evidence(source.name, source.kind, Says.UNCLEAR, f"malformed: {error}", url, body)
    return Evidence(source.name, source.kind, reading.says, reading.reason, url, body, reading.facts)


def _media_types(source: GithubCheckRuns | EpcisSource) -> tuple[str, ...]:
    return github.MEDIA_TYPES if isinstance(source, GithubCheckRuns) else epcis.MEDIA_TYPES


def _read(source: GithubCheckRuns | EpcisSource, fields: Mapping[str, str], body: bytes) -> Reading:
    if isinstance(source, EpcisSource):
        return epcis.read(source, fill(source.epc, fields), body)
    return github.read(source, github.commit_of(source, fields), body)
