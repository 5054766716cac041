"""Which tables a statement goes to, and by which columns it chooses their rows."""

from __future__ import annotations

import pytest

from pytest_membudget.worker.statements import EVERYTHING, destinations


@pytest.mark.parametrize(
    ("sql", "going"),
    [
        ('SELECT "a"."id" FROM "a"', {"a": ()}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" = %s', {"a": ("id=",)}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."id" > %s', {"a": ("id",)}),
        ('SELECT "a"."id" FROM "a" WHERE NOT ("a"."id" = %s)', {"a": ("id",)}),
        ('SELECT "a"."id" FROM "a" WHERE ("a"."id" = %s OR "a"."n" = %s)', {"a": ("id", "n")}),
        ('SELECT "a"."id" FROM "a" WHERE "a"."n" = %s LIMIT 21', {"a": ()}),
        ('SELECT COUNT(*) AS "c" FROM "a" WHERE "a"."n" = %s', {"a": ()}),
        ('SELECT COUNT(*), "n" FROM "a" WHERE "a"."n" > 1 GROUP BY "n"', {"a": ("n",)}),
        ('SELECT * FROM "a" INNER JOIN "b" ON (1) WHERE "b"."n" = 1', {"a": (), "b": ("n=",)}),
        ('UPDATE "a" SET "n" = %s WHERE "a"."id" = %s', {"a": ()}),
        ('INSERT INTO "a" ("n") VALUES (%s)', {}),
        ('INSERT INTO "a" ("n") SELECT "n" FROM "b"', {"b": ()}),
        ("COPY a TO STDOUT", {"a": EVERYTHING}),
        ('SELECT "x" FROM "django_migrations"', {}),
    ],
)
def test_destinations(sql: str, going: dict[str, tuple[str, ...]]) -> None:
    assert destinations(sql) == going
