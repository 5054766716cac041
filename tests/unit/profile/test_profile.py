"""``membudget.json`` read and interpreted, and ``membudget profile`` without a server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from profiles import document, membudget, write_project

from pytest_membudget.cli.main import main
from pytest_membudget.errors import BudgetError
from pytest_membudget.profile.document import ColumnProfile, Database, TableProfile, read_profile
from pytest_membudget.profile.shape import column_stats, shape


def table(**changes: Any) -> dict[str, Any]:
    return {
        "rows": 1_700_000,
        "toast_bytes": 12345,
        "columns": {"id": {"type": "bigint", "width": 8, "nulls": 0, "distinct": 1_700_000}},
        **changes,
    }


def column(**changes: Any) -> dict[str, Any]:
    return document(tables={"shop_order": table(columns={"id": {"type": "bigint", **changes}})})


def read(folder: Path, content: dict[str, Any]) -> Any:
    file = folder / "membudget.json"
    file.write_text(json.dumps(content))
    return read_profile(file)


def test_a_profile_is_read(tmp_path: Path) -> None:
    unknown = {"columns": {"b": {"type": "text"}}}
    profile = read(tmp_path, document(tables={"shop_order": table(), "a": unknown}))
    assert (profile.database, profile.exact) == (Database("postgresql", "15.4"), False)
    assert profile.taken.isoformat() == "2026-11-21"
    columns = {"id": ColumnProfile("bigint", 8, 0, 1_700_000)}
    assert profile.tables == {
        "shop_order": TableProfile(1_700_000, columns, toast_bytes=12345),
        "a": TableProfile(None, {"b": ColumnProfile("text")}),
    }
    assert profile.never_analysed == ["a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, ": no such file or directory; create one with `membudget profile`"),
        ("{", " is not JSON: Input data was truncated"),
        (b'{"membudget_profile": "\xff"}', " is not JSON: 'utf-8' codec can't decode"),
        ("[" * 100_000, " is nested too deeply"),
        ("[]", " is not a profile"),
        ('{"schema": 1}', " is not a profile"),
        (document(membudget_profile=2), " has format 2, but this version reads format 1"),
        (document(taken="yesterday"), ': taken is "yesterday", expected a day as in "2026-11-21"'),
        (document(database=None), ": database is null, expected an object"),
        (document(database={"vendor": 1}), ": database.vendor is 1, expected a string"),
        (document(exact=None), ": exact is null, expected true or false"),
        (document(tables=[]), ": tables is a list, expected an object"),
        (
            document(tables={"shop_order": table(rows="many")}),
            ': tables.shop_order.rows is "many", expected a whole number or null',
        ),
        (
            document(tables={"a.b": {}, "a.c": {"rows": 2**63}}),
            f': tables."a.c".rows is {2**63}, expected a whole number <= {2**63 - 1}',
        ),
        (
            document(tables={"shop_order": table(toast_bytes=-1)}),
            ": tables.shop_order.toast_bytes is -1, expected a whole number >= 0",
        ),
        (column(type=None), ": tables.shop_order.columns.id.type is null, expected a string"),
        (
            document(tables={"a": {"columns": {"b": {"type": "text"}, "c": {}}}}),
            ": tables.a.columns.c: object missing required field `type`",
        ),
        (column(width=-1), ".columns.id.width is -1, expected a number >= 0.0"),
        (
            column(width=5e12),
            ".columns.id.width is 5000000000000.0, expected a number <= 1073741824",
        ),
        (json.dumps(column(width=float("inf"))), " is not JSON"),
        (json.dumps(column(width=1)).replace("1}", "1e999}"), "is not JSON: Number out of range"),
        (column(nulls=1.5), ".columns.id.nulls is 1.5, expected a number <= 1.0"),
        (column(shares={"secret": 1}), ".columns.id.shares is an object, expected a string match"),
        (column(shares={"0123abcd": 2}), ".columns.id.shares.0123abcd is 2, expected a number <="),
        (
            column(shares={"0123abcd": 0.8}, nulls=0.5),
            ".columns.id: shares and nulls are more than all rows",
        ),
        (column(distinct=True), ".columns.id.distinct is true, expected a whole number or null"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: Any, message: str) -> None:
    file = tmp_path / "membudget.json"
    if content is not None:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BudgetError) as raised:
        read_profile(file)
    assert str(raised.value).startswith(str(file))
    assert message in str(raised.value)


@pytest.mark.parametrize("exact", [False, True])
def test_an_estimate_may_be_older_than_the_rows(tmp_path: Path, exact: bool) -> None:
    """PostgreSQL counts rows at each VACUUM, and different values only at ANALYZE."""
    profile = read(tmp_path, {**column(distinct=1_700_001), "exact": exact})
    (column_shape,) = shape(profile)["shop_order"].values()
    assert column_shape.variety == 1.0


def widths(rows: int | None = 1000, toast: int | None = 0, **columns: tuple[str, float]) -> Any:
    known = {name: ColumnProfile(kind, width, 0.5) for name, (kind, width) in columns.items()}
    return {
        name: (column.width, column.compressed)
        for name, column in column_stats(TableProfile(rows, known, toast), exact=False).items()
    }


def test_values_outside_of_the_rows() -> None:
    mib = 1 << 20
    # Half of a thousand rows have a value: 1,048,576 * 0.9746 / 500 and the pointer.
    whole = (2060.9, True)
    pointer, short = ("jsonb", 17.0), ("text[]", 30.0)
    assert widths(toast=mib, a=pointer, b=short) == {"a": whole, "b": (30, False)}
    assert widths(toast=mib, a=pointer, b=("text", 17)) == {"a": whole, "b": (17, False)}
    assert widths(toast=mib, a=("text", 18), b=("bigint", 8))["a"] == (2061.9, True)
    assert widths(toast=mib, a=pointer, b=("bytea", 17)) == {
        "a": (1039, True),
        "b": (1039, True),
    }
    longer = widths(toast=mib, a=("jsonb", 100), b=("jsonb", 300))
    assert longer["b"][0] == pytest.approx(3 * longer["a"][0], abs=0.2)
    assert widths(toast=mib, a=("jsonb", 4))["a"] == (2047.9, True)
    assert widths(toast=mib, a=("character varying(20)", 17)) == {"a": (17, False)}


def test_rows_may_hold_compressed_values() -> None:
    assert widths(a=("jsonb", 900), b=("jsonb", 100), c=("character varying(2000)", 900)) == {
        "a": (900, True),
        "b": (100, False),
        "c": (900, False),
    }
    assert widths(toast=None, a=("longtext", 900)) == {"a": (900, False)}
    assert widths(rows=None, toast=99, a=("jsonb", 17)) == {"a": (17, False)}


def test_the_script_needs_no_project(tmp_path: Path) -> None:
    code = (
        "import sys; from pytest_membudget.cli.main import main;"
        "import pytest_membudget.profile.shape;"
        "status = main(['profile', '--sql', 'postgresql', '-o', 'profile.sql']);"
        "print(status, {'django', 'pytest'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 set()\n"
    text = (tmp_path / "profile.sql").read_text()
    assert "psql -XAtq -d production < profile.sql > membudget.json" in text
    for never in ("most_common", "histogram", "pg_attrdef", "description", "TEMP", "CREATE"):
        assert never not in text


@pytest.mark.parametrize("vendor", ["postgresql", "mysql", "sqlite"])
def test_the_catalogue_is_asked_for_no_table(
    capsys: pytest.CaptureFixture[str], vendor: str
) -> None:
    assert main(["profile", "--sql", vendor]) == 0
    text = capsys.readouterr().out
    assert "scans no table" in text
    assert "count(*)" not in text.lower()


def test_the_project_is_found_as_pytest_django_finds_it(tmp_path: Path) -> None:
    """In the folder of manage.py, from any folder below."""
    write_project(tmp_path, {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "x")})
    (tmp_path / "manage.py").touch()
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "x").touch()
    done = membudget(tmp_path / "deep/er", "--database", "default")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "pass --sql VENDOR, --database ALIAS or --check"),
        (["--sql", "oracle"], "invalid choice: 'oracle'"),
        (["--sql", "sqlite", "--database", "default"], "--sql can't be used with --database"),
        (["--sql", "sqlite", "--check"], "not allowed with argument"),
        (["--check", "x.json", "--exact"], "--check can't be used with --exact, --shares or"),
        (["--sql", "mysql", "--shares"], "--shares is for PostgreSQL, whose catalogue"),
        (["--check", "x.json"], "x.json: no such file or directory"),
        (["--sql", "sqlite", "-o", "/dev/null/x"], "is not a path that a file can be written to"),
        (["--database", "other"], "there is no database 'other'; DATABASES has default"),
        (["--database", "default", "--settings", "no.where"], "cannot load no.where: ModuleNot"),
        (["--database", "default"], "no settings: pass --settings MODULE, or set DJANGO_SETTINGS"),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: list[str], message: str) -> None:
    write_project(tmp_path, {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"})
    settings = "" if message.startswith("no settings") else "settings"
    done = membudget(tmp_path, *arguments, settings=settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"membudget profile: error: {message}" in done.stderr or message in done.stderr
