"""A panel's member votes with an ordinary wallet, and anyone delivers it to the real contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chainlab import ARTIFACTS, KEYS, Deployed
from eth_abi.abi import encode
from eth_account import Account

from keeper.chain.abi import contract
from keeper.chain.blocks import head
from keeper.chain.contract_call import call
from keeper.protocol.abi import milestone_to_abi, part_to_abi, terms_to_abi
from keeper.protocol.encoding import agreement_id, escrow_domain
from keeper.protocol.panel import Vote, panel_domain, vote_digest, vote_typed_data
from keeper.protocol.types import ZERO_ADDRESS, Address, Agreement, AgreementId, Domain, Milestone, Terms

pytestmark = pytest.mark.chain

DAY = 86_400
MEMBERS = sorted((Account.from_key(key) for key in KEYS[4:8]), key=lambda account: int(account.address, 16))
FIRST, ON_APPEAL = MEMBERS[:1], MEMBERS[1:]


def deploy_panel(chain: Deployed) -> Address:
    """A panel of one, an appeal panel of three, without fee and bond."""
    artifact = json.loads((ARTIFACTS / "PanelArbiter.sol" / "PanelArbiter.json").read_text())
    panels = [[member.address for member in panel] for panel in (FIRST, ON_APPEAL)]
    arguments = encode(["address[]", "address[]", "uint128", "uint128"], [*panels, 0, 0])
    return chain.anvil.deploy(chain.anvil.accounts[0], bytes.fromhex(artifact["bytecode"]["object"][2:]) + arguments)


def disputed(chain: Deployed, panel: Address) -> AgreementId:
    """A submission that its payer disputes; nobody but the panel judges."""
    payer, payee = chain.anvil.accounts[1:3]
    terms = Terms(
        payer=payer,
        payee=payee,
        token=chain.token,
        verifier=ZERO_ADDRESS,
        quorum=bytes(32),
        arbiter=panel,
        arbiter_hook=True,
        review_window=DAY,
        challenge_window=0,
        ruling_window=10 * DAY,
        unreviewed_bps=0,
        unruled_bps=0,
        fee_bps=0,
        fee_to=ZERO_ADDRESS,
        tip=0,
        document=bytes(32),
        salt=bytes(32),
    )
    agreement = Agreement(terms, (Milestone(10**6, head(chain.anvil.rpc).time + DAY, bytes(32)),))
    token, escrow = contract("ERC20"), contract("Escrow")
    part = part_to_abi(agreement.part(0))
    schedule = [milestone_to_abi(m) for m in agreement.milestones]
    chain.anvil.send(payer, chain.token, token.encode("mint", payer, 10**6))
    chain.anvil.send(payer, chain.token, token.encode("approve", chain.escrow, 10**6))
    chain.anvil.send(payer, chain.escrow, escrow.encode("fund", terms_to_abi(terms), schedule, 1))
    chain.anvil.send(payee, chain.escrow, escrow.encode("submit", part, b"\x01" * 32))
    chain.anvil.send(payer, chain.escrow, escrow.encode("dispute", part, b"not what we agreed"))
    return agreement_id(escrow_domain(chain.deployment.chain_id, chain.escrow), terms, agreement.milestones)


def read(chain: Deployed, panel: Address, name: str, *args: Any) -> tuple[Any, ...]:
    codec = contract("PanelArbiter")
    return codec.decode_result(name, call(chain.anvil.rpc, panel, codec.encode(name, *args)))


def vote_of(chain: Deployed, id_: AgreementId) -> Vote:
    return Vote(Address(FIRST[0].address), chain.escrow, id_, 0, 6_250, head(chain.anvil.rpc).time + 10 * DAY)


def domain_of(chain: Deployed, panel: Address) -> Domain:
    return panel_domain(chain.deployment.chain_id, panel)


def test_the_contracts_digest_is_the_specifications(chain: Deployed) -> None:
    panel = deploy_panel(chain)
    vote = vote_of(chain, AgreementId(b"\x05" * 32))
    case = (vote.escrow, vote.agreement, vote.milestone)

    assert read(chain, panel, "digest", case, vote.member, vote.payee_bps, vote.deadline) == (
        vote_digest(domain_of(chain, panel), vote),
    )
    _, name, version, chain_id, address, _, _ = read(chain, panel, "eip712Domain")
    assert Domain(name, version, chain_id, address) == domain_of(chain, panel)


def test_a_vote_signed_by_an_ordinary_wallet_counts_whoever_delivers_it(chain: Deployed) -> None:
    panel = deploy_panel(chain)
    vote = vote_of(chain, disputed(chain, panel))
    case = (vote.escrow, vote.agreement, vote.milestone)
    shown = json.loads(json.dumps(vote_typed_data(domain_of(chain, panel), vote)))
    signature = bytes(FIRST[0].sign_typed_data(full_message=shown).signature)
    chain.anvil.warp(2 * DAY + 1)

    ballot = (vote.member, vote.payee_bps, vote.deadline, signature)
    chain.anvil.send(chain.anvil.accounts[9], panel, contract("PanelArbiter").encode("deliverVotes", case, [ballot]))

    assert read(chain, panel, "tally", case, 1) == (1, True, 6_250)
