"""Whatever form a statement has: its rows count, or the verdict says that they are not known."""

from __future__ import annotations

from typing import Any

import pytest
from project import Project

SEEDED = 500
ROWS = f'rows={{"shop.Order": {SEEDED}}}'


def judged(project: Project, *bodies: str) -> dict[str, Any]:
    """The result of a migration that does something with a ``cursor`` and a ``connection``."""
    head = """
def forwards(apps, schema_editor):
    connection = schema_editor.connection
    Order, Customer = apps.get_model("shop", "Order"), apps.get_model("shop", "Customer")
"""
    lines = [
        f"    with connection.cursor() as cursor:\n        {line}"
        for body in bodies
        for line in [body]
    ]
    project.migration("0002_it", head + "\n".join(lines))
    project.budget('"shop.0002"', ROWS, 'limit="512Mi"')
    return project.result()


def executed(sql: str) -> str:
    return f"cursor.execute('''{sql}'''); rows = cursor.fetchall()"


READS = [
    executed("/* FROM nowhere */ SELECT o.id -- FROM nowhere\nFROM shop_order o"),
    executed("SELECT o.id FROM shop_order o, shop_customer c WHERE c.id = o.customer_id"),
    executed("WITH x AS (SELECT * FROM shop_order) SELECT id FROM x"),
    executed("SELECT id FROM (SELECT id FROM shop_order) x"),
    executed("SELECT row_number() OVER (ORDER BY id) FROM shop_order"),
    executed("SELECT id FROM shop_order WHERE note IS NOT NULL ORDER BY id % 7"),
    "cursor.execute('SELECT * FROM shop_order'); rows = list(cursor)",
]
READS_OF = {
    "postgresql": [
        executed("SELECT * FROM public.shop_order"),
        executed('SELECT * FROM ONLY "public"."shop_order"'),
        executed("TABLE shop_order"),
        executed("SELECT EXTRACT(year FROM now()), SUBSTRING(note FROM 1) FROM shop_order"),
        executed("SELECT * FROM shop_order WHERE total IS DISTINCT FROM 123456789"),
        executed("SELECT o.id FROM shop_order c, LATERAL (SELECT c.id) o"),
        executed("SELECT n, o.id FROM generate_series(1, 1) n, shop_order o"),
        "cursor.execute('DECLARE c CURSOR FOR SELECT * FROM shop_order'); "
        "cursor.execute('FETCH ALL FROM c'); rows = cursor.fetchall()",
        "with cursor.copy('COPY shop_order TO STDOUT') as copy: kept = list(copy)",
        "with cursor.copy('COPY (TABLE shop_order) TO STDOUT') as copy: kept = list(copy.rows())",
        "kept = list(cursor.stream('SELECT * FROM shop_order'))",
        "rows = connection.connection.execute('SELECT * FROM shop_order').fetchall()",
        "rows = cursor.execute(b'SELECT * FROM shop_order')",
        "from psycopg import sql; cursor.execute(sql.SQL('TABLE {}').format(sql.Identifier("
        "'shop_order')))",
    ],
    "sqlite": [
        executed('SELECT * FROM main."Shop_Order"'),
        executed("SELECT * FROM [shop_order], json_each('[1]')"),
        "rows = connection.connection.execute('SELECT * FROM shop_order WHERE id > ?', [0])\n"
        "        assert rows.fetchall()",
        "raw = connection.connection.cursor().execute('SELECT * FROM shop_order')\n"
        "        while next(raw, None): pass",
    ],
}


def test_rows_of_each_form_count(project: Project, vendor: str) -> None:
    bodies = READS + READS_OF[vendor]
    result = judged(project, *bodies)
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] == SEEDED * len(bodies)


def test_rows_of_each_change_count(project: Project, vendor: str) -> None:
    upsert = "ON CONFLICT (email) DO UPDATE SET email = 'x' || EXCLUDED.email RETURNING id"
    result = judged(
        project,
        executed("UPDATE shop_order SET total = 1 RETURNING id"),
        executed(
            f"INSERT INTO shop_customer (email) SELECT number FROM shop_order WHERE 1=1 {upsert}"
        ),
        executed("DELETE FROM shop_order RETURNING id, note"),
    )
    assert result["verdict"] == "within", result["reason"]
    last = result["samples"][-1]
    assert (last["rows_read"], last["rows_written"]) == (SEEDED, 3 * SEEDED)


def test_rows_that_a_common_table_expression_deletes(project: Project, postgresql: object) -> None:
    deleted = executed("WITH x AS (DELETE FROM shop_order RETURNING *) SELECT * FROM x")
    result = judged(project, deleted)
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] == SEEDED


def test_a_model_of_another_schema(project: Project, postgresql: object) -> None:
    """Django takes a quoted db_table as it is, so this is plain ORM."""
    project.write(
        "shop/migrations/0002_thing.py",
        """
        from django.db import migrations, models

        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [
                migrations.RunSQL("CREATE SCHEMA app"),
                migrations.CreateModel(
                    "Thing",
                    [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())],
                    options={"db_table": 'app"."thing'},
                ),
            ]
        """,
    )
    project.last = "0002_thing"
    loop = """
        def forwards(apps, schema_editor):
            for thing in apps.get_model("shop", "Thing").objects.filter(name__gte=""):
                thing.name
        """
    project.migration("0003_loop", loop)
    project.budget('"shop.0003"', f'rows={{"shop.Thing": {SEEDED}}}', 'limit="512Mi"')
    result = project.result()
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] == SEEDED
    (project.path / "test_budget.py").unlink()
    limits = ("--membudget-limit=512Mi", "--membudget-rows=*=3_000")
    assert project.result("--membudget-gate=shop.0003", *limits)["rows"] == {"shop.Thing": 3_000}


def reason_of(project: Project, *bodies: str) -> str:
    result = judged(project, *bodies)
    assert result["verdict"] == "inconclusive", result["reason"]
    return str(result["reason"])


STREAM = "for order in Order.objects.iterator(): pass"


def test_rows_that_no_table_is_known_of(project: Project, postgresql: object) -> None:
    reason = reason_of(
        project,
        STREAM,
        "cursor.execute('''CREATE FUNCTION everything() RETURNS SETOF shop_order LANGUAGE sql"
        " AS 'SELECT * FROM shop_order' ''')",
        executed("SELECT * FROM everything() WHERE note <> 'very secret' AND id <> 123456"),
    )
    assert f"loads {SEEDED} rows with a statement whose tables are unknown" in reason
    assert "SELECT * FROM everything() WHERE note <> %s AND id <> %s; select from" in reason


def test_rows_of_a_connection_that_is_not_djangos(project: Project, postgresql: object) -> None:
    raw = """import psycopg
        with psycopg.connect(connection.connection.info.dsn, password="membudget") as own:
            rows = own.execute("SELECT * FROM shop_order").fetchall()"""
    reason = reason_of(project, STREAM, raw)
    assert f"accesses {SEEDED} rows of shop_order outside Django's connection" in reason


def test_rows_past_the_cursors(project: Project, postgresql: object) -> None:
    """As an extension of its own might read them, over the connection that Django opened."""
    raw = "result = connection.connection.pgconn.exec_(b'TABLE shop_order')"
    reason = reason_of(project, "list(Customer.objects.all())", raw)
    assert f"accesses {SEEDED} rows of shop_order outside Django's connection" in reason


def test_a_sqlite_connection_that_is_not_djangos(project: Project) -> None:
    raw = """import sqlite3
        own = sqlite3.connect(connection.settings_dict["NAME"])
        rows = own.execute("SELECT * FROM shop_order").fetchall()"""
    assert "opens a database connection outside Django" in reason_of(project, STREAM, raw)


def test_a_sqlite_database_beside_is_no_gap(project: Project) -> None:
    raw = "import sqlite3; sqlite3.connect(':memory:').execute('SELECT 1').fetchall()"
    assert judged(project, STREAM, raw)["verdict"] == "within"


@pytest.mark.parametrize(
    "body",
    [
        # The server reads customers for the foreign key of each order.
        "Order.objects.bulk_create(Order(customer_id=order.customer_id, number=f'x{order.pk}',"
        " note='', price=1) for order in list(Order.objects.all()))",
        # And looks for orders of each customer that goes.
        "Order.objects.all().delete(); Customer.objects.all().delete()",
        "cursor.execute('DELETE FROM shop_order'); cursor.execute('DELETE FROM shop_customer')",
        "Order.objects.count(); Order.objects.update(total=1)",
        "cursor.execute('ALTER TABLE shop_order ALTER COLUMN price TYPE bigint'); list("
        "Order.objects.all())",
        "cursor.execute('CREATE VIEW v AS TABLE shop_order'); cursor.execute('TABLE v');"
        " list(Order.objects.all())",
    ],
)
def test_what_the_server_reads_by_itself_is_no_gap(
    project: Project, postgresql: object, body: str
) -> None:
    result = judged(project, body)
    assert result["verdict"] == "within", result["reason"]


def test_the_gate_notices_them_too(project: Project, vendor: str) -> None:
    raw = {
        "sqlite": """import sqlite3
        own = sqlite3.connect(connection.settings_dict["NAME"])""",
        "postgresql": """import psycopg
        own = psycopg.connect(connection.connection.info.dsn, password="membudget")""",
    }[vendor]
    judged(project, f'{raw}\n        rows = own.execute("SELECT * FROM shop_order").fetchall()')
    limits = ("--membudget-limit=512Mi", "--membudget-rows=*=40_000")
    (project.path / "test_budget.py").unlink()
    result = project.result("--membudget-gate=shop.0002", *limits)
    assert result["verdict"] == "inconclusive", result["reason"]
    assert "opens a database connection outside Django" in result["reason"]
