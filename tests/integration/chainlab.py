"""A real chain for tests: anvil in a process of its own, and the contracts on it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeper.chain.blocks import Header, head, header
from keeper.chain.contract_call import call
from keeper.chain.deployment import Deployment, load_deployment
from keeper.chain.identity import code_hash
from keeper.chain.rpc import Rpc
from keeper.protocol.types import Address

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "node_modules" / ".bin"
ARTIFACTS = ROOT / "build" / "forge"
CONTRACTS = ("Escrow", "QuorumVerifier", "PlayDollar")
MOCKS = ("StubbornToken",)

KEYS = (
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
)
"""anvil's well-known keys; `Anvil.accounts` are their addresses, each with 10,000 ether of play money."""


@dataclass(frozen=True)
class Anvil:
    """A running anvil. Blocks come with transactions; `safe` and `finalized` trail the head by one and two blocks."""

    url: str
    rpc: Rpc
    accounts: tuple[Address, ...]
    process: subprocess.Popen[str]

    def send(self, sender: str, to: str | None, data: bytes, value: int = 0) -> dict[str, Any]:
        """Send from an unlocked account and return the receipt; AssertionError when it reverted."""
        tx: dict[str, Any] = {"from": sender, "data": "0x" + data.hex(), "value": hex(value), "gas": hex(8_000_000)}
        if to:
            tx["to"] = to
        receipt: dict[str, Any] = self.rpc.call("eth_sendTransactionSync", tx)
        assert receipt["status"] == "0x1", receipt
        return receipt

    def deploy(self, sender: str, bytecode: bytes) -> Address:
        """Create a contract and return its EIP-55 address."""
        from eth_utils.address import to_checksum_address

        return Address(to_checksum_address(self.send(sender, None, bytecode)["contractAddress"]))

    def mine(self, blocks: int = 1) -> Header:
        """Mine empty blocks and return the new head."""
        self.rpc.call("anvil_mine", hex(blocks))
        return head(self.rpc)

    def warp(self, seconds: int) -> Header:
        """Move chain time on by `seconds` and mine one block there."""
        return self.warp_to(head(self.rpc).time + seconds)

    def warp_to(self, timestamp: int) -> Header:
        """Mine one block with exactly this timestamp."""
        self.rpc.call("evm_setNextBlockTimestamp", timestamp)
        return self.mine()

    def reorg(self, depth: int) -> Header:
        """Replace the newest `depth` blocks by as many empty ones; returns the new head."""
        self.rpc.call("anvil_reorg", depth, [])
        return head(self.rpc)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Put the chain back to where it was when the block ends."""
        snapshot = self.rpc.call("evm_snapshot")
        try:
            yield
        finally:
            assert self.rpc.call("evm_revert", snapshot)

    def stop(self) -> None:
        """End the process; harmless when it has ended already."""
        self.rpc.close()
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True)
class Deployed:
    """The contracts on one anvil, and the file that records them."""

    anvil: Anvil
    path: Path
    deployment: Deployment

    @property
    def escrow(self) -> Address:
        return self.deployment.escrow.address

    @property
    def verifier(self) -> Address:
        return self.deployment.contracts["QuorumVerifier"].address

    @property
    def token(self) -> Address:
        return self.deployment.tokens["PLAY"].address


def start_anvil(*options: str) -> Anvil:
    """An anvil of our own on a port that the system chose; the caller stops it."""
    port = () if "--port" in options else ("--port", "0")
    command = [str(BIN / "anvil"), "--host", "127.0.0.1", "--slots-in-an-epoch", "1", *port, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    lines = []
    for line in process.stdout:  # ends when anvil does, so this cannot hang on a dead process
        lines.append(line)
        if line.startswith("Listening on "):
            break
    else:
        raise AssertionError(f"anvil ended: {''.join(lines)}")
    _drain(process)
    url = f"http://{lines[-1].removeprefix('Listening on ').strip()}"
    rpc = Rpc([url], timeout_s=30)
    from eth_utils.address import to_checksum_address

    accounts = tuple(Address(to_checksum_address(a)) for a in rpc.call("eth_accounts"))
    return Anvil(url, rpc, accounts, process)


def _drain(process: subprocess.Popen[str]) -> None:
    """Read anvil's log away: a full pipe would stop it."""
    import threading

    def read() -> None:
        assert process.stdout
        for _ in process.stdout:
            pass

    threading.Thread(target=read, daemon=True).start()


def build_contracts() -> None:
    """Compile unless the artifacts are there and newer than every source."""
    mocks = [ROOT / "tests" / "forge" / "mocks" / f"{name}.sol" for name in MOCKS]
    sources = [*ROOT.glob("contracts/**/*.sol"), *ROOT.glob("interfaces/*.sol")]
    if _fresh(CONTRACTS, sources) and _fresh(MOCKS, mocks):
        return
    subprocess.run([str(BIN / "forge"), "build", "--skip", "test"], cwd=ROOT, check=True, capture_output=True)


def _fresh(names: tuple[str, ...], sources: list[Path]) -> bool:
    newest = max(path.stat().st_mtime for path in sources)
    outputs = [ARTIFACTS / f"{name}.sol" / f"{name}.json" for name in names]
    return all(path.exists() and path.stat().st_mtime >= newest for path in outputs)


def bytecode(name: str) -> bytes:
    """The creation code of a compiled contract."""
    artifact = json.loads((ARTIFACTS / f"{name}.sol" / f"{name}.json").read_text())
    return bytes.fromhex(artifact["bytecode"]["object"].removeprefix("0x"))


def deploy_all(anvil: Anvil, folder: Path) -> Deployed:
    """Deploy escrow, verifier and play money, and record them in `folder`/<chain id>.json."""
    at = {name: anvil.deploy(anvil.accounts[0], bytecode(name)) for name in CONTRACTS}
    rpc = anvil.rpc
    genesis = header(rpc, 0)
    assert genesis
    chain_id = int(rpc.call("eth_chainId"), 16)
    decimals = int.from_bytes(call(rpc, at["PlayDollar"], bytes.fromhex("313ce567")), "big")

    def record(name: str) -> dict[str, str | None]:
        return {"address": at[name], "code_hash": code_hash(rpc, at[name])}

    content = {
        "chain_id": chain_id,
        "genesis": genesis.hash,
        "block": 1,
        "escrow": record("Escrow"),
        "contracts": {"QuorumVerifier": record("QuorumVerifier")},
        "tokens": {"PLAY": {"address": at["PlayDollar"], "decimals": decimals, "symbol": "PLAY"}},
    }
    path = folder / f"{chain_id}.json"
    path.write_text(json.dumps(content, indent=2))
    return Deployed(anvil, path, load_deployment(path))
