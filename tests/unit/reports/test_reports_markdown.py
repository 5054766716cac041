"""Markdown for pull requests and the annotations of GitHub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from results import FILE, LIMITED, explained, explained_figures, passing, result

from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.annotations import workflow_commands
from pytest_membudget.reports.markdown import append_to_step_summary, code, escape, markdown


def render(text: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


def test_one_row_for_each_budget_least_headroom_first() -> None:
    lines = markdown([passing(), result()]).splitlines()
    assert lines[4:8] == [
        "|  | migration | rows | peak | limit | headroom | fits up to | verdict |",
        "| :-- | :-- | --: | --: | --: | --: | --: | :-- |",
        "| ❌ | `shop.0002_backfill_total` | 1,700,000 | 1 GiB | 512 MiB | -512 MiB "
        "| 765,000 | exceeds |",
        "| ✅ | `shop.0003_stream` | 1,700,000 | 50.0 MiB (49.0–51.0) | 512 MiB | 462 MiB | any "
        "| within |",
    ]


def test_the_duration_and_the_memory_of_the_server_have_columns_where_they_have_limits() -> None:
    header, _, row = markdown([result(**LIMITED)]).splitlines()[4:7]
    assert "| fits up to | time | server | verdict |" in header
    assert "| 57 min (38–83) | 700 MiB (680–720) |" in row


def test_failures_are_unfolded_and_passes_are_not() -> None:
    text = markdown([passing(), explained()])
    assert text.count("<details open>") == 1
    assert "shop.0003\\_stream" not in text
    assert f"| 550 | 85% | `{FILE}:9`" in text
    assert "- **Advice:** shop/migrations/0002" in text
    assert "| 50 | 8% | `<allocator>`" in text
    expected = markdown([result(outcome="xfailed")])
    assert "exceeds (xfail)" in expected
    assert "<details" not in expected


@pytest.mark.parametrize("text", ["a | b", "*a* _b_ `c`", "<script>", "[x](y)", "a\nb", "#1 ~~x~~"])
def test_text_is_shown_as_it_is(text: str) -> None:
    shown = " ".join(text.split()).replace("<", "&lt;").replace(">", "&gt;")
    assert f"<td>{shown}</td>" in render(f"| a |\n| - |\n| {escape(text)} |\n")


@pytest.mark.parametrize("text", ["a | b", "`tick`", "``", "plain_name"])
def test_code_is_shown_as_it_is_in_a_table(text: str) -> None:
    assert f"<td><code>{text}</code></td>" in render(f"| a |\n| - |\n| {code(text)} |\n")


def test_hostile_reasons_and_sources_stay_in_their_place() -> None:
    hostile = explained_figures(reason="a | <img src=x>\n| b |")
    hostile["attribution"][0]["source"] = "x = `a` | <b>"
    shown = render(markdown([Result.from_dict(hostile)]))
    assert "<img" not in shown
    assert shown.count("<table>") == 2
    assert "x = `a` | &lt;b&gt;" in shown


def test_the_step_summary_is_added_to(tmp_path: Path) -> None:
    assert markdown([]) == "## Memory budgets\n\nNo migration was measured.\n"
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    append_to_step_summary([], str(summary))
    append_to_step_summary([result()], str(summary))
    assert summary.read_text().startswith("before\n## Memory budgets\n")


@pytest.fixture
def on_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "backend").mkdir()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.chdir(tmp_path / "backend")
    return tmp_path


def test_an_annotation_stands_at_the_line_of_the_migration(on_github: Path) -> None:
    (command,) = workflow_commands([explained(), passing()])
    assert command == (
        f"::error file=backend/{FILE},line=9,title=shop.0002_backfill_total%3A exceeds::"
        "shop.0002_backfill_total would peak at 1 GiB; the limit is 512 MiB.%0A"
        f"{FILE}:9 holds every order; write in batches."
    )


def test_an_annotation_without_attribution_stands_at_the_first_file(on_github: Path) -> None:
    (command,) = workflow_commands([result(reason="100%,\r\nor: more", files=["a,b:c.py", FILE])])
    assert "file=backend/a%2Cb%3Ac.py,line=1," in command
    assert command.endswith("::100%25,%0D%0Aor: more")
    (command,) = workflow_commands([result()])
    assert command.startswith("::error title=")


def test_only_what_fails_is_annotated(on_github: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = workflow_commands(
        [result(verdict="inconclusive", outcome=outcome) for outcome in ("passed", "failed")]
    )
    assert [command.split(" ")[0] for command in commands] == ["::warning", "::error"]
    assert workflow_commands([result(outcome="xfailed"), passing(outcome="failed")]) == []
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert workflow_commands([result()]) == []


def test_rows_that_fit_are_any_only_where_there_is_no_growth() -> None:
    steady, growing = passing(), replace(passing(), growth=Growth.LINEAR)
    assert cells.fits(steady) == "any"
    assert cells.fits(growing) == "> 27,200,000"
