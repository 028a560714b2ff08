"""Fixtures that start a real chain: one anvil for the session, put back after each test; or one of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chainlab import Anvil, Deployed, build_contracts, deploy_all, start_anvil


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    """The session's chain. Tests that change it take `chain` instead."""
    running = start_anvil()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def deployed(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Escrow, QuorumVerifier and PlayDollar on the session's chain, with their deployment file."""
    build_contracts()
    return deploy_all(anvil, tmp_path_factory.mktemp("deployments"))


@pytest.fixture
def chain(deployed: Deployed) -> Iterator[Deployed]:
    """The session's chain with its contracts, put back as it was when the test ends."""
    with deployed.anvil.undone():
        yield deployed


@pytest.fixture
def new_anvil() -> Iterator[Callable[..., Anvil]]:
    """Start a chain of the test's own, with anvil's options; ended with the test."""
    running: list[Anvil] = []

    def start(*options: str) -> Anvil:
        running.append(start_anvil(*options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def own_chain(new_anvil: Callable[..., Anvil], tmp_path: Path) -> Deployed:
    """A fresh chain with its contracts, for tests that reorganise it, stop it or count its blocks."""
    build_contracts()
    return deploy_all(new_anvil(), tmp_path)
