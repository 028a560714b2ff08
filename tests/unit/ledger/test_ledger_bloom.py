"""The filter agrees with one written bit by bit, and never denies what is there."""

from __future__ import annotations

from fake_node import Log, bloom_bytes
from hypothesis import given
from hypothesis import strategies as st

from keeper.ledger.bloom import bloom_of, may_have

_hex20 = st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())
_hex32 = st.binary(min_size=32, max_size=32).map(lambda b: "0x" + b.hex())
_logs = st.lists(st.builds(Log, _hex20, st.lists(_hex32, max_size=4).map(tuple), st.just("0x")), max_size=8)


@given(_logs)
def test_the_filter_of_logs_is_the_header_s(logs: list[Log]) -> None:
    assert bloom_of((log.address, log.topics) for log in logs).to_bytes(256, "big") == bloom_bytes(logs)


@given(_logs)
def test_a_log_that_is_there_is_never_denied(logs: list[Log]) -> None:
    bloom = bloom_of((log.address, log.topics) for log in logs)
    assert all(may_have(bloom, log.address, log.topics) for log in logs if log.topics)


def test_an_empty_filter_denies_everything() -> None:
    assert not may_have(0, "0x" + "11" * 20, ["0x" + "22" * 32])


def test_the_filter_needs_address_and_topic() -> None:
    bloom = bloom_of([("0x" + "11" * 20, ["0x" + "22" * 32])])
    assert may_have(bloom, "0x" + "11" * 20, ["0x" + "33" * 32, "0x" + "22" * 32])
    assert not may_have(bloom, "0x" + "11" * 20, ["0x" + "33" * 32])
    assert not may_have(bloom, "0x" + "44" * 20, ["0x" + "22" * 32])
