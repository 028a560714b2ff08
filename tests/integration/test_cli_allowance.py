"""Allowances: exact, with tokens that refuse to change one into another, and with tokens that keep none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chainlab import Deployed, bytecode
from clistage import PAYER, Stage, open_stage
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from keeper.chain.contract_call import ContractRefused, call
from keeper.chain.token import Token
from keeper.errors import Exit
from keeper.protocol.types import Address

RICH = 100_000 * 10**6
TOTAL = 1_500 * 10**6


@dataclass
class Market:
    """The stage, with a stubborn token in the place of the play money."""

    stage: Stage
    token: Address
    config: Path

    @property
    def payer(self) -> str:
        return self.stage.account(PAYER)

    def send(self, signature: str, *values: object) -> None:
        self.stage.deployed.anvil.send(self.payer, self.token, data(signature, *values))

    def allowance(self) -> int:
        return Token(self.stage.deployed.anvil.rpc, self.token).allowance(
            Address(self.payer), self.stage.deployed.escrow
        )

    def titles(self, *options: str) -> list[str]:
        ran = self.stage.json(self.config, "fund", self.stage.terms(), *options)
        assert ran["exit_code"] == Exit.DONE, ran
        return [item["title"] for item in ran.get("calls", ran.get("transactions"))]


def data(signature: str, *values: object) -> bytes:
    kinds = signature.partition("(")[2].removesuffix(")").split(",")
    return keccak(text=signature)[:4] + encode(kinds, values)


@pytest.fixture
def market(
    chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Market]:
    with open_stage(chain, tmp_path, capsys, monkeypatch) as stage:
        token = chain.anvil.deploy(chain.anvil.accounts[0], bytecode("StubbornToken"))
        content = json.loads(chain.path.read_text())
        content["tokens"]["PLAY"]["address"] = token
        path = tmp_path / "stubborn.json"
        path.write_text(json.dumps(content))
        made = Market(stage, token, stage.config(PAYER, chain={"deployment": str(path)}))
        made.send("mint(address,uint256)", made.payer, RICH)
        yield made


def test_an_allowance_that_is_too_small_is_taken_back_before_another_is_given(market: Market) -> None:
    market.send("approve(address,uint256)", market.stage.deployed.escrow, 7 * 10**6)
    again = data("approve(address,uint256)", market.stage.deployed.escrow, TOTAL)
    with pytest.raises(ContractRefused):
        call(market.stage.deployed.anvil.rpc, market.token, again, sender=market.payer)
    wanted = [
        "announce the quorum, 2 of 3 attesters",
        "take back the old allowance of 7.00 PLAY",
        "allow the escrow to take exactly 1,500.00 PLAY",
        "lock 1,500.00 PLAY in the escrow",
    ]
    assert market.titles("--dry-run") == wanted

    assert market.titles("--yes") == wanted

    assert market.allowance() == 0, "the funding took exactly what was allowed"
    assert Token(market.stage.deployed.anvil.rpc, market.token).balance(Address(market.payer)) == RICH - TOTAL


def test_a_fault_between_taking_back_and_allowing_is_gone_on_from(market: Market) -> None:
    """The old allowance is gone already, as after a kill: the repeat takes nothing back and allows once."""
    market.send("approve(address,uint256)", market.stage.deployed.escrow, 7 * 10**6)
    market.send("approve(address,uint256)", market.stage.deployed.escrow, 0)

    titles = market.titles("--yes")

    assert titles[1:] == ["allow the escrow to take exactly 1,500.00 PLAY", "lock 1,500.00 PLAY in the escrow"]


def test_an_allowance_that_suffices_is_left_alone(market: Market) -> None:
    market.send("approve(address,uint256)", market.stage.deployed.escrow, TOTAL + 1)
    assert market.titles("--yes")[1:] == ["lock 1,500.00 PLAY in the escrow"]


def test_a_token_that_keeps_no_allowance_is_told_before_the_money_is_to_move(market: Market) -> None:
    market.send("setForgets(bool)", True)

    ran = market.stage.json(market.config, "fund", market.stage.terms(), "--yes")

    error = ran["error"]
    assert (error["code"], ran["exit_code"], error["moved"]) == ("INSUFFICIENT_ALLOWANCE", Exit.FAILED, "none")
    assert "expected an allowance of 1,500.00 PLAY" in error["detail"]
    assert "found 0.00 PLAY" in error["detail"]
    assert Token(market.stage.deployed.anvil.rpc, market.token).balance(Address(market.payer)) == RICH
