"""The duration of a migration, and the memory that the database server takes for it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from batch import both, checks, on_postgresql
from project import LIMIT, STREAM, Project

MIB = 1024**2
ROWS = 'rows={"shop.Order": 400_000, "shop.Customer": 40_000}'
SLOW = """
def forwards(apps, schema_editor):
    import time
    for order in apps.get_model("shop", "Order").objects.iterator():
        time.sleep(0.002)
"""


@both
@checks(SLOW, ROWS, 'limit="4Gi"', 'max_duration="60s"', "time_budget=30")
def test_one_that_fits_may_not_end_in_time(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert result["peak_high_bytes"] < result["limit_bytes"]
    assert (result["max_duration_s"], result["basis"]) == (60, "projected")
    assert result["projected_duration_s"] == pytest.approx(850, rel=0.25)
    assert 60 < result["projected_duration_low_s"] < result["projected_duration_high_s"]
    pattern = (
        r"case\d+\.0001_it would take .* min \(.*–.*\) with 400,000 shop.Order rows; max_duration "
        r"is 60 s\. It ends in time up to [\d,]+ rows\."
    )
    assert re.fullmatch(pattern, result["reason"])
    assert 20_000 < result["fits_up_to_rows"] < 40_000


@both
@checks(STREAM, ROWS, LIMIT, 'max_duration="10min"')
def test_one_that_fits_and_ends_in_time(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert "; max_duration is 10 min." in result["reason"]
    assert result["projected_duration_high_s"] < 600


ONE_FOR_EACH = """
def forwards(apps, schema_editor):
    Order, Customer = (apps.get_model("shop", name) for name in ("Order", "Customer"))
    for order in Order.objects.iterator():
        Customer.objects.get(pk=order.customer_id)
"""


@both
@checks(ONE_FOR_EACH, ROWS, LIMIT, "max_duration=3", "time_budget=20")
def test_a_statement_for_each_row_is_told(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    [told] = [one["message"] for one in result["findings"] if one["code"] == "statements-per-row"]
    assert told.startswith("the migration sends 1 statements for each shop.Order row: SELECT ")
    assert 'FROM "shop_customer" WHERE "shop_customer"."id" = %s' in told


UPDATE = """
def forwards(apps, schema_editor):
    from django.db.models import F
    apps.get_model("shop", "Order").objects.update(total=F("price") * 2)
"""
FEW_OF_THEM = UPDATE.replace("objects.update", "objects.filter(note='of the migration').update")
GATE = ("--membudget-rows=*=400_000", "--membudget-limit=256Mi")


@both
@checks(UPDATE, gate=True, options=GATE)
def test_without_a_limit_of_its_duration_the_gate_measures_none(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["rows"]) == ("within", {})
    assert result["projected_duration_s"] is None


@both
@checks(UPDATE, gate=True, options=(*GATE, "--membudget-max-duration=1h"))
def test_the_gate_measures_how_long_the_database_takes(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["rows"]["shop.Order"]) == ("within", 400_000)
    assert result["projected_duration_s"] > result["samples"][0]["duration_s"]
    assert "max_duration is 60 min." in result["reason"]


@both
@checks(FEW_OF_THEM, gate=True, options=(*GATE, "--membudget-max-duration=1h"))
def test_rows_that_the_database_chooses_are_there(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_written"] == result["samples"][-1]["rows"]["shop.Order"]


INDEX = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.AddIndex("Order", models.Index(fields=["note", "price"], name="by_note")),
    ]
"""


@both
def test_the_gate_seeds_what_a_schema_operation_goes_through(project: Project) -> None:
    project.write("shop/migrations/0002_index.py", INDEX)
    options = ("--membudget-gate=shop.0002", *GATE)
    fast, slow = (project.result(*options, f"--membudget-max-duration={s}") for s in (3600, 0.02))
    assert (fast["verdict"], fast["rows"]["shop.Order"]) == ("within", 400_000), fast["reason"]
    assert fast["projected_duration_s"] > 0.05
    assert slow["verdict"] == "exceeds", slow["reason"]
    unknown = project.result(
        "--membudget-gate=shop.0002",
        "--membudget-limit=256Mi",
        "--membudget-rows=shop.Customer=5",
        "--membudget-max-duration=1h",
    )
    assert unknown["verdict"] == "inconclusive"
    assert "accesses shop.Order, whose production row count is unknown" in unknown["reason"]


REFERENCE = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.AddField("Order", "payer", models.ForeignKey(
            "shop.Customer", null=True, on_delete=models.CASCADE, related_name="paid",
        )),
    ]
"""
IN_A_FUNCTION = """
def forwards(apps, schema_editor):
    schema_editor.execute("DO $$ BEGIN PERFORM count(*) FROM shop_order; END $$")
"""


@both
def test_a_statement_that_is_not_parsed_names_its_tables(project: Project) -> None:
    """Django adds a column that refers to another table with two statements in one."""
    project.write("shop/migrations/0002_reference.py", REFERENCE)
    options = ("--membudget-gate=shop.0002", *GATE, "--membudget-max-duration=1h")
    result = project.result(*options)
    assert (result["verdict"], result["rows"]["shop.Order"]) == ("within", 400_000)


@on_postgresql
@checks(IN_A_FUNCTION, gate=True, options=(*GATE, "--membudget-max-duration=1h"))
def test_a_block_of_code_in_the_database(result: dict[str, Any], vendor: str) -> None:
    """Its text is a literal."""
    assert result["verdict"] == "inconclusive", result["reason"]
    assert "sends a statement whose tables are unknown" in result["reason"]


ALL_IN_ONE = """
def forwards(apps, schema_editor):
    every = "array_agg(repeat(row(one.*)::text, 10))"
    schema_editor.execute(
        f"UPDATE shop_order SET total = (SELECT array_length({every}, 1) FROM shop_order one)"
    )
"""


@on_postgresql
@checks(ALL_IN_ONE, 'rows={"shop.Order": 1_000_000}', LIMIT, 'limit_server="256Mi"')
def test_the_memory_of_the_server_has_a_limit(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "exceeds", result["reason"]
    assert "of the database server's memory" in result["reason"]
    assert result["peak_high_bytes"] < result["limit_bytes"]
    assert result["server_peak_bytes"] > 256 * MIB
    peaks = [sample["server_peak_bytes"] for sample in result["samples"]]
    assert None not in peaks
    assert peaks[-1] > 2 * peaks[0]


@on_postgresql
@checks(STREAM, ROWS, LIMIT, 'limit_server="256Mi"')
def test_what_the_server_streams_takes_little_of_it(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert 1 * MIB < result["server_peak_bytes"] < 32 * MIB
    assert "; limit_server is 256 MiB." in result["reason"]


@checks(STREAM, 'rows={"shop.Order": 2_000}', LIMIT, 'limit_server="256Mi"')
def test_sqlite_has_no_server(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["server_peak_bytes"]) == ("inconclusive", None)
    assert "the database runs in the process of the migration" in result["reason"]
