"""The file of masked rows: what is read, and what is refused."""

from __future__ import annotations

import gzip
import json
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pytest_membudget.cli.main import main
from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.document import Database
from pytest_membudget.rows.document import (
    ColumnRows,
    RowsFile,
    TableRows,
    packed,
    read_rows_file,
)
from pytest_membudget.rows.tables import RawTable, masked


def document(**changes: Any) -> dict[str, Any]:
    return {
        "membudget_rows": 1,
        "database": {"vendor": "postgresql", "version": "15"},
        "taken": "2026-11-27",
        "tables": {},
        **changes,
    }


@pytest.mark.parametrize("name", ["rows.json", "rows.json.gz"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    columns = {"id": ColumnRows("number"), "note": ColumnRows("text", ["a"], {"": ["x", 1]})}
    table = TableRows(columns, [[1, None], [2, "é\n"]], "id", {"id": ("other", "id")})
    rows = RowsFile(Database("sqlite", "3"), date(2026, 11, 27), {"shop_order": table})
    path = tmp_path / name
    path.write_bytes(packed(rows, name))
    assert read_rows_file(path) == rows
    # A line for each row, so that a comparison of two files can be read.
    text = gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
    assert b'[1, null],\n[2, "\\u00e9\\n"]\n' in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, ": no such file or directory; create one with `membudget sample`"),
        ("{", " is not JSON: Input data was truncated"),
        (b"\x1f\x8bnot", " can't be unpacked: "),
        (gzip.compress(b"{}" * 1000, mtime=0)[:20], " can't be unpacked: "),
        ("[]", " has no rows; create it with `membudget sample`"),
        ('{"membudget_profile": 1}', " has no rows; create it with"),
        (document(membudget_rows=2), " has format 2, but this version reads format 1"),
        (document(tables=[]), ": tables is a list, expected an object"),
        (
            document(tables={"a": {"columns": {"id": {"kind": "number"}}, "rows": [[1], []]}}),
            ": tables.a.rows[1] has 0 values, expected 1",
        ),
    ],
)
def test_what_is_no_file_of_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any, message: str
) -> None:
    path = tmp_path / "rows.json"
    if isinstance(content, dict):
        content = json.dumps(content)
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BudgetError) as error:
        read_rows_file(path)
    assert str(error.value).startswith(f"{path}{message}")
    with pytest.raises(SystemExit) as ended:
        main(["sample", "--check", str(path)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "pass --database ALIAS or --check"),
        (["--check", "-o", "x"], "--check can't be used with --output"),
        (["--check", "x", "--database", "default"], "--check takes a file or a --database"),
        (["--check", "x", "--table", "a"], "--table needs --database"),
        (["--database", "default", "-o", "/"], "'/' is not a path that a file can be written to"),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sample", *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_keys_that_are_numbers_are_counted_anew() -> None:
    tables = {
        "customer": RawTable(["id"], [[900], [17], [40001]], key="id"),
        "profile": RawTable(
            ["customer_id", "hits"], [[17, 5000], [40001, 17]], key="customer_id",
            references={"customer_id": ("customer", "id")},
        ),
        "order": RawTable(
            ["id", "customer_id", "profile_id"], [[71, 900, 17], [70, 17, None], [99, 5555, 40001]],
            key="id",
            references={
                "customer_id": ("customer", "id"), "profile_id": ("profile", "customer_id")
            },
        ),
    }  # fmt: skip
    found = masked(tables)
    assert found["customer"].rows == [[1], [2], [3]]
    assert [row[0] for row in found["profile"].rows] == [1, 3]
    assert all(row[1] not in (5000, 17) for row in found["profile"].rows)
    assert [row[0] for row in found["order"].rows] == [1, 2, 3]
    assert [row[2] for row in found["order"].rows] == [None, 1, 3]
    first, second, unknown = (row[1] for row in found["order"].rows)
    assert (first, second) == (1, 2)
    # That customer is not in the file.
    assert unknown != 5555


def test_keys_and_references_that_are_texts_agree() -> None:
    codes = ["EUR", "USD"]
    tables = {
        "currency": RawTable(["code"], [[one] for one in codes], key="code"),
        "price": RawTable(
            ["id", "code"], [[n, codes[n % 2]] for n in range(20)], key="id",
            references={"code": ("currency", "code")},
        ),
    }  # fmt: skip
    found = masked(tables)
    known = [row[0] for row in found["currency"].rows]
    assert [row[1] for row in found["price"].rows] == known * 10
    assert not set(known) & set(codes)


def test_each_file_has_masks_of_its_own() -> None:
    table = RawTable(["note"], [["a text that is long enough"]])
    assert masked({"t": table}) != masked({"t": table})


def test_sqlite_is_not_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a file that is not there would make it."""
    from profiles import membudget, write_project

    write_project(tmp_path, {"ENGINE": "django.db.backends.sqlite3", "NAME": "none.sqlite3"})
    done = membudget(tmp_path, "--database", "default", command="sample")
    assert done.returncode == 2
    assert "there is no database at none.sqlite3" in done.stderr
    assert not (tmp_path / "none.sqlite3").exists()
    with sqlite3.connect(tmp_path / "none.sqlite3") as connection:
        connection.execute("CREATE TABLE other (id integer)")
    done = membudget(tmp_path, "--database", "default", command="sample")
    assert done.returncode == 0
    assert "0 rows of 0 tables" in done.stdout
