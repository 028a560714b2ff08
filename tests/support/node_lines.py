"""A Node.js script that answers each line of JSON with one line of JSON, kept running between questions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FOLDER = Path(__file__).resolve().parent


class NodeLines:
    """`tests/support/<script>`, which finds its packages in node_modules. Ends with the `with` block."""

    def __init__(self, script: str) -> None:
        command = ["node", str(FOLDER / script)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question: Any) -> Any:
        """The script's answer; AssertionError when it failed, or could not start (why stands on stderr)."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"node ended with {self._process.wait()}"
        reply = json.loads(line)
        assert "error" not in reply, f"{reply['error']}, asked {question}"
        return reply["answer"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)
