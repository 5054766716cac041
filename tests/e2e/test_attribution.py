"""Why a peak grows: lines, held against what was measured, and advice, right or silent.

Where the first sample passes the limit, a check is over soon and what follows is looked at.
"""

from __future__ import annotations

from typing import Any

import pytest
from batch import both, checks, on_postgresql
from project import FEW, MIGRATION, Project

# Two chunks of iterator(): fewer rows are looked at only where there is no time for these.
ROWS = 'rows={"shop.Order": 4_000}'
SMALL = 'limit="44Mi"'
AMPLE = 'limit="1Gi"'
failed = ("--membudget-attribution=failed",)
always = ("--membudget-attribution=always",)


def in_forwards(body: str) -> str:
    head = 'def forwards(apps, schema_editor):\n    Order = apps.get_model("shop", "Order")\n'
    return head + body.lstrip("\n")


def advice(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["code"]: one for one in result["advice"]}


def line_of(text: str, code: str) -> int:
    source = MIGRATION.partition("{code}")[0] + code
    return next(n for n, line in enumerate(source.splitlines(), 1) if text in line)


BULK_UPDATE = in_forwards("""
    orders = Order.objects.all()
    for order in orders:
        order.total = order.price + len(order.note + order.number) + order.customer_id
    Order.objects.bulk_update(orders, ["total"], batch_size=500)
""")


@checks(BULK_UPDATE, 'rows={"shop.Order": 12_000}', AMPLE, options=always)
def test_lines_of_a_bulk_update(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    file = f"{result['migration'].partition('.')[0]}/migrations/0001_it.py"
    lines = result["attribution"]
    assert [line["kind"] for line in lines].count("allocator") <= 1
    named = sum(line["share"] for line in lines if line["kind"] != "allocator")
    assert named >= 0.85
    assert 0.95 <= sum(line["share"] for line in lines) <= 1.1
    own = [line for line in lines if line["kind"] == "python"]
    assert {line["file"] for line in own} == {file}
    assert {line["function"] for line in own} == {"forwards"}
    whens = [line for line in own if (line["via"] or {}).get("function") == "bulk_update"]
    objects = [line for line in own if (line["via"] or {}).get("function") == "__iter__"]
    assert "bulk_update(orders" in whens[0]["source"]
    assert "for order in orders" in objects[0]["source"]
    # Two WHENs and two values a row, and a model instance of six columns.
    assert sum(line["bytes_per_row"] for line in whens if "When" in line["via"]["source"]) > 600
    assert 300 < objects[0]["bytes_per_row"] < 1500
    growth_at_production = result["peak_bytes"] - result["baseline_bytes"]
    assert lines[0]["bytes"] == pytest.approx(lines[0]["share"] * growth_at_production, rel=0.01)
    assert f"of {result['bytes_per_row']:,} bytes a row" in result["attribution_note"]
    assert result["files"] == [file]

    found = advice(result)
    assert next(iter(found)) == "own-batches"
    batches, pages = found["own-batches"], found["pages"]
    assert "batch_size only splits the statements" in batches["message"]
    assert batches["line"] == line_of("bulk_update", BULK_UPDATE)
    assert batches["tried"]
    assert pages["line"] == line_of("for order in orders", BULK_UPDATE)
    assert pages["bytes_per_row"] > batches["bytes_per_row"] > 500
    assert pages["peak_bytes"] < batches["peak_bytes"]
    assert "iterator" not in found
    assert "reads and writes only shop_order" in found["update-expression"]["evidence"]


CURSOR = in_forwards("""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, note FROM shop_order")
        {}
""")
FETCHALL = CURSOR.format("rows = cursor.fetchall()")


@checks(FETCHALL, 'rows={"shop.Order": 50_000}', AMPLE, options=always)
def test_the_result_of_a_cursor_of_its_own(result: dict[str, Any], vendor: str) -> None:
    kinds = {line["kind"]: line for line in result["attribution"]}
    assert kinds["python"]["source"] == "rows = cursor.fetchall()"
    assert kinds["python"]["via"]["function"] == "fetchall"
    assert ("c" in kinds) == (vendor == "postgresql")
    if vendor == "postgresql":
        assert "libpq" in kinds["c"]["via"]["function"]
        assert kinds["c"]["bytes_per_row"] > 50
    assert 0.95 <= sum(line["share"] for line in result["attribution"]) <= 1.1

    found = advice(result)
    code = {"sqlite": "loop-over-cursor", "postgresql": "server-side-cursor"}[vendor]
    assert list(found) == [code]
    assert found[code]["bytes_per_row"] > 100
    assert found[code]["line"] == line_of("fetchall", FETCHALL)


FREED = in_forwards("""
    for order in Order.objects.all():
        order.total = order.price * 2
""")


@on_postgresql
@checks(FREED, 'rows={"shop.Order": 20_000}', AMPLE, options=always)
def test_a_result_that_was_freed_is_named(result: dict[str, Any]) -> None:
    freed = [line for line in result["attribution"] if line["kind"] == "c"]
    assert [line["source"].startswith("for order in") for line in freed] == [True]
    assert sum(line["share"] for line in result["attribution"]) > 0.85


NO_FAILURE = {FREED: "within", "def forwards(apps, schema_editor): pass": "inconclusive"}


@pytest.mark.parametrize("code", NO_FAILURE, ids=["within", "untouched"])
@checks(lambda code: code, FEW, AMPLE, options=failed)
def test_only_failures_are_looked_into_unless_asked(result: dict[str, Any], code: str) -> None:
    assert result["verdict"] == NO_FAILURE[code]
    assert (result["attribution"], result["attribution_note"], result["stacks"]) == ([], None, None)


def test_a_failure_that_can_not_be_looked_into(project: Project) -> None:
    project.attribution = None
    project.write("conftest.py", 'import sys\n\nsys.modules["memray"] = None\n')
    project.check(FREED, FEW, 'limit="16Mi"')
    result = project.result()
    assert result["verdict"] == "exceeds"
    assert (result["attribution"], result["advice"]) == ([], [])
    assert "memray can't run here" in result["attribution_note"]


CHILDREN = """
import os
import time

def forwards(apps, schema_editor):
    rows = apps.get_model("shop", "Order").objects.count()
    schema_editor.connection.close()
    pids = []
    for _ in range(2 if rows else 0):
        pids.append(os.fork())
        if not pids[-1]:
            kept = [bytes(2000) for _ in range(rows)]
            time.sleep(0.5)
            os._exit(0)
    for pid in pids:
        os.waitpid(pid, 0)
"""


@checks(CHILDREN, 'rows={"shop.Order": 8_000}', 'limit="50Mi"', atomic=False, options=failed)
def test_forked_children_are_followed(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds"
    kept = next(line for line in result["attribution"] if "kept = " in line["source"])
    assert kept["bytes_per_row"] == pytest.approx(2 * 2041, rel=0.05)


LOOP = in_forwards("""
    for order in Order.objects.all():
        order.total = len(order.note) + len(order.number) + order.customer_id + order.price
        if order.pk % 10 == 0:
            order.save(update_fields=["total"])
""")


@both
@checks(LOOP, ROWS, SMALL, options=failed)
def test_a_loop_may_stream(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds"
    (found,) = result["advice"]
    assert found["code"] == "iterator"
    assert found["tried"]
    assert found["file"].endswith("/migrations/0001_it.py")
    assert found["line"] == line_of("objects.all()", LOOP)
    assert "wrote the same data" in found["evidence"]
    assert found["peak_bytes"] < 80 * 2**20
    assert found["bytes_per_row"] > 300


LIST = in_forwards("""
    orders = list(Order.objects.all())
    for order in orders:
        order.total = order.price + len(order.note + order.number) + order.customer_id
        if order.pk % 10 == 0:
            order.save(update_fields=["total"])
""")
TWICE = in_forwards("""
    orders = Order.objects.all()
    for order in orders:
        order.total = order.price + len(order.note + order.number) + order.customer_id
    for order in orders:
        if order.pk % 10 == 0:
            order.save(update_fields=["total"])
""")
KEPT = CURSOR.format("kept = [row for row in cursor]")


@pytest.mark.parametrize("code", [LIST, TWICE], ids=["list", "twice"])
@checks(lambda code: code, ROWS, SMALL, options=failed)
def test_where_rows_are_kept_or_used_again_pages_are_advised(
    result: dict[str, Any], code: str
) -> None:
    """Neither iterator(), with which the data would differ, nor defer() is advised."""
    assert list(advice(result)) == ["pages"]
    assert result["advice"][0]["line"] == line_of(
        "for order in orders" if code == TWICE else "list(", code
    )


@checks(KEPT, ROWS, SMALL, options=failed)
def test_what_is_kept_of_a_cursor_stays(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds"
    assert result["advice"] == []


READS = "order.customer_id + order.price + len(order.number + order.note) + (order.total or 0)"
IN_BULK = in_forwards(f"""
    for order in Order.objects.in_bulk().values():
        {READS}
""")
GROUPED = in_forwards(f"""
    groups = {{}}
    for order in Order.objects.iterator():
        groups.setdefault(order.customer_id % 5, []).append(order)
    for orders in groups.values():
        for order in orders:
            {READS}
""")
COLLECTED = in_forwards("""
    new = []
    for order in Order.objects.only("price").iterator():
        new.append(Order(number=f"copy {order.pk}", note="x", price=1, customer_id=1))
    Order.objects.filter(pk=0).delete()
    Customer = apps.get_model("shop", "Customer")
    for order in new:
        order.customer = Customer.objects.order_by("pk").first() if order is new[0] else None
        order.customer_id = new[0].customer_id
    Order.objects.bulk_create(new, batch_size=200)
""")


@pytest.mark.parametrize(
    ("code", "kind", "line", "words"),
    [
        (IN_BULK, "pages", "in_bulk", "call in_bulk() for these"),
        (GROUPED, "keep-less", "iterator()", "itertools.groupby(), which keeps one group"),
        (COLLECTED, "own-batches", "bulk_create", "call it for each thousand"),
    ],
    ids=["in_bulk", "groups", "bulk_create"],
)
@checks(lambda code: code, ROWS, SMALL, options=failed)
def test_what_the_code_keeps_has_advice_of_its_own(
    result: dict[str, Any], code: str, kind: str, line: str, words: str
) -> None:
    found = advice(result)[kind]
    assert words in found["message"]
    assert found["line"] == line_of(line, code)
    assert found["bytes_per_row"] > 200


PREFETCHED = in_forwards("""
    for customer in apps.get_model("shop", "Customer").objects.prefetch_related("order_set"):
        len(customer.email) + sum(order.price for order in customer.order_set.all())
""")


PAIRS = 'rows={"shop.Order": 8_000, "shop.Customer": 8_000}'


@both
@checks(PREFETCHED, PAIRS, 'limit="40Mi"', options=failed)
def test_what_is_prefetched_comes_in_chunks(result: dict[str, Any], vendor: str) -> None:
    found = advice(result)
    assert ".iterator(chunk_size=2000)" in found["iterator"]["message"]
    assert found["iterator"]["tried"]
    if vendor == "postgresql":  # in SQLite its page cache is as much as the columns take
        assert "Prefetch(…, queryset=Order.objects.only(" in found["defer"]["message"]
        assert found["defer"]["tried"]


RANDOM = in_forwards("""
    import uuid
    for order in Order.objects.all():
        order.note = f"{order.number} {order.note} {uuid.uuid4()} {order.total}"
        order.total = order.price + order.customer_id
        if order.pk % 10 == 0:
            order.save()
""")


@checks(RANDOM, ROWS, SMALL, options=failed)
def test_values_that_differ_from_run_to_run_are_no_other_data(result: dict[str, Any]) -> None:
    assert advice(result)["iterator"]["tried"]


WIDE = LIST.replace(" + len(order.note + order.number)", "")


EVERYTHING_IS_SAVED = in_forwards("""
    orders = list(Order.objects.all())
    for order in orders:
        order.total = order.price
        if order.pk % 10 == 0:
            order.save()
""")


READ = {
    WIDE: '"customer_id", "price"',
    EVERYTHING_IS_SAVED: '"price"',
}


@pytest.mark.parametrize("code", READ, ids=["never", "but by save"])
@checks(lambda code: code, ROWS, SMALL, options=failed)
def test_columns_that_nothing_reads_can_be_left_out(result: dict[str, Any], code: str) -> None:
    found = advice(result)["defer"]
    assert f".only({READ[code]})" in found["message"]
    assert " bytes), number (" in found["message"]
    assert found["tried"]
    assert found["line"] == line_of("objects.all()", code)


BULK_UPDATE_FROM_ANOTHER_TABLE = in_forwards("""
    emails = dict(apps.get_model("shop", "Customer").objects.values_list("pk", "email"))
    orders = list(Order.objects.all())
    for order in orders:
        order.total = len(emails[order.customer_id]) + len(order.note + order.number) + order.price
    Order.objects.bulk_update(orders, ["total"], batch_size=200)
""")
OWN_BATCHES = in_forwards("""
    orders = list(Order.objects.all())
    for start in range(0, len(orders), 200):
        batch = orders[start : start + 200]
        for order in batch:
            order.total = order.price + len(order.note + order.number) + order.customer_id
        Order.objects.bulk_update(batch, ["total"])
""")


@checks(OWN_BATCHES, ROWS, SMALL, options=failed)
def test_own_batches_are_not_advised_twice(result: dict[str, Any]) -> None:
    assert result["verdict"] == "exceeds"
    found = advice(result)
    assert not {"own-batches", "update-expression"} & set(found)
    assert "keeps all rows until the end" in found["pages"]["message"]


@checks(BULK_UPDATE_FROM_ANOTHER_TABLE, 'rows={"shop.Order": 2_000}', SMALL, options=failed)
def test_a_value_of_another_table_is_no_expression(result: dict[str, Any]) -> None:
    assert "own-batches" in advice(result)
    assert "update-expression" not in advice(result)


ONE_BY_ONE = CURSOR.format("count = sum(1 for row in cursor)")


@on_postgresql
@checks(ONE_BY_ONE, ROWS, 'limit="50Mi"', options=failed)
def test_the_client_holds_a_result_that_is_not_fetched_at_once(result: dict[str, Any]) -> None:
    found = advice(result)
    assert list(found) == ["server-side-cursor"]
    assert found["server-side-cursor"]["line"] == line_of("cursor.execute", ONE_BY_ONE)


POOL = in_forwards("""
    import time
    from multiprocessing import get_context
    rows = Order.objects.count()
    schema_editor.connection.close()
    if rows:
        with get_context("fork").Pool(3) as pool:
            pool.map(time.sleep, [1, 1, 1])
""")


@on_postgresql
@checks(POOL, ROWS, 'limit="50Mi"', atomic=False, options=failed)
def test_children_share_the_limit(result: dict[str, Any]) -> None:
    found = advice(result)
    assert list(found) == ["fewer-processes"]
    assert found["fewer-processes"]["message"].startswith("3 child processes and their parent")


PAGES = FREED.replace("all()", "iterator()")


@on_postgresql
def test_where_server_side_cursors_are_disabled_pages_are_advised(project: Project) -> None:
    pooled = "{**DATABASES['default'], 'DISABLE_SERVER_SIDE_CURSORS': True}"
    project.add("settings.py", f"DATABASES['pooled'] = {pooled}")
    project.attribution = None
    project.check(PAGES, ROWS, 'limit="50Mi"', 'database="pooled"')
    found = advice(project.result())
    assert "iterator" not in found
    assert "server-side-cursor" not in found
    assert "server-side cursors are disabled" in found["keyset-pages"]["message"]
    assert found["keyset-pages"]["line"] == line_of("objects.iterator()", PAGES)


def test_debug_keeps_statements(project: Project) -> None:
    stream = in_forwards("""
    for order in Order.objects.iterator():
        order.total = order.price * 2
        order.save(update_fields=["total"])
    """)
    project.attribution = None
    project.add("settings.py", "DEBUG = True")
    project.check(stream, 'rows={"shop.Order": 2_000}', SMALL)
    result = project.result()
    assert "DEBUG = False" in advice(result)["debug-off"]["message"]
    assert "debug-on" in {finding["code"] for finding in result["findings"]}


MIXED = """
from django.db import migrations, models


def forwards(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.all():
        pass


class Migration(migrations.Migration):
    dependencies = [("shop", "{}")]
    operations = [{}migrations.RunPython(forwards)]
"""
ADD_FIELD = 'migrations.AddField("order", "paid", models.BooleanField(default=False)), '


def test_a_long_one_that_alters_tables_is_split(project: Project, postgresql: object) -> None:
    project.attribution = None
    project.write("shop/migrations/0002_mixed.py", MIXED.format("0001_initial", ADD_FIELD))
    project.write("shop/migrations/0003_data.py", MIXED.format("0002_mixed", ""))
    budget = ('rows={"shop.Order": 20_000_000}', 'limit="60Mi"', "time_budget=15")
    project.budgets(('"shop.0002"', *budget), ('"shop.0003"', *budget))
    mixed, data = (advice(one) for one in project.results())
    assert "split-migration" not in data
    assert "atomic = False" in mixed["split-migration"]["message"]
    assert mixed["split-migration"]["file"] == "shop/migrations/0002_mixed.py"
