"""What may lie between the largest sample and production, as the numbers in the code tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_membudget.judge.ladder import Ladder
from pytest_membudget.sample import Sample

# There are several of them in every stretch between two samples that is believed.
_SMALL_STEP = 10_000


@dataclass(frozen=True)
class Ahead:
    """The numbers of the code above ``samples``, all of which finished, and below production.

    ``rows`` are production's by label, ``tables`` the models' tables; sizes count rows of the model
    with the most.  A chunk may be one of any model that the migration reads.  A number that is
    compared with is passed where the samples had more rows of any of them: most compare the length
    of a buffer, whichever model it is of.  ``loaded`` are the shares of the rows of a table that
    are loaded: of a sample's, and of production's at most.
    """

    samples: Sequence[Sample]
    rows: Mapping[str, int]
    tables: Mapping[str, str]
    loaded: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def thresholds(self, numbers: Sequence[int]) -> list[int]:
        """Those of ``numbers``, as sizes, that the samples have not left behind.

        A stream may hold two chunks at once, so growth has ended for sure at twice a threshold, and
        it takes a sample of twice that to show it.
        """
        return [size for size in self._sizes(numbers) if self._largest < 4 * size]

    def grain(self, numbers: Sequence[int]) -> int:
        """The most of ``numbers``, as a size, that the samples have passed; 0 for small ones.

        Growth may come in steps of that, as where blocks of so many rows are kept.
        """
        sizes = (size for size in self._sizes(numbers) if _SMALL_STEP <= size < self._largest)
        return max(sizes, default=0)

    def past(self, numbers: Sequence[int]) -> int | None:
        """The least of ``numbers``, as a size, that no sample has passed."""
        return min((size for size, _ in self._not_passed(numbers)), default=None)

    def branch(self, numbers: Sequence[int], ladder: Ladder) -> tuple[int, int] | None:
        """The least of ``numbers`` that no sample has passed, and a time budget to pass all."""
        ahead = list(self._not_passed(numbers))
        if not ahead:
            return None
        needed = ladder.budget_for(self.samples, ladder.above(max(size for size, _ in ahead)))
        return min(one for _, one in ahead), max(needed, round(2 * ladder.time_budget))

    @property
    def _largest(self) -> int:
        return self.samples[-1].size if self.samples else 0

    @property
    def _most(self) -> int:
        return max(self.rows.values(), default=0)

    def _read(self) -> list[tuple[float, float]]:
        """The rows that the migration reads of each model, or of the largest of all: as many as a
        sample of production's size has, and as production may have.
        """
        if not self.samples or self._largest >= self._most:
            return []
        read = self.samples[-1].run.read
        found = []
        for label, table in self.tables.items():
            if table in read:
                seeded, most = self.loaded.get(table, (1.0, 1.0))
                found.append((self.rows[label] * seeded, self.rows[label] * most))
        return found or [(self._most, self._most)]

    def _not_passed(self, numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
        """The size of each of ``numbers`` that no sample has passed, and the number."""
        read = self._read()
        count = max((seeded for seeded, _ in read), default=0)
        most = max((most for _, most in read), default=0)
        for number in numbers:
            if number < most and (size := int(number * self._most / count)) >= self._largest:
                yield size, number

    def _sizes(self, numbers: Sequence[int]) -> Iterator[int]:
        for count, most in self._read():
            yield from (int(one * self._most / count) for one in numbers if one < most)
