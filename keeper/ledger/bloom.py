"""A header's bloom filter: what a block may have logged, and what it certainly has not.

The filter is 2,048 bits as an integer; each address and topic sets three of them (Ethereum Yellow Paper, 4.3.1). It
never denies a log that is there, so an answer that disagrees with it is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from eth_utils.crypto import keccak

_BITS = 2047


@lru_cache(maxsize=4096)
def bits_of(item: str) -> int:
    """The bits that an address or topic (0x hex) sets."""
    digest = keccak(hexstr=item)
    bits = 0
    for i in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[i : i + 2], "big") & _BITS)
    return bits


def bloom_of(logs: Iterable[tuple[str, Sequence[str]]]) -> int:
    """The filter of a block with exactly these logs, each (address, topics)."""
    bits = 0
    for address, topics in logs:
        bits |= bits_of(address)
        for topic in topics:
            bits |= bits_of(topic)
    return bits


def may_have(bloom: int, address: str, topics: Iterable[str]) -> bool:
    """Whether a log of `address` with one of `topics` may be in the block; False is certain."""
    return _has(bloom, address) and any(_has(bloom, topic) for topic in topics)


def _has(bloom: int, item: str) -> bool:
    bits = bits_of(item)
    return bloom & bits == bits
