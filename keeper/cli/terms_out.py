"""`milepost terms explain|ics`: an agreement as a page for people, and its dates as a calendar."""

from __future__ import annotations

import time

from keeper.cli.run import Run
from keeper.cli.terms_source import DeploymentPath, Offline, OutPath, Target, drafted, write


def explain(
    run: Run,
    target: Target,
    out: OutPath = None,
    deployment: DeploymentPath = None,
    offline: Offline = False,
) -> None:
    """Write the agreement as one HTML page that a lawyer can read: who, how much, when, what happens in each case.

    The page needs nothing else: no script, no request. Its tables are read off the milestones' state machine; at its
    end stand the exact values, their hashes, and how to check them.
    """
    from keeper.commands.lint.linter import lint
    from keeper.commands.page.page import page

    with drafted(run, target, deployment, offline=offline) as draft:
        html = page(draft.report, lint(draft), draft.skipped, draft.now).encode()
        write(run, draft.report, "html", html, out, target)


def ics(
    run: Run,
    target: Target,
    out: OutPath = None,
    deployment: DeploymentPath = None,
    offline: Offline = False,
) -> None:
    """Write the dates that are known beforehand as a calendar (RFC 5545): deadlines, and when each is over for sure.

    Windows that run from events are described. Making it again replaces the events in a calendar that has them.
    """
    from keeper.commands.calendar import calendar

    with drafted(run, target, deployment, offline=offline, look=False) as draft:
        write(run, draft.report, "ics", calendar(draft.report, int(time.time())), out, target)
