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
    return [one.split(" ")[0] for one in message.partition("each would peak at: ")[2].split(", ")]


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
