"""Memory that a gate sees without production's rows: nothing passes whose peak was not read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from project import Project
from results import figures
from results import result as made

from pytest_membudget.reports.failure import failure
from pytest_membudget.reports.html import html
from pytest_membudget.reports.markdown import markdown
from pytest_membudget.reports.terminal import summary

MIB = 1024**2
GATE = ("--membudget-limit=256Mi", "--membudget-rows=*=40_000")

SIX_HUNDRED = """
def forwards(apps, schema_editor):
    kept = b"x" * (600 << 20)
"""
BUILT_TO_INSERT = """
def forwards(apps, schema_editor):
    Customer, Order = (apps.get_model("shop", name) for name in ("Customer", "Order"))
    customer = Customer.objects.create(email="new@example.com")
    Order.objects.bulk_create(
        [
            Order(customer=customer, number=f"new {n}", note=f"{n}" * 200, price=n)
            for n in range(150_000)
        ],
        batch_size=1_000,
    )
"""
LOADDATA = """
import json

def forwards(apps, schema_editor):
    from django.core.management import call_command

    with open("customers.json", "w") as file:
        json.dump([
            {"model": "shop.customer", "pk": n, "fields": {"email": f"{n:0240}@example.com"}}
            for n in range(120_000)
        ], file)
    call_command("loaddata", "customers.json", verbosity=0)
"""
TODAYS_MODELS = """
    from django.db import models

    class Customer(models.Model):
        email = models.EmailField(unique=True, max_length=254)
"""
A_ROW = """
def forwards(apps, schema_editor):
    kept = []
    for order in apps.get_model("shop", "Order").objects.iterator():
        kept.append(b"x" * (10 << 20))
"""
DEFAULT = """
    from django.db import migrations, models

    def default():
        return len(b"x" * (600 << 20))

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.{operation}("Order", "{field}", models.IntegerField(default=default)),
        ]
"""
SCHEMA = """
    from django.db import migrations, models

    {head}

    class Migration(migrations.Migration):
        dependencies = [("shop", "{after}")]
        operations = [migrations.AddField("Order", "{field}", models.IntegerField(null=True))]
"""
APPS = """
    from django.apps import AppConfig
    from django.db.models.signals import {signal}

    def take(**kwargs):
        kept = b"x" * (600 << 20)

    class Shop(AppConfig):
        name = "shop"

        def ready(self):
            {signal}.connect(take)
"""


def schema(project: Project, field: str = "paid", *, head: str = "") -> None:
    """Add a migration that adds a column."""
    name = f"{int(project.last[:4]) + 1:04}_{field}"
    text = SCHEMA.format(head=head, after=project.last, field=field)
    project.write(f"shop/migrations/{name}.py", text)
    project.last = name


def gated(project: Project, *arguments: str, what: str = "shop.0002") -> dict[str, Any]:
    return project.result(f"--membudget-gate={what}", *GATE, *arguments)


def exceeds(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]
    assert result["peak_bytes"] > 256 * MIB
    assert "the limit" in result["reason"]
    assert "256 MiB" in result["reason"]


@pytest.mark.parametrize("body", [SIX_HUNDRED, BUILT_TO_INSERT], ids=["bytes", "inserted"])
def test_memory_that_no_row_explains(project: Project, vendor: str, body: str) -> None:
    project.migration("0002_change", body)
    result = gated(project)
    exceeds(result)
    assert "on empty tables" in result["reason"]
    assert result["samples"][-1]["peak_bytes"] == result["peak_bytes"]


def test_a_fixture_that_is_loaded(project: Project, vendor: str) -> None:
    project.write("shop/models.py", TODAYS_MODELS)
    project.migration("0002_change", LOADDATA)
    result = gated(project, "--membudget-limit=144Mi")
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]


def test_a_hundred_rows_of_ten_megabytes(project: Project, vendor: str) -> None:
    project.migration("0002_change", A_ROW)
    column = {"type": "text", "width": 50}
    profile(project, {"shop_order": {"rows": 100, "columns": {"note": column}}})
    result = project.result("--membudget-gate=shop.0002", "--membudget-limit=256Mi")
    exceeds(result)
    result = project.result("--membudget-gate=shop.0002", "--membudget-limit=512Mi")
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["rows"] == {"shop.Order": 100}


def test_rows_that_cost_little_are_too_few_to_matter(project: Project, vendor: str) -> None:
    project.migration("0002_change", A_ROW.replace("10 << 20", "10 << 10"))
    column = {"type": "text", "width": 50}
    profile(project, {"shop_order": {"rows": 100, "columns": {"note": column}}})
    result = project.result("--membudget-gate=shop.0002", "--membudget-limit=256Mi")
    assert result["reason"].endswith(" with too few rows to affect memory: 100 shop.Order.")
    within(result)
    assert [sample["rows"] for sample in result["samples"]] == [{}, {"shop.Order": 20}]


def test_what_counting_rows_makes_room_for(project: Project, vendor: str) -> None:
    """No table is gone through, and yet the memory is that of its rows."""
    body = """
    def forwards(apps, schema_editor):
        kept = bytearray(apps.get_model("shop", "Order").objects.count() * (1 << 20))
    """
    project.migration("0002_change", body)
    result = project.result(
        "--membudget-gate=shop.0002", "--membudget-limit=256Mi", "--membudget-rows=*=600"
    )
    assert result["verdict"] == "exceeds", result["reason"]


def test_a_branch_that_a_count_leads_to(project: Project, vendor: str) -> None:
    """The dry run takes the other one, and accesses no rows."""
    body = """
    def forwards(apps, schema_editor):
        if apps.get_model("shop", "Order").objects.count() > {rows}:
            kept = b"x" * (600 << 20)
    """
    project.migration("0002_change", body.format(rows="30_000"))
    exceeds(gated(project))
    project.migration("0003_change", body.format(rows="50_000"))
    within(gated(project, what="shop.0003"))


@pytest.mark.parametrize("operation", ["AddField", "AlterField"])
def test_a_default_that_takes_memory(project: Project, vendor: str, operation: str) -> None:
    field = {"AddField": "paid", "AlterField": "total"}[operation]
    project.write(
        "shop/migrations/0002_change.py", DEFAULT.format(operation=operation, field=field)
    )
    exceeds(gated(project))


@pytest.mark.parametrize("default", ["uuid.uuid4", "dict"])
def test_a_default_of_python_is_no_code_of_the_project(project: Project, default: str) -> None:
    project.write(
        "shop/migrations/0002_change.py",
        f"""
        import uuid

        from django.db import migrations, models

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [
                migrations.AddField("Order", "paid", models.CharField(default={default})),
            ]
        """,
    )
    result = gated(project)
    within(result)
    assert "the database executes its operations" in result["reason"]
    assert result["samples"] == []


@pytest.mark.parametrize("kept", ["KEPT = b'x' * (600 << 20)", "b'x' * len(b'x' * (600 << 20))"])
def test_memory_at_the_level_of_the_module(project: Project, vendor: str, kept: str) -> None:
    schema(project, head=kept)
    exceeds(gated(project))


def test_memory_of_the_settings(project: Project, vendor: str) -> None:
    with (project.path / "settings.py").open("a") as file:
        file.write("\nimport keeps\n")
    project.write("keeps.py", "KEPT = b'x' * (600 << 20)\n")
    schema(project)
    exceeds(gated(project))


@pytest.mark.parametrize("signal", ["pre_migrate", "post_migrate"])
def test_memory_of_a_receiver(project: Project, vendor: str, signal: str) -> None:
    project.write("shop/apps.py", APPS.format(signal=signal))
    schema(project)
    exceeds(gated(project))


def within(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("within", "measured"), result["reason"]
    assert 30 * MIB < result["peak_bytes"] < result["peak_high_bytes"] < result["limit_bytes"]


MERGE = """
    from django.db import migrations

    class Migration(migrations.Migration):
        dependencies = [("shop", "0002_paid")]
        operations = []
"""
SQUASH = """
    from django.db import migrations, models

    def take(apps, schema_editor):
        kept = b"x" * (600 << 20)

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
    """Its mark where the states are built, held against a process that applies it."""
    schema(project)
    told = gated(project)
    within(told)
    assert told["samples"] == []
    project.budget('"shop.0002"', 'rows={"shop.Order": 1}', 'limit="256Mi"')
    run = project.result("test_budget.py")["samples"][0]["peak_bytes"]
    assert run - 0.5 * MIB < told["peak_bytes"] < run + 6 * MIB
    (finding,) = (one for one in told["findings"] if one["code"] == "measured-on-empty-tables")
    assert "the peak of manage.py migrate with nothing to apply" in finding["message"]


@pytest.mark.parametrize("text", [MERGE, SQUASH], ids=["merge", "squash"])
def test_what_does_nothing_has_a_peak(project: Project, vendor: str, text: str) -> None:
    schema(project)
    if text == SQUASH:
        schema(project, "sent")
    project.write("shop/migrations/0004_it.py", text)
    result = gated(project, what="shop.0004")
    within(result)
    assert "has no operations" in result["reason"] or "recorded and not run" in result["reason"]


def test_what_a_migration_before_it_has_taken_is_not_its_own(project: Project, vendor: str) -> None:
    project.migration("0002_before", SIX_HUNDRED)
    schema(project)
    results = project.results("--membudget-gate=shop", *GATE)
    assert [result["verdict"] for result in results] == ["within", "exceeds", "within"]


def test_hundreds_of_them_cost_one_process(project: Project, vendor: str) -> None:
    for number in range(60):
        schema(project, f"field_{number}")
    results = project.results("--membudget-gate=shop", *GATE)
    assert len(results) == 61
    for result in results:
        within(result)
    seconds = sorted(result["duration_s"] for result in results)
    assert seconds[-2] < 0.2
    assert sum(seconds) < 30


def test_one_that_breaks_does_not_hide_those_before_it(project: Project) -> None:
    schema(project)
    schema(project, "sent")
    text = SCHEMA.format(head="", after=project.last, field="paid")  # it is there
    project.write("shop/migrations/0004_again.py", text.replace("AddField", "AddField"))
    results = {one["migration"]: one for one in project.results("--membudget-gate=shop", *GATE)}
    assert results.pop("shop.0004_again")["verdict"] == "error"
    for result in results.values():
        within(result)


def test_every_report_shows_what_dry_runs_told() -> None:
    samples = [
        {**one, "rows": rows}
        for one, rows in zip(figures()["samples"][:2], ({}, {"shop.Line": 20}), strict=True)
    ]
    for verdict in ("exceeds", "within"):
        shown = made(rows={}, samples=samples, verdict=verdict, basis="measured", growth=None)
        text = failure(shown, verbosity=1)
        assert text.startswith(shown.reason)
        assert "20 66 MiB" in " ".join(text.split())
        assert "shop.0002_backfill_total" in html([shown], [], {})
        for lines in (markdown([shown]), "".join(summary([shown], 120, color=False))):
            assert ("shop.0002_backfill_total" in lines) == (verdict == "exceeds")


def profile(project: Project, tables: dict[str, Any]) -> None:
    document = {
        "membudget_profile": 1,
        "database": {"vendor": project.vendor, "version": "3"},
        "taken": "2026-01-01",
        "exact": True,
        "tables": tables,
    }
    project.write("membudget.json", json.dumps(document))
