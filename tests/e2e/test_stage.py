"""The state before a migration: built once, whole, and of the right project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from project import FEW, LIMIT, LOOP, STREAM, Project

# What each of these does while a state is built, it does before there are rows.
NOTE = """
def forwards(apps, schema_editor):
    with open({path!r}, "a") as file:
        file.write("built\\n")
"""
WHOLE = """
def forwards(apps, schema_editor):
    orders = apps.get_model("shop", "Order").objects
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM auth_permission")
        assert cursor.fetchone()[0] > 0 or not orders.exists()
    list(orders.all())
"""
PLAIN = """
def forwards(apps, schema_editor):
    from plain.models import Note
    assert list(Note.objects.all()) or not apps.get_model("shop", "Order").objects.exists()
"""
REPLICA = """
def forwards(apps, schema_editor):
    orders = apps.get_model("shop", "Order").objects
    if orders.exists():
        list(orders.using("replica").all())
"""
POOL = """
def double(number):
    return 2 * number

def forwards(apps, schema_editor):
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(double, range(10))[-1] == 18
"""


def test_states_of_one_run(project: Project, vendor: str) -> None:
    """The state before is built once for all tests, and it is whole.

    A pool of processes ends them by SIGTERM, as the server process is ended, and that has to end
    them.
    """
    project.write("plain/__init__.py", "")
    project.write(
        "plain/models.py",
        """
        from django.db import models

        class Note(models.Model):
            text = models.TextField()
        """,
    )
    project.add("settings.py", "INSTALLED_APPS.append('plain')")
    project.add("settings.py", "DATABASES['replica'] = {**DATABASES['default']}")
    built = project.path / "built"
    project.migration("0002_note", NOTE.format(path=str(built)))
    project.migration("0003_apps_it_does_not_depend_on", WHOLE)
    project.migration("0004_app_without_migrations", PLAIN)
    project.migration("0005_pool", POOL)
    project.migration("0006_replica", REPLICA)
    project.migration("0007_breaks", "def forwards(apps, schema_editor): raise OSError('no disk')")
    project.migration("0008_loop", LOOP)
    verdicts = {3: "within", 4: "within", 6: "within", 8: "error"}
    numbers = (*verdicts, 3)
    rows = {4: 'rows={"plain.Note": 15, "shop.Order": 15}'}
    project.budgets(*((f'"shop.000{number}"', rows.get(number, FEW), LIMIT) for number in numbers))
    results = project.results()
    assert [one["verdict"] for one in results] == [verdicts[number] for number in numbers]
    assert built.read_text().splitlines() == ["built"]
    assert results[2]["samples"][-1]["rows_read"] == 1 + 15
    assert results[3]["reason"] == (
        "shop.0008_loop: the state before the migration could not be built: OSError: no disk"
    )
    assert all(one["database"]["vendor"] == vendor for one in results)
    assert "note " in _widths(results[0])
    assert "shop.Order" in _widths(results[0])


def _widths(result: dict[str, Any]) -> str:
    (message,) = [one["message"] for one in result["findings"] if one["code"] == "row-widths"]
    return str(message)


DATABASE = """
def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Order").objects.all())
    with open("databases", "a") as file:
        file.write(schema_editor.connection.settings_dict["NAME"] + "\\n")
"""


def test_a_dry_run_makes_one_database(project: Project, vendor: str) -> None:
    """The first runs are one on empty tables, and one over a few rows."""
    project.profile({"shop_order": 40, "shop_customer": 5})
    project.check(DATABASE, LIMIT)
    assert project.result()["verdict"] == "within"
    names = (project.path / "databases").read_text().split()
    first, second, *_ = (int(re.findall(r"\d+", Path(name).stem)[-1]) for name in names)
    assert second == first + 1


def test_squashed_migrations_and_a_class_of_django_configurations(project: Project) -> None:
    settings = project.path / "settings.py"
    lines = [f"    {line}\n" for line in settings.read_text().splitlines()[1:]]
    settings.write_text(
        "import os\nfrom configurations import Configuration\n\n"
        "class Test(Configuration):\n" + "".join(lines)
    )
    project.add("pytest.ini", "DJANGO_CONFIGURATION = Test")
    project.migration("0002_loop", LOOP)
    project.migration("0003_stream", STREAM)
    path = project.path / "shop/migrations/0002_squashed.py"
    text = (project.path / "shop/migrations/0002_loop.py").read_text()
    replaces = 'replaces = [("shop", "0002_loop"), ("shop", "0003_stream")]\n    dependencies'
    path.write_text(text.replace("dependencies", replaces, 1))
    names = ("shop.0002_squashed", "shop.0003_stream")
    project.budgets(*((f'"{name}"', FEW, LIMIT) for name in names))
    results = [(one["verdict"], one["migration"]) for one in project.results()]
    assert results == [("within", name) for name in names]


KEPT_NAME = """
def forwards(apps, schema_editor):
    from shop.models import NAME
    assert NAME == schema_editor.connection.settings_dict["NAME"], f"it is not {NAME}"
    list(apps.get_model("shop", "Order").objects.iterator())
"""


def test_a_project_that_keeps_the_name_of_its_database(project: Project) -> None:
    """A copy of a process that has loaded the project has the name from before."""
    project.write(
        "shop/models.py",
        'from django.conf import settings\nNAME = settings.DATABASES["default"]["NAME"]',
    )
    project.migration("0002_it", KEPT_NAME)
    project.budgets(('"shop.0002"', FEW, LIMIT))
    [result] = project.results()
    assert result["verdict"] == "within", result["reason"]
