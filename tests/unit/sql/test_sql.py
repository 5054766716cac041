"""What statements read, write and filter by, in the forms that both databases take."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest

from pytest_membudget.processes.messages.statements import StatementCount
from pytest_membudget.processes.worker.accesses import Accesses
from pytest_membudget.sql.normalize import UNKNOWN, Form
from pytest_membudget.sql.parse import read, shown
from pytest_membudget.sql.table_names import TableNames

MODELS = {name: [["id"]] for name in ("a", "b", 'app"."thing', "my table", "my.dot", "Upper")}
UNORDERED = "in any order with another column's value"
SOMETHING = "000000000001"
MIXED = " Mixed.Case@Example.com "
BOTH = ["postgresql", "sqlite"]


def accessed(vendor: str, *statements: str, parameters: Any = (), rows: int = 10) -> Accesses:
    """The accesses of statements, each of which has brought some rows."""
    found = Accesses(TableNames(MODELS, vendor, ()), vendor)
    for sql in statements:
        form = Form.read(sql, vendor)
        held = form.values(parameters)
        values = {at: value for at, value in held.items() if value is not UNKNOWN}
        found.add(StatementCount(form.text, values, times=1, fetched=rows, looked=True))
    return found


def test_a_table_that_is_remade_is_not_read() -> None:
    found = accessed("sqlite", 'INSERT INTO "new__a" ("id") SELECT "id" FROM "a"')
    assert not found.read
    assert not found.written
    assert accessed("sqlite", 'INSERT INTO "b" ("id") SELECT "id" FROM "a"').read == {"a": 10}


FORMS = [
    ('SELECT * FROM "a"', "a"),
    ("select id from A", "a"),
    ("SELECT id FROM a, b WHERE a.id = b.a_id", "a"),
    ("/* from b */ SELECT * -- from b\nFROM a", "a"),
    ("SELECT EXTRACT(year FROM x), SUBSTRING(x FROM 1) FROM a", "a"),
    ("SELECT * FROM a WHERE x IS DISTINCT FROM b", "a"),
    ("WITH x AS (SELECT * FROM a) SELECT * FROM x", "a"),
    ("WITH b AS (SELECT * FROM a), x AS (SELECT * FROM b) SELECT * FROM x", "a"),
    ("WITH a AS (SELECT * FROM a WHERE n = 1) SELECT * FROM a", "a"),
    ("SELECT (SELECT count(*) FROM b WHERE b.n = a.n) FROM a", "a"),
    ("SELECT * FROM (SELECT id FROM a) x JOIN b ON b.id = x.id", "a"),
    ("SELECT id FROM a UNION ALL SELECT id FROM b", "a"),
    ("(SELECT id FROM a) EXCEPT (SELECT id FROM b)", "a"),
    ("SELECT row_number() OVER (PARTITION BY n ORDER BY m) FROM a", "a"),
    ('SELECT "my table"."id" FROM "my table" WHERE "my table"."n" = 1', "my table"),
    ('SELECT * FROM "my.dot"', "my.dot"),
    ("SELECT * FROM \"Upper\" AS a WHERE a.n LIKE 'from b%%'", "Upper"),
    ("SELECT n %% 5 FROM a WHERE n = %s AND m = %(name)s", "a"),
    ("SELECT * FROM other", "other"),
]
POSTGRESQL = [
    ("SELECT * FROM public.a", "a"),
    ('SELECT * FROM "public"."a"', "a"),
    ('SELECT "app"."thing"."id" FROM "app"."thing" WHERE "app"."thing"."n" = 1', 'app"."thing'),
    ("SELECT * FROM app.thing t", 'app"."thing'),
    ("SELECT * FROM other.a", "other.a"),
    ("TABLE a", "a"),
    ("TABLE public.a", "a"),
    ("SELECT * FROM ONLY a", "a"),
    ("SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.n = a.n) x", "a"),
    ("SELECT * FROM generate_series(1, 5) n, a WHERE a.n = n", "a"),
    ("COPY a TO STDOUT", "a"),
    ("COPY public.a (id, n) TO STDOUT WITH (FORMAT csv)", "a"),
    ("COPY (SELECT id FROM a WHERE n > 5) TO STDOUT", "a"),
    ("WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x", "a"),
    ("SELECT * FROM a WHERE data ? 'x' AND data ?| %s FOR UPDATE SKIP LOCKED", "a"),
    ("SELECT DISTINCT ON (n) * FROM a WHERE (n, m) IN ((1, 2), (3, 4)) AND o = ANY(%s)", "a"),
    ("SELECT a.n::varchar(20)[], CAST(m AS numeric(10, 2)) FROM a WHERE n ~ '^x'", "a"),
    ("SELECT * FROM a TABLESAMPLE SYSTEM (5) WHERE d > now() - INTERVAL '1 day'", "a"),
    ("SELECT jsonb_array_elements(data) FROM a WHERE data->>'x' = 'y' AND data @> %s", "a"),
]
SQLITE = [
    ("SELECT * FROM main.a", "a"),
    ('SELECT * FROM "main"."A" INDEXED BY x WHERE n = ? AND m = :name', "a"),
    ("SELECT * FROM [a] WHERE n GLOB 'x*'", "a"),
    ("SELECT * FROM a, json_each(a.data)", "a"),
    ("SELECT json_extract(data, '$.x'), strftime('%s', n) FROM a", "a"),
]


@pytest.mark.parametrize(
    ("vendor", "sql", "table"),
    [
        *((vendor, *form) for vendor in BOTH for form in FORMS),
        *(("postgresql", *form) for form in POSTGRESQL),
        *(("sqlite", *form) for form in SQLITE),
    ],
)
def test_rows_are_of_a_table(vendor: str, sql: str, table: str) -> None:
    found = accessed(vendor, sql)
    assert found.read == {table: 10}
    assert found.unattributed == {}
    assert table in found.accessed_tables


WRITES = [
    ("INSERT INTO a (n) VALUES (%s, %s) RETURNING id", {}, {"a": 10}),
    ("INSERT INTO a SELECT * FROM b WHERE n = 1 RETURNING id", {"b": 10}, {"a": 10}),
    (
        "INSERT INTO a (n) VALUES (1) ON CONFLICT (n) DO UPDATE SET n = 2 RETURNING id",
        {},
        {"a": 10},
    ),
    ("UPDATE a SET n = 1 WHERE m IS NULL RETURNING id", {}, {"a": 10}),
    ("UPDATE a SET n = b.n FROM b WHERE b.id = a.id RETURNING a.id", {}, {"a": 10}),
    ("DELETE FROM a WHERE n = 1 RETURNING *", {}, {"a": 10}),
    ("UPDATE other SET n = b.n FROM b RETURNING 1", {}, {"b": 10}),
]


POSTGRESQL_WRITES = [
    ("WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x", {"a": 10}, {"b": 10}),
    ("COPY a (id, n) FROM STDIN", {}, {"a": 10}),
]


@pytest.mark.parametrize(
    ("vendor", "sql", "read_rows", "written"),
    [
        *((vendor, *change) for vendor in BOTH for change in WRITES),
        *(("postgresql", *change) for change in POSTGRESQL_WRITES),
    ],
)
def test_rows_that_a_change_returns(
    vendor: str, sql: str, read_rows: dict[str, int], written: dict[str, int]
) -> None:
    found = accessed(vendor, sql)
    assert (found.read, found.written) == (read_rows, written)
    assert found.inserted == (written if "INSERT" in sql or "COPY" in sql else {})
    assert found.unattributed == {}


def test_rows_of_a_cursor_and_of_a_prepared_statement() -> None:
    sql = ["DECLARE x NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM a", 'FETCH ALL FROM "x"']
    assert accessed("postgresql", sql[0], rows=0).read == {}
    assert accessed("postgresql", *sql).read["a"] == 20
    assert accessed("postgresql", "DECLARE x CURSOR FOR TABLE a", "FETCH 5 IN x").read["a"] == 20
    prepared = ["PREPARE x (int) AS SELECT * FROM a WHERE n = $1", "EXECUTE x(5)"]
    assert accessed("postgresql", *prepared).read["a"] == 20


@pytest.mark.parametrize(
    "sql",
    [
        "FETCH ALL FROM unknown",
        "EXECUTE unknown(1)",
        "CALL something()",
        "SELECT something(1)",
        "SELECT * FROM something('a') x",
        "SELECT FROM WHERE 'secret' ((",
        "SELECT a FROM b ORDER 12345 SIDEWAYS",
        "",
    ],
)
def test_rows_of_which_nobody_can_say_where_they_come_from(sql: str) -> None:
    [shape] = accessed("postgresql", sql).unattributed
    assert "secret" not in shape
    assert "12345" not in shape


@pytest.mark.parametrize(
    "sql",
    [
        "SHOW server_version",
        "EXPLAIN SELECT * FROM a",
        "SELECT relname FROM pg_class WHERE relkind = 'r'",
        "SELECT * FROM pg_catalog.pg_indexes",
        "SELECT table_name FROM information_schema.tables",
        'SELECT "django_migrations"."id" FROM "django_migrations"',
        "SELECT * FROM generate_series(1, 10)",
        "SELECT unnest(%s)",
        "SELECT * FROM unnest(%s, %s) AS x (a, b)",
        "VALUES (1), (2)",
    ],
)
def test_rows_of_no_table_that_matters(sql: str) -> None:
    found = accessed("postgresql", sql)
    assert (found.unattributed, found.accessed_tables, found.read) == ({}, {}, {})


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "SELECT version()", "SELECT set_config('a', 'b', false)"]
)
@pytest.mark.parametrize("vendor", BOTH)
def test_a_row_without_a_table(vendor: str, sql: str) -> None:
    assert accessed(vendor, sql, rows=1).unattributed == {}


@pytest.mark.parametrize("sql", ["PRAGMA table_info(a)", "SELECT name FROM sqlite_master"])
def test_catalogue_of_sqlite(sql: str) -> None:
    assert accessed("sqlite", sql).unattributed == {}


@pytest.mark.parametrize("vendor", BOTH)
@pytest.mark.parametrize(
    ("sql", "going"),
    [
        ('SELECT "a"."id" FROM "a"', {"a": ()}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" = %s', {"a": ("id=",)}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" > %s', {"a": ("id",)}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" IN (%s, %s)', {"a": ("id=",)}),
        ("SELECT id FROM a WHERE id = 5 AND n IS NOT NULL", {"a": ("id=",)}),
        (
            'SELECT * FROM "a" WHERE EXISTS(SELECT 1 AS "x" FROM "b" U0 WHERE U0."id" = ("a"."n"))',
            {"a": ("n",), "b": ("id",)},
        ),
        ('SELECT "a"."id" FROM "a" WHERE NOT ("a"."id" = %s)', {"a": ("id",)}),
        ('SELECT "a"."id" FROM "a" WHERE ("a"."id" = %s OR "a"."n" = %s)', {"a": ("id", "n")}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."n" = %s LIMIT 21', {"a": ()}),
        ('SELECT COUNT(*) AS "c" FROM "a" WHERE "a"."n" = %s', {"a": ()}),
        ('SELECT COUNT(*), "n" FROM "a" WHERE "a"."n" > 1 GROUP BY "n"', {"a": ("n",)}),
        ("SELECT COUNT(*) OVER () FROM a WHERE n > 1", {"a": ("n",)}),
        ('SELECT * FROM "a" INNER JOIN "b" ON (1) WHERE "b"."n" = 1', {"a": (), "b": ("n=",)}),
        ('UPDATE "a" SET "n" = %s WHERE "a"."id" = %s', {"a": ()}),
        ('INSERT INTO "a" ("n") VALUES (%s)', {}),
        ('INSERT INTO "a" ("n") SELECT "n" FROM "b"', {"b": ()}),
        ('SELECT "n" FROM "a" GROUP BY 1 HAVING COUNT("a"."m") > %s', {"a": ("m", "n")}),
        ('CREATE VIEW v AS SELECT "n" FROM "a" WHERE "a"."n" > 1', {"a": ()}),
        ('SELECT "x" FROM "django_migrations"', {}),
    ],
)
def test_tables_that_it_goes_to(vendor: str, sql: str, going: dict[str, tuple[str, ...]]) -> None:
    found = accessed(vendor, sql, rows=0)
    assert found.accessed_tables == {table: {columns} for table, columns in going.items()}


def test_all_of_a_table_is_copied() -> None:
    assert accessed("postgresql", "COPY a TO STDOUT").accessed_tables == {"a": {("*",)}}
    assert accessed("postgresql", "COPY a (id, n) FROM STDIN").accessed_tables == {}


def test_one_value_of_all_rows_is_not_one_row() -> None:
    assert not read("SELECT json_agg(n) FROM a", "postgresql").single
    assert not read("SELECT array_agg(n) FROM a", "postgresql").single
    assert read("SELECT setval('%s', coalesce(max(id), %d)) FROM a", "postgresql").single


@pytest.mark.parametrize("vendor", BOTH)
@pytest.mark.parametrize(
    ("condition", "parameters", "values"),
    [
        ('"a"."n" = %s', ["x"], {"n": ["x"]}),
        ('("a"."n" IS NULL AND "a"."m" = %s)', ["x"], {"n": [None], "m": ["x"]}),
        ('("a"."n" IS NOT NULL AND "a"."m" = %s)', ["x"], {"m": ["x"]}),
        ('"a"."n" IN (%s, %s) AND "a"."m" = %s', ["x", "y", 3], {"n": ["x"], "m": [3]}),
        ('"a"."n" LIKE %s ESCAPE \'\\\'', ["a\\%b%"], {"n": ["a%b"]}),
        ('"a"."n" LIKE %s', ['%"key"%'], {"n": ['{"key": "000000000001"}']}),
        ('"a"."n" LIKE %s', ['%"key": 1%'], {"n": ['{"key": 1}']}),
        ('"a"."n" LIKE %s', ['%say "no" now%'], {"n": ['say "no" now']}),
        ('"a"."n" > %s AND "a"."m" = %s', [1, 2], {"n": [2], "m": [2]}),
        ("n < %s AND m >= %s AND %s < o", [1, 2.5, 3], {"n": [0], "m": [2.5], "o": [4]}),
        ("n < %s AND m >= %s", ["2026-01-31", "x"], {"n": ["2026-01-29"], "m": ["x"]}),
        ("n > %s", ["2026-01-31 10:00:00+00:00"], {"n": ["2026-02-02 10:00:00+00:00"]}),
        ("n > %s AND m < n", ["12.50"], {"n": ["13.50", UNORDERED], "m": [UNORDERED]}),
        ("n > %s AND m > %s", ["9999-12-31", None], {"n": ["9999-12-31"], "m": [None]}),
        ("LENGTH(n) > %s AND m = %s", [3, 1], {"n": ["xxxx"], "m": [1]}),
        ("NOT (n = %s) AND m = %s", [1, 2], {"n": [], "m": [2]}),
        ('"b"."n" = %s AND "a"."m" = %s', [1, 2], {"m": [2]}),
        ('U0."n" = %s AND "a"."m" = %s', [1, 2], {"m": [2]}),
        ('NOT ("a"."n" = %s)', [1], {"n": []}),
        ('("a"."n" AND NOT "a"."m" AND "a"."o" = %s)', [1], {"n": [True], "m": [False], "o": [1]}),
        ('UPPER("a"."n") = UPPER(%s)', ["x"], {"n": ["x"]}),
        ("COALESCE(n, %s) = %s AND NOT (TRIM(m) = %s)", ["", "x", 1], {"n": ["x"], "m": []}),
        ("NOT (n = (LOWER(n))) AND m = LOWER(m)", [], {"n": [MIXED], "m": []}),
        ("n <> TRIM(n) AND m = UPPER(m)", [], {"n": [MIXED], "m": ["CAPITALS"]}),
        ("n <> LOWER(m)", [], {"n": [], "m": []}),
        ('EXISTS(SELECT 1 FROM b U0 WHERE U0."id" = ("a"."n"))', [], {"n": []}),
        ('"a"."n" = %s ORDER BY "a"."m" ASC', [1], {"n": [1]}),
        ("\"a\".\"n\" = 5 AND m = -2 AND o = 'it''s'", [], {"n": [5], "m": [-2], "o": ["it's"]}),
        ("%s = n AND %s = m", [1], {"n": [1]}),
        ("n BETWEEN %s AND %s AND m = %s", [1, 2, 3], {"n": [1], "m": [3]}),
    ],
)
def test_values_that_find_rows(
    vendor: str, condition: str, parameters: list[object], values: dict[str, list[object]]
) -> None:
    sql = f'SELECT "a"."id", %s AS "x" FROM "a" WHERE {condition}'
    found = accessed(vendor, sql, parameters=["first", *parameters])
    assert found.filters["a"] == values


def test_values_of_a_cast_column() -> None:
    found = accessed("postgresql", "SELECT * FROM a WHERE a.n::text LIKE %s", parameters=["%x%"])
    assert found.filters == {"a": {"n": ["x"]}}


def test_values_of_an_alias_are_of_its_table() -> None:
    inner = 'SELECT 1 FROM "b" U0 WHERE (U0."status" = %s AND U0."a_id" = "a"."id")'
    found = accessed("sqlite", f'SELECT * FROM "a" WHERE EXISTS({inner})', parameters=["new"])
    assert found.filters == {"b": {"status": ["new"], "a_id": []}, "a": {"id": []}}
    joined = "SELECT * FROM a x JOIN b y ON x.id = y.a_id WHERE y.status = %s AND x.n = %s"
    found = accessed("sqlite", joined, parameters=["new", 1])
    assert found.filters == {"b": {"status": ["new"]}, "a": {"n": [1]}}


@pytest.mark.parametrize("vendor", ["postgresql", "sqlite"])
@pytest.mark.parametrize("change", ["UPDATE a SET n = 1", "DELETE FROM a"])
def test_a_change_of_one_row_by_its_key_asks_nothing_of_others(vendor: str, change: str) -> None:
    assert accessed(vendor, f"{change} WHERE id = %s", parameters=[7]).filters == {}
    assert accessed(vendor, f"{change} WHERE n = %s", parameters=[7]).filters == {"a": {"n": [7]}}


def test_no_filter_no_columns() -> None:
    assert accessed("sqlite", 'SELECT "a"."id" FROM "a"').filters == {}


def test_a_long_statement_is_read_as_far_as_it_is_kept() -> None:
    cases = " ".join(f"WHEN (a.x{n} = %s) THEN %s" for n in range(500))
    long = accessed("postgresql", f"UPDATE a SET n = CASE {cases} END WHERE id = %s")
    assert (long.read, long.written, long.unattributed) == ({}, {"a": 10}, {})
    conditions = " OR ".join(f"a.x{n} = %s" for n in range(1000))
    long = accessed("postgresql", f"SELECT n FROM a WHERE {conditions}")
    assert (long.read, long.unattributed) == ({"a": 10}, {})


def test_several_statements_at_once() -> None:
    found = accessed("postgresql", "SET x = 1; UPDATE b SET n = 1; SELECT * FROM a")
    assert found.read == {"a": 10}
    assert found.named == {"a", "b"}


def test_no_value_is_shown() -> None:
    sql = "SELECT * FROM a WHERE token = 'secret' AND n = 12345 /* secret */ AND m = E'se\\'cret'"
    assert shown(Form.read(sql, "postgresql").text) == (
        "SELECT * FROM a WHERE token = %s AND n = %s   AND m = %s"
    )


def test_sqlglot_is_imported_where_statements_are_read() -> None:
    """It takes 16 MiB: neither the plugin nor the process that is weighed pays for it."""
    modules = ("plugin", "check.session", "processes.worker.main", "processes.worker.cursors",
               "processes.server.main")  # fmt: skip
    imports = "".join(f"import pytest_membudget.{module}\n" for module in modules)
    code = f"{imports}import sys; sys.exit('sqlglot' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("sql", "rows", "loads", "guards"),
    [
        ("SELECT * FROM a", 10, True, False),
        ("SELECT * FROM a WHERE n = 1", 0, True, False),
        ("SELECT n, count(*) FROM a GROUP BY n", 3, True, False),
        ("SELECT string_agg(n, ',') FROM a", 1, True, False),
        ("UPDATE a SET n = 1 RETURNING id", 10, True, False),
        ("UPDATE a SET n = (SELECT count(*) FROM b WHERE b.a_id = a.id)", 0, False, False),
        ("UPDATE a SET n = 1 WHERE m = 2", 0, False, False),
        ("DELETE FROM a WHERE m = 2", 0, False, False),
        ("INSERT INTO b SELECT * FROM a", 0, False, False),
        ("SELECT count(*) FROM a WHERE n = 1", 1, False, False),
        ("SELECT * FROM a WHERE id = 1", 0, False, False),
        ("SELECT * FROM a WHERE n = 1 LIMIT 1", 1, False, False),
        ("SELECT * FROM a WHERE n = 1 LIMIT 1", 0, False, True),
        ("SELECT * FROM a LIMIT 1", 0, False, False),
    ],
)
def test_whether_a_statement_may_bring_any_number_of_rows(
    sql: str, rows: int, *, loads: bool, guards: bool
) -> None:
    """And whether it looked for one by a condition, and the code went on without it."""
    found = accessed("postgresql", sql, rows=rows)
    assert ("a" in found.loads, "a" in found.guards) == (loads, guards)


@pytest.mark.parametrize(
    ("condition", "row"),
    [
        ("n = 1 AND m = 2", {"n": 1, "m": 2}),
        ("n = 1 AND m > 2", None),
        ("n = 1 OR m = 2", None),
        ("NOT n = 1", None),
    ],
)
def test_the_row_that_a_statement_looks_for(condition: str, row: dict[str, int] | None) -> None:
    """One row is made that has these values, where those are known, and not all of them."""
    found = accessed("postgresql", f"SELECT * FROM a WHERE {condition} LIMIT 21", rows=0)
    assert found.sought == ([("a", row)] if row else [])
    assert found.filters.get("a", {}).get("n", []) == ([] if row or "NOT" in condition else [1])
    several = accessed("postgresql", f"SELECT * FROM a WHERE {condition}", rows=0)
    assert several.sought == []


def test_the_row_of_a_key_that_a_statement_looks_for() -> None:
    """It is one at most, whatever the table holds; but the code may do anything where it is."""
    for end in ("", " LIMIT 21"):
        found = accessed("postgresql", f"SELECT * FROM a WHERE id = 1{end}", rows=0)
        assert found.sought == [("a", {"id": 1})]
        assert found.filters["a"] == {"id": [1]}
    assert accessed("postgresql", "SELECT * FROM a WHERE id = 1", rows=1).sought == []


def test_a_function_of_the_project_may_hand_over_anything() -> None:
    assert accessed("postgresql", "SELECT dump_everything()", rows=1).loads == {"dump_everything"}
    assert accessed("postgresql", "SELECT pg_backend_pid()", "SELECT 1", rows=1).loads == set()
    assert accessed("sqlite", "SELECT QUOTE(?), QUOTE(?)", rows=1).loads == set()
    django = "SELECT sqlite_compileoption_used(?)"
    assert accessed("sqlite", django, rows=1).loads == set()


def test_rows_come_in_chunks_of_a_limit_or_of_what_is_fetched_at_a_time() -> None:
    found = accessed("postgresql", "SELECT * FROM a LIMIT 5000", "SELECT * FROM b", rows=40)
    found.add(StatementCount("SELECT * FROM b", {}, times=1, fetched=2_000, chunk=2_000))
    assert found.chunks == {2_000, 5_000}
    assert found.fetched == {"a": 40, "b": 2_040}


# SQLite's JSON_TYPE tells whether JSON_EXTRACT may be compared, as Django writes it.
_OF_PATH = (
    "(CASE WHEN JSON_TYPE(d, %s) IN ('null', 'false', 'true') THEN JSON_TYPE(d, %s) "
    "ELSE JSON_EXTRACT(d, %s) END)"
)


@pytest.mark.parametrize(
    ("vendor", "condition", "parameters", "documents"),
    [
        ("postgresql", "(d -> %s) = %s", ["k", '"x"'], [{"k": "x"}]),
        ("postgresql", "(d #> %s) = %s", [["k", "0", "l"], "3"], [{"k": [{"l": 3}]}]),
        ("postgresql", "d #>> '{k,l}' = 'x'", [], [{"k": {"l": "x"}}]),
        ("postgresql", "(d -> %s) IN (%s, %s)", ["k", '"x"', '"y"'], [{"k": "x"}]),
        ("postgresql", "(d -> %s) > %s", ["k", "3"], [{"k": 4}]),
        ("postgresql", "(d ->> 'k')::int > 3", [], [{"k": 4}]),
        ("postgresql", "UPPER((d ->> %s)::text) LIKE UPPER(%s)", ["k", "%x%"], [{"k": "x"}]),
        ("postgresql", "d ? %s", ["k"], [{"k": SOMETHING}]),
        ("postgresql", "(d -> %s) ? %s", ["k", "l"], [{"k": {"l": SOMETHING}}]),
        ("postgresql", "d ?& %s", [["k", "l"]], [{"k": SOMETHING, "l": SOMETHING}]),
        ("postgresql", "d @> %s AND n = %s", ['{"k": [1]}', 1], [{"k": [1]}]),
        ("postgresql", "(d -> %s) IS NOT NULL", ["k"], [{"k": SOMETHING}]),
        ("postgresql", "(d -> %s) IS NULL", ["k"], []),
        ("postgresql", "NOT (d ? %s)", ["k"], []),
        ("postgresql", "NOT ((d -> %s) = %s)", ["k", '"x"'], [{"k": SOMETHING}]),
        ("postgresql", "(d -> %s) = %s AND d->'l' = %s", ["k", "1", "2"], [{"k": 1, "l": 2}]),
        ("postgresql", "d = %s", ["{}"], ["{}"]),
        ("sqlite", f"{_OF_PATH} = JSON_EXTRACT(%s, '$')", [*['$."k"'] * 3, '"x"'], [{"k": "x"}]),
        ("sqlite", f"{_OF_PATH} = %s", [*['$."k"[1]'] * 3, "true"], [{"k": [SOMETHING, True]}]),
        ("sqlite", f"{_OF_PATH} > %s", [*['$."k"."l"'] * 3, 3], [{"k": {"l": 4}}]),
        ("sqlite", f"NOT ({_OF_PATH} = %s)", [*['$."k"'] * 3, 1], [{"k": SOMETHING}]),
        ("sqlite", "JSON_TYPE(d, %s) IS NOT NULL", ['$."k"'], [{"k": SOMETHING}]),
        ("sqlite", "JSON_TYPE(d, %s) IS NULL", ['$."k"'], []),
        ("sqlite", "json_extract(d, '$.k') = 'x'", [], [{"k": "x"}]),
        ("sqlite", "d ->> '$.k.l' = 5", [], [{"k": {"l": 5}}]),
    ],
)
def test_documents_that_conditions_on_their_parts_find(
    vendor: str, condition: str, parameters: list[Any], documents: list[Any]
) -> None:
    found = accessed(vendor, f'SELECT * FROM "a" WHERE {condition}', parameters=parameters)
    assert found.filters["a"]["d"] == documents


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[a-z]+-\d+$",
        r"^(foo|bar)\s?[^/]*$",
        r"(?i)foo",
        r"^\w{3}\.(pdf|png)$",
        r"[^\w-]",
        r"[0-9A-F]{8}-.x",
        r"^\+?\d{1,3}[^0-9]",
        r"^.*\S$",
    ],
)
@pytest.mark.parametrize("vendor", BOTH)
def test_a_text_that_a_pattern_matches(vendor: str, pattern: str) -> None:
    operator = {"postgresql": "~", "sqlite": "REGEXP"}[vendor]
    sql = f"SELECT id FROM a WHERE n {operator} %s"
    [text] = accessed(vendor, sql, parameters=[pattern]).filters["a"]["n"]
    assert re.search(pattern, text)


@pytest.mark.parametrize("pattern", [r"(a)\1(?=b)", "(", r"^(?!x)"])
def test_a_pattern_that_no_text_is_made_for(pattern: str) -> None:
    sql = "SELECT id FROM a WHERE n ~ %s"
    assert accessed("postgresql", sql, parameters=[pattern]).filters["a"]["n"] == []


_ITEMS = "SELECT a.id FROM a LEFT JOIN b ON b.a_id = a.id GROUP BY a.id, a.n HAVING COUNT(b.id)"
_WITHOUT = "none of another table's rows"


@pytest.mark.parametrize("vendor", BOTH)
@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (f"{_ITEMS} > 3", {"b": {"id": ["the same in 4 rows"]}}),
        (f"{_ITEMS} = 0", {"b": {"id": [_WITHOUT]}}),
        (f"{_ITEMS} <= 3", {"b": {"id": []}}),
        (f"{_ITEMS} > 100000", {"b": {"id": ["the same in 20 rows"]}}),
        (
            "SELECT n AS x, m, COUNT(id) FROM a GROUP BY 1, 2 HAVING COUNT(id) > 1",
            {"a": {"id": [], "n": ["the same in 2 rows"], "m": ["the same in 2 rows"]}},
        ),
        (
            "SELECT n || '|' || m AS x, COUNT(id) FROM a GROUP BY 1 HAVING COUNT(n || m) > 1",
            {"a": {"n": ["the same in 2 rows"], "m": ["the same in 2 rows"]}},
        ),
        (
            "SELECT COUNT(*) FROM a GROUP BY LOWER(n) HAVING COUNT(*) > 1",
            {"a": {"n": ["the same in 2 rows"]}},
        ),
        (
            "SELECT DISTINCT n AS x FROM a GROUP BY 1, m HAVING COUNT(id) > 1",
            {"a": {"id": [], "n": ["the same in 2 rows"], "m": ["the same in 2 rows"]}},
        ),
        (
            "SELECT n FROM a GROUP BY n HAVING 2 <= COUNT(*)",
            {"a": {"n": ["the same in 2 rows"]}},
        ),
        (
            "SELECT id FROM a WHERE NOT (EXISTS(SELECT 1 FROM b U0 WHERE U0.a_id = (a.id)))",
            {"a": {"id": []}, "b": {"a_id": [_WITHOUT]}},
        ),
        (
            "SELECT id FROM a WHERE NOT (id IN (SELECT U0.a_id AS x FROM b U0))",
            {"a": {"id": []}, "b": {"a_id": [_WITHOUT]}},
        ),
        (
            "SELECT * FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY a.n) AS q FROM a) x "
            "WHERE q > 1",
            {"a": {"n": ["the same in 3 rows"], "q": [2]}},
        ),
    ],
)
def test_what_conditions_ask_of_several_rows(
    vendor: str, sql: str, found: dict[str, dict[str, list[Any]]]
) -> None:
    assert accessed(vendor, sql).filters == found
