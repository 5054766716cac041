"""``membudget explain``: what it refuses before it starts anything, and what it asks for."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from results import passing, result

from pytest_membudget.cli.main import main
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.document import write_json


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The arguments of each run of pytest, none of which is started."""
    found = []

    def start(_: Namespace, *arguments: str) -> int:
        found.append(arguments)
        return 1

    monkeypatch.setattr("pytest_membudget.cli.explain.run_pytest", start)
    return found


def results_file(folder: Path, *results: Result) -> str:
    path = str(folder / "results.json")
    write_json(results, path)
    return path


ERROR = result(migration="shop.0004_broken", verdict="error")
TWICE = [result(nodeid="test_a.py::test_few"), result(nodeid="test_a.py::test_many")]
DEPLOY = "shop.0002_backfill_total … and 4 more"
REFUSED: dict[str, tuple[Sequence[Result], str, str]] = {
    "not there": ([result()], "shop.0009", "no result of 'shop.0009'; it has shop.0002_backfill"),
    "of no app": ([result()], "shop", "no result of 'shop'"),
    "in no result": ([], "shop.0002", "no result of 'shop.0002'; it has none"),
    "passing": ([passing()], "shop.0003", "shop.0003_stream has the verdict within"),
    "several": ([result(), passing()], "shop.000", "write more of the name"),
    "in several tests": (TWICE, "shop.0002", "test_a.py::test_few, test_a.py::test_many"),
    "broken": ([ERROR], "shop.0004_broken", "has the verdict error"),
    "without rows": ([result(rows={})], "shop.0002", "no rows that could add"),
    "of an older version": ([result(migration=DEPLOY)], "shop.0002", "is of an older version"),
}


@pytest.mark.parametrize(("results", "what", "words"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_explained_starts_nothing(
    results: Sequence[Result],
    what: str,
    words: str,
    tmp_path: Path,
    runs: list[tuple[str, ...]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["explain", results_file(tmp_path, *results), what])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err
    assert runs == []


WRONG = {
    '{"schema": 1, "tables": {}}': "does not contain results",
    '{"schema": 7, "results": []}': "schema 7",
    "[": "results.json",
}


@pytest.mark.parametrize(("text", "words"), WRONG.items())
def test_a_file_that_is_not_ours(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(SystemExit) as stopped:
        main(["explain", str(path), "shop.0002"])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


def test_the_results_are_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = results_file(tmp_path, result())
    with pytest.raises(SystemExit):
        main(["explain", file, "shop.0002", f"--json={tmp_path}/../{tmp_path.name}/results.json"])
    assert "--json would replace" in capsys.readouterr().err


def asked(runs: Sequence[Sequence[str]]) -> dict[str, Any]:
    given = next(one for one in runs[0] if one.startswith("--membudget-explain="))
    return dict(json.loads(given.partition("=")[2]))


SEEDED = result(
    migrations=["shop.0002_backfill_total", "shop.0003_more"],
    migration=DEPLOY,
    seed="shop.seeds.orders",
    grow=True,
    reverse=True,
    time_budget_s=25.0,
)


def test_all_that_the_check_had_comes_from_the_file(
    tmp_path: Path, runs: list[tuple[str, ...]]
) -> None:
    file = results_file(tmp_path, SEEDED)
    assert main(["explain", file, "shop.0002", "--time-budget=90"]) == 1
    assert asked(runs) == {
        "nodeid": "test_budgets.py::test_backfill",
        "marker": {
            "migration": ["shop.0002_backfill_total", "shop.0003_more"],
            "rows": {"shop.Order": 1_700_000},
            "limit": 512 * 1024**2,
            "database": "default",
            "seed": "shop.seeds.orders",
            "grow": True,
            "reverse": True,
            "time_budget": 25.0,
        },
        "explaining": 90.0,
    }


@pytest.mark.parametrize("what", ["shop.0002", "test_a.py::test_many"])
def test_the_failure_is_found_beside_others(
    what: str, tmp_path: Path, runs: list[tuple[str, ...]]
) -> None:
    """By its migration where that passed in other tests, or by the test."""
    others = [passing(migration="shop.0002_backfill_total"), passing()]
    failures = TWICE[1:] if what.startswith("shop") else TWICE
    assert main(["explain", results_file(tmp_path, *others, *failures), what]) == 1
    assert asked(runs)["nodeid"] == "test_a.py::test_many"
