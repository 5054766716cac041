"""Whatever form a statement has: its rows count, or the verdict says that they are not known."""

from __future__ import annotations

from typing import Any

import pytest
from batch import both, checks, on_postgresql
from project import FEW, LIMIT, Project

SEEDED = 15
THING = """
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
"""


def prepare(project: Project) -> None:
    if project.vendor == "postgresql":
        project.write("shop/migrations/0002_thing.py", THING)
        project.last = "0002_thing"


def uses(*bodies: str) -> str:
    """A migration that does something with a ``cursor`` and a ``connection``."""
    head = """
def forwards(apps, schema_editor):
    connection = schema_editor.connection
    Order, Customer = apps.get_model("shop", "Order"), apps.get_model("shop", "Customer")
"""
    return head + "\n".join(
        f"    with connection.cursor() as cursor:\n        {it}" for it in bodies
    )


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
    "cursor.execute('SELECT id FROM shop_order')\n        while cursor.fetchmany(5): pass",
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
        "named = connection.connection.cursor(name='all_orders')\n"
        "        named.execute('SELECT * FROM shop_order'); rows = list(named); named.close()",
        "kept = list(cursor.stream('SELECT * FROM shop_order'))",
        "rows = connection.connection.execute('SELECT * FROM shop_order').fetchall()",
        "rows = cursor.execute(b'SELECT * FROM shop_order')",
        "from psycopg import sql; cursor.execute(sql.SQL('TABLE {}').format(sql.Identifier("
        "'shop_order')))",
        # The last one: nothing is left after it.
        executed("WITH x AS (DELETE FROM shop_order RETURNING *) SELECT * FROM x"),
    ],
    "sqlite": [
        executed('SELECT * FROM main."Shop_Order"'),
        executed("SELECT * FROM [shop_order], json_each('[1]')"),
        "rows = connection.connection.execute('SELECT * FROM shop_order WHERE id > ?', [0])\n"
        "        rows.fetchall()",
        "raw = connection.connection.cursor().execute('SELECT * FROM shop_order')\n"
        "        while next(raw, None): pass",
    ],
}


def reads(vendor: str) -> str:
    return uses(*READS, *READS_OF[vendor])


@checks(reads, FEW, LIMIT)
def test_rows_of_each_form_count(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] == SEEDED * len(READS + READS_OF[vendor])


CHANGES = uses(
    executed("UPDATE shop_order SET total = 1 RETURNING id"),
    executed(
        "INSERT INTO shop_customer (email) SELECT number FROM shop_order WHERE 1=1 ON CONFLICT "
        "(email) DO UPDATE SET email = 'x' || EXCLUDED.email RETURNING id"
    ),
    "cursor.execute('update \"shop_order\" set total = 1')",
    executed("DELETE FROM shop_order WHERE id <= 9 RETURNING id, note"),
    "cursor.execute('DELETE FROM shop_order')",
)


@both
@checks(CHANGES, FEW, LIMIT)
def test_rows_of_each_change_count(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within", result["reason"]
    last = result["samples"][-1]
    assert (last["rows_read"], last["rows_written"]) == (SEEDED, 4 * SEEDED)


THINGS = """
def forwards(apps, schema_editor):
    for thing in apps.get_model("shop", "Thing").objects.filter(name__gte=""):
        thing.name
"""
gated = ("--membudget-limit=512Mi", "--membudget-rows=*=3_000")


@on_postgresql
@checks(THINGS, f'rows={{"shop.Thing": {SEEDED}}}', LIMIT)
def test_a_model_of_another_schema(result: dict[str, Any]) -> None:
    """Django takes a quoted db_table as it is, so this is plain ORM."""
    assert result["verdict"] == "within", result["reason"]
    assert result["samples"][-1]["rows_read"] == SEEDED


@on_postgresql
@checks(THINGS, gate=True, options=gated)
def test_the_gate_seeds_a_model_of_another_schema(result: dict[str, Any]) -> None:
    assert result["rows"] == {"shop.Thing": 3_000}


STREAM = "for order in Order.objects.iterator(): pass"
UNKNOWN = uses(
    STREAM,
    "cursor.execute('''CREATE FUNCTION everything() RETURNS SETOF shop_order LANGUAGE sql"
    " AS 'SELECT * FROM shop_order' ''')",
    executed("SELECT * FROM everything() WHERE note <> 'very secret' AND id <> 123456"),
)


OWN = {
    "sqlite": """import sqlite3
        own = sqlite3.connect(connection.settings_dict["NAME"])
        rows = own.execute("SELECT * FROM shop_order").fetchall()""",
    "postgresql": """import psycopg
        with psycopg.connect(connection.connection.info.dsn, password="membudget") as own:
            rows = own.execute("SELECT * FROM shop_order").fetchall()""",
}
OUTSIDE = f"accesses {SEEDED} rows of shop_order outside Django's connection"


# As an extension of its own might read them, over the connection that Django opened.
PAST = "result = connection.connection.pgconn.exec_(b'TABLE shop_order')"
GAPS = {
    ("postgresql", UNKNOWN): f"loads {SEEDED} rows with a statement whose tables are unknown",
    ("postgresql", uses(STREAM, OWN["postgresql"])): OUTSIDE,
    ("postgresql", uses("list(Customer.objects.all())", PAST)): OUTSIDE,
    ("sqlite", uses(STREAM, OWN["sqlite"])): "opens a database connection outside Django",
}


@checks(lambda code: code, FEW, LIMIT)
@pytest.mark.parametrize(("vendor", "code"), GAPS, ids=["function", "own", "past", "own"])
def test_rows_that_are_not_known_are_no_pass(
    result: dict[str, Any], vendor: str, code: str
) -> None:
    assert result["verdict"] == "inconclusive"
    assert GAPS[vendor, code] in result["reason"]
    if code == UNKNOWN:
        select = "SELECT * FROM everything() WHERE note <> %s AND id <> %s; select from"
        assert select in result["reason"]


BESIDE = "import sqlite3; sqlite3.connect(':memory:').execute('SELECT 1').fetchall()"


@checks(uses(STREAM, BESIDE), FEW, LIMIT)
def test_a_sqlite_database_beside_is_no_gap(result: dict[str, Any]) -> None:
    assert result["verdict"] == "within"


@on_postgresql
@checks(lambda body: uses(body), FEW, LIMIT)
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
def test_what_the_server_reads_by_itself_is_no_gap(result: dict[str, Any], body: str) -> None:
    assert result["verdict"] == "within", result["reason"]


@checks(lambda vendor: uses(OWN[vendor]), gate=True, options=gated)
def test_the_gate_notices_them_too(result: dict[str, Any], vendor: str) -> None:
    assert result["verdict"] == "inconclusive", result["reason"]
    assert "opens a database connection outside Django" in result["reason"]
