"""Which tables a statement goes to, and by which columns it chooses their rows."""

from __future__ import annotations

import pytest

from pytest_membudget.worker.statements import EVERYTHING, asked, destinations, shape


@pytest.mark.parametrize(
    ("sql", "going"),
    [
        ('SELECT "a"."id" FROM "a"', {"a": ()}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" = %s', {"a": ("id=",)}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" > %s', {"a": ("id",)}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" IN (%s, %s)', {"a": ("id=",)}),
        (
            'SELECT * FROM "a" WHERE EXISTS(SELECT 1 AS "x" FROM "b" U0 WHERE U0."id" = ("a"."n"))',
            {"a": ("b", "id", "n", "x"), "b": ("b", "id", "x")},
        ),
        ('SELECT "a"."id" FROM "a" WHERE NOT ("a"."id" = %s)', {"a": ("id",)}),
        ('SELECT "a"."id" FROM "a" WHERE ("a"."id" = %s OR "a"."n" = %s)', {"a": ("id", "n")}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."n" = %s LIMIT 21', {"a": ()}),
        ('SELECT COUNT(*) AS "c" FROM "a" WHERE "a"."n" = %s', {"a": ()}),
        ('SELECT COUNT(*), "n" FROM "a" WHERE "a"."n" > 1 GROUP BY "n"', {"a": ("n",)}),
        ('SELECT * FROM "a" INNER JOIN "b" ON (1) WHERE "b"."n" = 1', {"a": (), "b": ("n=",)}),
        ('UPDATE "a" SET "n" = %s WHERE "a"."id" = %s', {"a": ()}),
        ('INSERT INTO "a" ("n") VALUES (%s)', {}),
        ('INSERT INTO "a" ("n") SELECT "n" FROM "b"', {"b": ()}),
        ('SELECT "n" FROM "a" GROUP BY 1 HAVING COUNT("a"."m") > %s', {"a": ("m",)}),
        ('CREATE VIEW v AS SELECT "n" FROM "a" WHERE "a"."n" > 1', {"a": ()}),
        ("COPY a TO STDOUT", {"a": EVERYTHING}),
        ('SELECT "x" FROM "django_migrations"', {}),
    ],
)
def test_destinations(sql: str, going: dict[str, tuple[str, ...]]) -> None:
    assert destinations(sql) == going


@pytest.mark.parametrize(
    ("condition", "parameters", "values"),
    [
        ('"a"."n" = %s', ["x"], {"n": ["x"]}),
        ('("a"."n" IS NULL AND "a"."m" = %s)', ["x"], {"n": [None], "m": ["x"]}),
        ('("a"."n" IS NOT NULL AND "a"."m" = %s)', ["x"], {"m": ["x"]}),
        ('"a"."n" IN (%s, %s) AND "a"."m" = %s', ["x", "y", 3], {"n": ["x"], "m": [3]}),
        ('"a"."n" LIKE %s ESCAPE \'\\\'', ["a\\%b%"], {"n": ["a%b"]}),
        ('"a"."n"::text LIKE %s', ["%x%"], {"n": ["x"]}),
        ('"a"."n" LIKE \'%%s\' AND "a"."m" = %s', [3], {"n": [], "m": [3]}),
        ('"a"."n" > %s AND "a"."m" = %s', [1, 2], {"n": [], "m": [2]}),
        ('"b"."n" = %s AND "a"."m" = %s', [1, 2], {"m": [2]}),
        ('U0."n" = %s AND "a"."m" = %s', [1, 2], {"m": [2]}),
        ('NOT ("a"."n" = %s)', [1], {"n": []}),
        ('("a"."n" AND NOT "a"."m" AND "a"."o" = %s)', [1], {"n": [True], "m": [False], "o": [1]}),
        ('UPPER("a"."n") = UPPER(%s)', ["x"], {"n": []}),
        ('EXISTS(SELECT 1 FROM b U0 WHERE U0."id" = ("a"."n"))', [], {"n": []}),
        ('"a"."n" = %s ORDER BY "a"."m" ASC', [1], {"n": [1]}),
        ('"a"."n" = 1', [], {"n": []}),
    ],
)
def test_asked(condition: str, parameters: list[object], values: dict[str, list[object]]) -> None:
    sql = f'SELECT "a"."id", %s AS "x" FROM "a" WHERE {condition}'
    found = asked(sql, "a")
    assert found is not None
    assert {one.column: one.values(["first", *parameters]) for one in found} == values
    assert asked('SELECT "a"."id" FROM "a"', "a") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WHERE n IN (%s, %s, %s)", "WHERE n IN (%s)"),
        ("LIMIT 1000 OFFSET 2000", "LIMIT 1000 OFFSET 3000"),
        ("WHERE n = 'one' AND m = 5", "WHERE n = 'two' AND m = 6"),
    ],
)
def test_statements_of_one_shape(one: str, other: str) -> None:
    assert shape(one) == shape(other)
