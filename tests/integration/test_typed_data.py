"""What people sign has one hash for our code, eth_account, viem in Node.js and the contracts, and is shown whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from chainlab import KEYS, Deployed
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from node_lines import NodeLines
from typed_messages import AGREEMENT, MESSAGES, Message, any_of, highest, lowest

from keeper.chain.abi import contract
from keeper.chain.blocks import head
from keeper.chain.contract_call import ContractRefused, call
from keeper.protocol.abi import amendment_to_abi, attestation_to_abi, milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.encoding import agreement_id, escrow_domain, terms_typed_data, verifier_domain
from keeper.protocol.offers import amendment_typed_data, split_typed_data
from keeper.protocol.types import (
    DAY,
    MAX_UINT40,
    MAX_WINDOW,
    ZERO_ADDRESS,
    Agreement,
    Amendment,
    Domain,
    Milestone,
    Split,
    Terms,
)

Json = dict[str, Any]

PAYER, PAYEE, STRANGER = (Account.from_key(key) for key in KEYS[1:4])
names = pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
on_chain = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def viem() -> Iterator[NodeLines]:
    with NodeLines("typed_data.mjs") as node:
        yield node


def as_wallets_take_it(typed_data: Json) -> Json:
    """Through JSON, as it reaches a wallet."""
    shown: Json = json.loads(json.dumps(typed_data))
    return shown


def hash_by_eth_account(typed_data: Json) -> bytes:
    message = encode_typed_data(full_message=as_wallets_take_it(typed_data))
    return keccak(b"\x19" + message.version + message.header + message.body)


def sign(signer: Any, typed_data: Json) -> bytes:
    return bytes(signer.sign_typed_data(full_message=as_wallets_take_it(typed_data)).signature)


# Every library


def expect_one_hash(viem: NodeLines, message: Message, domain: Domain, values: tuple[Any, ...]) -> None:
    digest = message.digest(domain, *values)
    shown = message.typed_data(domain, *values)

    assert hash_by_eth_account(shown) == digest
    assert viem.ask(shown) == "0x" + digest.hex()


@names
@given(data=st.data())
@settings(max_examples=50)
def test_our_code_eth_account_and_viem_hash_any_message_alike(
    viem: NodeLines, message: Message, data: st.DataObject
) -> None:
    domain = message.domain(data.draw(st.integers(1, 2**53 - 1)), data.draw(any_of("address")))

    expect_one_hash(viem, message, domain, tuple(data.draw(any_of(what)) for what in message.takes))


@names
@pytest.mark.parametrize("edge", [lowest, highest])
def test_our_code_eth_account_and_viem_hash_the_extremes_alike(viem: NodeLines, message: Message, edge: Any) -> None:
    domain = message.domain(1, edge("address"))

    expect_one_hash(viem, message, domain, tuple(edge(what) for what in message.takes))


# All of it shown


OPAQUE = {
    "agreement": "an agreement's id: the parties have its terms",
    "from": "the id of the agreement that ends",
    "quorum": "a quorum's hash: its members stand in the terms file",
    "criteria": "a document's hash",
    "document": "a document's hash",
    "deliverable": "a document's hash",
    "salt": "random",
    "digest": "the hash of a verdict, which a service signs and no person",
}
"""The only 32 bytes that a wallet shows as such, and why nothing more can stand there."""


def shown_fields(typed_data: Json, kind: str, value: Any) -> Iterator[tuple[str, str]]:
    """(name, type) of every plain field that a wallet shows; AssertionError where type and value differ."""
    if kind.endswith("[]"):
        assert isinstance(value, list)
        for item in value:
            yield from shown_fields(typed_data, kind.removesuffix("[]"), item)
        return
    declared = typed_data["types"][kind]
    assert list(value) == [member["name"] for member in declared]
    for member in declared:
        if member["type"].removesuffix("[]") in typed_data["types"]:
            yield from shown_fields(typed_data, member["type"], value[member["name"]])
        else:
            yield member["name"], member["type"]


@names
def test_a_wallet_shows_every_field_and_no_hash_where_a_field_could_stand(message: Message) -> None:
    typed_data = message.typed_data(message.domain(1, lowest("address")), *(highest(what) for what in message.takes))

    shown = list(shown_fields(typed_data, typed_data["primaryType"], typed_data["message"]))

    assert {name for name, kind in shown if kind.startswith("bytes")} <= set(OPAQUE)
    agreements = message.takes.count(AGREEMENT)
    assert sum(name == "payer" for name, _ in shown) == agreements
    assert sum(name == "amount" for name, _ in shown) == agreements * len(highest(AGREEMENT).milestones)


@names
def test_a_wallet_gets_plain_json_without_lost_digits(message: Message) -> None:
    typed_data = message.typed_data(message.domain(1, lowest("address")), *(highest(what) for what in message.takes))

    def check(value: Any) -> None:
        if isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                check(item)
        elif isinstance(value, int):
            assert value < 2**53, "JavaScript would round this number"
        else:
            assert re.fullmatch(r"[\w .\[\]]*", value)

    check(typed_data)


# The contracts


def read(chain: Deployed, name: str, address: str, function: str, *args: Any) -> Any:
    codec = contract(name)
    (answer,) = codec.decode_result(function, call(chain.anvil.rpc, address, codec.encode(function, *args)))
    return answer


def schedule(agreement: Agreement) -> list[tuple[Any, ...]]:
    return [milestone_to_abi(m) for m in agreement.milestones]


def escrow_of(chain: Deployed) -> Domain:
    return escrow_domain(chain.deployment.chain_id, chain.escrow)


@pytest.mark.chain
@on_chain
@given(agreement=any_of(AGREEMENT))
def test_the_escrows_id_is_the_hash_of_the_terms_that_a_wallet_shows(deployed: Deployed, agreement: Agreement) -> None:
    shown = terms_typed_data(escrow_of(deployed), agreement)

    answer = read(
        deployed, "Escrow", deployed.escrow, "agreementId", terms_to_abi(agreement.terms), schedule(agreement)
    )

    assert answer == hash_by_eth_account(shown)


@pytest.mark.chain
@on_chain
@given(data=st.data())
def test_the_verifiers_digest_is_the_hash_of_the_attestation_that_a_wallet_shows(
    deployed: Deployed, data: st.DataObject
) -> None:
    message = MESSAGES["Attestation"]
    *about, verdict = (data.draw(any_of(what)) for what in message.takes)
    shown = message.typed_data(verifier_domain(deployed.deployment.chain_id, deployed.verifier), *about, verdict)

    answer = read(deployed, "QuorumVerifier", deployed.verifier, "digest", *about, attestation_to_abi(verdict))

    assert answer == hash_by_eth_account(shown)


@pytest.mark.chain
@on_chain
@given(agreement=any_of(AGREEMENT))
def test_the_escrow_takes_the_payees_signature_over_the_terms_that_his_wallet_shows(
    deployed: Deployed, agreement: Agreement
) -> None:
    agreement = replace(agreement, terms=replace(agreement.terms, payee=PAYEE.address))
    signature = sign(PAYEE, terms_typed_data(escrow_of(deployed), agreement))

    accept = (terms_to_abi(agreement.terms), schedule(agreement), signature)
    id_ = read(deployed, "Escrow", deployed.escrow, "accept", *accept)

    assert id_ == agreement_id(escrow_of(deployed), agreement.terms, agreement.milestones)


@pytest.fixture
def funded(chain: Deployed) -> Agreement:
    """Three milestones of two parties, all open; whoever calls `amend` can pay whatever is missing."""
    now = head(chain.anvil.rpc).time
    milestones = tuple(Milestone(10**6 * (i + 1), now + DAY, bytes([i] * 32)) for i in range(3))
    agreement = Agreement(plain_terms(chain, bytes(32)), milestones)
    token, escrow = contract("ERC20"), contract("Escrow")
    for who in (PAYER.address, STRANGER.address):
        chain.anvil.send(who, chain.token, token.encode("mint", who, 2**200))
        chain.anvil.send(who, chain.token, token.encode("approve", chain.escrow, 2**256 - 1))
    fund = escrow.encode("fund", terms_to_abi(agreement.terms), schedule(agreement), 0b111)
    chain.anvil.send(PAYER.address, chain.escrow, fund)
    return agreement


def plain_terms(chain: Deployed, salt: bytes) -> Terms:
    """Nobody judges: approval, consent and clocks only."""
    return replace(
        lowest(MESSAGES["Terms"].takes[0]).terms,
        payer=PAYER.address,
        payee=PAYEE.address,
        token=chain.token,
        review_window=DAY,
        salt=salt,
    )


def deliver(chain: Deployed, function: str, *args: Any) -> bytes:
    """What a stranger's call would return, on top of the last block; ContractRefused when it reverts."""
    calldata = contract("Escrow").encode(function, *args)
    return call(chain.anvil.rpc, chain.escrow, calldata, sender=STRANGER.address)


@pytest.mark.chain
@on_chain
@given(data=st.data())
def test_the_escrow_takes_both_signatures_over_the_split_that_wallets_show(
    chain: Deployed, funded: Agreement, data: st.DataObject
) -> None:
    now = head(chain.anvil.rpc).time
    split = Split(
        agreement_id(escrow_of(chain), funded.terms, funded.milestones),
        milestone=data.draw(st.integers(0, 2)),
        payee_bps=data.draw(st.integers(0, 10_000)),
        as_of=data.draw(st.integers(1, now)),
        deadline=data.draw(st.integers(now + DAY, MAX_UINT40)),
    )
    shown = split_typed_data(escrow_of(chain), split)
    signatures = sign(PAYER, shown), sign(PAYEE, shown)

    def agree(offered: Split) -> bytes:
        part = part_to_abi(funded.part(offered.milestone))
        return deliver(chain, "agree", part, offered.payee_bps, offered.as_of, offered.deadline, *signatures)

    assert agree(split) == b""
    for changed in (
        replace(split, milestone=(split.milestone + 1) % 3),
        replace(split, payee_bps=(split.payee_bps + 1) % 10_001),
        replace(split, as_of=split.as_of % now + 1),
        replace(split, deadline=split.deadline - 1),
    ):
        with pytest.raises(ContractRefused, match="NotSignedBy"):
            agree(changed)


@st.composite
def fundable(draw: st.DrawFn, chain: Deployed) -> Agreement:
    """Terms that funding accepts, of the two parties, in the token."""
    horizon = st.integers(head(chain.anvil.rpc).time + DAY, head(chain.anvil.rpc).time + 3_000 * DAY)
    lines = st.builds(Milestone, st.integers(1, 2**128 - 1), horizon, any_of("bytes32"))
    milestones = tuple(draw(st.lists(lines, min_size=1, max_size=4)))
    window = st.integers(1, MAX_WINDOW)
    attested, arbitrated, fee_bps = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 10_000))
    terms = replace(
        plain_terms(chain, draw(any_of("bytes32"))),
        verifier=chain.verifier if attested else ZERO_ADDRESS,
        quorum=b"\x07" * 32 if attested else bytes(32),
        arbiter=chain.verifier if arbitrated else ZERO_ADDRESS,  # some contract: nobody disputes here
        arbiter_hook=arbitrated and draw(st.booleans()),
        review_window=draw(window),
        challenge_window=draw(window) if attested and arbitrated else 0,
        ruling_window=draw(window) if arbitrated else 0,
        unreviewed_bps=draw(st.integers(0, 10_000)) if arbitrated else 0,
        unruled_bps=draw(st.integers(0, 10_000)) if arbitrated and not attested else 0,
        fee_bps=fee_bps,
        fee_to=STRANGER.address if fee_bps else ZERO_ADDRESS,
        tip=draw(st.integers(0, min(*(m.amount // 10 for m in milestones), 2**96 - 1))),
        document=draw(any_of("bytes32")),
    )
    return Agreement(terms, milestones)


@pytest.mark.chain
@on_chain
@given(data=st.data())
def test_the_escrow_takes_both_signatures_over_the_amendment_that_wallets_show(
    chain: Deployed, funded: Agreement, data: st.DataObject
) -> None:
    now = head(chain.anvil.rpc).time
    source = agreement_id(escrow_of(chain), funded.terms, funded.milestones)
    target = data.draw(fundable(chain))
    amendment = Amendment(
        closes=data.draw(st.integers(1, 0b111)),
        opens=data.draw(st.integers(1, 2 ** len(target.milestones) - 1)),
        as_of=data.draw(st.integers(1, now)),
        deadline=data.draw(st.integers(now + DAY, MAX_UINT40)),
    )
    shown = amendment_typed_data(escrow_of(chain), source, amendment, target)
    signatures = sign(PAYER, shown), sign(PAYEE, shown)

    def amend(offered: Amendment, to: Agreement) -> bytes:
        agreements = [value for a in (funded, to) for value in (terms_to_abi(a.terms), schedule(a))]
        return deliver(chain, "amend", amendment_to_abi(offered), *agreements, *signatures)

    assert amend(amendment, target) == agreement_id(escrow_of(chain), target.terms, target.milestones)
    other_salt = replace(target.terms, salt=bytes(b ^ 1 for b in target.terms.salt))
    first, *rest = target.milestones
    later = replace(first, submit_by=first.submit_by + 1)
    for offered, to in (
        (replace(amendment, closes=amendment.closes % 7 + 1), target),
        (replace(amendment, opens=amendment.opens + 64), target),
        (replace(amendment, as_of=amendment.as_of % now + 1), target),
        (replace(amendment, deadline=amendment.deadline - 1), target),
        (amendment, replace(target, terms=other_salt)),
        (amendment, replace(target, milestones=(later, *rest))),
    ):
        with pytest.raises(ContractRefused, match="NotSignedBy"):
            amend(offered, to)
