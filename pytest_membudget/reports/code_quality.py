"""GitLab's Code Quality report, which a merge request shows.

See https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells
from pytest_membudget.reports.places import fingerprint, message_of, place_of
from pytest_membudget.texts import visible

_SEVERITIES = {
    Verdict.EXCEEDS: "critical",
    Verdict.ERROR: "critical",
    Verdict.INCONCLUSIVE: "major",
}


def code_quality(results: Sequence[Result]) -> str:
    """Each verdict but ``within``, of a migration whose file is known: GitLab needs a file."""
    found = [_issue(one, place_of(one)) for one in results if not one.ok]
    return json.dumps([one for one in found if one], indent=2) + "\n"


def _issue(result: Result, place: tuple[str, int] | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "description": visible(f"{cells.migration(result)}: {message_of(result)}"),
        "check_name": f"membudget-{result.verdict}",
        "fingerprint": fingerprint(result),
        "severity": _SEVERITIES[result.verdict] if cells.failing(result) else "info",
        "location": {"path": place[0].removeprefix("./"), "lines": {"begin": place[1]}},
    }
