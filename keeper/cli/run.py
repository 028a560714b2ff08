"""One run of one command: where its words go, how it ends.

Data goes to stdout, everything else to stderr. With --json stdout carries exactly one JSON object, errors included.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keeper.errors import MONEY, Exit, MilepostError, Moved

if TYPE_CHECKING:
    from rich.console import Console

    from keeper.commands.context import Session

PIPE_WIDTH = 160
"""Columns where stdout is no terminal: wide enough that tables keep whole ids and hashes."""


@dataclass(frozen=True, slots=True)
class Options:
    """The shared options as given; commands that only read leave the sending ones at their defaults."""

    config: Path | None = None
    as_json: bool = False
    verbose: int = 0
    yes: bool = False
    dry_run: bool = False
    unsigned: bool = False
    acting_as: str | None = None
    wait_s: int = 120


class Run:
    """What a command writes to, and what is known about money while it works."""

    def __init__(self, command: str, options: Options) -> None:
        self.command = command
        self.options = options
        self.run_id: str | None = None
        self._moved = Moved.NONE
        self._money = MONEY[Moved.NONE]

    def guard(self, body: Callable[[Run], int | None]) -> int:
        """Run the body; its exit code (None is 0). Whatever it raises becomes words, or JSON, and an exit code."""
        try:
            return body(self) or Exit.DONE
        except MilepostError as error:
            return self.fail(self._with_money(error))
        except KeyboardInterrupt:
            return self.fail(self._interrupted())
        except BrokenPipeError:
            return self._broken_pipe()
        except Exception as error:
            return self.fail(self._internal(error), error)

    def know(self, moved: Moved, money: str) -> None:
        """Remember what is known about money, for the words after Ctrl-C or an unexpected fault."""
        self._moved, self._money = moved, money

    def say(self, text: str) -> None:
        """A line of progress or advice for people, on stderr; silent with --json."""
        if not self.options.as_json:
            self.stderr.print(text, markup=False, soft_wrap=True)

    def warn_of_key(self, session: Session) -> None:
        """A line where the files of the key that is about to sign are open to every user of the machine."""
        from keeper.chain.signer import exposed_files

        for file in exposed_files(session.settings.key):
            self.say(f"warning: every user of this machine may read {file}: chmod 600 {file}")

    @contextmanager
    def progress(self, text: str) -> Iterator[Callable[[str], None]]:
        """A spinner on stderr with changing words; nothing where stderr is no terminal."""
        if self.options.as_json or not sys.stderr.isatty():
            yield lambda _: None
            return
        from rich.markup import escape  # titles are strangers' text

        with self.stderr.status(escape(text)) as status:
            yield lambda words: status.update(escape(words))

    def emit(self, schema: str, data: dict[str, Any], words: Callable[[Console], None], code: int = Exit.DONE) -> None:
        """The command's one result: JSON under `schema`, or words for people."""
        if self.options.as_json:
            from keeper.cli.output import envelope, print_json

            print_json(envelope(schema, self.command, self.run_id, int(code), data))
        else:
            out = self.stdout
            with out.capture() as captured:  # rich would end the process itself when the reader went away
                words(out)
            sys.stdout.write(captured.get())
            sys.stdout.flush()

    def fail(self, error: MilepostError, origin: BaseException | None = None) -> Exit:
        """Show an error in the house's form; returns its exit code."""
        from keeper.cli.output import envelope, error_json, print_error, print_json, print_traceback

        if self.options.verbose >= 2:
            print_traceback(self.stderr, origin or error)
        if self.options.as_json:
            data = {"error": error_json(error)}
            print_json(envelope("milepost/error/1", self.command, self.run_id, int(error.exit), data))
        else:
            print_error(self.stderr, error)
        return error.exit

    def confirm(self, question: str) -> None:
        """Ask on the terminal; CONFIRMATION_NEEDED where there is none, or where the answer is not yes."""
        if self.options.yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()) or self.options.as_json:
            raise MilepostError(
                "CONFIRMATION_NEEDED",
                "This needs a confirmation, and nobody can be asked here",
                cause="stdin is no terminal" if not self.options.as_json else "--json never asks",
            )
        self.stderr.print(f"{question} [y/N] ", end="", markup=False)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise MilepostError("CONFIRMATION_NEEDED", "You did not confirm", cause="the answer was not yes")

    @property
    def stdout(self) -> Console:
        """Where data goes."""
        from keeper.cli.output import console

        return console(sys.stdout, PIPE_WIDTH)

    @property
    def stderr(self) -> Console:
        """Where everything else goes."""
        from keeper.cli.output import console

        return console(sys.stderr, PIPE_WIDTH)

    def _with_money(self, error: MilepostError) -> MilepostError:
        """An error of a later step does not know what an earlier one of the same run has moved."""
        if error.moved == Moved.NONE and self._moved != Moved.NONE:
            error.moved, error.money = self._moved, self._money
        return error

    def _interrupted(self) -> MilepostError:
        return MilepostError(
            "INTERRUPTED", f"`milepost {self.command}` was interrupted", money=self._money, moved=self._moved
        )

    def _internal(self, error: Exception) -> MilepostError:
        return MilepostError(
            "INTERNAL",
            f"`milepost {self.command}` met something it does not expect",
            cause=f"{type(error).__name__}: {error}".splitlines()[0],
            money=self._money,
            moved=self._moved,
        )

    def _broken_pipe(self) -> int:
        # the reader (`| head`) went away: that is no fault, but Python would complain again when it closes stdout
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
