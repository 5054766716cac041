"""Reports of real runs: terminal, JSON, HTML, Markdown, a job's summary."""

from __future__ import annotations

import html
import json
from pathlib import Path

import jsonschema
import pytest
from project import LIMIT, LOOP, STREAM, Project

from pytest_membudget.cli.main import main
from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.schema import json_schema

TESTS = """
import pytest

FEW = {"shop.Order": 15}
@pytest.mark.membudget("shop.0002", rows=FEW, limit="512Mi")
def test_stream(): ...

@pytest.mark.membudget("shop.0003", rows=FEW, limit="512Mi")
def test_none(): ...

@pytest.mark.xfail(strict=True)
@pytest.mark.membudget("shop.0002", rows=FEW, limit="1Mi")
def test_expected(): ...

@pytest.mark.membudget("shop.0004", rows={"shop.Order": 40_000}, limit="50Mi", time_budget=20)
def test_too_much(): ...
"""
ENVIRONMENT = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_STEP_SUMMARY": "summary.md",
    "COLUMNS": "60",
    "PYTHONIOENCODING": "ascii",
}


@pytest.fixture(scope="session", params=[(), ("-n", "1")], ids=["alone", "xdist"])
def run(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[Project, pytest.RunResult]:
    project = Project(tmp_path_factory.mktemp("reports"), "sqlite", ENVIRONMENT)
    # What travels furthest has everything in it.
    project.attribution = "failed" if request.param else "never"
    for setting in ("html = deep/ini.html", "inconclusive = warn"):
        project.add("pytest.ini", f"membudget_{setting}")
    project.migration("0002_stream", STREAM)
    project.migration("0003_none", "def forwards(apps, schema_editor): pass")
    project.migration("0004_loop", LOOP)
    project.write("test_budgets.py", TESTS)
    files = ("--membudget-json=results.json", "--membudget-markdown=deep/out.md")
    return project, project.run(*files, *request.param)


@pytest.fixture
def project(run: tuple[Project, pytest.RunResult]) -> Project:
    return run[0]


@pytest.fixture
def output(run: tuple[Project, pytest.RunResult]) -> pytest.LineMatcher:
    return run[1].stdout


def test_the_results_are_valid_and_tell_what_became_of_each_test(project: Project) -> None:
    results = {one["nodeid"].partition("::")[2]: one for one in project.read_results()}
    assert {name: (one["verdict"], one["outcome"]) for name, one in results.items()} == {
        "test_stream": ("within", "passed"),
        "test_none": ("inconclusive", "passed"),
        "test_expected": ("exceeds", "xfailed"),
        "test_too_much": ("exceeds", "failed"),
    }
    jsonschema.validate(json.loads((project.path / "results.json").read_text()), json_schema())
    for figures in results.values():
        read = Result.from_dict(figures)
        assert read.to_dict() == figures
        assert {finding.code for finding in read.findings} <= set(FindingCode)


def test_the_report_says_when(tmp_path: Path) -> None:
    project = Project(tmp_path, "sqlite", {})
    project.add("pytest.ini", "membudget_growth = 5% a month")
    project.check(LOOP, 'rows={"shop.Order": 50_000}', LIMIT)
    run = project.run("--membudget-json=results.json")
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(
        ["*at a growth of 5% a month, the peak reaches the limit in about * months*"]
    )
    (found,) = project.read_results()
    (message,) = [one["message"] for one in found["findings"] if one["code"] == "breaks-in"]
    months = int(message.partition("about ")[2].split()[0])
    assert 1.05 ** (months - 1) < found["fits_up_to_rows"] / 50_000 < 1.05 ** (months + 1)


def test_a_run_is_drawn_again(project: Project) -> None:
    again = project.path / "again.md"
    assert main(["report", str(project.path / "results.json"), "--markdown", str(again)]) == 0
    assert again.read_text() == (project.path / "deep/out.md").read_text()


def test_a_run_writes_the_page(project: Project, output: pytest.LineMatcher) -> None:
    output.fnmatch_lines(["results written to *deep/ini.html*"])
    text = html.unescape((project.path / "deep/ini.html").read_text(encoding="utf-8"))
    assert "shop.0002_stream" in text.replace("<wbr>", "")
    assert "from the marker" in text


def test_a_run_on_github(project: Project, output: pytest.LineMatcher) -> None:
    commands = [line for line in output.lines if line.startswith("::")]
    starts = {line.partition("title=")[2].partition("%3A")[0]: line for line in commands}
    assert starts["shop.0003_none"].startswith("::warning ")
    assert "title=shop.0004_loop%3A exceeds::shop.0004_loop " in starts["shop.0004_loop"]
    assert starts["shop.0004_loop"].startswith("::error ")
    assert len(commands) == 2
    assert "| ❌ | `shop.0004_loop` |" in (project.path / "deep/out.md").read_text()
    assert "`shop.0004_loop`" in (project.path / "summary.md").read_text()


def test_a_failing_test_shows_its_chart(output: pytest.LineMatcher) -> None:
    output.fnmatch_lines(
        ["shop.0004_loop * the limit *", "*(peak)*", "* limit 50 MiB *", "o sample*"]
    )
    chart_lines = [line for line in output.lines if " | " in line]
    assert chart_lines
    assert max(map(len, chart_lines)) <= 60
    assert "".join(chart_lines).isascii()


def test_nothing_is_written_where_nothing_is_run(tmp_path: Path) -> None:
    project = Project(tmp_path, "sqlite", {})
    project.check(STREAM)
    project.run("--collect-only", "--membudget-html=deep/report.html")
    assert not (project.path / "deep").exists()
