"""Tables that a migration accesses and that ``rows`` does not name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from batch import checks
from project import SEED, STREAM, Project

MIB = 1024**2
LIMIT = 'limit="512Mi"'
ORDERS = 'rows={"shop.Order": 15}'
both = pytest.mark.usefixtures("vendor")

SHOP = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.CreateModel("Line", [
                ("id", models.BigAutoField(primary_key=True)),
                ("order", models.ForeignKey(
                    "shop.Order", on_delete=models.CASCADE, related_name="lines")),
                ("text", models.CharField(max_length=200)),
            ]),
            migrations.CreateModel("Event", [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100)),
            ]),
            migrations.CreateModel("Tag", [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100)),
            ]),
            migrations.CreateModel("Kind", [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=100)),
            ]),
            migrations.AddField("Order", "tags", models.ManyToManyField("shop.Tag")),
        ]
"""
# What earlier migrations leave behind: two kinds, and a table that no model has.
FILL = """
def forwards(apps, schema_editor):
    for name in ("new", "sent"):
        apps.get_model("shop", "Kind").objects.create(name=name)
    schema_editor.execute("CREATE TABLE legacy (id integer)")
"""
SEEDS = f"""{SEED}
def with_events(apps, rows, using):
    seed(apps, rows, using)
    Event = apps.get_model("shop", "Event")
    Event.objects.using(using).bulk_create(Event(name=str(n)) for n in range(50))
"""
known = ("--membudget-profile=production.json",)


def prepare(project: Project) -> None:
    """Lines and tags of orders, events that refer to nothing, and production's row counts."""
    project.write("shop/migrations/0002_more.py", SHOP)
    project.last = "0002_more"
    project.migration("0003_fill", FILL)
    project.write("seeds.py", SEEDS)
    column = {"type": "bigint", "width": 8, "nulls": 0}
    rows = {"shop_line": 60_000, "shop_tag": 10_000_000, "shop_customer": 30_000}
    document = {
        "membudget_profile": 1,
        "database": {"vendor": project.vendor, "version": "3"},
        "taken": "2026-01-01",
        "exact": True,
        "tables": {name: {"rows": n, "columns": {"id": column}} for name, n in rows.items()},
    }
    project.write("production.json", json.dumps(document))


def all_of(name: str) -> str:
    return f'{STREAM}    list(apps.get_model("shop", "{name}").objects.all())\n'


PREFETCH = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.prefetch_related("{0}"):
        list(order.{0}.all())
"""
LINES, TAGS, EVENTS = PREFETCH.format("lines"), PREFETCH.format("tags"), all_of("Event")


def inconclusive(result: dict[str, Any], label: str) -> None:
    assert result["verdict"] == "inconclusive", result["reason"]
    accesses = f"{result['migration']} accesses {label}, which rows= does not name"
    assert result["reason"].startswith(accesses)
    assert f'"{label}": N to rows= (0 for none)' in result["reason"]


def within(result: dict[str, Any], rows: dict[str, int]) -> None:
    assert (result["verdict"], result["rows"]) == ("within", rows), result["reason"]
    assert result["peak_bytes"] < result["limit_bytes"]


UNNAMED = pytest.mark.parametrize(
    ("code", "label"),
    [(LINES, "shop.Line"), (EVENTS, "shop.Event"), (TAGS, "shop.Order_tags")],
    ids=["lines", "events", "tags"],
)


@both
@UNNAMED
@checks(lambda code: code, 'rows={"shop.Order": 20_000}', LIMIT)
def test_rows_that_nobody_knows_of(result: dict[str, Any], code: str, label: str) -> None:
    inconclusive(result, label)
    assert len(result["samples"]) == 1


NONE = {"shop.Order": 2_000, "shop.Line": 0, "shop.Event": 0, "shop.Order_tags": 0}


@both
@UNNAMED
@checks(lambda code: code, f"rows={NONE}", LIMIT)
def test_rows_that_there_are_none_of(result: dict[str, Any], code: str, label: str) -> None:
    within(result, NONE)


NAMED = {"shop.Order": 2_000, "shop.Order_tags": 16_000, "shop.Tag": 50}


@both
@checks(TAGS, f"rows={NAMED}", LIMIT)
def test_rows_that_are_named(result: dict[str, Any]) -> None:
    within(result, NAMED)
    assert result["samples"][-1]["rows_read"] == 18_000


@both
@checks(LINES, 'rows={"shop.Order": 20_000}', 'limit="1Gi"', options=known)
def test_rows_that_the_profile_knows(result: dict[str, Any]) -> None:
    """Most of the memory is that of the lines."""
    within(result, {"shop.Order": 20_000, "shop.Line": 60_000})
    assert all(
        one["rows"]["shop.Line"] == 3 * one["rows"]["shop.Order"] for one in result["samples"]
    )
    assert result["peak_bytes"] > result["baseline_bytes"] + 40 * MIB
    (added,) = (one["message"] for one in result["findings"] if one["code"] == "rows-added")
    assert "60,000 shop.Line" in added


@both
@checks(all_of("Tag"), 'rows={"shop.Order": 20_000}', 'limit="96Mi"', options=known)
def test_ten_million_tags_beside_a_stream(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["rows"] == {"shop.Order": 20_000, "shop.Tag": 10_000_000}


@both
@checks(all_of("Customer"), 'rows={"shop.Order": 2_000}', LIMIT, options=known)
def test_parents_of_which_production_has_more(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 2_000, "shop.Customer": 30_000})


FURTHER = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.prefetch_related("lines"):
        for line in order.lines.all():
            list(apps.get_model("shop", "Event").objects.filter(name=line.text))
"""


@both
@checks(FURTHER, 'rows={"shop.Order": 20_000}', LIMIT, options=known)
def test_tables_that_only_further_rows_lead_to(result: dict[str, Any]) -> None:
    inconclusive(result, "shop.Event")


options = ("--membudget-rows=shop.Event=40", "--membudget-rows=shop.Line=0")


@checks(EVENTS, ORDERS, LIMIT, options=options)
def test_rows_that_an_option_knows(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15, "shop.Event": 40})


@checks(LINES, ORDERS, LIMIT, options=options)
def test_an_option_knows_that_there_are_none(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15})


@checks(EVENTS, ORDERS, LIMIT, options=("-o", "membudget_rows=shop.Event=30"))
def test_rows_that_the_ini_file_knows(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15, "shop.Event": 30})


@both
@checks(lambda body: f"{STREAM}    if total:\n        {body}\n", ORDERS, LIMIT)
@pytest.mark.parametrize(
    "body",
    [
        'apps.get_model("shop", "Event").objects.count()',
        'apps.get_model("shop", "Event").objects.first()',
        'apps.get_model("shop", "Event").objects.filter(pk=7).first()',
        'apps.get_model("shop", "Event").objects.exists()',
        'apps.get_model("shop", "Event").objects.create(name="new")',
        'apps.get_model("shop", "Tag").objects.get_or_create(pk=1, defaults={"name": "new"})',
        'apps.get_model("shop", "Customer").objects.count()',
        'list(apps.get_model("shop", "Order").objects.select_related("customer"))',
        "apps.get_model('contenttypes', 'ContentType').objects.get_for_model(order)",
    ],
)
def test_what_hides_no_memory(result: dict[str, Any], body: str) -> None:
    within(result, {"shop.Order": 15})


PARENTS = STREAM.replace("total += order.price", "order.customer.email")


@both
@checks(PARENTS, ORDERS, LIMIT)
def test_parents_of_what_is_named_have_rows(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15})


@both
@checks(all_of("Kind"), ORDERS, LIMIT)
def test_rows_of_an_earlier_migration(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15})


@both
@checks(EVENTS, ORDERS, LIMIT, 'seed="seeds.with_events"')
def test_a_seed_knows_what_it_makes(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15})


@both
@checks(EVENTS, ORDERS, LIMIT, 'seed="seeds.seed"')
def test_a_seed_does_not_know_what_it_leaves_empty(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "shop.Event, which rows= does not name and seed= leaves empty" in result["reason"]


@both
@checks(EVENTS, 'rows={"shop.Order": 15, "shop.Event": 0}', LIMIT, 'seed="seeds.seed"')
def test_a_seed_and_rows_that_there_are_none_of(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15, "shop.Event": 0})


LEGACY = f"""{STREAM}
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id FROM legacy")
        rows = cursor.fetchall()
"""


@both
@checks(LEGACY, ORDERS, LIMIT)
def test_a_table_without_a_model(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "accesses the table legacy, which is empty and has no model" in result["reason"]


def test_no_rows_at_all(project: Project) -> None:
    prepare(project)
    project.budgets(
        ('"shop.0003"', LIMIT, 'rows={"shop.Order": 0, "shop.Event": 10}'), ('"shop.0003"', LIMIT)
    )
    run = project.run("--membudget-rows=shop.Order=0")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        [
            "*rows?'shop.Order'?: the first model can't have 0 rows*",
            "*rows: all row counts are 0 (shop.Order)*",
        ]
    )


def test_no_rows_in_pyproject(project: Project) -> None:
    prepare(project)
    project.migration("0004_it", EVENTS)
    project.write(
        "pyproject.toml",
        """
        [tool.membudget.migrations."shop.0004_it"]
        rows = {"shop.Order" = 15, "shop.Event" = 0}
        """,
    )
    result = project.result("--membudget-gate=shop.0004", "--membudget-limit=512Mi")
    within(result, {"shop.Order": 15, "shop.Event": 0})
