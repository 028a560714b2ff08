"""Whole lives of agreements by hand: every party with its own settings, no keeper anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chainlab import KEYS, Deployed
from clistage import ARBITER, DAY, MEMBERS, PAYEE, PAYER, PLAY, RICH, STRANGER, Stage, open_stage

from keeper.chain.signer import Signer
from keeper.chain.token import Token
from keeper.errors import Exit
from keeper.protocol.quorum import Quorum
from keeper.protocol.types import Address
from keeper.relay.client import RelayClient
from keeper.relay.message import AttestationMessage

ALWAYS_REVERTS = "0x60006000fd"
PLAY_1000, PLAY_500, TIP = 1_000 * PLAY, 500 * PLAY, 2 * PLAY


@pytest.fixture
def stage(
    chain: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    with open_stage(chain, tmp_path, capsys, monkeypatch) as opened:
        yield opened


def test_fund_locks_exactly_the_sum_and_leaves_no_allowance(stage: Stage) -> None:
    agreement = stage.funded()

    assert stage.balance(PAYER) == RICH - PLAY_1000 - PLAY_500
    token = Token(stage.deployed.anvil.rpc, stage.deployed.token)
    assert token.allowance(Address(stage.account(PAYER)), stage.deployed.escrow) == 0
    assert stage.milepost(PAYEE, "terms", "id", stage.terms()).out.strip() == agreement


def test_fund_puts_every_document_on_the_relay_first(stage: Stage) -> None:
    ran = stage.json(PAYER, "fund", stage.terms(), "--yes")

    with RelayClient(stage.relay.url) as client:
        held = {"0x" + d.hash.hex() for d in client.documents().documents}
    assert {p["document"] for p in ran["published"]} == held
    assert len(held) == 3


def test_a_second_fund_of_the_same_file_pays_nothing(stage: Stage) -> None:
    stage.funded()
    before = stage.balance(PAYER)

    again = stage.json(PAYER, "fund", stage.terms(), "--yes")

    assert again["exit_code"] == Exit.DONE
    assert again["transactions"] == []
    assert "funded already, by you" in again["done_before"]
    assert stage.balance(PAYER) == before


def test_fund_of_what_somebody_else_funded_says_so(stage: Stage) -> None:
    agreement = stage.funded()

    ran = stage.json(STRANGER, "fund", stage.terms(), "--yes")

    assert ran["exit_code"] == Exit.FAILED
    assert ran["error"]["code"] == "AlreadyFunded"
    assert stage.account(PAYER) in ran["error"]["detail"]
    assert agreement in ran["error"]["fix"]


def test_fund_some_milestones_then_the_rest(stage: Stage) -> None:
    first = stage.json(PAYER, "fund", stage.terms(), "--milestones", "1", "--yes")
    assert stage.balance(PAYER) == RICH - PLAY_500

    rest = stage.json(PAYER, "fund", stage.terms(), "--yes")

    assert rest["milestones"] == [0]
    assert first["run_id"] != rest["run_id"]
    assert stage.balance(PAYER) == RICH - PLAY_500 - PLAY_1000


def test_the_same_request_has_the_same_run_id(stage: Stage) -> None:
    first = stage.json(PAYER, "fund", stage.terms(), "--dry-run")
    second = stage.json(PAYER, "fund", stage.terms(), "--yes")
    assert first["run_id"] == second["run_id"]


def test_dry_run_rehearses_for_any_address_without_a_key_and_sends_nothing(stage: Stage) -> None:
    keyless = stage.config(PAYER, key=None)
    before = stage.deployed.anvil.rpc.call("eth_blockNumber")

    ran = stage.json(keyless, "fund", stage.terms(), "--dry-run", "--as", stage.account(PAYER))

    assert ran["exit_code"] == Exit.DONE
    assert [call["title"] for call in ran["calls"]][-1] == "lock 1,500.00 PLAY in the escrow"
    assert stage.deployed.anvil.rpc.call("eth_blockNumber") == before


def test_unsigned_transactions_work_for_another_signer(stage: Stage) -> None:
    """What --unsigned prints is all that another signer needs; afterwards the command sees it done."""
    ran = stage.json(PAYER, "fund", stage.terms(), "--unsigned")
    for tx in ran["transactions"]:
        assert set(tx) == {"title", "from", "to", "value", "data", "chainId"}
        stage.deployed.anvil.send(tx["from"], tx["to"], bytes.fromhex(tx["data"][2:]), int(tx["value"], 16))

    again = stage.json(PAYER, "fund", stage.terms(), "--yes")

    assert "funded already, by you" in again["done_before"]
    assert len(again["published"]) == 3, "the documents follow once it is on chain"


def test_an_unsigned_submission_keeps_its_salt_and_is_published_when_it_is_on_chain(stage: Stage) -> None:
    """A payee whose key lives in another program: no run may forget the salt of the hash that it printed."""
    agreement, payee = stage.funded(), stage.account(PAYEE)
    keyless = stage.config(PAYEE, key=None)
    words = ("submit", agreement, 0, "--deliverable", stage.deliverable(), "--unsigned", "--as", payee)

    first = stage.json(keyless, *words)
    assert stage.json(keyless, *words)["transactions"] == first["transactions"], "the same salt again"
    assert first["published"] == []
    (tx,) = first["transactions"]
    stage.deployed.anvil.send(payee, tx["to"], bytes.fromhex(tx["data"][2:]))
    last = stage.json(keyless, *words)

    assert last["transactions"] == []
    assert [item["document"] for item in last["published"]] == [first["deliverable"]]


def test_an_unsigned_funding_is_published_when_it_is_on_chain(stage: Stage) -> None:
    keyless = stage.config(PAYER, key=None)
    words = ("fund", stage.terms(), "--unsigned", "--as", stage.account(PAYER))
    ran = stage.json(keyless, *words)
    assert ran["published"] == []
    for tx in ran["transactions"]:
        stage.deployed.anvil.send(tx["from"], tx["to"], bytes.fromhex(tx["data"][2:]))

    assert len(stage.json(keyless, *words)["published"]) == 3


def test_the_payer_approves_and_the_payee_is_paid_in_full(stage: Stage) -> None:
    agreement = stage.submitted()

    ran = stage.json(PAYER, "approve", agreement, 0, "--yes")

    assert ran["moved"] == "yes"
    assert stage.balance(PAYEE) == PLAY_1000
    again = stage.json(PAYER, "approve", agreement, 0, "--yes")
    assert again["transactions"] == []
    assert again["run_id"] == ran["run_id"]


def test_the_payee_waives_and_the_payer_gets_it_back(stage: Stage) -> None:
    agreement = stage.funded()
    stage.done(PAYEE, "waive", agreement, 1)
    assert stage.balance(PAYER) == RICH - PLAY_1000


def test_a_dispute_is_ruled_and_split(stage: Stage) -> None:
    agreement = stage.submitted()
    stage.warp(3 * DAY + 1)
    stage.done(PAYER, "dispute", agreement, 0, "--data", "nothing works")
    assert "disputed it already" in stage.milepost(PAYER, "dispute", agreement, 0, "--yes").out

    stage.done(ARBITER, "rule", agreement, 0, "40%")

    assert stage.balance(PAYEE) == 400 * PLAY
    assert stage.balance(PAYER) == RICH - PLAY_1000 - PLAY_500 + 600 * PLAY
    other = stage.json(ARBITER, "rule", agreement, 0, "50%", "--yes")
    assert other["error"]["code"] == "AlreadySettled"


def test_anyone_settles_what_a_clock_has_ended(stage: Stage) -> None:
    agreement = stage.funded()
    early = stage.json(STRANGER, "settle", agreement, 0, "--yes")
    assert early["exit_code"] == Exit.PENDING
    assert early["error"]["code"] == "NOT_DUE"
    assert "UTC (in " in early["error"]["detail"]
    assert stage.json(STRANGER, "settle", agreement, "--yes")["error"]["code"] == "NOT_DUE"

    stage.warp(15 * DAY)
    ran = stage.json(STRANGER, "settle", agreement, "--yes")

    assert len(ran["transactions"]) == 2
    assert stage.balance(PAYER) == RICH
    assert "settled already" in stage.json(STRANGER, "settle", agreement, "--yes")["done_before"]
    assert "settled already" in stage.json(STRANGER, "settle", agreement, 1, "--yes")["done_before"]


def test_a_verdict_reaches_the_chain_and_pays_without_any_keeper(stage: Stage) -> None:
    """Attestations on a relay, `attest`, the challenge window, `settle`; the tip goes to whoever settled."""
    agreement = stage.submitted()
    missing = stage.json(STRANGER, "attest", agreement, 0, "--yes")
    assert missing["exit_code"] == Exit.PENDING
    assert "0 of 2 attestations received" in missing["error"]["detail"]

    _sign(stage, agreement, MEMBERS[:1])
    assert "1 of 2 attestations" in stage.json(STRANGER, "attest", agreement, 0, "--yes")["error"]["detail"]
    _sign(stage, agreement, MEMBERS[1:2])
    stage.done(STRANGER, "attest", agreement, 0)
    assert "on chain already" in stage.json(STRANGER, "attest", agreement, 0, "--yes")["done_before"]
    assert stage.json(STRANGER, "settle", agreement, 0, "--yes")["error"]["code"] == "NOT_DUE"

    stage.warp(2 * DAY + 1)
    stage.done(STRANGER, "settle", agreement, 0)

    assert stage.balance(PAYEE) == PLAY_1000 - TIP
    assert stage.balance(STRANGER) == TIP


def test_agreements_without_attesters_end_by_the_arbiters_silence(stage: Stage) -> None:
    agreement = stage.submitted(verifier=False)
    stage.done(PAYER, "dispute", agreement, 0)
    stage.warp(7 * DAY + 1)

    stage.done(PAYEE, "settle", agreement, 0)

    assert stage.balance(PAYEE) == PLAY_500 - TIP + TIP  # half stands; the payee settled itself and keeps the tip


def test_submit_keeps_its_salt_and_a_repeat_changes_nothing(stage: Stage) -> None:
    agreement, path = stage.funded(), stage.deliverable()
    first = stage.json(PAYEE, "submit", agreement, 0, "--deliverable", path, "--yes")
    envelope = Path(first["envelope_file"])
    assert envelope.is_file()

    again = stage.json(PAYEE, "submit", agreement, 0, "--deliverable", path, "--yes")

    assert again["transactions"] == []
    assert again["deliverable"] == first["deliverable"]
    envelope.unlink()
    from_database = stage.json(PAYEE, "submit", agreement, 0, "--deliverable", path, "--yes")
    assert from_database["deliverable"] == first["deliverable"], "the salt is in the database too"
    other = stage.json(PAYEE, "submit", agreement, 0, "--deliverable", path, "--salt", "0x" + "07" * 32, "--yes")
    assert other["error"]["code"] == "USAGE"


def test_submit_refuses_a_deliverable_that_no_attester_could_judge(stage: Stage) -> None:
    agreement = stage.funded()
    path = stage.folder / "poor.json"
    path.write_text('{"version": "milepost/deliverable/1", "fields": {"commit": "c0ffee"}}')

    ran = stage.json(PAYEE, "submit", agreement, 0, "--deliverable", path, "--yes")

    assert ran["error"]["code"] == "DOCUMENT_INVALID"
    assert "missing repository" in ran["error"]["detail"]


def test_withdraw_finds_no_credit_where_every_payment_arrived(stage: Stage) -> None:
    stage.funded()
    ran = stage.json(PAYEE, "withdraw", "--yes")
    assert ran["exit_code"] == Exit.DONE
    assert "no credit" in ran["done_before"]


def test_withdraw_takes_what_could_not_be_paid_directly_and_again_only_what_is_new(stage: Stage) -> None:
    """While the token refuses transfers, payments become credits; each is taken once."""
    agreement = stage.funded()
    rpc, token = stage.deployed.anvil.rpc, stage.deployed.token
    code = rpc.call("eth_getCode", token, "latest")
    for index, units in ((0, PLAY_1000), (1, PLAY_500)):
        before = stage.balance(PAYEE)
        rpc.call("anvil_setCode", token, ALWAYS_REVERTS)
        stage.done(PAYER, "approve", agreement, index)
        rpc.call("anvil_setCode", token, code)
        assert stage.balance(PAYEE) == before

        ran = stage.json(PAYEE, "withdraw", "PLAY", "--yes")

        assert ran["transactions"][0]["title"].startswith("withdraw ")
        assert stage.balance(PAYEE) == before + units
        assert stage.json(PAYEE, "withdraw", "PLAY", "--yes")["transactions"] == []


def test_show_rebuilds_everything_from_the_chain(stage: Stage) -> None:
    """With an empty database, no terms file and no key."""
    agreement = stage.submitted()
    stage.done(PAYER, "approve", agreement, 1)
    fresh = stage.config(STRANGER, database="fresh.db", key=None, relays=[])

    shown = stage.json(fresh, "show", agreement[:10])

    first, second = shown["milestones"]
    assert shown["agreement"] == agreement
    assert first["status"] == "submitted"
    assert first["amount"] == {"units": "1000000000", "decimals": 6, "symbol": "PLAY", "text": "1,000.00"}
    assert first["unmet"]["who"] == "attesters"
    assert {(r["who"], r["action"], r["now"]) for r in first["may"]} >= {
        ("payer", "approve", True),
        ("payer", "dispute", False),
        ("attesters", "attest", True),
        ("anyone", "settle", False),
    }
    assert second["settlement"]["cause"] == "approved"
    assert second["settlement"]["to_payee"]["units"] == "500000000"
    assert shown["open"]["units"] == "1000000000"


def test_show_speaks_from_the_viewers_side_and_knows_titles(stage: Stage) -> None:
    agreement = stage.funded()
    assert "waits for you to submit" in stage.milepost(PAYEE, "show", agreement).out
    assert "1,000.00 PLAY back to you" in stage.milepost(PAYER, "show", agreement).out
    assert "Milestone 0 'Design accepted'" in stage.milepost(PAYEE, "show", agreement).out, "from the relay's document"
    with_file = stage.milepost(PAYEE, "show", agreement, "--terms", stage.terms())
    assert "Milestone 0 'Design'" in with_file.out
    assert "Acme GmbH" in with_file.out
    other = stage.json(PAYEE, "show", agreement, "--terms", stage.terms("other.yaml", salt=f'"0x{"6b" * 32}"'))
    assert other["exit_code"] == Exit.MISMATCH


def test_list_shows_what_is_open_and_when_it_moves(stage: Stage) -> None:
    assert "No agreement was funded" in stage.milepost(PAYER, "list").out
    agreement = stage.funded()

    (line,) = stage.json(PAYER, "list")["agreements"]

    assert line["agreement"] == agreement
    assert line["roles"] == ["payer"]
    assert line["open"]["text"] == "1,500.00"
    assert line["open_milestones"] == 2
    assert agreement in stage.milepost(PAYER, "list").out


def test_terms_check_id_and_sign(stage: Stage) -> None:
    checked = stage.json(PAYEE, "terms", "check", stage.terms())
    assert checked["total"]["text"] == "1,500.00"
    assert len(checked["worst_case"]) == 20
    assert not [warning for warning in checked["warnings"] if warning["severity"] == "danger"]

    signed = stage.json(PAYEE, "terms", "sign", stage.terms())
    assert _recovered(signed["agreement"], signed["signature"]) == stage.account(PAYEE)
    assert stage.json(PAYER, "terms", "sign", stage.terms())["exit_code"] == Exit.NOT_AUTHORISED
    typed = stage.json(PAYER, "terms", "sign", stage.terms(), "--unsigned")["typed_data"]
    assert typed["primaryType"] == "Terms"


def test_doctor_finds_a_healthy_setting_healthy(stage: Stage) -> None:
    ran = stage.json(PAYER, "doctor")
    assert ran["exit_code"] == Exit.DONE
    assert {c["state"] for c in ran["checks"]} <= {"ok", "warning"}
    assert "settings" in stage.milepost(PAYER, "doctor").out


def test_keeper_once_settles_and_status_tells(stage: Stage) -> None:
    stage.funded()
    stage.warp(15 * DAY)
    config = stage.config(STRANGER, keeper={"serve": "all", "listen": "127.0.0.1:0", "stagger_s": 0})

    assert stage.json(config, "keeper", "once")["exit_code"] == Exit.DONE

    assert stage.balance(PAYER) == RICH
    assert stage.json(config, "keeper", "status")["status"]["open_milestones"] == 0


def _sign(stage: Stage, agreement: str, members: tuple[int, ...]) -> None:
    """Attesters' verdicts of 100 % on milestone 0, pushed to the relay as an attester pushes them."""
    stage.follow_relay()
    shown = stage.json(PAYEE, "submit", agreement, 0, "--deliverable", stage.deliverable(), "--yes")
    quorum = Quorum(2, tuple(sorted((Address(stage.account(n)) for n in MEMBERS), key=lambda a: int(a, 16))))
    for number in members:
        signer = Signer(bytes.fromhex(KEYS[number][2:]))
        unsigned = AttestationMessage(
            chain_id=stage.deployed.deployment.chain_id,
            verifier=stage.deployed.verifier,
            escrow=stage.deployed.escrow,
            agreement=bytes.fromhex(agreement[2:]),
            quorum=quorum.hash,
            milestone=0,
            attempt=0,
            deliverable=bytes.fromhex(shown["deliverable"][2:]),
            payout_bps=10_000,
            signer=signer.address,
            signature=bytes(64),
        )
        signed = unsigned.model_copy(update={"signature": signer.sign_digest(unsigned.digest())})
        with RelayClient(stage.relay.url) as client:
            assert client.push_attestation(signed).status in ("stored", "known")


def _recovered(digest: str, signature: str) -> str:
    from keeper.protocol.quorum import recover

    return str(recover(bytes.fromhex(digest[2:]), bytes.fromhex(signature[2:])))
