"""Profiles taken as a user would: with the database's own client, and over Django."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import servers

from pytest_membudget.profile.scripts import script

SETTINGS = """
import pymysql
# It stands in for mysqlclient, whose version Django asks for.
pymysql.version_info = (2, 2, 8, "final", 0)
pymysql.install_as_MySQLdb()
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": %r}
"""
MODELS = """
from django.db import models

class Order(models.Model):
    note = models.TextField()
    price = models.IntegerField()
    tags = models.ManyToManyField("Tag")

class Tag(models.Model):
    pass
"""


def document(**changes: Any) -> dict[str, Any]:
    """A profile without tables."""
    return {
        "membudget_profile": 1,
        "database": {"vendor": "postgresql", "version": "15.4"},
        "taken": "2026-11-21",
        "exact": False,
        "tables": {},
        **changes,
    }


def client(vendor: str, database: Sequence[str], **options: bool) -> str:
    """What the script's own command prints, run by bash as its header says."""
    text = script(vendor, **{"exact": False, **options})
    lines = [line.removeprefix("--").strip() for line in text.splitlines() if line[:4] == "--  "]
    named = {"postgresql": "-d production", "mysql": " production", "sqlite": "production.sqlite3"}
    command = " ".join(lines).replace(named[vendor], " " + " ".join(database))
    command = command.replace("< profile.sql", "").replace("> membudget.json", "")
    if vendor == "mysql":
        command = command.replace("mysql --", "mysql --no-defaults --")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{servers.programs()}:{os.environ['PATH']}"},
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def write_project(folder: Path, database: dict[str, Any]) -> None:
    (folder / "settings.py").write_text(SETTINGS % (database,))
    (folder / "shop").mkdir()
    (folder / "shop/__init__.py").touch()
    (folder / "shop/models.py").write_text(MODELS)


def refused_to_write(folder: Path) -> str:
    """What is said when the statement, against all odds, is one that writes."""
    with (folder / "settings.py").open("a") as settings:
        settings.write(
            "from pytest_membudget.project import live_profile\n"
            "live_profile.statement = lambda *_, **__: 'DELETE FROM shop_order'\n"
        )
    done = membudget(folder, "--database", "default")
    assert (done.returncode, done.stdout) == (2, "")
    return str(done.stderr)


def membudget(
    folder: Path, *arguments: str, settings: str = "settings", command: str = "profile"
) -> Any:
    """Run ``membudget profile``, or another ``command``, and return the process that ended."""
    return subprocess.run(
        [sys.executable, "-m", "pytest_membudget", command, *arguments],
        cwd=folder,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings},
        capture_output=True,
        text=True,
    )


def columns(text: str, table: str) -> dict[str, Any]:
    return dict(json.loads(text)["tables"][table]["columns"])
