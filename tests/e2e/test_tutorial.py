"""Every command of docs/tutorial.md, run as it stands there beside a demo that was left running."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from demo_process import ROOT, environment


@pytest.fixture(scope="module")
def kept_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`make demo KEEP=1`, played to its end and left running."""
    said = tmp_path_factory.mktemp("tutorial") / "demo.log"
    with said.open("w") as log:
        argv = [sys.executable, "-m", "scripts.demo", "--keep"]
        process = subprocess.Popen(argv, cwd=ROOT, env=environment(), stdout=log, stderr=log)
    end = time.monotonic() + 400
    while "docs/tutorial.md goes on from here" not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.5)
    yield
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0


@pytest.mark.slow
@pytest.mark.chain
def test_the_tutorial_works_as_written(kept_demo: None) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/tutorial.md").read_text(), flags=re.DOTALL)
    assert len(blocks) == 8

    script = "set -e -o pipefail\n" + "\n".join(blocks)
    answer = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    (ROOT / "examples/mine.yaml").unlink(missing_ok=True)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "200.00 PLAY to the payee, 300.00 PLAY back" in answer.stderr
    assert answer.stdout.rstrip().endswith("exit code 8")
