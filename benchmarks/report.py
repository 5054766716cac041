"""Re-create the tables and the plots from the figures that are kept in results/.

    python benchmarks/report.py

It writes benchmarks/RESULTS.md and docs/calibration.svg.
"""

from __future__ import annotations

import io
import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from goals import gives_a_peak, is_close, is_covered, is_right, is_wrong
from lab import HERE, RESULTS
from peers import PEERS, predictions
from plots import draw
from replay import sample_of
from rich import box
from rich.console import Console
from rich.table import Table

from pytest_membudget.judge.curves import curves
from pytest_membudget.judge.projection import project_highest
from pytest_membudget.units import MIB

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# The limits so close to the truth that a check has to use the time that it has.
NEAR = ("0.9", "1.1")
# Other tools get the samples of up to production's row count over this.
FAR = 16


@dataclass(frozen=True)
class Check:
    """One check with the truth that it is held against."""

    migration: str
    share: str
    figures: dict[str, Any]
    truth: dict[str, Any]

    @property
    def error(self) -> float:
        return float(self.figures["peak_bytes"] / self.truth["peak"] - 1)

    @property
    def takes_seconds(self) -> bool:
        """Whether it takes so long at full size that its duration had to be projected."""
        projected = self.figures["basis"] == "projected" and self.figures["projected_duration_s"]
        return bool(projected) and self.truth["duration"] > 2

    @property
    def duration_ratio(self) -> float:
        return float(self.figures["projected_duration_s"] / self.truth["duration"])

    @property
    def half_width(self) -> float:
        width = self.figures["peak_high_bytes"] - self.figures["peak_low_bytes"]
        return float(width / 2 / self.truth["peak"])


def load(name: str, database: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}_{database}.json"
    return json.loads(path.read_text()) if path.exists() else None


def checks_of(document: dict[str, Any]) -> list[Check]:
    return [
        Check(migration, share, figures, case["curve"][-1])
        for migration, case in document["cases"].items()
        if case["curve"][-1]["outcome"] == "finished"
        for share, figures in case["checks"].items()
    ]


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, the first column to the left and the others to the right."""
    shown = Table(box=box.MARKDOWN)
    for number, column in enumerate(columns):
        shown.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*map(str, row))
    file = io.StringIO()
    Console(file=file, width=400).print(shown)
    return "\n".join(line.rstrip() for line in file.getvalue().strip().splitlines())


def sections() -> Iterator[str]:
    yield "# Results\n\nWritten by `python benchmarks/report.py` from the figures in results/."
    for database, name in DATABASES.items():
        document = load("accuracy", database)
        if document is not None:
            yield f"## {name}\n\n{circumstances(document)}"
            checks = checks_of(document)
            yield f"### Goals\n\n{goals(checks)}"
            yield f"### Other tools, given the same samples\n\n{peers(document)}"
            yield f"### Verdicts\n\n{verdicts(checks)}"
            yield f"### Where the time of a check goes\n\n{spent(checks)}"
            yield f"### Each migration\n\n{each(document)}"
            broken = list(broken_at_scale(document))
            if broken:
                yield "\n".join(broken)
        for title, about in (("kernel", kernel), ("repeat", repeat), ("overhead", overhead)):
            kept = load(title, database)
            if kept is not None:
                yield about(kept)
        for title, about in (("cost", cost), ("endurance", endurance)):
            kept = load(title, database)
            if kept is not None:
                yield about(kept)

    seeded = RESULTS / "seeding.json"
    if seeded.exists():
        yield seeding(json.loads(seeded.read_text()))


def circumstances(document: dict[str, Any]) -> str:
    """Of the whole, and what is different for migrations that were measured later."""
    whole = document["circumstances"]
    parts = [", ".join(f"{name} {value}" for name, value in whole.items())]
    later: dict[str, list[str]] = {}
    for migration, case in document.get("cases", {}).items():
        own = case.get("circumstances", {})
        text = ", ".join(f"{name} {own[name]}" for name in own if own[name] != whole.get(name))
        if text:
            later.setdefault(text, []).append(migration)
    parts += [f"{text}: {', '.join(names)}" for text, names in later.items()]
    return "\n\n".join(parts)


def goals(checks: list[Check]) -> str:
    given = [check for check in checks if gives_a_peak(check.figures)]
    near = [check for check in checks if check.share in NEAR]
    errors = sorted(abs(check.error) for check in given)
    close = sum(is_close(check.figures, check.truth["peak"]) for check in given)
    covered = sum(is_covered(check.figures, check.truth["peak"]) for check in given)
    wrong = [check for check in checks if is_wrong(check.figures, float(check.share))]
    unsure = [check for check in near if check.figures["verdict"] == "inconclusive"]
    slow = [check for check in checks if check.truth["duration"] > 150]
    share = max((one.figures["duration_s"] / one.truth["duration"] for one in slow), default=0)
    factors = sorted(
        max(one.duration_ratio, 1 / one.duration_ratio) for one in checks if one.takes_seconds
    )
    rows = [
        ("projected peak within 3 % or 6 MiB", "all", f"{close} of {len(given)}"),
        ("median error", "0.5 %", f"{statistics.median(errors):.2%}"),
        ("90th percentile of the error", "", f"{errors[len(errors) * 9 // 10]:.2%}"),
        ("worst error", "", f"{errors[-1]:.1%}"),
        ("the interval holds the truth", "95 %", f"{covered} of {len(given)}"),
        (
            "median half-width of the interval",
            "4 %",
            f"{statistics.median(check.half_width for check in given):.2%}",
        ),
        ("wrong verdicts", "0", len(wrong)),
        ("inconclusive at 0.9 and 1.1", "5 %", f"{len(unsure)} of {len(near)}"),
        (
            "longest check",
            "60 s",
            f"{max(check.figures['duration_s'] for check in checks):.0f} s",
        ),
        (
            "most of the full run's time, where that takes over 150 s",
            "10 %",
            f"{share:.0%} ({len(slow)} checks)",
        ),
        (
            "projected duration is off by a factor of: median, 90th percentile",
            "",
            f"{statistics.median(factors):.2f}, {factors[len(factors) * 9 // 10]:.2f}",
        ),
    ]
    return table(("figure", "goal", "measured"), rows)


def peers(document: dict[str, Any]) -> str:
    """Each tool's error when it is given what was measured up to a sixteenth of production."""
    errors: dict[str, list[float]] = {name: [] for name in ("pytest-membudget", *PEERS)}
    for case in document["cases"].values():
        truth = case["curve"][-1]
        known = [one for one in case["curve"] if one["rows"] <= truth["rows"] / FAR]
        if truth["outcome"] != "finished":
            continue
        ours = project_highest(curves([sample_of(one) for one in known]), truth["rows"])
        assert ours is not None
        points = [(one["rows"], one["peak"]) for one in known]
        predicted = {"pytest-membudget": ours.value, **predictions(points, truth["rows"])}
        for name, peak in predicted.items():
            errors[name].append(abs(peak / truth["peak"] - 1))
    rows = []
    for name, found in errors.items():
        found.sort()
        within = [sum(error <= most for error in found) for most in (0.05, 0.03)]
        tenth = found[len(found) * 9 // 10]
        figures = (statistics.median(found), tenth, found[-1])
        shares = (f"{count} of {len(found)}" for count in within)
        rows.append((name, *(f"{figure:.1%}" for figure in figures), *shares))
    return table(("tool", "median", "90th percentile", "worst", "within 5 %", "within 3 %"), rows)


def verdicts(checks: list[Check]) -> str:
    rows = []
    for share in dict.fromkeys(check.share for check in checks):
        at = [check for check in checks if check.share == share]
        right = sum(is_right(check.figures, float(share)) for check in at)
        wrong = sum(is_wrong(check.figures, float(share)) for check in at)
        unsure = sum(check.figures["verdict"] == "inconclusive" for check in at)
        seconds = statistics.median(check.figures["duration_s"] for check in at)
        rows.append((share, len(at), right, wrong, unsure, f"{seconds:.0f} s"))
    columns = ("limit / truth", "checks", "right", "wrong", "inconclusive", "median time")
    return table(columns, rows)


def spent(checks: list[Check]) -> str:
    """Shares of the time of all checks; seeding that a running sample hides is not counted."""
    total = sum(check.figures["duration_s"] for check in checks)
    samples = [sample for check in checks for sample in check.figures["samples"]]
    applying = sum(sample["duration"] for sample in samples)
    starting = sum(sample["startup"] for sample in samples)
    seeding = sum(sample["seeding"] for sample in samples)
    rows = [
        ("the migration itself", f"{applying / total:.0%}"),
        (f"starting {len(samples):,} processes", f"{starting / total:.0%}"),
        ("seeding, part of it while a sample ran", f"{seeding / total:.0%}"),
        (
            "cloning, dropping and the rest",
            f"{max(0, 1 - (applying + starting + seeding) / total):.0%}",
        ),
        ("start of one process", f"{statistics.median(s['startup'] for s in samples):.2f} s"),
    ]
    return table(("", "share of the time"), rows)


def seeding(document: dict[str, Any]) -> str:
    databases = document["databases"]
    rows = [
        (way, *(f"{databases[name]['rates'][way]:,.0f}" for name in databases))
        for way in next(iter(databases.values()))["rates"]
    ]
    names = (DATABASES[name] for name in databases)
    return f"## Rows seeded a second\n\n{table(('way', *names), rows)}"


def each(document: dict[str, Any]) -> str:
    """The check that has to use its time, with the limit at 1.1 times the truth."""
    rows = []
    for migration, case in document["cases"].items():
        truth, one = case["curve"][-1], case["checks"].get("1.1")
        if one is None or truth["outcome"] != "finished" or one["peak_bytes"] is None:
            continue
        low, high = one["peak_low_bytes"], one["peak_high_bytes"]
        rows.append(
            (
                migration,
                f"{truth['rows']:,}",
                f"{one['samples'][-1]['rows']:,}",
                f"{one['peak_bytes'] / MIB:.1f}",
                f"{low / MIB:.0f}–{high / MIB:.0f}" if low else "",
                f"{truth['peak'] / MIB:.1f}",
                f"{one['peak_bytes'] / truth['peak'] - 1:+.1%}",
                one["verdict"],
                f"{one['duration_s']:.0f} s",
                f"{truth['duration']:.0f} s",
            )
        )
    columns = ("migration", "rows", "largest sample", "projected MiB", "interval", "measured MiB")
    return table((*columns, "error", "limit 1.1 ×", "check", "full run"), rows)


def broken_at_scale(document: dict[str, Any]) -> Iterator[str]:
    for migration, case in document["cases"].items():
        if case["curve"][-1]["outcome"] != "finished":
            said = {share: one["verdict"] for share, one in case["checks"].items()}
            yield f"`{migration}` breaks at {case['curve'][-1]['rows']:,} rows; checked: {said}"


def kernel(document: dict[str, Any]) -> str:
    rows = [
        (
            row["migration"],
            f"{row['peak_bytes'] / MIB:.1f}",
            f"{row['anonymous_bytes'] / MIB:.1f}",
            *("killed" if status == -9 else "lived" for status in row["statuses"].values()),
        )
        for row in document["rows"]
    ]
    columns = ("migration", "projected MiB", "of it the kernel acts on", "at 1.1 ×", "at 0.9 ×")
    return f"### The kernel's verdict\n\n{table(columns, rows)}"


def repeat(document: dict[str, Any]) -> str:
    rows = [
        (
            row["migration"],
            circumstance,
            f"{row[circumstance]['spread']:.2%}",
            len(row[circumstance]["peaks"]),
            ", ".join(row[circumstance]["verdicts"]),
        )
        for row in document["rows"]
        for circumstance in ("alone", "busy")
    ]
    columns = ("migration", "other core", "spread of the peak", "rounds", "verdicts")
    return f"### The same check again\n\n{table(columns, rows)}"


def overhead(document: dict[str, Any]) -> str:
    rows = [
        (row["migration"], f"{row['extra_bytes'] / MIB:+.2f} MiB", f"{row['extra_time']:+.1%}")
        for row in document["rows"]
    ]
    columns = ("migration", "peak", "processor time")
    about = circumstances(document)
    return f"### Against plain manage.py migrate\n\n{about}\n\n{table(columns, rows)}"


def cost(document: dict[str, Any]) -> str:
    rows = [
        (
            row["migration"],
            f"{row['rows']:,}",
            f"{row['check_s']:.0f} s",
            row["verdict"],
            f"{row['sizes'][-1]:,}",
        )
        for row in document["rows"]
    ]
    columns = ("migration", "production", "check", "verdict", "largest sample")
    return f"### What a check costs as production grows\n\n{table(columns, rows)}"


def endurance(document: dict[str, Any]) -> str:
    """What is in use after some of the checks of one run."""
    chosen = [row for row in document["rows"] if row["checks"] == 10 or not row["checks"] % 50]
    figures = [name for name in chosen[0] if name not in ("checks", "test")]
    rows = [
        (
            name.replace("_bytes", ", MiB").replace("_", ", "),
            *(f"{one[name] / MIB:.1f}" if name.endswith("_bytes") else one[name] for one in chosen),
        )
        for name in figures
    ]
    columns = ("in use", *(f"after {row['checks']}" for row in chosen))
    why = "The process of pytest keeps the result of each check for the summary and the reports."
    return f"### A run of {chosen[-1]['checks']} checks\n\n{table(columns, rows)}\n\n{why}"


def main() -> None:
    (HERE / "RESULTS.md").write_text("\n\n".join(sections()) + "\n")
    document = load("accuracy", "sqlite")
    if document is not None:
        draw(document["cases"], HERE.parent / "docs" / "calibration.svg")


if __name__ == "__main__":
    main()
