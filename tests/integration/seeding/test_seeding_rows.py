from __future__ import annotations

from typing import Any

import pytest
from seeding_cases import Run

DEFAULTS = ("created", "count", "total", "note", "maybe", "code", "owner", "token")
CASES: dict[str, Any] = {
    # Columns look as if they had just been added.
    "fresh": {
        "ladder": [{"awkward.Defaults": 1500}],
        "forced_values": {"awkward.defaults": {name: [] for name in DEFAULTS}},
        "queries": [
            "SELECT DISTINCT count, total, note, maybe, code, owner_id FROM awkward_defaults",
            "SELECT count(DISTINCT token), count(DISTINCT created) FROM awkward_defaults",
        ],
        "answers": [[[0, 0, "", None, None, None]], [[1, 1]]],
    },
    "filled": {
        "ladder": [{"awkward.Defaults": 1500}],
        "queries": [
            "SELECT count(*) FROM awkward_defaults WHERE maybe IS NULL OR code IS NULL "
            "OR owner_id IS NULL OR note = ''",
            "SELECT count(DISTINCT code), count(DISTINCT owner_id) FROM awkward_defaults",
        ],
        "answers": [[[0]], [[1500, 100]]],
    },
    # Rows of earlier migrations stay and do not clash.
    "existing": {
        "before": [
            "INSERT INTO awkward_plainkey (number) VALUES (7), (5000)",
            "INSERT INTO awkward_tag (id, name) VALUES (40, '000000001'), (41, 'tag')",
            "INSERT INTO awkward_grade (id, level) VALUES (3, 1)",
        ],
        "ladder": [
            {"awkward.PlainKey": 1000, "awkward.Tag": 1000, "awkward.Graded": 100},
            {"awkward.PlainKey": 9000, "awkward.Tag": 2000, "awkward.Graded": 300},
        ],
        "queries": [
            "SELECT count(*), max(number) FROM awkward_plainkey",
            "SELECT count(*), max(id) FROM awkward_tag",
            "SELECT count(*) FROM awkward_grade",
        ],
        "answers": [[[9002, 14_000]], [[2002, 2041]], [[2]]],
    },
    # What SQL of a migration has made unique, and no model knows of.
    "unique by SQL": {
        "before": ["CREATE UNIQUE INDEX by_sql ON awkward_place (name)"],
        "ladder": [{"awkward.Place": 1000}, {"awkward.Place": 3000}],
        "queries": ["SELECT count(DISTINCT name) FROM awkward_place", "DROP INDEX by_sql"],
        "answers": [[[3000]], []],
    },
    # Parents that exist are used where there is no room for more.
    "reused": {
        "before": ["INSERT INTO awkward_grade (id, level) VALUES (3, 1), (9, 9)"],
        "ladder": [{"awkward.Graded": 100, "awkward.Article": 50}, {"awkward.Graded": 300}],
        "queries": [
            "SELECT count(*) FROM awkward_grade",
            "SELECT DISTINCT grade_id FROM awkward_graded ORDER BY 1",
            "SELECT DISTINCT grade_id FROM awkward_article_grades ORDER BY 1",
        ],
        "answers": [[[2]], [[3], [9]], [[3], [9]]],
    },
    # New parents give room where the rows that exist have each choice.
    "every choice taken": {
        "before": ["INSERT INTO awkward_shelf (kind) VALUES ('a'), ('b')"],
        "ladder": [{"awkward.Shelf": 100}, {"awkward.Shelf": 300}],
        "queries": ["SELECT count(*), count(DISTINCT kind) FROM awkward_shelf"],
        "answers": [[[302, 2]]],
    },
    # Children are spread over all parents.
    "growing parents": {
        "ladder": [
            {"awkward.Membership": n, "awkward.UuidKey": n // 3, "awkward.SlugKey": n // 50}
            for n in (1000, 1500, 3000, 7000, 20_000)
        ],
        "queries": [
            "SELECT count(DISTINCT user_id), count(DISTINCT group_id) FROM awkward_membership"
        ],
        "answers": [[[20_000 // 3, 400]]],
    },
    "rounded parents": {
        "ladder": [
            {"awkward.Membership": n, "awkward.UuidKey": n // 2, "awkward.SlugKey": groups}
            for n, groups in ((1000, 1), (2000, 1), (4000, 2), (8000, 5))
        ],
    },
    "uneven growth": {
        "ladder": [
            {"awkward.Membership": n, "awkward.UuidKey": users, "awkward.SlugKey": groups}
            for n, users, groups in ((500, 50, 50), (900, 50, 60), (2400, 50, 60), (2500, 51, 60))
        ],
    },
    "links": {
        "ladder": [
            {"awkward.Article": 100, "awkward.Tag": 1},
            {"awkward.Article": 200, "awkward.Tag": 30, "awkward.Authorship": 350},
        ],
    },
    "named links": {
        "ladder": [{"awkward.Article": 100, "awkward.Article_tags": n} for n in (70, 900)],
    },
    "nothing more": {"ladder": [{"awkward.Tag": 300}, {"awkward.Tag": 200}, {"awkward.tag": 300}]},
    "one row": {"ladder": [{"awkward.Follow": 1, "awkward.Pizzeria": 1, "awkward.Tree": 1}]},
    # Of an optional one-to-one, rows beyond the parents of their step stay empty.
    "unique and empty": {
        "ladder": [{"awkward.Badge": n, "awkward.SlugKey": n // 2} for n in (100, 1000)],
        "queries": ["SELECT count(*), count(other_id) FROM awkward_badge"],
        "answers": [[[1000, 450]]],
    },
    # A place is a restaurant or a hotel.
    "children of one model": {
        "ladder": [
            {"awkward.Place": n, "awkward.Restaurant": n // 2, "awkward.Hotel": n // 4}
            for n in (100, 1000, 4000)
        ]
        + [{"awkward.Place": 4000, "awkward.Restaurant": 3000, "awkward.Hotel": 3000}]
        + [{"awkward.Stay": 6000}],
        "queries": [
            "SELECT count(*) FROM awkward_restaurant r "
            "JOIN awkward_hotel h ON r.place_ptr_id = h.place_ptr_id",
            "SELECT count(*) FROM awkward_place",
            "SELECT count(DISTINCT hotel_id) FROM awkward_stay",
        ],
        "answers": [[[0]], [[6000]], [[3000]]],
    },
    "wide": {"ladder": [{"awkward.Fields": 1000}]},
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def results(request: pytest.FixtureRequest, run: Run) -> Any:
    return run(request.param, CASES)


@pytest.mark.parametrize("case", sorted(CASES))
def test_counts_references_and_values(case: str, results: Any) -> None:
    result = results[case]
    assert "rows" in result, result.get("crash") or result
    if "before" not in CASES[case]:
        assert result["counts"] == result["rows"]
    assert result["broken"] == []
    assert result["leftovers"] == []
    assert result["answers"] == CASES[case].get("answers", [])
    final = {label: n for rows in CASES[case]["ladder"] for label, n in rows.items()}
    for label, count in final.items():
        if case not in ("rounded parents", "nothing more", "children of one model"):
            assert result["rows"][label] == count


def test_a_parent_is_raised_where_its_count_leaves_too_few_combinations(results: Any) -> None:
    rows = results["rounded parents"]["rows"]
    assert rows["awkward.Membership"] == 8000
    assert rows["awkward.UuidKey"] * rows["awkward.SlugKey"] >= 8000


def test_links_follow_their_source(results: Any) -> None:
    assert results["links"]["rows"]["awkward.Article_tags"] == 300
    assert results["named links"]["rows"]["awkward.Article_tags"] == 900


def test_a_smaller_count_takes_nothing_away(results: Any) -> None:
    assert results["nothing more"]["rows"] == {"awkward.Tag": 300}


def test_values_are_as_wide_as_plausible_ones(results: Any) -> None:
    widths = results["wide"]["widths"]["awkward.Fields"]
    assert 40 <= widths["char"] <= 160
    assert 120 <= widths["text"] <= 280
    assert 200 <= widths["json"] <= 420


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_without_time_zones(vendor: str, run: Run) -> None:
    labels = ["awkward.Fields", "awkward.Uniques", "awkward.Partly"]
    found = run(vendor, {"all": {"ladder": [dict.fromkeys(labels, 1200)]}}, use_tz=False)
    assert {label: found["all"]["counts"][label] for label in labels} == dict.fromkeys(labels, 1200)


def test_without_a_superuser(run: Run) -> None:
    labels = ["awkward.Egg", "awkward.Pizzeria", "awkward.Tree", "awkward.Follow"]
    cases = {label: {"ladder": [{label: 1000}, {label: 1500}]} for label in labels}
    found = run("postgresql", cases, role="plain")
    assert {label: found[label].get("broken", found[label]) for label in labels} == {
        label: [] for label in labels
    }


def test_what_only_postgresql_knows_of_a_table(run: Run) -> None:
    cases: dict[str, Any] = {
        "expression": {
            "before": [
                'CREATE UNIQUE INDEX by_expression ON awkward_fields (lower("char"), slug)',
            ],
            "ladder": [{"awkward.Fields": 1000}],
            "queries": ['SELECT count(DISTINCT (lower("char"), slug)) FROM awkward_fields'],
        },
        # Its key is the database's to say, unless an INSERT insists.
        "identity": {
            "before": ["ALTER TABLE awkward_tag ALTER id SET GENERATED ALWAYS"],
            "ladder": [{"awkward.Tag": 1000}, {"awkward.Tag": 3000}],
            "queries": ["SELECT count(DISTINCT id), max(id) FROM awkward_tag"],
        },
        "view": {
            "before": ["CREATE VIEW awkward_absent AS SELECT id FROM awkward_tag"],
            "ladder": [{"awkward.Absent": 1000}],
        },
    }
    found = run("postgresql", cases)
    assert found["expression"]["answers"] == [[[1000]]]
    assert found["identity"]["answers"] == [[[3000, 3000]]]
    assert found["identity"]["broken"] == []
    assert "it is a view, whose rows are those of other tables" in found["view"]["error"]
