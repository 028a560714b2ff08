"""The limits under which an attester fetches, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.attester.evidence import Says
from keeper.attester.sources import ask
from keeper.attester.sources.http import Fetcher, Limits
from keeper.errors import MilepostError
from keeper.protocol.documents import EpcisSource

BASE = "http://ci.example:8081/api/v3"
JSON = ("application/json",)


def fetcher(answer: Callable[[httpx.Request], httpx.Response], **limits: float) -> Fetcher:
    return Fetcher({"ci": BASE}, Limits(**limits), transport=httpx.MockTransport(answer))  # type: ignore[arg-type]


def ok(content: bytes = b"{}", **headers: str) -> httpx.Response:
    stream = _Stream(iter([content]))
    return httpx.Response(200, stream=stream, headers={"content-type": "application/json", **headers})


def refused(made: Fetcher, url: str = BASE + "/x") -> str:
    with pytest.raises(MilepostError) as caught:
        made.get("ci", url, JSON)
    assert caught.value.code == "SOURCE_UNREACHABLE"
    assert "ci" in caught.value.title
    return caught.value.cause


def test_the_bytes_of_a_good_answer_come_back_as_they_were_sent() -> None:
    assert fetcher(lambda _: ok(b'{"a": 1}\n')).get("ci", BASE + "/x", JSON) == b'{"a": 1}\n'


def test_the_media_type_may_carry_parameters() -> None:
    answer = ok(b"{}", **{"content-type": "Application/JSON; charset=utf-8"})
    assert fetcher(lambda _: answer).get("ci", BASE + "/x", JSON) == b"{}"


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 403, 404, 422, 429, 500, 503])
def test_any_status_but_200_is_no_evidence_and_no_redirect_is_followed(status: int) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(status, headers={"location": "http://169.254.169.254/", "content-type": JSON[0]})

    assert str(status) in refused(fetcher(answer))
    assert len(asked) == 1


@pytest.mark.parametrize("media_type", ["text/html", "application/xml", "", "application/json2"])
def test_another_media_type_is_no_evidence(media_type: str) -> None:
    assert "media type" in refused(fetcher(lambda _: ok(**{"content-type": media_type})))


def test_a_compressed_body_is_no_evidence() -> None:
    assert "coding" in refused(fetcher(lambda _: ok(**{"content-encoding": "gzip"})))


def test_reading_stops_at_the_limit_however_long_the_answer_is() -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b" " * 1024

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": JSON[0]}, stream=_Stream(endless()))

    assert "at most 4096 bytes" in refused(fetcher(answer, max_bytes=4096))
    assert len(sent) <= 6


def test_an_answer_that_never_ends_is_given_up_by_time() -> None:
    def dripping() -> Iterator[bytes]:
        while True:
            yield b" "

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": JSON[0]}, stream=_Stream(dripping()))

    assert "within 0.05 s" in refused(fetcher(answer, timeout_s=0.05, max_bytes=1 << 40))


def test_a_source_that_is_down_is_no_evidence() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    assert "connection refused" in refused(fetcher(answer))


def test_a_source_that_the_settings_do_not_name_is_not_asked() -> None:
    with pytest.raises(MilepostError) as caught:
        fetcher(lambda _: ok()).get("erp", "http://anywhere/x", JSON)
    assert "attester.sources.erp" in caught.value.cause


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/api/v3/x",
        "http://ci.example:8081/api/v3",
        "http://ci.example:8081/api/v33/x",
        "http://ci.example:8081@evil.example/api/v3/x",
        BASE + "/../admin",
        BASE + "/%2e%2e/admin",
        BASE + "/a/%2E/x",
        BASE + "/x#y",
        BASE + "/x\r\nHost: evil",
        BASE + "/x y",
        BASE + "/\u202e",
        BASE + "/" + "x" * 5000,
    ],
)
def test_a_url_that_leaves_its_base_is_not_asked(url: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return ok()

    refused(fetcher(answer), url)
    assert asked == []


@pytest.mark.parametrize("base", ["ftp://x", "file:///etc/passwd", "http://", "http://u:p@x", "http://x/?a=b", "//x"])
def test_a_base_url_that_cannot_be_one_is_named_at_once(base: str) -> None:
    with pytest.raises(MilepostError) as caught:
        Fetcher({"ci": BASE, "erp": base})
    assert caught.value.code == "SETTINGS_INVALID"
    assert "attester.sources.erp" in caught.value.cause


def test_a_base_url_that_is_refused_is_not_repeated() -> None:
    with pytest.raises(MilepostError) as caught:
        Fetcher({"ci": "https://ci.example/api?token=s3cret"})
    assert "s3cret" not in str(caught.value)
    assert "attester.sources.ci" in caught.value.cause


SOURCE = EpcisSource(
    name="ci", kind="epcis", url="{ci}/items/{item}/events?MATCH_epc={epc}", epc="{epc}", biz_step="a", disposition="b"
)


@given(item=st.text(min_size=1, max_size=30), epc=st.text(min_size=1, max_size=30))
def test_no_deliverable_moves_a_request_away_from_its_place_in_the_url(item: str, epc: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return ok()

    evidence = ask(fetcher(answer), SOURCE, {"item": item, "epc": epc})
    assert evidence.says in (Says.SILENT, Says.UNCLEAR)
    for request in asked:
        assert request.url.host == "ci.example"
        assert request.url.port == 8081
        assert request.url.raw_path.startswith(b"/api/v3/items/")
        assert request.url.raw_path.partition(b"?")[0].endswith(b"/events")
        assert set(request.url.params) == {"MATCH_epc"}
        assert request.url.params["MATCH_epc"] == epc


class _Stream(httpx.SyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks
