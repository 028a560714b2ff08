"""The escrow's views and refusals, read from the real contract and held against the specification."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chainlab import KEYS, Deployed

from keeper.chain.abi import contract
from keeper.chain.blocks import head
from keeper.chain.contract_call import ContractRefused, call, estimate_gas
from keeper.chain.escrow import Escrow
from keeper.chain.rpc import Rpc
from keeper.chain.signer import Signer
from keeper.chain.token import Token
from keeper.errors import MilepostError
from keeper.protocol.abi import attestation_to_abi, milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.due import due, latest
from keeper.protocol.encoding import (
    agreement_id,
    attestation_digest,
    escrow_domain,
    verifier_domain,
)
from keeper.protocol.quorum import Quorum, assemble_proof
from keeper.protocol.types import (
    MAX_UINT40,
    UNTOUCHED,
    ZERO_ADDRESS,
    Agreement,
    AgreementId,
    Attestation,
    Cause,
    Domain,
    Milestone,
    MilestoneState,
    Status,
    Terms,
)

pytestmark = pytest.mark.chain

MEMBERS = [Signer(bytes.fromhex(key[2:])) for key in KEYS[4:7]]
DELIVERABLE = bytes(range(1, 33))


def agreement_on(chain: Deployed) -> Agreement:
    """Two milestones, 2 of 3 attesters, no arbiter: a verdict pays at once."""
    accounts = chain.anvil.accounts
    quorum = Quorum(2, tuple(sorted((m.address for m in MEMBERS), key=lambda a: int(a, 16))))
    terms = Terms(
        payer=accounts[1],
        payee=accounts[2],
        token=chain.token,
        verifier=chain.verifier,
        quorum=quorum.hash,
        arbiter=ZERO_ADDRESS,
        arbiter_hook=False,
        review_window=1_000,
        challenge_window=0,
        ruling_window=0,
        unreviewed_bps=0,
        unruled_bps=0,
        fee_bps=0,
        fee_to=ZERO_ADDRESS,
        tip=1_000,
        document=bytes(32),
        salt=b"\x07" * 32,
    )
    by = head(chain.anvil.rpc).time + 10_000
    return Agreement(terms, (Milestone(10**6, by, bytes(32)), Milestone(2 * 10**6, by + 1, b"\x01" * 32)))


def domain(chain: Deployed) -> Domain:
    return escrow_domain(chain.deployment.chain_id, chain.escrow)


def fund_calldata(agreement: Agreement, mask: int = 0b11) -> bytes:
    milestones = [milestone_to_abi(m) for m in agreement.milestones]
    return contract("Escrow").encode("fund", terms_to_abi(agreement.terms), milestones, mask)


def fund(chain: Deployed, agreement: Agreement) -> AgreementId:
    total = sum(m.amount for m in agreement.milestones)
    payer, erc20 = agreement.terms.payer, contract("ERC20")
    chain.anvil.send(payer, chain.token, erc20.encode("mint", payer, total))
    chain.anvil.send(payer, chain.token, erc20.encode("approve", chain.escrow, total))
    chain.anvil.send(payer, chain.escrow, fund_calldata(agreement))
    return agreement_id(domain(chain), agreement.terms, agreement.milestones)


def submit(chain: Deployed, agreement: Agreement, index: int) -> int:
    """The payee submits; returns the block's timestamp."""
    calldata = contract("Escrow").encode("submit", part_to_abi(agreement.part(index)), DELIVERABLE)
    chain.anvil.send(agreement.terms.payee, chain.escrow, calldata)
    return head(chain.anvil.rpc).time


def escrow_of(chain: Deployed) -> Escrow:
    return Escrow(chain.anvil.rpc, chain.escrow)


def test_an_agreement_never_funded_reads_as_nothing(chain: Deployed) -> None:
    agreement, escrow = agreement_on(chain), escrow_of(chain)
    identity = agreement_id(domain(chain), agreement.terms, agreement.milestones)

    assert escrow.agreement_id(agreement) == identity
    assert escrow.state(identity) == (0, 0)
    found = escrow.due(agreement.part(0))
    assert (found.cause, found.share, found.ready_at) == (Cause.NONE, 0, MAX_UINT40)


def test_views_agree_with_the_specification(chain: Deployed) -> None:
    agreement, escrow = agreement_on(chain), escrow_of(chain)
    identity = fund(chain, agreement)
    since = submit(chain, agreement, 0)
    submitted = MilestoneState(Status.SUBMITTED, 0, since, DELIVERABLE[:24], 0)

    assert escrow.state(identity) == (0b11, 0)
    assert escrow.milestone(identity, 0) == submitted
    assert escrow.milestone(identity, 1) == UNTOUCHED
    assert escrow.due(agreement.part(0)) == due(agreement.terms, agreement.milestones[0], submitted)
    assert escrow.due(agreement.part(1)) == due(agreement.terms, agreement.milestones[1], UNTOUCHED)
    assert escrow.latest(agreement.part(1)) == latest(agreement.terms, agreement.milestones[1])
    assert escrow.credit(chain.token, agreement.terms.payee) == 0


def test_a_view_pinned_to_a_block_reads_that_block(chain: Deployed) -> None:
    agreement, escrow = agreement_on(chain), escrow_of(chain)
    identity = fund(chain, agreement)
    before = head(chain.anvil.rpc)
    submit(chain, agreement, 0)

    assert escrow.milestone(identity, 0, before.hash) == UNTOUCHED
    assert escrow.milestone(identity, 0, before.number) == UNTOUCHED
    assert escrow.milestone(identity, 0).status == Status.SUBMITTED


def test_a_refusal_is_named_with_its_facts(chain: Deployed) -> None:
    agreement, escrow = agreement_on(chain), escrow_of(chain)
    fund(chain, agreement)
    settle = contract("Escrow").encode("settle", part_to_abi(agreement.part(0)))

    with pytest.raises(ContractRefused) as caught:
        escrow.simulate(agreement.terms.payee, chain.escrow, settle)

    assert caught.value.name == "TooEarly"
    assert caught.value.arguments["firstSecond"] == agreement.milestones[0].submit_by + 1
    assert caught.value.to_error("Milestone 0 cannot be settled").retry == "retry"


def test_a_gas_estimate_is_refused_in_the_same_words(chain: Deployed) -> None:
    agreement = agreement_on(chain)
    fund(chain, agreement)
    calldata = contract("Escrow").encode("approve", part_to_abi(agreement.part(0)))

    assert 30_000 < estimate_gas(chain.anvil.rpc, agreement.terms.payer, chain.escrow, calldata) < 400_000
    with pytest.raises(ContractRefused) as caught:
        estimate_gas(chain.anvil.rpc, agreement.terms.payee, chain.escrow, calldata)
    assert (caught.value.name, caught.value.arguments["payer"]) == ("NotPayer", agreement.terms.payer)


def test_a_wrong_part_is_refused_by_a_view(chain: Deployed) -> None:
    part = agreement_on(chain).part(0)

    with pytest.raises(ContractRefused) as caught:
        escrow_of(chain).due(replace(part, index=9))
    assert caught.value.name == "IndexOutsideSchedule"


def test_funding_without_allowance_is_refused_with_a_reason(chain: Deployed) -> None:
    agreement = agreement_on(chain)

    with pytest.raises(ContractRefused) as caught:
        call(chain.anvil.rpc, chain.escrow, fund_calldata(agreement), sender=agreement.terms.payer)
    assert caught.value.name in ("TransferFromFailed", "ERC20InsufficientAllowance")


def test_value_that_the_sender_lacks_is_told(chain: Deployed) -> None:
    with pytest.raises(MilepostError) as caught:
        call(chain.anvil.rpc, chain.escrow, b"", sender="0x" + "11" * 20, value=1)
    assert caught.value.code == "INSUFFICIENT_FUNDS"


def test_signed_attestations_in_a_signed_transaction_pay_the_payee(chain: Deployed) -> None:
    agreement, rpc = agreement_on(chain), chain.anvil.rpc
    identity = fund(chain, agreement)
    submit(chain, agreement, 0)
    verdict = Attestation(0, DELIVERABLE, 10_000)
    quorum = Quorum(2, tuple(sorted((m.address for m in MEMBERS), key=lambda a: int(a, 16))))
    digest = attestation_digest(
        verifier_domain(chain.deployment.chain_id, chain.verifier), chain.escrow, identity, quorum.hash, 0, verdict
    )
    proof = assemble_proof(quorum, {m.address: m.sign_digest(digest) for m in MEMBERS})
    calldata = contract("Escrow").encode("attest", part_to_abi(agreement.part(0)), attestation_to_abi(verdict), proof)
    keeper = Signer(bytes.fromhex(KEYS[3][2:]))
    raw, tx_hash = keeper.sign_transaction(
        {
            "chainId": chain.deployment.chain_id,
            "nonce": int(rpc.call("eth_getTransactionCount", keeper.address, "latest"), 16),
            "to": chain.escrow,
            "value": 0,
            "data": calldata,
            "gas": 300_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
        }
    )

    receipt = rpc.call("eth_sendRawTransactionSync", "0x" + raw.hex())

    assert (receipt["status"], receipt["transactionHash"]) == ("0x1", "0x" + tx_hash.hex())
    assert Token(rpc, chain.token).balance(agreement.terms.payee) == 10**6 - 1_000
    assert Token(rpc, chain.token).balance(keeper.address) == 1_000
    assert escrow_of(chain).state(identity) == (0b11, 0b01)


def test_a_transaction_that_a_node_holds_already_counts_as_sent(own_chain: Deployed) -> None:
    anvil, signer = own_chain.anvil, Signer(bytes.fromhex(KEYS[3][2:]))
    anvil.rpc.call("evm_setAutomine", False)
    raw, _ = signer.sign_transaction(
        {
            "chainId": own_chain.deployment.chain_id,
            "nonce": 0,
            "to": signer.address,
            "value": 0,
            "data": b"",
            "gas": 21_000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
        }
    )
    rpc = Rpc([anvil.url, anvil.url])

    first, second = rpc.broadcast("0x" + raw.hex())

    assert (first.ok, first.known) == (True, False)
    assert (second.ok, second.known) == (True, True)
    anvil.mine()
    again = rpc.broadcast("0x" + raw.hex())[0]
    assert not again.ok
    assert "nonce" in again.message.lower()
