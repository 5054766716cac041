"""Each piece of advice where it is right, and where it has to stay silent.

The limit is passed by the first sample, so that a check is over soon and what follows is looked at.
"""

from __future__ import annotations

from typing import Any

import pytest
from project import Project

BEGIN = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
"""
LOOP = """
    for order in Order.objects.all():
        order.total = order.price * 2
        order.save(update_fields=["total"])
"""
LOOP_OVER_EVERYTHING = """
    for order in Order.objects.all():
        order.total = len(order.note) + len(order.number) + order.customer_id + order.price
        order.save(update_fields=["total"])
"""
STREAM = LOOP.replace("all()", "iterator()")
LIST = """
    orders = list(Order.objects.all())
    for order in orders:
        order.total = order.price + len(order.note + order.number) + order.customer_id
        order.save(update_fields=["total"])
"""
BULK_UPDATE = """
    orders = list(Order.objects.all())
    for order in orders:
        order.total = order.price + len(order.note + order.number) + order.customer_id
    Order.objects.bulk_update(orders, ["total"], batch_size=500)
"""
BULK_UPDATE_FROM_ANOTHER_TABLE = """
    emails = dict(apps.get_model("shop", "Customer").objects.values_list("pk", "email"))
    orders = list(Order.objects.all())
    for order in orders:
        order.total = len(emails[order.customer_id]) + len(order.note + order.number) + order.price
    Order.objects.bulk_update(orders, ["total"])
"""
OWN_BATCHES = """
    orders = list(Order.objects.all())
    for start in range(0, len(orders), 500):
        batch = orders[start : start + 500]
        for order in batch:
            order.total = order.price + len(order.note + order.number) + order.customer_id
        Order.objects.bulk_update(batch, ["total"])
"""
CURSOR = """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, note FROM shop_order")
        {}
"""
FETCHALL = CURSOR.format("rows = cursor.fetchall()")
KEPT = CURSOR.format("kept = [row for row in cursor]")
ONE_BY_ONE = CURSOR.format("count = sum(1 for row in cursor)")
TWICE = """
    orders = Order.objects.all()
    for order in orders:
        order.total = order.price + len(order.note + order.number) + order.customer_id
    for order in orders:
        order.save(update_fields=["total"])
"""


def advice(
    project: Project, code: str, *, limit: str = "44Mi", rows: int = 40_000, atomic: bool = True
) -> dict[str, dict[str, Any]]:
    """The advice for a migration of this code, by its code."""
    project.attribution = None
    project.migration("0002_change", BEGIN + code, atomic=atomic)
    budget = (f'rows={{"shop.Order": {rows}}}', f'limit="{limit}"', "time_budget=40")
    project.budget('"shop.0002"', *budget)
    result = project.result()
    assert result["verdict"] == "exceeds", result["reason"]
    return {one["code"]: one for one in result["advice"]}


def line_of(project: Project, text: str) -> int:
    source = (project.path / "shop/migrations/0002_change.py").read_text().splitlines()
    return next(number for number, line in enumerate(source, 1) if text in line)


def test_a_loop_may_stream(project: Project, vendor: str) -> None:
    (found,) = advice(project, LOOP_OVER_EVERYTHING).values()
    assert found["code"] == "iterator"
    assert found["tried"]
    assert found["file"] == "shop/migrations/0002_change.py"
    assert found["line"] == line_of(project, "objects.all()")
    assert "and wrote the same data" in found["evidence"]
    assert found["peak_bytes"] < 80 * 2**20
    assert found["bytes_per_row"] > 300


@pytest.mark.parametrize("code", [LIST, TWICE])
def test_streaming_what_is_kept_or_used_again_is_not_advised(project: Project, code: str) -> None:
    assert advice(project, code) == {}


def test_columns_that_nothing_reads_can_be_left_out(project: Project) -> None:
    wide = LIST.replace(" + len(order.note + order.number)", "")
    found = advice(project, wide)["defer"]
    assert '.defer("number", "note", "total")' in found["message"]
    assert " bytes), note (" in found["message"]
    assert found["tried"]
    assert found["line"] == line_of(project, "objects.all()")


def test_columns_that_are_read_stay(project: Project) -> None:
    assert "defer" not in advice(project, LIST)


def test_columns_that_save_reads_are_not_read(project: Project) -> None:
    everything_is_saved = """
    orders = list(Order.objects.all())
    for order in orders:
        order.total = order.price
        order.save()
    """
    found = advice(project, everything_is_saved)["defer"]
    assert '.defer("customer_id", "number", "note", "total")' in found["message"]


def test_bulk_update_wants_batches_of_its_own(project: Project, vendor: str) -> None:
    found = advice(project, BULK_UPDATE, limit="64Mi" if vendor == "postgresql" else "44Mi")
    assert next(iter(found)) == "own-batches"
    batches, pages = found["own-batches"], found["pages"]
    assert "batch_size only splits the statements" in batches["message"]
    assert batches["line"] == line_of(project, "bulk_update")
    assert batches["tried"]
    assert pages["line"] == line_of(project, "objects.all()")
    assert pages["bytes_per_row"] > batches["bytes_per_row"] > 500
    assert pages["peak_bytes"] < batches["peak_bytes"]
    assert "iterator" not in found
    assert "reads and writes shop_order only" in found["update-expression"]["evidence"]


def test_own_batches_are_not_advised_twice(project: Project) -> None:
    assert not {"own-batches", "pages", "update-expression"} & set(advice(project, OWN_BATCHES))


def test_a_value_of_another_table_is_no_expression(project: Project) -> None:
    found = advice(project, BULK_UPDATE_FROM_ANOTHER_TABLE)
    assert "own-batches" in found
    assert "update-expression" not in found


def test_a_cursor_of_its_own(project: Project, vendor: str) -> None:
    found = advice(project, FETCHALL, limit="46Mi" if vendor == "sqlite" else "50Mi")
    code = {"sqlite": "loop-over-cursor", "postgresql": "server-side-cursor"}[vendor]
    assert list(found) == [code]
    assert found[code]["bytes_per_row"] > 100
    assert found[code]["line"] == line_of(project, "fetchall")


def test_the_client_holds_a_result_that_is_not_fetched_at_once(
    project: Project, postgresql: object
) -> None:
    found = advice(project, ONE_BY_ONE, limit="50Mi")
    assert list(found) == ["server-side-cursor"]
    assert found["server-side-cursor"]["line"] == line_of(project, "cursor.execute")


def test_rows_that_the_migration_itself_keeps_are_not_the_cursor_s(project: Project) -> None:
    assert advice(project, KEPT, limit="46Mi") == {}


def test_where_server_side_cursors_are_disabled_pages_are_advised(
    project: Project, postgresql: object
) -> None:
    settings = project.path / "settings.py"
    settings.write_text(
        settings.read_text() + '\nDATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True\n'
    )
    found = advice(project, STREAM, limit="50Mi")
    assert "iterator" not in found
    assert "server-side-cursor" not in found
    assert "server-side cursors are disabled" in found["keyset-pages"]["message"]
    assert found["keyset-pages"]["line"] == line_of(project, "objects.iterator()")


def test_debug_keeps_statements(project: Project) -> None:
    settings = project.path / "settings.py"
    settings.write_text(settings.read_text() + "\nDEBUG = True\n")
    found = advice(project, STREAM)
    assert "DEBUG = False" in found["debug-off"]["message"]


def test_children_share_the_limit(project: Project, postgresql: object) -> None:
    pool = """
    import time
    from multiprocessing import get_context
    Order.objects.count()
    schema_editor.connection.close()
    with get_context("fork").Pool(3) as pool:
        pool.map(time.sleep, [1, 1, 1])
    """
    found = advice(project, pool, limit="50Mi", atomic=False)
    assert list(found) == ["fewer-processes"]
    assert found["fewer-processes"]["message"].startswith("3 child processes and their parent")


MIXED = """
import time

from django.db import migrations, models


def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.all():
        time.sleep(0.0005)


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [{}migrations.RunPython(forwards)]
"""
ADD_FIELD = 'migrations.AddField("order", "paid", models.BooleanField(default=False)), '


@pytest.mark.parametrize("schema", [ADD_FIELD, ""])
def test_a_long_one_that_alters_tables_is_split(
    project: Project, postgresql: object, schema: str
) -> None:
    project.attribution = None
    project.write("shop/migrations/0002_change.py", MIXED.format(schema))
    project.budget('"shop.0002"', 'rows={"shop.Order": 200_000}', 'limit="60Mi"', "time_budget=30")
    found = {one["code"]: one for one in project.result()["advice"]}
    assert ("split-migration" in found) == bool(schema)
    if schema:
        assert "atomic = False" in found["split-migration"]["message"]
        assert found["split-migration"]["file"] == "shop/migrations/0002_change.py"
