"""Tells CI results in the form of GitHub's REST API "List check runs for a Git reference".

Run `python -m scripts.evidence.ci_server FACTS.json --port 0`. FACTS.json names what ran for which commit:

    {"repositories": {"acme/shop": {"<40 hex of a commit>": [
        {"name": "acceptance", "status": "completed", "conclusion": "success",
         "started_at": "2026-01-05T09:00:00Z", "completed_at": "2026-01-05T09:04:00Z"}]}}}

Shape of the answer: https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import unquote

from scripts.evidence.serving import Answer, serve

JSON = "application/json; charset=utf-8"
PATH = re.compile(r"/repos/([^/]+)/([^/]+)/commits/([^/]+)/check-runs")


def route(facts: dict[str, Any], path: str, query: dict[str, list[str]]) -> Answer:
    """`GET /repos/{owner}/{repo}/commits/{ref}/check-runs`, with check_name, status, per_page and page."""
    match = PATH.fullmatch(path)
    if match is None:
        return _error(404, "Not Found")
    owner, repo, ref = (unquote(value) for value in match.groups())
    commits = facts.get("repositories", {}).get(f"{owner}/{repo}")
    if commits is None:
        return _error(404, "Not Found")
    if ref not in commits:
        return _error(422, f"No commit found for SHA: {ref}")
    runs = [_check_run(owner, repo, ref, run) for run in commits[ref]]
    for parameter, field in (("check_name", "name"), ("status", "status")):
        if parameter in query:
            runs = [run for run in runs if run[field] == query[parameter][0]]
    size = min(int(query.get("per_page", ["30"])[0]), 100)
    start = (int(query.get("page", ["1"])[0]) - 1) * size
    return Answer(200, {"total_count": len(runs), "check_runs": runs[start : start + size]}, JSON)


def _check_run(owner: str, repo: str, sha: str, run: dict[str, Any]) -> dict[str, Any]:
    """One run with every published field; `id` is a function of what it names, as a real one never changes."""
    number = int.from_bytes(hashlib.sha256(f"{owner}/{repo}/{sha}/{run['name']}".encode()).digest()[:5], "big")
    number = run.get("id", number)
    home = f"https://github.example/{owner}/{repo}"
    done = run.get("status", "completed") == "completed"
    return {
        "id": number,
        "node_id": f"CR_{number}",
        "head_sha": run.get("head_sha", sha),
        "external_id": "",
        "url": f"https://api.github.example/repos/{owner}/{repo}/check-runs/{number}",
        "html_url": f"{home}/runs/{number}",
        "details_url": f"{home}/actions/runs/{number}",
        "status": run.get("status", "completed"),
        "conclusion": run.get("conclusion", "success") if done else None,
        "started_at": run.get("started_at", "2026-01-05T09:00:00Z"),
        "completed_at": run.get("completed_at", "2026-01-05T09:04:00Z") if done else None,
        "name": run["name"],
        "output": {
            "title": run["name"],
            "summary": run.get("summary", ""),
            "text": None,
            "annotations_count": 0,
            "annotations_url": f"https://api.github.example/repos/{owner}/{repo}/check-runs/{number}/annotations",
        },
        "check_suite": {"id": number // 1000},
        "app": {
            "id": 15368,
            "slug": "github-actions",
            "node_id": "MDM6QXBwMTUzNjg=",
            "owner": {"login": "github", "id": 9919, "type": "Organization"},
            "name": "GitHub Actions",
            "description": "Automate your workflow from idea to production",
            "external_url": "https://help.github.example/en/actions",
            "html_url": "https://github.example/apps/github-actions",
            "created_at": "2018-07-30T09:30:17Z",
            "updated_at": "2024-04-10T20:33:16Z",
            "permissions": {"checks": "write", "contents": "read", "metadata": "read"},
            "events": ["check_run", "check_suite"],
        },
        "pull_requests": [],
    }


def _error(status: int, message: str) -> Answer:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest/checks/runs", "status": str(status)}
    return Answer(status, body, JSON)


if __name__ == "__main__":
    serve(__doc__ or "", route)
