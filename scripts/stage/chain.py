"""The demo's chain: an anvil of its own, whose time the demo moves and whose blocks it can reorganise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from scripts.stage.processes import Crew, DemoFailedError, free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
BLOCK_SECONDS = 1


class Chain:
    """anvil with one block a second and finality two blocks behind the head."""

    def __init__(self, crew: Crew, start: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(timeout=30)
        argv = [str(ROOT / "node_modules/.bin/anvil"), "--port", str(self.port), "--timestamp", str(start)]
        argv += ["--block-time", str(BLOCK_SECONDS), "--slots-in-an-epoch", "1", "--silent"]
        self.process = crew.start("anvil", argv, cwd=crew.home)
        wait_for("anvil to answer", self._answers)

    def _answers(self) -> bool:
        if not self.process.alive():
            raise DemoFailedError(f"anvil ended at once:\n{self.process.last_words()}")
        try:
            return bool(self.rpc("eth_chainId"))
        except httpx.TransportError:
            return False

    def rpc(self, method: str, *params: Any) -> Any:
        """Asks the node itself, past every proxy; raises DemoFailedError with its words if it refuses."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = self._client.post(self.url, json=body).json()
        if "error" in answer:
            raise DemoFailedError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def head(self) -> dict[str, Any]:
        block: dict[str, Any] = self.rpc("eth_getBlockByNumber", "latest", False)
        return block

    def time(self) -> int:
        """The head's timestamp, unix seconds."""
        return int(self.head()["timestamp"], 16)

    def warp(self, time: int) -> None:
        """Mines one block at `time`; the following ones go on from there."""
        self.rpc("evm_setNextBlockTimestamp", hex(time))
        self.rpc("evm_mine")

    def pause(self) -> None:
        """Stops mining; only `mine` makes blocks until `resume`."""
        self.rpc("anvil_setIntervalMining", 0)

    def mine(self) -> None:
        self.rpc("evm_mine")

    def resume(self) -> None:
        self.rpc("anvil_setIntervalMining", BLOCK_SECONDS)

    def reorg(self, depth: int) -> None:
        """Replaces the newest `depth` blocks by empty ones."""
        self.rpc("anvil_reorg", depth, [])

    def waiting(self) -> int:
        """How many transactions wait in the pool for a block."""
        return int(self.rpc("txpool_status")["pending"], 16)

    def logs(self, address: str) -> list[dict[str, Any]]:
        """All logs of a contract, from the first block on."""
        answer: list[dict[str, Any]] = self.rpc(
            "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": address}
        )
        return answer

    def call(self, to: str, data: bytes) -> bytes:
        return bytes.fromhex(self.rpc("eth_call", {"to": to, "data": "0x" + data.hex()}, "latest")[2:])
