"""What every test shares."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Nothing here judges by the clock on the wall: these machines are shared. In CI the examples are always the same.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("house"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "house")


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command run inside a test sets up the log of its process; the next test begins without that."""
    yield
    structlog.reset_defaults()
