"""The escrow's views, as values of the protocol (docs/protocol.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keeper.chain.abi import AbiMismatch, contract
from keeper.chain.contract_call import Block, ContractRefused, call
from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError
from keeper.protocol.abi import milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.types import Address, Agreement, AgreementId, Cause, Due, MilestoneState, Part, Status

__all__ = ["ContractRefused", "Escrow"]


@dataclass(frozen=True, slots=True)
class Escrow:
    """One deployed escrow. Every read may be pinned to a block; reads raise ContractRefused, RPC_REFUSED,
    RPC_UNREACHABLE, or WRONG_CONTRACT when what answers is no escrow."""

    rpc: Rpc
    address: Address

    def due(self, part: Part, block: Block = "latest") -> Due:
        """What `settle` would do and from when (docs/protocol.md section 4, Views)."""
        cause, share, ready_at = self._view("due", part_to_abi(part), block=block)
        return Due(Cause(cause), share, ready_at)

    def latest(self, part: Part, block: Block = "latest") -> int:
        """The second from which on `settle` has been possible, whatever happened."""
        return int(self._view("latest", part_to_abi(part), block=block)[0])

    def state(self, agreement: AgreementId, block: Block = "latest") -> tuple[int, int]:
        """The bitmaps (funded, closed) of an agreement: bit i = milestone i; (0, 0) when it was never funded."""
        funded, closed = self._view("state", agreement, block=block)
        return funded, closed

    def milestone(self, agreement: AgreementId, index: int, block: Block = "latest") -> MilestoneState:
        """The word kept for a milestone; meaningful while it is funded and not closed."""
        status, attempt, since, deliverable, standing = self._view("milestone", agreement, index, block=block)
        return MilestoneState(Status(status), attempt, since, deliverable, standing)

    def credit(self, token: Address, owner: Address, block: Block = "latest") -> int:
        """What `owner` may withdraw, in token units."""
        return int(self._view("credit", token, owner, block=block)[0])

    def agreement_id(self, agreement: Agreement, block: Block = "latest") -> AgreementId:
        """The id as the contract computes it; equal to `keeper.protocol.encoding.agreement_id`."""
        milestones = [milestone_to_abi(m) for m in agreement.milestones]
        return AgreementId(self._view("agreementId", terms_to_abi(agreement.terms), milestones, block=block)[0])

    def simulate(self, sender: Address, to: Address, calldata: bytes, value: int = 0, block: Block = "latest") -> bytes:
        """Run a call without sending it; ContractRefused tells why it would revert."""
        return call(self.rpc, to, calldata, sender=sender, value=value, block=block)

    def _view(self, name: str, *args: Any, block: Block) -> tuple[Any, ...]:
        codec = contract("Escrow")
        answer = call(self.rpc, self.address, codec.encode(name, *args), block=block)
        try:
            return codec.decode_result(name, answer)
        except AbiMismatch as error:
            raise MilepostError(
                "WRONG_CONTRACT",
                f"No escrow answers at {self.address}",
                cause=f"expected the result of {name}, found {len(answer)} bytes",
            ) from error
