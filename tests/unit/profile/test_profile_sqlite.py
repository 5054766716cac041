"""The profile of SQLite files: their catalogue knows little, and need not be there at all."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from profiles import client, columns, membudget, refused_to_write, write_project

SCHEMA = """
CREATE TABLE shop_order (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT, note text NOT NULL DEFAULT 'SECRET',
    price integer, bits blob, slug varchar(20) UNIQUE, twice integer AS (price * 2)
);
CREATE INDEX shop_order_price ON shop_order (price, note);
WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 1000)
INSERT INTO shop_order (note, price, bits, slug)
SELECT 'SECRETé' || substr('xxxx', 1, n % 3), iif(n % 4, n % 10, NULL), zeroblob(100), 's' || n FROM g;
CREATE TABLE empty (id integer NOT NULL PRIMARY KEY AUTOINCREMENT);
CREATE VIEW seen AS SELECT * FROM shop_order;
"""  # noqa: E501
PLAIN = """
CREATE TABLE "it's ""a"" table" ("Straße" text);
INSERT INTO "it's ""a"" table" VALUES ('SECRET');
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_project(tmp_path, {"ENGINE": "django.db.backends.sqlite3", "NAME": "production.sqlite3"})
    return tmp_path / "production.sqlite3"


def fill(file: Path, *schema: str) -> None:
    connection = sqlite3.connect(file)
    for text in schema:
        connection.executescript(text)
    connection.close()


def both(file: Path, *, exact: bool = False) -> Any:
    """What the client and Django say, which has to be the same, and leaves the file as it was."""
    before = hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns
    text = client("sqlite", [str(file)], exact=exact)
    over_django = membudget(file.parent, "--database", "default", *["--exact"] * exact)
    assert over_django.stdout.replace(_version(sqlite3.sqlite_version), "") == text.replace(
        _version(json.loads(text)["database"]["version"]), ""
    )
    assert "SECRET" not in text
    assert (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns) == before
    return text


def _version(version: str) -> str:
    return f'"version": "{version}"'


@pytest.mark.sqlite3
def test_without_statistics_the_highest_key_tells_the_rows(file: Path) -> None:
    fill(file, SCHEMA, PLAIN)
    text = both(file)
    rows = {name: table["rows"] for name, table in json.loads(text)["tables"].items()}
    assert rows == {"empty": 0, 'it\'s "a" table': None, "shop_order": 1000}
    assert columns(text, "shop_order") == {
        "bits": {"type": "blob"},
        "id": {"type": "integer", "nulls": 0, "distinct": 1000},
        "note": {"type": "text", "nulls": 0},
        "price": {"type": "integer"},
        "slug": {"type": "varchar(20)"},
        "twice": {"type": "integer"},
    }


@pytest.mark.sqlite3
def test_statistics_tell_rows_and_different_values(file: Path) -> None:
    fill(file, SCHEMA, "DELETE FROM shop_order WHERE id % 5 = 0", "ANALYZE")
    text = both(file)
    assert json.loads(text)["tables"]["shop_order"]["rows"] == 800
    assert columns(text, "shop_order")["slug"]["distinct"] == 800
    assert columns(text, "shop_order")["price"]["distinct"] == pytest.approx(9, abs=1)


@pytest.mark.sqlite3
def test_neither_statistics_nor_numbers_need_be_there(file: Path) -> None:
    fill(file, PLAIN)
    assert both(file).endswith(
        '  "tables": {\n    "it\'s \\"a\\" table": {\n      "rows": null,\n'
        '      "columns": {\n        "Straße": {"type": "text"}\n      }\n    }\n  }\n}\n'
    )


@pytest.mark.sqlite3
def test_exact(file: Path) -> None:
    fill(file, SCHEMA, PLAIN, "ANALYZE")
    text = both(file, exact=True)
    document = json.loads(text)
    assert document["exact"]
    assert document["tables"]['it\'s "a" table']["rows"] == 1
    found = columns(text, "shop_order")
    assert found["note"] == {"type": "text", "width": 9, "nulls": 0}
    assert found["price"]["nulls"] == 0.25
    assert found["bits"] == {"type": "blob", "width": 100, "nulls": 0}
    assert columns(text, "empty") == {"id": {"type": "integer", "nulls": 0, "distinct": 0}}


def test_a_file_that_is_not_there_is_not_made(file: Path) -> None:
    done = membudget(file.parent, "--database", "default")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no database at production.sqlite3" in done.stderr
    assert not file.exists()


def test_the_database_refuses_to_write(file: Path) -> None:
    fill(file, SCHEMA)
    assert "attempt to write a readonly database" in refused_to_write(file.parent)
