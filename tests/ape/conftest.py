"""Deploys as scripts/deploy.py does, on whatever chain `ape test --network` names (in-process py-evm, or anvil)."""

from __future__ import annotations

import pytest
from ape import accounts, project
from ape_stage import AMOUNT, Stage

from scripts.deploy import deploy


@pytest.fixture(scope="session")
def stage(networks) -> Stage:  # type: ignore[no-untyped-def]
    """Everything deployed through the CREATE2 factory, and a payer with play money."""
    provider = networks.active_provider
    users = accounts.test_accounts
    record = deploy(provider, users[0], {}, play_money=True)
    token = project.PlayDollar.at(record["tokens"]["PLAY"]["address"])
    token.mint(users[1], 100 * AMOUNT, sender=users[0])
    return Stage(
        record=record,
        escrow=project.Escrow.at(record["escrow"]["address"]),
        verifier=project.QuorumVerifier.at(record["contracts"]["QuorumVerifier"]["address"]),
        token=token,
        provider=provider,
        payer=users[1],
        payee=users[2],
        arbiter=users[3],
        stranger=users[7],
        attesters=[users[4], users[5], users[6]],
    )
