"""Where daemons write their log: standard error, key=value for people on a terminal, JSON lines for machines."""

from __future__ import annotations

import sys

import structlog


def log_to_stderr() -> None:
    """Send the log to standard error, unless the program that calls has set it up already."""
    if structlog.is_configured():
        return
    shape: structlog.typing.Processor
    shape = structlog.dev.ConsoleRenderer(colors=False) if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            shape,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
