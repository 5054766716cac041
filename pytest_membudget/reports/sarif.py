"""SARIF 2.1.0, which GitHub and editors show as findings of a code scan.

See https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pytest_membudget import __version__
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports import cells
from pytest_membudget.reports.places import fingerprint, message_of, place_of
from pytest_membudget.texts import visible

_RULES = {
    Verdict.EXCEEDS: ("error", "The migration does not fit the memory limit."),
    Verdict.ERROR: ("error", "The migration raised, was killed or never ended."),
    Verdict.INCONCLUSIVE: ("warning", "It could not be said whether the migration fits."),
}
_HELP = "https://github.com/pytest-membudget/pytest-membudget/blob/main/docs/results.md#verdicts"


def sarif(results: Sequence[Result]) -> str:
    """Each verdict but ``within``; what is accepted is suppressed, what was let pass is a note."""
    rules = [
        {
            "id": str(verdict),
            "shortDescription": {"text": text},
            "helpUri": _HELP,
            "defaultConfiguration": {"level": level},
        }
        for verdict, (level, text) in _RULES.items()
    ]
    driver = {
        "name": "pytest-membudget",
        "version": __version__,
        "informationUri": "https://github.com/pytest-membudget/pytest-membudget",
        "rules": rules,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one) for one in results if not one.ok],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=2) + "\n"


def _result(result: Result) -> dict[str, Any]:
    level = _RULES[result.verdict][0] if cells.failing(result) or result.accepted else "note"
    found: dict[str, Any] = {
        "ruleId": str(result.verdict),
        "level": level,
        "message": {"text": visible(message_of(result))},
        "partialFingerprints": {"membudget/v1": fingerprint(result)},
    }
    if (place := place_of(result)) is not None:
        artifact = {"uri": quote(place[0].encode(errors="replace")), "uriBaseId": "%SRCROOT%"}
        region = {"startLine": place[1]}
        found["locations"] = [
            {"physicalLocation": {"artifactLocation": artifact, "region": region}}
        ]
    if result.accepted is not None:
        justification = visible(str(result.accepted))
        found["suppressions"] = [{"kind": "external", "justification": justification}]
    return found
