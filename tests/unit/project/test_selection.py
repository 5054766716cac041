"""Which migrations a gate means.  Each question is asked in a process that has the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from project import LOOP, STREAM, Project

FIRST, SECOND = "shop/migrations/0001_initial.py", "shop/migrations/0002_change.py"
ASK = """
import json, pathlib, sys
import django
django.setup()
from pytest_membudget.errors import BudgetError
from pytest_membudget.project.selection import select

def selected(what):
    try:
        return [".".join(key) for one in select(what, pathlib.Path.cwd()) for key in one.keys]
    except BudgetError as error:
        return str(error)

print(json.dumps([selected(what) for what in sys.argv[1:]]))
"""


def select(project: Project, *whats: str, folder: str = ".") -> list[list[str] | str]:
    """The migrations that each of ``whats`` means, or why it means none."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *whats],
        cwd=project.path / folder,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return list(json.loads(done.stdout))


def git(project: Project, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    subprocess.run(["git", *who, *arguments], cwd=project.path, check=True, capture_output=True)


def commit(project: Project) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message=x")


def change(project: Project, file: str) -> None:
    with (project.path / file).open("a") as opened:
        opened.write("# changed\n")


def test_what_can_be_named(project: Project) -> None:
    project.migration("0002_change", STREAM)
    project.write("tests/test_other.py", "def test_other(): pass\n")
    both = ["shop.0001_initial", "shop.0002_change"]
    named = {"own": both, "shop": both, "shop/migrations": both, "shop.0002": both[1:]}
    named[SECOND] = both[1:]
    refused = {
        "shpo": "'shpo' is not an app with migrations, a migration, a path or a git ref",
        "tests": "there are no migrations in 'tests'",
        "shop.0009": "shop has no migration '0009'",
    }
    everything, *found = select(project, "all", *named, *refused)
    assert {*both, "contenttypes.0001_initial", "auth.0001_initial"} < set(everything)
    assert found[: len(named)] == list(named.values())
    unknown = found[len(named) :]
    assert all(text in error for text, error in zip(refused.values(), unknown, strict=True))
    assert "--membudget-gate=own tests" in unknown[1]


def test_what_was_added_or_changed_since_a_ref(project: Project) -> None:
    project.migration("0002_change", STREAM)
    git(project, "init", "--quiet", "--initial-branch=main")
    commit(project)
    git(project, "checkout", "--quiet", "-b", "topic")
    git(project, "mv", SECOND, "shop/migrations/0002_renamed.py")
    commit(project)
    git(project, "tag", "renamed")
    project.last = "0002_renamed"
    project.migration("0003_added", LOOP)
    commit(project)
    second, third, fourth = "shop.0002_renamed", "shop.0003_added", "shop.0004_untracked"
    assert select(project, "main", "renamed", "HEAD") == [[second, third], [third], []]
    change(project, FIRST)
    project.migration("0004_untracked", LOOP)
    assert select(project, "renamed") == [["shop.0001_initial", third, fourth]]
    # Production has applied what a ref has, and does not apply it again.
    assert select(project, "deploy:renamed", "deploy:shop") == [
        [third, fourth],
        ["shop.0001_initial", second, third, fourth],
    ]


def test_a_project_in_a_sub_folder_of_its_repository(project: Project) -> None:
    (project.path / "backend").mkdir()
    for name in ("shop", "settings.py"):
        (project.path / name).rename(project.path / "backend" / name)
    git(project, "init", "--quiet")
    commit(project)
    change(project, f"backend/{FIRST}")
    assert select(project, "HEAD", folder="backend") == [["shop.0001_initial"]]


def test_rows_of_a_project_with_a_squashed_migration_that_renames(project: Project) -> None:
    """The history without squashes has the replacement beside what it replaces."""
    rename = """
        from django.db import migrations

        class Migration(migrations.Migration):
            replaces = {replaces}
            dependencies = [("shop", "{after}")]
            operations = [migrations.RenameField("Order", "{old}", "{new}")]
    """
    for name, values in {
        "0002_memo": {"replaces": [], "after": "0001_initial", "old": "note", "new": "memo"},
        "0002_squashed": {
            "replaces": [("shop", "0002_memo")],
            "after": "0001_initial",
            "old": "note",
            "new": "memo",
        },
        "0003_text": {"replaces": [], "after": "0002_squashed", "old": "memo", "new": "text"},
    }.items():
        project.write(f"shop/migrations/{name}.py", rename.format(**values))
    ask = """
import django
django.setup()
from pytest_membudget.project.graph import history
from pytest_membudget.project.models import require_models

require_models(["shop.Order"], "rows")
project = history(squashed=False)
print([name for app, name in project.applied_before([("shop", "0003_text")]) if app == "shop"])
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings"}
    command = [sys.executable, "-c", ask]
    said = subprocess.check_output(command, cwd=project.path, env=environment, text=True)
    assert said == "['0001_initial', '0002_memo']\n"
