"""What the reports call things: the words and figures of their tables, and their columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from pytest_membudget.judge.explanation import Advice, Line, Place
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.judge.projection import FURTHEST
from pytest_membudget.judge.result import Result, SampleFigures
from pytest_membudget.judge.verdict import Basis, Verdict
from pytest_membudget.units import (
    format_duration,
    format_interval,
    format_rows,
    format_seconds,
    format_size,
    round_rows_down,
)

# The columns of a table by name: what a cell holds; and those that are aligned to the left.
Columns = dict[str, Callable[[Any], Any]]
LEFT = ("", "migration", "database", "verdict", "line")

_WITHOUT_END = (None, Growth.CONSTANT, Growth.BOUNDED)
_FELT = 0.05


def migration(result: Result) -> str:
    return result.migration + (" (reverse)" if result.reverse else "")


def counted(result: Result) -> tuple[str, int]:
    """The model that figures a row count, with production's rows: the first of ``rows``."""
    return next(iter(result.rows.items()), ("", 0))


def sample_rows(result: Result, sample: SampleFigures) -> int:
    """The rows of a sample, of that model; a dry run may have some of other ones, or none."""
    return sample.rows.get(counted(result)[0], max(sample.rows.values(), default=0))


def rows(result: Result) -> str:
    return format_rows(counted(result)[1])


def limit(result: Result) -> str:
    return format_size(result.limit_bytes)


def limit_place(result: Result) -> list[str]:
    """``"the limit is that of deploy/job.yaml:14, …"`` where it is that of a file or container."""
    place, mark, _ = result.limit_source.partition(", set by ")
    return [f"the limit is that of {place}"] if mark else []


def vendor(result: Result) -> str:
    return result.database.vendor or ""


def peak(result: Result) -> str:
    """The peak with its interval, ``"4.9 GiB (4.8–5.0)"``; empty where it is not known."""
    value, low, high = result.peak_bytes, result.peak_low_bytes, result.peak_high_bytes
    if value is None:
        return ""
    if low is None or high is None:
        over = value > result.limit_bytes
        return f"over {format_size(value)}" if over else format_size(value)
    return format_interval(low, value, high)


def duration(result: Result) -> str:
    """How long it takes, with its interval, ``"57 min (52–63)"``; empty where it is not known."""
    value, low = result.projected_duration_s, result.projected_duration_low_s
    if value is None:
        return ""
    if low is None:  # of an earlier version
        return f"about {format_seconds(value)}"
    high = result.projected_duration_high_s
    return format_duration(low, value, inf if high is None else high)


def short_duration(result: Result) -> str:
    return duration(result).partition(" (")[0]


def server_peak(result: Result) -> str:
    """What it takes of the database server's memory; empty where that is not known."""
    value, low, high = (
        result.server_peak_bytes,
        result.server_peak_low_bytes,
        result.server_peak_high_bytes,
    )
    if value is None:
        return ""
    return format_size(value) if low is None or high is None else format_interval(low, value, high)


def short_peak(result: Result) -> str:
    if result.peak_bytes is None or result.peak_low_bytes is None:
        return peak(result)
    return ("" if result.basis == Basis.MEASURED else "~") + format_size(result.peak_bytes)


def headroom(result: Result) -> str:
    """What is left of the limit, negative where it is passed; empty where no peak is known."""
    peak_bytes = result.peak_bytes
    return signed_size(None if peak_bytes is None else result.limit_bytes - peak_bytes)


def signed_size(size: int | None, plus: str = "") -> str:
    if size is None:
        return ""
    sign = "-" if size < 0 else plus if size else ""
    return f"{sign}{format_size(abs(size))}"


def fits(result: Result) -> str:
    if result.fits_up_to_rows is None and result.verdict != Verdict.WITHIN:
        return ""
    if result.fits_up_to_rows is None and result.growth in _WITHOUT_END:
        return "any"
    if result.fits_up_to_rows is None:
        return f"> {format_rows(round_rows_down(FURTHEST * next(iter(result.rows.values()))))}"
    return format_rows(round_rows_down(result.fits_up_to_rows))


def verdict(result: Result) -> str:
    """``"exceeds"``, ``"exceeds (accepted)"``, or ``"… (xfail)"`` where a test was to fail."""
    if result.accepted is not None:
        return f"{result.verdict} (accepted)"
    expected = " (xfail)" if result.outcome == "xfailed" else ""
    return f"{result.verdict}{expected}"


def failing(result: Result) -> bool:
    """Whether the budget failed its test; an older JSON tells no outcome, but the verdict."""
    return result.verdict != Verdict.WITHIN and result.outcome in (None, "failed")


def place(line: Place) -> str:
    """``"shop/migrations/0002_x.py:9"``; what has no line has its name alone."""
    return line.file if line.line is None else f"{line.file}:{line.line}"


def frame(via: Place) -> str:
    """Where in a library a line of one's own ends: the place, the function and its source."""
    return ": ".join(filter(None, [f"{place(via)} {via.function}", via.source]))


def by_line(lines: Sequence[Line]) -> list[Line]:
    """Growth of each line as one, wherever in a library it happens; largest first."""
    merged: dict[tuple[str, int | None], Line] = {}
    for line in lines:
        at = line.file, line.line
        there = merged.get(at, replace(line, bytes_per_row=0, share=0.0))
        size, share = there.bytes_per_row + line.bytes_per_row, there.share + line.share
        merged[at] = replace(there, bytes_per_row=size, share=share)
    return sorted(merged.values(), key=lambda one: (one.line is None, -one.bytes_per_row))


def columns(results: Sequence[Result]) -> Columns:
    """Those of a table with one row for each budget."""
    found: Columns = {
        "migration": migration,
        "database": vendor,
        "rows": rows,
        "peak": peak,
        "limit": limit,
        "headroom": headroom,
        "fits up to": fits,
        "time": duration,
        "server": server_peak,
        "verdict": verdict,
    }
    if not several_vendors(results):
        del found["database"]
    if not any(result.max_duration_s for result in results):
        del found["time"]
    if not any(result.limit_server_bytes for result in results):
        del found["server"]
    return found


def several_vendors(results: Iterable[Result]) -> bool:
    return len({vendor(result) for result in results}) > 1


def measured(results: Iterable[Result]) -> list[Result]:
    """Those whose peak was measured with seeded rows, or is not known."""
    return [result for result in results if result.rows or not result.ok]


def skipped(results: Iterable[Result]) -> list[Result]:
    """Those that load no rows, whose peak was measured with a few rows or none."""
    return [result for result in results if result.ok and not result.rows]


def how_many_skipped(results: Iterable[Result]) -> str | None:
    """``"412 migrations access no table …"``; None where there is no such one."""
    if not (count := len(skipped(results))):
        return None
    noun, verb = ("migration", "accesses") if count == 1 else ("migrations", "access")
    return f"{count} {noun} {verb} no table whose size affects memory"


def by_headroom(results: Iterable[Result]) -> list[Result]:
    """Least headroom first, before it those of which no peak is known."""
    return sorted(
        results,
        key=lambda one: (0, 0) if one.peak_bytes is None else (1, one.limit_bytes - one.peak_bytes),
    )


def seconds(result: Result) -> str:
    """``"3.2 s: seeding 0.4, applying 2.1"``: what a check waited for."""
    parts = (f"{part} {its:.1f}" for part, its in vars(result.seconds).items() if its >= _FELT)
    return f"{format_seconds(result.duration_s)}: {', '.join(parts)}".removesuffix(": ")


def verdicts(results: Sequence[Result]) -> list[tuple[Verdict, int]]:
    """How many results bear each verdict, the worst first; those that none bears are left out."""
    names = [result.verdict for result in results]
    worst = (Verdict.ERROR, Verdict.EXCEEDS, Verdict.INCONCLUSIVE, Verdict.WITHIN)
    return [(name, names.count(name)) for name in worst if name in names]


def support(advice: Advice) -> str:
    """What a piece of advice would save, the peak that would remain, and how that is known."""
    saved, left = advice.bytes_per_row, advice.peak_bytes
    gain = [f"saves {saved:,} bytes a row"] if saved else []
    if left is not None:
        gain.append(f"lowers the peak to about {format_size(left)}")
    return "; ".join(filter(None, [" and ".join(gain), advice.evidence]))
