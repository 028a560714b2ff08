"""`milepost terms` with a node: what the linter asks of accounts, tokens and arbiters, and agreements by their id."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from chainlab import ARTIFACTS, BIN, Deployed
from clistage import ARBITER, DAY, MEMBERS, PAYEE, PAYER, STRANGER, Stage, open_stage
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from keeper.errors import Exit

YES = "0x600160005260206000f3"
"""Code that answers 1 to every call."""
NO = "0x600060005260206000f3"
BURNS = "0x5b600056"
"""Code that runs in a circle until its gas is gone."""
EIP1967 = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
DELEGATED = "0xef0100" + "ab" * 20


@pytest.fixture
def stage(
    chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    with open_stage(chain, tmp_path, capsys, monkeypatch) as opened:
        yield opened


def set_code(stage: Stage, address: str, code: str) -> None:
    stage.deployed.anvil.rpc.call("anvil_setCode", address, code)


def check(stage: Stage, *words: object, file: Path | None = None) -> dict[str, Any]:
    return stage.json(PAYER, "terms", "check", file or stage.terms(), *words)


def codes(checked: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in checked["warnings"]}


def sentence(checked: dict[str, Any], code: str) -> str:
    return next(str(w["sentence"]) for w in checked["warnings"] if w["code"] == code)


def with_hook(stage: Stage) -> Path:
    path = stage.terms("hook.yaml")
    path.write_text(path.read_text() + "arbiterHook: true\n")
    return path


def hook_arbiter(stage: Stage, mode: int) -> None:
    """Put the arbiter contract of the forge tests where the terms name the arbiter, answering as `mode` says."""
    anvil, at = stage.deployed.anvil, stage.account(ARBITER)
    artifact = json.loads((ARTIFACTS / "Judges.sol" / "HookArbiter.json").read_text())
    set_code(stage, at, artifact["deployedBytecode"]["object"])
    anvil.rpc.call("anvil_setStorageAt", at, "0x0", f"0x{mode:064x}")


def reverting(data: bytes) -> str:
    """Code that reverts with these bytes: each word is pushed to memory, then REVERT(0, length)."""
    padded = data.ljust(-(-len(data) // 32) * 32, b"\x00")
    words = [padded[i : i + 32] for i in range(0, len(padded), 32)]
    stores = "".join(f"7f{word.hex()}61{32 * place:04x}52" for place, word in enumerate(words))
    return f"0x{stores}61{len(data):04x}6000fd"


ACCEPT, WRONG_ANSWER, REFUSE = 0, 1, 2


def test_a_node_leaves_only_the_price_unchecked(stage: Stage) -> None:
    checked = check(stage)

    assert [skip["check"] for skip in checked["skipped"]] == ["the tip against the gas price"]
    assert "--price" in checked["skipped"][0]["why"]
    assert codes(checked) == {
        *("arbiter-fresh", "criteria-copied", "criteria-one-source", "early-submission"),
        *("quorum-bare-majority", "token-unseen"),
    }


def test_an_arbiter_with_a_history_is_not_fresh(stage: Stage) -> None:
    anvil = stage.deployed.anvil
    anvil.send(stage.account(ARBITER), stage.account(ARBITER), b"")

    assert "arbiter-fresh" not in codes(check(stage))


def test_contracts_among_attesters_are_named_and_delegated_accounts_are_not(stage: Stage) -> None:
    set_code(stage, stage.account(MEMBERS[0]), YES)
    set_code(stage, stage.account(MEMBERS[1]), DELEGATED)

    checked = check(stage)

    told = [w["sentence"] for w in checked["warnings"] if w["code"] == "attester-is-contract"]
    assert len(told) == 1
    assert stage.account(MEMBERS[0]) in told[0]


def test_a_delegated_arbiter_is_neither_fresh_nor_a_contract(stage: Stage) -> None:
    set_code(stage, stage.account(ARBITER), DELEGATED)

    assert "arbiter-fresh" not in codes(check(stage))
    assert "no-code" in codes(check(stage, file=with_hook(stage)))


@pytest.mark.parametrize("name", ["token", "verifier"])
def test_proxies_are_told(stage: Stage, name: str) -> None:
    address = getattr(stage.deployed, name)
    stage.deployed.anvil.rpc.call("anvil_setStorageAt", address, EIP1967, f"0x{1:064x}")

    assert name in sentence(check(stage), "code-replaceable")


def test_the_gas_of_the_payout_is_held_against_the_tip(stage: Stage) -> None:
    assert "tip-below-gas" in codes(check(stage, "--price", "0.0000001"))
    assert "tip-far-above-gas" in codes(check(stage, "--price", "1"))
    fitting = check(stage, "--price", "0.0005")
    assert codes(fitting).isdisjoint({"tip-below-gas", "tip-far-above-gas"})
    assert fitting["skipped"] == []


def test_a_token_that_blocks_is_told_and_whom(stage: Stage) -> None:
    set_code(stage, stage.deployed.token, YES)

    checked = check(stage)

    assert {"token-blocklist", "party-blocked", "token-wrong"} <= codes(checked)
    assert "counts 1 decimals where the book counts 6" in sentence(checked, "token-wrong")
    blocked = [w["sentence"] for w in checked["warnings"] if w["code"] == "party-blocked"]
    assert len(blocked) == 3


def test_a_list_with_nobody_on_it_is_a_list(stage: Stage) -> None:
    set_code(stage, stage.deployed.token, NO)

    assert codes(check(stage)) >= {"token-blocklist"}
    assert "party-blocked" not in codes(check(stage))


@pytest.mark.parametrize("code", [BURNS, "0x60006000fd", "0x60006000f3"])
def test_what_does_not_answer_is_no_token(stage: Stage, code: str) -> None:
    set_code(stage, stage.deployed.token, code)

    checked = check(stage)

    assert "does not answer as an ERC-20" in sentence(checked, "token-wrong")
    assert "token-blocklist" not in codes(checked)


def test_a_hook_that_takes_disputes_is_no_worry(stage: Stage) -> None:
    hook_arbiter(stage, ACCEPT)

    checked = check(stage, file=with_hook(stage))

    assert "arbiter-hook" in codes(checked)
    assert codes(checked).isdisjoint({"arbiter-refuses", "arbiter-fee", "no-code", "arbiter-fresh"})


@pytest.mark.parametrize(("mode", "told"), [(REFUSE, "0x"), (WRONG_ANSWER, "it answered 0xdeadbeef and not 0x")])
def test_a_hook_that_refuses_is_told_with_its_reason(stage: Stage, mode: int, told: str) -> None:
    hook_arbiter(stage, mode)

    assert told in sentence(check(stage, file=with_hook(stage)), "arbiter-refuses")


def test_a_hook_that_burns_all_gas_is_a_refusal_and_no_fault_of_ours(stage: Stage) -> None:
    set_code(stage, stage.account(ARBITER), BURNS)

    assert check(stage, file=with_hook(stage))["exit_code"] == Exit.DONE
    assert "arbiter-refuses" in codes(check(stage, file=with_hook(stage)))


def test_a_hook_cannot_write_to_the_terminal(stage: Stage) -> None:
    reason = encode(["string"], ["\x1b[2Jyou are safe\n" * 30])
    set_code(stage, stage.account(ARBITER), reverting(keccak(text="Error(string)")[:4] + reason))

    told = stage.milepost(PAYER, "terms", "check", with_hook(stage)).out

    assert "you are safe" in told
    assert "\x1b" not in told
    assert told.count("you are safe") < 30


def test_a_hook_that_asks_a_fee_is_told_how_much(stage: Stage) -> None:
    """WrongValue(0, 0.01 ether), as an arbiter that must be paid reverts."""
    fee = keccak(text="WrongValue(uint256,uint256)")[:4] + encode(["uint256", "uint256"], [0, 10**16])
    set_code(stage, stage.account(ARBITER), reverting(fee))

    checked = check(stage, file=with_hook(stage))

    assert "0.01 of the native currency" in sentence(checked, "arbiter-fee")
    assert "arbiter-refuses" not in codes(checked)


def test_a_verifier_without_code_is_refused_by_funding(stage: Stage) -> None:
    file = stage.terms(verifier=True)
    text = file.read_text().replace("verifier: QuorumVerifier", f'verifier: "{stage.account(STRANGER)}"')
    file.write_text(text)

    checked = check(stage, "--strict", file=file)

    assert {"no-code", "verifier-unknown"} <= codes(checked)
    assert checked["exit_code"] == Exit.REFUSED


def test_a_dead_node_leaves_everything_of_the_chain_unchecked(stage: Stage) -> None:
    config = stage.config(PAYER, chain={"rpc": ["http://127.0.0.1:9"]})

    checked = stage.json(config, "terms", "check", stage.terms())

    assert checked["exit_code"] == Exit.DONE
    assert len(checked["skipped"]) == 5
    assert all("no node answered" in skip["why"] for skip in checked["skipped"])


def test_a_node_of_another_chain_than_the_deployment_file_is_not_asked(stage: Stage, tmp_path: Path) -> None:
    other = json.loads(stage.deployed.path.read_text()) | {"chain_id": 5}
    path = tmp_path / "other.json"
    path.write_text(json.dumps(other))

    checked = check(stage, "--deployment", path)

    assert {skip["why"] for skip in checked["skipped"]} == {
        "the node of the settings is for another chain or escrow than the deployment file"
    }


def test_the_escrow_itself_computes_the_id_by_the_command_on_the_page(stage: Stage) -> None:
    page = stage.json(PAYER, "terms", "explain", stage.terms())
    command = unescape(re.findall(r"<pre>(cast call .*?)</pre>", page["html"], re.DOTALL)[0])

    ran = subprocess.run(
        ["bash", "-c", command],
        env={"PATH": f"{BIN}:/usr/bin:/bin", "RPC": stage.deployed.anvil.url},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert ran.stdout.strip() == page["agreement"]


def test_each_document_is_checked_by_the_command_on_the_page(stage: Stage, tmp_path: Path) -> None:
    page = stage.json(PAYER, "terms", "explain", stage.terms())["html"]
    sections = re.findall(r"hash <code>(0x\w+)</code></p><pre>(.*?)</pre><pre>(cast keccak .*?)</pre>", page, re.DOTALL)

    assert len(sections) == 3
    for wanted, shown, command in sections:
        (tmp_path / "FILE").write_text(unescape(shown))
        ran = subprocess.run(
            ["bash", "-c", unescape(command).replace("xxd -p FILE", "od -An -v -tx1 FILE | tr -d ' '")],
            cwd=tmp_path,
            env={"PATH": f"{BIN}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert ran.stdout.strip() == wanted


def test_an_agreement_on_chain_is_explained_by_its_id(stage: Stage) -> None:
    agreement = stage.funded()
    by_file = stage.json(PAYER, "terms", "explain", stage.terms())["html"]

    by_id = stage.json(PAYEE, "terms", "explain", agreement[:12])

    assert by_id["agreement"] == agreement
    for kept in ("1,500.00 PLAY", "Design accepted", "What both agreed", "any 2 of 3"):
        assert kept in by_id["html"]
        assert kept in by_file or kept == "Design accepted"


def test_the_dates_of_an_agreement_on_chain_are_those_of_its_file(stage: Stage) -> None:
    agreement = stage.funded()
    from_file = stage.json(PAYER, "terms", "ics", stage.terms())["ics"]

    from_chain = stage.json(STRANGER, "terms", "ics", agreement)["ics"]

    for name in ("UID", "DTSTART"):
        wanted = re.findall(rf"^{name}:.*(?:\r\n .*)*", from_file, re.MULTILINE)
        assert re.findall(rf"^{name}:.*(?:\r\n .*)*", from_chain, re.MULTILINE) == wanted


def test_explained_late_nothing_is_due_soon(stage: Stage) -> None:
    agreement = stage.funded()
    stage.warp(30 * DAY)

    assert "deadline-soon" not in stage.json(PAYEE, "terms", "explain", agreement)["html"]


def test_fund_names_dangers_before_money_moves(stage: Stage) -> None:
    file = stage.terms("silent.yaml")
    file.write_text(file.read_text().replace('unreviewed: "0%"', 'unreviewed: "100%"'))

    preview = stage.json(PAYER, "fund", file, "--dry-run")["preview"]

    assert ["danger", "Silence accepts: a submission that nobody reviews pays the payee everything."] in preview[
        "facts"
    ]
