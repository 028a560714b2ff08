"""Reading and simulating contract calls, with refusals decoded by every committed ABI."""

from __future__ import annotations

from functools import partial
from typing import Any

from keeper.chain.abi import decode_error
from keeper.chain.blocks import as_hex, as_quantity
from keeper.chain.rpc import Rpc, RpcFault
from keeper.errors import CONTRACT, MilepostError

Block = int | str
"""A height, a tag, or a block hash (0x and 64 digits)."""

_PANICS = {0x01: "assertion failed", 0x11: "arithmetic overflow", 0x12: "division by zero", 0x32: "index out of bounds"}


class ContractRefused(Exception):  # noqa: N818 - the contract's answer, not a failure of ours
    """A call that the contract refuses now.

    `name` is the error's Solidity name ("" when the contract gave no reason that an ABI knows), `arguments` its values
    by name, `text` one line for people, `data` the revert bytes.
    """

    def __init__(self, data: bytes) -> None:
        known = decode_error(data)
        self.data = data
        self.name: str = known[0] if known else ""
        self.arguments: dict[str, Any] = known[1] if known else {}
        self.text: str = _text(self.name, self.arguments, data)
        super().__init__(self.text)

    def to_error(self, title: str) -> MilepostError:
        """The same for a person: `title` says which object could not be moved."""
        if self.name in CONTRACT:
            return MilepostError(self.name, title, cause=self.text)
        return MilepostError("REVERTED", title, cause=self.text)


def call(
    rpc: Rpc, to: str, calldata: bytes, *, sender: str | None = None, value: int = 0, block: Block = "latest"
) -> bytes:
    """`eth_call` at a block; ContractRefused when it reverts.

    INSUFFICIENT_FUNDS when `sender` lacks `value` wei; RPC_REFUSED for any other error of the node.
    """
    request = transaction_request(to, calldata, sender, value)
    try:
        return rpc.read(_hex_bytes, "eth_call", request, block_parameter(block))
    except RpcFault as fault:
        raise _refusal(fault, f"The call to {to} failed") from fault


def estimate_gas(rpc: Rpc, sender: str, to: str, calldata: bytes, value: int = 0) -> int:
    """Gas that the call takes on top of the latest block, as the node estimates; errors as `call`."""
    request = transaction_request(to, calldata, sender, value)
    try:
        return rpc.read(partial(as_quantity, what="gas"), "eth_estimateGas", request)
    except RpcFault as fault:
        raise _refusal(fault, f"The call to {to} failed") from fault


def transaction_request(to: str, calldata: bytes, sender: str | None, value: int) -> dict[str, str]:
    """The JSON-RPC object of a call."""
    request = {"to": to, "data": "0x" + calldata.hex()}
    if sender:
        request["from"] = sender
    if value:
        request["value"] = hex(value)
    return request


def block_parameter(block: Block) -> Any:
    """A block as JSON-RPC takes it: hashes as EIP-1898 objects, so that another branch is never read instead."""
    if isinstance(block, int):
        return hex(block)
    return {"blockHash": block, "requireCanonical": False} if len(block) == 66 else block


def revert_data(fault: RpcFault) -> bytes | None:
    """The revert bytes in an error of a node; b"" for a revert without any, None when it is no revert.

    Nodes differ: `data` is the hex itself (geth, anvil), text ending in it, or an object around it, sometimes nested.
    """
    found = _find_hex(fault.data)
    if fault.code == 3 or "revert" in fault.message.lower():
        return found or b""
    # Some nodes name the exception ("VM Exception", "execution error") and attach the same bytes.
    return found if found is not None and len(found) >= 4 and "exe" in fault.message.lower() else None


def _find_hex(data: Any) -> bytes | None:
    if isinstance(data, str):
        start = data.find("0x")
        try:
            return bytes.fromhex(data[start + 2 :].strip()) if start >= 0 else None
        except ValueError:
            return None  # words of the node, not bytes of the contract
    if isinstance(data, dict):
        preferred = [data[key] for key in ("data", "return", "result", "output", "originalError") if key in data]
        for value in (*preferred, *(v for v in data.values() if isinstance(v, dict))):
            found = _find_hex(value)
            if found is not None:
                return found
    return None


def _refusal(fault: RpcFault, title: str) -> Exception:
    data = revert_data(fault)
    if data is not None:
        return ContractRefused(data)
    if "insufficient funds" in fault.message.lower():
        return MilepostError("INSUFFICIENT_FUNDS", title, cause=f"the node says: {fault.message}")
    return MilepostError("RPC_REFUSED", title, cause=f"the node says: {fault}")


def _text(name: str, arguments: dict[str, Any], data: bytes) -> str:
    if name == "Error":
        return f"the contract says: {arguments['message']}"
    if name == "Panic":
        code = arguments["code"]
        return f"the contract failed: {_PANICS.get(code, 'panic')} (panic 0x{code:02x})"
    if name:
        shown = ", ".join(f"{key} {_show(value)}" for key, value in arguments.items())
        return f"the contract says {name}" + (f" ({shown})" if shown else "")
    return f"the contract gave unknown reason 0x{data.hex()}" if data else "the contract gave no reason"


def _show(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _hex_bytes(result: Any) -> bytes:
    return bytes.fromhex(as_hex(result, "the result of a call")[2:])
