"""An agreement in the chain's own currency by hand: lock, look, pay, and take what could not be paid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chainlab import Deployed
from clistage import PAYEE, PAYER, Stage, open_stage

from keeper.chain.account import balance
from keeper.errors import Exit
from keeper.protocol.types import ZERO_ADDRESS, Address

REFUSES_COINS = "0x60006000fd"
COIN = 10**18


@pytest.fixture
def stage(
    chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    with open_stage(chain, tmp_path, capsys, monkeypatch) as opened:
        yield opened


def native_terms(stage: Stage, amount: str = "1,000.00") -> Path:
    path = stage.terms(verifier=False, amount=f'"{amount}"')
    path.write_text(path.read_text().replace("token: PLAY", "token: native"))
    return path


def held(stage: Stage, who: str) -> int:
    return balance(stage.deployed.anvil.rpc, Address(who))


def test_fund_sends_exactly_the_sum_along_and_needs_no_allowance(stage: Stage) -> None:
    ran = stage.json(PAYER, "fund", native_terms(stage), "--yes")

    assert ran["exit_code"] == Exit.DONE
    assert [t["title"] for t in ran["transactions"]] == ["lock 1,500.00 ETH in the escrow"]
    assert held(stage, stage.deployed.escrow) == 1_500 * COIN
    again = stage.json(PAYER, "fund", native_terms(stage), "--yes")
    assert "funded already, by you" in again["done_before"]
    assert held(stage, stage.deployed.escrow) == 1_500 * COIN


def test_an_unsigned_funding_carries_the_value(stage: Stage) -> None:
    ran = stage.json(PAYER, "fund", native_terms(stage), "--unsigned")

    (tx,) = ran["transactions"]
    assert int(tx["value"], 16) == 1_500 * COIN


def test_fund_of_more_than_the_account_holds_is_refused_before_anything_is_sent(stage: Stage) -> None:
    ran = stage.json(PAYER, "fund", native_terms(stage, "1,000,000.00"), "--yes")

    assert ran["error"]["code"] == "INSUFFICIENT_FUNDS"
    assert "1,000,500.00 ETH" in ran["error"]["detail"]
    assert held(stage, stage.deployed.escrow) == 0


def test_show_names_the_currency_and_its_ticker_comes_from_the_deployment_file(stage: Stage) -> None:
    agreement = stage.json(PAYER, "fund", native_terms(stage), "--yes")["agreement"]

    assert "ETH (the native currency)" in stage.milepost(PAYEE, "show", agreement).out
    named = json.loads(stage.deployed.path.read_text()) | {"native_symbol": "XDAI"}
    renamed = stage.folder / "renamed.json"
    renamed.write_text(json.dumps(named))
    shown = stage.json(stage.config(PAYEE, chain={"deployment": str(renamed)}), "show", agreement)
    assert shown["token"] == ZERO_ADDRESS
    assert (shown["open"]["text"], shown["open"]["symbol"], shown["open"]["decimals"]) == ("1,500.00", "XDAI", 18)


def test_an_approval_pays_the_payee_and_a_refused_coin_waits_for_withdrawal(stage: Stage) -> None:
    rpc, payee = stage.deployed.anvil.rpc, stage.account(PAYEE)
    agreement = stage.json(PAYER, "fund", native_terms(stage), "--yes")["agreement"]
    before = held(stage, payee)
    stage.done(PAYER, "approve", agreement, 1)
    assert held(stage, payee) == before + 500 * COIN

    rpc.call("anvil_setCode", payee, REFUSES_COINS)
    stage.done(PAYER, "approve", agreement, 0)
    rpc.call("anvil_setCode", payee, "0x")
    assert held(stage, payee) == before + 500 * COIN

    for words in (("withdraw", "native"), ("withdraw",)):
        preview = stage.json(PAYEE, *words, "--dry-run")
        assert preview["calls"][0]["title"].startswith("withdraw 1,000.00 ETH to ")
    ran = stage.json(PAYEE, "withdraw", "--yes")
    assert ran["exit_code"] == Exit.DONE
    assert held(stage, stage.deployed.escrow) == 0
    assert held(stage, payee) > before + 1_499 * COIN
    assert stage.json(PAYEE, "withdraw", "native", "--yes")["transactions"] == []


def test_doctor_tells_what_gas_is_paid_in(stage: Stage) -> None:
    assert "ETH for gas" in stage.milepost(PAYER, "doctor").out
