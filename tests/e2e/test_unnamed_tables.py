"""Tables that a migration accesses and that ``rows`` does not name."""

from __future__ import annotations

from typing import Any

import pytest
from batch import both, checks
from project import FEW, LIMIT, SEED, STREAM, Project

MIB = 1024**2

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
            *(
                migrations.CreateModel(name, [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("name", models.CharField(max_length=100)),
                ])
                for name in ("Event", "Tag", "Kind")
            ),
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
    rows = {"shop_line": 24_000, "shop_tag": 400_000, "shop_customer": 3_000, "shop_order_tags": 0}
    project.profile(rows, "production.json", id=8)


def all_of(name: str) -> str:
    return f'{STREAM}    list(apps.get_model("shop", "{name}").objects.all())\n'


def loops(relation: str) -> str:
    return f"""
    for order in apps.get_model("shop", "Order").objects.prefetch_related("{relation}"):
        list(order.{relation}.all())
"""


FORWARDS = "def forwards(apps, schema_editor):"
LINES, TAGS, EVENTS = FORWARDS + loops("lines"), FORWARDS + loops("tags"), all_of("Event")


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
@checks(lambda code: code, 'rows={"shop.Order": 400}', LIMIT)
def test_rows_that_nobody_knows_of(result: dict[str, Any], code: str, label: str) -> None:
    inconclusive(result, label)
    assert len(result["samples"]) == 1


NONE = {"shop.Order": 400, "shop.Line": 0, "shop.Event": 0, "shop.Order_tags": 0}


@both
@checks(f"{EVENTS}{loops('lines')}{loops('tags')}", f"rows={NONE}", LIMIT)
def test_rows_that_there_are_none_of(result: dict[str, Any]) -> None:
    within(result, NONE)


NAMED = {"shop.Order": 15, "shop.Order_tags": 120, "shop.Tag": 50}


@both
@checks(TAGS, f"rows={NAMED}", LIMIT)
def test_rows_that_are_named(result: dict[str, Any]) -> None:
    within(result, NAMED)
    assert result["samples"][-1]["rows_read"] == 135


@checks(TAGS, f"rows={ {label.lower(): rows for label, rows in NAMED.items()} }", LIMIT)
def test_labels_are_read_in_any_case(result: dict[str, Any]) -> None:
    within(result, NAMED)


STATED = tuple(f"--membudget-rows={label.upper()}={rows}" for label, rows in NAMED.items())


@checks(TAGS, LIMIT, options=STATED)
def test_labels_of_options_are_read_in_any_case(result: dict[str, Any]) -> None:
    within(result, NAMED)


@both
@checks(LINES, 'rows={"shop.Order": 8_000}', 'limit="1Gi"', options=known)
def test_rows_that_the_profile_knows(result: dict[str, Any]) -> None:
    """Most of the memory is that of the lines."""
    within(result, {"shop.Order": 8_000, "shop.Line": 24_000})
    assert all(
        one["rows"]["shop.Line"] == 3 * one["rows"]["shop.Order"] for one in result["samples"]
    )
    assert result["peak_bytes"] > result["baseline_bytes"] + 16 * MIB
    (added,) = (one["message"] for one in result["findings"] if one["code"] == "rows-added")
    assert "24,000 shop.Line" in added


@both
@checks(STREAM, 'rows={"shop.Order": 400}', LIMIT, options=known)
def test_links_of_which_production_has_none(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 400})
    unasked = [one["message"] for one in result["findings"] if one["code"] == "rows-unasked"]
    assert not any("shop.Order_tags" in message for message in unasked)


@both
@checks(all_of("Tag"), FEW, 'limit="60Mi"', options=known)
def test_many_tags_beside_a_stream(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["rows"] == {"shop.Order": 15, "shop.Tag": 400_000}


@both
@checks(all_of("Customer"), FEW, LIMIT, options=known)
def test_parents_of_which_production_has_more(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15, "shop.Customer": 3_000})


FURTHER = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.prefetch_related("lines"):
        for line in list(order.lines.all())[:1]:
            list(apps.get_model("shop", "Event").objects.filter(name=line.text))
"""


@both
@checks(FURTHER, 'rows={"shop.Order": 400}', LIMIT, options=known)
def test_tables_that_only_further_rows_lead_to(result: dict[str, Any]) -> None:
    inconclusive(result, "shop.Event")


options = ("--membudget-rows=shop.Event=40", "--membudget-rows=shop.Line=0")


@checks(EVENTS, FEW, LIMIT, options=options)
def test_rows_that_an_option_knows(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15, "shop.Event": 40})


@checks(LINES, FEW, LIMIT, options=options)
def test_an_option_knows_that_there_are_none(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15})


HIDES_NOTHING = f"""{STREAM}
    Customer, Event, Kind, Order, Tag = (
        apps.get_model("shop", name) for name in ("Customer", "Event", "Kind", "Order", "Tag")
    )
    if total:
        Event.objects.count()
        Event.objects.first()
        Event.objects.filter(pk=7).first()
        Event.objects.exists()
        Tag.objects.get_or_create(pk=1, defaults={{"name": "new"}})
        Customer.objects.count()
        list(Order.objects.select_related("customer"))
        apps.get_model("contenttypes", "ContentType").objects.get_for_model(order)
        # Parents of what is named have rows.
        for one in Order.objects.iterator():
            one.customer.email
        # An earlier migration has left some.
        list(Kind.objects.all())
        Event.objects.create(name="new")
"""


@both
@checks(HIDES_NOTHING, FEW, LIMIT)
def test_what_hides_no_memory(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15})


@both
@checks(EVENTS, FEW, LIMIT, 'seed="seeds.with_events"')
def test_a_seed_knows_what_it_makes(result: dict[str, Any]) -> None:
    within(result, {"shop.Order": 15})


@both
@checks(EVENTS, FEW, LIMIT, 'seed="seeds.seed"')
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
@checks(LEGACY, FEW, LIMIT)
def test_a_table_without_a_model(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "accesses the table legacy, which is empty and has no model" in result["reason"]


def test_settings_of_one_migration(project: Project) -> None:
    """With no rows of a table."""
    prepare(project)
    project.migration("0004_it", EVENTS)
    project.write(
        "pyproject.toml",
        """
        [tool.membudget.migrations."shop.0001_initial"]
        skip = "it was applied years ago"

        [tool.membudget.migrations."shop.0004"]
        limit = "300Mi"
        rows = {"shop.Order" = 15, "shop.Event" = 0}
        time_budget = 10
        """,
    )
    options = ("--membudget-limit=512Mi", "--membudget-rows=*=40_000", "-rs")
    run = project.run("--membudget-gate=shop", "--membudget-json=results.json", *options)
    run.assert_outcomes(passed=3, skipped=1)
    run.stdout.fnmatch_lines(["*SKIPPED*it was applied years ago*"])
    *_, result = project.read_results()
    assert result["limit_bytes"] == 300 * MIB
    within(result, {"shop.Order": 15, "shop.Event": 0})


@both
@checks(LINES, FEW, LIMIT, options=known)
def test_the_result_names_the_tables_and_what_the_check_waited_for(
    result: dict[str, Any],
) -> None:
    tables = {one["table"]: one for one in result["tables"]}
    orders, lines = tables["shop_order"], tables["shop_line"]
    assert (orders["label"], lines["label"]) == ("shop.Order", "shop.Line")
    assert (orders["rows_source"], lines["rows_source"]) == ("the marker", "production.json")
    assert orders["rows_read"] == orders["rows_seeded"] == 15
    assert lines["rows_read"] == lines["rows_seeded"] > 1_000
    seconds = result["seconds"]
    assert 0 < seconds["applying"] <= sum(seconds.values()) <= result["duration_s"] + 0.01
    assert all(seconds[part] > 0 for part in ("state", "seeding", "starting"))
    assert seconds["explaining"] == 0 or result["attribution_note"] is None


JOINED = """
def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.select_related("customer"):
        order.total = len(order.customer.email)
        order.save()
"""
COUNTS = ("shop.Order=2_000", "shop.Customer=5_000", "shop.Line=0")


@checks(
    JOINED,
    gate=True,
    options=(*(f"--membudget-rows={one}" for one in COUNTS), "--membudget-limit=512Mi"),
)
def test_the_gate_counts_the_rows_that_are_loaded_not_those_that_are_joined(
    result: dict[str, Any],
) -> None:
    assert list(result["rows"]) == ["shop.Order", "shop.Customer"]
    assert "with 2,000 shop.Order rows" in result["reason"]
