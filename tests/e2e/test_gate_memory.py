"""Memory that a gate sees without production's rows: nothing passes whose peak was not read."""

from __future__ import annotations

from typing import Any

import pytest
from batch import both, checks
from project import Project

MIB = 1024**2
GATE = ("--membudget-limit=256Mi", "--membudget-rows=*=40_000")

THREE_HUNDRED = """
def forwards(apps, schema_editor):
    kept = b"x" * (300 << 20)
"""
LOADDATA = """
import json

def forwards(apps, schema_editor):
    from django.core.management import call_command

    customer = apps.get_model("shop", "Customer").objects.create(email="new@example.com")
    with open("orders.json", "w") as file:
        json.dump([
            {
                "model": "shop.order",
                "pk": n,
                "fields": {
                    "customer_id": customer.pk, "number": n, "note": "x" * 60_000, "price": n
                },
            }
            for n in range(1_500)
        ], file)
    call_command("loaddata", "orders.json", verbosity=0)
"""
TODAYS_MODELS = """
    from django.db import models

    class Order(models.Model):
        customer_id = models.IntegerField()
        number = models.CharField(max_length=20)
        note = models.TextField()
        price = models.IntegerField()
"""
SCHEMA = """
    from django.db import migrations, models

    {head}

    class Migration(migrations.Migration):
        dependencies = [("shop", "{after}")]
        operations = [migrations.{operation}("Order", "{field}", {kind})]
"""
APPS = """
    from django.apps import AppConfig
    from django.db.models.signals import {signal}

    def take(**kwargs):
        kept = b"x" * (300 << 20)

    class Shop(AppConfig):
        name = "shop"

        def ready(self):
            {signal}.connect(take)
"""


def adding(
    after: str = "0001_initial",
    field: str = "paid",
    *,
    head: str = "",
    kind: str = "models.IntegerField(null=True)",
    operation: str = "AddField",
) -> str:
    return SCHEMA.format(head=head, after=after, field=field, kind=kind, operation=operation)


def schema(project: Project, field: str = "paid", **more: str) -> None:
    """Add a migration that adds a column."""
    name = f"{int(project.last[:4]) + 1:04}_{field}"
    project.write(f"shop/migrations/{name}.py", adding(project.last, field, **more))
    project.last = name


def a_row(size: str) -> str:
    return f"""
def forwards(apps, schema_editor):
    kept = []
    for order in apps.get_model("shop", "Order").objects.iterator():
        kept.append(b"x" * ({size}))
"""


def prepare(project: Project) -> None:
    """A profile."""
    project.profile({"shop_order": 100}, "profile.json", note=50)


def gated(project: Project, *arguments: str) -> dict[str, Any]:
    return project.result("--membudget-gate=shop.0002", *GATE, *arguments)


def exceeds(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]
    assert result["peak_bytes"] > 256 * MIB
    assert "the limit" in result["reason"]
    assert "256 MiB" in result["reason"]


def within(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("within", "measured"), result["reason"]
    assert 30 * MIB < result["peak_bytes"] < result["peak_high_bytes"] < result["limit_bytes"]


def test_a_fixture_that_is_loaded(project: Project) -> None:
    project.write("shop/models.py", TODAYS_MODELS)
    project.migration("0002_change", LOADDATA)
    result = gated(project, "--membudget-limit=144Mi")
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]
    assert "on empty tables" in result["reason"]
    assert result["samples"][-1]["peak_bytes"] == result["peak_bytes"]


profiled = ("--membudget-limit=256Mi", "--membudget-profile=profile.json")


@checks(a_row("20 << 20"), gate=True, options=profiled)
def test_a_hundred_rows_of_twenty_megabytes(result: dict[str, Any]) -> None:
    exceeds(result)


@both
@checks(a_row("5 << 20"), gate=True, options=profiled)
def test_a_hundred_rows_of_which_twenty_fit(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["rows"] == {"shop.Order": 100}


@both
@checks(a_row("5 << 10"), gate=True, options=profiled)
def test_rows_that_cost_little_are_too_few_to_matter(result: dict[str, Any]) -> None:
    assert result["reason"].endswith(
        "accesses only tables with too few rows to affect memory: 100 shop.Order."
    )
    within(result)
    assert [sample["rows"] for sample in result["samples"]] == [{}, {"shop.Order": 20}]


def counted(size: int) -> str:
    return f"""
def forwards(apps, schema_editor):
    kept = bytearray(apps.get_model("shop", "Order").objects.count() * {size})
"""


BRANCH = """
def forwards(apps, schema_editor):
    if apps.get_model("shop", "Order").objects.count() > {rows}:
        kept = b"x" * (300 << 20)
"""


@checks(counted, gate=True, options=GATE)
@pytest.mark.parametrize("size", [1 << 18, 1 << 13], ids=["large", "small"])
def test_what_counting_rows_makes_room_for(result: dict[str, Any], size: int) -> None:
    """No table is gone through, and yet the memory is that of its rows.

    The small ones are nothing on the few rows of a dry run.
    """
    assert result["verdict"] == "exceeds", result["reason"]


@checks(BRANCH.format(rows="30_000"), gate=True, options=GATE)
def test_a_branch_that_a_count_leads_to(result: dict[str, Any]) -> None:
    """The dry run takes the other one, and accesses no rows."""
    exceeds(result)


@checks(BRANCH.format(rows="50_000"), gate=True, options=GATE)
def test_a_branch_that_no_count_leads_to(result: dict[str, Any]) -> None:
    within(result)


HOLDING = "KEPT = b'x' * (300 << 20)"
FREEING = "b'x' * len(b'x' * (300 << 20))"
DEFAULT = {
    "head": "def default(): return len(b'x' * (300 << 20))",
    "kind": "models.IntegerField(default=default)",
}
ALTERED = adding(field="total", operation="AlterField", **DEFAULT)
# What takes 300 MiB: the migration, and a file beside it.
TAKEN = {
    "default of a changed field": (
        "sqlite",
        adding(field="total", operation="AlterField", **DEFAULT),
        {},
    ),
    "default of a new field": ("postgresql", adding(**DEFAULT), {}),
    "module, kept": ("sqlite", adding(head=HOLDING), {}),
    "module, freed": ("sqlite", adding(head=FREEING), {}),
    "settings": ("postgresql", adding(), {"keeps.py": HOLDING}),
    "before": ("sqlite", adding(), {"shop/apps.py": APPS.format(signal="pre_migrate")}),
    "after": ("postgresql", adding(), {"shop/apps.py": APPS.format(signal="post_migrate")}),
}


@pytest.mark.parametrize(("vendor", "what"), [(TAKEN[what][0], what) for what in TAKEN])
def test_memory_that_is_taken_on_empty_tables(project: Project, vendor: str, what: str) -> None:
    _, text, files = TAKEN[what]
    for name, its in {"shop/migrations/0002_change.py": text, **files}.items():
        project.write(name, its)
    if what == "settings":
        project.add("settings.py", "import keeps")
    exceeds(gated(project))


MERGE = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0003_sent")]
        operations = []
"""
SQUASH = """
    from django.db import migrations, models

    def take(apps, schema_editor):
        kept = b"x" * (300 << 20)

    class Migration(migrations.Migration):
        replaces = [("shop", "0002_paid"), ("shop", "0003_sent")]
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.RunPython(take),
            migrations.AddField("Order", "paid", models.IntegerField(null=True)),
            migrations.AddField("Order", "sent", models.IntegerField(null=True)),
        ]
"""


def test_what_is_told_apart_has_the_peak_of_a_real_run(project: Project, vendor: str) -> None:
    """Its mark where the states are built, held against a process that applies it.

    What the migration before it has taken is not its own, and many of them cost one process.
    """
    project.migration("0002_before", THREE_HUNDRED)
    schema(project)
    project.budget('"shop.0003"', 'rows={"shop.Order": 1}', 'limit="256Mi"')
    for number in range(40):
        schema(project, f"field_{number}")
    *gated, run = project.results(".", "--membudget-gate=shop", *GATE)
    exceeds(gated.pop(1))
    assert len(gated) == 42
    for result in gated:
        within(result)
    _, told, *others = gated
    assert max(result["duration_s"] for result in others) < 0.2
    assert told["samples"] == []
    peak = run["samples"][0]["peak_bytes"]
    assert peak - 0.5 * MIB < told["peak_bytes"] < peak + 6 * MIB
    (finding,) = (one for one in told["findings"] if one["code"] == "measured-on-empty-tables")
    assert "the peak of manage.py migrate with nothing to apply" in finding["message"]


def test_what_takes_nothing_has_a_peak(project: Project) -> None:
    """Also before one that breaks; a default of Python's is no code of the project."""
    schema(project)
    schema(project, "sent")
    project.write("shop/migrations/0004_squash.py", SQUASH)
    project.write("shop/migrations/0005_merge.py", MERGE)
    project.last = "0005_merge"
    for default in ("uuid.uuid4", "dict"):
        kind = f"models.CharField(default={default})"
        schema(project, f"a_{default[:4]}", head="import uuid", kind=kind)
    schema(project)  # it is there
    results = {one["migration"]: one for one in project.results("--membudget-gate=shop", *GATE)}
    assert results.pop("shop.0008_paid")["verdict"] == "error"
    names = ("0001_initial", "0004_squash", "0005_merge", "0006_a_uuid", "0007_a_dict")
    assert list(results) == [f"shop.{name}" for name in names]
    for result in results.values():
        within(result)
    recorded = "replaces 2 migrations that production has applied, so it is recorded and not run"
    assert recorded in results["shop.0004_squash"]["reason"]
    assert "has no operations" in results["shop.0005_merge"]["reason"]
    for result in list(results.values())[-2:]:
        assert "the database executes its operations" in result["reason"]
        assert result["samples"] == []


WITH_CODE = """
    from django.db import migrations, models

    def forwards(apps, schema_editor):
        apps.get_model("shop", "Order").objects.count()

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [migrations.RunPython(forwards), migrations.AddField("Order", "paid", {kind})]
"""
ANY_ROW = {
    "models.IntegerField()": "it fails wherever the table has rows, which have no value",
    'models.CharField(max_length=9, default="x", unique=True)': (
        "it fails wherever the table has more than one row, which have the same value"
    ),
}


@both
@pytest.mark.parametrize("kind", ANY_ROW)
def test_a_column_that_no_row_can_have(project: Project, kind: str) -> None:
    project.write("shop/migrations/0002_paid.py", WITH_CODE.format(kind=kind))
    result = gated(project)
    assert result["verdict"] == "error"
    assert ANY_ROW[kind] in result["reason"]
