"""The GitHub action and the hook of pre-commit, as their own schemas and parsers read them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ci.md").read_text()


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def check(schema: str, file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_action_is_one() -> None:
    check("vendor.github-actions", ROOT / "action.yml")


def test_the_action_passes_what_it_was_given_as_words(tmp_path: Path) -> None:
    """No input is part of the text of a script, where a branch's name could be a command."""
    [step, _] = load("action.yml")["runs"]["steps"]
    assert "${{" not in step["run"]
    script = tmp_path / "docs" / "ci" / "gate.sh"
    script.parent.mkdir(parents=True)
    script.write_text('printf "%s\\n" "$@"\n')
    given = {"TARGET": "origin/a; touch b", "ARGUMENTS": "--membudget-limit=512Mi -n 2"}
    done = subprocess.run(
        ["sh", "-e", "-c", step["run"]],
        env={"PATH": "/bin:/usr/bin", "GITHUB_ACTION_PATH": str(tmp_path), **given},
        capture_output=True,
        text=True,
        check=True,
    )
    words = ["origin/a; touch b", "--membudget-limit=512Mi", "-n", "2"]
    assert done.stdout.splitlines() == words


def test_the_hook_is_one() -> None:
    file = str(ROOT / ".pre-commit-hooks.yaml")
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", file]
    subprocess.run(command, check=True)
    [hook] = load(".pre-commit-hooks.yaml")
    assert shlex.split(hook["entry"])[-3:] == ["-m", "", "--membudget-gate=own"]
    for path, fits in {
        "shop/migrations/0002_loop.py": True,
        "migrations/0002_loop.py": True,
        "shop/migrations/__init__.py": False,
        "shop/migrations/helpers.py": False,
        "shop/models.py": False,
    }.items():
        assert bool(re.search(hook["files"], path)) == fits


@pytest.mark.parametrize(
    ("schema", "begins"),
    [("vendor.github-workflows", "name: "), ("vendor.gitlab-ci", "membudget:")],
)
def test_the_jobs_of_the_page_are_jobs(tmp_path: Path, schema: str, begins: str) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    [job] = [block for block in blocks if block.startswith(begins)]
    (tmp_path / "job.yml").write_text(job)
    check(schema, tmp_path / "job.yml")
