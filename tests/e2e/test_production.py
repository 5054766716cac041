"""From a production database over its profile to the rows that a migration is measured with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import psycopg
import pytest
from profiles import membudget
from project import LIMIT, STREAM, Project

DOCUMENT = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.AddField("Order", "document", models.JSONField(null=True)),
        ]
"""
# What the migration finds in the rows that it is measured with, and what production has.
FIGURES = """
    def figures(connection):
        def width(name):
            if connection.vendor == "sqlite":
                return f"avg(length(CAST({{name}} AS blob)))"
            return f"avg(octet_length({{name}}::text))"
        columns = [width("number"), width("note"), width("document")]
        columns += ["avg(CASE WHEN total IS NULL THEN 1.0 ELSE 0.0 END)"]
        columns += ["avg(CASE WHEN document IS NULL THEN 1.0 ELSE 0.0 END)"]
        columns += ["count(*)", "count(DISTINCT customer_id)", "count(DISTINCT note)"]
        columns += ["count(DISTINCT price)"]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {{', '.join(columns)}} FROM shop_order")
            return [float(figure) for figure in cursor.fetchone()]
"""
MEASURED = (
    FIGURES.format()
    + """
    def forwards(apps, schema_editor):
        import json, pathlib
        from pytest_membudget.project.live_profile import take_profile
        Order = apps.get_model("shop", "Order")
        rows = sum(1 for order in Order.objects.iterator())
        document = Order.objects.exclude(document=None).values_list("document", flat=True).first()
        if rows > 1000:
            seen = [figures(schema_editor.connection), document]
            pathlib.Path("seen.json").write_text(json.dumps(seen))
            pathlib.Path("own.json").write_text(take_profile("default", exact=True))
        if schema_editor.connection.vendor == "sqlite":  # which cannot be written to any more
            schema_editor.connection.cursor().execute("PRAGMA query_only = off")
"""
)
FILL = """
import django, json, os, random, sys
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
call_command("migrate", "shop", "0002", verbosity=0)
apps = MigrationLoader(connection).project_state(("shop", "0002_document")).apps
Customer, Order = apps.get_model("shop.Customer"), apps.get_model("shop.Order")
dice = random.Random(7)
known = ["".join(dice.choices("abcdefgh", k=7)) for _ in range(1000)]
def words(n):
    return " ".join(dice.choices(known, k=n))
def document():
    line = lambda: {"sku": words(1), "price": dice.randrange(10**4), "tags": [words(1), words(1)]}
    return {"id": dice.randrange(10**6), "lines": [line() for _ in range(dice.randint(120, 180))]}
emails = [f"secret{n}@example.com" for n in range(400)]
customers = Customer.objects.bulk_create([Customer(email=email) for email in emails])
Order.objects.bulk_create([
    Order(customer=customers[n % 300], number=f"N-{n:09}", note=words(dice.randint(40, 120)),
          price=dice.randrange(50), total=None if n % 10 < 3 else n,
          document=None if n % 10 == 0 else document())
    for n in range(2000)
], batch_size=200)
if connection.vendor == "postgresql":
    connection.cursor().execute("ANALYZE")
"""


def python(project: Project, code: str) -> str:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def production(project: Project, vendor: str) -> Project:
    """A project whose production database is there and has 2,000 orders."""
    project.write("shop/migrations/0002_document.py", DOCUMENT)
    if vendor == "postgresql":
        with psycopg.connect("dbname=postgres", autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS production")
            admin.execute("CREATE DATABASE production")
    python(project, FILL)
    project.last = "0002_document"
    return project


def profile(project: Project, *arguments: str) -> dict[str, Any]:
    command = ("--database", "default", "-o", "membudget.json")
    assert membudget(project.path, *command, *arguments).returncode == 0
    return dict(json.loads((project.path / "membudget.json").read_text()))


def test_what_is_seeded_is_like_production(production: Project, vendor: str) -> None:
    """And the seeded database's own profile agrees with production's."""
    wanted = profile(production, "--exact")["tables"]["shop_order"]["columns"]
    production.migration("0003_change", MEASURED, atomic=False)
    gated = production.result("--membudget-gate=shop.0003", "--membudget-limit=512Mi")
    assert gated["verdict"] == "within"
    assert gated["rows"] == {"shop.Order": 2000, "shop.Customer": 400}
    assert "widths-unknown" not in {one["code"] for one in gated["findings"]}
    seen, document = json.loads((production.path / "seen.json").read_text())
    code = FIGURES.format().replace("\n    ", "\n")
    true = json.loads(
        python(
            production,
            "import django, json; django.setup()\nfrom django.db import connection\n"
            f"{code}\nprint(json.dumps(figures(connection)))",
        )
    )
    scale = seen[5] / true[5]
    assert seen[:3] == pytest.approx(true[:3], rel=0.05)
    assert seen[3:5] == pytest.approx(true[3:5], abs=0.02)
    if vendor == "postgresql":  # SQLite's catalogue knows no distinct counts
        assert seen[6:8] == pytest.approx([scale * true[6], scale * true[7]], rel=0.1)
        assert seen[8] == pytest.approx(true[8], rel=0.1)
    assert true[2] > 9_000
    assert isinstance(document, dict | list)
    values = document.values() if isinstance(document, dict) else document
    assert any(isinstance(value, dict | list) for value in values)
    found = json.loads((production.path / "own.json").read_text())["tables"]["shop_order"]
    assert found["rows"] == 2000
    for name, column in wanted.items():
        own = found["columns"][name]
        assert own.get("width", 0) == pytest.approx(column.get("width", 0), rel=0.05, abs=1), name
        assert own["nulls"] == pytest.approx(column["nulls"], abs=0.02), name


def test_a_profile_gives_the_rows_of_a_marker(production: Project, vendor: str) -> None:
    document = profile(production)
    production.check(STREAM, LIMIT)
    result = production.result()
    assert result["rows"] == {"shop.Order": 2000, "shop.Customer": 400}
    codes = {one["code"]: one["message"] for one in result["findings"]}
    if vendor == "postgresql":
        assert codes["widths-compressed"].startswith("shop.Order.document, ")
        return
    assert "has no column widths for shop.Order" in codes["widths-unknown"]
    stated = production.result("--membudget-rows=shop.Order=9_000")
    assert stated["rows"] == {"shop.Order": 9000, "shop.Customer": 400}
    del document["tables"]["shop_order"]
    production.write("membudget.json", json.dumps(document))
    lacking = production.result()
    assert lacking["verdict"] == "inconclusive"
    unknown = "whose production row count is unknown; refresh membudget.json"
    assert unknown in lacking["reason"]
