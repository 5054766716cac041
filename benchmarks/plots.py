"""Samples, projection, interval and truth of four migrations, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from pytest_membudget.judge.projection import project
from pytest_membudget.units import MIB

PANELS = {
    "readings.0003_iterator": "a stream",
    "articles.0002_loop_over_all": "a loop over all()",
    "readings.0026_slow_chunks_of_100_000": "a threshold above the samples",
    "readings.0020_matrix_of_bits": "quadratic",
}
SHARE = "1.1"
# Where the check measured production's own row count, what smaller samples say is drawn.
FAR = 8
_LINE, _INTERVAL, _TRUTH = "#3366cc", "#c6d8f5", "#cc3333"


def draw(cases: dict[str, Any], path: Path) -> None:
    shown = [name for name in PANELS if SHARE in cases.get(name, {}).get("checks", {})]
    mpl.rcParams |= {"svg.hashsalt": "membudget", "svg.fonttype": "none"}
    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
    for axis, name in zip(axes.flat, shown, strict=False):
        _panel(axis, f"{PANELS[name]}: {name}", cases[name])
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _panel(axis: Axes, title: str, case: dict[str, Any]) -> None:
    check, curve = case["checks"][SHARE], case["curve"]
    truth = curve[-1]["rows"]
    known = check["samples"] if check["basis"] == "projected" else curve
    samples = [(one["rows"], one["peak"]) for one in known if one["rows"] <= truth / FAR]
    climbed = samples[-4:]
    sizes = np.geomspace(climbed[-1][0], truth, 60)[1:]
    found = {float(size): project(climbed, size) for size in sizes}
    beyond = [size for size, fit in found.items() if fit is not None]
    fits = [fit for fit in found.values() if fit is not None]
    bounds = ([fit.low / MIB for fit in fits], [fit.high / MIB for fit in fits])
    axis.fill_between(beyond, *bounds, color=_INTERVAL, label="interval")
    axis.plot(beyond, [fit.value / MIB for fit in fits], color=_LINE, label="projection")
    _points(axis, [(one["rows"], one["peak"]) for one in curve], ".", _TRUTH, "measured")
    _points(axis, samples, "o", _LINE, "samples it is projected from")
    axis.axhline(check["limit_bytes"] / MIB, color="#888888", linestyle="--", label="limit")
    axis.set(title=title, xlabel="rows", ylabel="peak RSS, MiB", xscale="log")
    axis.set_ylim(bottom=0)
    axis.title.set_fontsize(10)
    axis.legend(fontsize=8, frameon=False)


def _points(
    axis: Axes, points: list[tuple[float, float]], marker: str, color: str, label: str
) -> None:
    rows, peaks = zip(*points, strict=True)
    in_mib = [peak / MIB for peak in peaks]
    axis.plot(rows, in_mib, marker, mfc="none" if marker == "o" else color, mec=color, label=label)
