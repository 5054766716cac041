"""Growth by line, held against the peaks that were really measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from project import Project

from pytest_membudget.attribution.allocator import MALLOC, PYMALLOC, overhead
from pytest_membudget.attribution.flamegraph import pack
from pytest_membudget.attribution.growth import Alive, Stack, growth
from pytest_membudget.attribution.lines import CLIENT_RESULT, sites
from pytest_membudget.database.engine import POSTGRESQL
from pytest_membudget.judge.explanation import Stacks
from pytest_membudget.project.ownership import Ownership, short_path

BULK_UPDATE = """
def forwards(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    orders = Order.objects.all()
    for order in orders:
        order.total = order.price * 2
    Order.objects.bulk_update(orders, ["total"], batch_size=500)
"""
FETCHALL = """
def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, note FROM shop_order")
        rows = cursor.fetchall()
"""
FILE = "shop/migrations/0002_change.py"


def change(
    project: Project, code: str, *arguments: str, limit: str = "64Mi", rows: int = 400_000
) -> dict[str, Any]:
    """The result for a migration ``shop.0002_change`` of this code."""
    project.attribution = None
    project.migration("0002_change", code)
    budget = (f'rows={{"shop.Order": {rows}}}', f'limit="{limit}"', "time_budget=40")
    project.budget('"shop.0002"', *budget)
    return project.result(*arguments)


def test_lines_of_a_bulk_update(project: Project, vendor: str) -> None:
    result = change(project, BULK_UPDATE, limit="256Mi")
    assert result["verdict"] == "exceeds"
    lines = result["attribution"]
    assert [line["kind"] for line in lines].count("allocator") <= 1
    named = sum(line["share"] for line in lines if line["kind"] != "allocator")
    assert named >= 0.85
    assert 0.95 <= sum(line["share"] for line in lines) <= 1.1
    own = [line for line in lines if line["kind"] == "python"]
    assert {line["file"] for line in own} == {FILE}
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
    assert result["files"] == [FILE]


def test_the_client_s_result_has_a_name(project: Project, vendor: str) -> None:
    result = change(project, FETCHALL)
    kinds = {line["kind"]: line for line in result["attribution"]}
    assert kinds["python"]["source"] == "rows = cursor.fetchall()"
    assert kinds["python"]["via"]["function"] == "fetchall"
    assert ("c" in kinds) == (vendor == "postgresql")
    if vendor == "postgresql":
        assert "libpq" in kinds["c"]["via"]["function"]
        assert kinds["c"]["bytes_per_row"] > 50
    assert 0.95 <= sum(line["share"] for line in result["attribution"]) <= 1.1
    assert sum(line["share"] for line in result["attribution"]) > 0.9


def test_a_result_that_was_freed_is_named(project: Project, postgresql: object) -> None:
    loop = """
    def forwards(apps, schema_editor):
        for order in apps.get_model("shop", "Order").objects.all():
            order.total = order.price * 2
    """
    result = change(project, loop, limit="128Mi")
    freed = [line for line in result["attribution"] if line["kind"] == "c"]
    assert [line["source"].startswith("for order in") for line in freed] == [True]
    assert sum(line["share"] for line in result["attribution"]) > 0.85


def test_a_pass_is_looked_into_only_when_asked(project: Project) -> None:
    project.attribution = None
    project.migration("0002_change", BULK_UPDATE)
    project.budget('"shop.0002"', 'rows={"shop.Order": 8_000}', 'limit="512Mi"')
    result = project.result()
    assert result["verdict"] == "within"
    assert (result["attribution"], result["attribution_note"], result["stacks"]) == ([], None, None)
    result = project.result("--membudget-attribution=always")
    assert result["verdict"] == "within"
    assert any("bulk_update(" in line["source"] for line in result["attribution"])


def test_rows_that_were_not_touched_are_not_looked_into(project: Project) -> None:
    result = change(project, "def forwards(apps, schema_editor): pass", rows=4)
    assert result["verdict"] == "inconclusive"
    assert result["attribution_note"] is None


def test_a_failure_is_not_looked_into_when_that_is_not_wanted(project: Project) -> None:
    project.attribution = None
    project.migration("0002_change", BULK_UPDATE)
    project.budget('"shop.0002"', 'rows={"shop.Order": 20_000}', 'limit="44Mi"')
    result = project.result("-o", "membudget_attribution=never")
    assert result["verdict"] == "exceeds"
    assert (result["attribution"], result["advice"]) == ([], [])


def test_forked_children_are_followed(project: Project) -> None:
    children = """
    import os
    import time

    def forwards(apps, schema_editor):
        rows = apps.get_model("shop", "Order").objects.count()
        schema_editor.connection.close()
        pids = []
        for _ in range(2):
            pids.append(os.fork())
            if not pids[-1]:
                kept = [bytes(2000) for _ in range(rows)]
                time.sleep(1)
                os._exit(0)
        for pid in pids:
            os.waitpid(pid, 0)
    """
    project.attribution = None
    project.migration("0002_change", children, atomic=False)
    budget = ('rows={"shop.Order": 8_000}', 'limit="50Mi"', "time_budget=30")
    project.budget('"shop.0002"', *budget)
    result = project.result()
    assert result["verdict"] == "exceeds"
    kept = next(line for line in result["attribution"] if "kept = " in line["source"])
    assert kept["bytes_per_row"] == pytest.approx(2 * 2041, rel=0.05)


def test_the_allocators_are_known() -> None:
    def taken(allocator: str, size: int) -> float:
        return size + overhead(allocator, size, 1)

    assert 48 < taken(PYMALLOC, 40) < 50
    assert 512 < taken(PYMALLOC, 512) < 550
    assert taken(PYMALLOC, 600) == 608
    assert taken(MALLOC, 1) == 32
    assert taken(MALLOC, 0) == 32
    assert overhead(MALLOC, 10 * 2**20, 1) == 2048
    assert overhead(PYMALLOC, 0, 0) == 0


def test_growth_is_what_the_larger_has_more() -> None:
    kept, gone = (("f", "m.py", 1),), (("g", "m.py", 2),)
    small = {kept: Alive(PYMALLOC, 1600, 100), gone: Alive(PYMALLOC, 5000, 1)}
    large = {kept: Alive(PYMALLOC, 4800, 300), gone: Alive(PYMALLOC, 5000, 1)}
    (stack,) = growth(small, large, 200)
    assert (stack.frames, stack.bytes_per_row, stack.blocks_per_row) == (kept, 16, 1)


def test_a_flame_graph_has_what_grows() -> None:
    frame = ("forwards", "shop/migrations/0002_it.py", 9)
    fewer = Stack(MALLOC, (frame,), 40.0, -2.0, 0.0)
    shrinks = Stack(MALLOC, (("other", *frame[1:]),), -90.0, -1.0, 0.0)
    packed = pack([fewer, shrinks], 1_000)
    assert packed == Stacks(1_000, (frame,), ((40.0, 0.0, (0,)),))


def test_whose_a_line_is() -> None:
    import django

    installed = Ownership([])
    assert not installed.is_own(str(django.__file__))
    assert not installed.is_own(str(pytest.__file__))
    assert not installed.is_own("<frozen importlib._bootstrap>")
    assert installed.is_own(__file__)
    folder = str(django.__file__).rpartition("/")[0]
    assert Ownership([folder]).is_own(str(django.__file__))
    assert short_path(str(django.__file__)) == "django/__init__.py"


def test_the_verdict_stands_where_memray_cannot_run(project: Project) -> None:
    project.write("conftest.py", 'import sys\n\nsys.modules["memray"] = None\n')
    result = change(project, BULK_UPDATE, limit="44Mi", rows=40_000)
    assert result["verdict"] == "exceeds"
    assert "memray can't run here" in result["attribution_note"]


@pytest.mark.parametrize("allocator", [MALLOC, PYMALLOC])
def test_the_client_s_memory_is_known_whatever_the_allocator_is_called(allocator: str) -> None:
    frames = (
        ("_maybe_prepare_gen", str(Path(psycopg.__file__).with_name("_cursor_base.py")), 312),
        ("forwards", __file__, 1),
    )
    stack = Stack(allocator, frames, 212.0, 0.1, 0.0)
    (site,) = sites([stack], Ownership([]), POSTGRESQL)
    assert site.cause == CLIENT_RESULT
    small = Stack(PYMALLOC, frames, 100.0, 2.0, 0.0)
    assert next(iter(sites([small], Ownership([]), POSTGRESQL))).cause != CLIENT_RESULT
