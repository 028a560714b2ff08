"""A node that goes away while a command sends or waits: what is known about money is said, and a repeat pays once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from chainlab import ROOT, Deployed
from clistage import PAYEE, PAYER, PLAY, RICH, Stage, open_stage

from keeper.errors import Exit
from scripts.rpc_proxy import RpcProxy, methods_in


class Dying(RpcProxy):
    """A node that answers everything until it has seen, or answered, one chosen request; then nothing any more."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.dies_at: Callable[[bytes], bool] = lambda _: False
        self.answers_last = True
        self.dead = threading.Event()

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        if not self.dies_at(body):
            return super()._forward(body)
        answer = super()._forward(body) if self.answers_last else (503, b"{}")
        self.cut()
        self.dead.set()
        return answer

    def revive(self) -> None:
        self.dies_at = lambda _: False
        self.disarm()


def one(method: str) -> Callable[[bytes], bool]:
    """Whether a request is a single call of `method`, not part of a batch."""

    def found(body: bytes) -> bool:
        return methods_in(body) == [method] and isinstance(json.loads(body), dict)

    return found


@pytest.fixture
def stage(
    own_chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    (tmp_path / "stage").mkdir()
    with open_stage(own_chain, tmp_path / "stage", capsys, monkeypatch) as opened:
        yield opened


@pytest.fixture
def node(stage: Stage) -> Iterator[Dying]:
    with Dying(stage.deployed.anvil.url) as proxy:
        yield proxy


def config(stage: Stage, node: RpcProxy) -> Path:
    return stage.config(PAYER, chain={"rpc": [node.url], "timeout_s": 2})


def ended(ran: dict[str, Any], code: str, exit_code: int, moved: str) -> dict[str, Any]:
    error: dict[str, Any] = ran["error"]
    assert (error["code"], ran["exit_code"], error["moved"]) == (code, exit_code, moved), error
    return error


def test_a_node_that_dies_while_a_command_waits_leaves_an_unknown_outcome(stage: Stage, node: Dying) -> None:
    agreement = stage.funded()
    stage.deployed.anvil.rpc.call("evm_setAutomine", False)
    node.dies_at = one("eth_sendRawTransaction")

    ran = stage.json(config(stage, node), "approve", agreement, 1, "--yes", "--wait", 1)

    error = ended(ran, "OUTCOME_UNKNOWN", Exit.UNKNOWN, "unknown")
    assert error["title"].startswith("`approve milestone 1"), "the words of the preview, no inside name"
    assert "the node does not answer now" in error["detail"]
    assert "repeat the very same command" in error["fix"]

    again = stage.json(config(stage, node), "approve", agreement, 1, "--yes", "--wait", 1)
    error = ended(again, "RPC_UNREACHABLE", Exit.UNREACHABLE, "none")
    assert "of an earlier run 0x" in error["money"]
    assert "may still be on its way" in error["money"]

    node.revive()
    stage.deployed.anvil.rpc.call("evm_setAutomine", True)
    stage.deployed.anvil.mine()
    assert stage.json(config(stage, node), "approve", agreement, 1, "--yes")["exit_code"] == Exit.DONE
    assert stage.balance(PAYEE) == 500 * PLAY


def test_a_node_that_dies_before_it_takes_the_transaction_leaves_an_unknown_outcome(stage: Stage, node: Dying) -> None:
    """Nobody can tell a request that was lost from an answer that was: what was signed is sent again by the repeat."""
    agreement = stage.funded()
    node.dies_at, node.answers_last = one("eth_sendRawTransaction"), False

    ran = stage.json(config(stage, node), "approve", agreement, 1, "--yes", "--wait", 1)

    ended(ran, "OUTCOME_UNKNOWN", Exit.UNKNOWN, "unknown")
    assert stage.balance(PAYEE) == 0
    node.revive()
    assert stage.json(config(stage, node), "approve", agreement, 1, "--yes")["exit_code"] == Exit.DONE
    assert stage.balance(PAYEE) == 500 * PLAY


def test_a_node_that_dies_before_anything_is_signed_leaves_nothing_behind(stage: Stage, node: Dying) -> None:
    agreement = stage.funded()
    node.dies_at = one("eth_estimateGas")

    ran = stage.json(config(stage, node), "approve", agreement, 1, "--yes", "--wait", 1)

    error = ended(ran, "RPC_UNREACHABLE", Exit.UNREACHABLE, "none")
    assert error["money"] == "nothing moved"
    node.revive()
    ended(stage.json(config(stage, node), "show", "0x" + "ab" * 32), "NOT_FOUND", Exit.FAILED, "none")


@pytest.mark.parametrize("answers", [True, False])
def test_a_node_that_dies_after_the_block_never_lets_it_look_unpaid(stage: Stage, node: Dying, answers: bool) -> None:
    """It dies with the receipt of the funding: nobody is told then that nothing moved."""
    stage.done(PAYER, "fund", stage.terms(), "--milestones", "1")  # announced from here on
    locked = json.dumps(stage.deployed.escrow.lower())
    node.answers_last = answers

    def receipt_of_the_funding(body: bytes) -> bool:
        if not one("eth_getTransactionReceipt")(body):
            return False
        json_type = {"content-type": "application/json"}
        return locked.encode() in httpx.post(stage.deployed.anvil.url, content=body, headers=json_type).content

    node.dies_at = receipt_of_the_funding

    ran = stage.json(config(stage, node), "fund", stage.terms(), "--yes", "--wait", 5)

    assert stage.balance(PAYER) == RICH - 1_500 * PLAY
    if answers:
        error = ended(ran, "RPC_UNREACHABLE", Exit.UNREACHABLE, "yes")
        assert "`lock 1,000.00 PLAY in the escrow` is on chain, transaction 0x" in error["money"]
    else:
        ended(ran, "OUTCOME_UNKNOWN", Exit.UNKNOWN, "unknown")
    node.revive()
    again = stage.json(config(stage, node), "fund", stage.terms(), "--yes")
    assert again["exit_code"] == Exit.DONE
    assert stage.balance(PAYER) == RICH - 1_500 * PLAY, "paid once"


def test_ctrl_c_while_a_funding_waits_names_the_step_and_the_repeat_goes_on(stage: Stage) -> None:
    """The real program, interrupted while no block comes; the allowance is on its way, the money is not."""
    stage.done(PAYER, "fund", stage.terms(), "--milestones", "1")
    rpc = stage.deployed.anvil.rpc
    with RpcProxy(stage.deployed.anvil.url) as proxy:
        rpc.call("evm_setAutomine", False)
        program = [
            sys.executable,
            "-c",
            # as in a terminal, even where the tests run in the background, which ignores Ctrl-C
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
            "from keeper.cli.main import main; main()",
            "fund",
            str(stage.terms()),
            "--yes",
        ]
        options = ["--json", "--config", str(config(stage, proxy))]
        process = subprocess.Popen([*program, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        sent = threading.Event()
        for _ in range(600):
            if proxy.seen["eth_sendRawTransaction"] and rpc.call("txpool_content")["pending"]:
                sent.set()
                break
            threading.Event().wait(0.05)
        assert sent.is_set()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    error = ended(json.loads(out), "INTERRUPTED", Exit.INTERRUPTED, "none")
    assert process.returncode == Exit.INTERRUPTED
    assert error["title"] == "`allow the escrow to take exactly 1,000.00 PLAY` was sent, and the wait was interrupted"
    assert "moves no money" in error["money"]
    assert "repeat the very same command" in error["fix"]
    assert err == b""
    rpc.call("evm_setAutomine", True)
    stage.deployed.anvil.mine()
    assert stage.json(PAYER, "fund", stage.terms(), "--yes")["exit_code"] == Exit.DONE
    assert stage.balance(PAYER) == RICH - 1_500 * PLAY
