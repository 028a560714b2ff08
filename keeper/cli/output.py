"""How results and errors look: one JSON shape, one error layout, colour only on a terminal."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text

from keeper.errors import MilepostError

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS = "docs/reference/errors.md"


def console(stream: TextIO, pipe_width: int) -> Console:
    """A rich console on a stream: colour only on a terminal, NO_COLOR honoured, nothing highlighted by itself."""
    return Console(file=stream, highlight=False, width=None if stream.isatty() else pipe_width)


def envelope(schema: str, command: str, run_id: str | None, exit_code: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """The frame of every JSON answer; fields are only ever added."""
    return {"schema": schema, "command": command, "run_id": run_id, "exit_code": exit_code, **data}


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON object on stdout, in one piece."""
    import orjson

    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    sys.stdout.flush()


def error_json(error: MilepostError) -> dict[str, str]:
    """An error for machines."""
    return {
        "code": error.code,
        "title": error.title,
        "detail": error.cause,
        "retry": error.retry.value,
        "moved": error.moved.value,
        "money": error.money,
        "fix": error.hint,
        "docs": DOCS,
    }


def print_error(stderr: Console, error: MilepostError) -> None:
    """What happened, why, what moved; then one thing that helps."""
    lines = [Text.assemble(("error:", "bold red"), " ", (error.title, "bold"))]
    for name, text in (("cause", error.cause), ("money", error.money)):
        if text:
            lines.append(_indented(name, text))
    lines.append(Text())
    lines.append(Text.assemble(("hint:", "bold cyan"), " ", error.hint))
    for line in lines:
        stderr.print(line, soft_wrap=True)


def _indented(name: str, text: str) -> Text:
    first, *rest = text.splitlines()
    body = "".join(f"\n         {line}" for line in rest)
    return Text.assemble("  ", (f"{name}:", "bold"), " ", first + body)


def print_traceback(stderr: Console, error: BaseException) -> None:
    """The whole traceback, for -vv."""
    import traceback

    stderr.print("".join(traceback.format_exception(error)), markup=False, soft_wrap=True, end="")


def configure_logs(verbose: int) -> None:
    """Log lines of a command on stderr: none without -v, -v every step, -vv all. Its result and errors say the rest."""
    import structlog

    level = {0: logging.CRITICAL, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s", force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False)
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(key_order=["level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
