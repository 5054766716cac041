"""What a gate's dry runs told, with no sample of production's rows."""

from __future__ import annotations

from results import figures, result

from pytest_membudget.reports.failure import failure
from pytest_membudget.reports.html import html
from pytest_membudget.reports.markdown import markdown
from pytest_membudget.reports.terminal import summary


def test_every_report_shows_what_dry_runs_told() -> None:
    samples = [
        {**one, "rows": rows}
        for one, rows in zip(figures()["samples"][:2], ({}, {"shop.Line": 20}), strict=True)
    ]
    for verdict in ("exceeds", "within"):
        shown = result(rows={}, samples=samples, verdict=verdict, basis="measured", growth=None)
        text = failure(shown, verbosity=1)
        assert text.startswith(shown.reason)
        assert "20 66 MiB" in " ".join(text.split())
        assert "shop.0002_backfill_total" in html([shown], [], {})
        for lines in (markdown([shown]), "".join(summary([shown], 120, color=False))):
            assert ("shop.0002_backfill_total" in lines) == (verdict == "exceeds")
