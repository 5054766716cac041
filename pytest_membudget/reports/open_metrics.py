"""OpenMetrics text, which GitLab compares between branches and Prometheus reads.

See https://prometheus.io/docs/specs/om/open_metrics_spec/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_membudget.judge.result import Result
from pytest_membudget.reports import cells
from pytest_membudget.reports.document import identity
from pytest_membudget.texts import visible


@dataclass(frozen=True)
class _Metric:
    """A gauge; ``unit`` is the end of its name, if it has one."""

    name: str
    help: str
    value: Callable[[Result], float | None]
    unit: str = ""


_METRICS = (
    _Metric("peak_bytes", "Peak RSS at production's rows.", lambda one: one.peak_bytes, "bytes"),
    _Metric("limit_bytes", "Memory limit.", lambda one: one.limit_bytes, "bytes"),
    _Metric("bytes_per_row", "Growth of the peak with each row.", lambda one: one.bytes_per_row),
    _Metric("rows", "Production's rows of the first model.", lambda one: cells.counted(one)[1]),
    _Metric("fits_up_to_rows", "Rows at which it fits.", lambda one: one.fits_up_to_rows),
    _Metric(
        "duration_seconds",
        "How long the migration takes at production's rows.",
        lambda one: one.projected_duration_s,
        "seconds",
    ),
    _Metric(
        "server_peak_bytes",
        "Memory that the database server takes for it.",
        lambda one: one.server_peak_bytes,
        "bytes",
    ),
    _Metric("within", "1 if the verdict is within, else 0.", lambda one: int(one.ok)),
)


def open_metrics(results: Sequence[Result]) -> str:
    """A gauge for each figure that is known, of each budget once: the last result counts."""
    last = {identity(one): one for one in results}
    lines = []
    for metric in _METRICS:
        name = f"membudget_{metric.name}"
        lines.append(f"# TYPE {name} gauge")
        lines += [f"# UNIT {name} {metric.unit}"] if metric.unit else []
        lines.append(f"# HELP {name} {metric.help}")
        for result in last.values():
            if (value := metric.value(result)) is not None:
                lines.append(f"{name}{{{_labels(result)}}} {value}")
    return "\n".join([*lines, "# EOF", ""])


def _labels(result: Result) -> str:
    labels = {
        "migration": cells.migration(result),
        "database": cells.vendor(result),
        "test": result.nodeid,
    }
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    """A label's value, without control characters."""
    text = visible(text)
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
