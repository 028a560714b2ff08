"""What a wallet shows of each call and message, rendered offline by the reference renderer of ERC-7730."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from node_lines import NodeLines

from keeper.chain.abi import contract
from keeper.protocol.abi import amendment_to_abi, attestation_to_abi, milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.encoding import attestation_typed_data, escrow_domain, terms_typed_data, verifier_domain
from keeper.protocol.offers import amendment_typed_data, split_typed_data
from keeper.protocol.types import (
    DAY,
    ZERO_ADDRESS,
    Address,
    Agreement,
    AgreementId,
    Amendment,
    Attestation,
    Milestone,
    Split,
    Terms,
)

Json = dict[str, Any]

PLACED = json.loads((Path(__file__).resolve().parents[2] / "interfaces" / "deployment.json").read_text())["contracts"]
ESCROW, VERIFIER = (Address(PLACED[name]["address"]) for name in ("Escrow", "QuorumVerifier"))
CHAIN = 1
NOON = 1_799_150_400  # 2027-01-05 12:00 UTC


def account(number: int) -> Address:
    return Address(to_checksum_address(number.to_bytes(20, "big")))


PAYER, PAYEE, ARBITER, FEE_TO, TOKEN, CALLER = (account(0xC0FFEE0 + i) for i in range(6))
AGREEMENT = AgreementId(b"\xab" * 32)
ESCROW_DOMAIN = escrow_domain(CHAIN, ESCROW)
WALLET: Json = {
    "names": {
        PAYER.lower(): "Acme Corp",
        PAYEE.lower(): "Builders Ltd",
        ARBITER.lower(): "Town Court",
        FEE_TO.lower(): "Marketplace",
        VERIFIER.lower(): "Milepost verifier",
        ESCROW.lower(): "Milepost escrow",
        TOKEN.lower(): "Play Dollar",
    },
    "tokens": {TOKEN.lower(): {"name": "Play Dollar", "symbol": "PLAY", "decimals": 6}},
    "chains": {CHAIN: {"name": "Ethereum", "nativeCurrency": {"name": "Ether", "symbol": "ETH", "decimals": 18}}},
    "trusted": {CHAIN: {TOKEN.lower(): "erc20"}},
}
"""What a wallet knows by itself: names of accounts, tokens, chains."""

TERMS = Terms(
    payer=PAYER,
    payee=PAYEE,
    token=TOKEN,
    verifier=VERIFIER,
    quorum=b"\x07" * 32,
    arbiter=ARBITER,
    arbiter_hook=True,
    review_window=3 * DAY,
    challenge_window=2 * DAY,
    ruling_window=10 * DAY,
    unreviewed_bps=2_500,
    unruled_bps=0,
    fee_bps=150,
    fee_to=FEE_TO,
    tip=2_500_000,
    document=b"\x0d" * 32,
    salt=b"\x05" * 32,
)
SCHEDULE = (
    Milestone(1_000_000_000, NOON + 30 * DAY, b"\xc1" * 32),
    Milestone(2_500_500_000, NOON + 60 * DAY, b"\xc2" * 32),
)
DEAL = Agreement(TERMS, SCHEDULE)
PLAIN = replace(
    TERMS,
    verifier=ZERO_ADDRESS,
    quorum=bytes(32),
    arbiter=ZERO_ADDRESS,
    arbiter_hook=False,
    challenge_window=0,
    ruling_window=0,
    unreviewed_bps=0,
    fee_bps=0,
    fee_to=ZERO_ADDRESS,
    tip=0,
    document=bytes(32),
)
"""Approval and clocks only."""
IN_ETHER = Agreement(replace(PLAIN, token=ZERO_ADDRESS), (Milestone(3 * 10**17, NOON, b"\xc1" * 32),))
SIGNED = b"\x51" * 65
AUTHORIZED = "fundWithAuthorization({terms},{milestone}[],uint64,uint256,uint256,{signature})"


@pytest.fixture(scope="module")
def wallet() -> Iterator[NodeLines]:
    with NodeLines("clear_signing.mjs") as node:
        yield node


def lines(model: Json) -> list[str]:
    """The screen as text: the sentence, then label and value of each field; AssertionError on any warning."""
    assert "warnings" not in model, model["warnings"]
    found = [model.get("interpolatedIntent", model["intent"])]
    for shown in model["fields"]:
        for field in shown.get("fields", [shown]):
            assert "warning" not in field, field
            found += [field["separator"]] if "separator" in field else []
            nested = field.get("embeddedCalldata")
            found.append(f"{field['label']}: {lines(nested['display'])[0] if nested else field['value']}")
    return found


def transaction(data: bytes, value: int = 0, to: Address = ESCROW) -> Json:
    return {"chainId": CHAIN, "to": to, "data": "0x" + data.hex(), "value": str(value), "from": CALLER}


def call(name: str, *args: Any, value: int = 0) -> Json:
    return {"transaction": transaction(contract("Escrow").encode(name, *args), value), **WALLET}


def signs(typed_data: Json) -> Json:
    return {"typedData": {"account": PAYEE, **typed_data}, **WALLET}


def whole(agreement: Agreement) -> tuple[Any, Any]:
    return terms_to_abi(agreement.terms), [milestone_to_abi(m) for m in agreement.milestones]


def authorized(signature: str, *signed: Any) -> Json:
    kinds = dict(contract("Escrow").functions["fund"].inputs)
    name = AUTHORIZED.format(
        terms=kinds["terms"], milestone=kinds["milestones"].removesuffix("[]"), signature=signature
    )
    return call(name, *whole(DEAL), 0b11, NOON, NOON + DAY, *signed)


PART = part_to_abi(DEAL.part(1))
PART_IN_ETHER = part_to_abi(IN_ETHER.part(0))
VERDICT = Attestation(1, b"\xde" * 32, 7_500)
AMENDMENT = Amendment(closes=0b10, opens=0b11, as_of=NOON, deadline=NOON + DAY)
SHORTER = Agreement(PLAIN, (replace(SCHEDULE[0], amount=10**9), replace(SCHEDULE[1], amount=10**6)))

SENTENCES = {
    "fund": (
        call("fund", *whole(DEAL), 0b11),
        "Lock money for Builders Ltd: milestones 0, 1 of the schedule 1000 PLAY and 2500.5 PLAY",
    ),
    "fund in native currency": (
        call("fund", *whole(IN_ETHER), 1, value=3 * 10**17),
        "Lock money for Builders Ltd: milestone 0 of the schedule 0.3 ETH",
    ),
    "fundWithPermit": (
        call("fundWithPermit", *whole(DEAL), 0b01, NOON, 27, SIGNED[:32], SIGNED[:32]),
        "Lock money for Builders Ltd: milestone 0 of the schedule 1000 PLAY and 2500.5 PLAY",
    ),
    "fundWithAuthorization, by a key": (
        authorized("uint8,bytes32,bytes32", 27, SIGNED[:32], SIGNED[:32]),
        "Lock money of Acme Corp for Builders Ltd: milestones 0, 1 of the schedule 1000 PLAY and 2500.5 PLAY",
    ),
    "fundWithAuthorization, by a contract": (
        authorized("bytes", SIGNED),
        "Lock money of Acme Corp for Builders Ltd: milestones 0, 1 of the schedule 1000 PLAY and 2500.5 PLAY",
    ),
    "accept": (
        call("accept", *whole(DEAL), SIGNED),
        "Record that Builders Ltd accepts 1000 PLAY and 2500.5 PLAY from Acme Corp on these terms",
    ),
    "submit": (call("submit", PART, b"\xde" * 32), "Submit the work for 2500.5 PLAY of Acme Corp"),
    "attest": (
        call("attest", PART, attestation_to_abi(VERDICT), SIGNED),
        "Deliver the verdict: 75% of 2500.5 PLAY to Builders Ltd",
    ),
    "attest a rejection": (
        call("attest", PART, attestation_to_abi(replace(VERDICT, payout_bps=0)), SIGNED),
        "Deliver the verdict: 0% of 2500.5 PLAY to Builders Ltd",
    ),
    "approve": (call("approve", PART), "Approve 2500.5 PLAY to Builders Ltd"),
    "approve in native currency": (call("approve", PART_IN_ETHER), "Approve 0.3 ETH to Builders Ltd"),
    "waive": (call("waive", PART), "Give 2500.5 PLAY back to Acme Corp"),
    "agree": (
        call("agree", PART, 3_333, NOON, NOON + DAY, SIGNED, SIGNED),
        "Share 2500.5 PLAY: 33.33% to Builders Ltd, the rest back to Acme Corp",
    ),
    "amend": (
        call("amend", amendment_to_abi(AMENDMENT), *whole(DEAL), *whole(SHORTER), SIGNED, SIGNED),
        "End milestone 1 of the schedule 1000 PLAY and 2500.5 PLAY, "
        "fund milestones 0, 1 of the schedule 1000 PLAY and 1 PLAY for Builders Ltd",
    ),
    "dispute": (call("dispute", PART, b"late"), "Dispute 2500.5 PLAY before Town Court"),
    "rule": (
        call("rule", AGREEMENT, PART, 4_000),
        "Rule 40% of 2500.5 PLAY to Builders Ltd, the rest back to Acme Corp",
    ),
    "settle": (call("settle", PART), "Settle 2500.5 PLAY between Acme Corp and Builders Ltd as its clock says"),
    "settleMany": (call("settleMany", [PART, PART_IN_ETHER]), "Settle as their clocks say: 2500.5 PLAY and 0.3 ETH"),
    "withdraw": (call("withdraw", TOKEN, PAYEE), "Withdraw your whole credit in PLAY to Builders Ltd"),
    "deliver": (call("deliver", TOKEN, PAYEE), "Send Builders Ltd the whole credit in PLAY"),
    "multicall": (
        call("multicall", [contract("Escrow").encode("approve", PART)]),
        "Several calls in one",
    ),
    "Terms": (
        signs(terms_typed_data(ESCROW_DOMAIN, DEAL)),
        "Accept 1000 PLAY and 2500.5 PLAY from Acme Corp on these terms",
    ),
    "Split": (
        signs(split_typed_data(ESCROW_DOMAIN, Split(AGREEMENT, 1, 3_333, as_of=NOON, deadline=NOON + DAY))),
        f"Share milestone 1 of agreement 0x{AGREEMENT.hex()}: 33.33% to the payee, the rest back to the payer",
    ),
    "Amendment": (
        signs(amendment_typed_data(ESCROW_DOMAIN, AGREEMENT, AMENDMENT, SHORTER)),
        f"End milestone 1 of agreement 0x{AGREEMENT.hex()}, "
        "fund milestones 0, 1 of the schedule 1000 PLAY and 1 PLAY for Builders Ltd",
    ),
    "Attestation": (
        signs(attestation_typed_data(verifier_domain(CHAIN, VERIFIER), ESCROW, AGREEMENT, b"\x07" * 32, 1, VERDICT)),
        f"Judge milestone 1 of agreement 0x{AGREEMENT.hex()}: 75% to the payee",
    ),
}


@pytest.mark.parametrize(("question", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_a_wallet_says_what_it_signs_in_one_sentence(wallet: NodeLines, question: Json, sentence: str) -> None:
    assert lines(wallet.ask(question))[0] == sentence


def shown(wallet: NodeLines, name: str) -> list[str]:
    return lines(wallet.ask(SENTENCES[name][0]))[1:]


WHOLE_TERMS = [
    "Number 0",
    "Amount: 1000 PLAY",
    "Submit by: 2027-02-04 12:00:00Z",
    f"Criteria (hash): 0x{'c1' * 32}",
    "Number 1",
    "Amount: 2500.5 PLAY",
    "Submit by: 2027-03-06 12:00:00Z",
    f"Criteria (hash): 0x{'c2' * 32}",
    "Payee: Builders Ltd",
    "Payer: Acme Corp",
    "Token: Play Dollar",
    "Arbiter: Town Court",
    "Arbiter is called: true",
    "Verifier: Milepost verifier",
    f"Attesters' quorum: 0x{'07' * 32}",
    "Review within: 72:00:00",
    "Dispute within: 48:00:00",
    "Ruling within: 240:00:00",
    "Payee if unreviewed: 25%",
    "Unruled, no verifier: 0%",
    "Fee of payee's share: 1.5%",
    "Fee goes to: Marketplace",
    "Tip to who settles: 2.5 PLAY",
    f"Legal text (hash): 0x{'0d' * 32}",
]
PLAIN_TERMS = [
    "Number 0",
    "Amount: 1000 PLAY",
    "Submit by: 2027-02-04 12:00:00Z",
    f"Criteria (hash): 0x{'c1' * 32}",
    "Number 1",
    "Amount: 1 PLAY",
    "Submit by: 2027-03-06 12:00:00Z",
    f"Criteria (hash): 0x{'c2' * 32}",
    "Payee: Builders Ltd",
    "Payer: Acme Corp",
    "Token: Play Dollar",
    "Review within: 72:00:00",
    "Payee if unreviewed: 0%",
    "Unruled, no verifier: 0%",
]
OFFER = ["As things stood at: 2027-01-05 12:00:00Z", "Offer ends: 2027-01-06 12:00:00Z"]
FEE = ["Fee of payee's share: 1.5%", "Fee goes to: Marketplace"]


def test_terms_are_shown_whole_where_they_are_agreed_to(wallet: NodeLines) -> None:
    assert shown(wallet, "Terms") == WHOLE_TERMS
    assert shown(wallet, "accept") == WHOLE_TERMS
    assert shown(wallet, "fund") == ["Funds (bit set): milestones 0, 1", *WHOLE_TERMS]


def test_native_currency_is_shown_in_the_schedule_and_as_sent(wallet: NodeLines) -> None:
    screen = shown(wallet, "fund in native currency")

    assert screen[2] == "Amount: 0.3 ETH"
    assert screen[-1] == "Sent along: 0.3 ETH"


def test_an_amendment_is_shown_with_its_new_terms_whole(wallet: NodeLines) -> None:
    ends, funds = "Ends (bit set): milestone 1", "Funds (bit set): milestones 0, 1"
    before = ["Number 0", "Amount: 1000 PLAY", "Number 1", "Amount: 2500.5 PLAY"]

    assert shown(wallet, "amend") == [ends, *before, funds, *PLAIN_TERMS, *OFFER]
    from_id = f"Agreement that ends: 0x{AGREEMENT.hex()}"
    assert shown(wallet, "Amendment") == [ends, from_id, funds, *PLAIN_TERMS, *OFFER]


def test_a_party_sees_what_leaves_the_payees_share(wallet: NodeLines) -> None:
    assert shown(wallet, "approve") == [
        "Amount: 2500.5 PLAY",
        "Milestone: 1",
        "Payee: Builders Ltd",
        "Token: Play Dollar",
        *FEE,
    ]
    assert shown(wallet, "approve in native currency") == ["Amount: 0.3 ETH", "Milestone: 0", "Payee: Builders Ltd"]


def test_an_offer_is_shown_with_its_times(wallet: NodeLines) -> None:
    assert shown(wallet, "Split") == [
        "Milestone: 1",
        f"Agreement: 0x{AGREEMENT.hex()}",
        "Payee's share: 33.33%",
        *OFFER,
    ]
    assert shown(wallet, "agree")[-2:] == OFFER


def test_each_of_several_calls_is_shown(wallet: NodeLines) -> None:
    assert shown(wallet, "multicall") == ["Call: Approve 2500.5 PLAY to Builders Ltd"]


def test_a_dispute_shows_what_is_sent_to_the_arbiter(wallet: NodeLines) -> None:
    question = call("dispute", PART, b"late", value=10**16)

    assert lines(wallet.ask(question))[-3:] == [
        "Ruling within: 240:00:00",
        f"Statement: 0x{b'late'.hex()}",
        "Sent along: 0.01 ETH",
    ]


def test_the_allowance_is_shown_by_the_wallets_own_words_for_tokens(wallet: NodeLines) -> None:
    allowed = contract("ERC20").encode("approve", ESCROW, 3_500_500_000)

    screen = lines(wallet.ask({"transaction": transaction(allowed, to=TOKEN), **WALLET}))

    assert screen == ["Approve", "Spender: Milepost escrow", "Amount: 3500.5 PLAY"]


def test_a_set_of_milestones_without_words_is_shown_as_a_number_and_marked(wallet: NodeLines) -> None:
    schedule = SCHEDULE[:1] * 6
    model = wallet.ask(call("fund", terms_to_abi(TERMS), [milestone_to_abi(m) for m in schedule], 0b101001))

    assert model["fields"][0]["label"] == "Funds (bit set)"
    assert model["fields"][0]["value"] == "41"
    assert model["fields"][0]["warning"]["code"] == "FORMAT_PARAM_RESOLUTION_ERROR"


def test_a_token_that_the_wallet_does_not_know_is_marked(wallet: NodeLines) -> None:
    model = wallet.ask({**SENTENCES["approve"][0], "tokens": {}})

    assert model["fields"][0]["value"] == "2500500000"
    assert model["fields"][0]["warning"]["code"] == "UNKNOWN_TOKEN"


def test_another_contract_is_not_dressed_up_as_ours(wallet: NodeLines) -> None:
    sent, signed = (SENTENCES[name][0] for name in ("approve", "Terms"))
    elsewhere = [
        {**sent, "transaction": {**sent["transaction"], "to": PAYEE}},
        {**sent, "transaction": {**sent["transaction"], "chainId": 10}},
        {**signed, "typedData": {**signed["typedData"], "domain": {**signed["typedData"]["domain"], "name": "Mile"}}},
        {**signed, "typedData": {**signed["typedData"], "domain": {**signed["typedData"]["domain"], "chainId": 10}}},
        {**signed, "typedData": {**signed["typedData"], "domain": {**signed["typedData"]["domain"], "version": "2"}}},
    ]

    for question in elsewhere:
        assert "intent" not in wallet.ask(question)
