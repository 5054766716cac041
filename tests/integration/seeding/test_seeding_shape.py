"""A seeded table has the widths, NULLs and varieties of the profile that it was seeded from."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from seeding_cases import Run

ROWS = 200_000
TABLE = "shaped_order"
SHAPE: dict[str, dict[str, Any]] = {
    "address_id": {"nulls": 0.37, "distinct": 9_000},
    "customer_id": {"distinct": 20_000},
    "invoice_id": {"nulls": 0.8, "distinct": 40_000},
    "slug": {"width": 44, "distinct": ROWS},
    "contact": {"width": 24.4, "distinct": 150_000},
    "title": {"width": 71.3, "distinct": 190_000},
    "status": {"width": 6.2, "distinct": 5},
    "code": {"width": 8, "distinct": 20_000},
    "comment": {"width": 613, "nulls": 0.62},
    "document": {"width": 8_000, "nulls": 0.0},
    "settings": {"width": 300, "nulls": 0.25},
    "small": {"width": 9},
    "scan": {"width": 2000},
    "discount": {"nulls": 0.913, "distinct": 12},
    "number": {"distinct": 60_000},
    "total": {"distinct": 100_000},
    "weight": {"distinct": 200_000},
    "placed": {"distinct": 199_000},
    "added": {"width": 900, "nulls": 0.1},
}
PARENTS = {"shaped_customer": 40_000, "shaped_address": 10_000, "shaped_invoice": 40_000}
DOCUMENT = {
    TABLE: {name: {"rows": ROWS, **shape} for name, shape in SHAPE.items()},
    **{table: {"id": {"rows": rows, "distinct": rows}} for table, rows in PARENTS.items()},
}
SEEDED = 4_000
STEP = {
    "shaped.Order": SEEDED,
    "shaped.Customer": SEEDED // 5,
    "shaped.Address": SEEDED // 20,
    "shaped.Invoice": SEEDED // 5,
}
LADDER = [{label: rows // 4 for label, rows in STEP.items()}, STEP]
ADDED = "added"


def width(vendor: str, column: str) -> str:
    if vendor == "sqlite":
        return f"avg(length(CAST({column} AS blob)))"
    if vendor == "postgresql" and column in ("document", "settings", "small"):
        return f"avg(pg_column_size({column}::text::jsonb) - 4)"
    return f"avg(octet_length({column}))"


def truths(vendor: str) -> list[str]:
    """For each column: its width or 0, its NULLs, its different values."""
    return [
        f"SELECT {width(vendor, name) if 'width' in shape else 0}, "
        f"avg(CASE WHEN {name} IS NULL THEN 1.0 ELSE 0.0 END), "
        f"count(DISTINCT {name}{'::text' if vendor == 'postgresql' else ''}) FROM {TABLE}"
        for name, shape in SHAPE.items()
    ]


ON_MARIADB = pytest.param("mysql", marks=pytest.mark.mariadb)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", ON_MARIADB])
def results(request: pytest.FixtureRequest, run: Run) -> Any:
    """The results of all cases."""
    vendor, apps = request.param, ["shaped"]
    cases = {"orders": orders(vendor), "ruled": RULED, "wide": wide(vendor)}
    cases |= {"learned": learned(vendor), "portions": PORTIONS}
    if vendor == "sqlite":
        cases["compressed"] = COMPRESSED
    elif vendor == "postgresql":
        cases["lists"] = LISTS
        apps.append("shaped_postgresql")
    found = run(vendor, cases, apps=apps)
    for result in found.values():
        assert "answers" in result, result.get("crash") or result
    return found


def orders(vendor: str) -> dict[str, Any]:
    queries = [
        *truths(vendor),
        f"SELECT document, settings, title, comment, contact FROM {TABLE} WHERE id % 97 = 1",
        f"SELECT max(n), min(n) FROM (SELECT count(*) n FROM {TABLE} GROUP BY customer_id) x",
        f"SELECT count(DISTINCT {width(vendor, 'title')[4:-1]}) FROM {TABLE}",
    ]
    forced = {"shaped.Order": {ADDED: []}}
    return {"ladder": LADDER, "profile": DOCUMENT, "forced_values": forced, "queries": queries}


def learned(vendor: str) -> dict[str, Any]:
    """What a migration expects of rows, of which the profile has widths and varieties."""
    lessons = [
        {"expected": expected, "columns": [[TABLE, name]], "asked": asked}
        for name, expected, asked in (
            ("title", "a number", []),
            ("code", "a date", ["%d.%m.%y"]),
            ("comment", "a JSON document", []),
            ("comment", "a document with the keys", [["kind"]]),
            ("document", "a document with the keys", [["parts", "*", "sku"]]),
        )
    ]
    lessons.append({"expected": "numbers whose products fit", "columns": [], "asked": [500]})
    shapes = {**DOCUMENT[TABLE], "comment": {"width": 613, "distinct": ROWS, "rows": ROWS}}
    names = ("title", "comment", "document")
    queries = [
        *(f"SELECT {width(vendor, name)} FROM {TABLE}" for name in names),
        *(f"SELECT count(DISTINCT {name}) FROM {TABLE}" for name in ("title", "comment")),
        f"SELECT max(total) FROM {TABLE}",
        f"SELECT title, code, comment, document FROM {TABLE}",
    ]
    profile = {**DOCUMENT, TABLE: shapes}
    return {"ladder": LADDER, "profile": profile, "lessons": lessons, "queries": queries}


def test_what_was_learned_keeps_widths_and_varieties(results: Any) -> None:
    *figures, rows = results["learned"]["answers"]
    title, comment, document, titles, comments, most = (float(one) for [[one]] in figures)
    assert [title, comment, document] == pytest.approx([71.3, 613, 8_000], rel=0.05)
    assert [titles, comments] == pytest.approx([0.95 * SEEDED, SEEDED], rel=0.1)
    assert most <= 500
    for number, day, text, read in rows:
        assert 0 <= int(number) < 10**9
        datetime.strptime(day, "%d.%m.%y")
        assert json.loads(text)["kind"]
        parts = (read if isinstance(read, dict) else json.loads(read))["parts"]
        assert len(parts) > 3
        assert all(part["sku"] for part in parts)


@pytest.fixture(scope="module")
def seeded(results: Any) -> dict[str, Any]:
    """What each column is like, and the documents of some rows."""
    result = results["orders"]
    truth = dict(zip(SHAPE, (row for [row] in result["answers"]), strict=False))
    rows_read, *extra = result["answers"][len(SHAPE) :]
    return {**result, "truth": truth, "rows_read": rows_read, "extra": extra}


def test_counts_and_references(seeded: dict[str, Any]) -> None:
    assert seeded["counts"] == seeded["rows"]
    assert seeded["broken"] == []
    assert seeded["leftovers"] == []
    assert seeded["profile_mismatches"] == {}


@pytest.mark.parametrize("column", [name for name in SHAPE if name != ADDED])
def test_widths_and_nulls_agree(column: str, seeded: dict[str, Any]) -> None:
    shape, (wide, nulls, _) = SHAPE[column], seeded["truth"][column]
    assert float(nulls) == pytest.approx(shape.get("nulls", 0), abs=0.02)
    if "width" in shape:
        assert float(wide) == pytest.approx(shape["width"], rel=0.05)


@pytest.mark.parametrize("column", [name for name in SHAPE if "distinct" in SHAPE[name]])
def test_varieties_agree(column: str, seeded: dict[str, Any]) -> None:
    wanted = SHAPE[column]["distinct"]
    if wanted > 1000:
        wanted *= SEEDED / ROWS
    assert seeded["truth"][column][2] == pytest.approx(wanted, rel=0.1)


def test_a_column_that_was_just_added_stays_empty(seeded: dict[str, Any]) -> None:
    assert [float(figure or 0) for figure in seeded["truth"][ADDED]] == [0, 1, 0]


def depth(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, parts), default=0) if isinstance(value, dict | list) else 0


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return [leaf for part in parts for leaf in leaves(part)]
    return [value]


def test_documents_are_nested_and_texts_are_words(seeded: dict[str, Any]) -> None:
    for document, settings, title, comment, contact in seeded["rows_read"]:
        whole = json.loads(document)
        assert depth(whole) >= 4
        assert len(leaves(whole)) > 100
        assert max(len(str(leaf)) for leaf in leaves(whole)) < 300
        assert settings is None or depth(json.loads(settings)) >= 2
        assert title == title.strip()
        assert comment is None or " " in comment
        assert "@" in contact


def test_the_other_parents_have_no_children(seeded: dict[str, Any]) -> None:
    [[most, least]] = seeded["extra"][0]
    assert least >= 2
    assert most <= 25


def test_widths_vary(seeded: dict[str, Any]) -> None:
    assert seeded["extra"][1][0][0] > 20


PORTIONS: dict[str, Any] = {
    "ladder": LADDER,
    "profile": DOCUMENT,
    "forced_values": {
        "shaped.Order": {
            "title": ["legacy", "old"],
            "comment": [None],
            "discount": ["5"],
            "status": ["new"],
            "slug": ["legacy"],
        }
    },
    "shares": {
        "shaped.Order": {
            "title": [0.1, 0.3],
            "comment": [0.02],
            "discount": [0.087],
            "status": [0.25],
            "slug": [0.5],
        }
    },
    "queries": [
        f"SELECT {', '.join(f'sum(CASE WHEN {one} THEN 1 ELSE 0 END)' for one in its)} FROM {TABLE}"
        for its in (
            ("title = 'legacy'", "title = 'old'", "comment IS NULL", "status = 'new'"),
            ("discount = 5", "discount IS NULL", "discount <> 5"),
            ("title = 'legacy' AND status = 'new'", "comment IS NULL AND title = 'legacy'"),
        )
    ],
}


def test_a_share_of_the_rows_has_a_value(results: Any) -> None:
    result = results["portions"]
    (first, second, both) = ([float(n) / SEEDED for n in row] for [row] in result["answers"])
    assert first == pytest.approx([0.1, 0.3, 0.02, 0.25], abs=0.005)
    # The others are as the profile says: most are NULL.
    assert second == pytest.approx([0.087, 0.913, 0], abs=0.01)
    # As many rows as can be have the values of two columns.
    assert both == pytest.approx([0.1, 0.02], abs=0.005)
    # One that is unique has it nowhere.
    assert result["shares"][TABLE].keys() == {"title", "comment", "discount", "status"}
    assert result["broken"] == []
    assert result["profile_mismatches"] == {}


RULED: dict[str, Any] = {
    "ladder": [{"shaped.Ruled": 2000}],
    "profile": {
        "shaped_ruled": {
            "short": {"width": 200},
            "kind": {"width": 1, "distinct": 1},
            "needed": {"width": 50, "nulls": 0.5},
            "either": {"width": 60, "nulls": 0.9},
            "other": {"width": 80, "nulls": 0.9},
            "parent_id": {"nulls": 0.5},
            "group": {"nulls": 0.5},
        }
    },
    "queries": [
        "SELECT max(length(short)), count(DISTINCT kind), count(needed) FROM shaped_ruled",
        "SELECT count(*) FROM shaped_ruled WHERE either IS NULL AND other IS NULL",
    ],
}


def test_rules_come_first_and_what_is_missed_is_told(results: Any) -> None:
    result = results["ruled"]
    assert result["answers"] == [[[20, 2, 2000]], [[0]]]
    assert set(result["profile_mismatches"]["shaped.Ruled"]) >= {"short", "needed"}
    assert "kind" not in result["profile_mismatches"]["shaped.Ruled"]


def wide(vendor: str) -> dict[str, Any]:
    columns = {"document": {"width": 1 << 18}, "maybe": {"nulls": 0.41, "width": 9}}
    return {
        "ladder": [{"shaped.Wide": 160}],
        "profile": {"shaped_wide": columns},
        "queries": [f"SELECT {width(vendor, 'document')}, count(maybe) FROM shaped_wide"],
    }


def test_few_template_rows_of_wide_documents(results: Any) -> None:
    result = results["wide"]
    [[wide, filled]] = result["answers"][0]
    assert float(wide) == pytest.approx(1 << 18, rel=0.05)
    assert filled / 160 == pytest.approx(0.59, abs=0.02)
    # Also where the database keeps them outside of the rows, compressed.
    assert result["widths"]["shaped.Wide"]["document"] > 1 << 15
    assert result["profile_mismatches"] == {}


LISTS: dict[str, Any] = {
    "ladder": [{f"shaped_postgresql.{name}": 3000 for name in ("Lists", "Compressed", "Narrow")}],
    "profile": {
        "shaped_postgresql_lists": {
            "numbers": {"width": 420},
            "names": {"width": 95, "nulls": 0.3},
        },
        "shaped_postgresql_compressed": {
            "document": {"width": 4000, "compressed": True},
            "text": {"width": 1900, "compressed": True},
            "short": {"width": 40, "compressed": True},
        },
        "shaped_postgresql_narrow": {"text": {"width": 900, "compressed": True}},
    },
    "queries": [
        "SELECT avg(pg_column_size(numbers::text::int[]) - 4), "
        "avg(pg_column_size(names::text::varchar[]) - 4) FROM shaped_postgresql_lists",
        "SELECT avg(pg_column_size(document)), avg(pg_column_size(text)), "
        "avg(octet_length(short)) FROM shaped_postgresql_compressed",
        "SELECT avg(octet_length(text)) FROM shaped_postgresql_narrow",
        "SELECT avg((names IS NULL)::int) FROM shaped_postgresql_lists",
        "SELECT avg(octet_length(document::text)) FROM shaped_postgresql_compressed",
    ],
}


@pytest.mark.parametrize("results", ["postgresql"], indirect=True)
def test_arrays_and_compressed_values(results: Any) -> None:
    found = results["lists"]
    *widths, [[nulls]], [[raw]] = found["answers"]
    truths = [float(width) for [row] in widths for width in row]
    assert truths == pytest.approx([420, 95, 4000, 1900, 40, 900], rel=0.05)
    assert float(nulls) == pytest.approx(0.3, abs=0.02)
    assert float(raw) > 2 * 4000
    assert found["profile_mismatches"] == {}


COMPRESSED: dict[str, Any] = {
    "ladder": [{"shaped.Wide": 1000}],
    "profile": {"shaped_wide": {"document": {"width": 4000, "compressed": True}}},
    "queries": [f"SELECT {width('sqlite', 'document')} FROM shaped_wide"],
}


@pytest.mark.parametrize("results", ["sqlite"], indirect=True)
def test_what_was_compressed_is_wider_where_nothing_compresses(results: Any) -> None:
    result = results["compressed"]
    assert result["answers"][0][0][0] == pytest.approx(4000 * 2.5, rel=0.05)
    assert result["profile_mismatches"] == {}
