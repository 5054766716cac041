"""A text of the settings that is the same for the same settings, in any process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
import datetime, re
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
SECRET_KEY = "not-a-secret"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": %r}}
HOSTS = {"a.example.com", "b.example.com", "c.example.com"}
LANGUAGES = [("en", _("English"))]
LOGIN_URL = reverse_lazy("not:there", kwargs={"pk": 1})
SINCE = datetime.date(2026, 1, 1)
PATTERN = re.compile("x")
CALLBACK = lambda request: True
CLASS = datetime.date
NESTED = {"a": [{"b": (1, 2.5, None, True, b"x")}]}
"""
PRINT = (
    "import django; django.setup();"
    "from pytest_membudget.project.settings import settings_text; print(settings_text())"
)


def text(folder: Path, settings: str, seed: str) -> subprocess.CompletedProcess[str]:
    (folder / "its_settings.py").write_text(settings)
    return subprocess.run(
        [sys.executable, "-c", PRINT],
        cwd=folder,
        env={
            "PYTHONPATH": f"{folder}:{Path(__file__).parents[3]}",
            "DJANGO_SETTINGS_MODULE": "its_settings",
            "PYTHONHASHSEED": seed,
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
    )


def test_it_is_the_same_in_each_process_wherever_the_database_is(tmp_path: Path) -> None:
    one = text(tmp_path, SETTINGS % "one.sqlite3", "1")
    two = text(tmp_path, SETTINGS % "two.sqlite3", "2")
    assert one.returncode == 0, one.stderr
    assert one.stdout == two.stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(1, 2.5,", "(1, 2.6,"),
        ("c.example.com", "d.example.com"),
        ('("en", _("English"))', '("en", _("Englisch"))'),
        ('"not:there"', '"not:here"'),
        ("CLASS = datetime.date", "CLASS = datetime.time"),
        ('"django.db.backends.sqlite3"', '"django.contrib.gis.db.backends.spatialite"'),
        ("SINCE", "UNTIL"),
    ],
)
def test_it_is_another_one_for_other_settings(tmp_path: Path, before: str, after: str) -> None:
    settings = SETTINGS % "one.sqlite3"
    assert before in settings
    outputs = {
        text(tmp_path, one, "1").stdout for one in (settings, settings.replace(before, after))
    }
    assert len(outputs) == 2
    assert all(outputs)


BROKEN = """
class Broken:
    def __repr__(self):
        raise KeyError("broken")

THING = Broken()
"""


@pytest.mark.parametrize("thing", ["THING = object()", BROKEN])
def test_an_object_of_which_nothing_is_known_has_no_text(tmp_path: Path, thing: str) -> None:
    done = text(tmp_path, SETTINGS % "one.sqlite3" + thing, "1")
    assert done.returncode == 1
    assert "ValueError: a setting has no text of its own" in done.stderr
