"""An ERC-20's views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keeper.chain.abi import AbiMismatch, contract
from keeper.chain.contract_call import Block, call
from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError
from keeper.protocol.types import Address


@dataclass(frozen=True, slots=True)
class Token:
    """One token contract; amounts are token units. WRONG_CONTRACT when what answers is no ERC-20."""

    rpc: Rpc
    address: Address

    def balance(self, owner: Address, block: Block = "latest") -> int:
        """What `owner` holds."""
        return int(self._view("balanceOf", owner, block=block))

    def allowance(self, owner: Address, spender: Address, block: Block = "latest") -> int:
        """What `spender` may still take from `owner`."""
        return int(self._view("allowance", owner, spender, block=block))

    def decimals(self, block: Block = "latest") -> int:
        """How many decimals people write."""
        return int(self._view("decimals", block=block))

    def symbol(self, block: Block = "latest") -> str:
        """The ticker as the token names itself: unchecked text of a stranger."""
        return str(self._view("symbol", block=block))

    def _view(self, name: str, *args: Any, block: Block) -> Any:
        codec = contract("ERC20")
        answer = call(self.rpc, self.address, codec.encode(name, *args), block=block)
        try:
            return codec.decode_result(name, answer)[0]
        except AbiMismatch as error:
            raise MilepostError(
                "WRONG_CONTRACT",
                f"No ERC-20 token answers at {self.address}",
                cause=f"expected the result of {name}, found {len(answer)} bytes",
            ) from error
