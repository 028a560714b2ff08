"""Several `settle` calls as one `settleMany`, which skips what is no longer due (docs/protocol.md section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from eth_abi.abi import decode
from eth_utils.crypto import keccak

from keeper.protocol.encoding import PART_ABI

PUSH_GAS = 150_000
"""Gas that the escrow forwards with each payment (docs/protocol.md section 4, Payout)."""

MILESTONE_GAS = 4 * PUSH_GAS
"""The budget of one milestone: four payments at most. An estimate sees only what they need today."""

BATCH_BASE_GAS = 100_000
MILESTONE_OVERHEAD_GAS = 100_000
"""All but the payments' own gas: hashing the terms, state, event; of each payment the call and, if it fails, a credit.

Measured with tokens and receivers that burn whatever they are given: 88,400 (tests/fuzz/test_batch_gas.py).
"""
CALLDATA_GAS = 40
"""A byte of calldata at most (EIP-7623)."""

MAX_BATCH = 20
"""Keeps a batch under the 2**24 gas that one transaction may use (EIP-7825)."""

SETTLE = keccak(text=f"settle({PART_ABI})")[:4]
SETTLE_MANY = keccak(text=f"settleMany({PART_ABI}[])")[:4]


def is_batch(calldata: bytes) -> bool:
    """Whether this is a call of `settleMany`."""
    return calldata[:4] == SETTLE_MANY


def settle_many(calls: Sequence[bytes]) -> bytes:
    """The calldata of one `settleMany` from those of several `settle`; ValueError if one is something else.

    Works on the encoding: a dynamic argument is an offset and a body, and the bodies are the array's elements.
    """
    if any(call[:4] != SETTLE or int.from_bytes(call[4:36], "big") != 32 for call in calls):
        raise ValueError("expected the calldata of settle(Part)")
    bodies = [call[36:] for call in calls]
    offsets = accumulate((len(body) for body in bodies[:-1]), initial=32 * len(bodies))
    words = [32, len(bodies), *offsets]
    return SETTLE_MANY + b"".join(word.to_bytes(32, "big") for word in words) + b"".join(bodies)


def batch_gas(calls: Sequence[bytes], budgets: Sequence[int]) -> int:
    """The gas limit of a `settleMany`: an explicit budget, because an estimate would let a push run dry."""
    calldata = CALLDATA_GAS * sum(len(call) for call in calls)
    return BATCH_BASE_GAS + calldata + sum(budget + MILESTONE_OVERHEAD_GAS for budget in budgets)


def settled_flags(answer: bytes) -> list[bool]:
    """What a simulated `settleMany` would settle, by position."""
    (flags,) = decode(["bool[]"], answer)
    return list(flags)
