"""Migrations that few rows decide, and those where few rows are all that there is time for."""

from __future__ import annotations

from typing import Any

import pytest
from batch import both, checks
from project import Project

ROWS = 'rows={"shop.Order": 400_000, "shop.Customer": 40_000}'
FORWARDS = """
from django.db.models import Count, F, OuterRef, Subquery, Value

def forwards(apps, schema_editor):
    Customer, Order = apps.get_model("shop", "Customer"), apps.get_model("shop", "Order")
"""
COUNTED = f"""{FORWARDS}
    orders = Order.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
    numbers = orders.annotate(n=Count("pk")).values("n")
    Order.objects.filter(total=None).update(total=F("price"))
    Customer.objects.update(email=F("id"))
    Order.objects.update(total=Subquery(numbers[:1]))
"""
GUARDED = f"""{FORWARDS}
    if Order.objects.filter(note__regex="^(?=old)").exists():
        list(Order.objects.all())
    Customer.objects.update(email=F("id"))
"""
JOINED = f"""{FORWARDS}
    for customer in Customer.objects.filter(order__total=None).iterator():
        customer.save()
"""
SLOW = f"""{FORWARDS}
    from time import sleep
    for order in Order.objects.all():
        sleep(0.003)
"""
TOO_SLOW = SLOW.replace("0.003", "0.05")


@pytest.mark.usefixtures("vendor")
@checks(COUNTED, ROWS, 'limit="512Mi"')
def test_rows_that_the_database_changes_by_itself(result: dict[str, Any], vendor: str) -> None:
    """Its subquery is over the largest table, and brings none of it into the process."""
    assert (result["verdict"], result["growth"]) == ("within", "constant")
    if vendor == "postgresql":  # SQLite's page cache is in the process
        assert len(result["samples"]) == 2
    assert result["peak_high_bytes"] < 100 * 1024**2


@checks(GUARDED, 'rows={"shop.Order": 40_000, "shop.Customer": 4_000}', 'limit="512Mi"')
def test_a_row_that_was_looked_for_and_not_found_may_lead_further(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"


STATUS = f"""{FORWARDS}
    try:
        order = Order.objects.get(note="the migration")
    except Order.DoesNotExist:
        order = None
    if order:
        order.save()
    Customer.objects.update(email=F("id"))
"""
LEADS_FURTHER = f"""{FORWARDS}
    if Order.objects.filter(note="the migration").first():
        list(Order.objects.all())
"""


@checks(STATUS, ROWS, 'limit="512Mi"')
def test_a_row_that_was_looked_for_and_leads_nowhere(result: dict[str, Any]) -> None:
    """All rows with its values would be too many for get()."""
    assert result["verdict"] == "within"


@checks(LEADS_FURTHER, ROWS, 'limit="64Mi"')
def test_a_row_that_was_looked_for_leads_further(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds"


GATE = ("--membudget-rows=*=400_000", "--membudget-limit=256Mi")


@checks(STATUS, gate=True, options=GATE)
def test_the_gate_sees_what_it_does_with_such_a_row(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"


@checks(LEADS_FURTHER, gate=True, options=GATE)
def test_the_gate_follows_such_a_row(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds"


@checks(SLOW, ROWS, 'limit="8Gi"', "time_budget=15")
def test_smaller_samples_where_larger_ones_take_too_long(result: dict[str, Any]) -> None:
    sizes = [sample["rows"]["shop.Order"] for sample in result["samples"]]
    assert sizes[0] > sizes[1]
    assert result["verdict"] == "within"
    assert result["peak_low_bytes"] < result["peak_bytes"] < result["peak_high_bytes"]


@checks(TOO_SLOW, ROWS, 'limit="64Gi"', "time_budget=15")
def test_a_first_sample_that_does_not_end(result: dict[str, Any]) -> None:
    first, *others = result["samples"]
    assert first["outcome"] == "timed out"
    assert {one["outcome"] for one in others} == {"finished"}
    assert all(one["rows"]["shop.Order"] < first["rows"]["shop.Order"] for one in others)
    assert result["verdict"] != "error"
    assert "timed-out" in [finding["code"] for finding in result["findings"]]


JSON = f"""{FORWARDS}
    import json
    for order in Order.objects.iterator():
        order.total = len(json.loads(order.note))
"""


@pytest.mark.usefixtures("vendor")
@checks(JSON, 'rows={"shop.Order": 12_000}', 'limit="512Mi"')
def test_texts_that_are_read_as_json(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert "rows-learned" in [finding["code"] for finding in result["findings"]]
    assert result["samples"][-1]["rows_read"] == 12_000


GATED = ("--membudget-rows=*=200_000", "--membudget-limit=512Mi")


@pytest.mark.usefixtures("vendor")
@checks(COUNTED, gate=True, options=GATED)
def test_the_gate_needs_no_rows_for_them(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert result["rows"] == {}


NOT_YET_TOTALLED = f"""{FORWARDS}
    with open("runs.txt", "a") as file:
        file.write("run ")
    for order in Order.objects.filter(total=None).iterator():
        order.save()
"""


def test_rows_that_a_filter_needs_are_in_the_first_sample(project: Project) -> None:
    """Dry runs have found that without them there is nothing to see: each run may start slowly."""
    project.migration("0002_change", NOT_YET_TOTALLED)
    rows = ("--membudget-rows=*=8_000", "--membudget-limit=512Mi")
    [result] = project.results("--membudget-gate=shop.0002", *rows)
    assert result["verdict"] == "within"
    dry_runs = ["no rows", "a few rows", "a few that match"]
    runs = (project.path / "runs.txt").read_text().split()
    assert len(runs) == len(dry_runs) + len(result["samples"])


RECEIVER = """
from django.apps import AppConfig
from django.db.models.signals import post_migrate

def describe(sender, **kwargs):
    from shop.models import Today
    Today.objects.get_or_create(name=sender.label)

class ShopConfig(AppConfig):
    name = "shop"

    def ready(self):
        post_migrate.connect(describe)
"""
TODAY = """
from django.db import models

class Today(models.Model):
    name = models.CharField(max_length=50)
"""


def test_a_receiver_that_needs_todays_tables(project: Project) -> None:
    """A deploy runs it when all is applied; here its table is made by a later migration."""
    project.write("shop/apps.py", RECEIVER)
    project.write("shop/models.py", TODAY)
    project.migration("0002_it", COUNTED)
    project.budget('"shop.0002"', ROWS, 'limit="512Mi"')
    (result,) = project.results()
    assert result["verdict"] == "within"
    (finding,) = [one for one in result["findings"] if one["code"] == "receiver-failed"]
    assert "shop.apps.describe" in finding["message"]
    assert "shop_today" in finding["message"]


SLOW_LOOP = f"""{FORWARDS}
    from time import sleep
    for order in Order.objects.FROM:
        sleep(0.001)
        if order.pk % 4 == 0:
            order.save(update_fields=["total"])
"""
SLOW_LIST = SLOW_LOOP.replace("FROM", "all()")
SLOW_STREAM = SLOW_LOOP.replace("FROM", "iterator()")


@both
@checks(SLOW_LIST, ROWS, 'limit="130Mi"', "time_budget=16")
def test_a_slow_migration_keeps_what_few_rows_show(result: dict[str, Any]) -> None:
    """A few thousand rows would fill a chunk as well, but all of them are held at its end."""
    assert result["verdict"] == "exceeds", result["reason"]
    assert max(result["samples"][-1]["rows"].values()) < 12_000


@both
@checks(SLOW_STREAM, ROWS, 'limit="130Mi"', "time_budget=16")
def test_a_slow_migration_holds_one_chunk_at_its_end(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive", result["reason"]
    assert result["peak_low_bytes"] < 100 * 1024**2
