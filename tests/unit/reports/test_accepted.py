"""The baseline: what is accepted, what is worse, what is stale, and ``membudget accept``."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from results import MIB, passing, result
from results import write_results as write

from pytest_membudget.cli.check import exit_status
from pytest_membudget.cli.main import main
from pytest_membudget.errors import BudgetError
from pytest_membudget.judge.result import Result
from pytest_membudget.reports import markdown, terminal
from pytest_membudget.reports.annotations import workflow_commands
from pytest_membudget.reports.baseline import Baseline, read_baseline

TODAY = date(2026, 11, 28)
REASON = "runs in a window, on a larger container: OPS-812"
FILE = "membudget-baseline.json"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def accept(*results: Result, arguments: tuple[str, ...] = ("--all",)) -> Baseline:
    file = write(Path("results.json"), *results)
    assert main(["accept", file, *arguments, "--reason", REASON]) == 0
    return read_baseline(FILE)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(["accept", *arguments])
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_a_failure_that_is_accepted_keeps_its_verdict() -> None:
    baseline = accept(result())
    found = baseline.applied_to(result(), TODAY)
    assert found.accepted is not None
    assert (found.verdict, found.reason) == ("exceeds", result().reason)
    assert Result.from_dict(found.to_dict()) == found
    assert exit_status([found, passing()]) == 0
    assert exit_status([result(), passing()]) == 1


def test_what_is_within_is_never_touched() -> None:
    baseline = accept(result())
    passed = passing(migration=result().migration)
    assert baseline.applied_to(passed, TODAY) is passed


WORSE: dict[str, dict[str, Any]] = {
    "with a peak of 1 GiB": {
        "peak_bytes": 1051 * MIB,
        "peak_low_bytes": 1040 * MIB,
        "peak_high_bytes": 1060 * MIB,
    },
    "with a limit of 512 MiB": {"limit_bytes": 256 * MIB},
    "as exceeds": {"verdict": "error", "basis": None},
}


@pytest.mark.parametrize("words", WORSE)
def test_a_worse_failure_fails_again_and_says_why(words: str) -> None:
    found = accept(result()).applied_to(result(**WORSE[words]), TODAY)
    assert found.accepted is None
    assert found.reason.startswith(result().reason)
    assert f"It was accepted {words}" in found.reason


SLOW = {
    "max_duration_s": 60.0,
    "projected_duration_s": 100.0,
    "projected_duration_low_s": 90.0,
    "projected_duration_high_s": 120.0,
}


@pytest.mark.parametrize(
    ("accepted", "found", "words"),
    [
        ({}, SLOW, "without a limit of its duration"),
        (SLOW, {**SLOW, "max_duration_s": 50.0}, "with a limit of 60 s"),
        (
            SLOW,
            {**SLOW, "projected_duration_s": 125.0, "projected_duration_high_s": 150.0},
            "with a duration of",
        ),
        (
            {"limit_server_bytes": 512 * MIB, "server_peak_bytes": 100 * MIB},
            {"limit_server_bytes": 256 * MIB, "server_peak_bytes": 300 * MIB},
            "with a limit of 512 MiB",
        ),
        (SLOW, SLOW, None),
        (SLOW, {**SLOW, "projected_duration_s": 110.0}, None),
        # It is far below its limit.
        ({**SLOW, "max_duration_s": 900.0}, {**SLOW, "max_duration_s": 800.0}, None),
        (SLOW, {**SLOW, "max_duration_s": None, "projected_duration_s": 500.0}, None),
    ],
    ids=range(8),
)
def test_each_figure_with_a_limit_may_get_worse(
    accepted: dict[str, Any], found: dict[str, Any], words: str | None
) -> None:
    if found.get("projected_duration_s") == 500.0:
        found = {**found, "projected_duration_high_s": 600.0}
    seen = accept(result(**accepted)).applied_to(result(**found), TODAY)
    assert (seen.accepted is None) == (words is not None)
    assert words is None or f"It was accepted {words}" in seen.reason


NO_WORSE: tuple[dict[str, Any], ...] = (
    {"peak_bytes": 1049 * MIB, "peak_high_bytes": 1060 * MIB},
    {"limit_bytes": 600 * MIB},
    {"verdict": "inconclusive"},
    {"peak_bytes": 600 * MIB, "peak_low_bytes": None, "peak_high_bytes": None},
)


@pytest.mark.parametrize("changes", NO_WORSE, ids=range(len(NO_WORSE)))
def test_one_that_is_no_worse_is_accepted(changes: dict[str, Any]) -> None:
    assert accept(result()).applied_to(result(**changes), TODAY).accepted is not None


def test_what_is_inconclusive_may_not_get_to_exceed() -> None:
    baseline = accept(result(verdict="inconclusive"))
    assert baseline.applied_to(result(), TODAY).accepted is None


def test_it_is_of_one_migration_direction_and_kind_of_database() -> None:
    baseline = accept(result())
    sqlite = {"alias": "default", "vendor": "sqlite", "version": "3"}
    for changes in ({"reverse": True}, {"database": sqlite}, {"migration": "shop.0009_other"}):
        assert baseline.applied_to(result(**changes), TODAY).accepted is None


def test_the_last_day_is_accepted_and_the_next_is_not() -> None:
    last = date.today() + timedelta(days=30)
    baseline = accept(result(), arguments=("--all", "--until", str(last)))
    assert baseline.applied_to(result(), last).accepted is not None
    late = baseline.applied_to(result(), last + timedelta(days=1))
    assert late.accepted is None
    assert late.reason.endswith(f"It was accepted until {last}.")


def test_one_entry_covers_all_tests_of_a_migration() -> None:
    tests = [
        result(nodeid="one", peak_bytes=1024 * MIB, limit_bytes=512 * MIB),
        result(nodeid="two", peak_bytes=900 * MIB, limit_bytes=256 * MIB),
    ]
    baseline = accept(*tests)
    assert all(baseline.applied_to(one, TODAY).accepted for one in tests)


def test_all_leaves_the_reasons_of_what_is_accepted_already() -> None:
    known = accept(result()).applied_to(result(), TODAY)
    file = write(Path("again.json"), known, result(migration="shop.0009_new", nodeid="new"))
    assert main(["accept", file, "--all", "--reason", "another"]) == 0
    reasons = {key[0]: entry.reason for key, entry in read_baseline(FILE).entries.items()}
    assert reasons == {"shop.0002_backfill_total": REASON, "shop.0009_new": "another"}
    assert main(["accept", file, "shop.0002", "--reason", "another"]) == 0
    assert {entry.reason for entry in read_baseline(FILE).entries.values()} == {"another"}


def test_the_file_is_sorted_and_keeps_the_others() -> None:
    accept(result(migration="shop.0009_last"))
    accept(result(), passing())
    document = json.loads(Path(FILE).read_text())
    assert [one["migration"] for one in document["accepted"]] == [
        "shop.0002_backfill_total",
        "shop.0009_last",
    ]
    assert document["accepted"][0] == {
        "migration": "shop.0002_backfill_total",
        "database": "postgresql",
        "verdict": "exceeds",
        "peak_bytes": 1024 * MIB,
        "peak_low_bytes": 1000 * MIB,
        "peak_high_bytes": 1050 * MIB,
        "limit_bytes": 512 * MIB,
        "projected_duration_s": 48.0,
        "rows": {"shop.Order": 1_700_000},
        "reason": REASON,
        "accepted": document["accepted"][1]["accepted"],
    }


def test_an_entry_of_what_is_within_is_stale_and_can_be_removed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    baseline = accept(result(), result(migration="shop.0009_other"))
    mended = passing(migration=result().migration)
    assert [one.migration for one in baseline.stale([mended])] == [result().migration]
    assert baseline.stale([mended, result()]) == []
    # Another test of the same migration, which has fewer rows, says nothing.
    small = passing(migration=result().migration, rows={"shop.Order": 10})
    assert baseline.stale([small]) == []
    assert len(baseline.stale([passing(migration=result().migration, rows={})])) == 1
    [note] = baseline.notes([mended])
    assert note.startswith("shop.0002_backfill_total is within, so membudget-baseline.json need")
    file = write(Path("results.json"), mended)
    assert main(["accept", file, "--prune"]) == 0
    assert "removed shop.0002_backfill_total" in capsys.readouterr().out
    assert [key[0] for key in read_baseline(FILE).entries] == ["shop.0009_other"]


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    file = write(Path("results.json"), result(), passing())
    error = {"verdict": "error", "basis": None, "nodeid": "other"}
    mixed = write(Path("mixed.json"), result(), result(**error))
    why = ("--reason", "why")
    refused = {
        (file,): "name the migrations to accept, or pass --all",
        (file, "shop.0002", "--all", *why): "name the migrations to accept, or pass --all",
        (file, "shop.0002"): 'pass --reason "why"',
        (file, "shop.0002", "--reason", " "): 'pass --reason "why"',
        (file, "shop.0003", *why): "shop.0003_stream is within: there is nothing to accept",
        (file, "shop.0009", *why): "has no result of 'shop.0009'",
        (file, "--all", "--until", "soon", *why): "'soon' is not a day as in 2027-02-28",
        (file, "--all", "--until", "2020-01-01", *why): "2020-01-01 is in the past",
        (file, "--prune", "--all"): "--prune takes RESULTS and --baseline only",
        (mixed, "--all", *why): "raises an error in one test and fails otherwise",
    }
    for arguments, message in refused.items():
        assert message in refusal(capsys, *arguments)
    assert not Path(FILE).exists()


def test_a_file_that_is_wrong_is_refused() -> None:
    accept(result())
    document = json.loads(Path(FILE).read_text())
    [entry] = document["accepted"]
    wrong = {
        "accepts shop.0002_backfill_total twice": {"accepted": [entry, entry]},
        "gives no reason for shop.0002": {"accepted": [{**entry, "reason": " "}]},
        "unknown field `untill`": {"accepted": [{**entry, "untill": "2027-01-01"}]},
        "accepted[0].until is": {"accepted": [{**entry, "until": "soon"}]},
        "accepted[0].verdict": {"accepted": [{**entry, "verdict": "fine"}]},
        "schema": {"schema": 2},
    }
    for message, changes in wrong.items():
        Path(FILE).write_text(json.dumps({**document, **changes}))
        with pytest.raises(BudgetError) as raised:
            read_baseline(FILE)
        assert message in str(raised.value)


def test_each_report_shows_what_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    found = accept(result()).applied_to(result(), TODAY)
    shown = Result.from_dict({**found.to_dict(), "outcome": "xfailed"})
    assert "exceeds (accepted)" in terminal.summary([shown], 120, color=False)[2]
    assert any(REASON in line for line in terminal.notes([shown]))
    text = markdown.markdown([shown])
    assert "exceeds (accepted)" in text
    assert REASON.replace("-", "\\-") in text or REASON in text
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    [command] = workflow_commands([shown])
    assert command.startswith("::notice title=shop.0002_backfill_total%3A exceeds (accepted)::")
    assert "OPS-812" in command
