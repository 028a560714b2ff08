"""How much gas the call that pays out takes, by the committed measurement (interfaces/gas.snapshot.json)."""

from __future__ import annotations

import json
from functools import cache

from keeper.chain.abi import abi_folder
from keeper.protocol.types import ZERO_ADDRESS, Terms


def payout_gas(terms: Terms) -> int:
    """Gas of the whole transaction that earns the tip, with a plain ERC-20.

    Where a verdict pays at once that is `attest`, measured with 3 of 5 signatures; else it is `settle`.
    """
    at_once = terms.verifier != ZERO_ADDRESS and terms.challenge_window == 0
    return _snapshot()["attest_settle_3of5" if at_once else "settle"]


@cache
def _snapshot() -> dict[str, int]:
    installed = abi_folder().parent / "gas.snapshot.json"
    gas: dict[str, int] = json.loads(installed.read_text(encoding="utf-8"))["gas"]
    return gas
