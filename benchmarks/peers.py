"""What other tools project from the same samples: the peak at ``rows`` from (rows, peak) points."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import big_o
import numpy as np
from extrap.entities.callpath import Callpath
from extrap.entities.coordinate import Coordinate
from extrap.entities.experiment import Experiment
from extrap.entities.measurement import Measurement
from extrap.entities.metric import Metric
from extrap.entities.parameter import Parameter
from extrap.modelers.model_generator import ModelGenerator
from scipy.optimize import curve_fit
from scipy.stats import theilslopes

Points = Sequence[tuple[float, float]]


def least_squares(points: Points, rows: float) -> float:
    sizes, peaks = zip(*points, strict=True)
    slope, intercept = np.polyfit(sizes, peaks, 1)
    return float(slope * rows + intercept)


def theil_sen(points: Points, rows: float) -> float:
    sizes, peaks = zip(*points, strict=True)
    slope, intercept, *_ = theilslopes(peaks, sizes)
    return float(slope * rows + intercept)


def power_law(points: Points, rows: float) -> float:
    """scipy's fit of ``a + b * rows ** c``; a line where it finds none."""
    sizes, peaks = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    start = (peaks[0], (peaks[-1] - peaks[0]) / sizes[-1], 1.0)
    bounds = ([0, 0, 0], [np.inf, np.inf, 3])

    def law(n: Any, a: float, b: float, c: float) -> Any:
        return a + b * n**c

    try:
        found, _ = curve_fit(law, sizes, peaks, p0=np.maximum(start, 1e-9), bounds=bounds)
    except (RuntimeError, ValueError):
        return least_squares(points, rows)
    return float(law(np.array(rows), *found))


def extra_p(points: Points, rows: float) -> float:
    experiment, metric, path = Experiment(), Metric("peak"), Callpath("migration")
    experiment.add_parameter(Parameter("rows"))
    experiment.add_metric(metric)
    experiment.add_callpath(path)
    for size, peak in points:
        coordinate = Coordinate(size)
        experiment.add_coordinate(coordinate)
        experiment.add_measurement(Measurement(coordinate, path, metric, [peak]))
    generator = ModelGenerator(experiment)
    generator.model_all()
    (model,) = generator.models.values()
    return float(model.hypothesis.function.evaluate(rows))


def big_o_class(points: Points, rows: float) -> float:
    sizes, peaks = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    best, _ = big_o.infer_big_o_class(sizes, peaks)
    return float(best.compute(np.array([rows]))[0])


PEERS: dict[str, Callable[[Points, float], float]] = {
    "least squares (numpy)": least_squares,
    "Theil-Sen (scipy)": theil_sen,
    "power law (scipy)": power_law,
    "Extra-P": extra_p,
    "big_O": big_o_class,
}


def predictions(points: Points, rows: float) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: predict(points, rows) for name, predict in PEERS.items()}
