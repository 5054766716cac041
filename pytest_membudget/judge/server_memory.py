"""What the database server's processes take for the migration at production's row count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from pytest_membudget.database.engine import engine_of
from pytest_membudget.judge.limited_figure import ENOUGH, LimitedFigure, Wording
from pytest_membudget.judge.projection import Projection
from pytest_membudget.sample import Sample
from pytest_membudget.units import MIB, format_interval, format_size

# It is sampled, so that a short peak may be missed.
_LEAST_NOISE, _REPEATABILITY = 1 * MIB, 0.02


@dataclass(frozen=True)
class ServerMemory(LimitedFigure):
    """Bytes of the processes of the database server that work for the migration."""

    wording = Wording(
        "limit_server",
        "would take {} of the database server's memory",
        "took {} of the database server's memory",
        "fit on the server",
        "fits on the server",
        format_size,
        format_interval,
    )

    @property
    def limit(self) -> float | None:
        return self.evidence.budget.limit_server

    def of_sample(self, sample: Sample) -> float | None:
        return sample.run.server_peak

    @cached_property
    def projection(self) -> Projection | None:
        """A sort or an index takes what its settings allow: growth that is less may end there."""
        if not self._points or len(self._points) < len(self._samples):
            return None
        found = self._project(self._points, self.evidence.ladder.rows)
        if found is None:
            return None
        base, seen = self._points[0][1], max(bytes for _, bytes in self._points)
        low = base + (found.low - base) * self.least
        if seen - base < self._allowed and not found.measured:
            low = min(low, seen - 2 * self._noise)
        high = found.high + self._unseen(found)
        high = max(high, base + (high - base) * self.most)
        return replace(found, value=max(found.value, seen), low=max(0.0, low), high=high)

    @property
    def most_seen(self) -> int | None:
        """The most of any sample; None where it can't be seen."""
        seen = (one.run.server_peak for one in self.evidence.samples)
        return max((peak for peak in seen if peak is not None), default=None)

    @property
    def unknown(self) -> str:
        vendor = self.evidence.database.vendor or ""
        if self._samples and len(self._points) == len(self._samples):
            return ""
        if engine_of(vendor).embedded:
            return "the database runs in the process of the migration and has no server"
        return (
            "the database server's memory is unknown, because its processes are not visible from "
            "this machine; use --membudget-server embedded, or a server on this machine"
        )

    def _unseen(self, found: Projection) -> float:
        """What looks may have missed at production's rows: it may be the slope of a stretch."""
        unseen = max(one.run.server_unseen for one in self._samples[-ENOUGH:])
        (start, _), (last, _) = self._points[-2:] if len(self._points) > 1 else ((0, 0), (1, 0))
        further = 0 if found.measured else self.evidence.ladder.rows - last
        return float(unseen * (1 + further / (last - start)))

    @property
    def _allowed(self) -> int:
        return max(one.run.facts.server_allowance for one in self._samples)

    @property
    def _noise(self) -> float:
        most = max((size for _, size in self._points), default=0.0)
        return max(_LEAST_NOISE, _REPEATABILITY * most)
