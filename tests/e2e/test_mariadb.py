"""Checks on MariaDB: verdicts, what is logged of each kind of cursor, and advice that fits it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from batch import checks, on_mariadb
from project import LOOP, STREAM, Project

UPDATE = """
from django.db.models import F

def forwards(apps, schema_editor):
    apps.get_model("shop", "Order").objects.update(total=F("price") * 2)
"""
SELECT = "SELECT id, note FROM shop_order"
BUFFERED = f"""
def forwards(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("{SELECT}")
        while cursor.fetchmany(500):
            pass
"""
UNBUFFERED = f"""
def forwards(apps, schema_editor):
    from MySQLdb.cursors import SSCursor
    with schema_editor.connection.connection.cursor(SSCursor) as cursor:
        cursor.execute("{SELECT}")
        while cursor.fetchmany(500):
            pass
"""
ONE_BY_ONE = f"""
def forwards(apps, schema_editor):
    from MySQLdb.cursors import SSDictCursor
    with schema_editor.connection.connection.cursor(SSDictCursor) as cursor:
        cursor.execute("{SELECT}")
        for row in cursor:
            row["note"]
"""
WITHOUT_CURSOR = f"""
def forwards(apps, schema_editor):
    session = schema_editor.connection.connection
    session.query("{SELECT}")
    if hasattr(session, "store_result"):  # of mysqlclient
        session.store_result()
"""
OWN_SESSION = f"""
def forwards(apps, schema_editor):
    import MySQLdb
    its = schema_editor.connection.get_connection_params()
    its.pop("conv", None)
    with MySQLdb.connect(**its) as session, session.cursor() as cursor:
        cursor.execute("{SELECT}")
        cursor.fetchall()
"""
MANY = """
def forwards(apps, schema_editor):
    Customer = apps.get_model("shop", "Customer")
    Customer.objects.bulk_create([Customer(email=f"{n}@b.c") for n in range(1000)])
    with schema_editor.connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO shop_customer (email) VALUES (%s)", [(f"{n}@d.e",) for n in range(500)]
        )
"""
ROWS = 'rows={"shop.Order": 30_000}'
FEW = 'rows={"shop.Order": 2_000}'


def orders(result: dict[str, Any]) -> dict[str, Any]:
    [table] = [one for one in result["tables"] if one["label"] == "shop.Order"]
    return dict(table)


@on_mariadb
@checks(UPDATE, ROWS, 'limit="512Mi"')
def test_an_update_is_within(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["database"]["vendor"] == "mysql"
    assert orders(result)["rows_written"] == orders(result)["rows_seeded"] > 0


@on_mariadb
@checks(LOOP, 'rows={"shop.Order": 1_000_000}', 'limit="150Mi"')
def test_a_loop_exceeds(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "exceeds", result["reason"]


@on_mariadb
@checks(LOOP, 'rows={"shop.Customer": 100}', 'limit="512Mi"')
def test_a_table_without_a_row_count_is_inconclusive(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "inconclusive"
    assert "shop.Order" in result["reason"]


@on_mariadb
@checks(STREAM, 'rows={"shop.Order": 1_000_000}', 'limit="150Mi"')
def test_iterator_does_not_stream(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "exceeds", result["reason"]


@on_mariadb
@checks(BUFFERED, FEW, 'limit="512Mi"')
def test_rows_of_a_plain_cursor_are_counted(result: dict[str, Any], vendor: str) -> None:
    assert (result["verdict"], orders(result)["rows_read"]) == ("within", 2_000)


@on_mariadb
@checks(UNBUFFERED, FEW, 'limit="512Mi"')
def test_rows_of_an_unbuffered_cursor_are_counted(result: dict[str, Any], vendor: str) -> None:
    assert (result["verdict"], orders(result)["rows_read"]) == ("within", 2_000)


@on_mariadb
@checks(ONE_BY_ONE, FEW, 'limit="512Mi"')
def test_rows_that_come_one_by_one_are_counted(result: dict[str, Any], vendor: str) -> None:
    assert (result["verdict"], orders(result)["rows_read"]) == ("within", 2_000)


@on_mariadb
@checks(WITHOUT_CURSOR, FEW, 'limit="512Mi"')
def test_a_statement_without_a_cursor_is_no_pass(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "inconclusive"
    assert "connection-unlogged" in json.dumps(result["findings"])


@on_mariadb
@checks(OWN_SESSION, FEW, 'limit="512Mi"')
def test_a_session_that_is_not_djangos_is_no_pass(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "inconclusive"
    assert "connection-unlogged" in json.dumps(result["findings"])


@on_mariadb
@checks(MANY, 'rows={"shop.Customer": 10}', 'limit="512Mi"')
def test_rows_of_many_statements_in_one_are_counted_once(
    result: dict[str, Any], vendor: str
) -> None:
    [customers] = [one for one in result["tables"] if one["label"] == "shop.Customer"]
    assert customers["rows_written"] == 1_500


@on_mariadb
def test_the_gate(project: Project, vendor: str) -> None:
    project.migration("0002_it", UPDATE)
    project.profile({"shop_order": 100_000, "shop_customer": 1_000}, note=300)
    gate = ("--membudget-gate=shop", "--membudget-limit=512Mi")
    assert [one["verdict"] for one in project.results(".", *gate)] == ["within", "within"]


@on_mariadb
def test_advice_where_nothing_streams(project: Project, vendor: str) -> None:
    project.attribution = "failed"
    # A busy machine has less of the time for the explanation.
    project.check(STREAM, 'rows={"shop.Order": 1_000_000}', 'limit="150Mi"', "time_budget=120")
    result = project.result()
    codes = [one["code"] for one in result["advice"]]
    assert codes == ["keyset-pages"], result["advice"]
    assert "the client library of MariaDB holds the whole result" in result["advice"][0]["message"]


@on_mariadb
def test_the_embedded_server_is_postgresqls(project: Project, vendor: str) -> None:
    project.check(UPDATE)
    done = project.run("--membudget-server=embedded")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*on MariaDB: the embedded server is PostgreSQL*"])
