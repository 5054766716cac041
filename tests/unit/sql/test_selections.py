"""The values that the rows have which a statement loads, in the forms that both databases take."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.processes.worker.accesses import Accesses
from pytest_membudget.sample.selection import Selection
from pytest_membudget.sql.normalize import Form
from pytest_membudget.sql.table_names import TableNames

MODELS = {name: [["id"]] for name in ("orders", "items", "kinds")}
both = pytest.mark.parametrize("vendor", ["postgresql", "sqlite"])


def run(vendor: str, sql: str, *parameters: Any, times: int = 1, rows: int = 10) -> Accesses:
    found = Accesses(TableNames(MODELS, vendor, ()), vendor)
    form = Form.read(sql, vendor)
    values = form.values(parameters)
    found.add(StatementCount(form.text, values, times=times, fetched=rows, looked=True))
    return found


def equal(vendor: str, sql: str, *parameters: Any) -> Any:
    [selection] = run(vendor, sql, *parameters).of_run()["selections"]
    return selection.equal


@both
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("status = %s", {"status": ["legacy"]}),
        ("(status = %s AND NOT (total IS NULL))", {"status": ["legacy"]}),
        ("status = %s AND total IS NULL", {"status": ["legacy"], "total": [None]}),
        ("done AND status = %s", {"status": ["legacy"], "done": [True]}),
        ("NOT done", {"done": [False]}),
        ("status = %s OR total IS NULL", {}),
        ("NOT (status = %s)", {}),
        ("NOT (status = %s AND NOT done)", {}),
        ("UPPER(status) = UPPER(%s)", {}),
        ("status = UPPER(%s)", {}),
        ("status = NULL", {}),
        ("status IN (%s, 'other')", {}),
        ("status LIKE %s", {}),
        ("price > 5", {}),
        ("number = status", {}),
        ("id IN (SELECT o.id FROM orders o WHERE o.status = %s)", {}),
        ("kind_id IN (SELECT k.id FROM kinds k WHERE k.status = %s)", {}),
    ],
)
def test_the_values_that_all_of_its_rows_have(vendor: str, condition: str, expected: Any) -> None:
    assert equal(vendor, f"SELECT * FROM orders WHERE {condition}", "legacy") == expected


@both
@pytest.mark.parametrize(
    ("sql", "known"),
    [
        ("SELECT o.id FROM orders o JOIN kinds k ON (o.kind_id = k.id) WHERE o.status = 'x'", True),
        # There may be several of each.
        ("SELECT o.id FROM orders o JOIN items i ON (o.id = i.o_id) WHERE o.status = 'x'", False),
        ("SELECT o.id FROM orders o, kinds k WHERE o.status = 'x'", False),
        ("SELECT o.id FROM orders o JOIN orders p ON (o.id = p.id) WHERE o.status = 'x'", False),
        ("SELECT id FROM orders WHERE status = 'x' UNION ALL SELECT id FROM orders", False),
        ("SELECT id FROM (SELECT * FROM orders) o WHERE status = 'x'", False),
        ("WITH orders AS (SELECT * FROM orders) SELECT * FROM orders WHERE status = 'x'", False),
    ],
)
def test_each_row_is_handed_over_once(vendor: str, sql: str, known: bool) -> None:
    assert equal(vendor, sql) == ({"status": ["x"]} if known else {})
    assert (("orders", "status") in run(vendor, sql).of_run()["not_equal"]) is not known


@both
def test_all_values_of_an_array(vendor: str) -> None:
    if vendor == "postgresql":
        found = equal(vendor, "SELECT * FROM orders WHERE status = ANY(%s)", ("a", "b"))
        assert found == {"status": ["a", "b"]}


@both
def test_rows_that_come_again_count_once(vendor: str) -> None:
    sql = "SELECT * FROM orders WHERE status = 'x'"
    [again] = run(vendor, sql, times=5, rows=50).of_run()["selections"]
    chosen = frozenset({"status"})
    assert again == Selection("orders", 10, {"status": ["x"]}, chosen)
    [pages] = run(vendor, f"{sql} LIMIT 1000", times=5, rows=50).of_run()["selections"]
    assert pages == Selection("orders", 50, {"status": ["x"]}, chosen)


@both
@pytest.mark.parametrize(
    ("condition", "columns"),
    [
        ("status = 'x' AND NOT done", set()),
        ("status = 'x' OR NOT done", {"status", "done"}),
        ("status IN ('x', 'y')", {"status"}),
        ("status LIKE 'x%%' AND done", {"status"}),
        ("id IN (SELECT id FROM items WHERE done)", {"id", "done"}),
        ("NOT (status = 'x')", {"status"}),
        ("price >= 5", {"price"}),
    ],
)
def test_columns_that_are_compared_otherwise(vendor: str, condition: str, columns: Any) -> None:
    """Their values do not tell how many rows it finds."""
    found = run(vendor, f"SELECT * FROM orders WHERE {condition}").of_run()["not_equal"]
    assert {column for _, column in found} == columns


@both
@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("UPDATE orders SET status = 'x' WHERE total IS NULL", {"status"}),
        ("UPDATE orders SET status = 'x', total = price", {"status", "total"}),
        ("UPDATE orders SET status = 'x' WHERE id IN (SELECT id FROM items)", {"status"}),
        ("UPDATE orders SET status = 'x' WHERE id = 5", set()),
        ("UPDATE orders SET status = CASE WHEN id = 5 THEN 'x' END WHERE id IN (5, 6)", set()),
    ],
)
def test_columns_that_are_set_by_a_condition(vendor: str, sql: str, columns: Any) -> None:
    """A later statement finds other rows by them than there were before."""
    found = run(vendor, sql).of_run()["not_equal"]
    assert {column for _, column in found} - {"id"} == columns
