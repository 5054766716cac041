"""``membudget trend``: results of several runs, by date."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from results import MIB, figures, passing_figures

from pytest_membudget.cli.main import main

OTHER = {"nodeid": "other", "migration": "shop.0004_other"}
GROWING = {"nodeid": "growing", "migration": "shop.0005_growing", "bytes_per_row": 200}


def of(peak: int, rows: int, fits: int | None, **changes: Any) -> dict[str, Any]:
    ends = {"peak_bytes": peak * MIB, "peak_low_bytes": peak * MIB, "peak_high_bytes": peak * MIB}
    rest = {"rows": {"shop.Order": rows}, "fits_up_to_rows": fits, "duration_s": peak / 7}
    return passing_figures(**{**ends, **rest, **changes})


class Runs:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys
        self.files: list[str] = []

    def add(self, day: str | None, *results: dict[str, Any]) -> Path:
        path = self._folder / f"{len(self.files)}.json"
        document: dict[str, Any] = {"schema": 1, "results": results}
        if day is not None:
            document["created"] = f"{day}T12:00:00Z"
        path.write_text(json.dumps(document))
        self.files.append(str(path))
        return path

    def trend(self, *arguments: str) -> list[str]:
        assert main(["trend", *self.files, *arguments]) == 0
        lines = self._capsys.readouterr().out.splitlines()
        return [re.sub("  +", " | ", line.strip()) for line in lines if line.strip(" ─")]


@pytest.fixture
def runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Runs:
    monkeypatch.setenv("COLUMNS", "140")
    return Runs(tmp_path, capsys)


def test_what_comes_closer_is_shown_with_the_month_in_which_it_passes(runs: Runs) -> None:
    runs.add("2026-10-01", of(200, 1_000_000, 2_400_000, **GROWING), of(50, 10, None, **OTHER))
    runs.add("2026-11-01", of(220, 1_100_000, 2_400_000, **GROWING), of(50, 11, None, **OTHER))
    head, row, *rest = runs.trend()
    assert head == "migration | runs | rows | growth | peak | of the limit | passes it"
    assert row == (
        "shop.0005_growing | 2 | 1,000,000 → 1,100,000 | 9.8% a month | 200 MiB → 220 MiB | "
        "39% → 43% | 2027-07, about 8 months"
    )
    assert rest == ["2026-10-01 to 2026-11-01", "1 migration comes no closer to the limit"]
    assert len(runs.trend("--all")) == 4


def test_the_stated_growth_comes_first(runs: Runs) -> None:
    runs.add("2026-10-01", of(200, 1_000_000, 2_000_000, **GROWING), of(60, 8, 16, **OTHER))
    runs.add("2026-11-01", of(220, 1_100_000, 2_000_000, **GROWING))
    for growth in ("shop.Order=+3%/month", "3% a month"):
        lines = runs.trend("--growth", growth)
        assert lines[1].endswith("39% → 43% | 2028-07, about 20 months")
        assert "| 3% a month |" in lines[1] or "| +3%/month |" in lines[1]
        # One run is enough where the growth is stated.
        assert lines[2].startswith("shop.0004_other | 1 | 8 |")


def test_what_exceeds_is_said_and_comes_first(runs: Runs) -> None:
    runs.add("2026-10-01", of(200, 1_000_000, 2_400_000, **GROWING), figures(fits_up_to_rows=765))
    runs.add("2026-11-01", of(300, 1_500_000, 2_400_000, **GROWING))
    lines = runs.trend("--growth", "3%/month")
    assert lines[1].startswith("shop.0002_backfill_total | 1 |")
    assert lines[1].endswith("| 1 GiB | 200% | exceeds")


def test_no_result_counts_twice(runs: Runs) -> None:
    result = of(200, 1_000_000, 2_400_000, **GROWING)
    for _ in range(2):
        runs.add("2026-10-01", result)
    runs.add("2026-11-01", result)
    runs.files.append(runs.files[0])
    assert "| 1 | 1,000,000 |" in runs.trend("--growth", "3%/month")[1]


def test_a_file_without_a_date_has_that_of_its_last_change(runs: Runs) -> None:
    newer = runs.add(None, of(220, 1_100_000, 2_400_000, **GROWING))
    older = runs.add(None, of(200, 1_000_000, 2_400_000, **GROWING))
    for path, day in ((newer, "2026-11-01"), (older, "2026-10-01")):
        seconds = datetime.fromisoformat(day).replace(tzinfo=timezone.utc).timestamp()
        os.utime(path, (seconds, seconds))
    lines = runs.trend()
    assert "200 MiB → 220 MiB" in lines[1]
    assert lines[2] == "2026-10-01 to 2026-11-01"


def test_what_has_no_peak_or_shrinks_is_left_out(runs: Runs) -> None:
    unknown = dict.fromkeys(("peak_bytes", "peak_low_bytes", "peak_high_bytes"))
    runs.add("2026-10-01", of(200, 9, None, **GROWING), figures(**unknown, verdict="error"))
    runs.add("2026-11-01", of(150, 8, 12, **GROWING))
    assert runs.trend() == ["2026-10-01 to 2026-11-01", "1 migration comes no closer to the limit"]


def test_growth_that_passes_only_in_centuries_is_none(runs: Runs) -> None:
    runs.add("2026-10-01", of(200, 1_000_000, 16_000_000, **GROWING))
    assert len(runs.trend("--growth", "0.001% a year")) == 2


@pytest.mark.parametrize(
    ("growth", "message"),
    [
        ("shop.Order=lots", "--growth: 'lots' is not a growth rate"),
        ("Order=3%/month", "--growth: 'Order' is not a model"),
        ("shop.Line=3%/month", "no result counts rows of 'shop.Line'; they: shop.Order"),
    ],
)
def test_wrong_growth(
    runs: Runs, capsys: pytest.CaptureFixture[str], growth: str, message: str
) -> None:
    runs.add("2026-10-01", of(200, 9, 12, **GROWING))
    with pytest.raises(SystemExit) as stopped:
        runs.trend("--growth", growth)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
