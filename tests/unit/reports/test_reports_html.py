"""The page of HTML: what is in it, and how a browser shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser import Seen, View, look_at
from results import FILE, LIMITED, SOURCE, explained, explained_figures, figures, passing, result

from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.curve import charts
from pytest_membudget.reports.document import Environment
from pytest_membudget.reports.html import write_html

ENVIRONMENT = Environment("3.13.1", "6.1", "Linux")


def write_page(folder: Path) -> Path:
    path = folder / "deep" / "report.html"
    write_html([passing(), explained()], str(path), [ENVIRONMENT, ENVIRONMENT])
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return write_page(tmp_path)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def written(folder: Path, *results: Result) -> str:
    path = folder / "report.html"
    write_html(results, str(path))
    return text_of(path)


def test_the_page_is_one_file_that_needs_no_network(page: Path) -> None:
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]
    text = text_of(page)
    assert not re.findall(r"""(?:src|href)=["']?[^"'#]""", text.split("* Chart.js")[0])
    assert "default-src 'none'" in text
    assert "Chart.js v4" in text


def test_budgets_with_the_least_headroom_come_first(page: Path) -> None:
    anchors = re.findall(r'<a href="#result-\d+">(.+?)</a>', text_of(page))
    assert [anchor.replace("<wbr>", "") for anchor in anchors] == [
        "shop.0002_backfill_total",
        "shop.0003_stream",
    ]


def test_the_duration_and_the_memory_of_the_server_are_figures(tmp_path: Path) -> None:
    text = written(tmp_path, result(**LIMITED))
    assert "<dt>time</dt><dd>57 min (38–83)</dd>" in text
    assert "<dt>server memory</dt><dd>700 MiB (680–720)</dd>" in text
    assert "<td>15 min, 1.5 times as fast as measured</td>" in text
    assert "<dt>server memory</dt>" not in written(tmp_path, result())


def test_budgets_of_one_migration_are_told_apart(tmp_path: Path) -> None:
    other = result(database={"alias": "default", "vendor": "sqlite", "version": "3"})
    text = written(tmp_path, result(), other, passing()).replace("<wbr>", "")
    assert text.count('<span class="test">test_backfill, postgresql</span>') == 2
    assert text.count('<span class="test">test_backfill, sqlite</span>') == 2
    assert text.count('<span class="test">postgresql</span>') == 2
    assert '<span class="test">' not in written(tmp_path, result(), passing())


def test_text_of_a_project_is_escaped(tmp_path: Path) -> None:
    hostile = explained_figures(
        reason="</script><img src=x onerror=alert(1)>",
        rows={"</script><b>.Order": 10},
        samples=[],
    )
    hostile["attribution"][0]["source"] = "<script>alert(1)</script>"
    text = written(tmp_path, Result.from_dict(hostile))
    assert "<img" not in text
    assert "<script>alert" not in text
    assert text.count("</script>") == 3


def test_data_of_the_charts_cannot_leave_its_script(tmp_path: Path) -> None:
    label = "</script><script>alert(1)</script>"
    samples = [
        {**sample, "rows": {label: sample["rows"]["shop.Order"]}} for sample in figures()["samples"]
    ]
    text = written(tmp_path, result(rows={label: 1_700_000}, samples=samples))
    found = re.search('<script type="application/json" id="charts">(.*?)</script>', text)
    assert found
    assert json.loads(found[1])[0]["growth"]["model"] == label


def test_migrations_without_rows_are_counted_and_folded(tmp_path: Path) -> None:
    nothing = "No migration was measured."
    assert nothing in written(tmp_path)
    text = written(tmp_path, passing(rows={}, reason="it alters a table only"))
    assert "1 migration accesses no table whose size affects memory" in text
    assert "it alters a table only" in text
    assert nothing not in text


def test_results_of_an_older_version(tmp_path: Path) -> None:
    older = figures()
    for sample in older["samples"]:
        del sample["timeline"]
    del older["attribution"], older["advice"]
    old = Result.from_dict(older)
    assert "Growth by line" not in written(tmp_path, old)
    assert charts(old)["time"] is None


def test_the_limit_is_left_out_where_it_would_flatten_the_chart() -> None:
    assert charts(result(limit_bytes=10**12))["time"]["limit"] is None
    assert charts(result(limit_bytes=10**8))["time"]["limit"] == 10**8


def test_the_end_of_a_process_is_not_drawn() -> None:
    samples = figures()["samples"]
    samples[0]["timeline"] = [[0.0, 100], [0.1, 200], [0.2, 120], [0.3, 0]]
    (points, *_) = (one["points"] for one in charts(result(samples=samples))["time"]["timelines"])
    assert [point["y"] for point in points] == [100, 200]


WIDTHS = (1280, 390)


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Seen], list[str]]:
    """A page with each of these widths, in the dark, and one with long names."""
    folder = tmp_path_factory.mktemp("pages")
    page, long = write_page(folder), folder / "long.html"
    name = "averylongapplication.0123_" + "a_very_long_name_of_a_migration_" * 4
    nodeid = f"{'deep/' * 40}test.py::test_{'x' * 200}"
    write_html([explained(migration=name, nodeid=nodeid)] * 2, str(long))
    wide, narrow = (View(page, width) for width in WIDTHS)
    return look_at(wide, narrow, View(page, WIDTHS[0], "dark"), View(long, WIDTHS[1]))


@pytest.mark.browser
@pytest.mark.parametrize("number", range(len(WIDTHS)), ids=WIDTHS)
def test_the_page_in_a_browser(seen: tuple[list[Seen], list[str]], number: int) -> None:
    (found, console) = seen
    shown = found[number]
    assert console == []
    assert shown.width <= WIDTHS[number]
    assert shown.charts == 4
    for text in (
        "1 exceeds",
        "shop.0002_backfill_total would peak at 1 GiB",
        f"{FILE}:9 holds every order; write in batches.",
        "tried: it peaked at 47 MiB instead of 197 MiB",
        SOURCE,
        "in django/db/models/query.py:913 bulk_update: When(pk=obj.pk)",
        "<allocator>",
        "7% of the growth has no line",
        "average widths of the generated rows: 62 bytes a row",
        "512 MiB, from the marker",
        "1,700,000 shop.Order",
        "postgresql 15.4, alias default",
        "Python 3.13.1, Django 6.1, Linux",
    ):
        assert text in shown.text
    assert shown.hovered == [
        ["53,125 rows", "measured 82 MiB", "finished, 1.5 s"],
        ["1,700,000 rows", "projected 1 GiB", "between 1000 MiB and 1 GiB"],
    ]


@pytest.mark.browser
def test_the_page_is_dark_where_that_is_preferred(seen: tuple[list[Seen], list[str]]) -> None:
    light, _, dark, _ = seen[0]
    assert light.background == "rgb(246, 247, 249)"
    assert dark.background == "rgb(18, 21, 27)"


@pytest.mark.browser
def test_the_page_has_room_for_long_names(seen: tuple[list[Seen], list[str]]) -> None:
    assert "averylongapplication" in seen[0][3].text
    assert seen[0][3].width <= WIDTHS[1]


STACKS = {
    "rows": 1_700_000,
    "frames": [["bulk_update", "django/db/models/query.py", 913], ["forwards", FILE, 9]],
    "stacks": [[400, 2, [0, 1]]],
}


@pytest.mark.parametrize(
    ("migration", "names"),
    [
        ("shop.0002_it", {"shop.0002_it-1.html", "shop.0002_it.html"}),
        (" + ".join(f"shop.{number:04}_{'x' * 85}" for number in (2, 3, 4)), None),
    ],
    ids=["short", "long"],
)
def test_flame_graphs_stand_beside_the_page(
    tmp_path: Path, migration: str, names: set[str] | None
) -> None:
    grown = explained(stacks=STACKS, migration=migration)
    text = written(tmp_path, grown, grown, passing())
    found = {one.name for one in (tmp_path / "report.flamegraphs").iterdir()}
    assert len(found) == 2
    assert names in (None, found)
    assert all(f'<a href="report.flamegraphs/{name}">' in text for name in found)


def test_a_page_is_written_without_the_flame_graphs_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "report.flamegraphs").touch()
    with pytest.raises(BudgetError, match=r"report\.flamegraphs can't be written: file exists"):
        written(tmp_path, explained(stacks=STACKS))
    text = text_of(tmp_path / "report.html")
    assert "Flame graph" not in text
    assert explained().reason in text


def test_hostile_texts_stay_in_their_place(tmp_path: Path) -> None:
    hostile = "\x1b[31m<b>\u202e\ud800\x00"
    shown = explained(reason=hostile, migration=hostile, nodeid=hostile)
    text = written(tmp_path, shown, shown)
    assert "\\x1b[31m&lt;b&gt;\\u202e\\ud800\\x00" in text
    assert not re.search("[\x00\x1b\u202e]", text)
