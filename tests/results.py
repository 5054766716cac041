"""Results as the reports are given them, and the same in the shape of the JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_membudget.finding import Finding, FindingCode
from pytest_membudget.judge.evidence import Database
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.result import Result, SampleFigures
from pytest_membudget.judge.verdict import Basis, Verdict
from pytest_membudget.sample import Outcome

MIB = 1024**2
FILE = "shop/migrations/0002_backfill_total.py"
SOURCE = 'Order.objects.bulk_update(orders, ["total"])'


def result(**changes: Any) -> Result:
    """A projected failure: 1,700,000 rows would peak at 1 GiB, and the limit is 512 MiB.

    ``changes`` are in the shape of the JSON.
    """
    return Result.from_dict(figures(**changes))


def passing(**changes: Any) -> Result:
    """A streaming migration that stays at 50 MiB."""
    return Result.from_dict(passing_figures(**changes))


LIMITED = {
    "max_duration_s": 900.0,
    "projected_duration_s": 3_420.0,
    "projected_duration_low_s": 2_280.0,
    "projected_duration_high_s": 4_980.0,
    "speed": 1.5,
    "limit_server_bytes": 4096 * MIB,
    "server_peak_bytes": 700 * MIB,
    "server_peak_low_bytes": 680 * MIB,
    "server_peak_high_bytes": 720 * MIB,
}
"""What a result has whose duration and whose server's memory have limits."""


def explained(**changes: Any) -> Result:
    """The failure, with growth by line and advice."""
    return Result.from_dict(explained_figures(**changes))


def write_results(path: Path, *results: Result | dict[str, Any]) -> str:
    """A file as --membudget-json writes it; its path."""
    environment = {"python": "3.13", "django": "6.1", "platform": "Linux"}
    plain = [one.to_dict() if isinstance(one, Result) else one for one in results]
    path.write_text(json.dumps({"schema": 1, "environment": environment, "results": plain}))
    return str(path)


def figures(**changes: Any) -> dict[str, Any]:
    timeline = tuple((0.1 * i, i * 10 * MIB) for i in range(1, 8))
    samples = tuple(
        SampleFigures(
            {"shop.Order": rows},
            peak,
            outcome=Outcome.FINISHED,
            duration_s=1.5,
            timeline=timeline,
        )
        for rows, peak in ((13_282, 58 * MIB), (26_563, 66 * MIB), (53_125, 82 * MIB))
    )
    made = Result(
        nodeid="test_budgets.py::test_backfill",
        migration="shop.0002_backfill_total",
        reverse=False,
        database=Database("default", "postgresql", "15.4"),
        rows={"shop.Order": 1_700_000},
        limit_bytes=512 * MIB,
        limit_source="the marker",
        verdict=Verdict.EXCEEDS,
        basis=Basis.PROJECTED,
        reason="shop.0002_backfill_total would peak at 1 GiB; the limit is 512 MiB.",
        findings=(
            Finding(FindingCode.ROW_WIDTHS, "average widths of the generated rows: 62 bytes a row"),
        ),
        peak_bytes=1024 * MIB,
        peak_low_bytes=1000 * MIB,
        peak_high_bytes=1050 * MIB,
        bytes_per_row=632,
        growth=Growth.LINEAR,
        fits_up_to_rows=765_432,
        duration_s=12.0,
        projected_duration_s=48.0,
        samples=samples,
    )
    return {**made.to_dict(), **changes}


def passing_figures(**changes: Any) -> dict[str, Any]:
    changed = {
        "nodeid": "test_budgets.py::test_stream",
        "migration": "shop.0003_stream",
        "verdict": "within",
        "reason": "shop.0003_stream would peak at 50 MiB; the limit is 512 MiB.",
        "peak_bytes": 50 * MIB,
        "peak_low_bytes": 49 * MIB,
        "peak_high_bytes": 51 * MIB,
        "bytes_per_row": 0,
        "growth": "constant",
        "fits_up_to_rows": None,
    }
    return figures(**{**changed, **changes})


def explained_figures(**changes: Any) -> dict[str, Any]:
    return figures(
        **{
            "files": [FILE],
            "attribution": [
                _line(400, 0.6, 9, "django/db/models/query.py", "bulk_update", "When(pk=obj.pk)"),
                _line(150, 0.25, 9, "django/db/models/base.py", "from_db", "new = cls(*values)"),
                {
                    "file": "<allocator>",
                    "line": None,
                    "function": "rounded sizes, pools, arenas",
                    "bytes_per_row": 50,
                    "share": 0.08,
                    "bytes": 85_000_000,
                    "source": "",
                    "via": None,
                    "kind": "allocator",
                },
            ],
            "attribution_note": "7% of the growth has no line",
            "advice": [
                {
                    "code": "iterator",
                    "message": f"{FILE}:9 holds every order; write in batches.",
                    "evidence": "tried: it peaked at 47 MiB instead of 197 MiB",
                    "file": FILE,
                    "line": 9,
                    "bytes_per_row": 500,
                    "peak_bytes": 47 * MIB,
                    "tried": True,
                }
            ],
            **changes,
        }
    )


def _line(a_row: int, share: float, line: int, file: str, name: str, code: str) -> dict[str, Any]:
    return {
        "file": FILE,
        "line": line,
        "function": "forwards",
        "bytes_per_row": a_row,
        "share": share,
        "bytes": a_row * 1_700_000,
        "source": SOURCE,
        "via": {"file": file, "line": 913, "function": name, "source": code},
        "kind": "python",
    }
