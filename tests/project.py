"""A small Django project in a folder of its own, whose migrations a test writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import profiles
import pytest

SETTINGS = """
import os
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "shop"]
ROOT_URLCONF = "urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": %s}
"""
SQLITE = '{"ENGINE": "django.db.backends.sqlite3", "NAME": "production.sqlite3"}'
POSTGRESQL = """{
    "ENGINE": "django.db.backends.postgresql", "NAME": "production",
    "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
    "USER": os.environ["PGUSER"], "PASSWORD": os.environ["PGPASSWORD"],
}"""
# The driver that is there; of mysqlclient there is no wheel.
MARIADB = """{
    "ENGINE": "django.db.backends.mysql", "NAME": "production",
    "HOST": os.environ["MARIADB_SOCKET"], "USER": os.environ["MARIADB_USER"],
}"""
WITH_DRIVER = """
import importlib.util
if importlib.util.find_spec("MySQLdb") is None:
    import pymysql
    pymysql.install_as_MySQLdb()
"""
INITIAL = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        initial = True
        dependencies = []
        operations = [
            migrations.CreateModel("Customer", [
                ("id", models.BigAutoField(primary_key=True)),
                ("email", models.EmailField(unique=True, max_length=254)),
            ]),
            migrations.CreateModel("Order", [
                ("id", models.BigAutoField(primary_key=True)),
                ("customer", models.ForeignKey("shop.Customer", on_delete=models.CASCADE)),
                ("number", models.CharField(max_length=20, unique=True)),
                ("note", models.TextField()),
                ("price", models.IntegerField()),
                ("total", models.IntegerField(null=True)),
            ]),
        ]
"""
MIGRATION = """
from django.db import migrations

{code}

class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = [{after}]
    operations = [migrations.RunPython(forwards, {backwards})]
"""
# To import the plugin of Hypothesis takes a quarter of a run with few rows.
INI = """
[pytest]
DJANGO_SETTINGS_MODULE = settings
pythonpath = .
addopts = -p no:hypothesispytest
"""
LOOP = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.all():
        order.total = order.price * 2
"""
STREAM = """
def forwards(apps, schema_editor):
    total = 0
    for order in apps.get_model("shop", "Order").objects.iterator():
        total += order.price
"""
FEW = 'rows={"shop.Order": 15}'
LIMIT = 'limit="512Mi"'
# All orders are of one customer, and alike.
SEED = """
def seed(apps, rows, using):
    Customer, Order = (apps.get_model("shop", name) for name in ("Customer", "Order"))
    customer = Customer.objects.using(using).create(email="a@example.com")
    Order.objects.using(using).bulk_create(
        Order(customer=customer, number=str(n), note="x", price=n)
        for n in range(rows["shop.Order"])
    )
"""

# A program that a shell starts in the background ignores Ctrl-C, and so do its children.
_PYTEST = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import pytest
sys.path.insert(0, "")
sys.exit(pytest.main())
"""


class Project:
    """``environment`` is added to this process's, and says where the server is."""

    def __init__(self, path: Path, vendor: str, environment: Mapping[str, str]) -> None:
        self.path = path
        self.vendor = vendor
        self.environment = {"HOME": str(path), "PY_COLORS": "0", **environment}
        self.last = "0001_initial"
        # A failure takes twice as long with it; what is about something else goes without.
        self.attribution: str | None = "never"
        database = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mysql": MARIADB}[vendor]
        self.write("settings.py", SETTINGS % database + WITH_DRIVER * (vendor == "mysql"))
        self.write("urls.py", "urlpatterns = []")
        self.write("shop/__init__.py", "")
        self.write("shop/migrations/__init__.py", "")
        self.write("shop/migrations/0001_initial.py", INITIAL)
        self.write("pytest.ini", INI)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def add(self, name: str, line: str) -> None:
        """Add a line to a file that is there."""
        with (self.path / name).open("a") as file:
            file.write(f"{line}\n")

    def migration(
        self, name: str, code: str, *, backwards: str = "None", atomic: bool = True
    ) -> None:
        """Add ``shop.<name>`` after the last one, with a function ``forwards`` in ``code``."""
        text = _migration(code, ("shop", self.last), backwards, atomic)
        self.write(f"shop/migrations/{name}.py", text)
        self.last = name

    def app(
        self, label: str, code: str, after: tuple[str, str], *, atomic: bool = True
    ) -> tuple[str, str]:
        """Add an app with one migration after another one; return its key."""
        self.write(f"{label}/__init__.py", "")
        self.write(f"{label}/migrations/__init__.py", "")
        text = _migration(code, after, "None", atomic)
        self.write(f"{label}/migrations/0001_it.py", text)
        self.add("settings.py", f"INSTALLED_APPS.append({label!r})")
        return label, "0001_it"

    def budgets(self, *budgets: tuple[str, ...]) -> None:
        """Write ``test_budget.py`` with a marked test for each of these, ``test_0`` and so on."""
        tests = (
            f"@pytest.mark.membudget({', '.join(arguments)})\ndef test_{number}(): pass\n"
            for number, arguments in enumerate(budgets)
        )
        self.write("test_budget.py", "\n".join(("import pytest\n", *tests)))

    def budget(self, *arguments: str) -> None:
        self.budgets(arguments)

    def check(self, code: str, *arguments: str, atomic: bool = True) -> None:
        """Add a migration ``000…_it`` and write the test of it: of 15 rows within 512 MiB, or with
        these ``arguments`` of the marker.
        """
        name = f"{int(self.last[:4]) + 1:04}_it"
        self.migration(name, code, atomic=atomic)
        self.budget(f'"shop.{name}"', *(arguments or (FEW, LIMIT)))

    def profile(self, rows: Mapping[str, int], file: str = "membudget.json", **widths: int) -> None:
        """Write a profile of production with so many rows of each table, of columns so wide."""
        columns = {
            name: {"type": "text", "width": width, "nulls": 0} for name, width in widths.items()
        }
        document = profiles.document(
            database={"vendor": self.vendor, "version": "15"},
            exact=True,
            tables={table: {"rows": its, "columns": columns} for table, its in rows.items()},
        )
        self.write(file, json.dumps(document))

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start pytest without waiting for it; ``options`` are those of Popen."""
        return subprocess.Popen(
            [sys.executable, "-c", _PYTEST, *arguments],
            cwd=self.path,
            start_new_session=True,
            **options,
        )

    def run(self, *arguments: str) -> pytest.RunResult:
        if self.attribution is not None:
            arguments = (f"--membudget-attribution={self.attribution}", *arguments)
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self.path,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        print(done.stdout, done.stderr, sep="\n")  # which pytest shows where the test fails
        seconds = time.perf_counter() - begin
        outlines, errlines = done.stdout.splitlines(), done.stderr.splitlines()
        return pytest.RunResult(done.returncode, outlines, errlines, seconds)

    def results(self, *arguments: str) -> list[dict[str, Any]]:
        """Run with ``--membudget-json`` and return its results."""
        self.run("--membudget-json=results.json", *arguments)
        return self.read_results()

    def read_results(self) -> list[dict[str, Any]]:
        document = json.loads((self.path / "results.json").read_text())
        return list(document["results"])

    def result(self, *arguments: str) -> dict[str, Any]:
        (result,) = self.results(*arguments)
        return result


def _migration(code: str, after: tuple[str, str], backwards: str, atomic: bool) -> str:
    code = textwrap.dedent(code)
    return MIGRATION.format(code=code, after=after, backwards=backwards, atomic=atomic)
