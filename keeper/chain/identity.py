"""Whether an endpoint serves the chain, and the contracts, that the deployment names (docs/keeper.md section 4)."""

from __future__ import annotations

from functools import partial

from eth_utils.crypto import keccak

from keeper.chain.blocks import as_hex, as_quantity, header
from keeper.chain.deployment import DeployedContract, Deployment
from keeper.chain.rpc import Rpc
from keeper.errors import MilepostError


def check_identity(rpc: Rpc, deployment: Deployment) -> None:
    """Check each endpoint that answers, now and again whenever one comes back after a failure.

    WRONG_CHAIN when chain id or genesis differ, WRONG_CONTRACT when an address has no code or other code, each with
    what was expected and what was found; RPC_UNREACHABLE when nothing answers.
    """
    rpc.guard(lambda endpoint: compare(endpoint, deployment))
    rpc.check_all()


def compare(rpc: Rpc, deployment: Deployment) -> None:
    """One comparison of what answers with the deployment; errors as `check_identity`."""
    where = ", ".join(rpc.endpoints)
    chain_id = rpc.read(partial(as_quantity, what="the chain id"), "eth_chainId")
    if chain_id != deployment.chain_id:
        raise _wrong_chain(where, f"expected chain id {deployment.chain_id}, found {chain_id}")
    genesis = header(rpc, 0)
    if genesis is None or genesis.hash != deployment.genesis:
        raise _wrong_chain(where, f"expected genesis {deployment.genesis}, found {genesis.hash if genesis else 'none'}")
    for name, contract in {"Escrow": deployment.escrow, **deployment.contracts}.items():
        _compare_code(rpc, name, contract)


def code_hash(rpc: Rpc, address: str) -> str | None:
    """keccak256 of the runtime code at `address` as 0x hex; None when there is none."""
    code = bytes.fromhex(rpc.read(partial(as_hex, what="the code"), "eth_getCode", address, "latest")[2:])
    return "0x" + keccak(code).hex() if code else None


def _compare_code(rpc: Rpc, name: str, contract: DeployedContract) -> None:
    found = code_hash(rpc, contract.address)
    if found == contract.code_hash:
        return
    raise MilepostError(
        "WRONG_CONTRACT",
        f"{name} at {contract.address} is not the contract that the deployment names",
        cause=f"expected code hash {contract.code_hash}, found {found or 'no code'} at {', '.join(rpc.endpoints)}",
    )


def _wrong_chain(where: str, cause: str) -> MilepostError:
    return MilepostError("WRONG_CHAIN", f"{where} serves another chain than the deployment names", cause=cause)
