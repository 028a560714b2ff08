"""The one way in which an attester fetches anything: below the operator's own base URLs, under limits.

Criteria and deliverables are other people's words, and who wrote them may gain from choosing what an attester reads.
So scheme, host, port and path prefix are always the operator's; the whole URL is checked once more before it is used.
Redirects are not followed, nothing is decompressed, and an answer is read only up to a limit of bytes and time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from keeper.errors import MilepostError

MAX_URL = 4096
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%|]+")
"""What a URL is made of (RFC 3986) without the `#` that would hide the rest, and with the `|` that EPCIS lists use."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost: seconds until the last byte (a stalled read may double it), and bytes of the answer."""

    timeout_s: float = 4.0
    max_bytes: int = 1 << 20


class Fetcher:
    """Fetches from named sources; one per attester process, safe to use from several threads."""

    def __init__(
        self,
        sources: Mapping[str, str],
        limits: Limits = Limits(),
        *,
        user_agent: str = "milepost-attester",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`sources` maps the names that criteria use to base URLs.

        SETTINGS_INVALID names every URL that cannot be one.
        """
        faults = [
            f"attester.sources.{name}: {fault}" for name, url in sources.items() if (fault := base_url_fault(url))
        ]
        if faults:
            raise MilepostError("SETTINGS_INVALID", "An evidence source cannot be used", cause="; ".join(faults))
        self._limits = limits
        self._sources = dict(sources)
        self._client = httpx.Client(
            follow_redirects=False,
            trust_env=False,  # no proxy and no stored password that the settings do not show
            timeout=limits.timeout_s,
            transport=transport,
            headers={"User-Agent": user_agent, "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Close idle connections; a fetch under way ends by its own limit."""
        self._client.close()

    def base_url(self, source: str) -> str:
        """The operator's base URL for this source; SOURCE_UNREACHABLE when the settings name none."""
        if source not in self._sources:
            raise _fault(source, f"expected a base URL as `attester.sources.{source}`, found none")
        return self._sources[source]

    def get(self, source: str, url: str, media_types: Sequence[str]) -> bytes:
        """The bytes at `url`, which must lie below the source's base URL.

        SOURCE_UNREACHABLE, naming source and cause: a URL that leaves its base, no connection, too slow, too large,
        a status other than 200, another media type, or a compressed body.
        """
        try:
            _check_below(self.base_url(source), url)
            return self._read(url, media_types)
        except ValueError as error:
            raise _fault(source, str(error)) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _fault(source, f"{type(error).__name__} {error}".strip()) from error

    def _read(self, url: str, media_types: Sequence[str]) -> bytes:
        deadline = time.monotonic() + self._limits.timeout_s
        with self._client.stream("GET", url, headers={"Accept": ", ".join(media_types)}) as response:
            _check_head(response, media_types)
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > self._limits.max_bytes:
                    raise ValueError(f"expected at most {self._limits.max_bytes} bytes, found more")
                if time.monotonic() > deadline:
                    raise ValueError(f"expected the whole answer within {self._limits.timeout_s} s")
            return bytes(body)


def base_url_fault(url: str) -> str | None:
    """Why `url` cannot be a source's base URL, or None when it can. The value is not repeated: URLs carry keys."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "expected http(s)://host"
    if "@" in parts.netloc:
        return "expected no user name or password in the URL"
    if parts.query or parts.fragment:
        return "expected no query and no fragment in the URL"
    return None


def _check_below(base: str, url: str) -> None:
    if len(url) > MAX_URL or not _URL_CHARACTERS.fullmatch(url):
        raise ValueError(f"expected a URL of at most {MAX_URL} plain characters, found {url[:120]!r}")
    if not url.startswith(base.rstrip("/") + "/"):
        raise ValueError(f"expected a URL below {base}, found {url[:120]!r}")
    if {".", ".."} & set(unquote(urlsplit(url).path).split("/")):
        raise ValueError(f"expected no '.' or '..' in the path, found {url[:120]!r}")


def _check_head(response: httpx.Response, media_types: Sequence[str]) -> None:
    if response.status_code != 200:
        raise ValueError(f"expected status 200, found {response.status_code}")
    found = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in media_types:
        raise ValueError(f"expected media type {' or '.join(media_types)}, found {found or 'none'}")
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise ValueError(f"expected an answer without content coding, found {coding}")


def _fault(source: str, cause: str) -> MilepostError:
    return MilepostError("SOURCE_UNREACHABLE", f"Source {source} gave no evidence", cause=cause)
