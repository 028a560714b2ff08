from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import relay_world as world

from keeper.store.engine import Store, open_store


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Store]:
    """A database that has seen nothing."""
    store = open_store(tmp_path / "m.db")
    yield store
    store.close()


@pytest.fixture
def store(empty: Store) -> Store:
    """A ledger with one agreement, whose first milestone is submitted."""
    world.fill(empty)
    return empty
