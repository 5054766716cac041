"""SARIF, GitLab's Code Quality and OpenMetrics, as their own parsers and schemas read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from results import FILE, MIB, explained, passing, result, write_results
from sarif_pydantic import Sarif

from pytest_membudget.cli.main import main
from pytest_membudget.judge.result import Result
from pytest_membudget.reports.code_quality import code_quality
from pytest_membudget.reports.open_metrics import open_metrics
from pytest_membudget.reports.sarif import sarif

ACCEPTED = {"reason": "known", "accepted": "2026-11-28", "until": None}
HOSTILE = 'a\\b"c\nd\x00e\ud800{}# TYPE x'
SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def failures() -> list[Result]:
    return [
        explained(),
        result(nodeid="unclear", verdict="inconclusive", files=["shop/migrations/0009 ü.py"]),
        result(nodeid="passed", verdict="inconclusive", files=[FILE], outcome="passed"),
        result(nodeid="known", files=[FILE], outcome="xfailed", accepted=ACCEPTED),
        result(nodeid="no file"),
        result(nodeid=HOSTILE, migration=HOSTILE, reason=HOSTILE, files=[HOSTILE]),
        passing(),
    ]


def test_sarif() -> None:
    document = json.loads(sarif(failures()))
    Sarif.model_validate(document)
    [run] = document["runs"]
    rules = {one["id"] for one in run["tool"]["driver"]["rules"]}
    assert {one["ruleId"] for one in run["results"]} <= rules
    first, unclear, passed, known, no_file, _ = run["results"]
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": FILE, "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 9},
            }
        }
    ]
    assert "write in batches" in first["message"]["text"]
    assert [one["level"] for one in (first, unclear, passed)] == ["error", "warning", "note"]
    [suppression] = known["suppressions"]
    assert "known" in suppression["justification"]
    where = unclear["locations"][0]["physicalLocation"]["artifactLocation"]
    assert where["uri"] == "shop/migrations/0009%20%C3%BC.py"
    assert "locations" not in no_file
    assert len({one["partialFingerprints"]["membudget/v1"] for one in run["results"]}) == 6


def test_code_quality() -> None:
    issues = json.loads(code_quality(failures()))
    keys = {"description", "check_name", "fingerprint", "severity", "location"}
    for issue in issues:
        assert set(issue) == keys
        assert issue["severity"] in SEVERITIES
        assert isinstance(issue["location"]["lines"]["begin"], int)
    assert issues[0]["location"] == {"path": FILE, "lines": {"begin": 9}}
    severities = [one["severity"] for one in issues]
    assert severities == ["critical", "major", "info", "info", "critical"]
    assert len({one["fingerprint"] for one in issues}) == len(issues)


def test_a_fingerprint_stays_when_the_figures_change() -> None:
    both = [explained(), explained(verdict="inconclusive", peak_bytes=1040 * MIB, reason="other")]
    assert len({json.loads(code_quality([one]))[0]["fingerprint"] for one in both}) == 1


def test_paths_are_those_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))
    (tmp_path / "backend").mkdir()
    monkeypatch.chdir(tmp_path / "backend")
    [issue] = json.loads(code_quality([explained()]))
    assert issue["location"]["path"] == f"backend/{FILE}"


def samples(results: list[Result]) -> dict[str, list[Any]]:
    families = text_string_to_metric_families(open_metrics(results))
    return {family.name: family.samples for family in families}


def test_open_metrics() -> None:
    found = samples([*failures(), passing(peak_bytes=50 * MIB + 1)])
    assert set(found) == {
        f"membudget_{name}"
        for name in (
            *("peak_bytes", "limit_bytes", "bytes_per_row", "rows", "fits_up_to_rows"),
            *("duration_seconds", "server_peak_bytes", "within"),
        )
    }
    first = found["membudget_peak_bytes"][0]
    assert first.value == 1024 * MIB
    assert first.labels == {
        "migration": "shop.0002_backfill_total",
        "database": "postgresql",
        "test": "test_budgets.py::test_backfill",
    }
    # The later result of a test counts, and each label is the text that it was.
    assert found["membudget_peak_bytes"][-1].value == 50 * MIB + 1
    hostile = HOSTILE.replace("\ud800", r"\ud800").replace("\x00", r"\x00")
    assert hostile in [one.labels["test"] for one in found["membudget_within"]]
    assert [one.value for one in found["membudget_within"]] == [0] * 6 + [1]


def test_what_is_not_known_is_left_out() -> None:
    unknown = dict.fromkeys(("peak_bytes", "peak_low_bytes", "peak_high_bytes", "bytes_per_row"))
    found = samples([result(**unknown, verdict="error")])
    assert found["membudget_peak_bytes"] == []
    assert len(found["membudget_limit_bytes"]) == 1
    assert json.loads(sarif([]))["runs"][0]["results"] == []
    assert json.loads(code_quality([passing()])) == []
    assert open_metrics([]).endswith("# EOF\n")


def test_the_command_writes_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_results(tmp_path / "results.json", explained())
    paths = {name: tmp_path / "out" / name for name in ("sarif", "code-quality", "openmetrics")}
    arguments = [f"--{name}={path}" for name, path in paths.items()]
    assert main(["report", file, *arguments]) == 0
    assert all(path.stat().st_size > 100 for path in paths.values())
    with pytest.raises(SystemExit):
        main(["report", "--compare", file, file, arguments[1]])
    assert "--compare can't be used with --code-quality" in capsys.readouterr().err
