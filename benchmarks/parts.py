"""Where the seconds of a check go, against plain ``manage.py migrate`` on the same rows.

    python benchmarks/parts.py [small | large] [sqlite | default | unsafe | embedded]

A small project has one app of two models, a large one 300 models and 400 migrations.  Each checks a
loop over 1,000 orders with a marked test.  ``default`` is a PostgreSQL server as it comes,
``unsafe`` one without fsync, ``embedded`` the plugin's own.  Each figure is the median of five
checks in one run, after a first one that builds the states.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

import servers  # noqa: E402
from project import LOOP, Project  # noqa: E402

# Where bytecode is not written, each process compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
ROWS = 1_000
CHECKS = 6
MODELS, MIGRATIONS = 300, 400
PARTS = ("state", "survey", "seeding", "cloning", "starting", "applying")
SEED = f"""
import django
django.setup()
from shop.models import Customer, Order
emails = [f"{{n}}@example.com" for n in range({ROWS})]
customers = Customer.objects.bulk_create(Customer(email=one) for one in emails)
Order.objects.bulk_create(
    Order(customer=one, number=str(n), note="x" * 150, price=n) for n, one in enumerate(customers)
)
"""
MODELS_OF_TODAY = """
from django.db import models

class Customer(models.Model):
    email = models.EmailField(unique=True, max_length=254)

class Order(models.Model):
    customer = models.ForeignKey("shop.Customer", on_delete=models.CASCADE)
    number = models.CharField(max_length=20, unique=True)
    note = models.TextField()
    price = models.IntegerField()
    total = models.IntegerField(null=True)
"""
MANAGE = (
    "import sys\nfrom django.core.management import execute_from_command_line as run\nrun(sys.argv)"
)
WIDE = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [{before}]
    operations = [{operation}]
"""


@contextmanager
def environment(kind: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The vendor, and where its server is."""
    if kind == "sqlite":
        yield "sqlite", {}
    else:
        with servers.postgresql(fsync=kind == "default") as server:
            yield "postgresql", server.environment


def project(folder: Path, vendor: str, variables: Mapping[str, str], size: str) -> Project:
    made = Project(folder, vendor, variables)
    made.write("shop/models.py", MODELS_OF_TODAY)
    made.write("manage.py", MANAGE)
    for number in range(1, CHECKS + 1):
        made.migration(f"{number + 1:04}_it", LOOP)
    marked = [f'"shop.{number + 1:04}"' for number in range(1, CHECKS + 1)]
    made.budgets(*((name, f'rows={{"shop.Order": {ROWS}}}', 'limit="512Mi"') for name in marked))
    if size == "large":
        _widen(made)
    return made


def _widen(made: Project) -> None:
    """Add an app of many models and migrations, all of which come before the ones checked."""
    made.write("wide/__init__.py", "")
    made.write("wide/migrations/__init__.py", "")
    field = "models.CharField(max_length=50, default='')"
    create = "migrations.CreateModel('Model{0}', [('id', models.BigAutoField(primary_key=True))])"
    operations = [create.format(number) for number in range(MODELS)]
    names = [f"{number:04}_it" for number in range(1, MIGRATIONS + 1)]
    each = -(-MODELS // 100)
    for place, name in enumerate(names):
        before = f"('wide', '{names[place - 1]}')" if place else ""
        if place < 100:
            operation = ", ".join(operations[place * each : (place + 1) * each])
        else:
            operation = f"migrations.AddField('Model{place % MODELS}', 'f{place}', {field})"
        made.write(f"wide/migrations/{name}.py", WIDE.format(before=before, operation=operation))
    made.add("settings.py", "INSTALLED_APPS.insert(2, 'wide')")


def plain(made: Project) -> float:
    """Seconds of ``manage.py migrate`` of one migration, with the rows there."""
    variables = {**os.environ, **made.environment, "DJANGO_SETTINGS_MODULE": "settings"}

    def run(*command: str) -> float:
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, *command],
            cwd=made.path,
            env=variables,
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - begin

    if made.vendor == "postgresql":
        subprocess.run(["createdb", "production"], env=variables, check=True)
    run("manage.py", "migrate", "shop", "0001")
    run("manage.py", "migrate", "contenttypes")
    if (made.path / "wide").exists():
        run("manage.py", "migrate", "wide")
    run("-c", SEED)
    return statistics.median(
        run("manage.py", "migrate", "shop", f"{number + 1:04}") for number in range(1, CHECKS + 1)
    )


def measured(kind: str, size: str) -> dict[str, Any]:
    with environment(kind) as (vendor, variables), tempfile.TemporaryDirectory() as folder:
        made = project(Path(folder), vendor, variables, size)
        if kind == "embedded":
            made.add("pytest.ini", "membudget_server = embedded")
        checks = made.results()[1:]
        assert {one["verdict"] for one in checks} == {"within"}, checks
        seconds = {
            part: round(statistics.median(one["seconds"][part] for one in checks), 2)
            for part in PARTS
        }
        check = statistics.median(one["duration_s"] for one in checks)
        migrate = plain(made)
        return {
            "project": size, "database": kind, "migrate_s": round(migrate, 2),
            "check_s": round(check, 2), "ratio": round(check / migrate, 1), "seconds": seconds,
        }  # fmt: skip


def main() -> None:
    sizes = [one for one in ("small", "large") if one in sys.argv] or ["small", "large"]
    kinds = ("sqlite", "default", "unsafe", "embedded")
    rows = []
    print(f"| project | database | migrate | check | ratio | {' | '.join(PARTS)} |")
    print(f"| --- | --- |{' --: |' * (3 + len(PARTS))}")
    for size in sizes:
        for kind in [one for one in kinds if one in sys.argv] or kinds:
            rows.append(row := measured(kind, size))
            figures = [row["migrate_s"], row["check_s"], row["ratio"], *row["seconds"].values()]
            print(f"| {size} | {kind} | {' | '.join(map(str, figures))} |", flush=True)
    (HERE / "results" / "parts.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
