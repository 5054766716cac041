"""The marker, the fixture and the options, as a user of pytest meets them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
import servers
from project import FEW, LIMIT, LOOP, STREAM, Project

# Not as a state before another one: the server process has no reason to do without them.
LOOK = """
def forwards(apps, schema_editor):
    import sys
    assert not {"pytest", "_pytest", "psutil", "rich"} & set(sys.modules)
"""
KINDS = """
import unittest

import pytest
from pytest_membudget import MemoryBudget, Result, Verdict

FEW = dict(rows={"shop.Order": 15}, limit="512Mi")
fits = pytest.mark.membudget("shop.0002", **FEW)
does_not_fit = pytest.mark.membudget("shop.0002", rows={"shop.Order": 400}, limit="16Mi")

@fits
def test_marker(): ...

@does_not_fit
def test_too_much(): ...

@pytest.mark.membudget("shop.0003", rows={"shop.Order": 400}, limit="512Mi")
def test_fixture(membudget: MemoryBudget) -> None:
    result: Result = membudget.check()
    assert result is membudget.check()
    assert isinstance(membudget, MemoryBudget)
    assert result.verdict is Verdict.WITHIN
    assert f"{result.verdict} {result.basis} {result.growth}" == "within measured constant"
    assert result.peak_low_bytes <= result.peak_bytes <= result.peak_high_bytes
    assert result.baseline_bytes < result.peak_bytes < result.limit_bytes == 512 * 1024**2
    assert result.rows == {"shop.Order": 400}

@does_not_fit
def test_fixture_too_much(membudget):
    membudget.check()
    raise RuntimeError("the test goes on")

@fits
def test_skipped():
    pytest.skip("later")

@fits
def test_failed():
    raise RuntimeError("for a reason of its own")

@pytest.mark.parametrize("name", [
    pytest.param("a", marks=fits),
    pytest.param("b", marks=pytest.mark.membudget(("shop", "0003_stream"), **FEW)),
])
def test_param(name): ...

@fits
class TestClass:
    def test_method(self): ...

    @pytest.mark.membudget(["shop.0002", "shop.0003"], **FEW)
    def test_closest(self): ...

@fits
class TestUnittest(unittest.TestCase):
    def test_method(self): ...

@pytest.mark.xfail(strict=True, reason="far too much")
@does_not_fit
def test_xfail(): ...

@pytest.mark.membudget("shop.0002", reverse=True, **FEW)
def test_reverse(): ...

@pytest.mark.membudget("shop.0004", **FEW)
def test_no_rows_touched(): ...

@does_not_fit
def test_run_again(): ...

@pytest.mark.membudget("shop.0005", **FEW)
def test_worker(): ...
"""
CONFTEST = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    if item.name != "test_run_again":
        return None
    for _ in range(2):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


def shop_in(project: Project) -> Project:
    project.migration("0002_loop", LOOP, backwards="lambda apps, schema_editor: None")
    project.migration("0003_stream", STREAM)
    project.migration("0004_none", "def forwards(apps, schema_editor): pass")
    return project


@pytest.fixture
def shop(project: Project) -> Project:
    return shop_in(project)


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Tests of every kind, which are run once."""
    project = shop_in(Project(tmp_path_factory.mktemp("kinds"), "sqlite", {}))
    project.migration("0005_look", LOOK)
    project.write("test_kinds.py", KINDS)
    project.write("conftest.py", CONFTEST)
    return project


@pytest.fixture(scope="session")
def run(kinds: Project) -> pytest.RunResult:
    options = ("--strict-markers", "-W", "error", "-p", "no:cacheprovider")
    # The marker comes before these.
    settings = ("--membudget-limit=1Mi", "--membudget-rows=shop.Order=1_000_000")
    files = ("--membudget-json=deep/results.json", "--junitxml=junit.xml")
    return kinds.run(*options, *settings, *files)


@pytest.fixture(scope="session")
def document(kinds: Project, run: pytest.RunResult) -> dict[str, Any]:
    return dict(json.loads((kinds.path / "deep/results.json").read_text()))


@pytest.fixture(scope="session")
def results(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["nodeid"].split("::", 1)[1]: one for one in document["results"]}


def test_marks_of_every_kind(run: pytest.RunResult, results: dict[str, dict[str, Any]]) -> None:
    run.assert_outcomes(passed=7, failed=8, skipped=1, xfailed=1)
    assert {name: (one["migration"], one["verdict"]) for name, one in results.items()} == {
        "test_marker": ("shop.0002_loop", "within"),
        "test_too_much": ("shop.0002_loop", "exceeds"),
        "test_fixture": ("shop.0003_stream", "within"),
        "test_fixture_too_much": ("shop.0002_loop", "exceeds"),
        "test_param[a]": ("shop.0002_loop", "within"),
        "test_param[b]": ("shop.0003_stream", "within"),
        "TestClass::test_method": ("shop.0002_loop", "within"),
        "TestClass::test_closest": ("shop.0002_loop + shop.0003_stream", "within"),
        "TestUnittest::test_method": ("shop.0002_loop", "within"),
        "test_xfail": ("shop.0002_loop", "exceeds"),
        "test_reverse": ("shop.0002_loop", "inconclusive"),
        "test_no_rows_touched": ("shop.0004_none", "inconclusive"),
        "test_run_again": ("shop.0002_loop", "exceeds"),
        "test_worker": ("shop.0005_look", "inconclusive"),
    }


def test_a_failure_says_why_in_its_first_line(run: pytest.RunResult) -> None:
    """The fixture fails the test where it checks."""
    exceeds = (
        "shop.0002_loop peaked at * MiB, over the limit of 16 MiB, with 100 of 400 shop.Order *"
    )
    none = "shop.0004_none touched none of the seeded rows (15 shop.Order)*"
    run.stdout.fnmatch_lines(["*_ test_too_much _*", exceeds])
    run.stdout.fnmatch_lines(["*_ test_no_rows_touched _*", none])
    run.stdout.fnmatch_lines(["*for a reason of its own*"])
    run.stdout.no_fnmatch_line("*the test goes on*")


def test_a_test_that_is_run_again_is_measured_again(
    run: pytest.RunResult, document: dict[str, Any]
) -> None:
    assert len([line for line in run.outlines if "_ test_run_again _" in line]) == 2
    assert len([one for one in document["results"] if "test_run_again" in one["nodeid"]]) == 1


def test_the_marker_comes_before_the_command_line(results: dict[str, dict[str, Any]]) -> None:
    result = results["test_marker"]
    assert (result["limit_bytes"], result["rows"]) == (512 * 1024**2, {"shop.Order": 15})
    assert result["limit_source"] == "the marker"
    assert results["test_reverse"]["reverse"]
    assert "touched none of the seeded rows" in results["test_reverse"]["reason"]


def test_junit_has_the_figures_as_properties(kinds: Project, run: pytest.RunResult) -> None:
    root = ElementTree.parse(kinds.path / "junit.xml")
    case = next(one for one in root.iter("testcase") if one.get("name") == "test_marker")
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties["membudget_verdict"] == "within"
    assert properties["membudget_migration"] == "shop.0002_loop"
    assert int(properties["membudget_peak_bytes"] or 0) > 20 * 1024**2


def test_json_has_the_shape_of_schema_1(
    document: dict[str, Any], results: dict[str, dict[str, Any]]
) -> None:
    assert document["schema"] == 1
    assert set(document["tool"]) == {"version"}
    assert set(document["environment"]) == {"python", "django", "platform"}
    result = results["test_fixture"]
    assert result["database"]["vendor"] == "sqlite"
    assert result["database"]["alias"] == "default"
    sample = result["samples"][-1]
    assert sample["rows"] == {"shop.Order": 400}
    assert sample["rows_read"] == 400
    assert sample["rows_written"] == 0
    assert 0 < sample["anonymous_bytes"] < sample["peak_bytes"]


def test_ini_settings_are_in_force_and_the_command_line_comes_first(shop: Project) -> None:
    """Each of them alone: tests/unit/plugin/test_options.py."""
    shop.attribution = None
    shop.write(
        "test_budget.py",
        """
        import pytest

        @pytest.mark.membudget("shop.0002")
        def test_within(): ...

        @pytest.mark.membudget("shop.0004")
        def test_warns(): ...

        @pytest.mark.membudget("shop.0004")
        @pytest.mark.filterwarnings("error::pytest_membudget.MembudgetWarning")
        def test_raises(): ...
        """,
    )
    settings = {
        "limit": "1Mi",
        "rows": "shop.Order=15",
        "time_budget": "30",
        "json": "ini.json",
        "html": "ini.html",
        "markdown": "ini.md",
        "inconclusive": "warn",
        "attribution": "never",
    }
    for name, value in settings.items():
        shop.add("pytest.ini", f"membudget_{name} = {value}")
    run = shop.run("--membudget-limit=400Mi", "--membudget-json=line.json")
    run.assert_outcomes(passed=2, failed=1, warnings=1)
    run.stdout.fnmatch_lines(
        [
            "membudget: limit 400 MiB (from the command line), "
            "rows shop.Order=15 (from the ini file), time budget 30 s (from the ini file), *",
            "*pytest_membudget.MembudgetWarning: shop.0004_none touched none*",
            "*MembudgetWarning: shop.0004_none touched none of the seeded rows (15 shop.Order)*",
        ]
    )
    written = sorted(path.name for path in shop.path.iterdir() if path.stem in ("ini", "line"))
    assert written == ["ini.html", "ini.md", "line.json"]
    results = json.loads((shop.path / "line.json").read_text())["results"]
    assert {one["limit_bytes"] for one in results} == {400 * 1024**2}
    assert all(one["rows"] == {"shop.Order": 15} for one in results)


def test_results_travel_through_xdist(shop: Project) -> None:
    """A wrong marker is there an error of its test."""
    shop.budgets(('"shop.0009"', FEW, LIMIT), ('"shop.0002"', FEW, LIMIT))
    shop.write("test_more.py", (shop.path / "test_budget.py").read_text().replace("0009", "0003"))
    run = shop.run("-n", "2", "--junitxml=junit.xml", "--membudget-json=results.json")
    assert [result["nodeid"] for result in shop.read_results()] == [
        "test_budget.py::test_1",
        "test_more.py::test_0",
        "test_more.py::test_1",
    ]
    assert "membudget_verdict" in (shop.path / "junit.xml").read_text()
    run.assert_outcomes(passed=3, errors=1)
    run.stdout.fnmatch_lines(
        [
            "test_budget.py::test_0: membudget: shop has no migration '0009'*",
            "*memory budgets*",
            "* shop.0002_loop *15*512 MiB*within*",
        ]
    )


def test_it_can_be_switched_off_and_loaded_by_name(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.attribution = None
    project.write("test_plain.py", "def test_plain(): pass")
    project.run("-p", "no:membudget").assert_outcomes(passed=1)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    run = project.run("-p", "pytest_django.plugin", "-p", "pytest_membudget.plugin")
    run.assert_outcomes(passed=1)


def test_a_project_without_the_marker_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_plain():
            heavy = {"django", "psutil", "memray", "rich", "jinja2", "plotille", "msgspec"}
            assert not heavy & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:django").assert_outcomes(passed=1)


HINT = "membudget: the PostgreSQL server of 'default' waits for its disk; checks are quicker *"


@pytest.mark.postgresql
@pytest.mark.parametrize("options", [(), ("-n1",)])
def test_a_server_that_waits_for_its_disk(project: Project, options: tuple[str, ...]) -> None:
    """It is known once it is asked; the header has it from the run before."""
    project.check(LOOP)
    with servers.postgresql(fsync=True) as server:
        on_it = f"DATABASES = {{'default': {server.database('production')}}}"
        project.add("settings.py", on_it)
        first, second = (project.run(*options).stdout for _ in range(2))
        embedded = project.run("--membudget-server=embedded", *options).stdout
    first.fnmatch_lines(["*memory budgets*", HINT])
    first.no_fnmatch_line("*(as in the last run)")
    second.fnmatch_lines([f"{HINT}(as in the last run)", "*memory budgets*", HINT])
    embedded.no_fnmatch_line(HINT)
    assert "-c fsync=off -c full_page_writes=off" in second.str()


def test_a_server_that_does_not_wait_is_no_news(
    project: Project, postgresql: servers.Server
) -> None:
    project.check(LOOP)
    project.run()
    project.run().stdout.no_fnmatch_line("membudget: the PostgreSQL*")
