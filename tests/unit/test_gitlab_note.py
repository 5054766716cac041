"""docs/ci/gitlab_note.py, on a server that keeps notes as GitLab's API does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "ci" / "gitlab_note.py"
NOTES = "/api/v4/projects/7/merge_requests/5/notes"


class Notes(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.notes: list[dict[str, Any]] = [
            {"id": number, "body": f"comment {number}", "system": False} for number in range(150)
        ]
        self.notes.append({"id": 150, "body": "## Memory budgets were mentioned", "system": True})


class Handler(BaseHTTPRequestHandler):
    server: Notes

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        size, page = int(asked["per_page"][0]), int(asked["page"][0])
        self._answer(self.server.notes[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        self.server.notes.append({"id": 151, "body": self._body(), "system": False})
        self._answer(self.server.notes[-1])

    def do_PUT(self) -> None:
        [note] = [one for one in self.server.notes if self.path == f"{NOTES}/{one['id']}"]
        note["body"] = self._body()
        self._answer(note)

    def _body(self) -> str:
        assert self.path.startswith(NOTES)
        assert self.headers["PRIVATE-TOKEN"] == "secret"
        return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

    def _answer(self, content: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: Any) -> None:
        """Nothing of it is shown."""


@pytest.fixture
def gitlab() -> Iterator[Notes]:
    with Notes() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def write_note(gitlab: Notes, folder: Path, text: str) -> int:
    report = folder / "report.md"
    report.write_text(text)
    environment = {
        "CI_API_V4_URL": f"http://127.0.0.1:{gitlab.server_port}/api/v4",
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_IID": "5",
        "MEMBUDGET_TOKEN": "secret",
    }
    command = [sys.executable, str(SCRIPT), str(report)]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def test_there_is_one_note_which_is_updated(gitlab: Notes, tmp_path: Path) -> None:
    before = [one["body"] for one in gitlab.notes]
    for text in ("## Memory budgets\n\n1 exceeds\n", "## Memory budgets\n\n1 within\n"):
        assert write_note(gitlab, tmp_path, text) == 0
        assert [one["body"] for one in gitlab.notes] == [*before, text]


def test_another_file_is_not_written(gitlab: Notes, tmp_path: Path) -> None:
    assert write_note(gitlab, tmp_path, "secrets") != 0
    assert len(gitlab.notes) == 151
