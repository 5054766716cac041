"""The profile of a real PostgreSQL: what it tells is true, and no value of a row is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from profiles import client, columns, membudget, refused_to_write, write_project

from pytest_membudget.profile.document import parse_profile
from pytest_membudget.profile.shape import column_stats
from pytest_membudget.profile.shares import hash_of

SCHEMA = r"""
CREATE TABLE shop_order (
    id bigserial PRIMARY KEY, note text DEFAULT 'SECRET default', kind varchar(20), gone date,
    price int, paid numeric(10, 2), bits bytea, flags int[] NOT NULL, document jsonb
);
COMMENT ON COLUMN shop_order.note IS 'SECRET comment';
INSERT INTO shop_order (note, kind, price, paid, bits, flags, document)
SELECT repeat('SECRET ', 20 + n % 10), CASE WHEN n % 5 = 0 THEN 'SECRET' END,
       CASE WHEN n % 4 > 0 THEN n % 500 END, n, decode(repeat('ab', 300), 'hex'), ARRAY[n, n, n],
       CASE WHEN n % 2 = 0 THEN jsonb_build_object('SECRET', (
           SELECT string_agg(md5((n * 1000 + i)::text), '') FROM generate_series(1, 300) i)) END
FROM generate_series(1, 10000) n;

CREATE TABLE event (id bigint, at int, note text) PARTITION BY RANGE (at);
CREATE TABLE event_a PARTITION OF event FOR VALUES FROM (0) TO (10);
CREATE TABLE event_b PARTITION OF event FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (at);
CREATE TABLE event_b_1 PARTITION OF event_b FOR VALUES FROM (10) TO (20);
CREATE TABLE event_next PARTITION OF event FOR VALUES FROM (20) TO (30);
INSERT INTO event SELECT n, n % 20, CASE WHEN n % 20 < 10 THEN repeat('x', 100) END
FROM generate_series(1, 3000) n;

CREATE TABLE account (
    status varchar(20), active boolean, level int, email text, "Straße's" text, kind text
);
INSERT INTO account
SELECT CASE WHEN n % 10 = 0 THEN 'SECRET legacy' WHEN n % 4 > 0 THEN 'SECRET active' END,
       n % 5 = 0, n % 2, 'SECRET' || n, 'SECRET',
       CASE WHEN n > 7 THEN 'SECRET' ELSE 'SECRET few' END
FROM generate_series(1, 10000) n;
CREATE TABLE staff (name text);
INSERT INTO staff VALUES ('SECRET one'), ('SECRET two'), ('SECRET two');

CREATE TABLE never (id int);
INSERT INTO never VALUES (1);
CREATE TABLE "Straße's ""own"" one" ("a "" b" text);
CREATE TABLE nothing ();
CREATE VIEW seen AS SELECT * FROM shop_order;
CREATE SCHEMA other CREATE TABLE elsewhere (id int) CREATE TABLE shop_order (id int);
ANALYZE shop_order, event_a, event_b_1, account, staff;
"""
TABLES = [
    'Straße\'s "own" one', "account", "event", "event_a", "event_b", "event_b_1", "event_next",
    "never", "nothing", "shop_order", "staff",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(postgresql: servers.Server) -> Iterator[servers.Server]:
    with pytest.MonkeyPatch.context() as patch, postgresql.connect() as admin:
        for name, value in postgresql.environment.items():
            patch.setenv(name, value)
        admin.execute("CREATE DATABASE profiled")
        # Autovacuum would analyse what is never analysed here.
        admin.execute("ALTER SYSTEM SET autovacuum = off")
        admin.execute("SELECT pg_reload_conf()")
        with postgresql.connect("profiled") as connection:
            connection.execute(SCHEMA)
        yield postgresql
        admin.execute("DROP DATABASE profiled WITH (FORCE)")
        admin.execute("ALTER SYSTEM RESET autovacuum")
        admin.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="module")
def estimated(server: servers.Server) -> str:
    return client("postgresql", ["-d", "profiled"])


@pytest.fixture(scope="module")
def shares(server: servers.Server) -> str:
    return client("postgresql", ["-d", "profiled"], shares=True)


@pytest.fixture(scope="module")
def exact(server: servers.Server) -> str:
    return client("postgresql", ["-d", "profiled"], exact=True)


def _ask(server: servers.Server, query: str) -> Any:
    with server.connect("profiled") as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_no_value_of_a_row_is_in_it(server: servers.Server, estimated: str, exact: str) -> None:
    known = "SELECT string_agg(most_common_vals::text, '') FROM pg_stats WHERE tablename = '{}'"
    assert "SECRET" in _ask(server, known.format("shop_order"))
    assert "SECRET" not in estimated + exact


def test_shares_of_values_that_many_rows_have(shares: str) -> None:
    found = columns(shares, "account")

    def hashed(name: str, **known: float) -> dict[str, float]:
        return {hash_of(f"account.{name}", text): share for text, share in known.items()}

    assert found["status"]["shares"] == hashed(
        "status", **{"SECRET legacy": 0.1, "SECRET active": 0.7}
    )
    assert found["active"]["shares"] == hashed("active", t=0.2, f=0.8)
    assert found["level"]["shares"] == hashed("level", **{"0": 0.5, "1": 0.5})
    assert found["Straße's"]["shares"] == hashed("Straße's", SECRET=1)
    # What fewer than ten rows have is left out, and columns of many values are.
    assert found["kind"]["shares"] == hashed("kind", SECRET=0.9993)
    assert "shares" not in found["email"]
    assert "shares" not in columns(shares, "staff")["name"]
    # A partitioned table has statistics of its own only after ANALYZE of the table itself.
    assert "shares" in columns(shares, "event_a")["at"]
    assert "shares" not in columns(shares, "event")["at"]


def test_shares_are_all_that_is_added(estimated: str, shares: str) -> None:
    assert "SECRET" not in shares
    assert re.sub(r', "shares": \{[^}]*\}', "", shares) == estimated
    assert parse_profile(shares, "profile").tables["account"].columns["active"].shares


def test_rows_of_the_tables_that_django_sees(estimated: str, exact: str) -> None:
    rows = {name: table["rows"] for name, table in json.loads(estimated)["tables"].items()}
    assert list(rows) == TABLES
    counts = [0, 10_000, 3000, 1500, 1500, 1500, 0, None, 0, 10_000, 3]
    assert rows == dict(zip(TABLES, counts, strict=True))
    scanned = {name: table["rows"] for name, table in json.loads(exact)["tables"].items()}
    assert scanned == {**rows, "never": 1}


def test_a_line_for_each_column(estimated: str) -> None:
    assert (
        '    "event_a": {\n'
        '      "rows": 1500,\n'
        '      "toast_bytes": 0,\n'
        '      "columns": {\n'
        '        "at": {"type": "integer", "width": 4, "nulls": 0, "distinct": 10},\n'
        '        "id": {"type": "bigint", "width": 8, "nulls": 0, "distinct": 1500},\n'
        '        "note": {"type": "text", "width": 100, "nulls": 0, "distinct": 1}\n'
        "      }\n"
        "    },\n"
    ) in estimated
    assert '  "database": {"vendor": "postgresql", "version": "' in estimated


@pytest.mark.parametrize("name", ["note", "kind", "price", "gone", "bits", "document"])
def test_widths_and_nulls_are_true(
    server: servers.Server, estimated: str, exact: str, name: str
) -> None:
    as_bytes = {"bits": "bits", "price": "decode('00000000', 'hex')", "gone": "NULL::bytea"}
    truth = _ask(
        server,
        f"SELECT ARRAY[avg(octet_length({as_bytes.get(name, name + '::text')})) "
        f"FILTER (WHERE {name} IS NOT NULL), 1 - count({name})::numeric / count(*)] "
        "FROM shop_order",
    )
    table = parse_profile(estimated, "profile").tables["shop_order"]
    for nulls in (table.columns[name].nulls, columns(exact, "shop_order")[name]["nulls"]):
        assert nulls == pytest.approx(float(truth[1]), abs=0.02)
    if name == "gone":
        assert (table.columns[name].type, table.columns[name].width) == ("date", 4)
        return
    assert column_stats(table, exact=False)[name].width == pytest.approx(float(truth[0]), rel=0.05)
    assert columns(exact, "shop_order")[name]["width"] == pytest.approx(float(truth[0]), abs=0.1)


def test_what_is_kept_outside_of_the_rows(estimated: str, exact: str) -> None:
    table = parse_profile(estimated, "profile").tables["shop_order"]
    assert table.columns["document"].width == 17
    widths = column_stats(table, exact=False)
    assert widths["document"].compressed
    assert widths["flags"].width == table.columns["flags"].width
    assert not widths["flags"].compressed
    scanned = column_stats(parse_profile(exact, "profile").tables["shop_order"], exact=True)
    assert not any(column.compressed for column in scanned.values())


def test_a_scan_reads_each_table_once(server: servers.Server, exact: str) -> None:
    """On a server that was built without libxml as well, as PyPI's is."""
    read = "SELECT seq_scan FROM pg_stat_user_tables WHERE relid = 'public.shop_order'::regclass"
    before = _ask(server, read)
    assert client("postgresql", ["-d", "profiled"], exact=True) == exact
    assert _ask(server, read) == before + 1


def test_a_scan_of_as_many_columns_as_a_table_may_have(server: servers.Server) -> None:
    names = [f"c{number}" for number in range(1600)]
    with server.connect("profiled") as connection:
        connection.execute(f"CREATE TABLE wide ({' int, '.join(names)} text)")
        connection.execute("INSERT INTO wide (c0, c1599) VALUES (1, 'text'), (NULL, 'text')")
        found = columns(client("postgresql", ["-d", "profiled"], exact=True), "wide")
        connection.execute("DROP TABLE wide")
    assert found["c0"] == {"type": "integer", "width": 4, "nulls": 0.5}
    assert found["c1599"] == {"type": "text", "width": 4, "nulls": 0}


def test_a_partitioned_table_is_the_sum_of_its_partitions(estimated: str, exact: str) -> None:
    for text in (estimated, exact):
        note = columns(text, "event")["note"]
        assert note == {"type": "text", "width": 100, "nulls": 0.5}
        assert columns(text, "event_b")["note"]["nulls"] == 1


def test_over_django_it_is_the_same(
    server: servers.Server, estimated: str, exact: str, shares: str, tmp_path: Path
) -> None:
    write_project(tmp_path, server.database("profiled"))
    taken = membudget(tmp_path, "--database", "default")
    assert taken.stdout == estimated
    assert taken.stderr == "no row count, because never analysed: never\n"
    assert membudget(tmp_path, "--database", "default", "--shares").stdout == shares
    scanned = membudget(tmp_path, "--database", "default", "--exact", "-o", "deep/membudget.json")
    assert (scanned.stdout, scanned.stderr) == ("", "")
    assert (tmp_path / "deep/membudget.json").read_text() == exact
    assert "in a read-only transaction" in refused_to_write(tmp_path)


def test_other_schemas_are_found_on_the_search_path(server: servers.Server) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGOPTIONS", "-c search_path=other,public")
        tables = json.loads(client("postgresql", ["-d", "profiled"]))["tables"]
    assert tables["elsewhere"]["rows"] == 0
    # The first one on the path is the one that a query without a schema means.
    assert list(tables["shop_order"]["columns"]) == ["id"]


def test_a_role_that_may_not_read_the_tables(server: servers.Server) -> None:
    with server.connect("profiled") as connection:
        connection.execute("CREATE ROLE watcher LOGIN PASSWORD 'membudget'")
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PGUSER", "watcher")
                table = json.loads(client("postgresql", ["-d", "profiled"]))["tables"]["shop_order"]
        finally:
            connection.execute("DROP ROLE watcher")
    assert table["rows"] == 10_000
    assert table["columns"]["note"] == {"type": "text"}
