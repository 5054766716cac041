"""``membudget report``: reports drawn from the JSON of earlier runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from results import MIB, figures, passing, result
from results import write_results as write

from pytest_membudget.cli.main import main

SQLITE = {"alias": "default", "vendor": "sqlite", "version": "3.45"}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says when it ends with the status of a usage error."""
    with pytest.raises(SystemExit) as stopped:
        main(["report", *arguments])
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_all_reports_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "a.json", result(), passing())
    page, text = tmp_path / "deep/page.html", tmp_path / "deep/text.md"
    assert main(["report", file, "--html", str(page), "--markdown", str(text)]) == 0
    out = capsys.readouterr().out
    assert "shop.0002_backfill_total" in out
    assert "\x1b" not in out
    assert "Python 3.13, Django 6.1, Linux" in page.read_text()
    assert "| ❌ | `shop.0002_backfill_total`" in text.read_text()


def test_a_later_result_replaces_but_for_another_database(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "a.json", result(), passing()),
        write(tmp_path / "b.json", result(database=SQLITE)),
        write(tmp_path / "c.json", result(verdict="within", peak_bytes=MIB)),
    ]
    text = tmp_path / "text.md"
    main(["report", *files, "--markdown", str(text)])
    rows = ["|".join(line.split("|")[2:4]) for line in text.read_text().splitlines()[6:9]]
    assert rows == [
        " `shop.0002_backfill_total` | sqlite ",
        " `shop.0003_stream` | postgresql ",
        " `shop.0002_backfill_total` | postgresql ",
    ]


def test_two_runs_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = passing(nodeid="gone", migration="shop.0004_gone")
    new = passing(nodeid="new", migration="shop.0005_new")
    mended = passing(nodeid=result().nodeid, migration=result().migration)
    old_file = write(tmp_path / "old.json", result(), passing(), gone)
    new_file = write(tmp_path / "new.json", mended, passing(), new)
    text = tmp_path / "text.md"
    main(["report", "--compare", old_file, new_file, "--markdown", str(text)])
    lines = [line for line in capsys.readouterr().out.splitlines() if "shop." in line]
    assert [re.sub("  +", " | ", line.strip()) for line in lines] == [
        "shop.0002_backfill_total | ~1 GiB | ~50 MiB | -974 MiB | 632 → 0 | exceeds → within",
        "shop.0003_stream | ~50 MiB | ~50 MiB | 0 B | 0 | within",
        "only in the first file: shop.0004_gone",
        "only in the second file: shop.0005_new",
    ]
    assert "| ✅ | `shop.0002_backfill_total` | ~1 GiB | ~50 MiB | -974 MiB |" in text.read_text()


WIDER = {"peak_bytes": 1229 * MIB, "peak_high_bytes": 1300 * MIB, "bytes_per_row": 758}
UNKNOWN = {
    **dict.fromkeys(("peak_bytes", "peak_low_bytes", "peak_high_bytes", "bytes_per_row")),
    "verdict": "error",
}


@pytest.mark.parametrize(
    ("changes", "fail_on", "status", "words"),
    [
        (WIDER, ("peak:+20%",), 1, "peak grew from 1 GiB to 1.2 GiB (+20%); peak:+20% is allowed"),
        (WIDER, ("peak:+21%",), 0, "+205 MiB"),
        (WIDER, ("peak:+200Mi",), 1, "peak:+200Mi is allowed"),
        (WIDER, ("peak:+206Mi",), 0, "+205 MiB"),
        (WIDER, ("peak:+90%", "bytes_per_row:+19%"), 1, "bytes per row grew from 632 B to 758 B"),
        (WIDER, ("bytes_per_row:+20%",), 0, "632 → 758"),
        ({"bytes_per_row": 632 + 0}, ("bytes_per_row:+0%",), 0, "632"),
        (UNKNOWN, ("peak:+20%",), 3, "the second file does not tell its peak"),
        (UNKNOWN, (), 0, "exceeds → error"),
        ({"rows": {"shop.Order": 10}}, (), 0, "row counts changed: 1,700,000 → 10 shop.Order"),
        ({"nodeid": "other"}, ("peak:+20%",), 0, "the files have no budget in common"),
    ],
)
def test_a_figure_that_grows_by_too_much_fails(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    fail_on: tuple[str, ...],
    status: int,
    words: str,
) -> None:
    files = write(tmp_path / "a.json", result()), write(tmp_path / "b.json", result(**changes))
    asked = [f"--fail-on={one}" for one in fail_on]
    text = tmp_path / "text.md"
    assert main(["report", "--compare", *files, *asked, "--markdown", str(text)]) == status
    assert words in capsys.readouterr().out
    assert text.read_text().startswith("## Memory budgets, before and after\n")


def test_growth_from_nothing_fails_unless_it_is_lost_in_the_noise(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", passing())
    for a_row, status in ((0, 0), (1, 1)):
        new = passing(bytes_per_row=a_row)
        for rows, expected in ((1_700_000, status), (10_000, 0)):
            file = write(tmp_path / "b.json", replace(new, rows={"shop.Order": rows}))
            asked = ["--compare", old, file, "--fail-on", "bytes_per_row:+20%"]
            assert main(["report", *asked]) == expected


@pytest.mark.parametrize("width", [60, 80])
def test_a_comparison_is_no_wider_than_the_terminal(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    old, new = (write(tmp_path / f"{name}.json", result(), passing()) for name in ("old", "new"))
    main(["report", "--compare", old, new])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert "shop.0002_backfill_total" in out


def test_the_reader_may_have_seen_enough(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", *(passing(nodeid=str(number)) for number in range(1000)))
    command = f"{sys.executable} -m pytest_membudget report {file} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_keys_may_be_missing_and_added(tmp_path: Path) -> None:
    required = ("nodeid", "migration", "database", "rows", "limit_bytes", "verdict", "reason")
    old = {name: one for name, one in figures(verdict="error").items() if name in required}
    old |= {"database": {"vendor": "sqlite"}, "reason": "shop.0002 raised.", "color": "blue"}
    text, page = tmp_path / "text.md", tmp_path / "page.html"
    file = write(tmp_path / "a.json", old)
    assert main(["report", file, "--html", str(page), "--markdown", str(text)]) == 0
    assert "shop.0002 raised." in page.read_text()
    assert "| 💥 | `shop.0002_backfill_total` | 1,700,000 |  | 512 MiB |" in text.read_text()


def test_one_report_that_cannot_be_written_loses_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, text = write(tmp_path / "a.json", result()), tmp_path / "text.md"
    error = refusal(capsys, file, "--html", "/dev/full", "--markdown", str(text))
    assert "--html: /dev/full can't be written: no space left" in error
    assert "shop.0002_backfill_total" in text.read_text()


def test_texts_are_shown_harmlessly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = result(
        migration="::error::\x1b[31m[/red]",
        findings=[{"code": "debug-on", "message": "a\n ::error::b ##[error]c"}],
    )
    main(["report", write(tmp_path / "a.json", passing(nodeid="b"), hostile)])
    out = capsys.readouterr().out
    assert "\\::error::\\x1b[31m[/red]" in out.replace(" ", "")
    assert not re.search(r"(?m)^\s*::|##\[|\x1b", out)


def test_a_terminal_that_shows_ascii_only(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", result())
    command = [sys.executable, "-m", "pytest_membudget", "report", file]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=environ, capture_output=True, check=True)
    assert b"shop.0002_backfill_total" in done.stdout


def changed(**changes: Any) -> str:
    return json.dumps({"schema": 1, "results": [figures(**changes)]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("{", "is not JSON"),
        ("[]", "does not contain results"),
        ('{"schema": 2, "results": []}', "has schema 2, but this version reads schema 1"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"schema": 1, "results": [1]}', "results[0] is 1, expected an object"),
        ('{"schema": 1, "results": [{}]}', "results[0]: object missing required field"),
        (changed(rows={"shop.Order": -1}), 'results[0].rows."shop.Order" is -1, expected a whole'),
        (changed(limit_bytes=0), "results[0].limit_bytes is 0, expected a whole number >= 1"),
        (changed(verdict="fine"), "results[0].verdict: invalid enum value 'fine'"),
        (changed(samples=[{}]), "results[0].samples[0]: object missing required field"),
        (changed(peak_bytes=None), "results[0]: peak_low_bytes requires peak_bytes"),
        (changed(duration_s=float("nan")), "is not JSON"),
        (changed(peak_bytes=10**400), "0..., expected a whole number <= 9223372036854775807"),
        (
            changed(stacks={"rows": 1, "frames": [], "stacks": [[1, 1, [0]]]}),
            "a frame outside the 0 frames",
        ),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    file = tmp_path / "results.json"
    if content is not None:
        file.write_text(content)
    error = refusal(capsys, str(file))
    assert f"membudget report: error: {file}" in error
    assert message in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--compare", "FILE"], "--compare takes two files"),
        (["--compare", "FILE", "FILE", "--html", "x.html"], "to the terminal or --markdown"),
        (["FILE", "--fail-on", "peak:+20%"], "--fail-on needs --compare OLD NEW"),
        (["--compare", "FILE", "FILE", "--fail-on", "peak:20%"], "'peak:20%' is not a threshold"),
        (["--compare", "FILE", "FILE", "--fail-on", "rows:+2%"], "'rows:+2%' is not a threshold"),
        (["--compare", "FILE", "FILE", "--fail-on", "peak:+x"], "--fail-on: 'x' is not a size"),
        (["FILE", "--html", "/dev/null/x.html"], "is not a path that a file can be written to"),
        ([], "FILE"),
    ],
)
def test_wrong_arguments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    file = write(tmp_path / "a.json", result())
    assert message in refusal(capsys, *(one.replace("FILE", file) for one in arguments))
