"""Tables that a migration accesses and that ``rows`` does not name."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from project import STREAM, Project

MIB = 1024**2
LIMIT = 'limit="512Mi"'
ORDERS = 'rows={"shop.Order": 20_000}'

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
            migrations.AddField("Order", "tags", models.ManyToManyField("shop.Tag")),
        ]
"""
PREFETCH = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.prefetch_related("lines"):
        list(order.lines.all())
"""
EVENTS = STREAM + '    list(apps.get_model("shop", "Event").objects.all())\n'
TAGS = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.prefetch_related("tags"):
        list(order.tags.all())
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """With lines and tags of orders, and events that refer to nothing."""
    project.write("shop/migrations/0002_more.py", SHOP)
    project.last = "0002_more"
    return project


def checked(shop: Project, code: str, *arguments: str, options: tuple[str, ...] = ()) -> Any:
    shop.migration("0003_it", code)
    shop.budget('"shop.0003"', LIMIT, *arguments)
    return shop.result(*options)


def inconclusive(result: dict[str, Any], label: str) -> None:
    assert result["verdict"] == "inconclusive", result["reason"]
    assert result["reason"].startswith(f"shop.0003_it accesses {label}, which rows= does not name")
    assert f'"{label}": N to rows= (0 for none)' in result["reason"]


def within(result: dict[str, Any], rows: dict[str, int]) -> None:
    assert (result["verdict"], result["rows"]) == ("within", rows), result["reason"]
    assert result["peak_bytes"] < result["limit_bytes"]


@pytest.mark.parametrize(
    ("code", "label"),
    [(PREFETCH, "shop.Line"), (EVENTS, "shop.Event"), (TAGS, "shop.Order_tags")],
    ids=["lines", "events", "tags"],
)
def test_rows_that_nobody_knows_of(shop: Project, vendor: str, code: str, label: str) -> None:
    result = checked(shop, code, ORDERS)
    inconclusive(result, label)
    assert len(result["samples"]) == 1
    shop.budget('"shop.0003"', LIMIT, f'rows={{"shop.Order": 2_000, "{label}": 0}}')
    within(shop.result(), {"shop.Order": 2_000, label: 0})


def test_rows_that_are_named(shop: Project, vendor: str) -> None:
    rows = {"shop.Order": 2_000, "shop.Order_tags": 16_000, "shop.Tag": 50}
    result = checked(shop, TAGS, f"rows={rows}")
    within(result, rows)
    assert result["samples"][-1]["rows_read"] == 18_000


def test_rows_that_the_profile_knows(shop: Project, vendor: str) -> None:
    """Half of the memory is that of the lines."""
    profile(shop, shop_line=60_000)
    without = checked(shop, PREFETCH, 'rows={"shop.Order": 20_000, "shop.Line": 0}')
    within(without, {"shop.Order": 20_000, "shop.Line": 0})
    shop.budget('"shop.0003"', LIMIT, ORDERS)
    result = shop.result()
    within(result, {"shop.Order": 20_000, "shop.Line": 60_000})
    assert all(
        one["rows"]["shop.Line"] == 3 * one["rows"]["shop.Order"] for one in result["samples"]
    )
    assert result["peak_bytes"] > without["peak_bytes"] + 20 * MIB
    (added,) = (one["message"] for one in result["findings"] if one["code"] == "rows-added")
    assert "60,000 shop.Line" in added


def test_ten_million_events_beside_a_stream(shop: Project, vendor: str) -> None:
    profile(shop, shop_event=10_000_000)
    shop.migration("0003_it", EVENTS)
    shop.budget('"shop.0003"', 'limit="96Mi"', ORDERS)
    result = shop.result()
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["rows"] == {"shop.Order": 20_000, "shop.Event": 10_000_000}


def test_rows_that_an_option_knows(shop: Project, vendor: str) -> None:
    shop.migration("0003_it", EVENTS)
    shop.budget('"shop.0003"', LIMIT, 'rows={"shop.Order": 2_000}')
    option = "--membudget-rows=shop.Event=4_000"
    within(shop.result(option), {"shop.Order": 2_000, "shop.Event": 4_000})
    within(shop.result("--membudget-rows=shop.Event=0"), {"shop.Order": 2_000})
    with (shop.path / "pytest.ini").open("a") as file:
        file.write("membudget_rows =\n    shop.Event=3_000\n")
    within(shop.result(), {"shop.Order": 2_000, "shop.Event": 3_000})


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
def test_what_hides_no_memory(shop: Project, vendor: str, body: str) -> None:
    result = checked(shop, f"{STREAM}    {body}\n", 'rows={"shop.Order": 2_000}')
    within(result, {"shop.Order": 2_000})


def test_parents_of_what_is_named_have_rows(shop: Project, vendor: str) -> None:
    code = """
    def forwards(apps, schema_editor):
        for order in apps.get_model("shop", "Order").objects.iterator():
            order.customer.email
    """
    within(checked(shop, code, 'rows={"shop.Order": 2_000}'), {"shop.Order": 2_000})


def test_parents_of_which_production_has_more(shop: Project, vendor: str) -> None:
    profile(shop, shop_customer=30_000)
    code = STREAM + '    list(apps.get_model("shop", "Customer").objects.all())\n'
    result = checked(shop, code, 'rows={"shop.Order": 2_000}')
    within(result, {"shop.Order": 2_000, "shop.Customer": 30_000})


def test_rows_of_an_earlier_migration(shop: Project, vendor: str) -> None:
    fill = """
    def forwards(apps, schema_editor):
        for name in ("new", "sent"):
            apps.get_model("shop", "Event").objects.create(name=name)
    """
    shop.migration("0003_fill", fill)
    shop.migration("0004_it", EVENTS)
    shop.budget('"shop.0004"', LIMIT, 'rows={"shop.Order": 2_000}')
    within(shop.result(), {"shop.Order": 2_000})


def test_tables_that_only_further_rows_lead_to(shop: Project, vendor: str) -> None:
    code = """
    def forwards(apps, schema_editor):
        for order in apps.get_model("shop", "Order").objects.prefetch_related("lines"):
            for line in order.lines.all():
                list(apps.get_model("shop", "Event").objects.filter(name=line.text))
    """
    profile(shop, shop_line=3_000)
    inconclusive(checked(shop, code, 'rows={"shop.Order": 1_000}'), "shop.Event")


SEED = """
def seed(apps, rows, using):
    Customer, Order, Event = (apps.get_model("shop", n) for n in ("Customer", "Order", "Event"))
    customer = Customer.objects.using(using).create(email="a@example.com")
    Order.objects.using(using).bulk_create(
        Order(customer=customer, number=str(n), note="x", price=n)
        for n in range(rows["shop.Order"])
    )
    Event.objects.using(using).bulk_create(Event(name=str(n)) for n in range({events}))
"""


def test_a_seed_knows_what_it_makes(shop: Project, vendor: str) -> None:
    shop.write("seeds.py", SEED.format(events=50))
    rows = 'rows={"shop.Order": 2_000}'
    within(checked(shop, EVENTS, rows, 'seed="seeds.seed"'), {"shop.Order": 2_000})
    shop.write("seeds.py", SEED.format(events=0))
    result = shop.result()
    assert result["verdict"] == "inconclusive"
    assert "shop.Event, which rows= does not name and seed= leaves empty" in result["reason"]
    rows = 'rows={"shop.Order": 2_000, "shop.Event": 0}'
    shop.budget('"shop.0003"', LIMIT, rows, 'seed="seeds.seed"')
    within(shop.result(), {"shop.Order": 2_000, "shop.Event": 0})


def test_a_table_without_a_model(shop: Project, vendor: str) -> None:
    create = """
    def forwards(apps, schema_editor):
        schema_editor.execute("CREATE TABLE legacy (id integer)")
    """
    read = f"""{textwrap.dedent(STREAM)}
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id FROM legacy")
        rows = cursor.fetchall()
"""
    shop.migration("0003_legacy", create)
    shop.migration("0004_it", read)
    shop.budget('"shop.0004"', LIMIT, 'rows={"shop.Order": 2_000}')
    result = shop.result()
    assert result["verdict"] == "inconclusive"
    assert "accesses the table legacy, which is empty and has no model" in result["reason"]


def test_no_rows_at_all(shop: Project) -> None:
    shop.migration("0003_it", EVENTS)
    shop.budget('"shop.0003"', LIMIT, 'rows={"shop.Order": 0, "shop.Event": 10}')
    run = shop.run()
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*rows?'shop.Order'?: the first model can't have 0 rows*"])
    shop.budget('"shop.0003"', LIMIT)
    run = shop.run("--membudget-rows=shop.Order=0")
    run.stderr.fnmatch_lines(["*rows: all row counts are 0 (shop.Order)*"])


def test_no_rows_in_pyproject(shop: Project) -> None:
    shop.migration("0003_it", EVENTS)
    shop.write(
        "pyproject.toml",
        """
        [tool.membudget.migrations."shop.0003_it"]
        rows = {"shop.Order" = 2000, "shop.Event" = 0}
        """,
    )
    result = shop.result("--membudget-gate=shop.0003", "--membudget-limit=512Mi")
    within(result, {"shop.Order": 2_000, "shop.Event": 0})


def profile(shop: Project, **rows: int) -> None:
    column = {"type": "bigint", "width": 8, "nulls": 0}
    document = {
        "membudget_profile": 1,
        "database": {"vendor": shop.vendor, "version": "3"},
        "taken": "2026-01-01",
        "exact": True,
        "tables": {
            table: {"rows": count, "columns": {"id": column}} for table, count in rows.items()
        },
    }
    shop.write("membudget.json", json.dumps(document))
