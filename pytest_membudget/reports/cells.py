"""What the reports call things: the words and figures that their tables are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pytest_membudget.units import format_interval, format_rows, format_size, round_rows_down

WITHIN, INCONCLUSIVE = "within", "inconclusive"
_NOTED_ALWAYS = {
    "access-refused",
    "access-refused-before",
    "async-code",
    "code-left-out",
    "code-not-run",
    "routed-elsewhere",
    "broke-at-scale",
    "rows-untouched",
    "debug-on",
    "time-superlinear",
    "peak-set-by",
    "breaks-in",
}


def migration(result: dict[str, Any]) -> str:
    return str(result["migration"]) + (" (reverse)" if result["reverse"] else "")


def counted(result: dict[str, Any]) -> tuple[str, int]:
    """The model that figures a row count, with production's rows: the first of ``rows``."""
    model, rows = next(iter(result["rows"].items()), ("", 0))
    return str(model), int(rows)


def sample_rows(result: dict[str, Any], sample: dict[str, Any]) -> int:
    """The rows of a sample, of that model; a dry run may have some of other ones, or none."""
    counts = sample["rows"]
    return int(counts.get(counted(result)[0], max(counts.values(), default=0)))


def rows(result: dict[str, Any]) -> str:
    return format_rows(counted(result)[1])


def limit(result: dict[str, Any]) -> str:
    return format_size(result["limit_bytes"])


def vendor(result: dict[str, Any]) -> str:
    return str(result["database"]["vendor"] or "")


def peak(result: dict[str, Any]) -> str:
    """The peak with its interval, ``"4.9 GiB (4.8–5.0)"``; empty where it is not known."""
    value, low, high = (result[f"peak{part}_bytes"] for part in ("", "_low", "_high"))
    if value is None:
        return ""
    if low is None:
        over = value > result["limit_bytes"]
        return f"over {format_size(value)}" if over else format_size(value)
    return format_interval(low, value, high)


def short_peak(result: dict[str, Any]) -> str:
    if result["peak_low_bytes"] is None:
        return peak(result)
    about = "" if result["basis"] == "measured" else "~"
    return about + format_size(result["peak_bytes"])


def headroom_bytes(result: dict[str, Any]) -> int | None:
    """What is left of the limit, negative where it is passed; None where no peak is known."""
    if result["peak_bytes"] is None:
        return None
    return int(result["limit_bytes"] - result["peak_bytes"])


def headroom(result: dict[str, Any]) -> str:
    left = headroom_bytes(result)
    return "" if left is None else signed_size(left)


def signed_size(size: int, plus: str = "") -> str:
    sign = "-" if size < 0 else plus if size else ""
    return f"{sign}{format_size(abs(size))}"


def fits(result: dict[str, Any]) -> str:
    if result["fits_up_to_rows"] is None:
        return "any" if result["verdict"] == WITHIN else ""
    return format_rows(round_rows_down(result["fits_up_to_rows"]))


def verdict(result: dict[str, Any]) -> str:
    """``"exceeds"``, and ``"exceeds (xfail)"`` where the test was expected to fail."""
    expected = " (xfail)" if result.get("outcome") == "xfailed" else ""
    return f"{result['verdict']}{expected}"


def failing(result: dict[str, Any]) -> bool:
    """Whether the budget failed its test; an older JSON tells no outcome, but the verdict."""
    return bool(result["verdict"] != WITHIN and result.get("outcome", "failed") == "failed")


def place(line: dict[str, Any]) -> str:
    """``"shop/migrations/0002_x.py:9"``; what has no line has its name alone."""
    return str(line["file"]) if line["line"] is None else f"{line['file']}:{line['line']}"


def frame(via: dict[str, Any]) -> str:
    """Where in a library a line of one's own ends: the place, the function and its source."""
    return ": ".join(filter(None, [f"{place(via)} {via['function']}", via.get("source")]))


def by_line(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Growth of each line as one, wherever in a library it happens; largest first."""
    merged: dict[tuple[str, int | None], dict[str, Any]] = {}
    for line in lines:
        there = merged.get((line["file"], line["line"]))
        added = {
            name: line[name] + (there[name] if there else 0) for name in ("bytes_per_row", "share")
        }
        merged[line["file"], line["line"]] = {**(there or line), **added}
    own = sorted(merged.values(), key=lambda one: -one["bytes_per_row"])
    return sorted(own, key=lambda one: one["line"] is None)


def several_vendors(results: Iterable[dict[str, Any]]) -> bool:
    return len({vendor(result) for result in results}) > 1


def measured(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those without the ones that a gate could pass with a few rows or none."""
    return [result for result in results if not _is_skipped(result)]


def skipped(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that take no rows into the process, so that a few rows or none told their peak."""
    return [result for result in results if _is_skipped(result)]


def how_many_skipped(results: Iterable[dict[str, Any]]) -> str | None:
    """``"412 migrations take no rows that could add up …"``; None where there is no such one."""
    count = len(skipped(results))
    if not count:
        return None
    noun, verb = ("migration", "takes") if count == 1 else ("migrations", "take")
    return f"{count} {noun} {verb} no rows that could add up into the process"


def _is_skipped(result: dict[str, Any]) -> bool:
    return result["verdict"] == WITHIN and not result["rows"]


def by_headroom(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Least headroom first, before it those of which no peak is known."""

    def key(result: dict[str, Any]) -> tuple[bool, int]:
        left = headroom_bytes(result)
        return (left is not None, left or 0)

    return sorted(results, key=key)


def noted(result: dict[str, Any], *, everything: bool) -> list[str]:
    """The findings that a reader has to know, or all of them."""
    return [
        str(finding["message"])
        for finding in result["findings"]
        if everything or finding["code"] in _NOTED_ALWAYS
    ]


def verdicts(results: Sequence[dict[str, Any]]) -> list[tuple[str, int]]:
    """How many results bear each verdict, the worst first; those that none bears are left out."""
    names = [result["verdict"] for result in results]
    known = ("error", "exceeds", "inconclusive", "within")
    return [(name, names.count(name)) for name in known if name in names]


def gain(advice: dict[str, Any]) -> str:
    """What a piece of advice would save, and the peak that would remain; empty if unknown."""
    saved, left = advice.get("bytes_per_row"), advice.get("peak_bytes")
    parts = [f"saves {saved:,} bytes a row"] if saved else []
    if left is not None:
        parts.append(f"would leave a peak of about {format_size(left)}")
    return " and ".join(parts)


def support(advice: dict[str, Any]) -> str:
    """What stands behind a piece of advice: what it gives, and how that is known."""
    return "; ".join(filter(None, [gain(advice), advice.get("evidence")]))
