"""Writes a report into the merge request of a GitLab job: one note, which each pipeline updates.

    python gitlab_note.py membudget-report/report.md

MEMBUDGET_TOKEN is a project access token with the scope api; the job's own may not write notes.
"""

import json
import os
import sys
from pathlib import Path
from urllib.request import Request, urlopen

TITLE = "## Memory budgets"
PER_PAGE = 100
# GitLab takes a million characters.
MOST = 900_000


def call(method: str, path: str, body: str | None = None) -> list[dict[str, object]]:
    project = f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}"
    notes = f"{project}/merge_requests/{os.environ['CI_MERGE_REQUEST_IID']}/notes"
    headers = {
        "PRIVATE-TOKEN": os.environ["MEMBUDGET_TOKEN"],
        "Content-Type": "application/json",
    }
    data = None if body is None else json.dumps({"body": body}).encode()
    request = Request(f"{notes}{path}", data, headers, method=method)
    with urlopen(request, timeout=30) as answer:
        found = json.load(answer)
    return found if isinstance(found, list) else [found]


def own_note() -> object:
    """The note of an earlier pipeline, by its title; None where there is none."""
    page = 1
    while notes := call("GET", f"?per_page={PER_PAGE}&page={page}"):
        for note in notes:
            if str(note["body"]).startswith(TITLE) and not note["system"]:
                return note["id"]
        page += 1
    return None


def main() -> None:
    report = Path(sys.argv[1]).read_text(encoding="utf-8")
    assert report.startswith(TITLE), f"{sys.argv[1]} is no report of pytest-membudget"
    note = own_note()
    method, path = ("POST", "") if note is None else ("PUT", f"/{note}")
    call(method, path, report[:MOST])


if __name__ == "__main__":
    main()
