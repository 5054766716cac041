"""From samples to what grows in them: the points of each phase, and the size of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_membudget.finding import FindingCode
from pytest_membudget.judge.growth_fit import REPEATABILITY, REPEATABILITY_OF_TREES, VISIBLE, Point
from pytest_membudget.processes.worker.cycles import SETTLED
from pytest_membudget.sample import Phase, Run, Sample

_ENOUGH = 3
# A phase that rose by less stays close to what it began with, the concern of the ones before.
_ROSE = VISIBLE
# What a statement has of each kind, the database's limit of that, and what is said of it.
_LIMITED = (
    ("most_parameters", "parameter_limit", FindingCode.TOO_MANY_PARAMETERS),
    ("longest_statement", "statement_limit", FindingCode.STATEMENT_TOO_LONG),
)
# A statement grows with the rows when so large a share of it a row is kept.
_GROWS_ALONG = 0.8
# Fewer never make the cycle collector's oldest generation due, which holds some 100,000 objects
# when Django is loaded and is collected when it has grown by a quarter.
_MAKES_IT_DUE = 10_000


def curves(samples: Sequence[Sample]) -> list[list[Point]]:
    """``(rows, peak)`` points of each phase; of the whole runs where phases can't be followed.

    With two samples only, their baseline is the third point.
    """
    if not samples:
        return []
    return _phases(samples) or [_points(samples, [sample.run.peak for sample in samples])]


def curves_by_migration(samples: Sequence[Sample]) -> dict[str, list[list[Point]]]:
    """The same for each migration of one process by its label, ``""`` for a single one, and for
    each receiver that took memory.
    """
    last = samples[-1].run.phases if samples else {}
    labels = {
        _label(phase): None
        for phase, (began, peak) in last.items()
        if not phase.receiver or peak - began > _ROSE
    }
    if any(phase.migration for phase in last) or len(labels) == 1:
        labels.pop("", None)  # what comes before the first migration, or all there is
    return {label: curves([_of_label(sample, label) for sample in samples]) for label in labels}


def highest_of_each(samples: Sequence[Sample]) -> list[tuple[str, float]]:
    """The highest peak of each of several migrations, the highest first."""
    found: dict[str, float] = {}
    for phase, (_, peak) in (one for sample in samples for one in sample.run.phases.items()):
        if phase.migration:
            found[phase.migration] = max(peak, found.get(phase.migration, 0))
    return sorted(found.items(), key=lambda item: -item[1])


def _label(phase: Phase) -> str:
    return f"the receiver {phase.receiver}" if phase.receiver else phase.migration


def _of_label(sample: Sample, label: str) -> Sample:
    phases = sample.run.phases
    own = {phase: marks for phase, marks in phases.items() if _label(phase) == label}
    peak = max((marks[1] for marks in own.values()), default=0)
    return replace(sample, run=replace(sample.run, phases=own, peak=peak))


def noise_of(samples: Sequence[Sample]) -> float:
    """How far in bytes a peak may be off when it is measured again."""
    if all(sample.run.processes == 1 for sample in samples):
        return REPEATABILITY
    return REPEATABILITY_OF_TREES * max(sample.run.peak for sample in samples)


def most_elsewhere(samples: Sequence[Sample], rows: int) -> float:
    """Bytes that a phase which is not projected on its own may reach at ``rows``, as its peaks go.

    One that only the largest sample has is taken to have grown there from the baseline.
    """
    most = 0.0
    for phase, (began, peak) in samples[-1].run.phases.items() if samples else ():
        with_it = _latest_with(phase, samples)
        rose = peak - began > _ROSE
        if rose and len(with_it) >= min(_ENOUGH, len(samples)):
            continue
        first, last = with_it[-_ENOUGH:][0], with_it[-1]
        if first is last:
            grown = max(0, peak - (last.run.baseline or peak)) if rose else 0
            slope = grown / last.size
        else:
            slope = max(0, peak - first.run.phases[phase][1]) / (last.size - first.size)
        most = max(most, peak + slope * (rows - last.size))
    return most


def cycles_add_up(samples: Sequence[Sample], rows: int) -> bool:
    """Whether what grew may be garbage that the cycle collector will free before ``rows`` rows.

    Its peaks repeat once it has collected its oldest generation a few times, so the stretch from
    the sample before the last one tells how much is kept only if that had been so there already.
    """
    if len(samples) < 2:
        return False
    (start, before), (end, last) = ((one.size, one.run.facts) for one in samples[-2:])
    if before.cyclic_objects is None or last.cyclic_objects is None:
        return False
    a_row = (last.cyclic_objects - before.cyclic_objects) / (end - start)
    settled = (before.oldest_collections or 0) >= SETTLED
    return not settled and a_row * rows >= _MAKES_IT_DUE


def breaks_at(samples: Sequence[Sample], rows: int) -> tuple[int, FindingCode] | None:
    """With how many rows, up to ``rows``, a statement is too large for the database, and in what.

    None where it is not, or where the database's limit isn't known.
    """
    found = [
        (int(end), code)
        for name, limit, code in _LIMITED
        if len(samples) > 1 and (end := _ends_at(samples, name, limit)) is not None and end < rows
    ]
    return min(found, default=None)


def _ends_at(samples: Sequence[Sample], name: str, limit: str) -> float | None:
    """With how many rows a statement that grows with them reaches the limit."""
    before, last = samples[-2:]
    most, limited = getattr(last.run.facts, name), getattr(last.run.facts, limit)
    if not limited or not most:
        return None
    a_row = getattr(before.run.facts, name) / before.size
    grows = most / last.size >= _GROWS_ALONG * a_row and a_row * last.size <= limited
    return float(limited * last.size / most) if grows else None


def _phases(samples: Sequence[Sample]) -> list[list[Point]]:
    """The points of each phase that rose above what it began with; none where one was missed."""
    if any(_highest(sample.run) < sample.run.peak - REPEATABILITY for sample in samples):
        return []
    enough = min(_ENOUGH, len(samples))
    found = []
    for phase, (began, peak) in samples[-1].run.phases.items():
        with_it = _latest_with(phase, samples)
        if peak - began > _ROSE and len(with_it) >= enough:
            marks = [sample.run.phases[phase] for sample in with_it]
            rose = [peak - began > _ROSE for began, peak in marks]
            first = len(rose) - rose[::-1].index(False) if False in rose else 0
            first = first if len(with_it) - first >= _ENOUGH else 0
            found.append(_points(with_it[first:], [peak for _, peak in marks[first:]]))
    return found


def _latest_with(phase: Phase, samples: Sequence[Sample]) -> Sequence[Sample]:
    """The largest samples that have a phase, down to the first one that has not."""
    without = [number for number, one in enumerate(samples) if phase not in one.run.phases]
    return samples[without[-1] + 1 if without else 0 :]


def _highest(run: Run) -> int:
    """The highest of the phases, and of what came before the first one."""
    return max([run.baseline or 0, *(peak for _, peak in run.phases.values())])


def _points(samples: Sequence[Sample], peaks: Sequence[int]) -> list[Point]:
    baseline = samples[0].run.baseline if len(samples) == 2 else None
    start = [] if baseline is None else [(0.0, float(baseline))]
    sizes = (float(sample.size) for sample in samples)
    return [*start, *zip(sizes, map(float, peaks), strict=True)]
