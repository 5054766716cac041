"""Rows a second of the Seeder beside the usual ways to make rows, on each database.

    python benchmarks/seeding.py [--rows 200000] [--on mysql]

needs the test extras, ``model_bakery`` and ``factory_boy``. Each way fills the same table (unique
slug, JSON document, foreign key) of a database of its own; the slow ones make fewer rows. The
second table tells how many of the awkward models of ``tests/integration/seeding`` each tool can
make 1,000 rows of.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
sys.path[:0] = [str(ROOT), str(TESTS), str(TESTS / "seeding")]

from seeding_cases import APPS, labels

WAYS = ["Seeder", "bulk_create", "model_bakery", "factory_boy"]
SLOW = 40
AWKWARD_ROWS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--on", nargs="*", default=["sqlite", "postgresql", "mysql"])
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(work(options.rows, json.loads(options.worker))))
        return

    import servers

    with (
        servers.postgresql() as server,
        servers.mariadb() as mariadb,
        tempfile.TemporaryDirectory() as folder,
    ):
        mariadb.query("CREATE DATABASE seeding CHARACTER SET utf8mb4")
        databases: dict[str, dict[str, Any]] = {
            "sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db.sqlite3"},
            "postgresql": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": server.dbname,
                "HOST": server.host,
                "PORT": server.port,
                "USER": server.user,
                "PASSWORD": server.password,
            },
            "mysql": mariadb.database("seeding"),
        }
        found = {vendor: start(options.rows, databases[vendor]) for vendor in options.on}
    if len(found) == len(databases):
        kept = {"rows": options.rows, "databases": found}
        (ROOT / "benchmarks/results/seeding.json").write_text(json.dumps(kept, indent=1) + "\n")
    show(options.rows, found)


def start(rows: int, database: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, __file__, "--rows", str(rows), "--worker", json.dumps(database)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def show(rows: int, found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    speed = Table(title=f"rows a second ({rows:,} rows; the last two ways {rows // SLOW:,})")
    speed.add_column("way")
    for vendor in found:
        speed.add_column(vendor, justify="right")
        speed.add_column("Seeder is faster by", justify="right")
    for way in WAYS:
        cells = []
        for result in found.values():
            rate = result["rates"][way]
            cells += [f"{rate:,.0f}", f"{result['rates']['Seeder'] / rate:.1f}×"]
        speed.add_row(way, *cells)
    console.print(speed)
    made = Table(title=f"awkward models made ({AWKWARD_ROWS:,} rows each)")
    made.add_column("tool")
    for vendor, result in found.items():
        made.add_column(f"{vendor}, of {result['models']}", justify="right")
    for tool in ("Seeder", "model_bakery"):
        made.add_row(tool, *(str(result["made"][tool]) for result in found.values()))
    console.print(made)
    for vendor, result in found.items():
        for tool, labels_ in result["failed"].items():
            names = ", ".join(label.split(".")[1] for label in labels_)
            console.print(f"{tool} on {vendor} does not make: {names or '-'}")


def work(rows: int, database: dict[str, Any]) -> dict[str, Any]:
    vendor = database["ENGINE"].rsplit(".", 1)[1].removesuffix("3")
    apps = APPS[vendor][:2]  # the third one needs extensions that not every server has
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps],
        MIGRATION_MODULES={"auth": None, "contenttypes": None},
        AUTH_USER_MODEL="awkward.Account",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    if vendor == "mysql":
        import pymysql  # type: ignore[import-untyped]

        pymysql.install_as_MySQLdb()
    django.setup()
    rates = {way: rate(way, rows if way in WAYS[:2] else rows // SLOW) for way in WAYS}
    # MariaDB can't have the tables of all of them.
    wanted = [label for app in apps for label in labels(app)] if vendor != "mysql" else []
    made, failed = awkward(wanted)
    return {"rates": rates, "models": len(wanted), "made": made, "failed": failed}


def shop() -> Any:
    """The historical models of one shop, whose tables it makes anew."""
    from django.db import connection, models
    from django.db.migrations.state import ModelState, ProjectState

    state = ProjectState()
    state.add_model(
        ModelState(
            "shop",
            "Customer",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
            ],
        )
    )
    state.add_model(
        ModelState(
            "shop",
            "Product",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("slug", models.SlugField(max_length=80, unique=True)),
                ("document", models.JSONField()),
                ("customer", models.ForeignKey("shop.Customer", models.CASCADE)),
            ],
        )
    )
    found = [state.apps.get_model("shop", name) for name in ("Customer", "Product")]
    existing = connection.introspection.table_names()
    with connection.schema_editor() as editor:
        for model in reversed(found):
            if model._meta.db_table in existing:
                editor.delete_model(model)
        for model in found:
            editor.create_model(model)
    return state.apps


def rate(way: str, rows: int) -> float:
    from contextlib import nullcontext

    from django.db import transaction

    apps = shop()
    make = {
        "Seeder": seeder,
        "bulk_create": bulk_create,
        "model_bakery": model_bakery,
        "factory_boy": factory_boy,
    }[way](apps)
    started = time.perf_counter()
    # One transaction is the best case of those who would otherwise commit each row.
    with nullcontext() if way == "Seeder" else transaction.atomic():
        make(rows)
    took = time.perf_counter() - started
    assert apps.get_model("shop.Product").objects.count() == rows
    return rows / took


def seeder(apps: Any) -> Callable[[int], object]:
    from pytest_membudget.seeding import Seeder

    return lambda rows: Seeder(apps, "default").grow({"shop.Product": rows})


def bulk_create(apps: Any) -> Callable[[int], object]:
    product, document = apps.get_model("shop.Product"), a_document()
    customer = apps.get_model("shop.Customer").objects.create(name="one")

    def make(rows: int) -> None:
        for start in range(0, rows, 10_000):
            product.objects.bulk_create(
                product(slug=f"a-plausible-slug-{n}", document=document, customer=customer)
                for n in range(start, min(start + 10_000, rows))
            )

    return make


def model_bakery(apps: Any) -> Callable[[int], object]:
    from model_bakery import baker

    customer = apps.get_model("shop.Customer").objects.create(name="one")
    product, document = apps.get_model("shop.Product"), a_document()
    return lambda rows: baker.make(
        product, rows, _bulk_create=True, document=document, customer=customer
    )


def factory_boy(apps: Any) -> Callable[[int], object]:
    import factory

    one = apps.get_model("shop.Customer").objects.create(name="one")

    class Products(factory.django.DjangoModelFactory):  # type: ignore[misc]
        class Meta:
            model = apps.get_model("shop.Product")

        slug = factory.Sequence(lambda n: f"a-plausible-slug-{n}")
        document = factory.LazyFunction(a_document)
        customer = one

    return lambda count: Products.create_batch(count)


def a_document() -> dict[str, Any]:
    return {
        "id": 1,
        "name": "somebody",
        "tags": ["some", "more", "words"],
        "address": {"street": "1 Long Street", "city": "Somewhere", "zip": "12345"},
        "note": "a note of about as many characters as the others have " * 2,
    }


def awkward(wanted: list[str]) -> tuple[dict[str, int], dict[str, list[str]]]:
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.db.migrations.state import ProjectState
    from model_bakery import baker

    from pytest_membudget.seeding import Seeder

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA elsewhere")
    if wanted:
        call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
    tools: dict[str, Callable[[str], object]] = {
        "Seeder": lambda label: Seeder(historical, "default").grow({label: AWKWARD_ROWS}),
        "model_bakery": lambda label: baker.make(historical.get_model(label), AWKWARD_ROWS),
    }
    failed: dict[str, list[str]] = {tool: [] for tool in tools}
    for tool, make in tools.items():
        for label in wanted:
            historical = ProjectState.from_apps(apps).apps
            try:
                with transaction.atomic():
                    make(label)
                    connection.check_constraints()
                    transaction.set_rollback(True)
            except Exception:
                failed[tool].append(label)
    return {tool: len(wanted) - len(failed[tool]) for tool in tools}, failed


if __name__ == "__main__":
    main()
