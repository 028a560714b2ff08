"""What the documents point at exists, and what is public names nothing of one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())

    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]

    assert broken == []


def test_locks_and_settings_name_no_registry() -> None:
    named = {}
    for name in ("requirements.lock", "requirements-slither.lock", "package-lock.json", ".npmrc", "pyproject.toml"):
        text = (ROOT / name).read_text()
        hosts = [host for host in re.findall(r"https?://([^/\s\"']+)", text) if host not in ("github.com",)]
        named[name] = hosts + re.findall(r"^--(?:extra-)?(?:index-url|find-links).*$", text, flags=re.MULTILINE)

    assert {name: hosts for name, hosts in named.items() if hosts} == {}


def test_no_tracked_text_holds_a_path_of_one_machine() -> None:
    argv = ["git", "grep", "-nIE", r"(/root/|/home/[a-z]+/|/work/)", "--", ".", ":!tests/unit/docs"]

    answer = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)

    assert answer.stdout == ""
