"""An account as the chain shows it at the head."""

from __future__ import annotations

from functools import partial

from keeper.chain.blocks import as_quantity
from keeper.chain.rpc import Rpc
from keeper.protocol.types import Address


def balance(rpc: Rpc, account: Address) -> int:
    """Wei of the native currency, which gas is paid in."""
    return rpc.read(partial(as_quantity, what="a balance"), "eth_getBalance", account, "latest")


def nonce(rpc: Rpc, account: Address) -> int:
    """How many transactions of the account the canonical chain holds."""
    return rpc.read(partial(as_quantity, what="a nonce"), "eth_getTransactionCount", account, "latest")
