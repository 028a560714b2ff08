"""What every test shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command run inside a test sets up the log of its process; the next test begins without that."""
    yield
    structlog.reset_defaults()
