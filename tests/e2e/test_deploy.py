"""A deploy: all migrations that a branch adds, measured as one."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from project import LOOP, STREAM, Project

DEPLOY = ("--membudget-gate=deploy:main", "--membudget-limit=512Mi", "--membudget-rows=*=8_000")
# It fails where it is called before the last migration is applied.
RECEIVER = """
from django.apps import AppConfig
from django.db.models.signals import post_migrate

def check(sender, using, **kwargs):
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder
    assert ("shop", "0004_stream") in MigrationRecorder(connections[using]).applied_migrations()

class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        post_migrate.connect(check)
"""


def commit(project: Project) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in ("init -q -b main", "add .", "commit -q -m x"):
        subprocess.run(["git", *who, *command.split()], cwd=project.path, check=True)


def messages(result: dict[str, Any], code: str) -> list[str]:
    return [one["message"] for one in result["findings"] if one["code"] == code]


def peaks(result: dict[str, Any]) -> list[str]:
    (message,) = messages(result, "peak-set-by")
    return [one.split(" ")[0] for one in message.partition(" at: ")[2].split(", ")]


@pytest.mark.usefixtures("vendor")
def test_a_deploy_is_measured_as_one(project: Project) -> None:
    project.write("shop/apps.py", RECEIVER)
    project.migration("0002_change", STREAM)
    commit(project)
    project.add("shop/migrations/0002_change.py", "# mended")
    project.migration("0003_loop", LOOP)
    project.migration("0004_stream", STREAM)
    project.app("later", STREAM, ("shop", "0004_stream"))
    result = project.result(*DEPLOY)
    assert result["nodeid"] == "deploy::membudget"
    assert result["migration"] == "shop.0003_loop + shop.0004_stream + later.0001_it"
    assert result["reason"].endswith(" shop.0003_loop sets the peak.")
    assert result["verdict"] == "within"
    first, *others = peaks(result)
    assert first == "shop.0003_loop"
    assert sorted(others) == ["later.0001_it", "shop.0004_stream"]
    (left_out,) = messages(result, "modified-left-out")
    assert left_out.endswith("production has applied them: shop.0002_change")
    assert not messages(result, "receiver-failed")  # called once, when all are applied
    assert result["time_budget_s"] == 60 + 2 * 3


# It loads rows of a table without a model, of which none can be made.
LEGACY = """
def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id FROM legacy")
        rows = cursor.fetchall()
"""
TABLE = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.RunSQL("CREATE TABLE legacy (id integer)")]
"""
RAISING = """
def forwards(apps, schema_editor):
    raise ValueError("no")
"""


def test_one_that_can_not_be_judged_is_named_and_the_others_keep_their_figures(
    project: Project,
) -> None:
    project.write("shop/migrations/0002_table.py", TABLE)
    project.last = "0002_table"
    commit(project)
    project.migration("0003_loop", LOOP)
    project.migration("0004_legacy", LEGACY)
    project.migration("0005_stream", STREAM)
    result = project.result(*DEPLOY)
    assert result["verdict"] == "inconclusive"
    assert result["reason"].startswith("shop.0004_legacy, of shop.0003_loop + ")
    assert "legacy" in result["reason"]
    assert "The others would peak at up to " in result["reason"]
    assert result["peak_bytes"]
    assert sorted(peaks(result)) == ["shop.0003_loop", "shop.0004_legacy", "shop.0005_stream"]


def test_one_that_fails_is_named_with_what_those_before_it_took(project: Project) -> None:
    commit(project)
    project.migration("0002_loop", LOOP)
    project.migration("0003_raise", RAISING)
    project.migration("0004_stream", STREAM)
    result = project.result(*DEPLOY)
    assert result["verdict"] == "error"
    assert result["reason"].startswith("shop.0003_raise, of shop.0002_loop + ")
    assert sorted(peaks(result)) == ["shop.0002_loop", "shop.0003_raise"]
