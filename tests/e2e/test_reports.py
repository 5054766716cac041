"""Reports of real runs: terminal, JSON, HTML, Markdown, a job's summary."""

from __future__ import annotations

import html
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from project import LOOP, STREAM, Project

from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.result import Result
from pytest_membudget.judge.verdict import Verdict
from pytest_membudget.reports.schema import json_schema

BUDGET = '"shop.0002", rows={"shop.Order": 400}, limit="512Mi"'


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_report_says_when(project: Project) -> None:
    project.migration("0002_change", LOOP)
    project.budget('"shop.0002"', 'rows={"shop.Order": 50_000}', 'limit="512Mi"')
    ini = project.path / "pytest.ini"
    ini.write_text(ini.read_text() + "membudget_growth = 5% a month\n")
    run = project.run("--membudget-json=results.json")
    run.assert_outcomes(passed=1)
    run.stdout.fnmatch_lines(
        ["*at a growth of 5% a month, the peak reaches the limit in about * months*"]
    )
    (result,) = project.read_results()
    months = int(
        next(one["message"] for one in result["findings"] if one["code"] == "breaks-in")
        .partition("about ")[2]
        .split()[0]
    )
    assert 1.05 ** (months - 1) < result["fits_up_to_rows"] / 50_000 < 1.05 ** (months + 1)


def test_a_run_is_drawn_again(project: Project) -> None:
    project.migration("0002_stream", STREAM)
    project.budget('"shop.0002", rows={"shop.Order": 400}, limit="512Mi"')
    project.run("--membudget-json=results.json", "--membudget-markdown=text.md")
    again = project.path / "again.md"
    module = [sys.executable, "-m", "pytest_membudget"]
    subprocess.run(
        [*module, "report", "results.json", "--markdown", str(again)],
        cwd=project.path,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert again.read_text() == (project.path / "text.md").read_text()


@pytest.mark.parametrize("arguments", [["--membudget-html=deep/report.html"], ["-n", "1"]])
def test_a_run_writes_the_page(project: Project, arguments: list[str]) -> None:
    with (project.path / "pytest.ini").open("a") as file:
        file.write("membudget_html = deep/report.html\n")
    project.migration("0002_stream", STREAM)
    project.budget('"shop.0002", rows={"shop.Order": 400}, limit="512Mi"')
    project.run("--collect-only", *arguments)
    assert not (project.path / "deep").exists()
    project.run(*arguments).stdout.fnmatch_lines(["results written to deep/report.html"])
    text = html.unescape(text_of(project.path / "deep/report.html"))
    assert "shop.0002_stream" in text.replace("<wbr>", "")
    assert "from the marker" in text


def test_a_run_tells_what_became_of_each_test(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with (project.path / "pytest.ini").open("a") as file:
        file.write("membudget_inconclusive = warn\n")
    project.migration("0002_stream", STREAM)
    project.migration("0003_none", "def forwards(apps, schema_editor): pass")
    project.budget(BUDGET.replace("0002", "0003"))
    project.write(
        "test_expected.py",
        f"""
        import pytest

        @pytest.mark.xfail(strict=True)
        @pytest.mark.membudget({BUDGET.replace("512Mi", "1Mi")})
        def test_expected(): ...
        """,
    )
    run = project.run("--membudget-json=results.json")
    outcomes = [(one["verdict"], one["outcome"]) for one in project.read_results()]
    assert outcomes == [("inconclusive", "passed"), ("exceeds", "xfailed")]
    commands = [line for line in run.outlines if line.startswith("::")]
    assert [command.split(" ")[0] for command in commands] == ["::warning"]


@pytest.mark.parametrize("arguments", [[], ["-n", "1"]])
def test_a_run_on_github(
    project: Project, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    project.migration("0002_stream", STREAM)
    project.budget(BUDGET.replace("512Mi", "16Mi"))
    result = project.run("--membudget-markdown=deep/out.md", *arguments)
    result.stdout.fnmatch_lines(["::error *title=shop.0002_stream%3A exceeds::shop.0002_stream *"])
    assert "| ❌ | `shop.0002_stream` |" in (project.path / "deep/out.md").read_text()
    assert "`shop.0002_stream`" in (project.path / "summary.md").read_text()


@pytest.mark.parametrize("arguments", [[], ["-n", "1"]])
def test_a_failing_test_shows_its_chart(
    project: Project, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002", rows={"shop.Order": 40_000}, limit="50Mi", time_budget=20')
    out = project.run(*arguments).stdout
    out.fnmatch_lines(["shop.0002_loop * the limit *", "*(peak)*", "* limit 50 MiB *", "o sample*"])
    chart_lines = [line for line in out.lines if " | " in line]
    assert chart_lines
    assert max(map(len, chart_lines)) <= 60
    assert "".join(chart_lines).isascii()


@pytest.mark.parametrize("arguments", [[], ["-n", "1"]])
def test_the_output_of_a_run_is_valid(project: Project, arguments: list[str]) -> None:
    project.attribution = None
    project.migration("0002_loop", LOOP)
    project.budget('"shop.0002", rows={"shop.Order": 20_000}, limit="50Mi", time_budget=20')
    (figures,) = project.results(*arguments)
    jsonschema.validate(json.loads((project.path / "results.json").read_text()), json_schema())
    read = Result.from_dict(figures)
    assert read.to_dict() == figures
    assert {finding.code for finding in read.findings} <= set(FindingCode)
    assert (read.verdict, read.outcome) == (Verdict.EXCEEDS, "failed")
