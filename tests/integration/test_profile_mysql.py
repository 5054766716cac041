"""The profile of a real MariaDB."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from profiles import client, columns, membudget, refused_to_write, write_project

pytestmark = pytest.mark.mariadb

SCHEMA = r"""
CREATE DATABASE profiled CHARACTER SET utf8mb4;
USE profiled;
CREATE TABLE shop_order (
    id bigint AUTO_INCREMENT PRIMARY KEY, note longtext NOT NULL DEFAULT 'SECRET' COMMENT 'SECRET',
    price int, bits longblob, slug varchar(20) UNIQUE, kind varchar(10), at datetime(6),
    paid decimal(10, 2), KEY (kind)
);
INSERT INTO shop_order (note, price, bits, slug, kind, paid)
SELECT concat('SECRETé', repeat('x', seq % 3)), if(seq % 4, seq, NULL), repeat('x', 100),
       concat('s', seq), concat('k', seq % 5), 1
FROM seq_1_to_10000;
CREATE TABLE `it's ``a`` "table\` (`Straße` text);
CREATE VIEW seen AS SELECT * FROM shop_order;
CREATE DATABASE other;
CREATE TABLE other.elsewhere (id int);
ANALYZE TABLE shop_order;
"""
ODD = "it's `a` \"table\\"


@pytest.fixture(scope="module")
def server(mariadb: servers.MariaDB) -> Iterator[servers.MariaDB]:
    def run(text: str) -> None:
        program = ["mysql", *mariadb.options, "--default-character-set=utf8mb4"]
        subprocess.run(program, input=text, encoding="utf-8", check=True, stdout=subprocess.DEVNULL)

    run(SCHEMA)
    yield mariadb
    run("DROP DATABASE profiled; DROP DATABASE other;")


def taken(server: servers.MariaDB, exact: bool) -> str:
    return client("mysql", [*server.options[1:], "profiled"], exact=exact)


def test_the_catalogue(server: servers.MariaDB) -> None:
    text = taken(server, exact=False)
    document = json.loads(text)
    assert document["database"]["vendor"] == "mysql"
    assert document["database"]["version"].endswith("-MariaDB")
    assert list(document["tables"]) == [ODD, "shop_order"]
    table = document["tables"]["shop_order"]
    assert table["rows"] == pytest.approx(10_000, rel=0.05)
    assert table["row_bytes"] > 100
    found = columns(text, "shop_order")
    # Of an index with few values MariaDB's estimate is coarse: it said 10 of these 5.
    assert 3 <= found["kind"].pop("distinct") <= 20
    assert found["id"].pop("distinct") == pytest.approx(10_000, rel=0.05)
    assert found["slug"].pop("distinct") == pytest.approx(10_000, rel=0.05)
    assert found == {
        "at": {"type": "datetime(6)", "width": 8},
        "bits": {"type": "longblob"},
        "id": {"type": "bigint(20)", "width": 8, "nulls": 0},
        "kind": {"type": "varchar(10)"},
        "note": {"type": "longtext", "nulls": 0},
        "paid": {"type": "decimal(10,2)"},
        "price": {"type": "int(11)", "width": 4},
        "slug": {"type": "varchar(20)"},
    }


def test_exact(server: servers.MariaDB) -> None:
    text = taken(server, exact=True)
    assert {name: table["rows"] for name, table in json.loads(text)["tables"].items()} == {
        ODD: 0,
        "shop_order": 10_000,
    }
    found = columns(text, "shop_order")
    assert found["at"] == {"type": "datetime(6)", "width": 8, "nulls": 1}
    assert found["bits"] == {"type": "longblob", "width": 100, "nulls": 0}
    assert found["note"] == {"type": "longtext", "width": 9, "nulls": 0}
    assert found["price"] == {"type": "int(11)", "width": 4, "nulls": 0.25}
    assert columns(text, ODD) == {"Straße": {"type": "text"}}


@pytest.mark.parametrize("exact", [False, True], ids=["catalogue", "exact"])
def test_over_django_it_is_the_same_without_a_value_of_a_row(
    server: servers.MariaDB, exact: bool, tmp_path: Path
) -> None:
    text = taken(server, exact)
    assert "SECRET" not in text
    database = {"ENGINE": "django.db.backends.mysql", "NAME": "profiled"}
    write_project(tmp_path, {**database, "USER": server.user, "HOST": str(server.socket)})
    done = membudget(tmp_path, "--database", "default", *["--exact"] * exact)
    assert (done.stdout, done.stderr) == (text, "")
    assert "in a READ ONLY transaction" in refused_to_write(tmp_path)


def test_masked_rows(server: servers.MariaDB, tmp_path: Path) -> None:
    database = {"NAME": "profiled", "USER": server.user, "HOST": "localhost"}
    options = {"unix_socket": str(server.socket)}
    engine = {"ENGINE": "django.db.backends.mysql", "OPTIONS": options}
    write_project(tmp_path, {**database, **engine})
    done = membudget(tmp_path, "--database", "default", "-o", "rows.json", command="sample")
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "rows.json").read_text()
    assert "SECRET" not in text
    table = json.loads(text)["tables"]["shop_order"]
    assert len(table["rows"]) == 300
    assert table["key"] == "id"
