"""The share of rows that a migration filters by is the profile's, where it knows that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from batch import both, checks
from profiles import document
from project import Project

from pytest_membudget.profile.shares import hash_of

STATES = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.AddField("Order", "status", models.CharField(default="new", max_length=20)),
            migrations.AddField("Order", "done", models.BooleanField(default=False)),
        ]
"""
ROWS = 100_000
COLUMNS: dict[str, dict[str, Any]] = {
    "note": {"type": "text", "width": 200},
    "total": {"type": "integer", "nulls": 0.03},
    "status": {"type": "character varying(20)"},
    "done": {"type": "boolean"},
}
SHARES = {
    "status": {"legacy": 0.04, "other": 0.9, "SECRET": 0.06},
    "done": {"t": 0.03, "f": 0.97},
}


def prepare(project: Project) -> None:
    project.write("shop/migrations/0002_states.py", STATES)
    project.last = "0002_states"
    for file, shares in (("membudget.json", {}), ("shares.json", SHARES)):
        columns = {name: {"nulls": 0, **its} for name, its in COLUMNS.items()}
        for name, known in shares.items():
            hashed = {hash_of(f"shop_order.{name}", text): its for text, its in known.items()}
            columns[name] |= {"shares": hashed, "distinct": len(known)}
        rows = {"shop_order": ROWS, "shop_customer": ROWS // 20}
        tables = {name: {"rows": n, "columns": {}} for name, n in rows.items()}
        tables["shop_order"]["columns"] = columns
        text = json.dumps(
            document(database={"vendor": "postgresql", "version": "15"}, tables=tables)
        )
        assert "SECRET" not in text
        project.write(file, text)


def loading(filters: str, more: str = "") -> str:
    return f"""
def forwards(apps, schema_editor):
    Order, Customer = apps.get_model("shop", "Order"), apps.get_model("shop", "Customer")
    found = list(Order.objects.filter({filters}))
    {more}
"""


PLAIN = ("--membudget-limit=85Mi",)
KNOWN = (*PLAIN, "--membudget-profile=shares.json")


def rows_read(result: dict[str, Any]) -> float:
    last = result["samples"][-1]
    return float(last["rows_read"] / last["rows"]["shop.Order"])


@checks(loading("status='legacy'"), gate=True, options=PLAIN)
def test_without_a_share_all_rows_may_have_the_value(result: dict[str, Any]) -> None:
    assert result["verdict"] == "inconclusive"
    assert "assumes that every row has shop_order.status = 'legacy'" in result["reason"]


WITHIN = {
    "a text": ("status='legacy'", "4% of the rows have shop_order.status = 'legacy'", 0.04),
    "a boolean": ("done=True", "3% of the rows have shop_order.done = True", 0.03),
    "no value": ("total__isnull=True", "3% of the rows have shop_order.total = None", 0.03),
    "one that is not there": (
        "status='gone'",
        "at most 1% of the rows have shop_order.status = 'gone'",
        0.01,
    ),
    "a parent's rows as well": (
        "status='legacy', customer__isnull=False",
        "4% of the rows have shop_order.status = 'legacy'",
        0.04,
    ),
}


@both
@checks(lambda which: loading(WITHIN[which][0]), gate=True, options=KNOWN)
@pytest.mark.parametrize("which", WITHIN)
def test_few_rows_fit(result: dict[str, Any], which: str) -> None:
    _, stated, share = WITHIN[which]
    assert result["verdict"] == "within", result["reason"]
    assert f"By shares.json, {stated}." in result["reason"]
    assert rows_read(result) == pytest.approx(share, abs=0.005)
    codes = {one["code"] for one in result["findings"]}
    assert "rows-shared" in codes
    assert not codes & {"rows-asked", "rows-fresh", "rows-untouched"}
    assert "SECRET" not in json.dumps(result)


@checks(loading("status='other'"), gate=True, options=KNOWN)
def test_many_rows_exceed_without_an_assumption(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert "By shares.json, 90% of the rows have shop_order.status = 'other'." in result["reason"]
    assert "assumes" not in result["reason"]


@checks(
    "from django.db.models import F\n"
    + loading("status='legacy'").replace(
        "    found", "    Order.objects.update(status='legacy', total=F('price'))\n    found"
    ),
    gate=True,
    options=KNOWN,
)
def test_a_value_that_the_migration_has_set_is_of_all_rows(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert "By shares.json" not in result["reason"]


OTHERS = "kept = [list(Customer.objects.all()) for _ in range(60)]"


@checks(loading("note='legacy'", OTHERS), gate=True, options=PLAIN)
def test_what_exceeds_without_rows_that_match_needs_no_assumption(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert "assumes" not in result["reason"]
    assert "at any row count" not in result["reason"]
