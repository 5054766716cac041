"""The main job on both databases: what fits, what does not, and how a check can lie."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from batch import both, checks, on_postgresql
from project import FEW, LIMIT, LOOP, SEED, STREAM, Project

MIB = 1024**2
# With no more than 24,000 a check has three samples, and the last has all of them.
ROWS = 'rows={"shop.Order": 24_000, "shop.Customer": 1_200}'
MANY = 'rows={"shop.Order": 160_000, "shop.Customer": 8_000}'


def codes(result: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in result["findings"]}


def test_a_loop_over_everything_exceeds(project: Project, vendor: str) -> None:
    """What is projected from small samples is what is then measured at production's row count."""
    project.migration("0002_it", LOOP)
    project.budgets(('"shop.0002"', MANY, 'limit="128Mi"'), ('"shop.0002"', MANY, LIMIT))
    projected, measured = project.results()
    assert (projected["verdict"], projected["growth"]) == ("exceeds", "linear")
    assert projected["reason"].startswith("shop.0002_it would peak at ")
    rows = "with 160,000 shop.Order rows; the limit is 128 MiB. It fits up to "
    assert rows in projected["reason"]
    assert 40_000 < projected["fits_up_to_rows"] < 160_000
    assert 500 < projected["bytes_per_row"] < 2_500
    last = projected["samples"][-1]["rows"]
    assert last["shop.Customer"] * 20 == pytest.approx(last["shop.Order"], abs=20)
    assert measured["basis"] == "measured"
    assert measured["samples"][-1]["rows_read"] == 160_000
    error = abs(projected["peak_bytes"] - measured["peak_bytes"])
    assert error <= max(0.05 * measured["peak_bytes"], 8 * MIB)


@both
@checks(STREAM, 'rows={"shop.Order": 80_000, "shop.Customer": 4_000}', 'limit="80Mi"')
def test_a_stream_is_within(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("within", "measured")
    assert result["growth"] in ("constant", "bounded")
    assert result["bytes_per_row"] == 0
    assert result["fits_up_to_rows"] is None


UPDATE = """
def forwards(apps, schema_editor):
    from django.db.models import F
    apps.get_model("shop", "Order").objects.update(total=F("price") * 2)
"""


@both
@checks(UPDATE, ROWS, 'limit="64Mi"')
def test_an_update_is_within(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert len(result["samples"]) <= 3
    for sample in result["samples"]:
        assert sample["rows_written"] == sample["rows"]["shop.Order"]


def test_several_migrations_the_way_back_and_a_schema(project: Project) -> None:
    project.migration("0002_stream", STREAM)
    project.migration("0003_loop", LOOP)
    back = LOOP.replace("def forwards", "def backwards")
    both_ways = f"{back}\ndef forwards(apps, schema_editor): ...\n"
    project.migration("0004_both_ways", both_ways, backwards="backwards")
    project.migration("0005_schema", "def forwards(apps, schema_editor): ...")
    path = project.path / "shop/migrations/0005_schema.py"
    add = 'migrations.AddField("Order", "paid", models.BooleanField(default=False))'
    text = path.read_text().replace("migrations.RunPython(forwards, None)", add)
    path.write_text(text.replace("import migrations", "import migrations, models"))
    project.budgets(
        ('["shop.0002", "shop.0003"]', FEW, LIMIT),
        ('"shop.0004"', FEW, LIMIT, "reverse=True"),
        ('"shop.0005"', FEW, LIMIT),
    )
    several, reverse, schema = project.results()
    assert several["migration"] == "shop.0002_stream + shop.0003_loop"
    assert several["samples"][-1]["rows_read"] == 2 * 15
    assert (reverse["verdict"], reverse["reverse"]) == ("within", True)
    assert reverse["samples"][-1]["rows_read"] == 15
    assert schema["verdict"] == "within"


BACKFILL = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    for order in Order.objects.filter(total__isnull=True):
        order.total = order.price
"""


@both
@checks(BACKFILL, FEW, LIMIT)
def test_rows_are_seeded_so_that_a_backfill_finds_them(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert result["samples"][-1]["rows_read"] == 15
    assert "rows-fresh" in codes(result)
    message = next(f["message"] for f in result["findings"] if f["code"] == "rows-fresh")
    assert message.endswith(": shop_order.total")


NONE_TOUCHED = "touched none of the seeded rows (15 shop.Order"
A_LOOKUP_TABLE_IS_READ = """
def forwards(apps, schema_editor):
    list(apps.get_model("shop", "Customer").objects.all())
    for order in apps.get_model("shop", "Order").objects.filter(note__regex="^(?=old)"): pass
"""
ONE_FINDS_NOTHING = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    for order in Order.objects.iterator():
        list(Order.objects.filter(price=-order.price))
    list(Order.objects.filter(number="unique"))
    list(Order.objects.filter(note="legacy").order_by("price"))
"""
ONE_UNMATCHED = "runs a statement that matches none of the seeded rows (15 shop.Order"
FINDS_NOTHING = {
    BACKFILL.replace("total__isnull=True", "note__regex='^(?=old)'"): NONE_TOUCHED,
    A_LOOKUP_TABLE_IS_READ: NONE_TOUCHED,
    ONE_FINDS_NOTHING: ONE_UNMATCHED,
}


@checks(lambda code: code, 'rows={"shop.Order": 15, "shop.Customer": 2}', LIMIT)
@pytest.mark.parametrize("code", FINDS_NOTHING, ids=["alone", "beside another", "one of several"])
def test_a_filter_that_matches_nothing_is_no_pass(result: dict[str, Any], code: str) -> None:
    assert result["verdict"] == "inconclusive"
    assert FINDS_NOTHING[code] in result["reason"]
    if code == ONE_FINDS_NOTHING:
        assert 'FROM "shop_order" WHERE "shop_order"."note" = %s' in result["reason"]
        assert "statement-unmatched" in codes(result)


PAGES = """
def forwards(apps, schema_editor):
    orders, start = apps.get_model("shop", "Order").objects.order_by("pk"), 0
    while page := list(orders[start:start + 5]):
        start += len(page)
"""


@checks(PAGES, FEW, LIMIT)
def test_an_empty_last_page_is_no_statement_that_finds_nothing(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"


CHECKED = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    assert not list(Order.objects.filter(price__lt=0))
    for order in Order.objects.iterator():
        pass
"""


LINES = """
    from django.db import migrations, models

    class Migration(migrations.Migration):
        dependencies = [("shop", "0001_initial")]
        operations = [
            migrations.CreateModel("Line", [
                ("id", models.BigAutoField(primary_key=True)),
                ("order", models.ForeignKey(
                    "shop.Order", on_delete=models.CASCADE, related_name="lines",
                )),
            ]),
        ]
"""


def prepare(project: Project) -> None:
    project.write("seeds.py", SEED)
    project.write("shop/migrations/0002_line.py", LINES)
    project.last = "0002_line"


@checks(CHECKED, FEW, LIMIT, 'seed="seeds.seed"')
def test_a_seed_knows_what_it_leaves_out(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert "statement-unmatched" in codes(result)


SOME = BACKFILL.replace("filter(total__isnull=True)", "filter(id__lte=Order.objects.count() // 4)")


@checks(SOME, 'rows={"shop.Order": 48_000}', LIMIT)
def test_a_filter_that_matches_some_widens_the_interval(result: dict[str, Any]) -> None:
    assert "rows-untouched" in codes(result)
    grown = result["peak_bytes"] - result["baseline_bytes"]
    assert result["peak_high_bytes"] - result["baseline_bytes"] == pytest.approx(
        4 * grown, rel=0.15
    )


CHILDREN = """
def child(size):
    import time
    kept = bytearray(size)
    time.sleep(0.3)
    return len(kept)

def forwards(apps, schema_editor):
    import multiprocessing
    for order in apps.get_model("shop", "Order").objects.iterator(): pass
    schema_editor.connection.close()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(child, [100 * 1024**2] * 2)
"""


@checks(CHILDREN, FEW, 'limit="1Gi"', atomic=False)
def test_the_memory_of_children_counts(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"
    assert result["samples"][-1]["processes"] == 3
    grown = result["peak_bytes"] - result["baseline_bytes"]
    assert grown == pytest.approx(200 * MIB, rel=0.1)
    assert "child-processes" in codes(result)


BEYOND = LOOP + "    kept = [bytearray(32 * 1024**2) for _ in range(64)]\n"


@checks(BEYOND, 'rows={"shop.Order": 2_000}', 'limit="128Mi"')
def test_a_process_beyond_the_limit_is_stopped(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured")
    assert result["samples"][0]["outcome"] == "over the limit"
    assert len(result["samples"]) == 1
    assert result["samples"][0]["peak_bytes"] < 512 * MIB
    assert "passed the limit of 128 MiB with 500 of 2,000 shop.Order rows" in result["reason"]
    # It was not asked why.
    assert (result["attribution"], result["advice"]) == ([], [])


THRESHOLD = """
SIZE = 40_000

def forwards(apps, schema_editor):
    import time
    buffer = []
    for order in apps.get_model("shop", "Order").objects.iterator():
        buffer.append(order)
        if order.pk % 2:
            time.sleep(0.0001)
        if len(buffer) == SIZE:
            buffer.clear()
"""


@checks(THRESHOLD, MANY, 'limit="150Mi"', "time_budget=10")
def test_a_threshold_in_the_code_is_named_where_no_sample_reached_it(
    result: dict[str, Any],
) -> None:
    """Linear as far as was measured, but the code says where it may end."""
    assert result["verdict"] == "inconclusive"
    assert result["peak_low_bytes"] < 150 * MIB < result["peak_bytes"]
    (message,) = (f["message"] for f in result["findings"] if f["code"] == "threshold-ahead")
    assert "growth may stop at 40,000 shop.Order rows" in message


MANY_PARAMETERS = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    keys = list(Order.objects.values_list("pk", flat=True))
    assert Order.objects.filter(pk__in=keys).count() == len(keys)
"""


@checks(MANY_PARAMETERS, 'rows={"shop.Order": 260_000}', 'limit="4Gi"')
def test_a_statement_that_outgrows_the_database_is_found_where_it_breaks(
    result: dict[str, Any], vendor: str
) -> None:
    """SQLite takes 250,000 parameters in a statement; psycopg sends none to PostgreSQL."""
    if vendor == "postgresql":
        assert result["verdict"] == "within"
        return
    assert result["verdict"] == "error"
    assert "shop.Order rows: OperationalError: too many SQL" in result["reason"]
    assert result["samples"][-1]["rows"]["shop.Order"] > 250_000
    assert "broke-at-scale" in codes(result)
    if sys.version_info >= (3, 11):  # before, Python can't ask SQLite for its limit
        assert "too-many-parameters" in codes(result)


BRANCH = """
def forwards(apps, schema_editor):
    import time
    Order = apps.get_model("shop", "Order")
    if Order.objects.count() > {number}:
        list(Order.objects.all())
    for order in Order.objects.iterator():
        {each}
"""


@checks(
    BRANCH.format(number="500_000", each="order.pk % 4 or time.sleep(0.0001)"),
    'rows={"shop.Order": 1_700_000, "shop.Customer": 85_000}',
    LIMIT,
    "time_budget=8",
)
def test_a_branch_that_the_code_names_is_no_pass_before_a_sample_has_taken_it(
    result: dict[str, Any],
) -> None:
    assert result["verdict"] == "inconclusive"
    assert "compares a count with 500,000 in its code, and no sample had more" in result["reason"]
    assert result["samples"][-1]["rows"]["shop.Order"] < 500_000


@checks(BRANCH.format(number="20_000", each="pass"), ROWS, 'limit="56Mi"')
def test_a_branch_in_the_code_is_taken_where_there_is_time(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("exceeds", "measured")
    assert result["samples"][-1]["rows"]["shop.Order"] > 20_000


CYCLES = """
def forwards(apps, schema_editor):
    orders = apps.get_model("shop", "Order").objects.prefetch_related("lines")
    for order in orders.iterator(chunk_size=2000):
        order.total = len(order.lines.all())
"""


@checks(CYCLES, 'rows={"shop.Order": 50_000, "shop.Line": 500}', 'limit="100Mi"', "time_budget=6")
def test_reference_cycles_are_no_growth_without_end(result: dict[str, Any]) -> None:
    """The peak is set by when the cycle collector runs, which the first samples do not show."""
    assert result["verdict"] in ("within", "inconclusive")
    assert result["peak_low_bytes"] < 100 * MIB


@checks(CYCLES, 'rows={"shop.Order": 24_000, "shop.Line": 240}', 'limit="100Mi"')
def test_reference_cycles_do_not_exceed_at_productions_row_count(result: dict[str, Any]) -> None:
    assert (result["verdict"], result["basis"]) == ("within", "measured")
    assert result["peak_bytes"] < 100 * MIB


COMPILES_NOTHING = """
def forwards(apps, schema_editor):
    import psycopg
    settings = schema_editor.connection.get_connection_params()
    own = psycopg.connect(**{
        name: settings[name] for name in ("dbname", "user", "password", "host", "port")
    })
    for cursor in (schema_editor.connection.cursor(), own.cursor()):
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
    own.close()
    schema_editor.execute("UPDATE shop_order SET total = 1")
"""


@on_postgresql
@checks(COMPILES_NOTHING, FEW, LIMIT)
def test_the_server_compiles_no_statement(result: dict[str, Any]) -> None:
    """That of a large CASE takes minutes, in which nothing can stop it."""
    assert result["verdict"] != "error", result["reason"]
