"""Memory that a gate sees without production's rows: nothing passes whose peak was not read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from batch import checks
from project import Project
from results import figures
from results import result as made

from pytest_membudget.reports.failure import failure
from pytest_membudget.reports.html import html
from pytest_membudget.reports.markdown import markdown
from pytest_membudget.reports.terminal import summary

MIB = 1024**2
GATE = ("--membudget-limit=256Mi", "--membudget-rows=*=40_000")
both = pytest.mark.usefixtures("vendor")

THREE_HUNDRED = """
def forwards(apps, schema_editor):
    kept = b"x" * (300 << 20)
"""
BUILT_TO_INSERT = """
def forwards(apps, schema_editor):
    Customer, Order = (apps.get_model("shop", name) for name in ("Customer", "Order"))
    customer = Customer.objects.create(email="new@example.com")
    Order.objects.bulk_create(
        [
            Order(customer=customer, number=f"new {n}", note=f"{n}" * 1_000, price=n)
            for n in range(40_000)
        ],
        batch_size=1_000,
    )
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
A_ROW = """
def forwards(apps, schema_editor):
    kept = []
    for order in apps.get_model("shop", "Order").objects.iterator():
        kept.append(b"x" * (10 << 20))
"""
DEFAULT = """
    from django.db import migrations, models

    def default():
        return len(b"x" * (300 << 20))

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
        operations = [migrations.AddField("Order", "{field}", {kind})]
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


def schema(
    project: Project,
    field: str = "paid",
    *,
    head: str = "",
    kind: str = "models.IntegerField(null=True)",
) -> None:
    """Add a migration that adds a column."""
    name = f"{int(project.last[:4]) + 1:04}_{field}"
    text = SCHEMA.format(head=head, after=project.last, field=field, kind=kind)
    project.write(f"shop/migrations/{name}.py", text)
    project.last = name


def prepare(project: Project) -> None:
    """A profile."""
    column = {"type": "text", "width": 50}
    document = {
        "membudget_profile": 1,
        "database": {"vendor": project.vendor, "version": "3"},
        "taken": "2026-01-01",
        "exact": True,
        "tables": {"shop_order": {"rows": 100, "columns": {"note": column}}},
    }
    project.write("profile.json", json.dumps(document))


def gated(project: Project, *arguments: str, what: str = "shop.0002") -> dict[str, Any]:
    return project.result(f"--membudget-gate={what}", *GATE, *arguments)


def exceeds(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]
    assert result["peak_bytes"] > 256 * MIB
    assert "the limit" in result["reason"]
    assert "256 MiB" in result["reason"]


def within(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("within", "measured"), result["reason"]
    assert 30 * MIB < result["peak_bytes"] < result["peak_high_bytes"] < result["limit_bytes"]


def test_rows_that_are_built_to_be_inserted(project: Project) -> None:
    project.migration("0002_change", BUILT_TO_INSERT)
    on_empty_tables(gated(project))


def on_empty_tables(result: dict[str, Any]) -> None:
    exceeds(result)
    assert "on empty tables" in result["reason"]
    assert result["samples"][-1]["peak_bytes"] == result["peak_bytes"]


def test_a_fixture_that_is_loaded(project: Project) -> None:
    project.write("shop/models.py", TODAYS_MODELS)
    project.migration("0002_change", LOADDATA)
    result = gated(project, "--membudget-limit=144Mi")
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured"), result["reason"]


PROFILE = "--membudget-profile=profile.json"


@checks(A_ROW, gate=True, options=("--membudget-limit=256Mi", PROFILE))
def test_a_hundred_rows_of_ten_megabytes(result: dict[str, Any]) -> None:
    exceeds(result)


@both
@checks(A_ROW, gate=True, options=("--membudget-limit=512Mi", PROFILE))
def test_a_hundred_rows_of_which_twenty_fit(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["rows"] == {"shop.Order": 100}


@both
@checks(
    A_ROW.replace("10 << 20", "10 << 10"),
    gate=True,
    options=("--membudget-limit=512Mi", PROFILE),
)
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


@pytest.mark.parametrize(
    ("vendor", "operation", "field"),
    [("sqlite", "AlterField", "total"), ("postgresql", "AddField", "paid")],
)
def test_a_default_that_takes_memory(
    project: Project, vendor: str, operation: str, field: str
) -> None:
    text = DEFAULT.format(operation=operation, field=field)
    project.write("shop/migrations/0002_change.py", text)
    exceeds(gated(project))


def test_a_default_of_python_is_no_code_of_the_project(project: Project) -> None:
    for default in ("uuid.uuid4", "dict"):
        kind = f"models.CharField(default={default})"
        schema(project, f"a_{default[:4]}", head="import uuid", kind=kind)
    results = project.results("--membudget-gate=shop", *GATE)
    assert len(results) == 3
    for result in results:
        within(result)
        assert "the database executes its operations" in result["reason"]
        assert result["samples"] == []


@pytest.mark.parametrize("kept", ["KEPT = b'x' * (300 << 20)", "b'x' * len(b'x' * (300 << 20))"])
def test_memory_at_the_level_of_the_module(project: Project, kept: str) -> None:
    schema(project, head=kept)
    exceeds(gated(project))


def test_memory_of_the_settings(project: Project, postgresql: object) -> None:
    with (project.path / "settings.py").open("a") as file:
        file.write("\nimport keeps\n")
    project.write("keeps.py", "KEPT = b'x' * (300 << 20)\n")
    schema(project)
    exceeds(gated(project))


@pytest.mark.parametrize(
    ("vendor", "signal"), [("sqlite", "pre_migrate"), ("postgresql", "post_migrate")]
)
def test_memory_of_a_receiver(project: Project, vendor: str, signal: str) -> None:
    project.write("shop/apps.py", APPS.format(signal=signal))
    schema(project)
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

    What the migration before it has taken is not its own.
    """
    project.migration("0002_before", THREE_HUNDRED)
    schema(project)
    project.budget('"shop.0003"', 'rows={"shop.Order": 1}', 'limit="256Mi"')
    initial, before, told, run = project.results("--membudget-gate=shop", *GATE)
    on_empty_tables(before)
    within(initial)
    within(told)
    assert told["samples"] == []
    peak = run["samples"][0]["peak_bytes"]
    assert peak - 0.5 * MIB < told["peak_bytes"] < peak + 6 * MIB
    (finding,) = (one for one in told["findings"] if one["code"] == "measured-on-empty-tables")
    assert "the peak of manage.py migrate with nothing to apply" in finding["message"]


def test_what_does_nothing_has_a_peak(project: Project) -> None:
    schema(project)
    schema(project, "sent")
    project.write("shop/migrations/0004_squash.py", SQUASH)
    project.write("shop/migrations/0005_merge.py", MERGE)
    results = {one["migration"]: one for one in project.results("--membudget-gate=shop", *GATE)}
    assert list(results) == ["shop.0001_initial", "shop.0004_squash", "shop.0005_merge"]
    for result in results.values():
        within(result)
    recorded = "replaces 2 migrations that production has applied, so it is recorded and not run"
    assert recorded in results["shop.0004_squash"]["reason"]
    assert "has no operations" in results["shop.0005_merge"]["reason"]


def test_hundreds_of_them_cost_one_process(project: Project, vendor: str) -> None:
    for number in range(40):
        schema(project, f"field_{number}")
    results = project.results("--membudget-gate=shop", *GATE)
    assert len(results) == 41
    for result in results:
        within(result)
    seconds = sorted(result["duration_s"] for result in results)
    assert seconds[-2] < 0.2
    assert sum(seconds) < 20


def test_one_that_breaks_does_not_hide_those_before_it(project: Project) -> None:
    schema(project)
    schema(project, "sent")
    schema(project)  # it is there
    results = {one["migration"]: one for one in project.results("--membudget-gate=shop", *GATE)}
    assert results.pop("shop.0004_paid")["verdict"] == "error"
    assert len(results) == 3
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
