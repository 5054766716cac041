"""What is known when advice is given: what grows, who holds it, and what was observed."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from pytest_membudget.attribution.growth import Stack
from pytest_membudget.attribution.sites import Site
from pytest_membudget.database.engine import Engine, engine_of
from pytest_membudget.database.fingerprint import Fingerprint
from pytest_membudget.judge.assessment import Assessment
from pytest_membudget.judge.evidence import Evidence
from pytest_membudget.judge.growth_fit import Growth
from pytest_membudget.project.ownership import short_path
from pytest_membudget.sample import Sample
from pytest_membudget.sample.observed import Observed

# Less of the growth than this isn't worth a line of anybody's code.
WORTH = 0.1
WORTH_TRYING = 0.05
HALF = 0.5


@dataclass(frozen=True)
class Case:
    """What is known when advice is given.  Sizes are bytes, ``measured`` bytes a row.

    ``peak`` is the one at production's row count; ``mixed`` is the file of a migration that changes
    the schema and the data.  ``observed`` is what it did with its rows, ``digest`` the fingerprint
    of the data that this run left behind, ``rows_read`` what it read, ``sample`` the measured one
    of as many rows; growth by line needs none of these.
    """

    assessment: Assessment
    by_site: dict[Site, list[Stack]]
    measured: float
    peak: float | None
    baseline: int
    sample: Sample
    mixed: str | None = None
    observed: Observed = field(default_factory=Observed)
    digest: Fingerprint = field(default_factory=dict)
    rows_read: int = 0

    @property
    def evidence(self) -> Evidence:
        return self.assessment.evidence

    @property
    def engine(self) -> Engine:
        return engine_of(str(self.evidence.database.vendor))

    @property
    def streams(self) -> bool:
        """Whether ``iterator()`` reads from the database a chunk at a time."""
        disabled = self.sample.run.facts.server_side_cursors_disabled
        return self.engine.streams and not (self.engine.client_holds_results and disabled)

    @property
    def grows_on(self) -> bool:
        """Whether more rows take more memory: a chunk that is full needs no advice about rows."""
        projection = self.assessment.estimate.projection
        return projection is None or projection.growth not in (Growth.CONSTANT, Growth.BOUNDED)

    @property
    def updates_at_once(self) -> bool:
        """Whether one call of bulk_update gets most of the rows."""
        largest = max((call.rows for call in self.observed.bulk_updates), default=0)
        return largest >= HALF * self.sample.size

    def grows(self, *causes: str, least: float = WORTH) -> dict[tuple[str, int], float]:
        """Bytes a row by the project's line, of growth with one of these causes, largest first."""
        sums: dict[tuple[str, int], float] = defaultdict(float)
        for site, stacks in self.by_site.items():
            if site.cause in causes:
                sums[site.own[1:]] += sum(stack.bytes_per_row for stack in stacks)
        worth = {at: size for at, size in sums.items() if size >= least * self.measured}
        return dict(sorted(worth.items(), key=lambda item: -item[1]))

    def total(self, cause: str) -> float:
        """Bytes a row of all growth with this cause."""
        of_cause = [stacks for site, stacks in self.by_site.items() if site.cause == cause]
        return sum(stack.bytes_per_row for stacks in of_cause for stack in stacks)

    def remaining(self, saved: float) -> int | None:
        """The peak at production's row count with ``saved`` bytes a row less."""
        if self.peak is None or self.measured <= 0:
            return None
        left = max(0.0, 1 - saved / self.measured)
        return round(self.baseline + (self.peak - self.baseline) * left)

    def is_of_orm(self, at: tuple[str, int]) -> bool:
        """Whether the growth at a line is of rows that a queryset fetched."""
        there = [stacks for site, stacks in self.by_site.items() if site.own[1:] == at]
        stacks = itertools.chain(*there)
        return any("django/db/models/" in file for stack in stacks for _, file, _ in stack.frames)


def located(file: str, line: int) -> tuple[str, int]:
    """A place as an Advice has it."""
    return short_path(file), line


def where(file: str, line: int) -> str:
    return f"{short_path(file)}:{line}"
