"""CI results as GitHub's REST API tells them: "List check runs for a Git reference".

https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from keeper.attester.evidence import Says
from keeper.attester.sources.exact import parse
from keeper.attester.sources.reading import Reading, member, text
from keeper.protocol.documents import GithubCheckRuns, fill

MEDIA_TYPES = ("application/json", "application/vnd.github+json")
_TEMPLATE = re.compile(r"[^?]*/commits/(\{\w+\}|[0-9a-f]{40}|[0-9a-f]{64})/check-runs(\?.*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def commit_template(source: GithubCheckRuns) -> str | None:
    """What stands for the commit in the criteria's URL: a placeholder or a commit id; None for anything else."""
    found = _TEMPLATE.fullmatch(source.url)
    return found[1] if found else None


def commit_of(source: GithubCheckRuns, fields: Mapping[str, str]) -> str:
    """The commit that the check runs must be of; ValueError for a branch, a tag or an abbreviation.

    Only a full commit id means the same thing whenever and by whomever it is asked.
    """
    commit = fill(commit_template(source) or "", fields)
    if not _COMMIT.fullmatch(commit):
        raise ValueError(f"expected a full commit id in lower case, found {commit!r}")
    return commit


def read(source: GithubCheckRuns, commit: str, body: bytes) -> Reading:
    """What the answer says about the named checks of `commit`; ValueError when it is malformed.

    SATISFIED: every named check completed with `success`. FAILED: all completed, one with `failure`. Any other
    conclusion (cancelled, skipped, neutral, stale, ...) says nothing about the work and is UNCLEAR.
    """
    answer = parse(body)
    runs = member(answer, "check_runs", list)
    if member(answer, "total_count", int) > len(runs):
        return Reading(Says.UNCLEAR, f"expected all check runs in one answer, found {len(runs)} of more")
    named: dict[str, list[str]] = {name: [] for name in source.checks}
    for run in runs:
        if not isinstance(run, dict):
            raise ValueError("expected check runs to be objects")
        if text(run, "head_sha") != commit:
            return Reading(Says.UNCLEAR, f"expected check runs of {commit}, found one of {run['head_sha']}")
        if text(run, "name") in named:
            named[run["name"]].append(_outcome(run))
    return _judge(commit, named)


def _outcome(run: dict[str, Any]) -> str:
    """The conclusion of a completed run, else its status; ValueError when the two contradict each other."""
    status, conclusion = text(run, "status"), run.get("conclusion")
    if status == "completed":
        return text(run, "conclusion")
    if conclusion is not None:
        raise ValueError(f"expected no conclusion of a run that is {status}, found {conclusion!r}")
    return "pending"


def _judge(commit: str, named: dict[str, list[str]]) -> Reading:
    facts = {"commit": commit, **{name: ", ".join(outcomes) or "not run" for name, outcomes in named.items()}}
    outcomes = [outcome for all_of_name in named.values() for outcome in all_of_name]
    waiting = [name for name, all_of_name in named.items() if not all_of_name or "pending" in all_of_name]
    odd = sorted(set(outcomes) - {"success", "failure", "pending"})
    if odd:
        return Reading(Says.UNCLEAR, f"expected success or failure, found {', '.join(odd)}", facts)
    if waiting:
        return Reading(Says.PENDING, f"not completed yet: {', '.join(waiting)}", facts)
    if "failure" in outcomes:
        failed = [name for name, all_of_name in named.items() if "failure" in all_of_name]
        return Reading(Says.FAILED, f"failed: {', '.join(failed)}", facts)
    return Reading(Says.SATISFIED, f"succeeded: {', '.join(named)}", facts)
